"""What fitting and sampling cost against rows and columns: tables of numbers, tables for reading, figure."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import pandas as pd

from medsynth.display.canvas import in_style, with_note
from medsynth.display.cells import interval_text
from medsynth.display.styles import Styles, in_display_order, palette, title_of
from medsynth.scores.cost.compute import exponent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Column of the table -> what it is called.
QUANTITIES = {
    "fit_seconds": "Fit (core s)",
    "fit_peak_mb": "Fit: peak memory (MB)",
    "sample_seconds": "Sample as many rows (core s)",
    "sample_peak_mb": "Sample: peak memory (MB)",
}
WORK = {"fit": "Fit", "sample": "Sample"}
AXES = {"rows": "Training rows", "columns": "Columns"}
CELL = ["axis", "generator", "rows", "columns", "epochs", "seed"]


def scaling_benchmark_table(costs: pd.DataFrame) -> pd.DataFrame:
    """Put fit and sample of each cell side by side.

    Parameters
    ----------
    costs : DataFrame
        One row a measurement: axis, generator, rows, columns, epochs, seed, what ("fit" or "sample"), seconds, peak_mb,
        start_mb (before the measured work), predicted (seconds, of a cell that was skipped).

    Returns
    -------
    DataFrame
        One row a cell: those keys; ``fit_`` and ``sample_`` seconds, peak_mb, start_mb and predicted; rows_per_second.
    """
    values = ["seconds", "peak_mb", "start_mb", "predicted"]
    sides = [costs[costs["what"] == what].set_index(CELL)[values].add_prefix(f"{what}_") for what in ("fit", "sample")]
    table = pd.concat(sides, axis=1).reset_index().sort_values(CELL, ignore_index=True)
    return table.assign(rows_per_second=table["rows"] / table["sample_seconds"])


def display_scaling_benchmark(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the cells out, one block a generator and axis; a cell that was skipped says what was predicted."""
    rows, blocks = [], []
    for axis, title in AXES.items():
        for generator in in_display_order(table["generator"], styles):
            for _, cell in table[(table["axis"] == axis) & (table["generator"] == generator)].iterrows():
                row = {
                    "Rows": f"{cell['rows']:,}",
                    "Columns": str(cell["columns"]),
                    "Epochs": str(cell["epochs"] or "–"),
                }
                for name, column in QUANTITIES.items():
                    row[column] = _text(cell[name], cell.get(name.replace("seconds", "predicted")))
                row["Rows a second"] = _text(cell["rows_per_second"])
                rows.append(row)
                blocks.append(f"{title_of(generator, styles)}, by {title.lower()}")
    return pd.DataFrame(rows, index=pd.Index(blocks, name="Generator"))


def _text(value: float, predicted: float = nan) -> str:
    """A cost with three significant digits."""
    if pd.isna(value):
        return "–" if pd.isna(predicted) else f"skipped ({predicted:,.0f} predicted)"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def exponents_table(table: pd.DataFrame) -> pd.DataFrame:
    """How seconds and memory grow in rows and in columns.

    Parameters
    ----------
    table : DataFrame
        From `scaling_benchmark_table`.

    Returns
    -------
    DataFrame
        generator, axis, what ("fit" or "sample"), points, exponent of the seconds, low, high (95 % t interval),
        largest_two (the exponent between the two largest sizes), and mb_per_row_or_column (of peak memory, between the
        two largest sizes).
    """
    rows = []
    for (axis, generator), cells in table.groupby(["axis", "generator"], sort=False):
        for what in WORK:
            known = cells.dropna(subset=[f"{what}_seconds"])
            fitted = exponent(known[axis], known[f"{what}_seconds"])
            means = known.groupby(axis)[[f"{what}_seconds", f"{what}_peak_mb"]].mean().iloc[-2:]
            last = exponent(means.index, means[f"{what}_seconds"])
            memory = means[f"{what}_peak_mb"].diff().iloc[-1] / means.index.diff()[-1] if len(means) > 1 else None
            rows.append((generator, axis, what, *fitted, last.value, memory))
    names = ["generator", "axis", "what", "points", "exponent", "low", "high", "largest_two", "mb_per_row_or_column"]
    return pd.DataFrame(rows, columns=names).astype({"mb_per_row_or_column": "float64"})


