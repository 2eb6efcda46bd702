"""Where a table lies among a file's rows: titles above the header, further header rows, footers, odd rows."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from medsynth.codebook import RawFormat
from medsynth.data.text import Row
from medsynth.errors import InputError

# Rows at both ends of a file that are looked at for what is no data.
_HEAD, _TAIL = 60, 30
# Most rows of titles, headers and footers.
_MOST_TITLES, _MOST_HEADERS, _MOST_FOOTERS = 20, 3, 20
# So many line numbers are named in a message.
_NAMED = 3

_NUMBER = re.compile(r"[<>≤≥~]?\s*[-+]?(\d[\d.,' ]*|\.\d+)([eE][-+]?\d+)?\s*%?")
_DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")
_SUMS = re.compile(
    r"(grand )?(total|sum|mean|average|summe|gesamt|count|source|note|end of (file|report))s?\b[ :]*", re.I
)


@dataclass
class Layout:
    """What was found of a table's place in its file."""

    skipped_rows: int = 0
    header_rows: int = 1
    footer_rows: int = 0
    surplus_fields: int = 0
    short_rows: bool = False
    unnamed_index: bool = False
    # Lines or rows of a sheet that are all empty, and comments, between the table's rows.
    blank_rows: int = 0
    # What a person has to know, in sentences.
    notes: list[str] = field(default_factory=list)
    # What further header rows say of each column.
    labels: list[str] = field(default_factory=list)


def _is_value(cell: str) -> bool:
    """Whether a cell is a number or a date rather than a word."""
    cell = cell.strip()
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell))


def recognise_layout(rows: Iterable[Row], path: str | Path) -> Layout:
    """Find the table among a file's rows.

    Parameters
    ----------
    rows : iterable of (int, list of str)
        All rows, with the line on which each starts.
    path : str or Path
        What messages call the file.

    Raises
    ------
    InputError
        There is no row; or a row has more fields than the header, and text in them: names the line.
    """
    head: list[Row] = []
    tail: deque[Row] = deque(maxlen=_TAIL)
    widths: Counter[int] = Counter()
    # Of each width: the first lines that have it, and how many have text in the last field.
    lines: dict[int, list[int]] = {}
    texts: dict[int, list[int]] = {}
    blank, last = 0, None
    for line, fields in rows:
        # Between rows of the table, not above it.
        blank += line - last - 1 if last is not None and len(head) > 1 else 0
        last = line + sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in fields)
        if len(head) < _HEAD:
            head.append((line, fields))
        tail.append((line, fields))
        widths[len(fields)] += 1
        lines.setdefault(len(fields), []).append(line) if widths[len(fields)] <= _HEAD + _TAIL else None
        if fields[-1].strip():
            texts.setdefault(len(fields), []).append(line)
    if not head:
        raise InputError(f"{path} is empty.")
    found = Layout(blank_rows=blank)
    usual = max(widths, key=lambda width: (widths[width], width))
    found.skipped_rows = _titles(head, usual)
    header = head[found.skipped_rows][1]
    body = [fields for _, fields in head[found.skipped_rows + 1 :]]
    if found.skipped_rows:
        found.notes.append(f"Left out as titles: {_rows(found.skipped_rows)} before the header.")
    named = found.skipped_rows + 1
    found.footer_rows = _footers(list(tail)[-(sum(widths.values()) - named) :] if body else [], usual)
    if found.footer_rows:
        found.notes.append(f"Left out as no data (a total, a note): {_rows(found.footer_rows)} at the end.")
    outside = [fields for _, fields in head[: found.skipped_rows]]
    outside += [fields for _, fields in list(tail)[len(tail) - found.footer_rows :]]
    inner = widths - Counter(len(fields) for fields in [*outside, header])
    _judge_widths(found, header, inner, lines, texts, body, path)
    if _has_no_header(header, body):
        found.header_rows = 0
        found.notes.append("The file has no row of headers: columns are called by their position.")
    else:
        found.header_rows = 1 + _further_headers(body)
    if found.header_rows > 1:
        further = body[: found.header_rows - 1]
        found.labels = [" ".join(_label(row, i) for row in further).strip() for i in range(len(header))]
        found.notes.append(f"Taken for labels or units of columns: {_rows(found.header_rows - 1)} below the header.")
    return found


def _rows(count: int) -> str:
    """Count rows in words."""
    return f"{count:,} row" + ("s" if count != 1 else "")


def _label(row: list[str], position: int) -> str:
    """What a further header row says of a column; what a program wrote for itself says nothing."""
    text = " ".join(row[position].split()) if position < len(row) else ""
    return "" if text.startswith("{") else text


