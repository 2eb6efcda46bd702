"""Losses by epoch, and the networks."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from medsynth.display.canvas import in_style, with_note

# What a panel of the loss figure shows: name of the loss in the history -> its axis label.
LOSSES = {
    "loss": "Loss",
    "generator loss": "Generator loss",
    "discriminator loss": "Discriminator loss",
    "reconstruction": "Reconstruction (nats a record)",
    "numeric": "Numeric columns (squared error)",
    "binary": "Binary columns (nats a column)",
    "categorical": "Categorical columns (nats a record)",
    "kl": "KL divergence (nats a record)",
    "active_dimensions": "Active latent dimensions",
}
PANELS_PER_ROW = 3
# First word of a box -> its colour.
BOX_COLOURS = {
    "Linear": "#cfe3f5",
    "MaskedLinear": "#cfe3f5",
    "Embedding": "#d9efd8",
    "BatchNorm1d": "#f6e3c5",
    "LeakyReLU": "#f7d7d7",
    "ReLU": "#f7d7d7",
    "Sigmoid": "#f7d7d7",
    "Softmax": "#f7d7d7",
}


@in_style
def loss_curves(histories: list[list[dict]], *, title: str, colour: str, note: str) -> Figure:
    """Draw the losses of every epoch, training rows solid, validation rows dashed, one line a seed.

    Parameters
    ----------
    histories : list of list of dict
        One a seed: for every epoch ``epoch`` and values under ``train_<loss>`` and ``validation_<loss>``.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    records = [{"seed": seed, **record} for seed, history in enumerate(histories) for record in history]
    losses = pd.DataFrame(records, columns=None if records else ["seed", "epoch"]).melt(["seed", "epoch"])
    losses[["rows", "loss"]] = losses["variable"].str.extract("^(train|validation)_(.*)$")
    panels = [name for name in LOSSES if name in set(losses["loss"])]
    columns = 2 if len(panels) == 4 else min(PANELS_PER_ROW, max(len(panels), 1))
    rows = -(-max(len(panels), 1) // columns)
    figure = Figure(figsize=(4 * columns + 0.5, 2.7 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True)
    for ax, name in zip(axes.flat, panels, strict=False):
        own = losses[losses["loss"] == name].dropna(subset="value")
        own = own.assign(rows=own["rows"] + " rows")
        sns.lineplot(
            own, x="epoch", y="value", style="rows", style_order=["train rows", "validation rows"], units="seed",
            estimator=None, color=colour, alpha=0.75, ax=ax,
        )  # fmt: skip
        ax.set(title=LOSSES[name], xlabel="", ylabel="")
        if own["value"].min() > 0 and own["value"].max() > 30 * own["value"].min():
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            ax.yaxis.set_minor_formatter(NullFormatter())
        ax.legend(title=None)
    for ax in axes[-1]:
        ax.set_xlabel("Epoch")
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    figure.suptitle(f"{title}: losses by epoch, {len(histories)} seed{'s' * (len(histories) > 1)}")
    return with_note(figure, note)


@in_style
def architecture(networks: dict[str, list[list[str]]], *, title: str, note: str) -> Figure:
    """Draw networks as the Med-VAE paper's Figures 6 and 7, one column of boxes each.

    Parameters
    ----------
    networks : dict
        Network -> stages from input to output; a stage is a list of boxes that stand side by side.
    title : str
        The generator's.
    note : str
        Printed at the bottom.
    """
    height = max(len(stages) for stages in networks.values())
    figure = Figure(figsize=(7.2 * len(networks), 0.62 * height + 1.6), layout="constrained")
    axes = figure.subplots(1, len(networks), squeeze=False)[0]
    for ax, (name, stages) in zip(axes, networks.items(), strict=True):
        ax.set_title(name, fontweight="bold")
        ax.set_xlim(0, 1)
        ax.set_ylim(height - 0.4, -0.6)
        ax.axis("off")
        places = [np.linspace(0, 1, len(stage) + 1) for stage in stages]
        for y, (stage, edges) in enumerate(zip(stages, places, strict=True)):
            for text, (left, right) in zip(stage, pairwise(edges), strict=True):
                _box(ax, text, left + 0.02, right - 0.02, y)
        for y, (above, below) in enumerate(pairwise(places)):
            _arrows(ax, above, below, y)
    figure.suptitle(f"{title}: sizes as trained")
    return with_note(figure, note)


def _box(ax: Axes, text: str, left: float, right: float, y: float) -> None:
    """One box with its text."""
    colour = next((c for word, c in BOX_COLOURS.items() if word in text.replace("(", " ").split()), "#eeeeee")
    box = FancyBboxPatch(
        (left, y - 0.32), right - left, 0.64, boxstyle="round,pad=0,rounding_size=0.02", mutation_aspect=10,
        facecolor=colour, edgecolor="#777777", linewidth=0.8,
    )  # fmt: skip
    ax.add_patch(box)
    size = 8.5 if len(text) < 95 * (right - left) else 7
    ax.text((left + right) / 2, y, text, ha="center", va="center", fontsize=size)


def _arrows(ax: Axes, above: np.ndarray, below: np.ndarray, y: float) -> None:
    """Arrows from every box of a stage to the next stage; box to box where there are as many."""
    starts, ends = ((edges[:-1] + edges[1:]) / 2 for edges in (above, below))
    side_by_side = len(starts) == len(ends)
    for start, end in zip(starts, ends, strict=True) if side_by_side else product(starts, ends):
        style = {"arrowstyle": "-|>", "color": "#777777", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", xy=(end, y + 0.67), xytext=(start, y + 0.33), arrowprops=style)
