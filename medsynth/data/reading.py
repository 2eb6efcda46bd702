"""The one reader of raw tables: drafting recognises how a file is written, everything else reads by what it found."""

from __future__ import annotations

import zipfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from medsynth.codebook import Codebook, RawFormat
from medsynth.data.layout import Layout, recognise_layout, table_rows, unique_headers
from medsynth.data.opening import kind_of, members, open_raw, sha256
from medsynth.data.sheets import first_large, sheet_rows, sheet_sizes
from medsynth.data.statistical import read_described
from medsynth.data.text import Row, recognise_text, text_rows
from medsynth.errors import InputError, nearest
from medsynth.preparation.decoding import combine

__all__ = ["Recognised", "read_raw", "read_table", "recognise", "sha256"]

# Ends of names of tables; a .txt beside one tells of it.
_TABLES = {".csv", ".tsv", ".tab", ".xlsx", ".xls", ".xlsb", ".ods", ".parquet", ".sav", ".dta", ".sas7bdat", ".xpt"}
# Rows that become columns at a time.
_CHUNK = 20_000


@dataclass
class Recognised:
    """A raw table that nobody has described yet.

    Attributes
    ----------
    table : DataFrame
        Text, stripped of surrounding blanks, under unique headers.
    written : RawFormat
        How the file is written; reading by it gives `table` again.
    member : str or None
        The table's name inside a zip.
    unnamed_index : bool
        Rows start with a field that the header does not name; it is not in `table`.
    notes : list of str
        What was left out or taken for something, in sentences.
    labels : dict of str
        Header -> description.
    codes : dict of dict
        Header -> code -> category.
    missing : dict of list
        Header -> codes for missing.
    """

    table: pd.DataFrame
    written: RawFormat
    member: str | None = None
    unnamed_index: bool = False
    notes: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)


def recognise(path: str | Path, *, member: str | None = None, sheet: str | None = None) -> Recognised:
    """Read a table of which nothing is known, and say how it is written.

    Parameters
    ----------
    path : str or Path
        csv, tsv, xlsx, xls, ods, parquet, SPSS, Stata or SAS; also packed.
    member : str, optional
        The table inside a zip, needed if that holds several.
    sheet : str, optional
        Of a workbook; by default the first large one.

    Raises
    ------
    InputError
        One sentence: the file cannot be read, and where it does not fit (line, column), never the text of a cell.
    """
    path = Path(path)
    members_note, member = ([], member) if member else _only_member(path)
    kind = kind_of(path, member)
    if kind not in ("text", "excel"):
        found = read_described(path, member, kind)
        table = found.table
        if table.empty:
            raise InputError(f"{path} has no rows.")
        table.columns = unique_headers([str(name) for name in table.columns])
        return Recognised(
            _stripped(table),
            RawFormat(kind=kind),
            member,
            notes=members_note,
            labels=found.labels,
            codes=found.codes,
            missing=found.missing,
        )
    notes = members_note
    if kind == "text":
        written = recognise_text(path, member)
        notes += _said_of(written)
    else:
        filled = sheet_sizes(path, member)
        written = RawFormat(kind="excel", sheet=sheet or first_large(filled))
        if len(filled) > 1:
            notes.append(f"Of the sheets {', '.join(filled)} the table is '{written.sheet}'.")
    layout = recognise_layout(_rows(path, member, written), path)
    if layout.blank_rows and not written.comment:
        notes.append(f"Left out without any value: {layout.blank_rows:,} blank rows between the others.")
    kept = ("skipped_rows", "header_rows", "footer_rows", "surplus_fields", "short_rows")
    written = written.model_copy(update={name: getattr(layout, name) for name in kept})
    headers = _headers(path, member, written, unnamed_index=layout.unnamed_index)
    table = _fast(path, member, written, headers, headers, unnamed_index=layout.unnamed_index)
    if table is None:
        table = _careful(path, member, written, headers, headers, unnamed_index=layout.unnamed_index)
    if table.empty:
        raise InputError(f"{path} has no rows.")
    return Recognised(
        table,
        written,
        member,
        layout.unnamed_index,
        [*notes, *layout.notes, *_said_of_headers(headers)],
        _labels(layout, headers),
    )


