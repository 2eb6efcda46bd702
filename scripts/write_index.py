"""Write the page that links the summaries of all studies."""

from _job import Job, run, share_imports, write_text

share_imports(__name__)

from medsynth.report.summary import index_page


def main(job: Job) -> None:
    """Write the page."""
    write_text(job.output.index, index_page(job.params.studies))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
