"""What is shown of real patients: no count of a few of them, no extreme value of one, no rare category by its name.

The means are those of Hundepool et al. (2012), Statistical Disclosure Control, chapters 3 to 5. Counts are exact or not
shown at all, since rounding biases what is computed from them and can be undone where a ratio has an exact side:

- primary suppression: a count of real rows above 0 and below `least`, the smallest that is allowed, is not shown, and
  neither is any score made of it; so is a count that leaves so few of a known total.
- secondary suppression: what is shown must not give a withheld count by difference. So the rows that are withheld of a
  known total are none, or at least `least`, of two groups or more: the next smallest group is withheld, too, until they
  are. That the next smallest is taken bounds the others from below: where who knows this could solve for a count, all
  groups are withheld.

`shown_groups` decides for the groups of a column, `shown_cells` for the cells of a two-way table, `shown_sets` for sets
of rows that overlap. Bins of numeric columns are put together instead (`pools`), and extremes are cut (top and bottom
coding).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from medsynth.codebook import GAP_CATEGORY, Codebook, Column
from medsynth.preparation.partitions import persons

# Default of the studies' key `minimum_cell_size`.
MINIMUM_CELL_SIZE = 10
# What a table for reading has in place of a withheld number.
WITHHELD = "withheld"


def few(count: int, least: int, total: int | None = None) -> str:
    """Write a count of real rows or cells: ``"<10"``, or ``"all but <10"`` of a total, if these are some but few."""
    if total is not None and is_small(total - count, least):
        return f"all but <{least}"
    return f"<{least}" if is_small(count, least) else str(count)


@overload
def is_small(count: int, least: int) -> bool: ...
@overload
def is_small(count: np.ndarray, least: int) -> np.ndarray: ...
def is_small(count: int | np.ndarray, least: int) -> bool | np.ndarray:
    """Whether a count of real rows is above 0 and below `least`; elementwise for an array."""
    return (count > 0) & (count < least)


def shown_groups(counts: ArrayLike, least: int, wanted: ArrayLike | None = None) -> np.ndarray:
    """Say which groups of a column can be shown with their exact counts of real rows; the module states the rule.

    Parameters
    ----------
    counts : array_like of int, shape (groups,) or (sides, groups)
        Real rows of each group. Several sides are several sets of real rows whose numbers are known, such as the two
        halves of the holdout, or rows of a group and those of them with an outcome: a group is shown for all sides or
        for none. What is withheld for the first side alone stays withheld whatever follows, so that tables with more
        sides show no group that those with the first one withhold.
    least : int
        Smallest count above 0 that is shown.
    wanted : array_like of bool, shape (groups,), optional
        The others are not shown for another reason; their rows are among those withheld.

    Returns
    -------
    ndarray of bool, shape (groups,)
        True where there are no rows, too: a reader should not see which of the groups that are left out have none.

    Examples
    --------
    >>> shown_groups([640, 110, 20, 3, 0], 10).tolist()
    [True, True, False, False, True]
    """
    sides = np.atleast_2d(np.asarray(counts))
    shown = np.ones(sides.shape[1], dtype=bool)
    for side in sides:
        shown &= ~is_small(side, least)
        _suppress_next_smallest(side, shown, least)
    if wanted is not None:
        shown &= np.asarray(wanted, dtype=bool)
    # Groups that nobody wants, or that are few on another side, may be few together.
    for side in sides:
        _suppress_next_smallest(side, shown, least)
    return shown


def shown_cells(counts: np.ndarray, least: int) -> np.ndarray:
    """Say which cells of a two-way table of real rows can be shown, its margins being known: bool, shape as `counts`.

    The rule of `shown_groups` holds for every row and every column.
    """
    counts = np.asarray(counts)
    shown, before = ~is_small(counts, least), -1
    while before != shown.sum():
        before = shown.sum()
        for line, mask in (*zip(counts, shown, strict=True), *zip(counts.T, shown.T, strict=True)):
            _suppress_next_smallest(line, mask, least)
    return shown


def _suppress_next_smallest(counts: np.ndarray, shown: np.ndarray, least: int) -> None:
    """Withhold the next smallest group, in place, where those withheld are few together; all if that reveals them."""
    candidates = shown & (counts > 0)
    if is_small(counts[~shown].sum(), least) and candidates.any():
        shown[np.flatnonzero(candidates)[np.argmin(counts[candidates])]] = False
    if _solvable(counts, shown, least):
        shown[:] = False


def _solvable(counts: np.ndarray, shown: np.ndarray, least: int) -> bool:
    """Whether the total of the withheld groups and the rule itself leave one solution for those that are small.

    With m groups withheld that have S rows either all are small, or one was taken as the next smallest, with B rows,
    `least` or more and no more than the smallest group shown; then the others have S - B, which is below `least`.
    """
    withheld = counts[~shown & (counts > 0)]
    m, total = len(withheld), withheld.sum()
    if not is_small(withheld, least).any() or (withheld >= least).sum() > 1:
        return False
    if m < total < m * (least - 1):
        return False
    all_small = int(m <= total <= m * (least - 1))
    smallest_shown = counts[shown & (counts > 0)].min(initial=total + 1)
    # Of two equal groups the first is withheld, so that a later one can only have been smaller.
    others = [min(least - 1, total - least) - max(m - 1, total - most) for most in (smallest_shown, smallest_shown - 1)]
    return any(all_small + max(n + 1, 0) == 1 for n in others)


def shown_sets(sets: np.ndarray, least: int, partitions: Sequence[np.ndarray] = ()) -> np.ndarray:
    """Say of which sets of real rows the exact number can be shown, whatever their overlaps; the module has the rule.

    The number of all rows is known, and which sets lie within which. The largest set is looked at first. A set is
    withheld if it, what it leaves of all rows, or what shown sets leave of each other with it is small: differences of
    a set and one or two others within it or all of them, and overlaps of two sets whose union is shown.

    Parameters
    ----------
    sets : ndarray of bool, shape (sets, rows)
    least : int
        Smallest count above 0 that is shown.
    partitions : sequence of ndarray of bool, shape (groups, rows) each
        Groups of columns that other tables show: they do not overlap within a column.

    Returns
    -------
    ndarray of bool, shape (sets,)
    """
    sets = np.asarray(sets, dtype=bool)
    shown = np.zeros(len(sets), dtype=bool)
    for i in np.argsort(-sets.sum(axis=1), kind="stable"):
        known = [np.ones(sets.shape[1], dtype=bool), *sets[shown]]
        found = [sets[i], *_differences(sets[i], known)]
        for groups in partitions:
            within, apart = ~(groups & ~sets[i]).any(axis=1), ~(groups & sets[i]).any(axis=1)
            found.append(sets[i] & ~groups[within].any(axis=0))
            found.append(~sets[i] & ~groups[apart].any(axis=0))
        shown[i] = not any(is_small(rows.sum(), least) for rows in found)
    return shown


def _differences(rows: np.ndarray, known: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Sets whose number of rows follows from that of a set and those of known ones."""

    def within(inner: np.ndarray, outer: np.ndarray) -> bool:
        return not (inner & ~outer).any()

    for other in known:
        if within(rows, other):
            yield other & ~rows
        for one, whole in ((rows, other), (other, rows)):
            inside = [third for third in (rows, *known) if within(third, whole) and not within(whole, third)]
            if within(one, whole) and not within(whole, one):
                yield whole & ~one
                yield whole & ~np.any(inside, axis=0)
        joined = rows | other
        for third in known:
            if within(joined, third):
                if not (rows & other).any():
                    yield third & ~joined
                if within(third, joined):
                    yield rows & other


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


