"""Synthetic tables of any length, written while they are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pandas as pd


def write_parts(parts: Iterable[pd.DataFrame], path: str | Path) -> int:
    """Write the parts of a table one under the other as parquet; one at a time is in memory.

    Parameters
    ----------
    parts : iterable of DataFrame
        At least one, all of the same columns and types, such as `Generator.sample_in_parts` gives.
    path : str or Path
        Of the parquet; each part is a row group. A table of one part has the bytes that pandas would write. Nothing is
        there before all parts are.

    Returns
    -------
    int
        Rows written.
    """
    import pyarrow as pa
    import pyarrow.parquet

    path, rows = Path(path), 0
    partial = path.with_name(f"{path.name}.partial")
    try:
        with ExitStack() as stack:
            writer = None
            for part in parts:
                table = pa.Table.from_pandas(part, preserve_index=False)
                writer = writer or stack.enter_context(pyarrow.parquet.ParquetWriter(partial, table.schema))
                writer.write_table(table)
                rows += len(part)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return rows
