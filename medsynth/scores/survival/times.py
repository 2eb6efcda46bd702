"""When events happen in a table and in real rows: survival times of groups, and Kaplan-Meier curves as plot data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medsynth.disclosure import MINIMUM_CELL_SIZE, pools, shown_groups
from medsynth.evaluation.resampling import Score
from medsynth.scores.survival.compute import Followed, TimeToEvent, even_times, kaplan_meier

METRICS = (
    "median_survival",
    "median_survival_real",
    "restricted_mean_survival",
    "restricted_mean_survival_real",
    "restricted_mean_difference",
)
# Fewer steps than this say nothing of the shape of a real curve.
LEAST_STEPS = 3
# Ends of the band around a real curve, in per cent of the replicates.
BAND = (2.5, 97.5)


class Part(NamedTuple):
    """Rows of one group, or all.

    Attributes
    ----------
    column, group : str
        Empty for all rows.
    real, table : ndarray of bool, shape (rows,) of either
    shown : bool
        Whether anything is said of the rows.
    """

    column: str
    group: str
    real: np.ndarray
    table: np.ndarray
    shown: bool = True

    @property
    def title(self) -> str:
        """What figures and plot data call it."""
        return f"{self.column}: {self.group}" if self.column else "All"


def parts_of(
    target: TimeToEvent,
    table: pd.DataFrame,
    real: pd.DataFrame,
    *,
    least: int = MINIMUM_CELL_SIZE,
    held_out: pd.DataFrame | None = None,
) -> Iterator[Part]:
    """All rows, and each group of the target's; those are shown that have real rows enough.

    A median has `least` rows on either side and a curve steps by so many events: a group has twice `least` real rows
    and `least` events, and those that are left out do not follow from those that are shown (`medsynth.disclosure`).

    Parameters
    ----------
    target : TimeToEvent
    table, real : DataFrame
        Synthetic, or the rows of a reference row, and real ones.
    least : int, default 10
    held_out : DataFrame, optional
        The test partition, if the rows of `table` are real ones, too: groups must then have enough on either side.
    """
    sides = [real] if held_out is None else [held_out, real, table]
    events = [target.followed(side).events for side in sides]
    enough = all(len(had) >= 2 * least and had.sum() >= least for had in events)
    yield Part("", "", np.ones(len(real), dtype=bool), np.ones(len(table), dtype=bool), enough)
    for one in (groups for groups in target.groups if groups.column in real):
        of_sides = [one.of(side) for side in sides]
        of_table = one.of(table)
        names = list(of_sides[0].cat.categories)
        rows = np.array([[(side == name).sum() for name in names] for side in of_sides])
        ended = [
            [(had & (side == name).to_numpy()).sum() for name in names]
            for side, had in zip(of_sides, events, strict=True)
        ]
        wanted = np.all([*(rows >= 2 * least), *(np.array(ended) >= least)], axis=0)
        of_real = one.of(real)
        shown = shown_groups(rows, least, wanted=wanted) & wanted
        for name, enough in zip(names, shown, strict=True):
            inside, inside_table = ((side == name).to_numpy() for side in (of_real, of_table))
            yield Part(one.column, str(name), inside, inside_table, bool(enough))


def survival_times(
    part: Part,
    table: Followed,
    real: Followed,
    horizon: float,
    *,
    weights: np.ndarray | None = None,
    table_weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """Median and restricted mean survival of a group in a table and in real rows.

    Parameters
    ----------
    part : Part
    table, real : Followed
        Of all rows of either.
    horizon : float
        Up to which survival is averaged (Royston and Parmar 2013, BMC Medical Research Methodology 13:152).
    weights, table_weights : ndarray, shape (replicates, rows), optional
        Of the persons behind `real`, and behind `table` where its rows are real ones.

    Yields
    ------
    Score
        ``median_survival``, ``restricted_mean_survival``, the same of the real rows as ``..._real``, and
        ``restricted_mean_difference`` (table - real), in units of time, of the column and group. NaN: the median is not
        reached, the table has no such row, or the part is not shown.
    """
    about = {"column": part.column, "group": part.group}
    if not part.shown:
        yield from (Score(metric, np.nan).of(**about) for metric in METRICS)
        return
    of_table = _values(table.take(part.table), horizon, _own(table_weights, part.table))
    of_real = _values(real.take(part.real), horizon, _own(weights, part.real))
    for metric, (value, replicates) in of_table.items():
        yield Score(metric, value, replicates).of(**about)
    for metric, (value, replicates) in of_real.items():
        yield Score(f"{metric}_real", value, replicates).of(**about)
    (ours, our_replicates), (theirs, their_replicates) = (
        side["restricted_mean_survival"] for side in (of_table, of_real)
    )
    replicates = None
    if their_replicates is not None:
        # Synthetic rows have no persons: their value stays.
        replicates = (ours if our_replicates is None else our_replicates) - their_replicates
    yield Score("restricted_mean_difference", ours - theirs, replicates).of(**about)


def _own(weights: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if weights is None else weights[:, rows]


def _values(
    followed: Followed, horizon: float, weights: np.ndarray | None
) -> dict[str, tuple[float, np.ndarray | None]]:
    """Metric -> value and replicates of some rows; NaN for none."""
    found: dict[str, tuple[float, np.ndarray | None]] = {}
    if not len(followed.times):
        return dict.fromkeys(("median_survival", "restricted_mean_survival"), (np.nan, None))
    once = np.ones((1, len(followed.times)))
    every = once if weights is None else np.vstack([once, weights])
    curves = kaplan_meier(followed, every)
    both = {"median_survival": curves.median(), "restricted_mean_survival": curves.restricted_mean(horizon)}
    # Draws of persons that leave a group empty say nothing.
    empty = every.sum(axis=1) == 0
    for metric, values in both.items():
        values = np.where(empty, np.nan, values)
        found[metric] = float(values[0]), None if weights is None else values[1:]
    return found


def curve_data(
    part: Part,
    table: Followed,
    real: Followed,
    horizon: float,
    weights: np.ndarray,
    *,
    least: int = MINIMUM_CELL_SIZE,
) -> dict[str, Any]:
    """Kaplan-Meier curves of a shown group in a table and in real rows, as plain values of three decimals.

    The real curve is given at times of an even grid between which `least` events or more lie, as long as so many rows
    are followed. So no patient's own time is shown, and no step that is a few patients'.

    Parameters
    ----------
    part : Part
    table, real : Followed
        Of all rows of either.
    horizon : float
    weights : ndarray, shape (replicates, real rows)
        Of the persons, for the band.
    least : int, default 10

    Returns
    -------
    dict
        Empty if the real curve has fewer than `LEAST_STEPS`. Else ``times`` and ``synthetic``; ``real_times``,
        ``real``, ``low`` and ``high`` (pointwise 95 % band over persons).
    """
    grid = even_times(horizon)
    own = real.take(part.real)
    ended = np.sort(own.times[own.events & (own.times <= horizon)])
    # Events after one time of the grid and up to the next; those at 0 count behind the first step, not at 0.
    place = np.maximum(np.searchsorted(grid, ended, side="left"), 1)
    last = pools(np.bincount(place, minlength=len(grid))[1:], least)
    shown = np.concatenate([[0.0], grid[last]])
    still = np.array([(own.times > time).sum() for time in shown])
    shown = shown[(still >= least) | (shown == 0)]
    at = np.where(shown > 0, shown, -1.0)
    known = _curve(own, at)
    if len(np.unique(known)) <= LEAST_STEPS:
        return {}
    # Of a flat piece its ends are enough.
    steps = np.diff(known) != 0
    ends = np.append(True, steps) | np.append(steps, True)
    shown, known, at = shown[ends], known[ends], at[ends]
    replicates = kaplan_meier(own, weights[:, part.real]).at(at)
    low, high = np.percentile(replicates, BAND, axis=0)
    found = {
        "times": grid,
        "synthetic": _curve(table.take(part.table), grid),
        "real_times": shown,
        "real": known,
        "low": low,
        "high": high,
    }
    return {name: [round(float(value), 3) for value in values] for name, values in found.items()}


def _curve(followed: Followed, times: np.ndarray) -> np.ndarray:
    """Kaplan-Meier curve at times; empty where there are no rows."""
    return kaplan_meier(followed).at(times)[0] if len(followed.times) else np.empty(0)
