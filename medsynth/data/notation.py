"""How numbers are written, and back: ``1.234,5``, ``45 %``, ``<0.05``; by the codebook's `Notation` of a column."""

from __future__ import annotations

import re

import pandas as pd

from medsynth.codebook import Notation

PLAIN = Notation()

# Decimal and thousands marks, the likely ones first.
_MARKS = [(".", ""), (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")]
_BLANKS = "\u00a0\u202f\u2009"
_PREFIX = re.compile(r"[$€£¥]\s?(?=[-+\d.,])")
_SUFFIX = re.compile(r"(?<=[\d.,])(\s?[%‰°$€£¥]|\s?(?![eE][-+]?\d+$)[a-zA-Zµμ][a-zA-Zµμ/%²³0-9]{0,11})$")
# Below or above what an instrument can tell, or older than is said: <0.05, >= 100, 90+.
_CENSORED = re.compile(r"([<>≤≥]=?)\s*([-+]?[\d.,].*)")
_OR_MORE = re.compile(r"(\d+)\s?(\+)")


def _body(decimal: str, thousands: str) -> re.Pattern[str]:
    """Numbers with these marks."""
    d, t = re.escape(decimal), re.escape(thousands)
    grouped = rf"[1-9]\d{{0,2}}(?:{t}\d{{3}})+(?:{d}\d+)?|" if thousands else ""
    return re.compile(rf"[-+−]?(?:{grouped}\d+(?:{d}\d*)?|{d}\d+)(?:[eE][-+]?\d+)?", re.ASCII)


_BODIES = {marks: _body(*marks) for marks in _MARKS}


def bare(text: str) -> tuple[str, str, str]:
    """Split a cell into prefix, number and suffix; a sign before a currency stays with the number."""
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    prefix = _PREFIX.match(text)
    if prefix:
        text = text[prefix.end() :]
    suffix = _SUFFIX.search(text)
    # An exponent is no suffix: there are digits behind it.
    if suffix:
        text = text[: suffix.start()]
    return prefix[0] if prefix else "", text.strip(), suffix[0] if suffix else ""


def censored(text: str) -> tuple[str, str] | None:
    """Sign and limit of a censored number; None if it is none.

    >>> censored("<0.05"), censored("90+"), censored("7")
    (('<', '0.05'), ('+', '90'), None)
    """
    found = _CENSORED.fullmatch(text)
    if found:
        return found[1], found[2]
    found = _OR_MORE.fullmatch(text)
    return (found[2], found[1]) if found else None


def with_sign(sign: str, number: str) -> str:
    """Write a sign and a limit: the inverse of `censored`."""
    return f"{number}{sign}" if sign == "+" else f"{sign}{number}"


def is_number(text: str, notation: Notation) -> bool:
    """Whether a cell is a number in this notation."""
    return to_plain(text, notation) is not None


def to_plain(text: str, notation: Notation) -> str | None:
    """Write a cell's number with a decimal point and nothing else; None if it is none.

    >>> to_plain("1.234,5 €", Notation(decimal=",", thousands=".", suffix=" €"))
    '1234.5'
    """
    text = text.strip()
    for blank in _BLANKS:
        text = text.replace(blank, " ")
    if notation.prefix and text.startswith(notation.prefix.strip()):
        text = text.removeprefix(notation.prefix.strip()).strip()
    if notation.suffix and text.endswith(notation.suffix.strip()):
        text = text.removesuffix(notation.suffix.strip()).strip()
    marks = (notation.decimal, notation.thousands)
    if not _BODIES.setdefault(marks, _body(*marks)).fullmatch(text):
        return None
    if notation.thousands:
        text = text.replace(notation.thousands, "")
    return text.replace(notation.decimal, ".").replace("−", "-")


def to_written(text: str, notation: Notation) -> str:
    """Write a plain number in a notation: the inverse of `to_plain`, but for marks of thousands in small numbers."""
    if text == "" or notation.plain:
        return text
    sign, text = censored(text) or ("", text)
    whole, point, rest = text.partition(".")
    if notation.thousands and re.fullmatch(r"[-+]?\d+", whole):
        whole = f"{int(whole):,}".replace(",", notation.thousands)
    point = notation.decimal if point else ""
    return with_sign(sign, f"{notation.prefix}{whole}{point}{rest}{notation.suffix}")


def plain_numbers(values: pd.Series, notation: Notation) -> pd.Series:
    """Write a column's numbers plainly, censored ones with their sign; what is no number stays as it is.

    Parameters
    ----------
    values : Series
        Raw cells, missing ones NaN.
    notation : Notation
    """
    if notation.plain:
        return values
    plain = {}
    for value in values.dropna().unique():
        sign, limit = censored(value) or ("", value)
        number = to_plain(limit, notation)
        plain[value] = value if number is None else with_sign(sign, number)
    return values.map(plain).astype(object).where(values.notna(), values)


def exact_numbers(values: pd.Series) -> pd.Series:
    """Turn plain numbers into float64, the nearest to what is written; gaps and what is no number are NaN.

    pandas' own way is off by the last bit where there are 16 digits or more.
    """
    known = pd.to_numeric(values, errors="coerce")
    exact = known.astype("float64")
    # Numbers of few digits come out the same, and are the rule.
    texts = values.astype(str)
    long = known.notna() & ((texts.str.len() > 15) | texts.str.contains("[eE]"))
    exact[long] = values[long].map(float)
    return exact


def recognise_notation(counts: pd.Series, *, decimal: str = ".") -> tuple[Notation, pd.Series, bool]:
    """Find the notation in which most of a column's cells are numbers.

    Parameters
    ----------
    counts : Series
        Distinct cells -> how often each is seen.
    decimal : str
        The file's decimal mark, where a column alone could mean either.

    Returns
    -------
    notation : Notation
    numbers : Series
        Cell -> number, plainly written, for the cells that are numbers (censored ones as the number behind the sign).
    unsure : bool
        A single mark before three digits: 1,234 may be 1234 or 1.234.
    """
    parts = {cell: bare((censored(cell) or ("", cell))[1]) for cell in counts.index}
    prefix, suffix = (_common({cell: part[i] for cell, part in parts.items()}, counts) for i in (0, 2))
    bodies = {
        cell: body
        for cell, (before, body, after) in parts.items()
        if before.strip() in ("", prefix.strip()) and after.strip() in ("", suffix.strip())
    }
    weights = counts[list(bodies)] if bodies else counts.iloc[:0]
    likely = sorted(_MARKS, key=lambda marks: marks[0] != decimal)
    best, most = likely[0], -1
    for marks in likely:
        fits = sum(int(weights[cell]) for cell, body in bodies.items() if _BODIES[marks].fullmatch(body))
        if fits > most:
            best, most = marks, fits
    notation = Notation(decimal=best[0], thousands=best[1], prefix=prefix, suffix=suffix)
    numbers = {cell: to_plain(body, notation) for cell, body in bodies.items()}
    numbers = {cell: number for cell, number in numbers.items() if number is not None}
    grouped = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}")
    marked = [body for body in bodies.values() if re.search(r"[.,]", body)]
    unsure = bool(marked) and all(grouped.fullmatch(body) for body in marked) and best[0] + best[1] != "."
    return notation, pd.Series(numbers, dtype=object), unsure


def _common(found: dict[str, str], counts: pd.Series) -> str:
    """The prefix or suffix that most cells with a number share; none if they do not."""
    seen: dict[str, int] = {}
    for cell, text in found.items():
        if text and re.search(r"\d", cell):
            seen[text] = seen.get(text, 0) + int(counts[cell])
    total = sum(int(counts[cell]) for cell in found if re.search(r"\d", cell))
    best = max(seen, key=seen.__getitem__, default="")
    return best if best and seen[best] >= 0.5 * total else ""


def decimal_mark(columns: list[pd.Series]) -> str:
    """The decimal mark of a file: that which more cells have where they can mean nothing else.

    Parameters
    ----------
    columns : list of Series
        Of each column, distinct cells -> how often each is seen.
    """
    votes = {".": 0, ",": 0}
    for counts in columns:
        for mark, other in ((".", ","), (",", ".")):
            pattern = rf"[-+]?(\d{{1,3}}(\{other}\d{{3}})+|\d*)\{mark}(\d{{1,2}}|\d{{4,}})|[-+]?0\{mark}\d+"
            votes[mark] += int(counts[counts.index.str.fullmatch(pattern)].sum())
    return "," if votes[","] > votes["."] else "."
