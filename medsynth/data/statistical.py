"""Tables of SPSS, Stata, SAS (pyreadstat) and parquet (pyarrow), as text, with what they say of their columns."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from medsynth.data.opening import open_raw
from medsynth.data.sheets import cell_text, has_time
from medsynth.errors import InputError

_READERS = {"spss": "read_sav", "stata": "read_dta", "sas": "read_sas7bdat", "xport": "read_xport"}
_PROGRAMS = {"spss": "SPSS", "stata": "Stata", "sas": "SAS", "xport": "SAS (transport)"}
# Most codes that a range of user-defined missing values is spelt out to.
_MOST_CODES = 200


@dataclass
class Described:
    """A table of text and what its file says of it."""

    table: pd.DataFrame
    labels: dict[str, str] = field(default_factory=dict)
    # Of a column: code -> category, in the file's order.
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    # Of a column: codes for missing that the user defined.
    missing: dict[str, list[str]] = field(default_factory=dict)


def read_described(path: str | Path, member: str | None, kind: str) -> Described:
    """Read a table of a statistics program, or a parquet file.

    Parameters
    ----------
    path : str or Path
    member : str or None
        The table inside a zip.
    kind : {"spss", "stata", "sas", "xport", "parquet"}

    Returns
    -------
    Described
        Cells are text as a csv would have them: numbers with as few digits as give them back, dates as ISO 8601,
        nothing where a cell is missing, and the code where it is missing by the user's definition.

    Raises
    ------
    InputError
        The library is absent, or the file damaged.
    """
    if kind == "parquet":
        return Described(_parquet(path, member))
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            f"{path} is a table of {_PROGRAMS[kind]}; install pyreadstat to read it, or save it as csv."
        ) from None
    options = {} if kind == "xport" else {"user_missing": True}
    # pyreadstat reads from a path alone.
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(path)
        if member or plain.suffix.lower() in (".zip", ".gz", ".bz2", ".xz"):
            plain = Path(folder) / "table"
            with open_raw(path, member) as stream, plain.open("wb") as file:
                shutil.copyfileobj(stream, file)
        try:
            table, facts = getattr(pyreadstat, _READERS[kind])(str(plain), **options)
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError) as error:
            raise InputError(
                f"{path} cannot be read as a file of {_PROGRAMS[kind]} ({error}); save it again, or as csv."
            ) from None
    labels = {name: label for name, label in facts.column_names_to_labels.items() if label}
    codes = {
        name: {cell_text(code): str(category) for code, category in categories.items()}
        for name, categories in facts.variable_value_labels.items()
    }
    missing = {name: [cell_text(code) for code in found] for name, found in facts.missing_user_values.items()}
    single = {name for name, kind in facts.readstat_variable_types.items() if kind == "float"}
    text = pd.DataFrame({name: _text(table[name], single=name in single) for name in table})
    for name, ranges in facts.missing_ranges.items():
        missing[name] = [*missing.get(name, []), *_in_ranges(text[name], codes.get(name, {}), ranges)]
    return Described(text, labels, codes, missing)


def _in_ranges(cells: pd.Series, codes: dict[str, str], ranges: list[dict]) -> list[str]:
    """Codes of a column, seen or labelled, that lie in its ranges of missing values."""
    found = []
    for code in dict.fromkeys([*codes, *cells.unique()]):
        for limits in ranges:
            low, high = limits["lo"], limits["hi"]
            try:
                inside = code != "" and float(low) <= float(code) <= float(high)
            except ValueError:
                inside = code == str(low).strip() or code == str(high).strip()
            if inside and code not in found:
                found.append(code)
    return found[:_MOST_CODES]


def _text(values: pd.Series, *, single: bool) -> pd.Series:
    """Write a column as text; numbers that are stored in 32 bits with the digits that these hold."""
    plain = _of_32_bits if single else _plain
    distinct = {value: plain(value) for value in values.dropna().unique()}
    timed = has_time(distinct.values())
    texts = {value: cell_text(plain, timed=timed) for value, plain in distinct.items()}
    return values.map(texts).fillna("").astype(object)


def _plain(value: object) -> object:
    """A value as Python has it, of pandas or numpy."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    return value.item() if hasattr(value, "item") else value


def _of_32_bits(value: object) -> object:
    """A value whose further digits are chance: 3.2 and not 3.200000047683716."""
    return float(str(np.float32(value))) if isinstance(value, float) else _plain(value)


def _parquet(path: str | Path, member: str | None) -> pd.DataFrame:
    """Read parquet; nested columns are refused."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_raw(path, member) as stream:
            table = pq.read_table(io.BytesIO(stream.read()))
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as parquet; write it again, or as csv.") from None
    nested = [column.name for column in table.schema if pa.types.is_nested(column.type)]
    if nested:
        raise InputError(
            f"{path} has columns of lists or structures ({', '.join(nested)}); make plain columns of them."
        )
    columns = []
    for column in table.columns:
        column = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        plain = {v: _plain(v) for v in column.unique().to_pylist() if v is not None}
        timed = has_time(plain.values())
        distinct = {v: cell_text(own, timed=timed) for v, own in plain.items()}
        if pa.types.is_floating(column.type) and column.type.bit_width < 64:
            distinct = {v: cell_text(_of_32_bits(v)) for v in distinct}
        columns.append(pd.Series([distinct.get(v, "") for v in column.to_pylist()], dtype=object))
    return pd.DataFrame(dict(enumerate(columns))).set_axis(table.column_names, axis=1)
