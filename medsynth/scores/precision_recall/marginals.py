"""Three-way marginals: do any three columns together look like the real ones?

The k-marginal score of NIST's synthetic data challenges (Task, Bhagat and Howarth 2023, "SDNist v2: Deidentified Data
Report Tool", NIST), here with k = 3 and for any table: its program knows census tables alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.evaluation.resampling import Score, least_variance, linear_replicates

# 125 cells for three numeric columns: with more of them, a few hundred rows differ by chance alone.
BINS = 5
# A rarer category would spread few rows over many cells. At most twenty categories and the rest are left.
RARE = 0.05


def three_way_marginals(
    synthetic: pd.DataFrame,
    real: pd.DataFrame,
    codebook: Codebook,
    *,
    seed: int,
    weights: np.ndarray | None = None,
    max_triples: int = 5_000,
) -> Iterator[Score]:
    """Agreement of the shares of rows in all cells that three columns make, averaged over triples of columns.

    Numbers are put into bins by their mid-rank among the real rows. Bins of equal width would put a skewed laboratory
    value into one bin, and those of the synthetic rows' own range or ranks would hide that it is shifted. Categories
    that fewer than 5 % of the real rows have are one.

    Parameters
    ----------
    synthetic, real : DataFrame
        Complete clean tables. Two tables of finite size never agree fully, and the fewer rows, the less: compare
        scores of equal numbers of rows only.
    codebook : Codebook
        Describes both.
    seed : int
        Of the triples, where there are more than `max_triples`. Use the same for all tables that are compared.
    weights : ndarray, shape (replicates, real rows), optional
        See `medsynth.evaluation.resampling.person_weights`.
    max_triples : int, default 5000
        All triples of 32 columns are 4,960.

    Yields
    ------
    Score
        ``three_way_marginals`` in [0, 1], higher is better: 1 - total variation distance, averaged. NaN
        for fewer than three columns. Replicates are linear: a real row takes away half its weight in a cell that real
        rows fill more than synthetic ones do, and adds it in a cell that they fill less.
    """
    rows, triples = len(real), comb(len(codebook.columns), 3)
    if not triples or not rows or not len(synthetic):
        yield Score("three_way_marginals", np.nan)
        return
    codes, sizes = _cells(synthetic, real, codebook)
    chosen = list(combinations(range(len(sizes)), 3))
    if triples > max_triples:
        rng = np.random.default_rng(seed)
        chosen = [chosen[i] for i in np.sort(rng.choice(triples, size=max_triples, replace=False))]
    distance, influence = 0.0, np.zeros(rows)
    for i, j, k in chosen:
        cell = (codes[i] * sizes[j] + codes[j]) * sizes[k] + codes[k]
        cells = sizes[i] * sizes[j] * sizes[k]
        # Shares of the real rows less those of the synthetic ones.
        excess = np.bincount(cell[:rows], minlength=cells) / rows
        excess -= np.bincount(cell[rows:], minlength=cells) / len(synthetic)
        distance += np.abs(excess).sum() / 2
        if weights is not None:
            influence -= np.sign(excess)[cell[:rows]] / 2
    value = float(1 - distance / len(chosen))
    replicates = None if weights is None else linear_replicates(value, influence / len(chosen), weights)
    yield Score("three_way_marginals", value, replicates, least_variance(rows))


def _cells(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> tuple[np.ndarray, list[int]]:
    """Bins and pooled categories by number, the real rows first: (columns, rows); and how many each column may have."""
    both = pd.concat([real, synthetic], ignore_index=True)
    codes, sizes = np.empty((len(codebook.columns), len(both)), dtype="int64"), []
    for row, (name, column) in zip(codes, codebook.columns.items(), strict=True):
        if column.type in NUMERIC:
            row[:] = np.minimum(mid_ranks(both[name].to_numpy(), real[name].dropna().to_numpy()) * BINS, BINS - 1)
            # A gap is a cell of its own.
            row[both[name].isna()] = BINS
            sizes.append(BINS + column.may_be_missing)
        else:
            shares = real[name].value_counts(normalize=True)
            frequent = shares.index[shares >= RARE]
            # Anything else, a category that real rows never show too, has the last number.
            number = pd.Categorical(both[name], categories=sorted(frequent, key=str)).codes.astype("int64")
            row[:] = np.where(number < 0, len(frequent), number)
            sizes.append(len(frequent) + 1)
    return codes, sizes


def mid_ranks(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Ranks of values among others, in [0, 1]: the mean of the shares of these below and not above each value.

    scipy's `percentileofscore` of kind "mean" compares every value with each of the others.
    """
    known = np.sort(among)
    ends = [np.searchsorted(known, values, side=side) for side in ("left", "right")]
    return (ends[0] + ends[1]) / (2 * max(len(known), 1))
