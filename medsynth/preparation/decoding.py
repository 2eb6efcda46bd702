"""What a raw cell means by the codebook: missing, not applicable, or a value."""

from __future__ import annotations

import importlib

import pandas as pd

from medsynth.codebook import Codebook, Column
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
    if column.numeric:
        numbers = pd.to_numeric(pd.Series(codes, dtype=object), errors="coerce").dropna()
        if len(numbers):
            found |= pd.to_numeric(values, errors="coerce").isin(numbers)
    return found


def apply_transform(values: pd.Series, name: str, column: Column) -> pd.Series:
    """Apply the function that the codebook names to a column's distinct values.

    Raises
    ------
    InputError
        There is no such function, or a value does not fit it.
    """
    if not column.transform:
        return values
    transforms = importlib.import_module("medsynth.preparation.transforms")
    function = getattr(transforms, column.transform, None)
    if function is None:
        known = [f for f in vars(transforms) if not f.startswith("_") and f.islower()]
        raise InputError(f"Column '{name}' names the transform '{column.transform}'{nearest(column.transform, known)}")
    mapped = {}
    for value in values.dropna().unique():
        try:
            mapped[value] = function(value)
        except (ValueError, IndexError) as error:
            raise InputError(
                f"Column '{name}': '{value}' in {(values == value).sum():,} rows does not fit the transform "
                f"'{column.transform}' ({error})."
            ) from None
    return values.map(mapped).astype(values.dtype)
