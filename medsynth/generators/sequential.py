"""Rows drawn column by column under conditions: sequential Monte Carlo over partial rows.

A model that draws one column after another meets any condition by drawing the conditioned columns from what is allowed
alone. That by itself would get the columns before them wrong: they must be such as lead to what is allowed. So many
partial rows are drawn, each is weighted by the probability that its next column was allowed, and those that continue
are drawn by weight (Gordon, Salmond and Smith 1993; Doucet and Johansen 2011, section 3.5).

Rows that continue one partial row share its beginning, the first column included. How many independent beginnings a
table has is counted there, as an effective number. While it is too small, further partial rows are drawn in rounds and
pooled: a round's estimate of the conditions' probability is unbiased, so that rounds are weighted by it (Del Moral
2004, section 7.4.1). What rows still share parts again in moves that leave the distribution as it is (Gilks and
Berzuini 2001, "resample-move").
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from medsynth.errors import InputError
from medsynth.generators.protocol import ROWS_AT_ONCE

log = logging.getLogger(__name__)

# The first round's partial rows cost at most this many times what unconditional rows would (a small request at least as
# much as LEAST_PARTIAL_ROWS), the moves after them at most 1.5 times more.
EFFORT = 2.0
MOST_PARTIAL_ROWS_PER_ROW = 8
LEAST_PARTIAL_ROWS = 1024
# Rows shall have an effective number of beginnings of at least one for so many rows.
LEAST_SPREAD = 4
# All rounds together, for each part of a table that is drawn at once: so many partial rows for each row wanted, and for
# a small request so many in all. The first bounds the cost of any condition, at 64 times that of unconditional rows.
# The second lets 1,000 rows have 250 beginnings where one beginning in 1,000 leads to what is allowed. Of 150,000
# training rows, 45 with a category lie in tree leaves of 20 or more: a category of probability 0.0003 is such a case.
MOST_PARTIAL_ROWS = 64
MOST_PARTIAL_ROWS_OF_FEW = 2**18
# A combination that the model expects in fewer rows than this is refused. Not before so many partial rows were drawn:
# in fewer, one beginning in 10,000 could be missed.
LEAST_PROBABILITY = 1e-6
LEAST_TRIED = 2**16
# How often rows are drawn again that are not sound.
SOUND_TRIES = 24
# Where the moves begin to draw anew, as shares of the columns up to the last condition.
CUTS = (0.0, 0.5)


class PartialRows(Protocol):
    """Rows whose first columns are drawn."""

    def draw(self, position: int, allowed: Any) -> np.ndarray | None:
        """Draw the column at a position of the order.

        `allowed` says what is: the share of each code, say, or the condition itself; None for all. Returns the
        probability that the column is allowed, (rows,), or None without a condition. Rows whose probability is 0 get
        any code.
        """

    def select(self, rows: np.ndarray) -> Self:
        """Keep rows, some of them several times."""

    def join(self, other: Self) -> Self:
        """Put another's rows, of which as many columns are drawn, below these."""

    def replace(self, other: Self, rows: np.ndarray) -> None:
        """Put the other's rows in the place of those that `rows`, bool of shape (rows,), names."""


class SoundRows(PartialRows, Protocol):
    """Rows that know whether their values can stand beside each other."""

    @property
    def sound(self) -> np.ndarray:
        """One bool a row, (rows,)."""


Rows = TypeVar("Rows", bound=PartialRows)
Sound = TypeVar("Sound", bound=SoundRows)


class Weighted(NamedTuple, Generic[Rows]):
    """Partial rows up to the last condition.

    Attributes
    ----------
    rows : PartialRows
    weight : ndarray of float, shape (rows,)
        Unbiased for the probability of the conditions: its mean over all rows that were tried.
    beginning : ndarray of int, shape (rows,)
        Rows of one number share what was drawn first.
    masses : dict of ndarray
        Position of a condition -> probability that the column was allowed, (rows,).
    """

    rows: Rows
    weight: np.ndarray
    beginning: np.ndarray
    masses: dict[int, np.ndarray]

    def resampled(self, n: int, rng: np.random.Generator) -> Weighted[Rows]:
        """Draw `n` rows by weight; they weigh the same, and together what all did."""
        return self._selected(_resample(self.weight, n, rng), np.full(n, self.weight.sum() / n))

    def shuffled(self, rng: np.random.Generator) -> Weighted[Rows]:
        """Put the rows in random order."""
        order = rng.permutation(len(self.weight))
        return self._selected(order, self.weight[order])

    def _selected(self, kept: np.ndarray, weight: np.ndarray) -> Weighted[Rows]:
        masses = {position: mass[kept] for position, mass in self.masses.items()}
        return Weighted(self.rows.select(kept), weight, self.beginning[kept], masses)

    def pooled(self, other: Weighted[Rows], rng: np.random.Generator) -> Weighted[Rows]:
        """Draw as many rows by weight from these and another's."""
        n = len(self.weight)
        weight = np.concatenate([self.weight, other.weight])
        kept = _resample(weight, n, rng)
        each = np.full(n, weight.sum() / n)
        old, new = kept[kept < n], kept[kept >= n] - n
        mine, theirs = self._selected(old, each[: len(old)]), other._selected(new, each[: len(new)])
        return Weighted(
            mine.rows.join(theirs.rows),
            each,
            # A round counts its beginnings from 0.
            np.concatenate([mine.beginning, theirs.beginning + self.beginning.max() + 1]),
            {position: np.concatenate([mass, theirs.masses[position]]) for position, mass in mine.masses.items()},
        )


