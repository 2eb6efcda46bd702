"""Draft the codebook of a table that is new to the project: ``python -m medsynth.drafting my.csv``.

The draft is a start, not a truth: every guess that a person must confirm is a comment in it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import pandas as pd
import yaml

from medsynth.codebook import NUMERIC, Codebook
from medsynth.cohorts.raw import open_raw, sha256
from medsynth.errors import InputError, validate
from medsynth.inferring import YES_NO, guess_type

_WORDS_FOR_MISSING = {"?", "na", "n/a", "nan", "null", "none", "unknown", "missing", "not recorded", "."}
_NUMBERS_FOR_MISSING = {"-1", "-9", "-99", "-999", "97", "98", "99", "997", "998", "999", "9999"}
_YAML_WORDS = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}
_MAX_LEVELS = 30


def draft_codebook(path: str | Path, *, name: str | None = None) -> str:
    """Draft a codebook from a csv, csv.gz or a zip with one member.

    Parameters
    ----------
    path : str or Path
    name : str, optional
        The dataset's name; by default made of the file's.

    Returns
    -------
    str
        YAML that is valid as it stands. Comments give each column's missing share and the values that look like
        codes for missing.

    Raises
    ------
    InputError
        The file cannot be read or has no column.
    """
    path = Path(path)
    with open_raw(path) as stream:
        try:
            table = pd.read_csv(stream, dtype=str, keep_default_na=False)
        except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is no readable csv ({error}).") from None
    if table.empty:
        raise InputError(f"{path} has no rows.")
    # Rows with one value more than the header: pandas takes the first for an index.
    unnamed_index = not isinstance(table.index, pd.RangeIndex)
    name = name or _clean_name(path.name.split(".")[0])
    lines = [
        f"# Draft made from {path.name} ({len(table):,} rows). Check every line that ends in a comment.",
        f"name: {name}",
        f"title: {name}",
        "publisher: unknown  # who publishes it?",
        "licence: unknown  # under which terms?",
        "raw:",
        f"  file: {_text(path.name)}",
        f"  sha256: {sha256(path)}",
        "  obtain: ask whoever wrote this codebook  # how does a person get the file?",
        *(["  unnamed_index: true"] if unnamed_index else []),
        'person: null  # the column that identifies a person, if rows can share one',
        "columns:",
    ]  # fmt: skip
    taken: set[str] = set()
    for header in table.columns:
        column = _clean_name(header)
        while column in taken:
            column += "_2"
        taken.add(column)
        lines += _draft_column(column, header, table[header].str.strip())
    text = "\n".join(lines) + "\n"
    validate(yaml.safe_load(text), Codebook, where=f"the draft of {path}")
    return text


def _draft_column(column: str, header: str, values: pd.Series) -> list[str]:
    """Draft one column."""
    gaps = values == ""
    counts = values[~gaps].value_counts()
    suspects = {v: n for v, n in counts.items() if v.lower() in _WORDS_FOR_MISSING}
    suspects |= {v: n for v, n in counts.items() if v in _NUMBERS_FOR_MISSING and _stands_apart(v, counts)}
    rest = counts.drop(list(suspects))
    lines = [f"  {_text(column)}:  # {gaps.mean():.1%} empty, {len(counts):,} distinct values"]
    if column != header:
        lines.append(f"    raw: {_text(header)}")
    if rest.empty:
        return [*lines, "    type: categorical", "    drop: it holds no value"]
    lines += _draft_type(rest, len(values))
    if suspects:
        seen = ", ".join(f"{v} in {n:,} rows" for v, n in suspects.items())
        lines.append(f"    missing: [{', '.join(_text(v) for v in suspects)}]  # codes for missing? {seen}")
    return lines


def _draft_type(counts: pd.Series, n_rows: int) -> list[str]:
    """Guess the type of a column from its distinct values and how often each is seen."""
    levels = list(counts.index)
    numbers = pd.to_numeric(pd.Series(levels), errors="coerce")
    kind = guess_type(counts, n_rows)
    if kind == "date":
        return ["    type: date  # dates are left out unless a transform makes a value of them"]
    if kind == "identifier":
        return ["    type: identifier  # every value is its own"]
    if kind == "binary" and {level.lower() for level in levels} in YES_NO:
        return ["    type: binary", f"    levels: [{', '.join(_text(v) for v in sorted(levels))}]  # first = no"]
    if kind in NUMERIC:
        low, high = numbers.min(), numbers.max()
        return [
            f"    type: {kind}",
            f"    range: [{low:.12g}, {high:.12g}]  # as seen; what is possible?",
            '    unit: ""',
        ]
    if len(levels) > _MAX_LEVELS:
        return [f"    type: categorical  # {len(levels):,} levels", "    rare: {keep: 20}  # enough?"]
    listed = ", ".join(_text(v) for v in sorted(levels))
    note = "  # numbers: ordinal, or labels for codes?" if numbers.notna().all() else ""
    return [f"    type: {kind}{note}", f"    levels: [{listed}]"]


def _stands_apart(value: str, counts: pd.Series) -> bool:
    """Whether a number such as 99 lies beyond a gap from the column's other numbers, as codes do and ages do not."""
    others = pd.to_numeric(
        pd.Series([v for v in counts.index if v not in _NUMBERS_FOR_MISSING]), errors="coerce"
    ).dropna()
    if others.empty:
        return True
    number, spread = float(value), max(others.max() - others.min(), 1.0)
    return number > others.max() + 0.2 * spread or number < others.min() - 0.2 * spread or (number < 0 <= others.min())


def _clean_name(header: str) -> str:
    """Make a column or dataset name: lower case, digits and underscores, a letter first."""
    name = re.sub(r"\W+", "_", header.strip().lower(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"x_{name}".rstrip("_")


def _text(value: str) -> str:
    """Write a value for YAML on one line, quoted where YAML would read something else into it."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z_]*", value) and value.lower() not in _YAML_WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m medsynth.drafting", description=__doc__.splitlines()[0])
    parser.add_argument("table", help="csv, csv.gz or a zip with one member")
    parser.add_argument("--name", help="the dataset's name; default: made of the file's")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(draft_codebook(options.table, name=options.name))
    except InputError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
