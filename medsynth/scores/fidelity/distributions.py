"""Figure 3: distributions of every column."""

from __future__ import annotations

from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from medsynth.codebook import Codebook, Column
from medsynth.display.canvas import RANGE, in_style, with_note

REAL_COLOUR = "#8fa6bf"
MAX_CATEGORIES = 12
PANELS_PER_ROW = 4
# Letters of a name that have room above a panel; more are smaller.
SHORT_TITLE = 28


@in_style
def distributions(plot_data_by_seed: list[dict], codebook: Codebook, *, title: str, colour: str, note: str) -> Figure:
    """Draw each column's distribution in real and synthetic rows (Med-VAE paper, Figure 3).

    Numeric columns as densities, below them coded ones as bars of shares. Synthetic rows are the mean over seeds, with
    a band (whiskers on bars) from the smallest to the largest seed.

    Parameters
    ----------
    plot_data_by_seed : list of dict
        One a seed, of one generator at one epoch count, with the key ``distributions``.
    codebook : Codebook
        Gives the units.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    seeds = [plot_data["distributions"] for plot_data in plot_data_by_seed]
    coded = [name for name in seeds[0] if "categories" in seeds[0][name]]
    # Apart, as the names of categories need room beside every panel of their part.
    parts = [(_density_panel, [name for name in seeds[0] if name not in coded]), (_categories_panel, coded)]
    parts = [(panel, names) for panel, names in parts if names]
    rows = [ceil(len(names) / PANELS_PER_ROW) for _, names in parts]
    layout = ConstrainedLayoutEngine(hspace=0.05, wspace=0.04)
    figure = Figure(figsize=(12, 1 + 1.9 * sum(rows)), layout=layout)
    spaces = figure.subfigures(len(parts), 1, height_ratios=rows, squeeze=False)[:, 0]
    for (panel, names), n, space in zip(parts, rows, spaces, strict=True):
        axes = space.subplots(n, PANELS_PER_ROW, squeeze=False)
        for ax, name in zip(axes.flat, names, strict=False):
            panel(ax, [seed[name] for seed in seeds], colour, codebook.columns.get(name))
            ax.set_title(name, fontsize=10 * min(1, SHORT_TITLE / len(name)))
        for ax in axes.flat[len(names) :]:
            ax.set_visible(False)
    synthetic = title if len(seeds) == 1 else f"{title} (mean of {len(seeds)} seeds, smallest to largest)"
    handles = [Patch(color=REAL_COLOUR, label="Real"), Patch(color=colour, label=f"Synthetic: {synthetic}")]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=11)
    return with_note(figure, f"{note}; numbers: density per unit, dashed: kernel estimate; categories: share of rows")


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
    n_ticks = 5 if abs(edges).max() < 10_000 else 3
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


def _categories_panel(ax: Axes, seeds: list[dict], colour: str, column: Column | None) -> None:
    """Shares of a coded column's categories, the first at the top; words in their place where they are withheld."""
    if not seeds[0]["categories"]:
        ax.text(
            0.5, 0.5, "withheld: few real rows\nhave one of the two categories", ha="center", va="center", fontsize=8
        )
        ax.set_axis_off()
        return
    categories, real = _shortened(
        seeds[0]["categories"], np.array([seed["real"] for seed in seeds], dtype=float), seeds
    )
    _, synthetic = _shortened(
        seeds[0]["categories"], np.array([seed["synthetic"] for seed in seeds], dtype=float), seeds
    )
    shown = pd.concat(
        [pd.DataFrame(shares, columns=categories).melt(var_name="category", value_name="share").assign(rows=rows)
         for rows, shares in (("real", real[:1]), ("synthetic", synthetic))]
    )  # fmt: skip
    sns.barplot(
        shown, x="share", y="category", hue="rows", palette={"real": REAL_COLOUR, "synthetic": colour}, saturation=1,
        err_kws={"color": "#222222", "linewidth": 1}, legend=False, ax=ax, **RANGE,
    )  # fmt: skip
    names = [category if len(category) <= 22 else f"{category[:21].rstrip()}…" for category in categories]
    ax.set_yticks(range(len(categories)), names)
    ax.set_xlabel("")
    if len(categories) > 6:
        ax.tick_params(axis="y", labelsize=6.5)
    ax.set_ylim(len(categories) - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.grid(axis="y", visible=False)
    ax.set_ylabel(column.unit if column else "")


def _shortened(categories: list[str], shares: np.ndarray, seeds: list[dict]) -> tuple[list[str], np.ndarray]:
    """Categories and shares (seeds, categories), the rarest real ones put together where there are too many to show."""
    if len(categories) <= MAX_CATEGORIES:
        return categories, shares
    frequent = np.argsort(-np.mean([seed["real"] for seed in seeds], axis=0), kind="stable")[: MAX_CATEGORIES - 1]
    kept = np.sort(frequent)
    rest = np.delete(shares, kept, axis=1).sum(axis=1, keepdims=True)
    names = [*(categories[i] for i in kept), f"other ({len(categories) - len(kept)} categories)"]
    return names, np.hstack([shares[:, kept], rest])