def partial_rows_per_row(last: int, columns: int) -> int:
    """Partial rows of the first round for each row wanted, if the last condition is on the column at position `last`.

    The earlier the conditions, the cheaper a partial row.
    """
    return int(np.clip(EFFORT * columns / (last + 1), EFFORT, MOST_PARTIAL_ROWS_PER_ROW))


def effective_number(beginning: np.ndarray) -> float:
    """Effective number of beginnings of rows: (sum n_i)^2 / sum n_i^2 over the groups of rows that share one."""
    counts = np.unique(beginning, return_counts=True)[1].astype(float)
    return float(counts.sum() ** 2 / (counts**2).sum()) if len(counts) else 0.0


def draw_sequentially(
    start: Callable[[int], Rows],
    n: int,
    columns: list[str],
    allowed: Mapping[int, Any],
    rng: np.random.Generator,
    *,
    at_once: int = ROWS_AT_ONCE,
) -> Rows:
    """Draw rows that meet conditions.

    A warning gives the effective number of beginnings where it stays below a quarter of the rows.

    Parameters
    ----------
    start : callable
        ``start(rows)`` gives that many `PartialRows` without any column.
    n : int
        Rows wanted.
    columns : list of str
        In the order in which they are drawn.
    allowed : dict
        Position of a conditioned column -> what is allowed of it, in the terms of `PartialRows.draw`.
    rng : numpy Generator
        Decides which partial rows continue.
    at_once : int, default 65536
        Most partial rows of a further round.

    Raises
    ------
    InputError
        The conditions cannot be met together within the stated effort.
    """
    last = max(allowed, default=-1) if n else -1
    rows = _draw_conditioned(start, n, columns, allowed, last, rng, at_once) if last >= 0 else start(n)
    for position in range(last + 1, len(columns)):
        rows.draw(position, None)
    return rows


def sound_rows(draw: Callable[[int], Sound], n: int) -> Sound:
    """Draw rows, and others in the place of those whose values cannot stand beside each other.

    Parameters
    ----------
    draw : callable
        ``draw(rows)`` gives that many `SoundRows`.
    n : int
        Rows wanted. What is not sound after `SOUND_TRIES` rounds stays.
    """
    rows = draw(n)
    for _ in range(SOUND_TRIES):
        if rows.sound.all():
            break
        rows = rows.select(np.flatnonzero(rows.sound)).join(draw(int((~rows.sound).sum())))
    return rows


def _draw_conditioned(
    start: Callable[[int], Rows],
    n: int,
    columns: list[str],
    allowed: Mapping[int, Any],
    last: int,
    rng: np.random.Generator,
    at_once: int,
) -> Rows:
    """Draw the columns up to the last condition, in rounds until the rows have enough beginnings."""
    first = max(n * partial_rows_per_row(last, len(columns)), LEAST_PARTIAL_ROWS)
    most = max(n * MOST_PARTIAL_ROWS, MOST_PARTIAL_ROWS_OF_FEW)
    met = _Met(columns, allowed)
    pool: Weighted[Rows] | None = None
    size = first
    while True:
        drawn = _draw_round(start, size, allowed, last, met, rng)
        if drawn:
            pool = pool.pooled(drawn, rng) if pool else drawn.resampled(n, rng)
        effective = effective_number(pool.beginning) if pool else 0.0
        met.check()
        if met.tried >= most or effective >= n / LEAST_SPREAD:
            break
        # Twice as many rows after every round.
        size = min(met.tried, most - met.tried, max(first, at_once))
    # Without any row that can go on, `check` has refused the conditions by now.
    assert pool is not None
    if met.tried > first:
        pool = pool.shuffled(rng)
    beginning = pool.beginning
    if len(np.unique(beginning)) < n:
        for cut in CUTS:
            moved = _move(start, pool.rows, int(cut * (last + 1)), last, allowed, pool.masses, rng)
            # Only a row that is drawn anew from the first column on has a beginning of its own.
            if cut == 0:
                beginning = np.where(moved, beginning.max() + 1 + np.arange(n), beginning)
        effective = effective_number(beginning)
        if effective < n / LEAST_SPREAD:
            log.warning(
                "%d rows go back to %d beginnings, worth %.0f independent rows, because the conditions on %s are rare "
                "and late in the visit sequence; fit with these columns `first`",
                n,
                len(np.unique(beginning)),
                effective,
                ", ".join(f"'{columns[position]}'" for position in sorted(allowed)),
            )
    return pool.rows


