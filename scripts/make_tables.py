"""Write the tables of a run: numbers as csv, for reading as Markdown, LaTeX and HTML."""

from _job import Job, facts_of, log, run, share_imports

share_imports(__name__)

from pathlib import Path

from medsynth.display.export import write_table
from medsynth.scores.registry import tables


def main(job: Job) -> None:
    """Write every table that the study has."""
    facts = facts_of(job)
    facts.overview["Versions"] = ", ".join(job.params.versions)
    for name in job.params.tables:
        table = tables()[name]
        numbers, display = table.make(facts)
        folder = Path(job.output.tables)
        folder.mkdir(exist_ok=True)
        write_table(numbers, display, folder / name, caption=facts.caption(table), note=facts.note)
        log.info("%s: %d rows", name, len(display))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