def display_exponents(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the exponents out, one block an axis, a row a generator."""
    rows, blocks = [], []
    for axis, title in AXES.items():
        unit, per = ("1,000 rows", 1000) if axis == "rows" else ("10 columns", 10)
        for generator in in_display_order(table["generator"], styles):
            own = table[(table["axis"] == axis) & (table["generator"] == generator)].set_index("what")
            row = {"Generator": title_of(generator, styles)}
            for what, name in WORK.items():
                found = own.loc[what]
                row[name] = interval_text(found["exponent"], found["low"], found["high"], digits=2)
                row[f"{name}: largest two"] = interval_text(found["largest_two"], nan, nan, digits=2)
                row[f"{name}: MB a step"] = interval_text(per * found["mb_per_row_or_column"], nan, nan, digits=2)
            rows.append(row)
            blocks.append(f"By {title.lower()}; a step: {unit}")
    return pd.DataFrame(rows, index=pd.Index(blocks, name="Axis"))


@in_style
def scaling_benchmark_figure(table: pd.DataFrame, styles: Styles, *, note: str) -> Figure:
    """Draw every cost against rows and columns on logarithmic axes; the legends have the exponents with intervals.

    Parameters
    ----------
    table : DataFrame
        From `scaling_benchmark_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    note : str
        Where the data come from, printed at the bottom.
    """
    from matplotlib.figure import Figure

    exponents = exponents_table(table).set_index(["generator", "axis", "what"])
    figure = Figure(figsize=(11, 3.4 * len(QUANTITIES)), layout="constrained")
    axes = figure.subplots(len(QUANTITIES), 2, sharex="col", sharey="row")
    for row, (quantity, title) in zip(axes, QUANTITIES.items(), strict=True):
        for ax, axis in zip(row, AXES, strict=True):
            _lines(ax, table[table["axis"] == axis], axis, quantity, styles)
            ax.set_xscale("log")
            if quantity.endswith("seconds"):
                ax.set_yscale("log")
                ax.yaxis.set_major_formatter("{x:,g}")
                found = exponents.xs((axis, quantity.removesuffix("_seconds")), level=["axis", "what"])
                for text in ax.get_legend().get_texts():
                    mean, low, high = found.loc[text.get_text(), ["exponent", "low", "high"]]
                    text.set_text(f"{title_of(text.get_text(), styles)} {interval_text(mean, low, high, digits=2)}")
        row[0].set_ylabel(title)
    for ax, (axis, title) in zip(axes[-1], AXES.items(), strict=True):
        (fixed,) = set(table.loc[table["axis"] == axis, "columns" if axis == "rows" else "rows"])
        sizes = sorted(set(table.loc[table["axis"] == axis, axis]))
        ax.minorticks_off()
        ax.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ax.set_xlabel(f"{title} ({fixed:,} {'columns' if axis == 'rows' else 'training rows'})")
    for ax in axes[1::2].flat:
        ax.set_ylim(bottom=0)
    epochs = table["epochs"].max()
    trained = f"; where there are epochs: {epochs}" if epochs else ""
    return with_note(figure, f"{note}{trained}")


def _lines(ax: Axes, cells: pd.DataFrame, axis: str, quantity: str, styles: Styles) -> None:
    """Means over seeds, a line a generator, and crosses at what was predicted and skipped."""
    import seaborn as sns

    names = in_display_order(cells["generator"], styles)
    looks = {"x": axis, "hue": "generator", "hue_order": names, "palette": palette(names, styles), "ax": ax}
    timed = quantity.endswith("seconds")
    sns.lineplot(cells, y=quantity, **looks, marker="o", errorbar=None, legend="full" if timed else False)
    if timed:
        out = cells.groupby(["generator", axis], as_index=False)[quantity.replace("seconds", "predicted")].mean()
        sns.scatterplot(out, y=out.columns[-1], **looks, marker="x", s=40, linewidth=1.5, legend=False)
        ax.legend(fontsize=7.5, title="Exponent (95% interval)", title_fontsize=8, loc="upper left")
    ax.set(xlabel="", ylabel="")
