"""Proof of a draft: by it a table is read, cleaned, and restored to the cells that it has."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from medsynth.codebook import Codebook, Column, NotApplicable
from medsynth.data.notation import censored, to_plain
from medsynth.data.reading import read_raw
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from medsynth.preparation.date_columns import read_moments
from medsynth.preparation.decoding import is_missing
from medsynth.preparation.restoring import reasons, restore


def prove(path: str | Path, codebook: Codebook, table: pd.DataFrame) -> tuple[dict[str, str], pd.DataFrame | None]:
    """Read, clean and restore a table by a codebook, and compare with the cells that it has.

    Parameters
    ----------
    path : str or Path
    codebook : Codebook
    table : DataFrame
        What drafting read: text, under the file's (unique) headers.

    Returns
    -------
    dict of str
        Column -> what does not come back; empty if all do. Numbers must come back exactly, categories as they are
        written but for rare ones, missing cells missing.
    DataFrame or None
        The clean table, if there is one.
    """
    raw = read_raw(path, codebook)
    failed = {}
    for name, column in codebook.columns.items():
        header = codebook.raw_name(name)
        if not column.drop and not raw[name].equals(table[header]):
            failed[name] = "its cells are read in two ways"
    if failed:
        return failed, None
    try:
        cleaned, report = clean(raw, codebook)
        return _compare(cleaned, reasons(report), codebook, table), cleaned
    except InputError:
        # Which columns are they? Each alone says.
        for name, column in codebook.columns.items():
            if column.drop or column.type in ("date", "identifier"):
                continue
            # Without what other columns decide.
            column = column.model_copy(update={"since": None, "not_applicable": _alone(column.not_applicable)})
            alone = codebook.model_copy(
                update={"columns": {name: column}, "person": None, "restored": {}, "constraints": []}
            )
            try:
                clean(raw[[name]], alone)
            except InputError as error:
                failed[name] = str(error).removeprefix(f"The raw table of {codebook.name} has ").split(". ")[0]
        if not failed:
            raise
        return failed, None


def _alone(rule: NotApplicable | None) -> NotApplicable | None:
    """What a rule says without other columns; None if they decide everything."""
    return rule.model_copy(update={"when": {}}) if rule and rule.category is not None else None


def _compare(
    cleaned: pd.DataFrame, left_out: dict[str, str], codebook: Codebook, table: pd.DataFrame
) -> dict[str, str]:
    """Restore a clean table, and say which columns differ."""
    tables, _ = restore(cleaned, codebook, {"table": table}, left_out)
    restored = tables["table"]
    failed: dict[str, str] = {}
    for header in restored:
        names = [name for name in codebook.columns if header in codebook.raw_names(name)]
        columns = [codebook.columns[name] for name in names]
        if any(column.type == "identifier" for column in columns):
            continue
        missing = is_missing(table[header], columns[0], codebook)
        pairs = pd.DataFrame({"raw": table[header].mask(missing, ""), "restored": restored[header]})
        pairs["restored"] = pairs["restored"].astype(object)
        pairs = pairs.drop_duplicates()
        wrong = [row for row in pairs.itertuples() if not _same(row.raw, row.restored, columns[0], codebook)]
        if wrong:
            failed |= dict.fromkeys(names, f"{len(wrong):,} of its distinct cells differ when restored")
    return failed


def _same(raw: str, restored: object, column: Column, codebook: Codebook) -> bool:
    """Whether a restored cell says what the raw one said."""
    text = "" if restored is None or restored != restored else str(restored)
    if raw == text or (raw == "" and text in {*column.missing, *codebook.raw.missing}):
        return True
    if column.rare and text == column.rare.label:
        return True
    if column.not_applicable and (text in column.not_applicable.codes or text == ""):
        return raw == "" or raw in column.not_applicable.codes
    if column.counts_dates:
        moments = read_moments(pd.Series([raw, text]), column.notation.date or "")
        return bool(moments.notna().all()) and moments[0] == moments[1]
    if column.numeric:
        return raw != "" and text != "" and _numbers(raw, column) == _numbers(text, column)
    # Of several codes for one category the first is written.
    return raw in column.codes and column.codes[raw] == column.codes.get(text)


def _numbers(text: str, column: Column) -> tuple:
    """What a cell of numbers says: its sign, if it is censored, and its numbers."""
    sign, text = censored(text) or ("", text)
    parts = re.split(r"\s*/\s*", text)
    plain = [to_plain(part, column.notation) for part in parts]
    return (sign, *(None if number is None else float(number) for number in plain))
