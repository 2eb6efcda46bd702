"""The reference rows that stand beside generators: upper and lower references of every score, and positive controls.

A reference gives the table that is judged as if it were synthetic and the real rows that it is judged against. This is
the one place that says which there are, what they are called and how they look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

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
    """Independent marginals of the training partition, with replacement: the lower reference."""
    n = len(train)
    drawn = {name: train[name].take(rng.integers(n, size=n)).reset_index(drop=True) for name in train.columns}
    return Pair(pd.DataFrame(drawn), np.arange(len(test)))


PairOf = Callable[[pd.DataFrame, pd.DataFrame, np.ndarray, np.random.Generator], Pair]


@dataclass(frozen=True)
class Reference:
    """A row of tables, or a line of figures, that is no generator's.

    Attributes
    ----------
    name : str
        In the column ``generator`` of scores; no generator may have it.
    title, colour : str
    role : {"upper", "lower", "control"}
        Whether it bounds scores from above or from below, or is a leak that attacks must find.
    elsewhere : mapping of str
        Family of scores -> its title there, where it is another thing than in other tables.
    pair : callable, optional
        What is judged, and by what, for those that are judged as if they were synthetic tables.
    copied : int
        Per cent of the members that a control copies.
    """

    name: str
    title: str
    colour: str
    role: Literal["upper", "lower", "control"]
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    pair: PairOf | None = None
    copied: int = 0

    def title_in(self, family: str) -> str:
        """Title in tables and figures of a family of scores."""
        return self.elsewhere.get(family, self.title)


REAL_ELSEWHERE = {
    "conditional": "Real training rows (upper reference)",
    "importance": "Real rows, another seed (upper reference)",
    "inference": "Held-out real rows (upper reference)",
    "learning_curve": "Real training rows",
    "survival_times": "Real training rows (upper reference)",
}
MAJORITY_ELSEWHERE = {"regression": "Mean of the training rows", "survival": "Kaplan-Meier of the training rows"}
HOLDOUT_ELSEWHERE = {"privacy": "Holdout (negative control)"}
COPY_ELSEWHERE = {"privacy": "All members copied (positive control)"}
# Greys, so that colour is left to the generators.
REFERENCE_ROWS = {
    one.name: one
    for one in (
        Reference("real", "Real → Real", "#4d4d4d", "upper", REAL_ELSEWHERE, real),
        Reference("holdout", "Holdout (upper reference)", "#1a1a1a", "upper", HOLDOUT_ELSEWHERE, holdout),
        Reference("independent", "Independent marginals (lower reference)", "#999999", "lower", pair=independent),
        Reference("majority", "Majority class", "#737373", "lower", MAJORITY_ELSEWHERE),
        *(
            Reference(f"copied_{n}", f"{n} % of the members copied", "#595959", "control", copied=n)
            for n in (1, 2, 5, 10)
        ),
        Reference("train_copy", "All members copied", "#595959", "control", COPY_ELSEWHERE, copied=100),
    )
}
# Those that bound scores.
BOUNDS = tuple(name for name, one in REFERENCE_ROWS.items() if one.role != "control")
REFERENCES: dict[str, PairOf] = {name: one.pair for name, one in REFERENCE_ROWS.items() if one.pair}


def draw_positions(rows: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw at most `n` of so many rows without replacement: positions, ascending."""
    return np.arange(rows) if n >= rows else np.sort(rng.choice(rows, size=n, replace=False))


def draw_rows(table: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw at most `n` rows without replacement, kept in the table's order."""
    if n >= len(table):
        return table
    return table.iloc[draw_positions(len(table), n, rng)].reset_index(drop=True)
