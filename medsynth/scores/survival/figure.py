"""Kaplan-Meier curves, real against synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from medsynth.display.canvas import INTERVAL, in_style, with_ends, with_note, without_scores

REAL_COLOUR = "#4d4d4d"
PANELS_PER_ROW = 3
MAX_PANELS = 12


@in_style
def kaplan_meier_curves(
    plot_data_by_seed: Sequence[Mapping[str, Any]], *, target: str, unit: str, title: str, colour: str, note: str
) -> Figure:
    """Draw the share of patients without the event against time, a panel for all and for each group.

    Parameters
    ----------
    plot_data_by_seed : sequence of mapping
        One a seed, of one generator at one epoch count: title of a group -> curves, from
        `medsynth.scores.survival.times.curve_data`.
    target, unit : str
        What is waited for, and what time is counted in.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    names = list(plot_data_by_seed[0])[:MAX_PANELS]
    if not names:
        return without_scores(f"{target}: too few real rows have the event to show a curve.", note=note)
    rows = ceil(len(names) / PANELS_PER_ROW)
    columns = min(len(names), PANELS_PER_ROW)
    figure = Figure(figsize=(1 + 3.4 * max(columns, 2), 1.3 + 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for ax, name in zip(axes.flat, names, strict=False):
        _panel(ax, [seed[name] for seed in plot_data_by_seed if name in seed], colour)
        ax.set_title(name)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    figure.supylabel(f"Share without the event ({target})", fontsize=9)
    n_seeds = len(plot_data_by_seed)
    synthetic = title if n_seeds == 1 else f"{title} (mean of {n_seeds} seeds, smallest to largest)"
    handles = [
        Line2D([], [], color=REAL_COLOUR, label="Held-out real rows (95% band)"),
        Line2D([], [], color=colour, label=f"Synthetic: {synthetic}"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    for ax in axes[-1]:
        ax.set_xlabel(f"{'Time' if not unit else unit[:1].upper() + unit[1:]}")
    return with_note(figure, note)


def _panel(ax: Axes, seeds: list[Mapping[str, Any]], colour: str) -> None:
    """Curves of one group."""
    # Every seed has the same real rows, unless seeds have partitions of their own; then those of the first are shown.
    real = pd.DataFrame({name: seeds[0][name] for name in ("real_times", "real", "low", "high")})
    bands = [(real.rename(columns={"real_times": "time", "real": "share"}), REAL_COLOUR)]
    curves = [seed["synthetic"] for seed in seeds if seed["synthetic"]]
    if curves:
        synthetic = pd.DataFrame({"time": seeds[0]["times"], "share": np.mean(curves, axis=0)})
        bands.append((synthetic.assign(low=np.min(curves, axis=0), high=np.max(curves, axis=0)), colour))
    # The real curve is known at its points; the line between them is drawn for the eye.
    ax.plot(real["real_times"], real["real"], "o", color=REAL_COLOUR, markersize=2.6)
    for band, shade in bands:
        sns.lineplot(
            with_ends(band, "share", "low", "high"), x="time", y="share", color=shade, linewidth=1.5,
            err_kws={"linewidth": 0, "alpha": 0.22}, ax=ax, **INTERVAL,
        )  # fmt: skip
    ax.set(xlabel="", ylabel="", ylim=(0, 1.02), xlim=(0, seeds[0]["times"][-1]))
