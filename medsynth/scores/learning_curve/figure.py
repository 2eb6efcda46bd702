"""Scores against the number of training rows."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.display.canvas import (
    INTERVAL,
    in_style,
    legend_of,
    with_ends,
    with_note,
)
from medsynth.display.styles import Styles, colour_of, palette, title_of
from medsynth.errors import InputError
from medsynth.scores.captions import COVERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
from medsynth.scores.learning_curve.table import _shown, learning_curve_table

PANELS = {
    "c2st_auc": "C2ST AUC",
    "membership_auc": "Membership AUC",
    "quality": "Quality (SDMetrics)",
    "dcr_share": "DCR share",
    "accuracy": "TSTR accuracy",
    "roc_auc": "TSTR ROC AUC",
}
LEGEND_COLUMNS = 3
# Between the bars of two generators, as a share of the axis.
APART = 0.014


@in_style
def learning_curves(scores: pd.DataFrame, styles: Styles, *, target: str, note: str) -> Figure:
    """Draw fidelity, what is told of members, and TSTR scores against the number of training rows, a line a generator.

    Sized to be printed in one column of a journal. Bars are 95 % intervals, side by side and cut at the panel's edge:
    bands would cover each other. Real rows are grey, the majority class's accuracy a dashed line.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``learning_curve``, and the majority class's accuracy.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    target : str
        What is predicted.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        Nothing was scored by size.
    """
    from matplotlib.figure import Figure

    table = learning_curve_table(scores[scores["family"] == "learning_curve"])
    if table.empty:
        raise InputError(
            "There are no scores by number of training rows; name sizes in the study's 'learning_curve' that are "
            "below the number of training rows."
        )
    generators = _shown(table["generator"], styles)
    legend_rows = -(-(len(generators) + 1) // LEGEND_COLUMNS)
    figure = Figure(figsize=(5, 6.6 + 0.22 * legend_rows), layout="constrained")
    axes = figure.subplots(3, 2, sharex=True)
    for ax, (metric, title) in zip(axes.flat, PANELS.items(), strict=True):
        _curves(ax, table, metric, generators, styles)
        ax.set_title(title, fontweight="bold")
        ax.set_xmargin(0.06)
        ax.locator_params(axis="y", nbins=5)
        ax.set_ylim(_limits(table[metric]))
    majority = _majority_accuracy(scores, target)
    if not np.isnan(majority):
        accuracy = axes.flat[list(PANELS).index("accuracy")]
        accuracy.axhline(majority, color=colour_of("majority", styles), linestyle="--", zorder=1, label="majority")
        accuracy.set_ylim(_limits(pd.concat([table["accuracy"], pd.Series([majority])])))
    _size_ticks(axes[0, 0], table["n_rows"])
    for ax in axes[-1]:
        ax.set_xlabel("Training rows (log scale)")
    titles = {name: title_of(name, styles, "learning_curve") for name in [*generators, "majority"]}
    labelled = axes.flat[list(PANELS).index("accuracy")]
    legend_of(figure, labelled, titles, ncols=LEGEND_COLUMNS, handlelength=1.6, columnspacing=1.2, handletextpad=0.5)
    for ax in axes.flat:
        if ax.get_legend():
            ax.get_legend().remove()
    best = "C2ST AUC, membership AUC and DCR share: 0.5 is best"
    bars = textwrap.wrap(f"{best}; bars: {COVERS}, cut at the panel's edge", 80)
    return with_note(figure, "\n".join([*textwrap.wrap(note, 80), *bars]))


def _curves(ax: Axes, table: pd.DataFrame, metric: str, names: list[str], styles: Styles) -> None:
    """Scores over sizes with their intervals, a line a generator; the real rows' has squares."""
    import seaborn as sns

    beside = {name: i - (len(names) - 1) / 2 for i, name in enumerate(names)}
    shown = table[table["generator"].isin(names)]
    span = np.log(table["n_rows"].max() / table["n_rows"].min())
    shown = shown.assign(n_rows=shown["n_rows"] * np.exp(APART * span * shown["generator"].map(beside).astype(float)))
    sns.lineplot(
        with_ends(shown, metric, f"{metric}_low", f"{metric}_high"), x="n_rows",
        y=metric, hue="generator", hue_order=names, palette=palette(names, styles), style="generator",
        markers={name: "s" if name == "real" else "o" for name in names}, dashes=False,
        err_style="bars", err_kws={"elinewidth": 0.9}, ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")


def _limits(means: pd.Series) -> tuple[float, float]:
    """Limits that keep the means apart, whatever the intervals of few seeds; no score is above 1."""
    if means.isna().all():
        return 0.0, 1.0
    low, high = means.min(), means.max()
    margin = max(0.12 * (high - low), 0.005)
    return low - margin, min(high + margin, 1 + margin / 3)


def _size_ticks(ax: Axes, sizes: pd.Series) -> None:
    """A tick at every size, labelled where there is room, always at the largest."""
    ax.set_xscale("log")
    ax.minorticks_off()
    ticks = sorted(set(sizes))
    room = 0.115 * np.log(ticks[-1] / ticks[0])
    labels, nearest = {}, np.inf
    for size in reversed(ticks):
        if np.log(nearest / size) >= room:
            labels[size], nearest = f"{size / 1000:.3g}k" if size >= 1000 else f"{size}", size
    ax.set_xticks(ticks, [labels.get(size, "") for size in ticks])


def _majority_accuracy(scores: pd.DataFrame, target: str) -> float:
    """Mean accuracy of the majority class; NaN if it was not scored."""
    rows = (scores["family"] == "utility") & (scores["metric"] == "accuracy")
    return scores.loc[rows & (scores["model"] == "majority") & (scores["target"] == target), "value"].mean()
