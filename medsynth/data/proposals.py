"""What drafting knows of a raw column, and what it proposes for the codebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import pandas as pd


class NotApplicableFacts(TypedDict, total=False):
    """What a draft says of a question that does not arise."""

    codes: list[str]
    category: str
    when: dict[str, str | list[str]]


class ColumnFacts(TypedDict, total=False):
    """What a draft says of a column, by keys of the codebook's `Column`; those with ``_`` are for drafting alone."""

    raw: str
    type: str
    drop: str
    description: str
    unit: str
    codes: dict[str, str]
    categories: list[str]
    transform: str
    range: list[float]
    notation: dict[str, object]
    since: str
    missing_category: str
    missing: list[str]
    rare: dict[str, int]
    not_applicable: NotApplicableFacts
    _person: bool


@dataclass
class Proposal:
    """A column of the draft: the codebook's facts, and what a person has to know of each.

    ``""`` among `comments` is what the line of the column itself says; `decisions` go to the top of the draft.
    """

    name: str
    header: str
    facts: ColumnFacts
    comments: dict[str, str] = field(default_factory=dict)
    decisions: list[str] = field(default_factory=list)
    restored: tuple[str, list[str]] | None = None
    identifies: bool = False


@dataclass
class Column:
    """A raw column and what its file says of it."""

    name: str
    header: str
    values: pd.Series
    codes: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    decimal: str = "."

    def __post_init__(self) -> None:
        self.counts = self.values[self.values != ""].value_counts()
        self.kept = self.counts.drop([code for code in self.missing if code in self.counts.index])

    def proposal(self, type_: str, comment: str = "", **facts: Unpack[ColumnFacts]) -> Proposal:
        """A proposal of one type."""
        missing = [code for code in self.missing if code in self.counts.index]
        made = Proposal(self.name, self.header, {"type": type_, **facts}, {"type": comment} if comment else {})
        if missing:
            made.facts["missing"] = list(dict.fromkeys([*missing, *made.facts.get("missing", [])]))
        return made
