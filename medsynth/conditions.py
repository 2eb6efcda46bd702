"""Conditions on the rows that a generator samples, and on the real rows that they are compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError, nearest

PRESCRIBED = {"prescribed": True, "not prescribed": False}
NOT_GIVEN = ("No", "no")
OPEN = (-np.inf, np.inf)


@dataclasses.dataclass(frozen=True)
class Condition:
    """What one column's values must be: one of some categories, or within a range.

    Attributes
    ----------
    categories : tuple of str
        Allowed categories of a coded column; empty for a numeric one.
    low, high : float
        Smallest and largest allowed value of a numeric column, both included.
    """

    categories: tuple[str, ...] = ()
    low: float = -np.inf
    high: float = np.inf

    def holds(self, values: pd.Series) -> np.ndarray:
        """Say which values meet the condition: bool, shape (rows,)."""
        if self.categories:
            return values.isin(self.categories).to_numpy()
        return values.between(self.low, self.high).to_numpy()


class Conditions(dict[str, Condition]):
    """Conditions on several columns, all of which a row must meet: column -> `Condition`."""

    @classmethod
    def parse(cls, conditions: Mapping[str, Any] | None, codebook: Codebook) -> Self:
        """Read conditions as people write them and check them against the codebook.

        Parameters
        ----------
        conditions : mapping, optional
            Column -> what its values must be. For coded columns a category, or a list of categories. For numeric ones a
            number, or a pair ``(low, high)``, both ends included, with None for an open end. For either
            ``"prescribed"`` (a count above 0; any category but "No") and ``"not prescribed"`` (0; the category "No").
        codebook : Codebook

        Raises
        ------
        InputError
            A column, category or value is not in the codebook.
        """
        wanted = {} if conditions is None else conditions
        if not isinstance(wanted, Mapping):
            raise InputError(f"Conditions must map columns to values (given: {conditions!r}).")
        parsed = {}
        for name, value in wanted.items():
            column = codebook.column(name)
            read = _read_range if column.numeric else _read_categories
            parsed[name] = value if isinstance(value, Condition) else read(name, column, value)
        return cls(parsed)

    def holds(self, table: pd.DataFrame) -> np.ndarray:
        """Say which rows of a table meet every condition: bool, shape (rows,)."""
        held = np.ones(len(table), dtype=bool)
        for name, condition in self.items():
            held &= condition.holds(table[name])
        return held


def _read_categories(name: str, column: Column, value: Any) -> Condition:
    known = column.all_categories
    if isinstance(value, str) and value in PRESCRIBED and value not in known:
        absent = [category for category in NOT_GIVEN if category in known]
        if not absent:
            raise InputError(
                f"The condition '{value}' on '{name}' needs the category 'No', which the column lacks; name its "
                f"categories instead ({', '.join(known)})."
            )
        return Condition(categories=tuple(one for one in known if (one not in absent) == PRESCRIBED[value]))
    categories = [value] if isinstance(value, str | Real) else value
    if not isinstance(categories, Sequence) or not categories:
        raise InputError(f"The condition on '{name}' must be a category or a list of categories (given: {value!r}).")
    # A publisher's number, such as 1 of an admission type, is the text "1" among the categories.
    names = [str(int(one) if isinstance(one, float) and one.is_integer() else one) for one in categories]
    for category in names:
        if category not in known:
            raise InputError(
                f"'{name}' has no category '{category}', which a condition names{nearest(category, known)}"
            )
    return Condition(categories=tuple(names))


def _read_range(name: str, column: Column, value: Any) -> Condition:
    least, most = column.range or (-np.inf, np.inf)
    if isinstance(value, str) and value in PRESCRIBED:
        low, high = (np.nextafter(0, 1), np.inf) if PRESCRIBED[value] else (0.0, 0.0)
    elif isinstance(value, Real) and not isinstance(value, bool):
        low = high = float(value)
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        try:
            low, high = (float(end if end is not None else limit) for end, limit in zip(value, OPEN, strict=True))
        except (TypeError, ValueError):
            raise InputError(f"The range of '{name}' must be two numbers (given: {value!r}).") from None
    else:
        raise InputError(
            f"The condition on '{name}' must be a number, a pair (low, high) or one of {', '.join(PRESCRIBED)} "
            f"(given: {value!r})."
        )
    if not low <= high:
        raise InputError(f"The range of '{name}' is empty: {low:g} to {high:g}.")
    if high < least or low > most:
        raise InputError(
            f"The condition on '{name}' ({low:g} to {high:g}) lies outside the codebook's range {least:g} to {most:g}."
        )
    if column.type == "integer":
        if np.floor(high) < np.ceil(low):
            raise InputError(f"The condition on '{name}' holds no whole number: {low:g} to {high:g}.")
        low, high = float(np.ceil(low)), float(np.floor(high))
    elif column.decimals is not None:
        low, high = ends_written(low, high, column.decimals)
        if low > high:
            raise InputError(
                f"The condition on '{name}' holds no number that the column can have; decimals of its numbers: "
                f"{column.decimals} at most."
            )
    return Condition(low=low, high=high)


def ends_written(low: float, high: float, decimals: int) -> tuple[float, float]:
    """Smallest and largest number of so many decimals within a range; the first is the larger one if there is none."""
    unit = 10.0**-decimals
    least, most = np.round(low, decimals), np.round(high, decimals)
    least = least if least >= low else np.round(least + unit, decimals)
    most = most if most <= high else np.round(most - unit, decimals)
    return float(least), float(most)
