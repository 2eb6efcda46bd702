"""Write the summary page of a run from its tables and figures."""

from _job import Job, log, read_facts, run, share_imports, write_text

share_imports(__name__)

from pathlib import Path

from medsynth.report.facts import Finished
from medsynth.report.summary import summary_page


def main(job: Job) -> None:
    """Write the page."""
    page = summary_page(
        Finished(
            tables=Path(job.input.tables),
            figures=Path(job.input.figures),
            names=job.params.tables,
            shown=[tuple(one) for one in job.params.figures],
            facts=read_facts(job.input.facts),
            study=job.params.summarised,
        )
    )
    write_text(job.output.summary, page)
    log.info("%.1f MB", len(page) / 1e6)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
