"""Conditions as people write them on a command line, on a file's own headers and codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.conditions import OPEN, PRESCRIBED, Conditions
from medsynth.data.notation import to_plain
from medsynth.errors import InputError, nearest


def read_conditions(given: Mapping[str, Any] | Iterable[str] | None, codebook: Codebook) -> dict[str, Any]:
    """Read conditions on headers or clean names, and on codes or categories.

    Parameters
    ----------
    given : mapping or iterable of str, optional
        Column -> value, or texts: ``"sex=female"``, ``"age=50..60"`` (an end may be open: ``"age=80.."``).
    codebook : Codebook

    Returns
    -------
    dict
        Clean name -> value, as `medsynth.conditions.Conditions.parse` takes it.

    Raises
    ------
    InputError
        A text is no condition, a column is not there or has two conditions, or a value does not fit.
    """
    pairs = list(given.items()) if isinstance(given, Mapping) else [_halves(text) for text in given or ()]
    wanted: dict[str, Any] = {}
    for where, value in pairs:
        name = column_of(where, codebook)
        column = codebook.columns[name]
        if column.drop or column.counts_dates or column.type in ("date", "identifier"):
            why = column.drop or f"it is of the type {'date' if column.counts_dates else column.type}"
            raise InputError(f"The column '{where}' takes no condition: {why}.")
        if name in wanted:
            raise InputError(f"There are two conditions on '{where}'; give one.")
        wanted[name] = _value(value, where, column) if isinstance(value, str) else value
    Conditions.parse(wanted, _with_known(codebook, wanted))
    return wanted


def column_of(word: str, codebook: Codebook) -> str:
    """Find a column by its clean name or by its header in the raw table, regardless of case."""
    headers = {raw: name for name in reversed(codebook.columns) for raw in codebook.raw_names(name)}
    several = [name for name, column in codebook.columns.items() if column.numeric and word in codebook.raw_names(name)]
    if len(several) > 1 and word not in codebook.columns:
        raise InputError(f"The column '{word}' becomes several, {', '.join(several)}; ask for one of these.")
    for known in ({name: name for name in codebook.columns}, headers):
        if word in known:
            return known[word]
    folded = {header.strip().casefold(): name for header, name in headers.items()}
    if word.strip().casefold() in folded:
        return folded[word.strip().casefold()]
    raise InputError(f"The table has no column '{word}'{nearest(word, [*codebook.columns, *headers])}")


def category_of(word: str, column: Column) -> str:
    """Find a category by its name or its raw code, regardless of case; what is neither stays as it is."""
    if word in column.all_categories or word in column.codes:
        return word if word in column.all_categories else column.codes[word]
    alike = [category for category in column.all_categories if category.casefold() == word.casefold()]
    return alike[0] if len(alike) == 1 else word


def asked_of(value: Any) -> list[Any]:
    """The categories that a condition asks for, one or several."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def _halves(text: str) -> tuple[str, str]:
    """Split a text at its first equals sign."""
    name, sign, value = text.partition("=")
    if not (sign and name.strip() and value.strip()):
        raise InputError(f"'{text}' is no condition; write COLUMN=VALUE or COLUMN=LOW..HIGH.")
    return name.strip(), value.strip()


def _value(text: str, where: str, column: Column) -> Any:
    """Read the value of a condition."""
    if not column.numeric:
        return _between(text, where, column) or category_of(text, column)
    if text in PRESCRIBED:
        return text
    if ".." not in text:
        return _number(text, where, column)
    low, high = (_number(end, where, column) if end.strip() else None for end in text.split("..", 1))
    return [low, high]


def _between(text: str, where: str, column: Column) -> list[str]:
    """Categories that are numbers within a range, such as counts that are few; none if the text is no range of them."""
    categories = column.all_categories
    numbers = pd.to_numeric(pd.Series(categories, dtype=object), errors="coerce")
    if ".." not in text or text in categories or numbers.empty or numbers.isna().any():
        return []
    ends = [
        _number(end, where, column) if end.strip() else limit
        for end, limit in zip(text.split("..", 1), OPEN, strict=True)
    ]
    return [category for category, inside in zip(categories, numbers.between(*ends), strict=True) if inside]


def _number(text: str, where: str, column: Column) -> float:
    """Read a number as the column writes it, or plainly."""
    plain = to_plain(text, column.notation)
    try:
        return float(text if plain is None else plain)
    except ValueError:
        raise InputError(f"The condition on '{where}' must be a number or LOW..HIGH (given: '{text}').") from None


def _with_known(codebook: Codebook, wanted: dict[str, Any]) -> Codebook:
    """Let the categories of a column whose own are read off the data pass; they are checked when it is known."""
    unknown = [name for name in wanted if not codebook.columns[name].numeric and codebook.columns[name].rare]
    columns = {
        name: column.model_copy(update={"categories": [*column.categories, *map(str, asked_of(wanted[name]))]})
        if name in unknown
        else column
        for name, column in codebook.columns.items()
    }
    return codebook.model_copy(update={"columns": columns})
