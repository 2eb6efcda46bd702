"""Contingency tables of all pairs of coded columns at once: one product of matrices, not a table a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def indicators(codes: np.ndarray, sizes: np.ndarray) -> csr_array:
    """Write categories as indicators: sparse float, shape (rows, categories of all columns).

    scikit-learn's `OneHotEncoder` gives the same and looks for every code among the known ones, which takes 36 times as
    long (30,000 rows, 40 columns).

    Parameters
    ----------
    codes : ndarray of int, shape (rows, columns)
        Categories by number, from 0.
    sizes : ndarray of int, shape (columns,)
        How many categories each column may have.
    """
    # Here, not above: whoever reads a study reaches this module, and few tabulate.
    from scipy.sparse import csr_array

    rows, columns = codes.shape
    places = codes + np.cumsum(sizes) - sizes
    starts = np.arange(rows + 1) * columns
    return csr_array((np.ones(places.size), places.ravel(), starts), shape=(rows, np.sum(sizes)))


class Crosstabs:
    """Shares of rows that have one category and another, for all pairs of columns.

    Parameters
    ----------
    codes : DataFrame of int, shape (rows, columns)
        Categories by number, from 0; -1 for missing, which counts as a category.
    sizes : sequence of int, optional
        Categories of each column, so that two tables' shares stand side by side; default: as many as are seen.
    """

    def __init__(self, codes: pd.DataFrame, sizes: np.ndarray | None = None) -> None:
        self.sizes = np.asarray(codes.max() + 1 if sizes is None else sizes) + 1
        # Which column a category belongs to.
        self.column = np.repeat(np.arange(len(self.sizes)), self.sizes)
        one_hot = indicators(codes.to_numpy() + 1, self.sizes)
        self.shares = (one_hot.T @ one_hot) / len(codes)

    def total_variation(self, other: Crosstabs) -> np.ndarray:
        """Total variation distance of each pair's shares to those of another table: (columns, columns), in [0, 1]."""
        return self._sums(abs(self.shares - other.shares)) / 2

    def cramers_v(self) -> np.ndarray:
        """Cramér's V of each pair, without bias correction: (columns, columns), in [0, 1]; 0 with a constant column."""
        own = self.shares.diagonal()
        relative = self.shares.tocoo()
        rows, columns = relative.coords
        relative.data = relative.data**2 / (own[rows] * own[columns])
        seen = np.bincount(self.column[own > 0], minlength=len(self.sizes))
        freedom = np.minimum.outer(seen, seen) - 1
        squares = np.where(freedom > 0, self._sums(relative) - 1, 0) / np.maximum(freedom, 1)
        return np.sqrt(squares.clip(0, 1))

    def _sums(self, values: csr_array) -> np.ndarray:
        """Sums over the categories of each pair of columns."""
        values, n = values.tocoo(), len(self.sizes)
        rows, columns = values.coords
        pair = self.column[rows] * n + self.column[columns]
        return np.bincount(pair, weights=values.data, minlength=n * n).reshape(n, n)
