"""From a synthetic clean table back to the raw table's headers and codes, with a data dictionary.

The way back of `medsynth.preparation.cleaning`: what cleaning and imputation decided cannot be undone (a rare category
that was grouped stays in its group, a gap that was filled stays filled), and nothing is made up. A header that
nothing can fill is left out of the file, and the dictionary says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from medsynth.codebook import GAP_CATEGORY, MAX_DECIMALS, Codebook, Column, Restored
from medsynth.data.notation import plain_numbers, to_written
from medsynth.errors import InputError
from medsynth.preparation.date_columns import moments_of
from medsynth.preparation.decoding import find_transform

# Continuous columns have the raw table's decimals, and never more than these.
MOST_DECIMALS = 4
# The end of the name of an imputer's flags.
FLAG = "_missing"
# Longer lists of categories would fill a page of the dictionary.
MOST_CATEGORIES = 25


def restore(
    table: pd.DataFrame, codebook: Codebook, raw: Mapping[str, pd.DataFrame], dropped: Mapping[str, str]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Write synthetic rows as the raw tables are written.

    Coded columns get the first raw code of each category, "not applicable" its code; numbers have the raw table's
    decimals; headers under ``restored`` in the codebook are made by the inverse transforms that it names. Identifiers
    are counted from the next power of ten above the largest of the raw table, so that no row has a real patient's and
    every row is a person of its own.

    Parameters
    ----------
    table : DataFrame
        Synthetic clean table, n rows.
    codebook : Codebook
        The dataset's own (that cleaning went by), not one that was resolved.
    raw : mapping of DataFrame
        Name of a file to write -> the raw table that it looks like, as `medsynth.data.reading.read_table` gives it, the
        main one first. Headers, decimals and the magnitude of identifiers are taken from it, no values.
    dropped : mapping of str
        Clean column -> why cleaning dropped it (`reasons`).

    Returns
    -------
    tables : dict of DataFrame
        File name -> n rows under the raw headers, in their order, without those that nothing can fill.
    dictionary : DataFrame
        One row a raw header: file, header, in_file ("yes", "no"), column (of the clean table), type, unit, values,
        origin (what fills it, or why it is left out), description.

    Raises
    ------
    InputError
        The codebook names an unknown transform, or values do not fit it.
    """
    entries, tables = [], {}
    for file, cells in raw.items():
        filled = {}
        for header in cells.columns:
            names = _columns_of(header, codebook, list(cells.columns))
            values, origin = _fill(header, names, table, codebook, raw, dropped)
            entries.append({"file": file, **_describe(header, names, table, codebook, values is not None, origin)})
            if values is not None:
                filled[header] = values
        tables[file] = pd.DataFrame(filled, index=pd.RangeIndex(len(table)))
    return tables, pd.DataFrame(entries)


def holds_numbers(header: str, headers: list[str], codebook: Codebook) -> bool:
    """Whether `restore` writes nothing but numbers under a header, so that ``-1,5`` is no formula of a sheet."""
    names = _columns_of(header, codebook, headers)
    columns = [codebook.columns[name] for name in names]
    numbers = all(column.numeric and not column.counts_dates for column in columns)
    return bool(names) and _rule(header, codebook) is None and numbers


def reasons(cleaning: pd.DataFrame) -> dict[str, str]:
    """Read off a cleaning report why each column was dropped: column -> reason."""
    rules = cleaning[cleaning["rule"].str.startswith("dropped: ")]
    return dict(zip(rules["column"], rules["rule"].str.removeprefix("dropped: "), strict=True))


def _columns_of(header: str, codebook: Codebook, headers: list[str]) -> list[str]:
    """Clean columns that a raw header feeds, alone or with others.

    Headers are found regardless of case, but where another of the file's is spelt as the codebook has it.
    """
    fed = {name: codebook.raw_names(name) for name in codebook.columns}
    return [
        name
        for name, own in fed.items()
        if header in own or _folded(header) in {_folded(other) for other in own if other not in headers}
    ]


def _folded(header: str) -> str:
    """A header without case and surrounding blanks."""
    return header.strip().casefold()


def _fill(
    header: str,
    names: list[str],
    table: pd.DataFrame,
    codebook: Codebook,
    raw: Mapping[str, pd.DataFrame],
    dropped: Mapping[str, str],
) -> tuple[pd.Series | np.ndarray | None, str]:
    """Fill a raw header and say with what; None and the reason if nothing can."""
    rule = _rule(header, codebook)
    if rule:
        absent = [name for name in rule.made_from if name not in table]
        if absent:
            return None, f"left out: {_absence(absent, dropped)}"
        return _by_transform(header, rule, table, codebook), f"{rule.transform} of {', '.join(rule.made_from)}"
    if any(codebook.columns[name].type == "identifier" for name in names):
        fresh = _fresh_identifiers(header, len(table), raw)
        return fresh, "fresh identifiers, none of the raw table's; one person a row"
    for name in names:
        column = codebook.columns[name]
        if name not in table or column.transform or column.type == "date":
            continue
        if absent := [other for other in codebook.counted_from(name) if other not in table]:
            return None, f"left out: {_absence(absent, dropped)}"
        if column.counts_dates:
            return _dates(name, column, table, codebook)
        if column.numeric:
            return _numbers(name, column, table, codebook, _cells(header, raw))
        return _codes(name, column, table, codebook)
    if not names:
        return None, "left out: the codebook does not describe it"
    made = {name: codebook.columns[name].transform for name in names if name in table}
    why = [f"'{name}' is made by {transform}, which has no inverse" for name, transform in made.items()]
    why += [_absence([name], dropped) for name in names if name not in table]
    return None, f"left out: {'; '.join(why)}"


