"""Checks of raw, clean and synthetic tables against their codebook, with pandera."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.data.notation import exact_numbers
from medsynth.errors import InputError
from medsynth.preparation.decoding import apply_transform, is_missing, is_not_applicable, quoted

# Clean integers are of 64 bits; generators compute with 32-bit floats.
INTEGERS_END = 2.0**63
FLOATS_END = float(np.finfo(np.float32).max)


def check_clean(table: pd.DataFrame, codebook: Codebook, *, what: str) -> None:
    """Check columns, order, categories, ranges and completeness of a clean or synthetic table.

    Parameters
    ----------
    table : DataFrame
    codebook : Codebook
        Describes the table it should be.
    what : str
        What a message calls the table.

    Raises
    ------
    InputError
        One sentence with every column that does not fit, the rule and the number of cells.
    """
    import pandera.pandas as pa

    columns = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            checks = [pa.Check.in_range(*column.range)] if column.range else []
            columns[name] = pa.Column(None, checks, nullable=column.may_be_missing)
        else:
            columns[name] = pa.Column(None, pa.Check.isin(column.all_categories), nullable=False)
    try:
        pa.DataFrameSchema(columns, strict=True, ordered=True).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.groupby(["column", "check"], sort=False, dropna=False).size()
        found = [f"{column}: {check} fails for {count:,} cells" for (column, check), count in cases.items()]
        raise InputError(f"{what} does not fit its codebook: {'; '.join(found)}.") from None
    found = []
    for name, column in codebook.columns.items():
        if column.no_value_when:
            answered = codebook.not_asked(name, table) & table[name].notna().to_numpy()
            wrong = int(answered.sum()) + (0 if column.gaps else int(codebook.unanswered(name, table).sum()))
            found += [f"{name}: not_applicable fails for {wrong:,} cells"] if wrong else []
    if found:
        raise InputError(f"{what} does not fit its codebook: {'; '.join(found)}.")


def check_raw(raw: pd.DataFrame, codebook: Codebook) -> None:
    """Check every cell of a raw table against the codebook.

    Raises
    ------
    InputError
        Names each offending column with its worst codes or values and how many cells have them.
    """
    import pandera.pandas as pa

    cells, checks = {}, {}
    for name, column in codebook.columns.items():
        if column.drop or column.type in ("date", "identifier"):
            continue
        values = raw[name].mask(is_missing(raw[name], column, codebook) | is_not_applicable(raw[name], column))
        values = apply_transform(values, name, column)
        if column.numeric:
            cells[name] = exact_numbers(values).astype("Float64")
            garbled = values[values.notna() & ~cells[name].abs().lt(float("inf")).fillna(False)]
            if len(garbled):
                raise InputError(_complain(codebook, [(name, garbled, "is not a number")]))
            # What lies below a floor is raised to it later.
            cells[name] = cells[name] if column.floor is None else cells[name].clip(lower=column.floor)
            cells[name] = settle_outside(cells[name], column)[0]
            rules = [pa.Check.in_range(*column.range, error="range")] if column.range else []
            rules.append(pa.Check(lambda numbers: numbers.abs() <= FLOATS_END, error="huge"))
            if column.type == "integer":
                rules.append(pa.Check(lambda numbers: numbers % 1 == 0, error="whole"))
                rules.append(pa.Check(lambda numbers: numbers.abs() < INTEGERS_END, error="large"))
            checks[name] = pa.Column("Float64", rules, nullable=True)
        elif column.codes or column.categories:
            cells[name] = settle_outside(values, column)[0]
            checks[name] = pa.Column(
                None, pa.Check.isin([*column.codes] or column.categories, error="code"), nullable=True
            )
    try:
        pa.DataFrameSchema(checks).validate(pd.DataFrame(cells), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.set_index("index").groupby(["column", "check"], sort=False)["failure_case"]
        found = [(name, values, _rule(check, codebook.columns[name])) for (name, check), values in cases]
        raise InputError(_complain(codebook, found)) from None


def settle_outside(values: pd.Series, column: Column) -> tuple[pd.Series, pd.Series]:
    """Make what a column does not allow missing or the nearer end of its range, if it says so.

    Parameters
    ----------
    values : Series
        Numbers, or raw codes.
    column : Column

    Returns
    -------
    settled : Series
    outside : Series of bool
        Which values were settled.
    """
    outside = pd.Series(False, values.index)
    if column.outside == "refuse":
        return values, outside
    if column.numeric and column.range:
        outside = (values.notna() & ~values.between(*column.range)).astype(bool)
        return (values.clip(*column.range) if column.outside == "clip" else values.mask(outside)), outside
    outside = values.notna() & ~values.isin([*column.codes] or column.categories)
    return values.mask(outside), outside


def _rule(check: str, column: Column) -> str:
    """Say what is wrong with a value that fails a check."""
    if check == "range" and column.range:
        low, high = column.range
        return f"is outside {low:g} to {high:g}"
    return {
        "whole": "is not a whole number",
        "huge": "is beyond what generators compute with, 3.4e38 (is it a code for missing?)",
        "large": "is beyond 64-bit integers (is it a code for missing, an identifier, or continuous?)",
        "code": "is not a code of the column",
    }[check]


def _complain(codebook: Codebook, found: list[tuple[str, pd.Series, str]]) -> str:
    """Put the cells that the codebook does not allow into one sentence."""
    parts = []
    for name, cases, rule in found:
        texts = cases.astype(str)
        worst = texts.value_counts().head(3)
        shown = ", ".join(quoted(code, n, int(texts.index[texts == code][0]) + 1) for code, n in worst.items())
        parts.append(f"{codebook.raw_name(name)} ({shown}) {rule}")
    return (
        f"The raw table of {codebook.name} has values that its codebook does not allow: {'; '.join(parts)}. "
        "Correct the table, declare the codes or the range in the codebook, or say 'outside: missing' there."
    )
