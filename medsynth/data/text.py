"""Rows of text files: how a file is written is recognised once, and rows are then read by what was recognised."""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import itertools
import re
from collections.abc import Generator, Iterator
from pathlib import Path

from medsynth.codebook import RawFormat
from medsynth.data.opening import RawStream, open_raw
from medsynth.errors import InputError

# A row and the line of the file on which it starts.
Row = tuple[int, list[str]]

# Characters and rows that the dialect is guessed from.
_SAMPLE_CHARACTERS, _SAMPLE_ROWS = 2_000_000, 400
_DELIMITERS = [",", ";", "\t", "|"]
# Tried where a file has none of these: what R's write.table and some hospital systems write.
_RARE_DELIMITERS = [" ", "^", "~"]
# Encodings of one byte a character that agree on most of Western text; cp1252 is what Windows and Excel write.
_WESTERN = {"cp1252", "latin_1", "iso8859_15", "cp1254", "cp1257", "cp1258", "iso8859_9"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_rows(path: str | Path, member: str | None, written: RawFormat) -> Generator[Row, None, None]:
    """Read the rows of a text file as they are written, without blank lines and comments.

    Parameters
    ----------
    path : str or Path
    member : str or None
        The table inside a zip.
    written : RawFormat

    Yields
    ------
    line : int
        Where the row starts; a row with line breaks inside quotes goes on below it.
    fields : list of str

    Raises
    ------
    InputError
        Bytes are not of the encoding, or quotes do not fit; names the line, never its text.
    """
    with open_raw(path, member) as stream:
        yield from rows_of(_lines(stream, written.encoding, path), written, path)


def _lines(stream: RawStream, encoding: str, path: str | Path) -> Generator[str, None, None]:
    """Decode lines, which end as on any system; U+2028 and its like are letters."""
    name = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    text = io.TextIOWrapper(stream, encoding=name, newline="")
    count = 0
    try:
        for count, line in enumerate(text, 1):  # noqa: B007
            yield line
    except UnicodeError:
        raise InputError(
            f"{path} is not in {encoding.upper()} near line {count + 1}; convert it (for example: iconv -f LATIN1 -t "
            "UTF-8), or set its encoding under 'raw.format' in the codebook."
        ) from None
    finally:
        # The stream belongs to whoever opened it, and may have been closed by now.
        with contextlib.suppress(ValueError):
            text.detach()


def rows_of(lines: Iterator[str], written: RawFormat, path: str | Path) -> Iterator[Row]:
    """Split lines into rows, as `text_rows` says."""
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(
        lines,
        delimiter=written.delimiter,
        quotechar=written.quote or None,
        quoting=csv.QUOTE_MINIMAL if written.quote else csv.QUOTE_NONE,
        escapechar=written.escape or None,
        skipinitialspace=written.skip_blanks,
        strict=True,
    )
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise InputError(
                f"{path}: the row that starts in line {line:,} has quotes that do not fit; double a quote inside "
                "quotes, and close every quoted field."
            ) from None
        if fields and not (written.comment and fields[0].startswith(written.comment)):
            yield line, fields


def recognise_text(path: str | Path, member: str | None) -> RawFormat:
    """Recognise encoding, delimiter, quotes and comments of a text file.

    The delimiter is found by CleverCSV (van den Burg, Nazabal and Sutton 2019, Data Mining and Knowledge Discovery 33)
    in the file's first rows; how quotes and backslashes are meant by which reading of all rows has fewest of another
    width.

    Raises
    ------
    InputError
        The file is in no encoding that can be told, or no reading of its quotes fits.
    """
    encoding = recognise_encoding(path, member)
    plain = RawFormat(encoding=encoding)
    with open_raw(path, member) as stream:
        lines = _lines(stream, encoding, path)
        sample = "".join(itertools.islice(lines, _SAMPLE_ROWS))[:_SAMPLE_CHARACTERS]
        lines.close()
    if not sample.strip():
        raise InputError(f"{path} is empty.")
    if sample.count("\0") > len(sample) / 10:
        raise InputError(f"{path} is not text, because it has zero bytes; export the table as csv.")
    comment = _comment(sample)
    sniffed = _sniff(sample, comment)
    best, least = None, None
    for quote, escape, blanks in _quotings(sample, sniffed):
        update = {"delimiter": sniffed[0], "quote": quote, "escape": escape, "skip_blanks": blanks, "comment": comment}
        tried = plain.model_copy(update=update)
        try:
            odd = _odd_rows(text_rows(path, member, tried))
        except InputError as error:
            refusal = error
            continue
        if least is None or odd < least:
            best, least = tried, odd
        if odd == 0:
            break
    if best is None:
        raise refusal
    return best


def _odd_rows(rows: Iterator[Row]) -> int:
    """Count rows that have not the usual number of fields."""
    widths: dict[int, int] = {}
    for _, fields in rows:
        widths[len(fields)] = widths.get(len(fields), 0) + 1
    return sum(widths.values()) - max(widths.values(), default=0)


def _sniff(sample: str, comment: str) -> tuple[str, str | None]:
    """Delimiter and quote of a sample, by CleverCSV; a comma if there is one column alone."""
    from clevercsv.detect import Detector
    from clevercsv.exceptions import Error, NoDetectionResult

    lines = sample.splitlines(keepends=True)
    kept = "".join(line for line in lines if not (comment and line.startswith(comment))).replace("\0", "")
    # CleverCSV looks for addresses in time that grows with the square of a word's length.
    kept = re.sub(r"(\w{100})\w+", r"\1", kept)[:60_000]
    given = re.match(r"\s*sep=(.)\s", kept)
    if given:
        # Excel's own first line.
        return given[1], '"'
    try:
        found = Detector().detect(kept, delimiters=_DELIMITERS)
    except (NoDetectionResult, Error):
        found = None
    if found is None or found.delimiter not in _DELIMITERS:
        first = kept.splitlines()[0] if kept.strip() else ""
        present = [d for d in _DELIMITERS if d in first]
        return (present or [_rare_delimiter(kept)])[0], '"'
    return found.delimiter, found.quotechar


def _rare_delimiter(sample: str) -> str:
    """A rare delimiter that splits all lines into as many fields, more than one; else a comma."""
    for delimiter in _RARE_DELIMITERS:
        rows = csv.reader(sample.splitlines(), delimiter=delimiter, skipinitialspace=True)
        widths = [len(row) for row in rows if row][:-1]
        # R names one column less than there are: its row names.
        if len(widths) > 4 and len(set(widths[1:])) == 1 and widths[1] > 1 and widths[0] in (widths[1], widths[1] - 1):
            return delimiter
    return ","


def _quotings(sample: str, sniffed: tuple[str, str | None]) -> Iterator[tuple[str, str, bool]]:
    """Ways in which quotes may be meant, the usual ones first: quote, escape, blanks after delimiters skipped."""
    delimiter, found = sniffed
    padded = bool(re.search(rf"{re.escape(delimiter)} +\S", sample.split("\n", 1)[0]))
    padded = padded or f'{delimiter} "' in sample or (delimiter == " " and "  " in sample)
    quotes = ["'", '"'] if found == "'" else ['"', "'"]
    for quote in [*quotes, ""]:
        if quote == "'" and found != "'":
            continue
        for blanks in (padded, False) if padded else (False,):
            yield quote, "", blanks
            if quote:
                yield quote, "\\", blanks


def _comment(sample: str) -> str:
    """The sign that begins comment lines, where the first lines or all odd ones have it."""
    lines = [line for line in re.split(r"\r\n|\r|\n", sample) if line.strip()]
    for sign in ("#", "%"):
        marked = [line for line in lines if line.startswith(sign)]
        rest = [line for line in lines if not line.startswith(sign)]
        if not marked or not rest:
            continue
        # A row of data may begin with the sign, too: then it has as many delimiters as the others.
        alike = any(
            rest[0].count(d) > 0 and any(line.count(d) == rest[0].count(d) for line in marked) for d in _DELIMITERS
        )
        if not alike:
            return sign
    return ""


def recognise_encoding(path: str | Path, member: str | None) -> str:
    """Recognise the encoding of a text file, from all of its bytes.

    Raises
    ------
    InputError
        Some lines are in UTF-8 and others in another encoding; names the first of these.
    """
    with open_raw(path, member) as stream:
        start = stream.read(4096)
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return encoding
    zeros = [start[i::2].count(0) for i in (0, 1)]
    if max(zeros) > len(start) / 8:
        return "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    foreign: set[bytes] = set()
    odd: list[int] = []
    valid = 0
    with open_raw(path, member) as stream:
        for number, line in enumerate(stream, 1):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
            except UnicodeDecodeError:
                odd.append(number)
                if len(foreign) < 500:
                    foreign.add(bytes(line))
    if not odd:
        return "utf-8"
    if valid:
        raise InputError(
            f"{path} mixes two encodings: {valid:,} of its lines are UTF-8, but line {odd[0]:,} and {len(odd) - 1:,} "
            "more are not; write all of it in UTF-8."
        )
    return _legacy_encoding(b"".join(sorted(foreign)))


def _legacy_encoding(lines: bytes) -> str:
    """Guess which encoding of before UTF-8 lines are in: cp1252 if they read like Western text, else as found.

    charset-normalizer tells scripts apart; among encodings of Western text it has too little to go by in a table.
    """
    from charset_normalizer import from_bytes

    try:
        read = lines.decode("cp1252")
    except UnicodeDecodeError:
        read = ""
    foreign = re.findall(r"[^\x00-\x7f]", read)
    # A capital after a small letter, or whole words of such letters, are another script misread.
    likely = re.findall(r"(?<![a-zß-ÿ])[À-ÖØ-Þ]|[ß-öø-ÿ’‘“”–—…€°µ±²³½¼«»§·×ºª\xa0]", read)
    words = re.findall(r"[À-ÿ]{4,}", read)
    if foreign and len(likely) >= 0.9 * len(foreign) and 4 * len(words) < len(foreign) / 4:
        return "cp1252"
    found = from_bytes(lines[:200_000]).best()
    if found is None or (found.encoding in _WESTERN and read):
        return "cp1252" if read else "latin-1"
    return found.encoding
