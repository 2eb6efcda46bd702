"""Figures in the forms of the Med-VAE paper's Figures 2 to 4, from scores and evidence alone.

Every function returns a `matplotlib.figure.Figure` that no window knows of; `save_figure` of
`medsynth.reporting.canvas` writes it.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError, nearest
from medsynth.reporting.aggregation import tabulated
from medsynth.reporting.canvas import RANGE, beside_each_other, in_style, legend_of, with_note
from medsynth.reporting.styles import Styles, classifier_title, colour_of, in_display_order, palette, title_of
from medsynth.scores.captions import COVERS

REAL_COLOUR = "#8fa6bf"
MAX_LEVELS = 12
PANELS_PER_ROW = 4


@in_style
def accuracy_by_epochs(
    scores: pd.DataFrame, styles: Styles, *, target: str, classifier: str = "xgboost", note: str
) -> Figure:
    """Draw the accuracy of classifiers trained on synthetic rows over epochs (Med-VAE paper, Figure 2).

    Means over seeds with 95 % intervals, generators beside each other, so that no interval hides another; those that
    are not trained over epochs stand on the left with the real rows, from which a line goes across. The majority class
    is a dashed line.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    target, classifier : str
        Whose accuracies are drawn.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        The scores have no accuracy for this classifier and target.
    """
    accuracy = _accuracies(scores, target, classifier)
    seeds = accuracy.groupby("generator")["seed"].nunique().to_dict()
    table = tabulated(accuracy, ["generator", "epochs"])
    means = table.set_index("generator")["mean"]
    names = [name for name in ("real", *in_display_order(seeds, styles)) if name in seeds]
    table = table[table["generator"].isin(names)]
    counts = sorted(set(table["epochs"]))
    figure = Figure(figsize=(max(7.5, 1.2 + 0.2 * len(names) * len(counts)), 4.4), layout="constrained")
    ax = figure.subplots()
    beside_each_other(ax, table, "epochs", ("mean", "ci_low", "ci_high"), palette(names, styles))
    for name in sorted({"real", "majority"} & set(seeds)):
        line = {"linestyle": "--", "label": title_of(name, styles)} if name == "majority" else {}
        ax.axhline(means[name], color=colour_of(name, styles), linewidth=0.9, zorder=0.9, **line)
    ax.set_xticks(range(len(counts)), [str(count or "no epochs") for count in counts])
    ax.set(xlabel="Epochs", ylabel=f"Accuracy ({classifier_title(classifier)}, {target})")
    titles = {name: f"{title_of(name, styles)} ({seeds[name]} seed{'s' * (seeds[name] > 1)})" for name in names}
    legend_of(figure, ax, titles, ncols=3)
    return with_note(figure, f"{note}\nbars: {COVERS}")


def _accuracies(scores: pd.DataFrame, target: str, classifier: str) -> pd.DataFrame:
    """Accuracies of one classifier and target, and those of the majority class."""
    every = scores[(scores["family"] == "utility") & (scores["metric"] == "accuracy")]
    found = every[every["detail"].isin([f"{classifier}:{target}", f"majority:{target}"])].dropna(subset=["value"])
    if not (found["detail"] == f"{classifier}:{target}").any():
        wanted = f"{classifier}:{target}"
        raise InputError(f"No accuracy was scored for '{wanted}'{nearest(wanted, sorted(set(every['detail'])))}")
    return found


@in_style
def distributions(evidence_by_seed: list[dict], codebook: Codebook, *, title: str, colour: str, note: str) -> Figure:
    """Draw each column's distribution in real and synthetic rows (Med-VAE paper, Figure 3).

    Numeric columns as densities, coded ones as bars of shares. Synthetic rows are the mean over seeds, with a band
    (whiskers on bars) from the smallest to the largest seed.

    Parameters
    ----------
    evidence_by_seed : list of dict
        One a seed, of one generator at one epoch count, with the key ``distributions``.
    codebook : Codebook
        Gives the units.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    seeds = [evidence["distributions"] for evidence in evidence_by_seed]
    names = list(seeds[0])
    rows = ceil(len(names) / PANELS_PER_ROW)
    figure = Figure(figsize=(14, 1 + 2.15 * rows), layout="constrained")
    figure.get_layout_engine().set(hspace=0.05, wspace=0.04)
    axes = figure.subplots(rows, PANELS_PER_ROW, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=False):
        panel = _levels_panel if "levels" in seeds[0][name] else _density_panel
        panel(ax, [seed[name] for seed in seeds], colour, codebook.columns.get(name))
        ax.set_title(name)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    synthetic = title if len(seeds) == 1 else f"{title} (mean of {len(seeds)} seeds, smallest to largest)"
    handles = [Patch(color=REAL_COLOUR, label="Real"), Patch(color=colour, label=f"Synthetic: {synthetic}")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=11)
    return with_note(figure, f"{note}; numbers: density per unit, dashed: kernel estimate; levels: share of rows")


