"""The reference rows that stand in every comparison: an upper and a lower reference beside every score.

A reference gives the table that is judged as if it were synthetic and the real rows that it is judged against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.preparation.partitions import halve_evenly


class Pair(NamedTuple):
    """What is judged, and by what.

    Attributes
    ----------
    table : DataFrame
        Rows that are judged as if they were synthetic.
    against : ndarray of int
        Positions in the test partition of the real rows that `table` is judged against.
    table_rows : ndarray of int or None
        Positions in the test partition of `table` itself, where it is a part of that.
    """

    table: pd.DataFrame
    against: np.ndarray
    table_rows: np.ndarray | None = None


def real(train: pd.DataFrame, test: pd.DataFrame, person: np.ndarray, rng: np.random.Generator) -> Pair:
    """Every real training row, against the test partition."""
    return Pair(train, np.arange(len(test)))


def holdout(train: pd.DataFrame, test: pd.DataFrame, person: np.ndarray, rng: np.random.Generator) -> Pair:
    """One half of the persons of the test partition against the other: the upper reference."""
    rows, against = halve_evenly(person, rng)
    return Pair(test.iloc[rows].reset_index(drop=True), against, rows)


def independent(train: pd.DataFrame, test: pd.DataFrame, person: np.ndarray, rng: np.random.Generator) -> Pair:
    """Every column drawn alone from the training partition, with replacement: the lower reference."""
    n = len(train)
    drawn = {name: train[name].take(rng.integers(n, size=n)).reset_index(drop=True) for name in train.columns}
    return Pair(pd.DataFrame(drawn), np.arange(len(test)))


REFERENCES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, np.ndarray, np.random.Generator], Pair]] = {
    "real": real,
    "holdout": holdout,
    "independent": independent,
}


def draw_positions(rows: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw at most `n` of so many rows without replacement: positions, ascending."""
    return np.arange(rows) if n >= rows else np.sort(rng.choice(rows, size=n, replace=False))


def draw_rows(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw at most `n` rows without replacement, kept in the table's order."""
    if n >= len(table):
        return table
    return table.iloc[draw_positions(len(table), n, rng)].reset_index(drop=True)
