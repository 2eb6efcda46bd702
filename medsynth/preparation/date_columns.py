"""Dates that the clean table keeps as numbers, and back.

A column of type integer whose `notation` has a form of dates holds a number for each date: days since 1970, or minutes
or seconds where a time is written; a time of day is counted from midnight. With ``since`` it is counted from another
date of its row instead. So a stay keeps its length, and in synthetic rows as in real ones it ends after it begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Notation
from medsynth.errors import InputError
from medsynth.preparation.decoding import is_missing, is_not_applicable, quoted

_START = datetime(1970, 1, 1)
# Where no year is written, Python reads it as 1900.
_START_WITHOUT_YEAR = datetime(1900, 1, 1)
_LAST = datetime.max.replace(microsecond=0)
_UNITS = {86_400: "days", 60: "minutes", 1: "seconds"}


def unit_of(form: str) -> str:
    """Unit in which dates of a form are counted.

    >>> unit_of("%d.%m.%Y"), unit_of("%Y-%m-%d %H:%M")
    ('days', 'minutes')
    """
    return _UNITS[_seconds(form)]


def has_year(form: str) -> bool:
    """Whether dates of a form lie in a calendar: a time of day does not."""
    return Notation(date=form).has_year


def number_dates(raw: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Write numbers for the dates of a raw table that the codebook keeps.

    Parameters
    ----------
    raw : DataFrame
        Text, under clean names.
    codebook : Codebook

    Returns
    -------
    DataFrame
        As text; codes for missing and "not applicable" stay as they are.

    Raises
    ------
    InputError
        A cell is no date of its column's form, or is counted from a date that its row lacks.
    """
    counted = [name for name, column in codebook.columns.items() if column.counts_dates and not column.drop]
    moments = {name: _read(raw, name, codebook) for name in counted}
    numbered = {}
    for name in counted:
        column = codebook.columns[name]
        form = column.notation.date or ""
        numbers = as_numbers(moments[name], form)
        if column.since:
            base = as_numbers(moments[column.since], form)
            lacking = numbers.notna() & base.isna()
            if lacking.any():
                raise InputError(
                    f"{codebook.raw_name(name)} of {codebook.name} is counted from {codebook.raw_name(column.since)}, "
                    f"which {lacking.sum():,} rows lack; take 'since' out of the codebook, or name another date there."
                )
            numbers = numbers - base
        # With a point, so that no number is written as a code such as 9999 is.
        cells = zip(raw[name], numbers, numbers.notna(), strict=True)
        written = [f"{number:.1f}" if known else cell for cell, number, known in cells]
        numbered[name] = pd.Series(written, raw.index, dtype=object)
    return raw.assign(**numbered)


def moments_of(table: pd.DataFrame, name: str, codebook: Codebook) -> pd.Series:
    """Moments of the numbers of a clean table; a gap where a number or the date that it is counted from has none.

    Parameters
    ----------
    table : DataFrame
        Has the column and those that it is counted from, by number.
    name : str
    codebook : Codebook
        The dataset's own.
    """
    column = codebook.columns[name]
    form = column.notation.date or ""
    numbers = pd.to_numeric(table[name]).astype("float64")
    if column.since:
        numbers = numbers + as_numbers(moments_of(table, column.since, codebook), form)
    start, unit = _start(form), _seconds(form)
    # Dates end where Python's do.
    seconds = (numbers * unit).clip((datetime.min - start).total_seconds(), (_LAST - start).total_seconds())
    moments = [None if gap else start + timedelta(seconds=number) for number, gap in _with_gaps(seconds)]
    return pd.Series(moments, numbers.index, dtype=object)


def as_numbers(moments: pd.Series, form: str) -> pd.Series:
    """Count moments from the start of 1970, or of the day or year where no year is written; a gap is NaN.

    The unit is that of the form.
    """
    seconds, start = _seconds(form), _start(form)
    counted = [np.nan if gap else (moment - start).total_seconds() // seconds for moment, gap in _with_gaps(moments)]
    return pd.Series(counted, moments.index, dtype="float64")


def read_moments(cells: pd.Series, form: str) -> pd.Series:
    """Read dates; a gap where a cell has another form or a time zone.

    Not as timestamps of pandas, which end in the year 2262.
    """
    # What leaves out leading zeros (%-d) is for writing alone.
    form = form.replace("%-", "%")
    known = {}
    for cell in cells.dropna().unique():
        try:
            known[cell] = datetime.strptime(cell, form)
        except ValueError:
            continue
        if known[cell].tzinfo is not None:
            del known[cell]
    return pd.Series([known.get(cell) for cell in cells], cells.index, dtype=object)


def _read(raw: pd.DataFrame, name: str, codebook: Codebook) -> pd.Series:
    """Moments of a column; codes for missing and "not applicable" are gaps."""
    column = codebook.columns[name]
    gaps = is_missing(raw[name], column, codebook) | is_not_applicable(raw[name], column)
    cells = raw[name].mask(gaps)
    moments = read_moments(cells, column.notation.date or "")
    wrong = cells[cells.notna() & moments.isna()]
    if len(wrong):
        cell = wrong.iloc[0]
        first = int((raw[name] == cell).to_numpy().argmax()) + 1
        raise InputError(
            f"{codebook.raw_name(name)} of {codebook.name} has values that are no dates as {column.notation.date}: "
            f"{quoted(cell, int((wrong == cell).sum()), first)}; correct the table, or declare them as missing."
        )
    return moments


def _with_gaps(values: pd.Series) -> Iterator[tuple[Any, bool]]:
    """Values, and whether each is a gap. (`Series.map` makes timestamps of objects if it can.)"""
    return zip(values, values.isna(), strict=True)


def _seconds(form: str) -> int:
    """Seconds of the unit in which dates of a form are counted."""
    form = form.replace("%-", "%")
    if any(part in form for part in ("%S", "%c", "%X", "%T")):
        return 1
    return 60 if any(part in form for part in ("%H", "%I", "%M", "%R")) else 86_400


def _start(form: str) -> datetime:
    """The moment of number 0."""
    return _START if has_year(form) else _START_WITHOUT_YEAR
