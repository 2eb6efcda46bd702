"""Write the table of what generators copy."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.display import display_privacy
from medsynth.reporting.export import write_table
from medsynth.reporting.tables import privacy_table


def main(job):
    """Read the long table, write numbers and the table for reading."""
    scores = read_scores(job)
    numbers = privacy_table(scores)
    write_table(
        numbers,
        display_privacy(numbers, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Memorisation: generators fitted on one half of the training rows (members); share of their rows that "
        "are nearer to a member than to any row of the other half (0.5: nothing is copied), and shares equal to one, "
        "mean and 95% t interval over seeds",
        note=job.params.note,
    )


run(snakemake, main)
