"""Associations of all pairs of columns."""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from medsynth.display.canvas import in_style, with_note


@in_style
def associations(plot_data_by_seed: list[dict], *, title: str, note: str) -> Figure:
    """Draw the associations of all pairs of columns: real rows, synthetic rows (mean over seeds), their difference.

    Parameters
    ----------
    plot_data_by_seed : list of dict
        One a seed, of one generator at one epoch count, with the key ``associations``.
    title : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    seeds = [plot_data["associations"] for plot_data in plot_data_by_seed]
    names = seeds[0]["columns"]
    real, synthetic = (
        np.array([seed[key] for seed in seeds], dtype=float).mean(axis=0) for key in ("real", "synthetic")
    )
    difference = synthetic - real
    pairs = np.abs(difference[np.triu_indices(len(names), k=1)])
    withheld = np.isnan(pairs).any()
    pairs = pairs[~np.isnan(pairs)]
    # Upwards to a full 0.05, so that figures of similar generators have the same limits.
    limit = max(0.05, ceil(pairs.max() * 20 - 1e-9) / 20) if len(pairs) else 0.05
    of_seeds = f", mean of {len(seeds)} seeds" if len(seeds) > 1 else ""
    side = max(3.8, 0.115 * len(names))
    layout = ConstrainedLayoutEngine(compress=True)
    figure = Figure(figsize=(3 * side + 3.6, side + 2.2), layout=layout)
    axes = figure.subplots(1, 3, sharey=True)
    panels = [
        (real, "Real", 1, "RdBu_r"),
        (synthetic, f"Synthetic: {title}{of_seeds}", 1, "RdBu_r"),
        (difference, f"Difference, limits ±{limit:.2f}; mean absolute {pairs.mean():.3f}", limit, "PuOr_r"),
    ]
    for ax, (matrix, name, end, colours) in zip(axes, panels, strict=True):
        sns.heatmap(
            pd.DataFrame(matrix, names, names), vmin=-end, vmax=end, cmap=colours, square=True, cbar=False,
            xticklabels=True, yticklabels=True, ax=ax,
        )  # fmt: skip
        ax.set_facecolor("#dddddd")
        ax.set_title(name, fontsize=max(10, 2.2 * side))
        ax.tick_params(length=0, labelsize=6.5 if len(names) > 25 else 8)
        ax.tick_params(axis="x", rotation=90)
        ax.tick_params(axis="y", rotation=0)
        if ax is not axes[0]:
            bars = list(axes[:2]) if ax is axes[1] else ax
            label = "Association" if ax is axes[1] else "Synthetic − real"
            figure.colorbar(ax.collections[0], ax=bars, label=label, pad=0.01, aspect=30)
    measures = (
        "Pearson's r of numbers, ordinal and binary categories; Cramér's V or correlation ratio with nominal categories"
    )
    measures += "; grey: would reveal few real rows" if withheld else ""
    figure = with_note(figure, f"{note}; {measures}")
    # What equal sides leave free is known only once the figure was laid out; saving it does so again.
    layout.execute(figure)
    return figure
