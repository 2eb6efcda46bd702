"""The reference rows that stand in every comparison: a ceiling and a floor beside every score.

A reference gives a pair: the table that is judged as if it were synthetic and the real table it is judged against.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

Pair = tuple[pd.DataFrame, pd.DataFrame]


def real(train: pd.DataFrame, test: pd.DataFrame, n: int, rng: np.random.Generator) -> Pair:
    """Real training rows, drawn anew for each seed, against the test partition."""
    return draw_rows(train, n, rng), test


def holdout(train: pd.DataFrame, test: pd.DataFrame, n: int, rng: np.random.Generator) -> Pair:
    """One random half of the test partition against the other: the ceiling."""
    order = rng.permutation(len(test))
    half = len(test) // 2
    halves = test.iloc[np.sort(order[:half])], test.iloc[np.sort(order[half:])]
    return tuple(part.reset_index(drop=True) for part in halves)


def independent(train: pd.DataFrame, test: pd.DataFrame, n: int, rng: np.random.Generator) -> Pair:
    """Every column drawn alone from the training partition, with replacement: the floor."""
    drawn = {name: train[name].take(rng.integers(len(train), size=n)).reset_index(drop=True) for name in train.columns}
    return pd.DataFrame(drawn), test


REFERENCES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, int, np.random.Generator], Pair]] = {
    "real": real,
    "holdout": holdout,
    "independent": independent,
}


def draw_rows(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw at most `n` rows without replacement, kept in the table's order."""
    if n >= len(table):
        return table
    return table.iloc[np.sort(rng.choice(len(table), size=n, replace=False))].reset_index(drop=True)
