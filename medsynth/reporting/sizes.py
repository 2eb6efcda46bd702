"""Scores against the number of training rows: table of numbers, table for reading, figure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.errors import InputError
from medsynth.reporting.aggregation import measured
from medsynth.reporting.canvas import (
    INTERVAL,
    beside_each_other,
    in_style,
    legend_of,
    with_ends,
    with_note,
    without_scores,
)
from medsynth.reporting.display import interval_text
from medsynth.reporting.failures import showing_failures
from medsynth.reporting.styles import Styles, colour_of, in_display_order, palette, title_of
from medsynth.reporting.tables import at_last_epochs, detection_table
from medsynth.scores.captions import COVERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Column of the tables -> what it is called.
SIZE_COLUMNS = {
    "quality": "Quality",
    "common_bin_pair_trends": "Pair Trends, common bins",
    "c2st_auc": "C2ST AUC",
    "accuracy": "Accuracy",
    "roc_auc": "ROC AUC",
}
PANELS = {
    "quality": "Quality (SDMetrics)",
    "c2st_auc": "C2ST AUC (0.5 is best)",
    "accuracy": "TSTR accuracy",
    "roc_auc": "TSTR ROC AUC",
}
REAL_TITLE = "Real training rows"
LEGEND_COLUMNS = 3


@showing_failures("sizes", ["n_rows"])
def sizes_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of each generator by number of training rows, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``size`` is used, whose detail is the number of rows.

    Returns
    -------
    DataFrame
        One row per generator, epoch count and size: generator, epochs, n_rows, n_seeds (seeds that have a value), and
        mean, ``_low`` and ``_high`` of quality, common_bin_pair_trends, c2st_auc, accuracy and
        roc_auc.
    """
    sized = scores[scores["family"] == "size"]
    sized = sized.assign(n_rows=sized["detail"].astype("int64"))
    rows = []
    for (generator, epochs, n_rows), group in sized.groupby(["generator", "epochs", "n_rows"]):
        own = {metric: group[group["metric"] == metric] for metric in SIZE_COLUMNS}
        n_seeds = max(int(found["value"].notna().sum()) for found in own.values())
        row = {"generator": generator, "epochs": epochs, "n_rows": n_rows, "n_seeds": n_seeds}
        rows.append(row | measured(own))
    columns = [f"{metric}{end}" for metric in SIZE_COLUMNS for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["generator", "epochs", "n_rows", "n_seeds", *columns])
    return table.astype(dict.fromkeys(columns, "float64"))


def display_sizes(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the table of sizes out, one block a generator, the real rows first.

    Parameters
    ----------
    table : DataFrame
        From `sizes_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the generator and its epochs.
    """
    rows, blocks = [], []
    for generator in _shown(table["generator"], styles):
        for _, found in table[table["generator"] == generator].sort_values(["epochs", "n_rows"]).iterrows():
            row = {"Training rows": f"{found['n_rows']:,}", "Seeds": str(found["n_seeds"])}
            for metric, column in SIZE_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            epochs = f", {found['epochs']} epochs" if found["epochs"] else ""
            blocks.append(f"{_title(generator, styles)}{epochs}")
    columns = ["Training rows", "Seeds", *SIZE_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Generator"))


@in_style
def curves_by_size(scores: pd.DataFrame, styles: Styles, *, target: str, note: str) -> Figure:
    """Draw quality, C2ST AUC and TSTR scores against the number of training rows, one line a generator.

    Sized to be printed in one column of a journal. Bands are 95 % intervals, cut at the panel's edge;
    real rows are grey, the majority class's accuracy a dashed line.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``size``, and the majority class's accuracy.
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

    table = sizes_table(scores[scores["family"] == "size"])
    if table.empty:
        raise InputError(
            "No scores by number of training rows: the study's 'sizes' name none, or all are more than there are."
        )
    generators = _shown(table["generator"], styles)
    legend_rows = -(-(len(generators) + 1) // LEGEND_COLUMNS)
    figure = Figure(figsize=(5, 4.7 + 0.22 * legend_rows), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
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
    titles = {name: _title(name, styles) for name in [*generators, "majority"]}
    labelled = axes.flat[list(PANELS).index("accuracy")]
    legend_of(figure, labelled, titles, ncols=LEGEND_COLUMNS, handlelength=1.6, columnspacing=1.2, handletextpad=0.5)
    for ax in axes.flat:
        if ax.get_legend():
            ax.get_legend().remove()
    bands = textwrap.wrap(f"bands: {COVERS}, cut at the panel's edge", 80)
    return with_note(figure, "\n".join([*textwrap.wrap(note, 80), *bands]))


@in_style
def detection_by_rows(scores: pd.DataFrame, styles: Styles, *, note: str) -> Figure:
    """Draw the AUC of XGBoost as detector against the number of rows a side, one line a table.

    Each generator is shown at its largest epoch count. Bars are 95 % intervals, beside each other; the upper
    reference is real rows against real rows.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``detection``.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    note : str
        Where the data come from, printed at the bottom.
    """
    from matplotlib.figure import Figure

    table = at_last_epochs(detection_table(scores[scores["family"] == "detection"])).dropna(subset="c2st_auc")
    if table.empty:
        return without_scores("No table has rows enough for a detector.", note=note)
    table = table.rename(columns={"rows": "n_rows"})
    figure = Figure(figsize=(7.5, 5.4), layout="constrained")
    ax = figure.subplots()
    shown = [*in_display_order(table["generator"], styles), "holdout", "independent"]
    shown = [name for name in shown if name in set(table["generator"])]
    table = table[table["generator"].isin(shown)]
    ends = ("c2st_auc", "c2st_auc_low", "c2st_auc_high")
    beside_each_other(ax, table, "n_rows", ends, palette(shown, styles))
    ax.axhline(0.5, color="#444444", linewidth=0.8, linestyle="--", zorder=1)
    ax.set_ylim(0.4, 1.02)
    ax.set_xlabel("Rows a side")
    ax.set_ylabel("C2ST AUC of XGBoost (0.5: it cannot tell)")
    legend_of(figure, ax, {name: title_of(name, styles) for name in shown}, ncols=2)
    return with_note(figure, f"{note}\nbars: {COVERS}, cut at the panel's edge")


def _curves(ax: Axes, table: pd.DataFrame, metric: str, names: list[str], styles: Styles) -> None:
    """Scores over sizes with their intervals, a line a generator; the real rows' has squares."""
    import seaborn as sns

    sns.lineplot(
        with_ends(table[table["generator"].isin(names)], metric, f"{metric}_low", f"{metric}_high"), x="n_rows",
        y=metric, hue="generator", hue_order=names, palette=palette(names, styles), style="generator",
        markers={name: "s" if name == "real" else "o" for name in names}, dashes=False,
        err_kws={"alpha": 0.13, "linewidth": 0}, ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.set(xlabel="", ylabel="")


def _limits(means: pd.Series) -> tuple[float, float]:
    """Limits that keep the means apart, whatever the intervals of few seeds; no score is above 1."""
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
    return scores.loc[rows & (scores["detail"] == f"majority:{target}"), "value"].mean()


def _shown(generators: pd.Series, styles: Styles) -> list[str]:
    """Real rows, then generators in the order of display."""
    return [*(["real"] if "real" in set(generators) else []), *in_display_order(generators, styles)]


def _title(generator: str, styles: Styles) -> str:
    return REAL_TITLE if generator == "real" else title_of(generator, styles)
