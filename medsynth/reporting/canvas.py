"""What all figures share: the style they are drawn in, the note at their bottom, the way they are written."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from textwrap import fill, wrap

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

# Characters of the note at the bottom that an inch has room for.
NOTE_PER_INCH = 16

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "figure.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "lines.solid_capstyle": "round",
    # A dollar in the name of a level is a dollar.
    "text.parse_math": False,
    # Type 42 keeps the text of a pdf searchable.
    "pdf.fonttype": 42,
}

# On a colour of less red, green and blue together, numbers are printed in white.
DARK = 1.75


def in_style(draw: Callable) -> Callable:
    """Let a function draw in the module's style, without changing anybody else's."""

    @wraps(draw)
    def drawn(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


@in_style
def save_figure(figure: Figure, stem: str | Path) -> list[Path]:
    """Write a figure as png (150 dpi) and pdf, without time stamps: same figure, same bytes.

    Parameters
    ----------
    figure : Figure
    stem : str or Path
        Path without suffix; its folder is made.

    Returns
    -------
    list of Path
        The two files.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.parent / f"{stem.name}.{kind}" for kind in ("png", "pdf")]
    figure.savefig(paths[0], dpi=150, metadata={"Software": None})
    # Laying out costs as much as drawing, and the pdf is the same picture.
    figure.set_layout_engine("none")
    figure.savefig(paths[1], metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return paths


def heatmap(ax: Axes, matrix: pd.DataFrame, low: float, high: float, colours: str, *, told: str = "") -> QuadMesh:
    """Draw a matrix as squares of colour, rows downwards, its labels at the ticks; a missing value is left out.

    Parameters
    ----------
    ax : Axes
    matrix : DataFrame
    low, high : float
        Values at the ends of the scale.
    colours : str
        Name of a colour map.
    told : str, optional
        Format of the numbers printed in the cells; default: none are.
    """
    ax.grid(visible=False)
    mesh = ax.pcolormesh(matrix.to_numpy(), vmin=low, vmax=high, cmap=colours, **({"edgecolor": "w"} if told else {}))
    ax.set(xlim=(0, matrix.shape[1]), ylim=(matrix.shape[0], 0))
    ax.set_xticks(np.arange(matrix.shape[1]) + 0.5, matrix.columns, rotation=90)
    ax.set_yticks(np.arange(matrix.shape[0]) + 0.5, matrix.index)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(matrix.to_numpy()) if told else ():
        if not np.isnan(value):
            ink = "white" if sum(mesh.to_rgba(value)[:3]) < DARK else "#262626"
            ax.text(column + 0.5, row + 0.5, format(value, told), ha="center", va="center", color=ink, fontsize=7.5)
    return mesh


@in_style
def without_scores(reason: str, *, note: str) -> Figure:
    """Make the figure that stands where the rows did not suffice for any score: it says so.

    Parameters
    ----------
    reason : str
        One sentence.
    note : str
        Where the data come from, printed at the bottom.
    """
    figure = Figure(figsize=(6.5, 2), layout="constrained")
    figure.text(0.5, 0.55, fill(reason, 80), ha="center", va="center")
    return with_note(figure, "\n".join(wrap(note, 90)))


def with_note(figure: Figure, note: str) -> Figure:
    """Print the note small at the bottom, where the layout leaves room for it."""
    width = int(NOTE_PER_INCH * figure.get_figwidth())
    lines = [part for line in f"Data: {note}".splitlines() for part in wrap(line, width)]
    figure.supxlabel("\n".join(lines), fontsize=7.5, color="#666666", x=0.995, ha="right")
    return figure
