"""Draw one generator's networks from the model card that describes its modules."""

import json
from pathlib import Path

from _job import run

from medsynth.reporting.canvas import save_figure
from medsynth.reporting.training_figures import architecture


def main(job):
    """Read the card of the first seed's last model, draw, save as png and pdf."""
    card = Path(job.input.models) / f"epochs{job.params.epochs}" / "model_card.json"
    networks = json.loads(card.read_text(encoding="utf-8"))["architecture"]
    figure = architecture(networks, title=job.params.title, note=job.params.note)
    save_figure(figure, Path(job.output.png).with_suffix(""))


run(snakemake, main)
