"""Write the table of what generators copy."""

from pathlib import Path

import pandas as pd
from _job import run

from medsynth.reporting.display import display_privacy
from medsynth.reporting.export import write_table
from medsynth.reporting.tables import privacy_table


def main(job):
    """Read the long table, write numbers and the table for reading."""
    scores = pd.read_csv(job.input.scores, keep_default_na=False, na_values={"value": [""]})
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
