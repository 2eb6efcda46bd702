"""Partitions of a clean table, by person, made before anything is fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError


def split(
    table: pd.DataFrame,
    codebook: Codebook,
    *,
    test_share: float,
    seed: int,
    max_rows: int | None = None,
) -> dict[str, pd.DataFrame]:
    """Split a clean table into ``train`` and ``test``, every person in one of them only.

    Parameters
    ----------
    table : DataFrame
        Clean table; with the column `codebook.person`, if it names one.
    codebook : Codebook
    test_share : float
        Share of the persons in ``test``, between 0 and 1.
    seed : int
    max_rows : int, optional
        Use about this many rows (whole persons, drawn at random); all by default.

    Returns
    -------
    dict of DataFrame
        ``train`` and ``test``, rows in the table's order, identifiers left out.

    Raises
    ------
    InputError
        A partition would be empty.
    """
    rng = np.random.default_rng(seed)
    person = pd.factorize(table[codebook.person])[0] if codebook.person else np.arange(len(table))
    persons = rng.permutation(person.max() + 1)
    if max_rows is not None and max_rows < len(table):
        rows_so_far = np.cumsum(np.bincount(person)[persons])
        persons = persons[: max(2, np.searchsorted(rows_so_far, max_rows) + 1)]
    n_test = round(test_share * len(persons))
    if not 0 < n_test < len(persons):
        raise InputError(
            f"{len(persons)} persons of {codebook.name} cannot be split with a test share of {test_share:g}: a "
            "partition would be empty. Use more rows or another share."
        )
    columns = [name for name in table.columns if codebook.columns[name].type != "identifier"]
    parts = {"train": persons[n_test:], "test": persons[:n_test]}
    return {
        name: table.loc[np.isin(person, members), columns].reset_index(drop=True) for name, members in parts.items()
    }


def halve(train: pd.DataFrame, *, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split training rows into members, which a generator is fitted on, and as many nonmembers."""
    order = np.random.default_rng(seed).permutation(len(train))
    half = len(train) // 2
    parts = (np.sort(order[:half]), np.sort(order[half : 2 * half]))
    return tuple(train.iloc[rows].reset_index(drop=True) for rows in parts)


def winsorise(parts: dict[str, pd.DataFrame], quantile: float) -> dict[str, float]:
    """Cut the numeric columns of all partitions at a quantile of the training rows, in place.

    The Med-VAE paper's published code does so at 0.99, for all rows at once.

    Parameters
    ----------
    parts : dict of DataFrame
        With ``train``.
    quantile : float
        Between 0 and 1; larger values become this quantile (of integers the nearest value below it).

    Returns
    -------
    dict of float
        Column -> largest value that it may have now.
    """
    most = {}
    for name, values in parts["train"].select_dtypes("number").items():
        limit = values.quantile(quantile, interpolation="lower")
        # A column that is one value in all but few rows would become a constant.
        if limit > values.min():
            most[name] = float(limit)
    for table in parts.values():
        for name, limit in most.items():
            table[name] = table[name].clip(upper=table[name].dtype.type(limit))
    return most