def _titles(head: list[Row], usual: int) -> int:
    """Count rows before the header: those with less than two fields filled, or far fewer fields than usual."""
    if usual < 3:
        # Two columns: a title has no delimiter at all.
        leading = next((i for i, (_, fields) in enumerate(head) if len(fields) >= usual), 0)
        return leading if leading <= _MOST_TITLES else 0
    for i, (_, fields) in enumerate(head[: _MOST_TITLES + 1]):
        filled = sum(bool(cell.strip()) for cell in fields)
        if len(fields) >= usual - 1 and filled >= 2:
            # Above the headers there may be some for groups of columns.
            return i + 1 if _names_groups(fields, [fields for _, fields in head[i + 1 :]]) else i
        # The header may lack the names of delimiters at the end of rows.
        if filled >= 2 and filled == len(fields) and len(fields) >= usual / 2:
            return i
    return 0


def _names_groups(fields: list[str], below: list[list[str]]) -> bool:
    """Whether a row names groups of columns: most of its fields are empty, and the next row has a word in each."""
    if sum(bool(cell.strip()) for cell in fields) > 0.6 * len(fields) or len(below) < 5:
        return False
    words = [cell.strip() for cell in below[0]]
    named = len(words) == len(fields) and all(words) and len(set(words)) == len(words)
    return named and not any(map(_is_value, words)) and bool(_valued_columns(below[1:]))


def _footers(tail: list[Row], usual: int) -> int:
    """Count rows at the end that are no data: notes in one field, sums, rows without any value."""
    count = 0
    data = [fields for _, fields in tail if len(fields) == usual]
    for _, fields in reversed(tail[-_MOST_FOOTERS:]):
        filled = [i for i, cell in enumerate(fields) if cell.strip()]
        alone = usual >= 3 and len(filled) == 1 and filled[0] == 0
        if usual == 1 and fields[0].strip():
            note = False
        elif not filled or (alone and len(fields) < usual):
            note = True
        else:
            first = fields[filled[0]].strip()
            values = [row[filled[0]] for row in data]
            odd = not _is_value(first) and sum(map(_is_value, values)) > 0.8 * (len(values) - 1)
            note = (usual >= 3 and bool(odd and alone)) or (bool(_SUMS.match(first)) and (odd or len(fields) < usual))
        if not note:
            break
        count += 1
    return count if count < len(tail) else 0


def _judge_widths(
    found: Layout,
    header: list[str],
    inner: Counter[int],
    lines: dict[int, list[int]],
    texts: dict[int, list[int]],
    body: list[list[str]],
    path: str | Path,
) -> None:
    """Say what rows that are longer or shorter than the header mean."""
    width = len(header)
    longer, shorter = sorted(w for w in inner if w > width), sorted(w for w in inner if w < width)
    filled = len(texts.get(width + 1, [])) / max(inner[width + 1], 1)
    if set(inner) == {width + 1} and (filled > 0.5 or (filled and _counts([row[0] for row in body]))):
        found.unnamed_index = True
        found.notes.append("Rows start with a field that the header does not name, an index: it is left out.")
        return
    for w in longer:
        if texts.get(w):
            more = _and_more(len(texts[w]))
            raise InputError(
                f"{path}: line {texts[w][0]:,} has {w} fields, but the header has {width}{more}; quote texts that "
                "hold a delimiter, or name the column."
            )
    if longer:
        found.surplus_fields = longer[-1] - width
        found.notes.append(
            f"More delimiters than the header: {_rows(sum(inner[w] for w in longer))}; what follows them is empty."
        )
    if shorter:
        found.short_rows = True
        where = sorted(line for w in shorter for line in lines[w])[:_NAMED]
        count = sum(inner[w] for w in shorter)
        found.notes.append(
            f"Fewer fields than the header: {_rows(count)} (line {', '.join(f'{line:,}' for line in where)}"
            f"{' and more' if count > len(where) else ''}); what is lacking is taken for empty."
        )


def _counts(cells: list[str]) -> bool:
    """Whether cells count rows, from 0 or 1."""
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,9}", cell.strip())]
    start = numbers[0] if numbers else 0
    return len(numbers) == len(cells) and start in (0, 1) and numbers == list(range(start, start + len(numbers)))


def _and_more(count: int) -> str:
    """How many more rows are so."""
    return f" ({count - 1:,} more rows are so)" if count > 1 else ""


