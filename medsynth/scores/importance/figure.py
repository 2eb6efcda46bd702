"""What forests trained on real and on synthetic rows look at: SHAP beeswarms and bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from medsynth.display.aggregation import mean_interval
from medsynth.display.canvas import INTERVAL, in_style, with_ends, with_note
from medsynth.display.styles import colour_of
from medsynth.errors import InputError
from medsynth.scores.captions import COVERS

MAX_PREDICTORS = 12
LOW_TO_HIGH = LinearSegmentedColormap.from_list("low_to_high", ["#1f6fb4", "#b9a7c4", "#d4500b"])


@in_style
def importances(
    scores: pd.DataFrame, plot_data: dict[str, dict], *, target: str, generator: str, title: str, colour: str, note: str
) -> Figure:
    """Draw SHAP values of a real-trained forest on the left, of a synthetic-trained one on the right.

    Above, SHAP's beeswarm of one seed for one class (the gravest); below, mean \\|SHAP\\| over all classes and seeds
    with its 95 % interval, and a mark on each synthetic bar where the real one ends. Both sides show the same
    predictors, those with the largest importance in either, in the order of the real-trained forest's.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``importance``.
    plot_data : dict
        ``real`` and the generator -> the target's plot data of one seed, from
        `medsynth.scores.importance.compute.Explanation`.
    target, generator : str
        What is predicted, and whose rows the other forest was trained on.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        The scores have no importances for the target and both.
    """
    intervals = {name: _intervals(scores, name, target) for name in ("real", generator)}
    means = pd.DataFrame({name: table["mean"] for name, table in intervals.items()})
    largest = means.max(axis=1).sort_values(ascending=False, kind="stable").index[:MAX_PREDICTORS]
    names = list(means.loc[largest].sort_values("real", ascending=False, kind="stable").index)
    height = 0.27 * len(names)
    layout = ConstrainedLayoutEngine(wspace=0.05)
    figure = Figure(figsize=(7.2, 2.4 + 1.75 * height), layout=layout)
    swarms, bars = figure.subplots(2, 2, sharey="row", sharex="row", height_ratios=[1, 0.72])
    classes, shown = plot_data["real"]["classes"], plot_data["real"]["shown"]
    said = shown if len(classes) > 2 else f"{target.replace('_', ' ')}: {shown}"
    for column, name in enumerate(("real", generator)):
        _beeswarm(swarms[column], plot_data[name], names)
        swarms[column].set_title("Trained on real rows" if name == "real" else f"Trained on {title}", fontweight="bold")
        swarms[column].set_xlabel(f"SHAP value: what it adds to P({said})", fontsize=9)
        _bars(bars[column], intervals[name].loc[names], colour_of("real", {}) if name == "real" else colour)
        bars[column].set_xlabel("mean |SHAP|" + (", all classes" if len(classes) > 2 else ""))
    _mark(bars[1], intervals["real"].loc[names, "mean"])
    # SHAP puts the last predictor at 0, so that the first is at the top.
    swarms[0].set_ylim(-0.6, len(names) - 0.4)
    bars[0].set_ylim(len(names) - 0.4, -0.6)
    bars[0].set_xlim(left=0)
    _colour_key(figure, swarms)
    heading = f"What random forests look at to predict {target.replace('_', ' ')}"
    if len(classes) > 2:
        heading += f"\nabove: {shown}, the gravest of {len(classes)} classes; below: half the sum over all classes"
    figure.suptitle(heading, fontsize=10)
    n_seeds, n_rows = int(intervals[generator]["n"].max()), len(plot_data["real"]["predictors"][names[0]]["position"])
    facts = [f"{len(names)} of {len(means)} predictors", f"points: {n_rows} held-out rows, first seed"]
    facts += [f"bars: mean of {n_seeds} seed{'s' * (n_seeds > 1)}"]
    return with_note(figure, f"{note}\n{'; '.join(facts)}\n{COVERS}")


def _intervals(scores: pd.DataFrame, generator: str, target: str) -> pd.DataFrame:
    """Mean importance with its interval: predictors by n, mean, low, high."""
    rows = (scores["family"] == "importance") & (scores["generator"] == generator)
    found = scores[rows & (scores["target"] == target)]
    if found.empty:
        raise InputError(
            f"There are no importances for the target '{target}' and '{generator}'; name the target under "
            "'importance' in the study."
        )
    by_predictor = {name: mean_interval(own)[:4] for name, own in found.groupby("column", sort=False)}
    return pd.DataFrame.from_dict(by_predictor, orient="index", columns=["n", "mean", "low", "high"])


def _beeswarm(ax: Axes, plot_data: dict, names: list[str]) -> None:
    """SHAP's own beeswarm of the class shown, the first name at the top."""
    import shap

    shown = plot_data["classes"].index(plot_data["shown"])
    found = [plot_data["predictors"][name] for name in names]
    values = np.array([predictor["shap"][shown] for predictor in found], dtype=float).T
    positions = np.array([predictor["position"] for predictor in found], dtype=float).T
    # The plot shuffles points with the global generator.
    np.random.seed(0)
    titles = [name.replace("_", " ") for name in names]
    shap.plots.beeswarm(
        shap.Explanation(values, data=positions, feature_names=titles), order=np.arange(len(names)),
        max_display=len(names), color=LOW_TO_HIGH, s=7, ax=ax, plot_size=None, color_bar=False, show=False,
    )  # fmt: skip
    ax.grid(visible=False)
    ax.tick_params("x", labelsize=8)
    ax.tick_params("y", length=0, labelsize=8)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _bars(ax: Axes, intervals: pd.DataFrame, colour: str) -> None:
    """Means with whiskers. (SHAP's own bars have a fixed colour and no interval.)"""
    found = intervals.assign(predictor=intervals.index.str.replace("_", " "), low=intervals["low"].clip(lower=0))
    sns.barplot(
        with_ends(found, "mean", "low", "high"), x="mean", y="predictor", width=0.66, color=colour, saturation=1,
        alpha=0.75, err_kws={"color": "#111111", "linewidth": 0.9}, ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.set_ylabel("")
    ax.grid(axis="y", visible=False)
    ax.tick_params("y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(5))


def _mark(ax: Axes, means: pd.Series) -> None:
    """Where the real-trained forest's bars end."""
    place = np.arange(len(means))
    ax.vlines(means, place - 0.42, place + 0.42, color=colour_of("real", {}), linewidth=2, label="real-trained")
    ax.legend(loc="lower right", fontsize=8, frameon=True, edgecolor="none")


def _colour_key(figure: Figure, axes: np.ndarray) -> None:
    """Colour bar for the beeswarms."""
    from matplotlib.cm import ScalarMappable

    bar = figure.colorbar(ScalarMappable(cmap=LOW_TO_HIGH), ax=list(axes), ticks=[0, 1], aspect=30, pad=0.01)
    bar.ax.set_yticklabels(["low\nfirst", "high\nlast"])
    bar.set_label("numeric: low to high; categories: first to last", labelpad=-8)
    bar.ax.tick_params(length=0)
    bar.outline.set_visible(False)