def _density_panel(ax: Axes, seeds: list[dict], colour: str, column: Column | None) -> None:
    """Densities of a numeric column."""
    # Every seed is judged against the same real rows, on the same bins.
    edges, real = (np.asarray(seeds[0][key], dtype=float) for key in ("edges", "real"))
    synthetic = np.array([seed["synthetic"] for seed in seeds], dtype=float)
    middles = edges[:-1] + np.diff(edges) / 2
    sns.histplot(
        x=middles, weights=real, bins=list(edges), color=REAL_COLOUR, alpha=0.75, element="step", linewidth=0, ax=ax
    )
    # Both ends of every bin, so that the line and its band go in steps, too.
    ends = np.column_stack([edges[:-1], np.nextafter(edges[1:], -np.inf)]).ravel()
    heights = np.repeat(synthetic, 2, axis=1).ravel()
    sns.lineplot(
        x=np.tile(ends, len(seeds)), y=heights, color=colour, linewidth=1.6, err_kws={"linewidth": 0}, ax=ax, **RANGE
    )
    if column and column.type == "continuous":
        for density, line in ((real, "#262626"), (synthetic.mean(axis=0), colour)):
            _kernel_density(ax, edges, density, line)
    ax.set_ylabel("")
    ax.set_xlabel(column.unit if column else "")
    ax.set_ylim(bottom=0)
    ax.set_xlim(edges[0], edges[-1])
    # Long numbers need more room.
    n_ticks = 6 if abs(edges).max() < 10_000 else 3
    ax.xaxis.set_major_locator(MaxNLocator(n_ticks, integer=bool(column and column.type == "integer")))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.ticklabel_format(axis="y", scilimits=(-3, 4))


def _kernel_density(ax: Axes, edges: np.ndarray, density: np.ndarray, colour: str) -> None:
    """Draw a Gaussian kernel density estimate of binned rows, dashed."""
    shares = density * np.diff(edges)
    if np.count_nonzero(shares) < 3:
        return  # A column of one or two values has no smooth density.
    # Scott's rule for 4,000 rows; for as many values as there are bins it would smooth everything away.
    sns.kdeplot(
        x=edges[:-1] + np.diff(edges) / 2, weights=shares, bw_method=4000 ** (-1 / 5), clip=(edges[0], edges[-1]),
        color=colour, linewidth=1, linestyle=(0, (4, 2)), ax=ax,
    )  # fmt: skip


def _levels_panel(ax: Axes, seeds: list[dict], colour: str, column: Column | None) -> None:
    """Shares of a coded column's levels, the first level at the top; words in their place where they are withheld."""
    if not seeds[0]["levels"]:
        ax.text(0.5, 0.5, "withheld: few real rows\nhave one of the two levels", ha="center", va="center", fontsize=8)
        ax.set_axis_off()
        return
    levels, real = _shortened(seeds[0]["levels"], np.array([seed["real"] for seed in seeds], dtype=float), seeds)
    _, synthetic = _shortened(seeds[0]["levels"], np.array([seed["synthetic"] for seed in seeds], dtype=float), seeds)
    shown = pd.concat(
        [pd.DataFrame(shares, columns=levels).melt(var_name="level", value_name="share").assign(rows=rows)
         for rows, shares in (("real", real[:1]), ("synthetic", synthetic))]
    )  # fmt: skip
    sns.barplot(
        shown, x="share", y="level", hue="rows", palette={"real": REAL_COLOUR, "synthetic": colour}, saturation=1,
        err_kws={"color": "#222222", "linewidth": 1}, legend=False, ax=ax, **RANGE,
    )  # fmt: skip
    names = [level if len(level) <= 22 else f"{level[:21].rstrip()}…" for level in levels]
    ax.set_yticks(range(len(levels)), names)
    ax.set_xlabel("")
    if len(levels) > 6:
        ax.tick_params(axis="y", labelsize=6.5)
    ax.set_ylim(len(levels) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(axis="y", visible=False)
    ax.set_ylabel(column.unit if column else "")


def _shortened(levels: list[str], shares: np.ndarray, seeds: list[dict]) -> tuple[list[str], np.ndarray]:
    """Levels and shares (seeds, levels), the rarest real ones put together where there are too many to show."""
    if len(levels) <= MAX_LEVELS:
        return levels, shares
    frequent = np.argsort(-np.mean([seed["real"] for seed in seeds], axis=0), kind="stable")[: MAX_LEVELS - 1]
    kept = np.sort(frequent)
    rest = np.delete(shares, kept, axis=1).sum(axis=1, keepdims=True)
    names = [*(levels[i] for i in kept), f"other ({len(levels) - len(kept)} levels)"]
    return names, np.hstack([shares[:, kept], rest])


@in_style
def associations(evidence_by_seed: list[dict], *, title: str, note: str) -> Figure:
    """Draw the associations of all pairs of columns: real rows, synthetic rows (mean over seeds), their difference.

    Parameters
    ----------
    evidence_by_seed : list of dict
        One a seed, of one generator at one epoch count, with the key ``associations``.
    title : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    seeds = [evidence["associations"] for evidence in evidence_by_seed]
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
    side = max(3.8, 0.135 * len(names))
    figure = Figure(figsize=(3 * side + 3.6, side + 2.2), layout="compressed")
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
        ax.tick_params(length=0, labelsize=7 if len(names) > 25 else 8)
        ax.tick_params(axis="x", rotation=90)
        ax.tick_params(axis="y", rotation=0)
        if ax is not axes[0]:
            bars = list(axes[:2]) if ax is axes[1] else ax
            label = "Association" if ax is axes[1] else "Synthetic − real"
            figure.colorbar(ax.collections[0], ax=bars, label=label, pad=0.01, aspect=30)
    measures = "Pearson's r of numbers, ordinal and binary levels; Cramér's V or correlation ratio with nominal levels"
    measures += "; grey: would tell of few real rows" if withheld else ""
    figure = with_note(figure, f"{note}; {measures}")
    # What equal sides leave free is known only once the figure was laid out; saving it does so again.
    figure.get_layout_engine().execute(figure)
    return figure
