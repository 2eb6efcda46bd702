"""Draw the synthetic standard deviation against quality, one point a model."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.training_figures import spread_and_quality


def main(job):
    """Read the long table, draw, save as png and pdf."""
    scores = read_scores(job)
    figure = spread_and_quality(scores, job.params.styles, note=job.params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
