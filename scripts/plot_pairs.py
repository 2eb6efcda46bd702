"""Draw one generator's pairs of numeric columns against the real ones."""

import json
from pathlib import Path

from _job import run

from medsynth.codebook import Codebook
from medsynth.reporting.canvas import save_figure
from medsynth.reporting.pair_figures import pairs


def main(job):
    """Read the evidence of every seed, draw, save as png and pdf."""
    evidence = [json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.evidence]
    params, epochs = job.params, job.params.epochs
    title = f"{params.title}, {epochs} epochs" if epochs else params.title
    codebook = Codebook.from_json(job.input.codebook)
    figure = pairs(evidence, codebook, title=title, colour=params.colour, note=params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
