"""Cleaning a raw table by its codebook, with a count of everything that was done."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column, NotApplicable, RareCategories
from medsynth.data.notation import exact_numbers
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.errors import InputError
from medsynth.preparation.checks import check_raw, settle_outside
from medsynth.preparation.date_columns import as_numbers, number_dates, read_moments
from medsynth.preparation.decoding import apply_transform, is_missing, is_not_applicable


@dataclass
class CleaningReport:
    """What cleaning did: one row a rule that changed something, and one a column at the end.

    Columns of `table`: column, rule, cells (changed by the rule), rows_before, rows_after, missing_before (cells that
    are empty or hold a code for missing), missing_after (cells missing in the clean table).
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


def clean(
    raw: pd.DataFrame, codebook: Codebook, *, max_missing: float = 1.0, least: int = MINIMUM_CELL_SIZE
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Clean a raw table.

    In this order: rows are left out by the codebook's row rules; dates become numbers; every cell is checked;
    codes become categories, numbers or missing; codes for "not applicable" become the category that stands for them
    where they are legitimate, else missing; rare categories are grouped; columns are dropped that are missing too
    often or hold one category too often.

    Parameters
    ----------
    raw : DataFrame
        What `medsynth.data.reading.read_raw` gives: text, under clean names.
    codebook : Codebook
    max_missing : float, default 1.0
        Columns missing in more than this share of the rows are dropped.
    least : int, default 10
        The value of a constant column is not named in the report if fewer rows have it.

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
    raw = number_dates(_keep_rows(raw, codebook, report), codebook)
    check_raw(raw, codebook)
    raw = raw.reset_index(drop=True)
    columns, not_applicable, gaps = {}, {}, {}
    for name, column in codebook.columns.items():
        if column.drop or column.type == "date":
            report.add(name, f"dropped: {column.drop or 'a date; columns that come from it stay'}")
        elif column.type == "identifier":
            columns[name] = _identifiers(raw[name], name, codebook)
        else:
            gaps[name] = is_missing(raw[name], column, codebook)
            not_applicable[name] = is_not_applicable(raw[name], column)
            _count_missing(raw[name], name, gaps[name], codebook, report)
            values = raw[name].mask(gaps[name] | not_applicable[name])
            columns[name] = _decode(values, name, column, report)
    # A question that arises under a condition comes after the columns that decide (which have no condition).
    conditional = {name: rule for name in gaps if (rule := codebook.columns[name].not_applicable)}
    not_asked: dict[str, np.ndarray] = {}
    for name, rule in sorted(conditional.items(), key=lambda item: len(item[1].when)):
        if codebook.columns[name].numeric:
            not_asked[name] = rule.holds(columns)
            columns[name] = _without_value(columns[name], name, rule, not_asked[name], not_applicable[name], report)
            continue
        missing_category = codebook.columns[name].missing_category
        columns[name] = _settle_not_applicable(columns, name, rule, missing_category, not_applicable[name], report)
    table = pd.DataFrame(columns)
    for name, missing in gaps.items():
        table = _finish_column(
            table, name, codebook.columns[name], int(missing.sum()), max_missing, report, not_asked.get(name), least
        )
    return table, report.table


def _keep_rows(raw: pd.DataFrame, codebook: Codebook, report: CleaningReport) -> pd.DataFrame:
    """Apply the codebook's row rules, in order."""
    for rule in codebook.rows:
        before = len(raw)
        if rule.keys:
            order = _order(raw, rule.order_by, codebook)
            for name in rule.keys:
                _identifiers(raw[name], name, codebook)
            kept = raw.loc[order.sort_values(kind="stable").index]
            raw = raw.loc[kept.drop_duplicates(rule.keys).index.sort_values()]
        if rule.column:
            raw = raw[~raw[rule.column].isin(rule.values)]
        report.add("(rows)", rule.reason, rows_before=before, rows_after=len(raw))
    if raw.empty:
        raise InputError(f"The codebook's row rules leave no row of {codebook.name}; correct the rules under 'rows'.")
    return raw


def _order(raw: pd.DataFrame, column: str | None, codebook: Codebook) -> pd.Series:
    """Numbers that order the rows: a column's, also of dates, or the rows' own."""
    if column is None:
        return pd.Series(range(len(raw)), raw.index)
    form = codebook.columns[column].notation.date
    order = as_numbers(read_moments(raw[column], form), form) if form else pd.to_numeric(raw[column], errors="coerce")
    if order.isna().any():
        first = int(order.index[order.isna()][0]) + 1
        raise InputError(
            f"{codebook.raw_name(column)} cannot order the rows of {codebook.name}: {order.isna().sum():,} of its "
            f"values are not numbers, row {first:,} first; correct them, or name another 'order_by'."
        )
    return order


def _identifiers(values: pd.Series, name: str, codebook: Codebook) -> pd.Series:
    """Identifiers as text; an empty one would make one person of many."""
    empty = values.isin(codebook.raw.missing)
    if empty.any() and (name == codebook.person or any(name in rule.keys for rule in codebook.rows)):
        raise InputError(
            f"Identifier {codebook.raw_name(name)} of {codebook.name} is missing in {empty.sum():,} rows, so they "
            "belong to no person; leave these rows out of the table."
        )
    return values.astype(str)


def _count_missing(
    values: pd.Series, name: str, missing: pd.Series, codebook: Codebook, report: CleaningReport
) -> None:
    """Report the codes for missing that a column holds (empty cells are no codes); refuse a column without a value."""
    if missing.all():
        raise InputError(
            f"Column {codebook.raw_name(name)} of {codebook.name} is all missing ({len(values):,} rows); say "
            f"'drop: <reason>' in the codebook to leave it out."
        )
    coded = values[missing & (values != "")]
    if len(coded):
        codes = ", ".join(sorted(coded.unique()))
        report.add(name, f"codes for missing: {codes}", cells=len(coded))


def _decode(values: pd.Series, name: str, column: Column, report: CleaningReport) -> pd.Series:
    """Turn the values of one raw column into categories or numbers."""
    if column.transform:
        report.add(name, f"transformed by {column.transform}", cells=int(values.notna().sum()))
    values = apply_transform(values, name, column)
    if column.numeric:
        return _settled(_floored(exact_numbers(values), name, column, report), name, column, report)
    values = _settled(values, name, column, report)
    if column.codes:
        values = values.map(column.codes)
    if column.missing_category:
        report.add(name, f"missing made the category '{column.missing_category}'", cells=int(values.isna().sum()))
        values = values.fillna(column.missing_category)
    categories = column.all_categories
    if column.rare:
        values = _group_rare(values, name, column.rare, column.missing_category, report)
        present = set(values.dropna().unique())
        own = column.codes or column.categories
        rule = column.not_applicable
        added = [rule.category] if rule and rule.category is not None else []
        known = [category for category in categories if category in {*present, *added}]
        categories = known if own else [*sorted(present), *added]
    return values.astype(pd.CategoricalDtype(categories, ordered=column.type == "ordinal"))


def _floored(values: pd.Series, name: str, column: Column, report: CleaningReport) -> pd.Series:
    """Raise numbers below a column's floor to it."""
    if column.floor is None:
        return values
    below = values < column.floor
    if below.any():
        report.add(name, f"below {column.floor:g} made {column.floor:g}", cells=int(below.sum()))
    return values.clip(lower=column.floor)


def _settled(values: pd.Series, name: str, column: Column, report: CleaningReport) -> pd.Series:
    """Settle and report what lies outside of the column's range or codes."""
    values, outside = settle_outside(values, column)
    if outside.any():
        allowed = (
            "outside {:g} to {:g}".format(*column.range) if column.numeric and column.range else "no declared code"
        )
        made = "missing" if column.outside == "missing" else "the nearer end"
        report.add(name, f"{allowed} made {made}", cells=int(outside.sum()))
    return values


def _group_rare(
    values: pd.Series, name: str, rule: RareCategories, missing_category: str | None, report: CleaningReport
) -> pd.Series:
    """Replace a column's rare categories; a category that stands for missing always stays."""
    counts = values[values != missing_category].value_counts()
    if rule.keep:
        # Ties are broken by name, so that the result does not depend on the rows' order.
        counts = counts.sort_index().sort_values(ascending=False, kind="stable")
        frequent = counts.index[: rule.keep]
    else:
        frequent = counts.index[counts > rule.seen_more_than]
    rare = values.notna() & ~values.isin([*frequent, missing_category])
    rule_text = f"{rule.keep} most frequent" if rule.keep else f"seen more than {rule.seen_more_than} times"
    rule_text += f" of {len(counts):,}"
    report.add(name, f"categories other than those {rule_text} made '{rule.label}'", cells=int(rare.sum()))
    return values.mask(rare, rule.label)


def _settle_not_applicable(
    columns: dict[str, pd.Series],
    name: str,
    rule: NotApplicable,
    missing_category: str | None,
    coded: pd.Series,
    report: CleaningReport,
) -> pd.Series:
    """Write the category for "not applicable" where the question does not arise, and leave a code elsewhere missing."""
    values = columns[name].copy()
    arises_not = pd.Series(True, values.index)
    for other, categories in rule.deciding().items():
        arises_not &= columns[other].isin(categories)
    values[coded & arises_not] = rule.category
    codes = ", ".join(rule.codes)
    report.add(name, f"not applicable ({codes}) made '{rule.category}'", cells=int((coded & arises_not).sum()))
    stray = coded & ~arises_not
    if stray.any():
        values[stray] = missing_category
        report.add(name, f"'not applicable' ({codes}) where it cannot be: missing", cells=int(stray.sum()))
    implied = values.isna() & arises_not
    if rule.when and implied.any():
        values[implied] = rule.category
        report.add(name, f"missing where the question does not arise made '{rule.category}'", cells=int(implied.sum()))
    return values


def _without_value(
    values: pd.Series, name: str, rule: NotApplicable, not_asked: np.ndarray, coded: pd.Series, report: CleaningReport
) -> pd.Series:
    """Leave a number without a value where its question does not arise, and a code elsewhere missing."""
    told = values.notna() & not_asked
    where = ", ".join(f"{other} is {' or '.join(given)}" for other, given in rule.deciding().items())
    report.add(name, f"not applicable where {where}: no value", cells=int(not_asked.sum()))
    if told.any():
        report.add(name, "value where the question does not arise: left out", cells=int(told.sum()))
    stray = coded & ~not_asked
    if stray.any():
        report.add(
            name, f"'not applicable' ({', '.join(rule.codes)}) where it cannot be: missing", cells=int(stray.sum())
        )
    return values.mask(not_asked)


def _finish_column(
    table: pd.DataFrame,
    name: str,
    column: Column,
    gaps: int,
    max_missing: float,
    report: CleaningReport,
    not_asked: np.ndarray | None,
    least: int,
) -> pd.DataFrame:
    """Drop a column that says too little, or give it its final type; close its account."""
    values = table[name]
    gap = values.isna()
    # No value where the question does not arise is no gap.
    missing = int((gap if not_asked is None else gap & ~not_asked).sum())
    share = missing / len(values)
    if share > max_missing:
        report.add(name, f"dropped: {share:.1%} missing, more than {max_missing:.0%}", missing_before=gaps)
        return table.drop(columns=name)
    for category, most in column.drop_if_category.items():
        if (values == category).mean() > most:
            # Not how many do: they may be few.
            report.add(name, f"dropped: fewer than {1 - most:.2%} differ from '{category}'", missing_before=gaps)
            return table.drop(columns=name)
    if column.drop_if_zero is not None and (values == 0).mean() > column.drop_if_zero:
        report.add(name, f"dropped: fewer than {1 - column.drop_if_zero:.2%} are not 0", missing_before=gaps)
        return table.drop(columns=name)
    if values.nunique() == 1:
        told = f"constant: every value is '{values.dropna().iloc[0]}'"
        report.add(name, told if values.notna().sum() >= least else "constant")
    if column.type == "integer" and not gap.any():
        table[name] = values.astype("int64")
    report.add(name, "kept", missing_before=gaps, missing_after=missing)
    return table
