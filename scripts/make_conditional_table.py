"""Write the table of conditional generation."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.display import display_conditional
from medsynth.reporting.export import write_table
from medsynth.reporting.tables import conditional_table


def main(job):
    """Read the long table, write numbers and the table for reading."""
    scores = read_scores(job)
    numbers = conditional_table(scores)
    cohorts = {cohort["name"]: cohort.get("title") or cohort["name"] for cohort in job.params.cohorts}
    write_table(
        numbers,
        display_conditional(numbers, cohorts, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Rows drawn under conditions: share that meets all of them, and how those that do compare with the "
        "held-out real rows of the cohort (200 or more), mean and 95% t interval over seeds",
        note=job.params.note,
    )


run(snakemake, main)
