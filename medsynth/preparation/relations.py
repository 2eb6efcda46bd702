"""Relations between two columns in every row: values that never occur together, numbers in order, bands of a number.

A diagnosis that decides its group, a drug never given with "no drug", a score that is 0 for all outpatients: such cells
of a cross-table are structural zeros and not merely unseen (Agresti 2013, "Categorical data analysis", section 10.6).
A cell that is empty although independence would put `LEAST_EXPECTED` rows there is taken for one. Two numbers are in
order, such as days in intensive care and in hospital, if no row has them the other way round, of which independence
would put as many there. A category is a band of a number, as an age group is, if the numbers of no two categories
overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Arrays = dict[str, np.ndarray]

# By chance such a cell is empty once in 3 million; a wide table has 100,000 cells.
LEAST_EXPECTED = 15
# A number with more distinct values than this takes part by its most frequent value alone.
MOST_VALUES = 32
# Which must be in such a share of the rows.
LEAST_SPIKE = 0.02
# Rows that are looked at before all are.
FIRST_ROWS = 200


class Zeros(NamedTuple):
    """What a column before decides about another.

    Attributes
    ----------
    before : str
    possible : ndarray of bool, shape (values of the column before, values of the other)
    """

    before: str
    possible: np.ndarray


class Order(NamedTuple):
    """A column before whose numbers no row exceeds, or falls below.

    Attributes
    ----------
    before : str
    sign : int
        1 where the column's own number is never the smaller one, -1 where it is never the larger one.
    """

    before: str
    sign: int

    def sorted(self, own: str) -> tuple[str, str]:
        """The column of the smaller numbers, and that of the larger ones; `own` is the column that has this order."""
        return (self.before, own) if self.sign > 0 else (own, self.before)


class Bands(NamedTuple):
    """A column before with which this one makes bands: one is a number, and each category of the other a range of it.

    Attributes
    ----------
    before : str
    low, high : ndarray of float, shape (categories,)
        Ends of the range of each category, which belong to it.
    """

    before: str
    low: np.ndarray
    high: np.ndarray


class Relations:
    """Structural zeros, orders and bands between each column and those before it.

    Attributes
    ----------
    marks_ : dict of ndarray
        Column -> numbers that count as values of their own, ascending, or categories that so many rows have that a
        structural zero could be seen. What is none of them is one further value. A gap is one of them, -infinity.
    zeros_ : dict of list of Zeros
        Column -> what the columns before it decide.
    orders_ : dict of list of Order
        Number -> its order to numbers before it.
    bands_ : dict of list of Bands
        Column -> numbers before it whose bands it names, or columns before it that name its bands.
    coded_ : dict of bool
        Column -> whether it is coded.
    """

    def __init__(self) -> None:
        self.bands_: dict[str, list[Bands]] = {}
        self.coded_: dict[str, bool] = {}
        self.marks_: Arrays = {}
        self.zeros_: dict[str, list[Zeros]] = {}
        self.orders_: dict[str, list[Order]] = {}

    def content(self) -> dict[str, dict[str, Any]]:
        """All of it as arrays and numbers by the names of columns, for a file."""
        return {
            "marks": self.marks_,
            "zeros": {name: dict(found) for name, found in self.zeros_.items()},
            "orders": {name: dict(found) for name, found in self.orders_.items()},
            "bands": {name: {b: np.stack(ends) for b, *ends in found} for name, found in self.bands_.items()},
            "coded": self.coded_,
        }

    @classmethod
    def of_content(cls, content: dict[str, dict[str, Any]]) -> Relations:
        """Make relations from what `content` gave."""
        read = cls()
        read.marks_ = dict(content["marks"])
        read.zeros_ = {name: [Zeros(*one) for one in found.items()] for name, found in content["zeros"].items()}
        read.orders_ = {name: [Order(*one) for one in found.items()] for name, found in content["orders"].items()}
        # Models of earlier versions have none.
        bands = content.get("bands", {})
        read.bands_ = {name: [Bands(b, *ends) for b, ends in found.items()] for name, found in bands.items()}
        read.coded_ = dict(content.get("coded", {}))
        return read

    @classmethod
    def find(cls, values: Arrays, order: Sequence[str], categories: dict[str, int]) -> Relations:
        """Find the structural zeros of training rows.

        Parameters
        ----------
        values : dict of ndarray
            Column -> numbers, or numbers of categories, (rows,).
        order : sequence of str
            The visit sequence.
        categories : dict of int
            Column -> how many categories it has; 0 for a number.
        """
        marks = {name: _marks(values[name], categories[name]) for name in order}
        found = cls()
        found.marks_ = marks
        codes = {name: found._codes(name, values[name]) for name in order}
        for place, name in enumerate(order):
            found.zeros_[name], size = [], len(marks[name]) + 1
            for b in order[:place]:
                rare = bool(categories[b]), bool(categories[name])
                possible = _possible_either_way(codes[b], len(marks[b]) + 1, codes[name], size, rare)
                if not possible.all():
                    found.zeros_[name].append(Zeros(b, possible))
            numbers = [] if categories[name] else [b for b in order[:place] if not categories[b]]
            signs = ((b, order_of(values[b], values[name])) for b in numbers)
            found.orders_[name] = [Order(b, sign) for b, sign in signs if sign]
            found.coded_[name] = bool(categories[name])
            found.bands_[name] = []
            for b in order[:place]:
                if bool(categories[b]) != bool(categories[name]):
                    number, coded = (b, name) if categories[name] else (name, b)
                    if ends := bands_of(values[number], values[coded], categories[coded]):
                        found.bands_[name].append(Bands(b, *ends))
        return found

    def _codes(self, name: str, values: np.ndarray) -> np.ndarray:
        """Number values: of a mark its place, of any other the number of marks."""
        marks = self.marks_[name]
        place = np.minimum(np.searchsorted(marks, values), max(len(marks) - 1, 0))
        return np.where(marks[place] == values, place, len(marks)) if len(marks) else np.zeros(len(values), dtype=int)

    def holds(self, name: str, drawn: np.ndarray, before: Arrays, rows: np.ndarray) -> np.ndarray:
        """Say which values of a column may stand beside those of the columns before it.

        Parameters
        ----------
        name : str
        drawn : ndarray, shape (n,)
        before : dict of ndarray
            Column -> values, (rows,).
        rows : ndarray of int, shape (n,)
            Row of each value.
        """
        fits = np.ones(len(drawn), dtype=bool)
        code = self._codes(name, drawn)
        for b, possible in self.zeros_[name]:
            fits &= possible[self._codes(b, before[b][rows]), code]
        return fits & self.in_order(name, drawn, before, rows)

    def ordered_with(self, name: str) -> list[str]:
        """Columns before a column that `in_order` looks at."""
        return [*(b for b, _ in self.orders_.get(name, [])), *(b for b, *_ in self.bands_.get(name, []))]

    def in_order(self, name: str, drawn: np.ndarray, before: Arrays, rows: np.ndarray) -> np.ndarray:
        """Say which values are in order with those of the columns before, and in their bands; see `holds`.

        A gap is on any side and in any band.
        """
        fits = np.ones(len(drawn), dtype=bool)
        for b, low, high in self.bands_.get(name, []):
            code, number = (drawn, before[b][rows]) if self.coded_[name] else (before[b][rows], drawn)
            fits &= ((number >= low[code]) & (number <= high[code])) | ~np.isfinite(number)
        for b, sign in self.orders_.get(name, []):
            other = before[b][rows]
            fits &= (sign * drawn >= sign * other) | ~np.isfinite(drawn) | ~np.isfinite(other)
        return fits


def order_of(one: np.ndarray, other: np.ndarray) -> int:
    """Say how two numbers are always in order.

    Parameters
    ----------
    one, other : ndarray of float, shape (rows,)
        A row with a gap, which is no finite number, says nothing.

    Returns
    -------
    int
        1 if `other` is never the smaller one, -1 if it is never the larger one, 0 if either happens, or if so few rows
        have them out of order by chance that it may be chance.
    """
    known = np.isfinite(one) & np.isfinite(other)
    one, other = one[known], other[known]
    if not len(one):
        return 0
    for sign in (1, -1):
        small, large = np.sort(sign * one), sign * other
        if (sign * one <= large).all() and small[0] < small[-1]:
            above = len(small) - np.searchsorted(small, large, side="right")
            return sign if above.mean() >= LEAST_EXPECTED else 0
    return 0


def bands_of(numbers: np.ndarray, codes: np.ndarray, categories: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the range of a number in each category: lowest and highest, (categories,); None if they overlap.

    Parameters
    ----------
    numbers : ndarray of float, shape (rows,)
        A row with a gap, which is no finite number, says nothing.
    codes : ndarray of int, shape (rows,)
    categories : int
        A category without numbers has no range: any number is in it.
    """
    known = np.isfinite(numbers)
    numbers, codes = numbers[known], codes[known]
    # The first rows tell of most columns that there are no bands.
    for n in (FIRST_ROWS, len(numbers)):
        low, high = np.full(categories, np.inf), np.full(categories, -np.inf)
        np.minimum.at(low, codes[:n], numbers[:n])
        np.maximum.at(high, codes[:n], numbers[:n])
        there = np.flatnonzero(low <= high)
        ascending = there[np.argsort(low[there])]
        if (high[ascending][:-1] >= low[ascending][1:]).any():
            return None
    if len(there) < 2:
        return None
    counts = np.bincount(codes, minlength=categories)[there]
    in_order = np.sort(numbers)
    inside = np.searchsorted(in_order, high[there], "right") - np.searchsorted(in_order, low[there], "left")
    if counts @ (1 - inside / len(numbers)) < LEAST_EXPECTED:
        return None
    return np.where(low <= high, low, -np.inf), np.where(low <= high, high, np.inf)


