"""Distances between rows of mixed columns.

Gower 1971, "A General Coefficient of Similarity and Some of Its Properties".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.scores.precision_recall.marginals import mid_ranks

# Rank of a gap: at least 1 away from that of any number, to which its difference is cut.
GAP = 2.0
# A block of distances of this size, 8 MB, stays near the processor.
PAIRS_AT_ONCE = 2_000_000


def closest(rows: pd.DataFrame, others: pd.DataFrame, scale: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Distance of each row to the closest of the others: float, shape (rows,); see `closest_rows`."""
    return closest_rows(rows, others, scale, codebook)[0]


def closest_rows(
    rows: pd.DataFrame, others: pd.DataFrame, scale: pd.DataFrame, codebook: Codebook
) -> tuple[np.ndarray, np.ndarray]:
    """Find the closest of the others to each row.

    The distance of two rows is the sum over columns of their differences: 0 or 1 for categories, and for numbers the
    difference of their ranks among the rows of `scale`, in [0, 1]. Two gaps are equal; a gap and a number differ by 1.

    Parameters
    ----------
    rows, others, scale : DataFrame
        Clean tables.
    codebook : Codebook

    Returns
    -------
    distance : ndarray of float, shape (rows,)
        In columns: 1 is the distance of rows that differ in one category; in [0, columns].
    position : ndarray of int, shape (rows,)
        The first of the closest rows.
    """
    numeric = codebook.named(*NUMERIC)
    coded = [name for name in codebook.columns if name not in numeric]
    sizes = [len(codebook.columns[name].all_categories) for name in coded]
    left, right = ((_ranks(table, scale, numeric), _one_hot(table, coded, sizes)) for table in (rows, others))
    found, position = np.empty(len(rows)), np.empty(len(rows), dtype=int)
    step = max(1, PAIRS_AT_ONCE // len(others))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        # Categories that differ = columns - categories in common, one product for all columns.
        distance = len(coded) - left[1][part] @ right[1].T
        for column, name in enumerate(numeric):
            differs = np.abs(left[0][part, column, None] - right[0][None, :, column])
            distance += np.minimum(differs, 1) if codebook.columns[name].may_be_missing else differs
        position[part] = distance.argmin(1)
        found[part] = np.take_along_axis(distance, position[part, None], 1)[:, 0]
    # Sums of float32 ranks; equal rows are at 0 exactly.
    return np.round(found, 5), position


def _ranks(table: pd.DataFrame, scale: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Numbers as mid-ranks among those of `scale`: float32 in [0, 1], `GAP` for a gap, (rows, names)."""
    ranks = np.zeros((len(table), len(names)), dtype="float32")
    for i, name in enumerate(names):
        ranks[:, i] = mid_ranks(table[name].to_numpy(), scale[name].dropna().to_numpy())
        ranks[table[name].isna(), i] = GAP
    return ranks


def _one_hot(table: pd.DataFrame, names: list[str], sizes: list[int]) -> np.ndarray:
    """Categories as indicators: float32, (rows, sum of sizes)."""
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    hot = np.zeros((len(table), starts[-1]), dtype="float32")
    for start, name in zip(starts[:-1], names, strict=True):
        # pandas' codes are of the narrowest type, and a sum with them overflows.
        hot[np.arange(len(table)), start + table[name].cat.codes.to_numpy("int64")] = 1
    return hot
