"""Draw one generator's losses by epoch from its model cards."""

import json
from pathlib import Path

from _job import run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.training_figures import loss_curves


def main(job):
    """Read the card of every seed's last model, draw, save as png and pdf."""
    cards = [Path(folder) / f"epochs{job.params.epochs[-1]}" / "model_card.json" for folder in job.input.models]
    histories = [json.loads(card.read_text(encoding="utf-8"))["history"] for card in cards]
    params = job.params
    figure = loss_curves(histories, title=params.title, colour=params.colour, note=params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
