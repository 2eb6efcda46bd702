"""Rows that no patient can be: how often a table violates the constraints of its codebook (`constraints`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column, Constraint
from medsynth.conditions import PRESCRIBED, Conditions
from medsynth.disclosure import shown_sets
from medsynth.errors import InputError
from medsynth.evaluation.resampling import Persons, Score, mean_score, share_score
from medsynth.randomness import derive_seed

ANY = "any"


def violations(
    table: pd.DataFrame, codebook: Codebook, persons: Persons | None = None, *, least: int | None = None
) -> Iterator[Score]:
    """Share of a table's rows that violate each constraint, and any.

    Parameters
    ----------
    table : DataFrame
    codebook : Codebook
        Of clean tables (`Codebook.resolved`): constraints of columns that cleaning dropped are no longer in it.
    persons : Persons, optional
        Those behind the rows; default: every row is one, as a generator samples them.
    least : int, optional
        The rows are real ones: shares that would reveal some rows but fewer, by themselves or by their difference to
        others, are NaN (`medsynth.disclosure.shown_sets`).

    Yields
    ------
    Score
        ``violations`` of each constraint, then of ``any``; in [0, 1], lower is better. Nothing if the codebook has no
        constraint.
    """
    broken = {constraint.name: breaks(constraint, table, codebook) for constraint in codebook.constraints}
    if not broken:
        return
    broken[ANY] = np.any(list(broken.values()), axis=0)
    shown = np.ones(len(broken), dtype=bool) if least is None else shown_sets(np.array(list(broken.values())), least)
    for (name, rows), known in zip(broken.items(), shown, strict=True):
        if not known:
            score = Score("violations", float("nan"))
        elif persons:
            score = mean_score("violations", rows, persons.weights)
        else:
            score = share_score("violations", float(rows.mean()), len(rows), seed=derive_seed("violations", name))
        yield score.of(rule=name)


def breaks(constraint: Constraint, table: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Say which rows violate a constraint: bool, shape (rows,).

    Categories that no row of the run has and values beyond the range that it learned are no mistake here: nobody has
    them, so nobody violates it.
    """
    # A row must meet the conditions, not the codebook: its columns are opened to whatever the constraint names.
    opened = {name: _opened(codebook.column(name), value) for name, value in constraint.where.items()}
    rows = Conditions.parse(constraint.where, codebook.model_copy(update={"columns": opened})).holds(table)
    if constraint.less:
        smaller, larger = constraint.less
        rows &= (table[smaller] < table[larger]).to_numpy()
    return rows


def _opened(column: Column, value: Any) -> Column:
    """Column without a range, and with the categories that a condition names."""
    if column.numeric:
        return column.model_copy(update={"range": None})
    if isinstance(value, str) and value in PRESCRIBED:
        return column
    named = [str(category) for category in (value if isinstance(value, list | tuple) else [value])]
    return column.model_copy(update={"categories": list(dict.fromkeys([*column.all_categories, *named]))})


def check_constraints(codebook: Codebook) -> None:
    """Check the constraints of a codebook as it is declared.

    Raises
    ------
    InputError
        A constraint's name is taken, or its columns are not in clean tables, or lack its categories. Categories that
        only the data show are not checked.
    """
    for name, count in Counter(constraint.name for constraint in codebook.constraints).items():
        if count > 1 or name == ANY:
            reason = "stands for all constraints together" if name == ANY else "is the name of several constraints"
            raise InputError(f"'constraints': '{name}' {reason}; call it otherwise.")
    for constraint in codebook.constraints:
        try:
            _check(constraint, codebook)
        except InputError as error:
            raise InputError(f"The constraint '{constraint.name}': {error}") from None


def _check(constraint: Constraint, codebook: Codebook) -> None:
    for name in constraint.columns:
        column = codebook.column(name)
        if column.drop or column.type in ("date", "identifier"):
            raise InputError(f"column '{name}' is not in the clean table.")
        if name in (constraint.less or ()) and not column.numeric:
            raise InputError(f"'less' compares numbers, and '{name}' is {column.type}.")
        if name in constraint.where:
            known = column if column.all_categories else _opened(column, constraint.where[name])
            Conditions.parse({name: constraint.where[name]}, codebook.model_copy(update={"columns": {name: known}}))