def shown_categories(values: pd.Series, column: Column, least: int, drawn_from: pd.Series | None = None) -> pd.Series:
    """Name the categories of a coded column under which they are shown: category -> itself or "rare (n categories)".

    Parameters
    ----------
    values : Series
        Of real rows.
    column : Column
    least : int
        Categories that `shown_groups` withholds are one, with those that no row has.
    drawn_from : Series, optional
        Those of all rows that these were drawn from without replacement, where both are counted: so is the rest.

    Returns
    -------
    Series
        Empty if a category of a binary column has few rows: either category reveals the other.
    """
    names = pd.Series(column.all_categories, index=column.all_categories, dtype=object)
    sides = [values] if drawn_from is None else [values, drawn_from]
    counts = np.array([side.value_counts().reindex(names.index, fill_value=0) for side in sides])
    counts[1:] -= counts[0]
    shown = shown_groups(counts, least)
    if column.type == "binary":
        return names if shown.all() else names[:0]
    rare = ~shown | (counts[0] == 0)
    if rare.any():
        names[rare] = f"rare ({rare.sum()} {'categories' if rare.sum() > 1 else 'category'})"
    return names


def handed_over(real: pd.DataFrame, codebook: Codebook, name: str, *, least: int) -> set[str]:
    """Categories of a column that the publisher declares, or that enough real patients have; gaps, where it has some.

    Parameters are those of `without_rare_categories`.
    """
    patients = pd.Series(persons(real, codebook)).groupby(real[name].astype(str).to_numpy()).nunique()
    gaps = {GAP_CATEGORY} if real[name].isna().any() else set()
    return {*patients.index[patients >= least], *codebook.columns[name].all_categories, *gaps}


def without_rare_categories(
    table: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, *, least: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Replace the categories that few real patients have where categories are taken from the data, free text above all.

    Categories that the codebook declares reveal nobody: they are the publisher's.

    Parameters
    ----------
    table : DataFrame
        Synthetic clean table.
    real : DataFrame
        The whole clean table, with the column that identifies persons, if the codebook names one.
    codebook : Codebook
        The dataset's own; a category becomes the label of the column's rule for rare ones.
    least : int
        Categories of fewer persons are replaced.

    Returns
    -------
    table : DataFrame
        Categories that were replaced are gone, too.
    cells : dict of int
        Column -> cells replaced, for every column whose categories are taken from the data.
    """
    table, cells = table.copy(), {}
    for name in table:
        rule = codebook.columns[name].rare if name in codebook.columns else None
        if rule is None:
            continue
        named = {*handed_over(real, codebook, name, least=least), rule.label}
        rare = table[name].notna() & ~table[name].isin(named)
        categories = [category for category in table[name].cat.categories if category in named]
        categories += [rule.label] if rule.label not in categories else []
        values = table[name].astype(object).mask(rare, rule.label)
        table[name] = values.astype(pd.CategoricalDtype(categories, ordered=table[name].cat.ordered))
        cells[name] = int(rare.sum())
    return table, cells
