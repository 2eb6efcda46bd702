"""What is told of real patients: no cell of a few of them, no extreme value of one, no rare level by its name.

The means are those of Hundepool et al. (2012), Statistical Disclosure Control: a least cell count, below which cells
are suppressed, put together with their neighbours or rounded; and cut extremes (top and bottom coding).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.preparation.partitions import persons

# Default of the studies' key `least_patients`.
LEAST_PATIENTS = 10


def told(count: float, least: int) -> float:
    """Return a number of real rows, or NaN if there are some but fewer than `least`."""
    return float("nan") if 0 < count < least else float(count)


def few(count: int, least: int) -> str:
    """Write a count of real rows or cells: ``"<10"`` if there are some but fewer than `least`."""
    return f"<{least}" if 0 < count < least else str(count)


def rounded_counts(counts: np.ndarray, least: int) -> np.ndarray:
    """Round the counts of a column's cells to multiples of `least` if any is above 0 and below it: shape (cells,).

    All of them, since one hidden count is what the others leave of the rows. Cells of which none is that small stay.
    """
    counts = np.asarray(counts, dtype=float)
    few = (counts > 0) & (counts < least)
    return np.round(counts / least) * least if few.any() else counts


def pools(counts: np.ndarray, least: int) -> np.ndarray:
    """Put neighbouring cells together until each holds no row or at least `least` of them.

    Parameters
    ----------
    counts : array_like of int, shape (cells,)
        Rows in each cell, in the cells' order.
    least : int

    Returns
    -------
    ndarray of int, shape (pools,)
        Where each pool ends (its last cell, not included, as in a slice); one pool if all rows are fewer than `least`.
    """
    ends, rows = [], 0
    for end, count in enumerate(counts, start=1):
        rows += count
        if rows == 0 or rows >= least:
            ends.append(end)
            rows = 0
    if rows:
        # What is left at the end joins the pools before it.
        while ends and sum(counts[ends[-1] :]) < least:
            ends.pop()
        ends.append(len(counts))
    return np.array(ends, dtype=int)


def inner_range(values: pd.Series, least: int, share: float = 0.0) -> tuple[float, float]:
    """Range of a numeric column that is nobody's own: at least `least` rows lie at or beyond either end.

    Parameters
    ----------
    values : Series of float or int
        Complete. Ends are values that occur; those of floats are rounded to three significant digits.
    least : int
    share : float, default 0.0
        At least this share of the rows, too. The median is both ends where the rows are fewer than twice as many.
    """
    beyond = min(max(share, (least - 1) / max(len(values) - 1, 1)), 0.5)
    low, high = values.quantile([beyond, 1 - beyond], interpolation="nearest")
    if values.dtype.kind == "f":
        return float(f"{low:.3g}"), float(f"{high:.3g}")
    return low, high


def told_levels(values: pd.Series, column: Column, least: int) -> pd.Series:
    """Name the levels of a coded column under which they are told: level -> itself or "rare (n levels)".

    Rare are those of fewer than `least` rows. The two levels of a binary column always stay: the one names the other.
    """
    names = pd.Series(column.all_levels, index=column.all_levels, dtype=object)
    rare = values.value_counts().reindex(names.index, fill_value=0) < least
    if column.type != "binary" and rare.any():
        names[rare] = f"rare ({rare.sum()} level{'s' if rare.sum() > 1 else ''})"
    return names


def without_rare_levels(
    table: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, *, least: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Replace the levels that few real patients have where levels are taken from the data, free text above all.

    Levels that the codebook declares tell of nobody: they are the publisher's.

    Parameters
    ----------
    table : DataFrame
        Synthetic clean table.
    real : DataFrame
        The whole clean table, with the column that identifies persons, if the codebook names one.
    codebook : Codebook
        The dataset's own; a level becomes the label of the column's rule for rare ones.
    least : int
        Levels of fewer persons are replaced.

    Returns
    -------
    table : DataFrame
        Categories that were replaced are gone, too.
    cells : dict of int
        Column -> cells replaced, for every column whose levels are taken from the data.
    """
    table, cells = table.copy(), {}
    for name in [name for name in table if name in codebook.columns and codebook.columns[name].rare]:
        column = codebook.columns[name]
        patients = pd.Series(persons(real, codebook)).groupby(real[name].astype(str).to_numpy()).nunique()
        named = {*patients.index[patients >= least], *column.all_levels, column.rare.label}
        rare = table[name].notna() & ~table[name].isin(named)
        levels = [level for level in table[name].cat.categories if level in named]
        levels += [column.rare.label] if column.rare.label not in levels else []
        values = table[name].astype(object).mask(rare, column.rare.label)
        table[name] = values.astype(pd.CategoricalDtype(levels, ordered=table[name].cat.ordered))
        cells[name] = int(rare.sum())
    return table, cells
