"""Draw what forests trained on real and on one generator's rows look at to predict one target."""

import json
from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.importance_figures import importances


def main(job):
    """Read the long table and the first seed's evidence, draw, save as png and pdf."""
    target, params = job.wildcards.target, job.params
    paths = {"real": job.input.real, job.wildcards.generator: job.input.synthetic}
    evidence = {name: json.loads(Path(path).read_text(encoding="utf-8"))[target] for name, path in paths.items()}
    epochs = params.epochs
    title = f"{params.title}, {epochs} epochs" if epochs else params.title
    looks = {"title": title, "colour": params.colour, "note": params.note}
    figure = importances(read_scores(job), evidence, target=target, generator=job.wildcards.generator, **looks)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
