"""Rows drawn column by column under conditions: sequential Monte Carlo over partial rows.

A model that draws one column after another meets any condition by drawing the conditioned columns from what is allowed
alone. That by itself would get the columns before them wrong: they must be such as lead to what is allowed. So many
partial rows are drawn, each is weighted by the probability that its next column was allowed, and those that continue
are drawn by weight (Gordon, Salmond and Smith 1993; Doucet and Johansen 2011, section 3.5). Rows that then share their
beginning part again in moves that leave the distribution as it is (Gilks and Berzuini 2001, "resample-move").
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol, Self

import numpy as np

from medsynth.errors import InputError

log = logging.getLogger(__name__)

# The stated effort: partial rows cost at most this many times what unconditional rows would (a small request at least
# as much as LEAST_PARTIAL_ROWS), the moves after them at most 1.5 times more; a combination that the model expects in
# fewer than one row in a million is refused.
EFFORT = 2.0
MOST_PARTIAL_ROWS_PER_ROW = 8
LEAST_PARTIAL_ROWS = 1024
LEAST_PROBABILITY = 1e-6
# Fewer distinct beginnings than one for so many rows are worth a warning.
LEAST_SPREAD = 4
# Where the moves begin to draw anew, as shares of the columns up to the last condition.
CUTS = (0.0, 0.5)


class PartialRows(Protocol):
    """Rows whose first columns are drawn."""

    def draw(self, position: int, allowed: np.ndarray | None) -> np.ndarray | None:
        """Draw the column at a position of the order.

        `allowed` holds the share of each code that is allowed, or None for all. Returns the probability that the column
        is allowed, (rows,), or None without a condition. Rows whose probability is 0 get any code.
        """

    def select(self, rows: np.ndarray) -> Self:
        """Keep rows, some of them several times."""

    def replace(self, other: Self, rows: np.ndarray) -> None:
        """Put the other's rows in the place of those that `rows`, bool of shape (rows,), names."""


def partial_rows_per_row(last: int, columns: int) -> int:
    """Partial rows to draw for each row wanted, if the last condition is on the column at position `last`.

    The earlier the conditions, the cheaper a partial row.
    """
    return int(np.clip(EFFORT * columns / (last + 1), EFFORT, MOST_PARTIAL_ROWS_PER_ROW))


def draw_sequentially(
    start: Callable[[int], PartialRows],
    n: int,
    columns: list[str],
    allowed: dict[int, np.ndarray],
    rng: np.random.Generator,
) -> PartialRows:
    """Draw rows that meet conditions.

    Parameters
    ----------
    start : callable
        ``start(rows)`` gives that many `PartialRows` without any column.
    n : int
        Rows wanted.
    columns : list of str
        In the order in which they are drawn.
    allowed : dict of ndarray
        Position of a conditioned column -> share of each of its codes that is allowed.
    rng : numpy Generator
        Decides which partial rows continue.

    Raises
    ------
    InputError
        The conditions cannot be met together within the stated effort.
    """
    last = max(allowed, default=-1)
    partial = n
    if allowed:
        partial = max(n * partial_rows_per_row(last, len(columns)), LEAST_PARTIAL_ROWS)
    rows = start(partial)
    log_weight, log_probability = np.zeros(partial), 0.0
    masses: dict[int, np.ndarray] = {}
    # Which of the partial rows each row began as.
    beginnings = np.arange(partial)
    for position, name in enumerate(columns):
        mass = rows.draw(position, allowed.get(position))
        if mass is None:
            continue
        masses[position] = mass
        with np.errstate(divide="ignore"):
            log_weight = log_weight + np.log(mass)
        weight = np.exp(log_weight - max(log_weight.max(), -700.0))
        probability = np.exp(log_probability) * np.exp(log_weight).mean()
        if probability < LEAST_PROBABILITY:
            met = ", ".join(f"'{columns[p]}'" for p in sorted(allowed) if p < position)
            raise InputError(
                f"The conditions cannot be met together: {partial} partial rows were drawn, "
                + (f"{met} could be met, " if met else "")
                + f"and '{name}' then in fewer than {LEAST_PROBABILITY:.0e} of the rows "
                f"({int((mass > 0).sum())} of {partial} could go on at all). Relax a condition."
            )
        effective = weight.sum() ** 2 / (weight**2).sum()
        wanted = n if position == last else partial
        if position == last or effective < partial / 2:
            log_probability += np.log(np.exp(log_weight).mean())
            kept = _resample(weight, wanted, rng)
            rows, masses = rows.select(kept), {p: m[kept] for p, m in masses.items()}
            beginnings = beginnings[kept]
            log_weight = np.zeros(wanted)
        if position == last and len(np.unique(beginnings)) < n:
            for cut in CUTS:
                moved = _move(start, rows, int(cut * (last + 1)), last, allowed, masses, rng)
                beginnings = np.where(moved, beginnings.max() + 1 + np.arange(n), beginnings)
            if len(np.unique(beginnings)) < n / LEAST_SPREAD:
                log.warning(
                    "%d rows go back to %d beginnings: the conditions are rare and on columns drawn late; fit the "
                    "model with these columns `first`",
                    n,
                    len(np.unique(beginnings)),
                )
    return rows


def _move(
    start: Callable[[int], PartialRows],
    rows: PartialRows,
    cut: int,
    last: int,
    allowed: dict[int, np.ndarray],
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
