"""Rows of workbooks (xlsx, xls, xlsb, ods), read by calamine; every cell as the text that a csv would have."""

from __future__ import annotations

import datetime
import io
from collections.abc import Generator, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from medsynth.data.opening import open_raw
from medsynth.data.text import Row
from medsynth.errors import InputError

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook


def sheet_rows(path: str | Path, member: str | None, sheet: str | None) -> Generator[Row, None, None]:
    """Read the rows of a sheet, those that are not all empty.

    Parameters
    ----------
    path : str or Path
    member : str or None
        The workbook inside a zip.
    sheet : str or None
        By default the first large one: a sheet before the table may hold its title.

    Yields
    ------
    row : int
        Number in the sheet.
    cells : list of str

    Raises
    ------
    InputError
        The library is absent; the workbook is encrypted, damaged, or lacks the sheet.
    """
    book = _workbook(path, member)
    name = sheet or first_large(sheet_sizes(path, member))
    if name not in book.sheet_names:
        raise InputError(f"{path} has no sheet '{name}'; it has {', '.join(book.sheet_names)}.")
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    timed = [has_time(column) for column in zip_longest(*rows)]
    for number, cells in enumerate(rows, 1):
        texts = [cell_text(cell, timed=own) for cell, own in zip(cells, timed, strict=False)]
        if any(texts):
            yield number, texts


def sheet_sizes(path: str | Path, member: str | None) -> dict[str, int]:
    """Cells of each sheet that is not empty."""
    book = _workbook(path, member)
    sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    sizes = {sheet.name: sheet.height * sheet.width for sheet in sheets if sheet.height}
    if not sizes:
        raise InputError(f"{path} is empty.")
    return sizes


def first_large(sizes: dict[str, int]) -> str:
    """Name of the first sheet that has half as many cells as the largest one, or more."""
    return next(name for name, cells in sizes.items() if cells >= 0.5 * max(sizes.values()))


def _workbook(path: str | Path, member: str | None) -> CalamineWorkbook:
    """Open a workbook."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook, PasswordError
    except ImportError:
        raise InputError(f"{path} is a workbook; install python-calamine to read it, or save it as csv.") from None
    with open_raw(path, member) as stream:
        content = io.BytesIO(stream.read())
    if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0" in content.getbuffer()[:].tobytes():
        raise InputError(f"{path} is encrypted; save it without a password first.")
    try:
        return CalamineWorkbook.from_filelike(content)
    except PasswordError:
        raise InputError(f"{path} is encrypted; save it without a password first.") from None
    except CalamineError as error:
        raise InputError(f"{path} cannot be read as a workbook ({error}); save it again as xlsx or csv.") from None


def has_time(cells: Iterable[object]) -> bool:
    """Whether a column has a moment that is not midnight."""
    return any(isinstance(cell, datetime.datetime) and cell.time() != datetime.time() for cell in cells)


def cell_text(cell: object, *, timed: bool = False) -> str:
    """Write a cell as csv has it: whole numbers without decimals, dates as ISO 8601, truth values as words.

    Parameters
    ----------
    cell : object
    timed : bool, default False
        Whether its column has moments (`has_time`): midnight is one, too, then.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return number_text(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ") if timed or has_time([cell]) else cell.date().isoformat()
    if isinstance(cell, datetime.date):
        return f"{cell.isoformat()} 00:00:00" if timed else cell.isoformat()
    if isinstance(cell, datetime.time):
        return cell.isoformat()
    return str(cell)


def number_text(number: float) -> str:
    """Write a number with as few digits as give it back, whole ones without decimals; not-a-number as nothing."""
    if number != number:
        return ""
    return str(int(number)) if number == int(number) and abs(number) < 2**63 else repr(float(number))
