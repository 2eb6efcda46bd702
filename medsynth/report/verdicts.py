"""Verdicts on a paper's claims: how often each, and the claims with reasons."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

# In the order in which they are read: first what is not as the paper says. Others come before the last.
ORDER = ("differs", "does not replicate", "agrees", "replicates", "undecided", "cannot be tested")

Row = Mapping[str, str]


class Answer(NamedTuple):
    """What one generator, or one comparison, came to."""

    of: str
    ours: str
    interval: str
    published: str
    rule: str
    reason: str


class Claim(NamedTuple):
    """A claim of the paper, and what was found with one verdict."""

    item: str
    where: str
    remark: str
    evidence: str
    answers: list[Answer]


def kind(verdict: str) -> str:
    """Leave out why something cannot be tested, and on which data it replicates."""
    return verdict.split(":")[0].split(" on ")[0]


def counts(verdicts: Iterable[str]) -> dict[str, int]:
    """Count verdicts of each kind, in the order of reading."""
    found = Counter(map(kind, verdicts))
    known = [one for one in ORDER if one in found]
    others = [one for one in found if one not in ORDER]
    last = [known.pop()] if known and known[-1] == ORDER[-1] else []
    return {one: found[one] for one in (*known, *others, *last)}


def claims(rows: Sequence[Row], titles: Mapping[str, str], first: Iterable[str] = ()) -> dict[str, list[Claim]]:
    """Group claims by the kind of their verdict.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of a table of verdicts, as text; see `medsynth.scores.published.table.published_table`.
    titles : mapping
        Generator -> title.
    first : iterable of str
        Items that come first within their kind.

    Returns
    -------
    dict
        Kind -> claims.
    """
    first = set(first)
    found: dict[str, list[Claim]] = {}
    for one in counts(row["verdict"] for row in rows):
        own = [row for row in rows if kind(row["verdict"]) == one]
        items = sorted(dict.fromkeys(row["item"] for row in own), key=lambda item: item not in first)
        found[one] = [_claim([row for row in own if row["item"] == item], titles) for item in items]
    return found


def _claim(rows: list[Row], titles: Mapping[str, str]) -> Claim:
    head = rows[0]
    return Claim(head["item"], head["where"], head["remark"], head["evidence"], [_answer(row, titles) for row in rows])


def _answer(row: Row, titles: Mapping[str, str]) -> Answer:
    of = re.sub("[a-z0-9_]+", lambda name: titles.get(name[0], name[0]), row["generator"])
    _, _, why = row["verdict"].partition(": ")
    interval = f"{number(row['ci_low'])} to {number(row['ci_high'])}" if row["ci_low"] else ""
    return Answer(of, number(row["ours"]), interval, number(row["published"]), row["rule"], why)


def number(text: str) -> str:
    """Round a number of a table for reading; anything else as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    shown = f"{value:z,.0f}" if abs(value) >= 1000 else f"{value:z.3f}"
    return shown.replace("-", "\N{MINUS SIGN}")
