"""Reading raw tables exactly as their publishers wrote them: csv, csv.gz, or a member of a zip, in place."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError, nearest


@contextmanager
def open_raw(path: str | Path, member: str | None = None) -> Iterator[BinaryIO]:
    """Open a raw table as a binary stream, unpacking on the way; nothing is written to disk.

    Parameters
    ----------
    path : str or Path
        A csv, a csv.gz or a zip.
    member : str, optional
        The table inside a zip, needed if the zip holds several.

    Raises
    ------
    InputError
        The file is absent, is not the archive its name says, or lacks the member.
    """
    path = Path(path)
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                member = member or (names[0] if len(names) == 1 else None)
                # Publishers rename the folder inside an archive; the table's own name is what counts.
                inside = next((n for n in names if member and Path(n).name == Path(member).name), None)
                if inside is None:
                    wanted = f"no '{member}'" if member else "not one table"
                    raise InputError(f"{path} holds {wanted}{nearest(member or path.stem, names)}")
                with archive.open(inside) as stream:
                    yield stream
        else:
            with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as stream:
                yield stream
    except FileNotFoundError:
        raise InputError(f"The raw file {path} does not exist.") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError) as error:
        raise InputError(f"{path} is damaged or no {path.suffix} file ({error}); get it again.") from None


def sha256(path: str | Path, member: str | None = None) -> str:
    """SHA-256 of a raw table's unpacked bytes, as 64 hexadecimal digits."""
    with open_raw(path, member) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_raw(path: str | Path, codebook: Codebook) -> pd.DataFrame:
    """Read a raw table as text, value by value as written.

    Parameters
    ----------
    path : str or Path
        A csv, csv.gz or zip.
    codebook : Codebook
        Its columns are read (dropped ones are not), renamed to their clean names.

    Returns
    -------
    DataFrame
        One column of str for each column of the codebook, stripped of surrounding blanks. Nothing is
        taken for missing yet: ``""``, ``"NA"`` and ``"None"`` are what they are.

    Raises
    ------
    InputError
        The file cannot be read, or lacks columns (all are named).
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv

    in_rules = {name for rule in codebook.rows for name in rule.named}
    used = {n: codebook.raw_name(n) for n, column in codebook.columns.items() if not column.drop or n in in_rules}
    with open_raw(path, codebook.raw.member) as stream:
        header = _header(stream, path)
    absent = [raw for raw in used.values() if raw not in header]
    if absent:
        raise InputError(
            f"{path} lacks the column{'s' if len(absent) > 1 else ''} {', '.join(absent)} that the codebook of "
            f"{codebook.name} describes{nearest(absent[0], header)}"
        )
    names = [""] * codebook.raw.unnamed_index + header
    wanted = list(dict.fromkeys(used.values()))
    with open_raw(path, codebook.raw.member) as stream:
        try:
            table = pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=wanted,
                    column_types=dict.fromkeys(wanted, pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise InputError(f"{path} is no readable csv: {error}.") from None
    stripped = {name: pc.utf8_trim_whitespace(table[raw]) for name, raw in used.items()}
    # Equal strings become one Python object, so that a million rows cost a pointer a cell.
    return pa.table(stripped).to_pandas(deduplicate_objects=True)


def _header(stream: BinaryIO, path: str | Path) -> list[str]:
    """Read the header row."""
    import csv

    try:
        line = stream.readline().decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not in UTF-8; convert it (for example: iconv -f LATIN1 -t UTF-8).") from None
    if not line:
        raise InputError(f"{path} is empty.")
    return next(csv.reader([line]))
