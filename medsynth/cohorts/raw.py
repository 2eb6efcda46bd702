"""Reading raw tables exactly as their publishers wrote them: csv, csv.gz, or a member of a zip, in place."""

from __future__ import annotations

import gzip
import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError, nearest
from medsynth.preparation.decoding import combine


@contextmanager
def open_raw(path: str | Path, member: str | None = None) -> Iterator[IO[bytes] | gzip.GzipFile]:
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
        # typeshed's IO does not say that it has `readinto`, which all of these have.
        return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def read_raw(path: str | Path, codebook: Codebook, joined: Sequence[str | Path] = ()) -> pd.DataFrame:
    """Read a raw table as text, value by value as written.

    Parameters
    ----------
    path : str or Path
        A csv, csv.gz or zip.
    codebook : Codebook
        Its columns are read (dropped ones are not), renamed to their clean names. Headers are found regardless of case.
    joined : sequence of str or Path
        The further tables of ``codebook.raw.joined``, in that order.

    Returns
    -------
    DataFrame
        One column of str for each column of the codebook, stripped of surrounding blanks; columns made from several
        raw ones hold what their transform makes of them. Nothing is taken for missing yet: ``""``, ``"NA"`` and
        ``"None"`` are what they are.

    Raises
    ------
    InputError
        A file cannot be read, or lacks columns (all are named); rows have no partner in a joined table, or several.
    """
    in_rules = {name for rule in codebook.rows for name in rule.named}
    used = [name for name, column in codebook.columns.items() if not column.drop or name in in_rules]
    wanted = list(dict.fromkeys(raw for name in used for raw in codebook.raw_names(name)))
    keys = [other.key for other in codebook.raw.joined]
    table = _read_columns(path, codebook, list(dict.fromkeys([*wanted, *keys])))
    for other, key in zip(joined, keys, strict=True):
        further = [name for name in wanted if name not in table]
        table = _join(table, _read_columns(other, codebook, [key, *further]), key, other)
    absent = [raw for raw in wanted if raw not in table]
    if absent:
        where = " and ".join(map(str, (path, *joined)))
        raise InputError(
            f"{where} lack{'' if joined else 's'} the column{'s' if len(absent) > 1 else ''} {', '.join(absent)} that "
            f"the codebook of {codebook.name} describes{nearest(absent[0], _headers(path, codebook))}"
        )
    columns = {}
    for name in used:
        column = codebook.columns[name]
        made_from = table[column.made_from] if column.made_from else None
        columns[name] = table[codebook.raw_name(name)] if made_from is None else combine(made_from, name, codebook)
    return pd.DataFrame(columns)


def read_table(path: str | Path, codebook: Codebook) -> pd.DataFrame:
    """Read every column of one raw file as text, as `read_raw` does, under the file's own headers."""
    return _read_columns(path, codebook, _headers(path, codebook))


def _headers(path: str | Path, codebook: Codebook) -> list[str]:
    """Read the header row of the main table or of a joined one."""
    with open_raw(path, codebook.raw.member) as stream:
        return _header(stream, path)


def _read_columns(path: str | Path, codebook: Codebook, wanted: list[str]) -> pd.DataFrame:
    """Read those of the wanted columns that a file has, under the names that the codebook gives them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv

    header = _headers(path, codebook)
    # Releases of one table differ in the case of their headers.
    by_case = {name.casefold(): name for name in reversed(header)}
    found = {raw: raw if raw in header else by_case.get(raw.casefold()) for raw in wanted}
    present = {raw: own for raw, own in found.items() if own is not None}
    if not present:
        return pd.DataFrame()
    with open_raw(path, codebook.raw.member) as stream:
        try:
            table = pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=[""] * codebook.raw.unnamed_index + header, skip_rows=1
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=list(dict.fromkeys(present.values())),
                    column_types=dict.fromkeys(present.values(), pa.string()),
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            raise InputError(f"{path} is no readable csv: {error}.") from None
    stripped = {raw: pc.utf8_trim_whitespace(table[own]) for raw, own in present.items()}
    # Equal strings become one Python object, so that a million rows cost a pointer a cell.
    return pa.table(stripped).to_pandas(deduplicate_objects=True)


def _join(table: pd.DataFrame, other: pd.DataFrame, key: str, path: str | Path) -> pd.DataFrame:
    """Put the columns of a further table onto the rows of the first."""
    for where, columns in (("the main table", table), (str(path), other)):
        if key not in columns:
            raise InputError(f"{where} lacks the column {key}, which joins the raw tables.")
    twice = other[key][other[key].duplicated()]
    if len(twice):
        raise InputError(f"{path} must have one row for each {key}; {twice.iloc[0]} has several.")
    lonely = table[key][~table[key].isin(other[key])]
    if len(lonely):
        raise InputError(f"{path} lacks the {key} of {len(lonely):,} rows of the main table, {lonely.iloc[0]} first.")
    return table.merge(other, on=key, how="left", validate="many_to_one")


def _header(stream: IO[bytes] | gzip.GzipFile, path: str | Path) -> list[str]:
    """Read the header row."""
    import csv

    try:
        line = stream.readline().decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not in UTF-8; convert it (for example: iconv -f LATIN1 -t UTF-8).") from None
    if not line:
        raise InputError(f"{path} is empty.")
    return next(csv.reader([line]))
