"""Values of columns of any pandas type: the names of categories, the decimals of numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from medsynth.codebook.columns import MAX_DECIMALS


def category_name(value: object) -> str:
    """Name a category that may be no text in a plain table: a whole number without decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def named_categories(values: pd.Series) -> pd.Series:
    """Name the categories of a column of any pandas type; missing cells stay missing."""
    held = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
    if held.dtype == object and pd.api.types.infer_dtype(held, skipna=True) in ("string", "empty"):
        return values
    codes, found = pd.factorize(values.astype(object))
    names = np.array([*map(category_name, found), None], dtype=object)
    return pd.Series(names[codes], values.index, name=values.name)


def as_pandas_type(values: pd.Series, wanted: str) -> pd.Series:
    """Undo what `Codebook.conform` does to the pandas type of a column without missing cells."""
    category = re.fullmatch(r"category(?:\[(.+)\])?", wanted)
    kind = category[1] or "object" if category else wanted
    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        if pd.api.types.is_bool_dtype(kind):
            values = values.cat.rename_categories(categories == "True")
        elif pd.api.types.is_numeric_dtype(kind):
            values = values.cat.rename_categories(pd.to_numeric(categories).astype(kind))
    return values if category else values.astype(kind)


def decimals_of(values: np.ndarray) -> int:
    """Fewest decimals that write every value exactly; MAX_DECIMALS + 1 if none do."""
    for decimals in range(MAX_DECIMALS + 1):
        # Closer than any number could lie by chance, wider than how a decimal number is stored.
        if np.allclose(values, np.round(values, decimals), rtol=1e-12, atol=1e-15):
            return decimals
    return MAX_DECIMALS + 1
