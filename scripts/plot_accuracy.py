"""Draw accuracy against epochs."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.figures import accuracy_by_epochs


def main(job):
    """Read the long table, draw, save as png and pdf."""
    scores = read_scores(job)
    figure = accuracy_by_epochs(scores, job.params.styles, target=job.wildcards.target, note=job.params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
