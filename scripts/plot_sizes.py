"""Draw scores against the number of training rows."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.sizes import curves_by_size


def main(job):
    """Read the long table, draw, save as png and pdf."""
    figure = curves_by_size(read_scores(job), job.params.styles, target=job.params.target, note=job.params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
