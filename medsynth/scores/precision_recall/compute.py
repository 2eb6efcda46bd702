"""Alpha-precision, beta-recall and authenticity of Alaa, van Breugel, Saveliev and van der Schaar.

"How Faithful is your Synthetic Data? Sample-category Metrics for Evaluating and Auditing Generative Models", ICML 2022.
Written anew: synthcity, which has the authors' program, asks for numpy 1 and torch 2.2; synthyverse and tabeval change
the definitions or ask for dozens of packages.

Rows are points as in the public benchmarks of TabSyn and TabDiff, without a network (there called naive): coded columns
are indicators of their categories, numbers are scaled to [0, 1] by the real rows' range, distances are Euclidean. Rows
that differ in one category are sqrt(2) apart, rows at the two ends of one numeric column 1.

Paper, program (synthcity 0.2.12) and this module:

- alpha-precision: the same in all three, but for ties. Where real rows tie in their distance to the centre, alpha is
  here the share of real rows that the ball holds, so that a table always agrees with itself.
- beta-recall: by the paper, a real row is recalled at beta if any synthetic row of the beta-support is near enough. The
  program asks it of the nearest synthetic row alone, and takes the support's radii from these nearest rows. Published
  numbers are the program's, and so is this module: by the paper's rule the curve lies above the diagonal, and a table
  does not agree with itself (0.64 for rows of Diabetes 130-US).
- authenticity: by the paper, and here, a share of synthetic rows. The program takes a share of real rows, and compares
  with the distance of another row than the one it means (it looks real rows up by the numbers of synthetic ones). Here
  ties count half: coded columns make many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.evaluation.crosstabs import indicators
from medsynth.evaluation.resampling import Score, least_variance, share_score
from medsynth.scores.privacy.distances import PAIRS_AT_ONCE

# Squared distances are sums in float64 whose order differs; rows at the same distance shall tie.
DECIMALS = 9


class Points(NamedTuple):
    """Rows as points.

    Attributes
    ----------
    categories : ndarray of unsigned int, shape (coded columns, rows)
        Numbers of the categories; 0 for one that the codebook lacks.
    sizes : ndarray of int, shape (coded columns,)
        How many categories each column may have.
    numbers : ndarray of float64, shape (rows, numeric columns)
    """

    categories: np.ndarray
    sizes: np.ndarray
    numbers: np.ndarray

    def take(self, rows: np.ndarray) -> Points:
        """Points of some of the rows."""
        return Points(self.categories[:, rows], self.sizes, self.numbers[rows])


def precision_recall(
    synthetic: pd.DataFrame,
    real: pd.DataFrame,
    codebook: Codebook,
    *,
    seed: int,
    weights: np.ndarray | None = None,
    learned: pd.DataFrame | None = None,
    max_rows: int = 5_000,
) -> Iterator[Score]:
    """Score how typical synthetic rows are, how many real rows they cover and, with `learned`, how few are copies.

    Parameters
    ----------
    synthetic, real : DataFrame
        Complete clean tables. Equal numbers of rows are drawn from each, at most `max_rows`.
    codebook : Codebook
        Describes both.
    seed : int
        Of the rows that are drawn; the same real rows for the same seed and number.
    weights : ndarray, shape (replicates, real rows), optional
        Of the real rows; see `medsynth.evaluation.resampling.person_weights`.
    learned : DataFrame, optional
        The rows that the generator learned. All of them are looked through: a copy of any of them counts.
    max_rows : int, default 5000

    Yields
    ------
    Score
        All in [0, 1].

        ``alpha_precision``: 1 - 2 * integral of |P(alpha) - alpha| over alpha in [0, 1]. P(alpha) is the share of
        synthetic rows in the ball around the real rows' mean that holds the share alpha of the real rows. 1 is ideal.
        Its replicates are computed again: centre, balls and shares under each draw of persons.

        ``beta_recall``: the same of R(beta). That is the share of real rows whose nearest synthetic row is at least
        as near as their nearest other real row, and in the ball around the synthetic rows' mean that holds the share
        beta of these nearest rows. About 0.5 for rows as good as real ones: either of the two is as likely to be the
        nearer. Its replicates count real rows anew, with the neighbours that they have.

        ``authenticity``, with `learned` only: share of the synthetic rows that are farther from the nearest learned
        row than that row is from its nearest other learned row, ties counting half. Its replicates are binomial: they
        cover the rows that the generator happened to sample, not other persons.

        The first two are NaN with fewer than two rows on a side, authenticity with no synthetic or fewer than two
        learned rows.
    """
    n = min(len(synthetic), len(real), max_rows)
    drawn = [np.sort(np.random.default_rng(seed).permutation(len(table))[:n]) for table in (synthetic, real)]
    of_synthetic, of_real = (
        _points(table, real, codebook).take(rows) for table, rows in zip((synthetic, real), drawn, strict=True)
    )
    counted = np.ones((1, n))
    if weights is not None:
        counted = np.concatenate([counted, weights[:, drawn[1]]])
    # A draw of persons may have none of these rows.
    known = (counted.sum(axis=1) > 0) & (n > 1)
    for metric, curve in (("alpha_precision", _alpha_precision), ("beta_recall", _beta_recall)):
        found = np.full(len(counted), np.nan)
        if known[0]:
            found[known] = curve(of_synthetic, of_real, counted[known])
        replicates = None if weights is None else found[1:]
        yield Score(metric, float(found[0]), replicates, least_variance(n))
    if learned is not None:
        judged = n if len(learned) > 1 else 0
        share = _authenticity(of_synthetic, _points(learned, real, codebook)) if judged else np.nan
        yield share_score("authenticity", share, judged, seed=seed)


def _points(table: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> Points:
    """Rows as points, numbers on the scale of the real rows; a constant keeps its unit.

    Whether a number that may be missing is there is a category. A gap lies in the middle of the numbers.
    """
    from sklearn.preprocessing import MinMaxScaler

    numeric = codebook.named(*NUMERIC)
    coded = [name for name in codebook.columns if name not in numeric]
    known = [codebook.columns[name].all_categories for name in coded]
    gappy = [name for name in numeric if codebook.columns[name].may_be_missing]
    sizes = np.array([*(len(categories) + 1 for categories in known), *(2 for _ in gappy)], dtype="int64")
    # The narrower the numbers, the more of them are compared at once.
    categories = np.empty((len(sizes), len(table)), dtype=np.min_scalar_type(sizes.max(initial=0)))
    for row, name, its_categories in zip(categories[: len(coded)], coded, known, strict=True):
        row[:] = pd.Categorical(table[name], categories=its_categories).codes.astype("int64") + 1
    for row, name in zip(categories[len(coded) :], gappy, strict=True):
        row[:] = table[name].isna()
    numbers = np.empty((len(table), len(numeric)))
    if numeric and len(table):
        scaler = MinMaxScaler().fit(real[numeric].to_numpy("float64"))
        numbers = scaler.transform(table[numeric].to_numpy("float64"))
        numbers[np.isnan(numbers)] = 0.5
    return Points(categories, sizes, numbers)


def _alpha_precision(synthetic: Points, real: Points, weights: np.ndarray) -> np.ndarray:
    """Integrated alpha-precision under each row of weights of the real rows: (replicates,)."""
    centres = _centres(real, weights)
    to_real, to_synthetic = (_to_centres(points, centres) for points in (real, synthetic))
    order = np.argsort(to_real, axis=0, kind="stable")
    found = np.empty(len(weights))
    for i, weight in enumerate(weights.astype("float64")):
        radii, weight = to_real[order[:, i], i], weight[order[:, i]]
        inside = (np.cumsum(weight) / weight.sum())[np.searchsorted(radii, radii, side="right") - 1]
        precision = np.searchsorted(np.sort(to_synthetic[:, i]), radii, side="right") / to_synthetic.shape[0]
        found[i] = _agreement(precision, inside, weight)
    return found


def _beta_recall(synthetic: Points, real: Points, weights: np.ndarray) -> np.ndarray:
    """Integrated beta-recall under each row of weights of the real rows: (replicates,)."""
    nearest, distance = _nearest(real, synthetic)
    near = distance <= _nearest_other(real, np.arange(len(distance)))
    radii = _to_centres(synthetic, _centres(synthetic, np.ones((1, len(distance)))))[nearest, 0]
    order = np.argsort(radii, kind="stable")
    ends = np.searchsorted(radii[order], radii[order], side="right") - 1
    found = np.empty(len(weights))
    for i, weight in enumerate(weights[:, order].astype("float64")):
        inside, recalled = (np.cumsum(part)[ends] / weight.sum() for part in (weight, weight * near[order]))
        found[i] = _agreement(recalled, inside, weight)
    return found


def _agreement(curve: np.ndarray, diagonal: np.ndarray, weight: np.ndarray) -> float:
    """1 - 2 * integral of |curve - diagonal|; the integral of the diagonal, 1/2 without ties, makes it end at 0."""
    return 1 - (weight @ np.abs(curve - diagonal)) / (weight @ diagonal)


def _authenticity(synthetic: Points, learned: Points) -> float:
    """Share of the synthetic rows whose nearest learned row has another learned row nearer than they are."""
    nearest, distance = _nearest(synthetic, learned)
    known, place = np.unique(nearest, return_inverse=True)
    among_learned = _nearest_other(learned, known)[place]
    return float(np.mean((distance > among_learned) + 0.5 * (distance == among_learned)))


def _centres(points: Points, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted means of the rows: shares of all columns' categories, (categories, replicates), and means of numbers."""
    shares = (weights / weights.sum(axis=1, dtype="float64", keepdims=True)).T
    return indicators(points.categories.T, points.sizes).T @ shares, points.numbers.T @ shares


