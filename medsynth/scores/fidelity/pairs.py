"""Pair plots in the form of the Med-VAE paper's Figure 4, from plot data alone."""

from __future__ import annotations

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from medsynth.codebook import Codebook, Column
from medsynth.display.canvas import in_style, with_note
from medsynth.scores.fidelity.distributions import REAL_COLOUR

# As dark as generators' colours, so that equal densities look alike; the densities on the diagonal have figures' grey.
REAL_SHADE = "#557ba1"
# Square roots of densities, so that sparse cells can be seen beside crowded ones.
GAMMA = 0.5


@in_style
def pairs(plot_data_by_seed: list[dict], codebook: Codebook, *, title: str, colour: str, note: str) -> Figure:
    """Draw the joint distribution of every pair of some numeric columns, real and synthetic.

    Below the diagonal real rows, above it synthetic ones (all seeds together): the panel of a pair lies opposite to
    itself, with the same bins, the same shades, and mirrored axes. On the diagonal both densities, synthetic as a line.

    Parameters
    ----------
    plot_data_by_seed : list of dict
        One a seed, of one generator at one epoch count, with the keys ``pairs`` and ``distributions``.
    codebook : Codebook
        Gives the units.
    title, colour : str
        The generator's.
    note : str
        Where the data come from, printed at the bottom.
    """
    seeds = [plot_data["pairs"] for plot_data in plot_data_by_seed]
    names = seeds[0]["columns"]
    rows, least = seeds[0]["rows"], seeds[0]["least"]
    n = max(len(names), 1)
    layout = ConstrainedLayoutEngine(hspace=0.02, wspace=0.02, h_pad=0.02, w_pad=0.02)
    figure = Figure(figsize=(max(1.5 * n, 5.5), 1.5 * n + 1), layout=layout)
    axes = figure.subplots(n, n, squeeze=False)
    edges = {name: np.asarray(seeds[0]["edges"][name]) for name in names}
    for i, name in enumerate(names):
        _diagonal(axes[i, i], [plot_data["distributions"][name] for plot_data in plot_data_by_seed], colour)
    for pair in range(len(seeds[0]["counts"])):
        _pair(axes, [seed["counts"][pair] for seed in seeds], names, edges, rows["real"], least, colour)
    _label(axes, names, edges, codebook)
    of_seeds = f" ({len(seeds)} seeds together)" if len(seeds) > 1 else ""
    handles = [
        Patch(color=REAL_COLOUR, label="Real (below the diagonal)"),
        Patch(color=colour, label=f"Synthetic: {title}{of_seeds} (above)"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, fontsize=9)
    blank = f"blank: fewer than {least} of {rows['real']:,} rows"
    return with_note(figure, f"{note}\nshades: root of density; {blank}")


def _diagonal(ax: Axes, seeds: list[dict], colour: str) -> None:
    """Densities of one column."""
    edges, real = (np.asarray(seeds[0][key], dtype=float) for key in ("edges", "real"))
    synthetic = np.mean([seed["synthetic"] for seed in seeds], axis=0, dtype=float)
    binned = {"x": edges[:-1] + np.diff(edges) / 2, "bins": list(edges), "element": "step", "ax": ax}
    sns.histplot(**binned, weights=real, color=REAL_COLOUR, alpha=0.75, linewidth=0)
    sns.histplot(**binned, weights=synthetic, color=colour, fill=False, linewidth=1.4)
    ax.set(xlabel="", ylabel="")
    ax.set_ylim(bottom=0)


def _pair(
    axes: np.ndarray,
    seeds: list[dict],
    names: list[str],
    edges: dict[str, np.ndarray],
    n_real: int,
    least: int,
    colour: str,
) -> None:
    """One pair: real rows below the diagonal, synthetic ones above, axes mirrored."""
    x, y = seeds[0]["x"], seeds[0]["y"]
    area = np.diff(edges[x])[:, None] * np.diff(edges[y])
    synthetic = np.sum([seed["synthetic"] for seed in seeds], axis=0, dtype=float)
    real = np.asarray(seeds[0]["real"], dtype=float) / n_real / area
    synthetic /= max(synthetic.sum(), 1)
    # As blank as in as many real rows, so that an empty cell says the same on both sides.
    synthetic = np.where(synthetic * n_real < least, 0, synthetic) / area
    # The crowded cell of one table must not blind the other.
    darkest = (max(real.max(), np.quantile(synthetic, 0.99)) or 1) ** GAMMA
    i, j = names.index(x), names.index(y)
    for ax, density, horizontal, vertical, shade in (
        (axes[j, i], real, x, y, REAL_SHADE),
        (axes[i, j], synthetic.T, y, x, colour),
    ):
        bins = edges[horizontal], edges[vertical]
        across, up = np.meshgrid(*(ends[:-1] + np.diff(ends) / 2 for ends in bins), indexing="ij")
        sns.histplot(
            x=across.ravel(), y=up.ravel(), weights=density.ravel() ** GAMMA, bins=bins, thresh=None, vmin=0,
            vmax=darkest, cmap=_shades(shade), rasterized=True, ax=ax,
        )  # fmt: skip
        ax.set(xlabel="", ylabel="")


def _shades(colour: str) -> LinearSegmentedColormap:
    """White to the colour to a dark tone of it."""
    tone = np.array(to_rgb(colour))
    return LinearSegmentedColormap.from_list(colour, np.array([np.ones(3), tone, 0.35 * tone]))


def _label(axes: np.ndarray, names: list[str], edges: dict[str, np.ndarray], codebook: Codebook) -> None:
    """Common limits a column; names with units at the left and the bottom, and nowhere else."""
    for i, row in enumerate(names):
        for j, column in enumerate(names):
            ax = axes[i, j]
            ax.grid(visible=False)
            ax.set_xlim(edges[column][0], edges[column][-1])
            _ticks(ax.xaxis, edges[column], codebook.columns[column])
            ax.tick_params(labelsize=6.5, length=2, labelbottom=i == len(names) - 1, labelleft=j == 0 and i > 0)
            if i == j:
                ax.set_yticks([])
            else:
                ax.set_ylim(edges[row][0], edges[row][-1])
                _ticks(ax.yaxis, edges[row], codebook.columns[row])
            if j == 0:
                ax.set_ylabel(_name(row, codebook), fontsize=7.5)
            if i == len(names) - 1:
                ax.set_xlabel(_name(column, codebook), fontsize=7.5)


def _ticks(axis: Axis, edges: np.ndarray, column: Column) -> None:
    # Long numbers need more room.
    axis.set_major_locator(MaxNLocator(3 if abs(edges).max() < 10_000 else 2, integer=column.type == "integer"))


def _name(column: str, codebook: Codebook) -> str:
    """Name and unit; a long name on two lines."""
    words = column.split("_")
    if len(column) > 16 and len(words) > 1:
        half = (len(words) + 1) // 2
        column = "_".join(words[:half]) + "_\n" + "_".join(words[half:])
    unit = codebook.columns[column.replace("\n", "")].unit
    return f"{column} ({unit})" if unit else column
