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
        ``train`` and ``test``, rows in the table's order, identifiers left out; `split_rows` says which they are.

    Raises
    ------
    InputError
        A partition would be empty.
    """
    rows_of = split_rows(table, codebook, test_share=test_share, seed=seed, max_rows=max_rows)
    columns = [name for name in table.columns if codebook.columns[name].type != "identifier"]
    return {name: table.iloc[rows][columns].reset_index(drop=True) for name, rows in rows_of.items()}


def persons(table: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Number the persons of a clean table: int of shape (rows,); without an identifier each row is one."""
    return pd.factorize(table[codebook.person])[0] if codebook.person else np.arange(len(table))


def split_rows(
    table: pd.DataFrame, codebook: Codebook, *, test_share: float, seed: int, max_rows: int | None = None
) -> dict[str, np.ndarray]:
    """Choose the rows of each partition, as positions in ascending order; see `split`."""
    rng = np.random.default_rng(seed)
    person = persons(table, codebook)
    order = rng.permutation(person.max() + 1)
    if max_rows is not None and max_rows < len(table):
        rows_so_far = np.cumsum(np.bincount(person)[order])
        order = order[: max(2, np.searchsorted(rows_so_far, max_rows) + 1)]
    n_test = round(test_share * len(order))
    if not 0 < n_test < len(order):
        raise InputError(
            f"{codebook.name} has {len(order)} persons, and a test share of {test_share:g} leaves a partition empty; "
            "use more rows or another share."
        )
    return {
        name: np.flatnonzero(np.isin(person, chosen))
        for name, chosen in {"train": order[n_test:], "test": order[:n_test]}.items()
    }


def halve(person: np.ndarray, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into two halves of equal size, every person in one of them only.

    Parameters
    ----------
    person : ndarray of int, shape (rows,)
        Whose rows they are; any numbers.
    seed : int

    Returns
    -------
    tuple of ndarray
        Positions of the rows, ascending. Where one half of the persons has more rows, some of them are left out.

    Raises
    ------
    InputError
        There is one person only.
    """
    rng = np.random.default_rng(seed)
    known, number = np.unique(person, return_inverse=True)
    if len(known) < 2:
        raise InputError(f"The rows of {len(known)} person(s) cannot be halved by person; use more rows.")
    first = (rng.permutation(len(known)) < len(known) // 2)[number]
    halves = np.flatnonzero(first), np.flatnonzero(~first)
    rows = min(map(len, halves))
    one, other = (np.sort(rng.permutation(half)[:rows]) for half in halves)
    return one, other


def halve_evenly(person: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into two halves by person that keep all rows and are as nearly equal as can be.

    Persons are dealt out at random, those with most rows first, each to the half that has fewer rows so far. How many
    rows the halves have is then the same for every draw.

    Parameters
    ----------
    person : ndarray, shape (rows,)
        Whose rows they are; any values.
    rng : numpy Generator

    Returns
    -------
    tuple of ndarray
        Positions of the rows, ascending; the first half has no fewer rows than the second.
    """
    _, number, counts = np.unique(person, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(counts))
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    half, rows = np.zeros(len(counts), dtype=int), [0, 0]
    for one in order:
        half[one] = smaller = int(rows[1] < rows[0])
        rows[smaller] += counts[one]
    larger = int(rows[1] > rows[0])
    return np.flatnonzero(half[number] == larger), np.flatnonzero(half[number] != larger)


def resample(person: np.ndarray, *, seed: int) -> np.ndarray:
    """Draw persons with replacement, as many as there are, each with all rows (Efron 1979, Ann Stat 7:1).

    Parameters
    ----------
    person : ndarray of int, shape (rows,)
        Whose rows they are; any numbers.
    seed : int

    Returns
    -------
    ndarray of int
        Positions of the rows drawn, ascending; a row comes as often as its person was drawn.
    """
    _, number = np.unique(person, return_inverse=True)
    n = number.max() + 1
    times = np.bincount(np.random.default_rng(seed).integers(n, size=n), minlength=n)
    return np.repeat(np.arange(len(person)), times[number])


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
