"""Numbers and dates that rows have exactly where another column says so, as a day of death of those who died."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.data.proposals import NotApplicableFacts, Proposal

# Rows with and without a value, at least: in fewer, gaps may follow a column by chance.
LEAST_ROWS = 20


def propose_not_applicable(proposals: list[Proposal], table: pd.DataFrame) -> None:
    """Say in proposals where a question does not arise.

    Parameters
    ----------
    proposals : list of Proposal
        Changed in place: numbers and dates that have a value in all rows with some categories of another column, and in
        no others. Of several such columns the one with the fewest categories decides, then the first.
    table : DataFrame
        Text, under the file's headers.
    """
    deciding = [(made, known) for made in proposals if (known := _categories_of(made, table)) is not None]
    deciding.sort(key=lambda pair: pair[1].nunique())
    for made in proposals:
        if made.facts["type"] not in ("integer", "continuous", "date") or (
            {"drop", "transform", "not_applicable"} & set(made.facts)
        ):
            continue
        cells = table[made.header]
        empty = cells.isin(["", *made.facts.get("missing", [])]).to_numpy()
        if min(empty.sum(), (~empty).sum()) < LEAST_ROWS:
            continue
        other, where = next(((decides, where) for decides, where in _agreeing(deciding, empty)), (None, []))
        if other is not None:
            _propose(made, other, where, cells[empty])


def _categories_of(made: Proposal, table: pd.DataFrame) -> pd.Series | None:
    """Category of every row of a coded column that every row has; None of all others."""
    facts = made.facts
    if facts["type"] not in ("binary", "categorical") or {"drop", "transform", "not_applicable", "rare"} & set(facts):
        return None
    codes = facts.get("codes") or {name: name for name in facts.get("categories", [])}
    known = table[made.header].map(codes)
    return None if known.isna().any() else known


def _agreeing(deciding: list[tuple[Proposal, pd.Series]], empty: np.ndarray) -> Iterator[tuple[Proposal, list[str]]]:
    """Columns by whose categories the cells are empty or not, with the categories where they are."""
    for made, known in deciding:
        shares = pd.Series(empty).groupby(known.to_numpy()).mean()
        if shares.isin([0.0, 1.0]).all():
            yield made, [str(category) for category in shares.index[shares == 1.0]]


def _propose(made: Proposal, other: Proposal, where: list[str], cells: pd.Series) -> None:
    """Add the rule; codes that stand in all those cells are its own."""
    codes = [code for code in cells.unique() if code != ""]
    rule: NotApplicableFacts = {"when": {other.name: where[0] if len(where) == 1 else where}}
    if codes and not (cells == "").any():
        rule = {"codes": codes, **rule}
        left = [code for code in made.facts.get("missing", []) if code not in codes]
        made.facts.pop("missing", None)
        if left:
            made.facts["missing"] = left
    made.facts["not_applicable"] = rule
    named = " or ".join(where)
    made.comments["not_applicable"] = f"no row has a value where {other.name} is {named}, every other row has one"
    made.decisions.append(
        f"{made.name}: no row has a value where {other.name} is {named}, and every other row has one: taken for not "
        "applicable there."
    )
