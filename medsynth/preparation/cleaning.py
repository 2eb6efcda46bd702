"""Cleaning a raw table by its codebook, with a count of everything that was done."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field

import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError, nearest


@dataclass
class CleaningReport:
    """What cleaning did: one row a rule that changed something, and one a column at the end.

    Columns of `table`: column, rule, cells (changed by the rule), rows_before, rows_after, missing_before,
    missing_after (cells).
    """

    rows: list[dict] = field(default_factory=list)

    def add(self, column: str, rule: str, **counts: int) -> None:
        """Note one step."""
        self.rows.append({"column": column, "rule": rule, **counts})

    @property
    def table(self) -> pd.DataFrame:
        """The report as a table; counts that do not apply are empty."""
        names = ["column", "rule", "cells", "rows_before", "rows_after", "missing_before", "missing_after"]
        table = pd.DataFrame(self.rows, columns=names)
        return table.astype(dict.fromkeys(names[2:], "Int64"))


def clean(raw: pd.DataFrame, codebook: Codebook, *, max_missing: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clean a raw table.

    In this order: rows are left out by the codebook's row rules; every cell is checked against the codebook;
    codes become levels, numbers or missing; codes for "not applicable" become the level that stands for them
    where they are legitimate, else missing; rare levels are grouped; columns are dropped that are missing too
    often or hold one level too often.

    Parameters
    ----------
    raw : DataFrame
        What `medsynth.cohorts.raw.read_raw` gives: text, under clean names.
    codebook : Codebook
    max_missing : float, default 1.0
        Columns missing in more than this share of the rows are dropped.

    Returns
    -------
    table : DataFrame
        Coded columns categorical, integers int64 (float64 while some are missing), identifiers text.
    report : DataFrame
        See `CleaningReport`.

    Raises
    ------
    InputError
        A cell that the codebook does not allow (column, code and count of each), a column without any value,
        or no row left.
    """
    report = CleaningReport()
    raw = _keep_rows(raw, codebook, report)
    check_raw(raw, codebook)
    columns = {}
    not_applicable = {}
    for name, column in codebook.columns.items():
        if column.drop or column.type == "date":
            report.add(name, f"dropped: {column.drop or 'a date; what it tells is in a column derived from it'}")
        elif column.type == "identifier":
            columns[name] = raw[name].astype(str)
        else:
            columns[name], not_applicable[name] = _decode(raw[name], name, column, codebook, report)
    for name, mask in not_applicable.items():
        if mask is not None:
            columns[name] = _settle_not_applicable(columns, name, codebook.columns[name], mask, report)
    table = pd.DataFrame(columns)
    for name in list(table.columns):
        if codebook.columns[name].type != "identifier":
            table = _finish_column(table, name, codebook.columns[name], max_missing, report)
    return table, report.table


