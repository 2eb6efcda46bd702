"""A table's columns one by one under differential privacy: a Gaussian mechanism on all histograms at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError
from medsynth.generators.discretisation import TableCoder

# Cells of a numeric column; an integer column has one a value if it has no more values.
CELLS = 512
# A bin holds at least so many standard deviations of a cell's noise.
BIN_DEVIATIONS = 3.0


def noisy_bins(
    table: pd.DataFrame,
    codebook: Codebook,
    noise: float,
    normal: Callable[[int], np.ndarray],
    max_bins: int,
    min_rows: int,
    names: Sequence[str] | None = None,
) -> tuple[pd.DataFrame, TableCoder]:
    """Draw up noisy columns and learn bins from them, which rest on `min_rows` and on more than noise.

    Parameters
    ----------
    table, codebook, noise, normal
        See `noisy_columns`.
    max_bins, min_rows : int
        See `TableCoder`.
    names : sequence of str, optional
        Columns to draw up, all numeric ones among them; default: all.
    """
    names = list(codebook.columns) if names is None else names
    drawn_up = codebook.model_copy(update={"columns": {name: codebook.columns[name] for name in names}})
    noisy = noisy_columns(table, drawn_up, noise, normal)
    sure = math.ceil(BIN_DEVIATIONS * noise * math.sqrt(len(names)))
    return noisy, TableCoder(max_bins, max(min_rows, sure)).fit(noisy, codebook)


def noisy_columns(
    table: pd.DataFrame, codebook: Codebook, noise: float, normal: Callable[[int], np.ndarray]
) -> pd.DataFrame:
    """Draw up a table of as many rows in which each column has its noisy distribution, independent of the others.

    A row adds 1 to one cell of every column's histogram, so that together they move by the square root of the number
    of columns; the noise of a cell has `noise` times that as its standard deviation. Where cells begin and end is
    declared in the codebook. All that follows sees noisy counts alone: neighbouring cells of a number that the noise
    cannot tell apart are levelled, negative counts are 0, and the rest is scaled to the number of rows.

    Parameters
    ----------
    table : DataFrame
        Complete clean table; its number of rows counts as known.
    codebook : Codebook
    noise : float
        Standard deviation of the noise in units of the sensitivity; 0 for none.
    normal : callable
        ``normal(n)`` draws from N(0, 1).

    Raises
    ------
    InputError
        A numeric column has no range that the codebook declares.
    """
    deviation = noise * math.sqrt(len(codebook.columns))
    columns = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            edges = _edges(name, column)
            cells = np.clip(np.searchsorted(edges, table[name], side="right") - 1, 0, len(edges) - 2)
            counts = np.bincount(cells, minlength=len(edges) - 1) + deviation * normal(len(edges) - 1)
            rows = _apportion(level(counts, deviation), len(table))
            place = np.concatenate([(np.arange(k) + 0.5) / k for k in rows if k])
            columns[name] = np.repeat(edges[:-1], rows) + np.repeat(np.diff(edges), rows) * place
        else:
            categories = column.all_categories
            counts = np.bincount(table[name].cat.codes, minlength=len(categories)) + deviation * normal(len(categories))
            columns[name] = np.repeat(np.array(categories, dtype=object), _apportion(counts, len(table)))
    return codebook.conform(pd.DataFrame(columns))


def _edges(name: str, column: Column) -> np.ndarray:
    """Where the cells of a numeric column begin, and where the last one ends."""
    if column.range is None or column.range_observed:
        raise InputError(
            f"The codebook declares no range for the numeric column '{name}', and the rows' own range would not be "
            "private; give it a 'range'."
        )
    low, high = column.range
    if column.type == "integer":
        width = math.ceil((high - low + 1) / CELLS)
        return low - 0.5 + width * np.arange(math.ceil((high - low + 1) / width) + 1)
    return np.linspace(low, high, CELLS + 1)


def level(counts: np.ndarray, deviation: float) -> np.ndarray:
    """Replace neighbouring counts that noise of this standard deviation cannot tell apart by their mean.

    Least squares with a price for every step (Boysen et al. 2009, "Consistencies and rates of convergence of
    jump-penalized least squares estimators"), solved exactly by dynamic programming.
    """
    if deviation == 0:
        return counts
    n, price = len(counts), 2 * deviation**2 * math.log(len(counts))
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    best, begins = np.zeros(n + 1), np.zeros(n + 1, dtype=int)
    for end in range(1, n + 1):
        # Squares within a piece but for those of the counts themselves, which are the same however it is cut.
        costs = best[:end] - (sums[end] - sums[:end]) ** 2 / (end - np.arange(end))
        begins[end] = costs.argmin()
        best[end] = costs[begins[end]] + price
    levelled, end = np.empty(n), n
    while end:
        begin = begins[end]
        levelled[begin:end] = (sums[end] - sums[begin]) / (end - begin)
        end = begin
    return levelled


def _apportion(counts: np.ndarray, rows: int) -> np.ndarray:
    """Whole numbers in proportion to the counts above 0, `rows` altogether; equal ones if none is."""
    shares = np.maximum(counts, 0.0)
    if not shares.sum():
        shares = np.ones(len(counts))
    return np.diff(np.round(np.cumsum(np.concatenate([[0.0], shares])) / shares.sum() * rows).astype(int))
