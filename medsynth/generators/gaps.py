"""Numbers that are missing in a table to learn: where a question does not arise, and gaps that are kept.

Where a question arises follows from other columns (``not_applicable.when`` in the codebook). Generators that know gaps
(`Generator.keeps_gaps`) leave these numbers out of what they learn. The others learn a number in their place, and it is
taken away again from what they sample.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Condition, Conditions
from medsynth.errors import InputError
from medsynth.randomness import derive_seed


def not_asked(codebook: Codebook, name: str, code_of: Callable[[str], np.ndarray]) -> np.ndarray | None:
    """Say in which rows a column's question does not arise, by the numbers of categories.

    Parameters
    ----------
    codebook : Codebook
    name : str
    code_of : callable
        Coded column -> number of each row's category, (rows,).

    Returns
    -------
    ndarray of bool, shape (rows,), or None
        None if the question always arises.
    """
    rule = codebook.columns[name].no_value_when
    if rule is None:
        return None
    held = [
        np.isin(code_of(other), [codebook.columns[other].all_categories.index(category) for category in given])
        for other, given in _known(rule.deciding(), codebook).items()
    ]
    return np.logical_and.reduce(held)


def _known(deciding: Mapping[str, list[str]], codebook: Codebook) -> dict[str, list[str]]:
    """What decides, without categories that no row has."""
    return {
        name: [category for category in given if category in codebook.columns[name].all_categories]
        for name, given in deciding.items()
    }


def filled_where_not_asked(table: pd.DataFrame, codebook: Codebook, *, private: bool) -> pd.DataFrame:
    """Put numbers where there are none because the question does not arise.

    Parameters
    ----------
    table : DataFrame
        Clean table.
    codebook : Codebook
    private : bool
        Whether a guarantee is given: then numbers are drawn from the declared range, since another row's number would
        tell of that row. Otherwise they are drawn from the column's own, which keeps its distribution.
    """
    columns = {}
    for name, column in codebook.columns.items():
        empty = codebook.not_asked(name, table) & table[name].isna().to_numpy()
        if not empty.any():
            continue
        known = table[name].dropna().to_numpy("float64")
        rng = np.random.default_rng(derive_seed(0, "not asked", name))
        low, high = column.range or (0.0, 0.0)
        if private or not len(known):
            drawn = rng.uniform(low, high, size=len(table))[empty]
        else:
            drawn = rng.choice(known, size=int(empty.sum()))
        values = table[name].astype("float64")
        values[empty] = drawn
        columns[name] = values.round().clip(low, high) if column.type == "integer" and column.range else values
    return codebook.conform(table.assign(**columns)) if columns else table


def asked_for(conditions: dict[str, Any] | None, codebook: Codebook) -> dict[str, Any] | None:
    """Ask that the question arises whose number is under a condition.

    Parameters
    ----------
    conditions : dict, optional
        As of `Generator.sample`.
    codebook : Codebook

    Returns
    -------
    dict or None
        With a further condition on the column that decides, where one does.

    Raises
    ------
    InputError
        A condition on the deciding column contradicts it.
    """
    ruled = [name for name in conditions or {} if name in codebook.columns and codebook.columns[name].no_value_when]
    if not conditions or not ruled:
        # Also what is no mapping: generators say so.
        return conditions
    wanted: dict[str, Any] = dict(Conditions.parse(conditions, codebook))
    for name in ruled:
        rule = codebook.columns[name].no_value_when
        deciding = rule.deciding() if rule else {}
        if len(deciding) != 1:
            # Which of several columns differs is left to the generator.
            continue
        ((other, given),) = deciding.items()
        allowed = wanted[other].categories if other in wanted else codebook.columns[other].all_categories
        left = tuple(category for category in allowed if category not in given)
        if not left:
            raise InputError(
                f"The conditions cannot be met together: '{name}' has no value where '{other}' is {', '.join(given)}; "
                "leave out one of them."
            )
        wanted[other] = Condition(categories=left)
    return wanted