def _has_no_header(header: list[str], body: list[list[str]]) -> bool:
    """Whether the first row is data: it has numbers or dates, where rows below have, too, and no word above numbers."""
    if len(body) < 5:
        return False
    valued = _valued_columns(body)
    over = [header[i] for i in valued if i < len(header)]
    years = all(re.fullmatch(r"(19|20)\d\d", cell.strip()) for cell in over if _is_value(cell))
    return bool(over) and all(_is_value(cell) or not cell.strip() for cell in over) and any(over) and not years


def _valued_columns(body: list[list[str]]) -> list[int]:
    """Positions of columns whose cells are numbers or dates, nearly all of them."""
    width = max(map(len, body), default=0)
    columns = [[row[i] for row in body if i < len(row) and row[i].strip()] for i in range(width)]
    return [i for i, cells in enumerate(columns) if len(cells) > 3 and sum(map(_is_value, cells)) >= 0.8 * len(cells)]


def _further_headers(body: list[list[str]]) -> int:
    """Count rows below the header that have words where all others have numbers."""
    count = 0
    valued = _valued_columns(body[_MOST_HEADERS:])
    if not valued:
        return int(len(body) > 10 and _says_what_columns_are(body[0], body[1:]))
    seen = {i: {row[i].strip() for row in body[_MOST_HEADERS:] if i < len(row)} for i in valued}
    for row in body[: _MOST_HEADERS - 1 if len(body) > 10 else 0]:
        cells = {i: row[i].strip() for i in valued if i < len(row)}
        words = [i for i, cell in cells.items() if cell and not _is_value(cell) and cell not in seen[i]]
        if not words or any(_is_value(cell) for cell in cells.values()) or len(words) < len(valued) / 2:
            break
        # A single word may be a slip of the pen: then the columns of words say nothing new.
        others = [cell.strip() for i, cell in enumerate(row) if i not in cells and cell.strip()]
        known = {r[i].strip() for r in body[_MOST_HEADERS:] for i in range(len(r)) if i not in cells}
        if len(words) < 2 and others and all(cell in known for cell in others):
            break
        count += 1
    return count


def _says_what_columns_are(row: list[str], others: list[list[str]]) -> bool:
    """Whether a row of a table without numbers is labels: categories come again below, its own texts never do."""
    columns = [[r[i].strip() for r in others if i < len(r)] for i in range(len(row))]
    repeating = [i for i, cells in enumerate(columns) if 0 < len(set(cells)) <= len(cells) / 3]
    fresh = [i for i in repeating if row[i].strip() and row[i].strip() not in columns[i]]
    return len(repeating) > 2 and len(fresh) == len(repeating)


def table_rows(rows: Iterable[Row], written: RawFormat, width: int, path: str | Path) -> Iterator[list[str]]:
    """Give the rows of data, each of the header's width.

    Parameters
    ----------
    rows : iterable of (int, list of str)
        All rows of the file.
    written : RawFormat
    width : int
        Fields of a row: the header's, and an index that it does not name.
    path : str or Path

    Raises
    ------
    InputError
        A row has more or fewer fields than it may have: names the line.
    """
    before = written.skipped_rows + written.header_rows
    held: deque[Row] = deque()
    for number, (line, fields) in enumerate(rows):
        if number < before:
            continue
        # Rows that may belong to the footer are held back.
        held.append((line, fields))
        if len(held) > written.footer_rows:
            earlier, cells = held.popleft()
            yield _fitted(cells, earlier, width, written, path)


def _fitted(fields: list[str], line: int, width: int, written: RawFormat, path: str | Path) -> list[str]:
    """Give a row the table's width, where the format says that it may differ."""
    if len(fields) == width:
        return fields
    if len(fields) < width and written.short_rows:
        return fields + [""] * (width - len(fields))
    surplus = fields[width:]
    if surplus and len(surplus) <= written.surplus_fields:
        if any(cell.strip() for cell in surplus):
            raise InputError(
                f"{path}: line {line:,} has text behind the last column; quote the text that holds a delimiter."
            )
        return fields[:width]
    raise InputError(
        f"{path}: line {line:,} has {len(fields)} fields instead of {width}; quote texts that hold a delimiter, or "
        "draft the codebook again for another file."
    )


def unique_headers(fields: list[str]) -> list[str]:
    """Name every column once: an empty header and the second of one name get their position.

    >>> unique_headers(["", "sbp", "sbp"])
    ['(column 1)', 'sbp', 'sbp (column 3)']
    """
    names = []
    twice = {name for name, group in groupby(sorted(fields)) if len(list(group)) > 1}
    for position, name in enumerate(fields, 1):
        own = name
        if not name.strip():
            own = f"(column {position})"
        elif name in names and name in twice:
            own = f"{name} (column {position})"
        while own in names:
            own += "'"
        names.append(own)
    return names
