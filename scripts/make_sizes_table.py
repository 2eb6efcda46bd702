"""Write the table of scores by number of training rows."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.export import write_table
from medsynth.reporting.sizes import display_sizes, sizes_table


def main(job):
    """Read the long table, write numbers and the table for reading."""
    numbers = sizes_table(read_scores(job))
    write_table(
        numbers,
        display_sizes(numbers, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Number of training rows: every generator fitted on random training rows, and the real rows "
        "themselves; TSTR with XGBoost for the main target; mean and 95% t interval over seeds",
        note=job.params.note,
    )


run(snakemake, main)