def _marks(values: np.ndarray, categories: int) -> np.ndarray:
    """Values that count: categories of enough rows, few numbers, or a spike."""
    distinct, counts = np.unique(values, return_counts=True)
    if categories:
        return distinct[counts >= LEAST_EXPECTED]
    if len(distinct) <= MOST_VALUES:
        return distinct
    # A gap, which lies below all numbers, is a value of its own.
    gap = np.isneginf(distinct)
    spike = np.argmax(np.where(gap, 0, counts))
    return distinct[gap | ((np.arange(len(distinct)) == spike) & (counts >= LEAST_SPIKE * len(values)))]


def _possible_either_way(
    before: np.ndarray, n_before: int, codes: np.ndarray, n_codes: int, rare: tuple[bool, bool]
) -> np.ndarray:
    """Cells that are no structural zeros whichever column comes first: what holds depends on no visit sequence.

    For `rare` see `possible_cells`.
    """
    forth, _ = possible_cells(before, n_before, codes, n_codes, rare=rare)
    back, _ = possible_cells(codes, n_codes, before, n_before, rare=rare[::-1])
    return forth & back.T


def possible_cells(
    before: np.ndarray, n_before: int, codes: np.ndarray, n_codes: int, *, rare: tuple[bool, bool] = (False, False)
) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a cross-table that are no structural zeros, and rows that independence would put into each.

    Parameters
    ----------
    before, codes : ndarray of int, shape (rows,)
        From 0.
    n_before, n_codes : int
        How many there can be.
    rare : tuple of bool
        Of which of the two the last code stands for all categories of fewer than `LEAST_EXPECTED` rows. None of them
        has a structural zero of its own.

    Returns
    -------
    ndarray of bool, ndarray of float, shape (n_before, n_codes)
    """
    seen = np.bincount(before * n_codes + codes, minlength=n_before * n_codes).reshape(n_before, n_codes)
    rows, columns = seen.sum(1), seen.sum(0)
    expected = np.outer(rows, columns) / len(codes)
    possible = (seen > 0) | (expected < LEAST_EXPECTED)
    possible[:, -1] |= rare[1]
    # One value alone: then all others together are what would be expected.
    alone = ((seen > 0).sum(1) == 1) & (rows - expected[np.arange(n_before), seen.argmax(1)] >= LEAST_EXPECTED)
    if rare[1]:
        alone &= seen[:, -1] == 0
    possible[alone] = seen[alone] > 0
    possible[-1] |= rare[0]
    return possible, expected