class _Met:
    """How far the partial rows of all rounds got, and whether that is too little.

    Attributes
    ----------
    tried : int
        Partial rows sampled so far.
    """

    def __init__(self, columns: list[str], allowed: Mapping[int, Any]) -> None:
        self.columns, self.positions = columns, sorted(allowed)
        self.tried = 0
        self.met = dict.fromkeys(self.positions, 0.0)
        self.going = dict.fromkeys(self.positions, 0)

    def add(self, position: int, probability: np.ndarray, mass: np.ndarray) -> None:
        """Count rows of a round at a condition: how probable this one and those before it are, and this one alone."""
        self.met[position] += float(probability.sum())
        self.going[position] += int((mass > 0).sum())

    def check(self) -> None:
        """Refuse what is met in fewer rows than `LEAST_PROBABILITY`; `InputError` names the first such column."""
        low = [p for p in self.positions if self.met[p] < LEAST_PROBABILITY * self.tried]
        if not low or self.tried < LEAST_TRIED:
            return
        before = ", ".join(f"'{self.columns[p]}'" for p in self.positions if p < low[0])
        after = f" after {before}" if before else ""
        raise InputError(
            f"The conditions cannot be met together: '{self.columns[low[0]]}'{after} is met in fewer than "
            f"{LEAST_PROBABILITY:.0e} of {self.tried} partial rows ({self.going[low[0]]} could go on at all); relax a "
            "condition."
        )


def _draw_round(
    start: Callable[[int], Rows],
    partial: int,
    allowed: Mapping[int, Any],
    last: int,
    met: _Met,
    rng: np.random.Generator,
) -> Weighted[Rows] | None:
    """Draw partial rows up to the last condition; None if none can go on."""
    drawn = Weighted(start(partial), np.ones(partial), np.arange(partial), {})
    met.tried += partial
    for position in range(last + 1):
        mass = drawn.rows.draw(position, allowed.get(position))
        if mass is None:
            continue
        weight = drawn.weight * mass
        met.add(position, weight, mass)
        if not weight.any():
            return None
        drawn = drawn._replace(weight=weight, masses={**drawn.masses, position: mass})
        effective = weight.sum() ** 2 / (weight**2).sum()
        if position < last and effective < partial / 2:
            drawn = drawn.resampled(partial, rng)
    return drawn


def _move(
    start: Callable[[int], Rows],
    rows: Rows,
    cut: int,
    last: int,
    allowed: Mapping[int, Any],
    masses: dict[int, np.ndarray],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the columns from `cut` to `last` anew and keep what a Metropolis-Hastings step accepts.

    The proposal draws as the rows were drawn, so that it is accepted by the ratio of the probabilities that the
    conditioned columns were allowed.
    """
    n = len(masses[last])
    fresh, fresh_masses = rows.select(np.arange(n)) if cut else start(n), {}
    for position in range(cut, last + 1):
        mass = fresh.draw(position, allowed.get(position))
        if mass is not None:
            fresh_masses[position] = mass
    with np.errstate(divide="ignore"):
        log_ratio = sum(np.log(mass) - np.log(masses[p]) for p, mass in fresh_masses.items())
    accepted = np.log(rng.random(n)) < log_ratio
    rows.replace(fresh, accepted)
    for position, mass in fresh_masses.items():
        masses[position] = np.where(accepted, mass, masses[position])
    return accepted


def _resample(weight: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Systematic resampling: row numbers, (n,), each as often as its weight says, in random order."""
    ends = np.cumsum(weight)
    marks = (np.arange(n) + rng.random()) / n * ends[-1]
    return rng.permutation(np.minimum(np.searchsorted(ends, marks, side="right"), len(weight) - 1))