def check_raw(raw: pd.DataFrame, codebook: Codebook) -> None:
    """Check every cell of a raw table against the codebook, with pandera.

    Raises
    ------
    InputError
        Names each offending column with its worst codes or values and how many cells have them.
    """
    import pandera.pandas as pa

    numbers, checks = {}, {}
    for name, column in codebook.columns.items():
        if column.drop or column.type in ("date", "identifier") or (column.transform and not column.numeric):
            continue
        known = {*codebook.raw.missing, *column.missing}
        known |= set(column.not_applicable.codes) if column.not_applicable else set()
        if column.numeric:
            values = raw[name].mask(raw[name].isin(known))
            values = _apply_transform(values, name, column)
            numbers[name] = pd.to_numeric(values, errors="coerce").astype("Float64")
            garbled = values[values.notna() & numbers[name].isna()]
            if len(garbled):
                raise InputError(_complain(codebook, [(name, garbled, "is no number")]))
            if column.range:
                checks[name] = pa.Column("Float64", pa.Check.in_range(*column.range), nullable=True)
        elif column.codes or column.levels:
            allowed = sorted(known | set(column.codes or column.levels))
            numbers[name] = raw[name]
            checks[name] = pa.Column(None, pa.Check.isin(allowed))
    try:
        pa.DataFrameSchema(checks).validate(pd.DataFrame(numbers)[list(checks)], lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
        found = [
            (name, cases.loc[cases["column"] == name, "failure_case"], _rule(codebook.columns[name]))
            for name in checks
            if (cases["column"] == name).any()
        ]
        raise InputError(_complain(codebook, found)) from None


def _rule(column: Column) -> str:
    """Say which values a column may have."""
    if column.numeric:
        low, high = column.range
        return f"is outside {low:g} to {high:g}"
    return "is no code of the column"


def _complain(codebook: Codebook, found: list[tuple[str, pd.Series, str]]) -> str:
    """Put the cells that the codebook does not allow into one sentence."""
    parts = []
    for name, cases, rule in found:
        worst = cases.astype(str).value_counts().head(3)
        shown = ", ".join(f"'{code}' in {count:,} rows" for code, count in worst.items())
        parts.append(f"{codebook.raw_name(name)} ({shown}) {rule}")
    return (
        f"The raw table of {codebook.name} has values that its codebook does not allow: {'; '.join(parts)}. "
        "Correct the table, or declare the codes or the range in the codebook."
    )


def _keep_rows(raw: pd.DataFrame, codebook: Codebook, report: CleaningReport) -> pd.DataFrame:
    """Apply the codebook's row rules, in order."""
    for rule in codebook.rows:
        before = len(raw)
        if rule.first_per:
            order = pd.to_numeric(raw[rule.order_by]) if rule.order_by else pd.Series(range(before), raw.index)
            kept = raw.loc[order.sort_values(kind="stable").index]
            raw = raw.loc[kept.drop_duplicates(rule.first_per).index.sort_values()]
        if rule.column:
            raw = raw[~raw[rule.column].isin(rule.values)]
        report.add("(rows)", rule.reason, rows_before=before, rows_after=len(raw))
    if raw.empty:
        raise InputError(f"No row of {codebook.name} is left after the codebook's row rules.")
    return raw.reset_index(drop=True)


def _apply_transform(values: pd.Series, name: str, column: Column) -> pd.Series:
    """Apply the function that the codebook names to the distinct values."""
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
    unknown = set(mapped.values()) - set(column.levels) if column.levels else set()
    if unknown:
        raise InputError(
            f"Column '{name}': the transform '{column.transform}' gives {sorted(unknown)}, which its levels "
            f"{column.levels} lack."
        )
    return values.map(mapped).astype(values.dtype)


def _decode(
    values: pd.Series, name: str, column: Column, codebook: Codebook, report: CleaningReport
) -> tuple[pd.Series, pd.Series | None]:
    """Turn one raw column into levels or numbers; also say where "not applicable" stands."""
    gaps = int(values.isin(codebook.raw.missing).sum())
    missing = values.isin([*codebook.raw.missing, *column.missing])
    if missing.sum() > gaps:
        codes = ", ".join(column.missing)
        report.add(
            name, f"codes for missing: {codes}", cells=int(missing.sum()) - gaps,
            missing_before=gaps, missing_after=int(missing.sum()),
        )  # fmt: skip
    applies_not = values.isin(column.not_applicable.codes) if column.not_applicable else None
    values = values.mask(missing | applies_not if applies_not is not None else missing)
    if values.notna().sum() == 0:
        raise InputError(
            f"Column {codebook.raw_name(name)} of {codebook.name} is all missing ({len(values):,} rows); say "
            f"'drop: <reason>' in the codebook to leave it out."
        )
    if column.transform:
        report.add(name, f"transformed by {column.transform}", cells=int(values.notna().sum()))
        values = _apply_transform(values, name, column)
    if column.numeric:
        return pd.to_numeric(values).astype("float64"), applies_not
    if column.codes:
        values = values.map(column.codes)
    if column.missing_level:
        report.add(name, f"missing made the level '{column.missing_level}'", cells=int(values.isna().sum()))
        values = values.fillna(column.missing_level)
    levels = column.all_levels
    if column.rare:
        values = _group_rare(values, name, column, report)
        present = set(values.dropna().unique())
        declared = column.codes or column.levels
        levels = [level for level in levels if level in present] if declared else sorted(present)
    return values.astype(pd.CategoricalDtype(levels, ordered=column.type == "ordinal")), applies_not


def _group_rare(values: pd.Series, name: str, column: Column, report: CleaningReport) -> pd.Series:
    """Replace a column's rare levels; a level that stands for missing always stays."""
    counts = values[values != column.missing_level].value_counts()
    rule = column.rare
    if rule.keep:
        # Ties are broken by name, so that the result does not depend on the rows' order.
        counts = counts.sort_index().sort_values(ascending=False, kind="stable")
        frequent = counts.index[: rule.keep]
    else:
        frequent = counts.index[counts > rule.seen_more_than]
    rare = values.notna() & ~values.isin([*frequent, column.missing_level])
    rule_text = f"{rule.keep} most frequent" if rule.keep else f"seen more than {rule.seen_more_than} times"
    report.add(name, f"levels other than those {rule_text} made '{rule.label}'", cells=int(rare.sum()))
    return values.mask(rare, rule.label)


def _settle_not_applicable(
    columns: dict[str, pd.Series], name: str, column: Column, mask: pd.Series, report: CleaningReport
) -> pd.Series:
    """Write the level for "not applicable" where it is legitimate and leave the rest missing."""
    legitimate = mask.copy()
    for other, level in column.not_applicable.when.items():
        legitimate &= columns[other] == level
    values = columns[name].copy()
    before = int(values.isna().sum())
    values[legitimate] = column.not_applicable.level
    codes = ", ".join(column.not_applicable.codes)
    report.add(
        name, f"not applicable ({codes}) made '{column.not_applicable.level}'", cells=int(legitimate.sum()),
        missing_before=before, missing_after=int(values.isna().sum()),
    )  # fmt: skip
    stray = int((mask & ~legitimate).sum())
    if stray:
        report.add(name, f"'not applicable' ({codes}) where it cannot be: missing", cells=stray)
    return values


def _finish_column(
    table: pd.DataFrame, name: str, column: Column, max_missing: float, report: CleaningReport
) -> pd.DataFrame:
    """Drop a column that says too little, or give it its final type; close its account."""
    values = table[name]
    missing = int(values.isna().sum())
    share = missing / len(values)
    if share > max_missing:
        report.add(name, f"dropped: {share:.1%} missing, more than {max_missing:.0%}", missing_before=missing)
        return table.drop(columns=name)
    for level, most in column.drop_if_level.items():
        if (values == level).mean() > most:
            others = f"{(values != level).mean():.2%}"
            report.add(name, f"dropped: only {others} differ from '{level}'", missing_before=missing)
            return table.drop(columns=name)
    if values.nunique() == 1:
        report.add(name, f"constant: every value is '{values.dropna().iloc[0]}'")
    if column.type == "integer" and missing == 0:
        table[name] = values.round().astype("int64")
    report.add(name, "kept", missing_before=missing, missing_after=missing)
    return table
