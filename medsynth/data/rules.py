"""Relations that hold in every row of a table, as constraints that a draft offers.

What never occurs together, and which number is never the larger one, `medsynth.preparation.relations` decides; which
number follows from others, `medsynth.preparation.formulas`. Relations are offered and not declared: only a person knows
whether one is a law or a habit of this file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Constraint
from medsynth.errors import printable
from medsynth.preparation.formulas import find_formulas, labels
from medsynth.preparation.relations import MOST_VALUES, Order, order_of, possible_cells

# Rows that know both columns, at least.
LEAST_ROWS = 30
# A draft offers the clearest ones.
MOST_OFFERED = 15
# Two columns of more are alike in too many ways to be read one by one.
MOST_OF_PAIR = 8
# More categories are counted in a title; the constraint has them all.
MOST_NAMED = 3


class Rule(NamedTuple):
    """A relation that holds in every row.

    Attributes
    ----------
    said : str
        The relation in words.
    constraints : list of Constraint
        What breaks it; none where no constraint can say it.
    weight : float
        Rows that would break it if the columns had nothing to do with each other.
    """

    said: str
    constraints: list[Constraint]
    weight: float


def rules_of(table: pd.DataFrame, codebook: Codebook) -> list[Rule]:
    """Find relations between columns of a clean table, the clearest first.

    Parameters
    ----------
    table : DataFrame
        Cells may be missing: a relation is judged on rows that know all of its columns.
    codebook : Codebook
        Of the clean table.
    """
    coded = [name for name in table if isinstance(table[name].dtype, pd.CategoricalDtype)]
    coded = [name for name in coded if 1 < len(table[name].cat.categories) <= MOST_VALUES]
    # Days of a calendar are compared with nothing; those after another date are.
    calendar = [name for name, column in codebook.columns.items() if column.counts_dates and not column.since]
    numbers = [name for name in table if codebook.columns[name].numeric and name not in calendar]
    found = [*_formulas(table, codebook, [*numbers, *coded]), *_orders(table, numbers), *_zeros(table, coded)]
    clear = [rule for rule in found if len(rule.constraints) <= MOST_OF_PAIR]
    offered = sorted(clear, key=lambda rule: -rule.weight)[:MOST_OFFERED]
    taken: Counter[str] = Counter()
    return [rule._replace(constraints=[_free(one, taken) for one in rule.constraints]) for rule in offered]


def _free(constraint: Constraint, taken: Counter[str]) -> Constraint:
    """The constraint under a name that none before has."""
    taken[constraint.name] += 1
    number = taken[constraint.name]
    return constraint if number == 1 else constraint.model_copy(update={"name": f"{constraint.name}_{number}"})


def _zeros(table: pd.DataFrame, names: list[str]) -> Iterator[Rule]:
    """Categories that never occur together, and columns that follow from another."""
    codes = {name: table[name].cat.codes.to_numpy("int64") for name in names}
    for pair in combinations(names, 2):
        one, other = sorted(pair, key=lambda name: -len(table[name].cat.categories))
        both = (codes[one] >= 0) & (codes[other] >= 0)
        if both.sum() < LEAST_ROWS:
            continue
        sizes = [len(table[name].cat.categories) for name in (one, other)]
        possible, expected = possible_cells(codes[one][both], sizes[0], codes[other][both], sizes[1])
        if possible.all():
            continue
        seen = np.zeros(sizes, dtype=bool)
        seen[codes[one][both], codes[other][both]] = True
        follows = (seen.sum(1) <= 1).all()
        categories_seen = np.outer(seen.any(1), seen.any(0))
        cells = ~possible & categories_seen
        rules = [
            _never({one: list(table[one].cat.categories[cells[:, y]]), other: category})
            for y, category in enumerate(table[other].cat.categories)
            if cells[:, y].any()
        ]
        said = f"{other} follows from {one}" if follows else f"some categories of {one} and {other} never meet"
        yield Rule(said, rules, float(expected[cells].sum()))


def _never(where: dict[str, str | list[str]]) -> Constraint:
    """The constraint that these categories do not meet."""
    (one, these), (other, this) = where.items()
    named = ", ".join(these) if len(these) <= MOST_NAMED else f"of {len(these)} categories"
    title = printable(f"{one} {named} with {other} {this}", " ")
    name = "_".join([_word(one), _word(these[0] if len(these) == 1 else ""), "with", _word(other), _word(str(this))])
    return Constraint(name="_".join(filter(None, name.split("_"))), title=title, where=where)


def _word(text: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in text.lower())


def _orders(table: pd.DataFrame, names: list[str]) -> Iterator[Rule]:
    """Numbers that are in order in every row, without those that follow from two others."""
    found: dict[tuple[str, str], float] = {}
    for one, other in combinations(names, 2):
        known = table[[one, other]].dropna().to_numpy("float64").T
        if known.shape[1] >= LEAST_ROWS and (sign := order_of(*known)):
            small, large = Order(one, sign).sorted(other)
            values = dict(zip((one, other), known, strict=True))
            below = np.searchsorted(np.sort(values[small]), values[large], side="right")
            found[small, large] = float((known.shape[1] - below).mean())
    for (small, large), weight in found.items():
        if not any((small, between) in found and (between, large) in found for between in names):
            rule = Constraint(
                name=f"{_word(large)}_below_{_word(small)}", title=f"{large} below {small}", less=(large, small)
            )
            yield Rule(f"{small} is at most {large}", [rule], weight)


def _formulas(table: pd.DataFrame, codebook: Codebook, names: list[str]) -> Iterator[Rule]:
    """Numbers that follow from other columns."""
    values, categories = {}, {}
    for name in names:
        column = table[name]
        coded = isinstance(column.dtype, pd.CategoricalDtype)
        values[name] = column.cat.codes.to_numpy("int64") if coded else column.to_numpy("float64", na_value=np.nan)
        categories[name] = labels(codebook.columns[name], column.cat.categories) if coded else []
    for formula in find_formulas(values, categories, often=False):
        known = np.isfinite(formula.of(values)) & np.isfinite(values[formula.column])
        yield Rule(formula.said(categories), [], float(known.sum()))