def _only_member(path: Path) -> tuple[list[str], str | None]:
    """The one table in a zip, and what to say of it; None if there is not one (`open_raw` then says so)."""
    if path.suffix.lower() != ".zip" or not zipfile.is_zipfile(path):
        return [], None
    with zipfile.ZipFile(path) as archive:
        names = members(archive)
    if len(names) == 1:
        return [], names[0]
    tables = [name for name in names if Path(name).suffix.lower() in _TABLES]
    if len(tables) != 1:
        return [], None
    return [f"Of the {len(names)} files in the zip the table is {tables[0]}."], tables[0]


def _labels(layout: Layout, headers: list[str]) -> dict[str, str]:
    """What further header rows say of each column."""
    return {name: label for name, label in zip(headers, layout.labels, strict=False) if label}


def _said_of(written: RawFormat) -> list[str]:
    """Say how a text file is written, where that is not plain csv."""
    names = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
    notes = []
    if written.delimiter != ",":
        notes.append(f"Fields are separated by {names.get(written.delimiter, written.delimiter)}.")
    if written.encoding != "utf-8":
        sure = "" if written.encoding.startswith("utf") else " (a guess: look at letters with accents)"
        notes.append(f"The encoding is {written.encoding}{sure}.")
    if not written.quote:
        notes.append("Quotes are letters here: some do not close.")
    if written.escape:
        notes.append("A backslash stands before quotes inside quotes.")
    if written.skip_blanks:
        notes.append("Blanks after a delimiter are no part of a field.")
    if written.comment:
        notes.append(f"Lines that start with {written.comment} are comments and left out.")
    return notes


def _said_of_headers(headers: list[str]) -> list[str]:
    """Say which columns got a name."""
    made = [name for name in headers if name.rstrip("'").endswith(")") and "(column " in name]
    return [f"Headers that are empty or there twice are called by their position: {', '.join(made)}."] if made else []


def _rows(path: str | Path, member: str | None, written: RawFormat) -> Generator[Row, None, None]:
    """All rows of a file that has rows."""
    if written.kind == "excel":
        return sheet_rows(path, member, written.sheet)
    return text_rows(path, member, written)


def _headers(path: str | Path, member: str | None, written: RawFormat, *, unnamed_index: bool = False) -> list[str]:
    """Unique headers of a file, without an index that has none."""
    if written.kind not in ("text", "excel"):
        return unique_headers([str(name) for name in read_described(path, member, written.kind).table.columns])
    rows = _rows(path, member, written)
    for number, (_, fields) in enumerate(rows):
        if number == written.skipped_rows:
            rows.close()
            if written.header_rows:
                return unique_headers(fields)
            return unique_headers([""] * (len(fields) - written.surplus_fields - unnamed_index))
    raise InputError(f"{path} is empty.")


def read_raw(path: str | Path, codebook: Codebook, joined: Sequence[str | Path] = ()) -> pd.DataFrame:
    """Read a raw table as text, value by value as written, by what the codebook says of its format.

    Parameters
    ----------
    path : str or Path
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
            f"the codebook of {codebook.name} describes{nearest(absent[0], _own_headers(path, codebook))}"
        )
    columns = {}
    for name in used:
        column = codebook.columns[name]
        made_from = table[column.made_from] if column.made_from else None
        columns[name] = table[codebook.raw_name(name)] if made_from is None else combine(made_from, name, codebook)
    return pd.DataFrame(columns)


def read_table(path: str | Path, codebook: Codebook) -> pd.DataFrame:
    """Read every column of one raw file as text, as `read_raw` does, under the file's own (unique) headers."""
    return _read_columns(path, codebook, _own_headers(path, codebook))


def _own_headers(path: str | Path, codebook: Codebook) -> list[str]:
    """Headers of the main table or of a joined one."""
    raw = codebook.raw
    return _headers(path, raw.member, raw.format, unnamed_index=raw.unnamed_index)


