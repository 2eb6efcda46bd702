"""Draw accuracy against epochs."""

from pathlib import Path

import pandas as pd
from _job import run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.figures import accuracy_by_epochs


def main(job):
    """Read the long table, draw, save as png and pdf."""
    scores = pd.read_csv(job.input.scores, keep_default_na=False, na_values={"value": [""]})
    figure = accuracy_by_epochs(scores, job.params.styles, target=job.wildcards.target, note=job.params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
