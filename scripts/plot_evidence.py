"""Draw one generator's distributions and associations against the real ones."""

import json
from pathlib import Path

from _job import run

from medsynth.codebook import Codebook
from medsynth.reporting.canvas import save_figure
from medsynth.reporting.figures import associations, distributions


def main(job):
    """Read the evidence of every seed, draw, save as png and pdf."""
    evidence = [json.loads(Path(path).read_text(encoding="utf-8")) for path in job.input.evidence]
    codebook = Codebook.from_json(job.input.codebook)
    params, epochs = job.params, job.params.epochs
    title = f"{params.title}, {epochs} epochs" if epochs else params.title
    figures = {
        "distributions": distributions(evidence, codebook, title=title, colour=params.colour, note=params.note),
        "associations": associations(evidence, title=title, note=params.note),
    }
    for name, figure in figures.items():
        save_figure(figure, Path(getattr(job.output, name)).with_suffix(""))


run(snakemake, main)
