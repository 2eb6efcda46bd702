"""Files that commands write: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.display.export import text_of_restored
from medsynth.errors import InputError
from medsynth.preparation.restoring import holds_numbers

# Ends of the names of files that a table can be written to.
FORMATS = (".csv", ".tsv", ".parquet")


def write_whole(path: str | Path, content: str | Callable[[Path], None]) -> None:
    """Write a file under another name and rename it, so that nobody finds half of it.

    Parameters
    ----------
    path : str or Path
    content : str or callable
        Text (UTF-8, Unix line ends), or a function that writes the file that it is given.

    Raises
    ------
    InputError
        The folder does not exist, or nothing can be written there.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} of {path.name} does not exist; make it first.")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
        os.close(handle)
        unfinished = Path(name)
        try:
            if isinstance(content, str):
                unfinished.write_text(content, encoding="utf-8", newline="\n")
            else:
                content(unfinished)
            # A temporary file is its owner's alone; others get what they get of every file.
            unmask = os.umask(0)
            os.umask(unmask)
            unfinished.chmod(0o666 & ~unmask)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}).") from None


def check_format(path: str | Path) -> None:
    """Refuse a file that no table can be written to: its ending is of no format, or its folder takes none."""
    folder = Path(path).parent
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise InputError(f"{path} cannot be written: {folder} takes no files; choose another folder.")
    if Path(path).suffix.lower() not in FORMATS:
        raise InputError(f"{path} ends with none of {', '.join(FORMATS)}, which say how the table is written.")


def write_restored(table: pd.DataFrame, path: str | Path, codebook: Codebook, real: str | Path | pd.DataFrame) -> None:
    """Write a restored table as the ending of the file's name says.

    Text has the raw file's delimiter in a csv and tabs in a tsv. In parquet, columns have the types of the real table
    where that has any. Else columns of numbers are numbers, with nulls for gaps, and the rest is text.

    Parameters
    ----------
    table : DataFrame
        As `medsynth.preparation.restoring.restore` gives it.
    path : str or Path
    codebook : Codebook
        The dataset's own.
    real : str, Path or DataFrame
        The real table, which has types if it is one of pandas, or a plain file of parquet.

    Raises
    ------
    InputError
        The ending is not known, or the file cannot be written.
    """
    check_format(path)
    ending = Path(path).suffix.lower()
    if ending == ".parquet":
        if not isinstance(real, pd.DataFrame) and Path(real).suffix.lower() == ".parquet":
            # What pandas made an index of is a column to whoever reads the file.
            real = pd.read_parquet(real).reset_index()
        typed = in_types_of(real, table) if isinstance(real, pd.DataFrame) else _typed(table, codebook)
        # Parquet holds no column of several types.
        mixed = typed.select_dtypes("object").columns
        typed = typed.assign(**{name: typed[name].map(str, na_action="ignore") for name in mixed})
        write_whole(path, lambda unfinished: typed.to_parquet(unfinished, index=False))
        return
    write_whole(path, text_of_restored(table, codebook, delimiter="\t" if ending == ".tsv" else None))


def _typed(table: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Make numbers of the columns that hold nothing else; empty text is a gap."""
    columns = {}
    for header in table:
        cells = table[header]
        if cells.dtype == object:
            cells = cells.map(str).mask((cells == "").to_numpy())
            numbers = pd.to_numeric(cells, errors="coerce")
            plain = holds_numbers(header, list(table.columns), codebook) and bool(
                (numbers.notna() == cells.notna()).all()
            )
            cells = numbers.convert_dtypes() if plain else cells
        columns[header] = cells
    return pd.DataFrame(columns)


def in_types_of(table: pd.DataFrame, restored: pd.DataFrame) -> pd.DataFrame:
    """Give restored cells the pandas types of the real table's columns where these can hold them."""
    own = {str(name): name for name in table}
    columns = {}
    for header in restored:
        cells = restored[header].astype(object)
        cells = cells.mask((cells == "").to_numpy())
        name = own.get(header, header)
        try:
            columns[name] = _as_type(cells, table[name].dtype)
        except (KeyError, TypeError, ValueError):
            columns[name] = cells
    return pd.DataFrame(columns)


def _as_type(cells: pd.Series, kind: Any) -> pd.Series:
    """Turn text and numbers into a pandas type."""
    if isinstance(kind, pd.CategoricalDtype):
        names = {str(category): category for category in kind.categories}
        return cells.map(lambda cell: names.get(str(cell), cell), na_action="ignore").astype(kind)
    if pd.api.types.is_bool_dtype(kind):
        return cells.map(lambda cell: str(cell).casefold() == "true", na_action="ignore").astype(kind)
    if pd.api.types.is_numeric_dtype(kind):
        return pd.to_numeric(cells).astype(kind)
    return cells if pd.api.types.is_object_dtype(kind) else cells.astype(kind)