def _to_centres(points: Points, centres: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Squared distance of each row to each of the centres: (rows, replicates)."""
    squared = len(points.categories) + (points.numbers**2).sum(axis=1)[:, None]
    for part, centre in zip((indicators(points.categories.T, points.sizes), points.numbers), centres, strict=True):
        squared = squared - 2 * (part @ centre) + (centre**2).sum(axis=0)
    return np.round(squared, DECIMALS)


def _nearest(points: Points, others: Points) -> tuple[np.ndarray, np.ndarray]:
    """Which of the others is nearest to each row, and its squared distance."""
    nearest, distance = np.empty(len(points.numbers), dtype="int64"), np.empty(len(points.numbers))
    for part, squared in _squared_distances(points, others):
        nearest[part], distance[part] = squared.argmin(axis=1), squared.min(axis=1)
    return nearest, distance


def _nearest_other(points: Points, rows: np.ndarray) -> np.ndarray:
    """Squared distance of some rows to the nearest other row."""
    distance = np.empty(len(rows))
    for part, squared in _squared_distances(points.take(rows), points):
        squared[np.arange(len(squared)), rows[part]] = np.inf
        distance[part] = squared.min(axis=1)
    return distance


def _squared_distances(left: Points, right: Points) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared distances of all pairs, in blocks of rows of `left`."""
    lengths = [(points.numbers**2).sum(axis=1) for points in (left, right)]
    step = max(1, PAIRS_AT_ONCE // max(len(right.numbers), 1))
    for start in range(0, len(left.numbers), step):
        part = slice(start, start + step)
        differing = np.zeros(
            (len(left.numbers[part]), len(right.numbers)), dtype=np.min_scalar_type(len(left.categories))
        )
        for one, other in zip(left.categories[:, part], right.categories, strict=True):
            differing += one[:, None] != other[None, :]
        squared = left.numbers[part] @ right.numbers.T
        squared *= -2
        squared += lengths[0][part, None]
        squared += lengths[1][None, :]
        # Each category that differs is two indicators.
        squared += 2.0 * differing
        yield part, np.round(squared, DECIMALS, out=squared)
