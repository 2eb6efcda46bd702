"""Checks of clean and synthetic tables against their codebook, with pandera."""

from __future__ import annotations

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError


def check_clean(table: pd.DataFrame, codebook: Codebook, *, what: str) -> None:
    """Check columns, order, levels, ranges and completeness of a clean or synthetic table.

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
            columns[name] = pa.Column(None, checks, nullable=False)
        else:
            columns[name] = pa.Column(None, pa.Check.isin(column.all_levels), nullable=False)
    try:
        pa.DataFrameSchema(columns, strict=True, ordered=True).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.groupby(["column", "check"], sort=False, dropna=False).size()
        found = [f"{column}: {check} fails for {count:,} cells" for (column, check), count in cases.items()]
        raise InputError(f"{what} does not fit its codebook: {'; '.join(found)}.") from None
