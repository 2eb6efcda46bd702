"""What all figures share: seaborn's theme with our settings, intervals, legend and note, the way they are written.

Nothing here imports seaborn or matplotlib before something is drawn: tables are made without them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from io import BytesIO
from pathlib import Path
from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import pandas as pd

from medsynth.display.images import with_palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Given = ParamSpec("Given")
Made = TypeVar("Made")

# Characters of the note at the bottom that an inch has room for.
NOTE_PER_INCH = 16

# Dots an inch of a screen, as browsers count them; print and enlargements have the pdf.
SCREEN_DPI = 96

# What differs from seaborn's style "ticks" in its context "paper".
STYLE = {
    "font.family": "DejaVu Sans",
    "axes.titlesize": 10,
    "legend.frameon": False,
    "figure.titlesize": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#777777",
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    # A dollar in the name of a category is a dollar.
    "text.parse_math": False,
    # Type 42 keeps the text of a pdf searchable.
    "pdf.fonttype": 42,
}

# How seaborn sums up what it draws: from the smallest to the largest value, such as those of seeds.
RANGE = {"errorbar": ("pi", 100)}
# The same for rows of `with_ends`: the median of an estimate and both ends of its interval is the estimate.
INTERVAL = {"estimator": "median", **RANGE}


def in_style(draw: Callable[Given, Made]) -> Callable[Given, Made]:
    """Let a function draw in the module's style, without changing anybody else's."""

    @wraps(draw)
    def drawn(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        import matplotlib
        import seaborn as sns

        with matplotlib.rc_context(sns.axes_style("ticks") | sns.plotting_context("paper") | STYLE):
            return draw(*args, **kwargs)

    return drawn


@in_style
def save_figure(figure: Figure, stem: str | Path) -> list[Path]:
    """Write a figure as png for the screen and as pdf, without time stamps: same figure, same bytes.

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
    from PIL import Image

    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    paths = [stem.parent / f"{stem.name}.{kind}" for kind in ("png", "pdf")]
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=SCREEN_DPI, pil_kwargs={"compress_level": 1})
    paths[0].write_bytes(with_palette(Image.open(drawn), dpi=(SCREEN_DPI, SCREEN_DPI)))
    # Laying out costs as much as drawing, and the pdf is the same picture.
    figure.set_layout_engine("none")
    figure.savefig(paths[1], metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return paths


def with_ends(table: pd.DataFrame, estimate: str, low: str, high: str) -> pd.DataFrame:
    """Put both ends of known intervals below their estimates, in the same column, as seaborn wants them.

    Parameters
    ----------
    table : DataFrame
        One row an estimate.
    estimate, low, high : str
        Columns of the estimates and of their intervals' ends; NaN for both ends where there is no interval.

    Returns
    -------
    DataFrame
        Three times the rows; drawn with `INTERVAL`, they give the estimates and their intervals.
    """
    return pd.concat([table.assign(**{estimate: table[name]}) for name in (estimate, low, high)], ignore_index=True)


def beside_each_other(
    ax: Axes, table: pd.DataFrame, x: str, columns: tuple[str, str, str], colours: dict[str, str]
) -> None:
    """Draw generators' estimates with bars at the same values of x beside each other: no interval hides another.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        One row an estimate, with the column ``generator``.
    x : str
        Column whose values are put at 0, 1, 2, ..., ascending.
    columns : (str, str, str)
        Of the estimates and of their intervals' ends; see `with_ends`.
    colours : dict
        Generator -> colour, in order of display.
    """
    import seaborn as sns

    places = sorted(set(table[x]))
    sns.pointplot(
        with_ends(table, *columns), x=x, y=columns[0], hue="generator", order=places, hue_order=list(colours),
        palette=colours, dodge=0.75 if len(colours) > 1 else False, capsize=0.02, markersize=4, linewidth=1.2,
        err_kws={"linewidth": 1.2}, ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.grid(axis="x", visible=False)
    for place in range(1, len(places)):
        ax.axvline(place - 0.5, color=STYLE["grid.color"], linewidth=0.8, zorder=0.5)
    ax.set_xlim(-0.5, len(places) - 0.5)


def legend_of(figure: Figure, ax: Axes, titles: dict[str, str] | None = None, **options: Any) -> None:
    """Put the legend that seaborn gave the axes beside all axes of the figure.

    Parameters
    ----------
    figure : Figure
    ax : Axes
        Whose legend it is.
    titles : dict, optional
        Entry -> what it is called instead.
    options
        Of `matplotlib.figure.Figure.legend`.
    """
    handles, labels = ax.get_legend_handles_labels()
    if legend := ax.get_legend():
        legend.remove()
    titles = titles or {}
    options = {"loc": "outside upper center"} | options
    figure.legend(handles, [titles.get(label, label) for label in labels], **options)


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
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 2), layout="constrained")
    figure.text(0.5, 0.55, fill(reason, 80), ha="center", va="center")
    return with_note(figure, "\n".join(wrap(note, 90)))


def with_note(figure: Figure, note: str) -> Figure:
    """Print the note small at the bottom, where the layout leaves room for it."""
    width = int(NOTE_PER_INCH * figure.get_figwidth())
    lines = [part for line in f"Data: {note}".splitlines() for part in wrap(line, width)]
    figure.supxlabel("\n".join(lines), fontsize=7.5, color="#666666", x=0.995, ha="right")
    return figure
