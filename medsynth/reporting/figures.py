"""Figures in the forms of the Med-VAE paper's Figures 2 to 4, from scores and evidence alone.

Every function returns a `matplotlib.figure.Figure` that no window knows of; `save_figure` of
`medsynth.reporting.canvas` writes it.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError, nearest
from medsynth.reporting.aggregation import mean_interval
from medsynth.reporting.canvas import heatmap, in_style, with_note
from medsynth.reporting.styles import Styles, classifier_title, colour_of, in_display_order, title_of
from medsynth.scores.captions import COVERS

REAL_COLOUR = "#8fa6bf"
MAX_LEVELS = 12
PANELS_PER_ROW = 4


@in_style
def accuracy_by_epochs(
    scores: pd.DataFrame, styles: Styles, *, target: str, classifier: str = "xgboost", note: str
) -> Figure:
    """Draw the accuracy of classifiers trained on synthetic rows over epochs (Med-VAE paper, Figure 2).

    One panel for each generator that was trained over epochs: its mean over seeds with the 95 % interval and each
    seed's accuracy, the others faint behind it. Real rows are a grey band, the majority class a dashed line,
    generators without epochs horizontal lines with bands.

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
    generators = in_display_order(accuracy["generator"], styles)
    trained = [g for g in generators if accuracy.loc[accuracy["generator"] == g, "epochs"].max() > 0]
    panels = trained or [None]
    rows = ceil(len(panels) / PANELS_PER_ROW)
    columns = ceil(len(panels) / rows)
    figure = Figure(figsize=(max(6.5, 3.7 * columns), 0.9 + 3.1 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for ax, panel in zip(axes.flat, panels, strict=False):
        _level_lines(ax, accuracy, [g for g in generators if g not in trained], styles)
        for generator in sorted(trained, key=lambda g: g == panel):
            _accuracy_line(ax, accuracy[accuracy["generator"] == generator], generator, styles, generator == panel)
        ax.set_title(title_of(panel, styles) if panel else "Generators without epochs", fontweight="bold")
        ax.set_xlabel("Epochs" if panel else "")
        ax.tick_params(labelbottom=True)
    for ax in axes.flat[len(panels) :]:
        ax.set_visible(False)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"Accuracy ({classifier_title(classifier)}, {target})")
    _epoch_ticks(axes[0, 0], accuracy["epochs"])
    axes[0, 0].set_ylim(_accuracy_limits(accuracy))
    figure.legend(handles=_accuracy_legend(accuracy, generators, trained, styles), loc="outside upper center", ncols=4)
    return with_note(figure, f"{note}\nbands: {COVERS}")


def _accuracies(scores: pd.DataFrame, target: str, classifier: str) -> pd.DataFrame:
    """Accuracies of one classifier and target, and those of the majority class."""
    every = scores[(scores["family"] == "utility") & (scores["metric"] == "accuracy")]
    found = every[every["detail"].isin([f"{classifier}:{target}", f"majority:{target}"])].dropna(subset=["value"])
    if not (found["detail"] == f"{classifier}:{target}").any():
        wanted = f"{classifier}:{target}"
        raise InputError(f"No accuracy was scored for '{wanted}'{nearest(wanted, sorted(set(every['detail'])))}")
    return found


def _accuracy_line(ax: Axes, accuracy: pd.DataFrame, generator: str, styles: Styles, emphasised: bool) -> None:
    """One generator's accuracy over epochs."""
    colour = colour_of(generator, styles)
    by_epochs = {epochs: mean_interval(own) for epochs, own in accuracy.groupby("epochs")}
    epochs = list(by_epochs)
    means = [interval.mean for interval in by_epochs.values()]
    if not emphasised:
        ax.plot(epochs, means, color=colour, linewidth=1, alpha=0.45, zorder=2, marker="o", markersize=2)
        return
    low, high = ([getattr(interval, end) for interval in by_epochs.values()] for end in ("low", "high"))
    ax.fill_between(epochs, low, high, color=colour, alpha=0.18, linewidth=0, zorder=3)
    # The bars say what the band cannot where there is one epoch count alone.
    ax.vlines(epochs, low, high, color=colour, linewidth=1, alpha=0.6, zorder=3)
    ax.plot(accuracy["epochs"], accuracy["value"], ".", color=colour, markersize=4, alpha=0.6, zorder=4)
    ax.plot(epochs, means, color=colour, linewidth=2.2, marker="o", markersize=6, markeredgecolor="white", zorder=5)


def _level_lines(ax: Axes, accuracy: pd.DataFrame, without_epochs: list[str], styles: Styles) -> None:
    """What does not depend on epochs: real rows, the majority class, generators without epochs."""
    for name in ["real", *without_epochs, "majority"]:
        mean, low, high = mean_interval(accuracy[accuracy["generator"] == name])[1:4]
        if np.isnan(mean):
            continue
        colour = colour_of(name, styles)
        if name != "majority" and not np.isnan(low):
            ax.axhspan(low, high, color=colour, alpha=0.22, linewidth=0, zorder=1)
        ax.axhline(mean, color=colour, linewidth=1.4, linestyle="--" if name == "majority" else "-", zorder=1.5)


def _accuracy_limits(accuracy: pd.DataFrame) -> tuple[float, float]:
    """Limits that show every seed and every interval."""
    shown = accuracy[~accuracy["generator"].isin(["holdout", "independent"])]
    ends = [mean_interval(own)[1:4] for _, own in shown.groupby(["generator", "epochs"])]
    values = np.concatenate([np.ravel(ends), shown["value"]])
    margin = max(0.06 * (np.nanmax(values) - np.nanmin(values)), 0.005)
    return np.nanmin(values) - margin, np.nanmax(values) + margin


def _epoch_ticks(ax: Axes, epochs: pd.Series) -> None:
    """Ticks at the epoch counts, if they keep apart."""
    counts = sorted(set(epochs) - {0})
    if not counts:
        ax.set_xticks([])
        return
    span = counts[-1] - counts[0]
    ax.set_xlim(counts[0] - max(0.08 * span, 0.5), counts[-1] + max(0.08 * span, 0.5))
    if span and min(np.diff(counts)) < span / 9:
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    else:
        ax.set_xticks(counts)


def _accuracy_legend(accuracy: pd.DataFrame, generators: list[str], trained: list[str], styles: Styles) -> list[Line2D]:
    """Legend entries for what is there."""
    handles = []
    for name in ["real", *generators, "majority"]:
        n_seeds = accuracy.loc[accuracy["generator"] == name, "seed"].nunique()
        if not n_seeds:
            continue
        label = title_of(name, styles)
        label += f" ({n_seeds} seed{'s' * (n_seeds > 1)})" if name != "majority" else ""
        marks = {"marker": "o", "markersize": 5} if name in trained else {}
        line = "--" if name == "majority" else "-"
        handles.append(Line2D([], [], color=colour_of(name, styles), linestyle=line, linewidth=2, label=label, **marks))
    return handles


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
    ax.stairs(real, edges, fill=True, color=REAL_COLOUR, alpha=0.75)
    if len(seeds) > 1:
        ax.stairs(synthetic.max(axis=0), edges, baseline=synthetic.min(axis=0), fill=True, color=colour, alpha=0.3)
    ax.stairs(synthetic.mean(axis=0), edges, color=colour, linewidth=1.6, baseline=None)
    if column and column.type == "continuous":
        for density, line in ((real, "#262626"), (synthetic.mean(axis=0), colour)):
            _kernel_density(ax, edges, density, line)
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
    from scipy.stats import gaussian_kde

    shares = density * np.diff(edges)
    if np.count_nonzero(shares) < 3:
        return  # A column of one or two values has no smooth density.
    places = np.linspace(edges[0], edges[-1], 200)
    # Scott's rule for 4,000 rows; for as many values as there are bins it would smooth everything away.
    estimate = gaussian_kde(edges[:-1] + np.diff(edges) / 2, bw_method=4000 ** (-1 / 5), weights=shares)
    ax.plot(places, estimate(places), color=colour, linewidth=1, linestyle=(0, (4, 2)))


def _levels_panel(ax: Axes, seeds: list[dict], colour: str, column: Column | None) -> None:
    """Shares of a coded column's levels, the first level at the top; words in their place where they are withheld."""
    if not seeds[0]["levels"]:
        ax.text(0.5, 0.5, "withheld: few real rows\nhave one of the two levels", ha="center", va="center", fontsize=8)
        ax.set_axis_off()
        return
    levels, real = _shortened(seeds[0]["levels"], np.array([seed["real"] for seed in seeds], dtype=float), seeds)
    _, synthetic = _shortened(seeds[0]["levels"], np.array([seed["synthetic"] for seed in seeds], dtype=float), seeds)
    place = np.arange(len(levels))
    ax.barh(place - 0.2, real.mean(axis=0), height=0.4, color=REAL_COLOUR)
    ax.barh(place + 0.2, synthetic.mean(axis=0), height=0.4, color=colour)
    if len(seeds) > 1:
        ax.hlines(place + 0.2, synthetic.min(axis=0), synthetic.max(axis=0), color="#222222", linewidth=1)
    ax.set_yticks(place, [level if len(level) <= 22 else f"{level[:21].rstrip()}…" for level in levels])
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
        mesh = heatmap(ax, pd.DataFrame(matrix, names, names), -end, end, colours)
        ax.set_facecolor("#dddddd")
        ax.set_aspect("equal")
        ax.set_title(name, fontsize=max(10, 2.2 * side))
        ax.tick_params(labelsize=7 if len(names) > 25 else 8)
        if ax is not axes[0]:
            bars = list(axes[:2]) if ax is axes[1] else ax
            label = "Association" if ax is axes[1] else "Synthetic − real"
            figure.colorbar(mesh, ax=bars, label=label, pad=0.01, aspect=30)
    measures = "Pearson's r of numbers, ordinal and binary levels; Cramér's V or correlation ratio with nominal levels"
    measures += "; grey: would tell of few real rows" if withheld else ""
    figure = with_note(figure, f"{note}; {measures}")
    # What equal sides leave free is known only once the figure was laid out; saving it does so again.
    figure.get_layout_engine().execute(figure)
    return figure