def _read_columns(path: str | Path, codebook: Codebook, wanted: list[str]) -> pd.DataFrame:
    """Read those of the wanted columns that a file has, under the names that the codebook gives them."""
    raw, written = codebook.raw, codebook.raw.format
    header = _own_headers(path, codebook)
    # Releases of one table differ in the case of their headers.
    by_case = {_folded(name): name for name in reversed(header)}
    found = {name: name if name in header else by_case.get(_folded(name)) for name in wanted}
    present = {name: own for name, own in found.items() if own is not None}
    if not present:
        return pd.DataFrame()
    own = list(dict.fromkeys(present.values()))
    if written.kind not in ("text", "excel"):
        table = read_described(path, raw.member, written.kind).table
        table.columns = header
        table = _stripped(table[own])
    else:
        table = _fast(path, raw.member, written, header, own, unnamed_index=raw.unnamed_index)
        if table is None:
            table = _careful(path, raw.member, written, header, own, unnamed_index=raw.unnamed_index)
    return pd.DataFrame({name: table[own] for name, own in present.items()})


def _folded(header: str) -> str:
    """A header without case and surrounding blanks."""
    return header.strip().casefold()


def _careful(
    path: str | Path, member: str | None, written: RawFormat, header: list[str], own: list[str], *, unnamed_index: bool
) -> pd.DataFrame:
    """Read columns row by row; says where a row does not fit."""
    import pyarrow as pa

    places = [header.index(name) + unnamed_index for name in own]
    chunks: dict[str, list[pa.Array]] = {name: [] for name in own}
    rows = table_rows(_rows(path, member, written), written, len(header) + unnamed_index, path)
    part: list[list[str]] = []

    def pack() -> None:
        columns = list(zip(*part, strict=True))
        for name, place in zip(own, places, strict=True):
            chunks[name].append(pa.array(columns[place] if columns else [], pa.string()))
        part.clear()

    for row in rows:
        part.append(row)
        if len(part) == _CHUNK:
            pack()
    pack()
    return _to_pandas({name: pa.chunked_array(arrays) for name, arrays in chunks.items()})


def _fast(
    path: str | Path, member: str | None, written: RawFormat, header: list[str], own: list[str], *, unnamed_index: bool
) -> pd.DataFrame | None:
    """Read columns of a plain csv at once, by Arrow; None where it is not plain or does not fit.

    Arrow reads such files as `_careful` does, many times as fast; what it refuses is refused there, with the line.
    """
    import pyarrow as pa
    import pyarrow.csv

    if written.model_copy(update={"delimiter": ","}) != RawFormat():
        return None
    rows = text_rows(path, member, written)
    starts = [line for line, _ in (next(rows, (0, [])), next(rows, (0, [])))]
    rows.close()
    if starts != [1, 2]:
        return None
    names = [""] * unnamed_index + header
    with open_raw(path, member) as stream:
        try:
            table = pyarrow.csv.read_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(column_names=names, skip_rows=1),
                parse_options=pyarrow.csv.ParseOptions(delimiter=written.delimiter, newlines_in_values=True),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=own, column_types=dict.fromkeys(own, pa.string()), strings_can_be_null=False
                ),
            )
        except (pa.ArrowInvalid, pa.ArrowKeyError):
            return None
    return _to_pandas({name: table[name] for name in own})


def _to_pandas(columns: dict) -> pd.DataFrame:
    """Strip the cells of Arrow columns; equal strings become one object, so that a row costs a pointer a cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stripped = {name: pc.utf8_trim_whitespace(cells) for name, cells in columns.items()}
    return pa.table(stripped).to_pandas(deduplicate_objects=True)


def _stripped(table: pd.DataFrame) -> pd.DataFrame:
    """Strip the cells of a table of text."""
    import pyarrow as pa

    return _to_pandas({name: pa.chunked_array([pa.array(table[name], pa.string())]) for name in table})


def _join(table: pd.DataFrame, other: pd.DataFrame, key: str, path: str | Path) -> pd.DataFrame:
    """Put the columns of a further table onto the rows of the first."""
    for where, columns in (("the main table", table), (str(path), other)):
        if key not in columns:
            raise InputError(f"{where} lacks the column {key}, which joins the raw tables.")
    twice = other[key][other[key].duplicated()]
    if len(twice):
        raise InputError(f"{path} must have one row for each {key}; that of row {twice.index[0] + 1:,} has several.")
    lonely = table[key][~table[key].isin(other[key])]
    if len(lonely):
        where = f"that of row {lonely.index[0] + 1:,} first"
        raise InputError(f"{path} lacks the {key} of {len(lonely):,} rows of the main table, {where}.")
    return table.merge(other, on=key, how="left", validate="many_to_one")
