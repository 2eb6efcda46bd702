"""Guess what the columns of a table are, where nobody has described them (`medsynth.codebook.Codebook.infer`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import CODED, NUMERIC, Codebook, ColumnType, category_name
from medsynth.errors import InputError, nearest, validate

YES_NO = ({"yes", "no"}, {"y", "n"}, {"true", "false"}, {"0", "1"}, {"1", "2"})
_DATE = re.compile(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}[-/]\d{1,2}[-/]\d{4})([ T].*)?$")


def guess_type(counts: pd.Series, n_rows: int) -> ColumnType:
    """Guess a column's type from its distinct values, as text.

    Parameters
    ----------
    counts : Series of int
        Value -> rows that have it, without what is missing.
    n_rows : int
        Rows of the table, also those where the column is missing.
    """
    categories = list(counts.index)
    numbers = pd.to_numeric(pd.Series(categories), errors="coerce")
    if all(_DATE.match(category) for category in categories):
        return "date"
    whole = numbers.notna().all() and (numbers % 1 == 0).all()
    if counts.max() == 1 and len(categories) > 0.9 * n_rows and (whole or numbers.isna().all()):
        return "identifier"
    if len(categories) == 2 and {category.lower() for category in categories} in YES_NO:
        return "binary"
    if numbers.notna().all() and len(categories) > 10:
        return "integer" if whole else "continuous"
    return "binary" if len(categories) == 2 else "categorical"


def infer_codebook(table: pd.DataFrame, types: Mapping[str, ColumnType]) -> Codebook:
    """See `Codebook.infer`."""
    for name in types:
        if name not in table:
            raise InputError(f"The table has no column '{name}', whose type is given{nearest(name, table.columns)}")
    if not all(isinstance(name, str) for name in table.columns) or not table.columns.is_unique:
        raise InputError("The table's column names must be text, each of them once; rename them.")
    if table.empty:
        raise InputError("The table has no rows or no columns; there is nothing to infer a codebook from.")
    columns = {name: _infer_column(table[name], types.get(name)) for name in table.columns}
    facts: dict[str, Any] = {"name": "table", "title": "Table", "publisher": "unknown", "licence": "unknown"}
    facts["raw"] = {"file": "table.csv", "obtain": "it was a DataFrame"}
    described = validate({**facts, "columns": columns}, Codebook, where="The codebook inferred")
    return described.resolved(described.conform(table))


def _infer_column(values: pd.Series, kind: ColumnType | None) -> dict:
    """Guess the type of one column, if it is not known, and list its categories."""
    present = values.dropna().infer_objects()
    if present.empty:
        raise InputError(f"The column '{values.name}' holds no value; leave it out of the table.")
    kind = kind or _type_of(present, len(values))
    if kind in NUMERIC:
        numbers = pd.to_numeric(present, errors="coerce").astype("float64")
        bad = int((~np.isfinite(numbers)).sum())
        if bad:
            raise InputError(
                f"The column '{values.name}' has {bad} cells that are not finite numbers; make them missing, or give "
                "the column another type."
            )
        return {"type": kind, "pandas_type": str(present.dtype if values.dtype == object else values.dtype)}
    if kind not in CODED:
        return {"type": kind}
    if isinstance(values.dtype, pd.CategoricalDtype):
        found = values.cat.categories
        inner = found.dtype
        pandas_type = f"category[{inner}]" if pd.api.types.is_numeric_dtype(inner) else "category"
    else:
        found = present.unique()
        # Text and numbers in one column cannot be put in order as they are.
        found = sorted(found, key=None if pd.api.types.is_numeric_dtype(present.dtype) else category_name)
        pandas_type = str(present.dtype if values.dtype == object else values.dtype)
    return {"type": kind, "categories": list(dict.fromkeys(map(category_name, found))), "pandas_type": pandas_type}


def _type_of(present: pd.Series, n_rows: int) -> ColumnType:
    """Guess the type of a column from its values and their pandas type."""
    types = pd.api.types
    if isinstance(present.dtype, pd.CategoricalDtype):
        if present.cat.ordered:
            return "ordinal"
        return "binary" if len(present.cat.categories) == 2 else "categorical"
    if types.is_bool_dtype(present.dtype):
        return "binary"
    if types.infer_dtype(present).startswith(("date", "time", "period")):
        return "date"
    guess = guess_type(present.map(category_name).value_counts(), n_rows)
    if types.is_numeric_dtype(present.dtype):
        if guess in ("identifier", "binary"):
            return guess
        return "integer" if (present % 1 == 0).all() else "continuous"
    # Numbers that are text are codes, not amounts.
    return "categorical" if guess in NUMERIC else guess