def _rule(header: str, codebook: Codebook) -> Restored | None:
    """How the codebook restores a header, if it says so."""
    own = codebook.restored.get(header)
    return own or next((r for h, r in codebook.restored.items() if _folded(h) == _folded(header)), None)


def _absence(names: list[str], dropped: Mapping[str, str]) -> str:
    """Say why columns are not in the clean table."""
    return "; ".join(f"'{name}' dropped in cleaning: {dropped.get(name, 'not in the clean table')}" for name in names)


def _cells(header: str, raw: Mapping[str, pd.DataFrame]) -> pd.Series:
    """Every raw cell under a header, of all raw tables that have it."""
    found = [t[own] for t in raw.values() for own in t.columns if own == header]
    found = found or [t[own] for t in raw.values() for own in t.columns if _folded(own) == _folded(header)]
    return pd.concat(found, ignore_index=True)


def _by_transform(header: str, rule: Restored, table: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Make a header's cells by an inverse transform, row by row; a gap in one of its columns is a gap."""
    function = find_transform(header, rule.transform)
    column = codebook.columns[rule.made_from[0]]
    gaps = table[rule.made_from].isna().any(axis=1)
    parts = [table[name].astype(object if table[name].dtype.kind in "if" else str) for name in rule.made_from]
    cells = []
    for gap, *values in zip(gaps, *parts, strict=True):
        if gap:
            cells.append(_code_for_missing(column, codebook))
            continue
        try:
            cells.append(to_written(function(*values), column.notation))
        except (TypeError, ValueError, OverflowError) as error:
            shown = ", ".join(map(str, values))
            raise InputError(f"{header}: '{shown}' does not fit the transform '{rule.transform}' ({error}).") from None
    return pd.Series(cells, dtype=object)


def _fresh_identifiers(header: str, rows: int, raw: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Count identifiers from the next power of ten above the largest raw one; text ones get a prefix of their own."""
    taken = _cells(header, raw)
    taken = taken[taken != ""].unique()
    if all(cell.isdecimal() for cell in taken):
        first = 10 ** len(str(max(map(int, taken), default=0)))
        return np.arange(first, first + rows)
    prefix = "synthetic-"
    while any(cell.startswith(prefix) for cell in taken):
        prefix = f"new-{prefix}"
    return np.array([f"{prefix}{number}" for number in range(1, rows + 1)], dtype=object)


def _numbers(
    name: str, column: Column, table: pd.DataFrame, codebook: Codebook, cells: pd.Series
) -> tuple[pd.Series, str]:
    """Write numbers with as many decimals as the raw table has."""
    values = table[name].reset_index(drop=True)
    gap = _flagged(name, table, codebook) | values.isna()
    decimals = 0 if column.type == "integer" and not column.notation.fixed else column.notation.decimals
    if decimals is None:
        decimals = _decimals(plain_numbers(cells, column.notation))
    if decimals <= MAX_DECIMALS:
        values = values.round(decimals)
    values = values if decimals else values.mask(gap, 0).astype("int64")
    as_text = not column.notation.plain or column.notation.fixed
    if as_text:
        texts = [f"{value:.{decimals}f}" if column.notation.fixed else str(value) for value in values.tolist()]
        values = pd.Series([to_written(text, column.notation) for text in texts], values.index, dtype=object)
    values = _with_gaps(values, gap, column, table, codebook)
    shown = f"{decimals} decimals" if decimals <= MAX_DECIMALS else "all decimals"
    return values, shown if decimals else "whole numbers"


def _dates(name: str, column: Column, table: pd.DataFrame, codebook: Codebook) -> tuple[pd.Series, str]:
    """Write the dates that numbers stand for."""
    form = column.notation.date or ""
    numbers = {
        own: table[own].reset_index(drop=True).mask(_flagged(own, table, codebook))
        for own in (name, *codebook.counted_from(name))
    }
    moments = moments_of(pd.DataFrame(numbers), name, codebook)
    texts = pd.Series([moment.strftime(form) if moment else "" for moment in moments], dtype=object)
    return _with_gaps(texts, moments.isna(), column, table, codebook), f"dates as {form}"


def _with_gaps(values: pd.Series, gap: pd.Series, column: Column, table: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Write codes where a numeric column has no value: for missing, or for "not applicable" where that is why."""
    if not gap.any():
        return values
    values = values.astype(object).mask(gap, _code_for_missing(column, codebook))
    rule = column.no_value_when
    if rule and rule.codes and set(rule.when) <= set(table.columns):
        values = values.mask(rule.holds(table), rule.codes[0])
    return values


def _decimals(cells: pd.Series) -> int:
    """Most decimals that a raw column's cells have, `MOST_DECIMALS` at most."""
    distinct = pd.Series(cells.unique())
    if distinct.str.fullmatch(r"[-+]?[\d.]+[eE][-+]?\d+").any():
        return MOST_DECIMALS
    digits = distinct.str.extract(r"^[-+]?\d*\.(\d+)$", expand=False).dropna().str.rstrip("0").str.len()
    return min(int(digits.max()), MOST_DECIMALS) if len(digits) else 0


def _codes(name: str, column: Column, table: pd.DataFrame, codebook: Codebook) -> tuple[pd.Series, str]:
    """Write categories as raw codes; a category that cleaning made of several raw values (a group) stays what it is."""
    categories = table[name].astype(str).reset_index(drop=True)
    back = {category: category for category in column.categories}
    # Of several codes for one category, the first that the codebook names.
    back |= {category: code for code, category in reversed(column.codes.items())}
    cells = categories.map(back).fillna(categories)
    gap = _flagged(name, table, codebook) | table[name].isna().reset_index(drop=True)
    for category in (column.missing_category, GAP_CATEGORY if GAP_CATEGORY not in column.all_categories else None):
        if category is not None and category not in back:
            gap |= categories == category
    cells = cells.mask(gap, _code_for_missing(column, codebook))
    rule = column.not_applicable
    if rule:
        arises_not = categories == rule.category
        if rule.category in back:
            for other, given in rule.deciding().items():
                # A condition that nobody can look up does not hold.
                arises_not &= table[other].astype(str).isin(given).to_numpy() if other in table else False
        cells = cells.mask(arises_not, rule.codes[0] if rule.codes else _code_for_missing(column, codebook))
    origin = "codes of the raw table" if column.codes else "values as in the raw table"
    if column.rare and (categories == column.rare.label).any():
        origin += f"; '{column.rare.label}' stands for rare ones, grouped in cleaning"
    return cells, origin


def _flagged(name: str, table: pd.DataFrame, codebook: Codebook) -> pd.Series:
    """Flag cells that the generator drew as missing, in a flag column that imputation added."""
    flag = f"{name}{FLAG}"
    if flag not in table or flag in codebook.columns:
        return pd.Series(False, pd.RangeIndex(len(table)))
    return (table[flag].astype(str) == "yes").reset_index(drop=True)


def _code_for_missing(column: Column, codebook: Codebook) -> str:
    """Write a missing cell: empty where that means missing, else the first code that does."""
    codes = [*column.missing, *codebook.raw.missing]
    return "" if "" in codes or not codes else codes[0]


def _describe(
    header: str, names: list[str], table: pd.DataFrame, codebook: Codebook, written: bool, origin: str
) -> dict[str, str]:
    """Make a header's row of the dictionary."""
    columns = [codebook.columns[name] for name in names]
    # A flag of who has a date is no other column of the file.
    columns = [column for column in columns if column.counts_dates] or columns
    alone = columns[0] if len(columns) == 1 else None
    kept = [name for name in names if name in table]
    rule = _rule(header, codebook)
    return {
        "header": header,
        "in_file": "yes" if written else "no",
        "column": ", ".join(rule.made_from if rule else kept or names),
        "type": "" if alone is None else "date" if alone.counts_dates else alone.type,
        "unit": alone.unit if alone and not alone.counts_dates else "",
        "values": _values(alone, table[kept[0]] if kept else None) if alone and written else "",
        "origin": origin,
        "description": rule.description if rule else "; ".join(filter(None, (c.description for c in columns))),
    }


def _values(column: Column, values: pd.Series | None) -> str:
    """Say which values a column may have: codes with their categories, categories, or a range."""
    if column.numeric:
        codes = [f"{code} = not applicable" for code in column.not_applicable.codes] if column.not_applicable else []
        if column.counts_dates:
            return "; ".join(codes)
        return "; ".join([*([f"{column.range[0]:g} to {column.range[1]:g}"] if column.range else []), *codes])
    if column.type == "identifier" or column.type == "date" or values is None:
        return ""
    codes = [f"{code} = {category}" for code, category in column.codes.items()]
    if column.not_applicable:
        codes += [f"{code} = {column.not_applicable.category} (not applicable)" for code in column.not_applicable.codes]
    shown = codes if column.codes else [str(category) for category in values.cat.categories]
    return "; ".join(shown) if len(shown) <= MOST_CATEGORIES else f"{len(shown)} values"


def file_names(codebook: Codebook, file: str) -> list[str]:
    """Names of an export's files: `file` for the main raw table, and one for each that is joined onto it."""
    return [
        file,
        *(f"{Path(file).stem}_{Path(other).name.split('.')[0].lower()}.csv" for other in codebook.raw.files[1:]),
    ]
