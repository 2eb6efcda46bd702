"""What a raw cell means by the codebook: missing, not applicable, or a value."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.data.notation import plain_numbers
from medsynth.errors import InputError, nearest


def is_missing(values: pd.Series, column: Column, codebook: Codebook) -> pd.Series:
    """Flag the cells of a raw column that hold a code for missing, the column's own or the table's."""
    return _holds(values, [*codebook.raw.missing, *column.missing], column)


def is_not_applicable(values: pd.Series, column: Column) -> pd.Series:
    """Flag the cells of a raw column that hold a code for "not applicable"."""
    return _holds(values, column.not_applicable.codes if column.not_applicable else [], column)


def _holds(values: pd.Series, codes: list[str], column: Column) -> pd.Series:
    """Flag cells that are one of the codes; in a numeric column 99 and 99.0 are the same code."""
    found = values.isin(codes)
    # A date that is kept as a number is no code, whatever its number.
    if column.numeric and not column.counts_dates:
        numbers = pd.to_numeric(pd.Series(codes, dtype=object), errors="coerce").dropna()
        if len(numbers):
            found |= pd.to_numeric(plain_numbers(values, column.notation), errors="coerce").isin(numbers)
    return found


def apply_transform(values: pd.Series, name: str, column: Column) -> pd.Series:
    """Write a column's numbers plainly, and apply the function that the codebook names to its distinct values.

    A column made from several raw ones holds its function's values already (`combine`).

    Raises
    ------
    InputError
        There is no such function, or a value does not fit it.
    """
    if column.numeric or column.transform:
        values = plain_numbers(values, column.notation)
    if not column.transform or column.made_from:
        return values
    function = find_transform(name, column.transform)
    mapped = {}
    for value in values.dropna().unique():
        mapped[value] = _apply(function, (value,), name, column, partial(lambda v: int((values == v).sum()), value))
    return values.map(mapped).astype(values.dtype)


def combine(raw: pd.DataFrame, name: str, codebook: Codebook) -> pd.Series:
    """Make a column from several raw ones by the function that the codebook names; missing if one of them is.

    Raises
    ------
    InputError
        There is no such function, or values do not fit it.
    """
    column = codebook.columns[name]
    function = find_transform(name, column.transform or "")
    gaps = np.logical_or.reduce([is_missing(raw[part], column, codebook) for part in raw.columns])
    rows = list(zip(*(raw[part] for part in raw.columns), strict=True))
    mapped = {}
    for row, gap in zip(rows, gaps, strict=True):
        if not gap and row not in mapped:
            mapped[row] = _apply(function, row, name, column, partial(rows.count, row))
    values = ["" if gap else mapped[row] for row, gap in zip(rows, gaps, strict=True)]
    return pd.Series(values, raw.index, dtype=object)


def find_transform(name: str, transform: str) -> Callable[..., str]:
    """Find the function that the codebook names for a column; `InputError` if there is none."""
    transforms = importlib.import_module("medsynth.preparation.transforms")
    # Its own functions alone: a codebook names no other code.
    known = {f: o for f, o in vars(transforms).items() if getattr(o, "__module__", "") == transforms.__name__}
    if transform not in known or transform.startswith("_"):
        hint = nearest(transform, [f for f in known if not f.startswith("_")])
        raise InputError(f"Column '{name}' names the transform '{transform}'{hint}")
    return known[transform]


def _apply(function: Callable[..., str], values: tuple, name: str, column: Column, count: Callable[[], int]) -> str:
    """Apply a transform to one value of each raw column; say which value does not fit."""
    try:
        return function(*values)
    except (ValueError, IndexError):
        raise InputError(
            f"Column '{name}': {quoted(', '.join(values), int(count()))} does not fit the transform "
            f"'{column.transform}'; correct the table, or declare the cell as missing."
        ) from None


# Text that fewer rows have may say who a patient is.
_LEAST_ROWS = 5
_HARMLESS = re.compile(r"[-+]?[\d.,eE]{1,9}|[-+]?(inf|nan)")


def quoted(text: str, count: int, row: int | None = None) -> str:
    """Say in a message which cells are meant: short numbers and what many rows have by their text, others by place.

    Parameters
    ----------
    text : str
        A raw cell.
    count : int
        Rows that have it.
    row : int, optional
        The first of them, counted from 1.
    """
    if _HARMLESS.fullmatch(text) or (count >= _LEAST_ROWS and len(text) <= 60 and text.isprintable()):
        return f"'{text}' in {count:,} rows"
    where = "" if row is None else f", row {row:,} of the data" + (" first" if count > 1 else "")
    return f"a text in {count:,} rows{where}"
