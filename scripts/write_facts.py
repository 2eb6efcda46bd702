"""Write what the tables, figures and summary of a run depend on besides files."""

import json

from _job import Job, run, write_text


def main(job: Job) -> None:
    """Write it as JSON."""
    write_text(job.output.facts, json.dumps(job.params.facts, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
