"""Ridge regressions of each column on those before it, whose predictions are further predictors of its trees.

Many weak effects that add up are seen by a linear model at once. A tree finds one of them a split, and few rows are
used up by a few splits. What a regression predicts of rows that it has not seen is one more number to split on (stacked
generalisation: Wolpert 1992, Neural Networks 5; in forests: Zhang, Nettleton and Zhu 2019, "Regression-enhanced random
forests"; the penalty: Hoerl and Kennard 1970, Technometrics 12).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from medsynth.generators.cart import GAP, Arrays

# Parts of the training rows, each of which is predicted from the others.
FOLDS = 5
# What the squares of coefficients are penalised by, in rows: predictors are standardised. The best one is taken.
PENALTIES = (3.0, 30.0, 300.0)
# Categories with an effect of their own: those of so many rows, and of so large a share; the most frequent ones.
LEAST_ROWS, LEAST_SHARE, MOST_CATEGORIES = 10, 0.001, 100
# Numbers are told apart by so many quantiles.
QUANTILES = 256
# Principal components of what is predicted of a column: its number and its gaps, or its categories.
COMPONENTS = 2
# What is predicted is rounded to such a part of its standard deviation: trees grow faster on few distinct numbers.
RESOLUTION = 1 / 16
# Rows that are described at once.
ROWS_AT_ONCE = 50_000


class Described(NamedTuple):
    """How regressions see a column: each value is of one level, and each level has a few numbers.

    Attributes
    ----------
    knots : ndarray of float
        Largest number of each level, ascending; empty for a coded column, whose codes are its levels. Level 0 of
        numbers is a gap.
    features : ndarray of float, shape (levels, features)
        Standardised over the training rows. Of numbers their rank, whether they are missing, and the square of the
        rank; of categories an indicator each.
    predicted : int
        How many of the features are predicted: the first ones. The square of a rank is not.
    """

    knots: np.ndarray
    features: np.ndarray
    predicted: int

    @classmethod
    def of(cls, values: np.ndarray, categories: int) -> Described:
        """Describe training values; `categories` is 0 for numbers."""
        if categories:
            counts = np.bincount(values, minlength=categories)
            least = max(LEAST_ROWS, LEAST_SHARE * len(values))
            kept = [int(code) for code in np.argsort(-counts, kind="stable")[:MOST_CATEGORIES] if counts[code] >= least]
            # Of two categories the one says what the other does.
            kept = kept[1:] if (counts > 0).sum() == 2 else kept
            features = _standardised(np.equal.outer(np.arange(categories), kept).astype("float64"), counts)
            return cls(np.zeros(0), features, features.shape[1])
        known = np.sort(values[values > GAP])
        if not len(known):
            return cls(np.zeros(1), np.zeros((2, 0)), 0)
        places = np.linspace(0, len(known) - 1, QUANTILES).astype(int)
        distinct = np.unique(known)
        knots = distinct if len(distinct) <= QUANTILES else np.unique(known[places])
        counts = np.bincount(_levels(values, knots), minlength=len(knots) + 1)
        rank = np.concatenate([[0.0], (np.cumsum(counts[1:]) - counts[1:] / 2) / len(known) - 0.5])
        gap = np.arange(len(rank)) == 0
        first = _standardised(np.column_stack([rank, gap]), counts)
        square = _standardised(np.where(gap, 0.0, rank**2 - 1 / 12)[:, None], counts)
        return cls(knots, np.column_stack([first, square]), first.shape[1])

    def levels(self, values: np.ndarray) -> np.ndarray:
        """Level of each value, (rows,)."""
        return _levels(values, self.knots) if len(self.knots) else values


def _levels(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Number the levels of numbers from 1; a gap's is 0, and numbers above all are of the last level."""
    return np.where(values > GAP, 1 + np.minimum(np.searchsorted(knots, values), len(knots) - 1), 0)


def _standardised(features: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Features of levels of so many rows each, with mean 0 and variance 1 over all rows; constant ones are left out."""
    share = counts / counts.sum()
    centred = features - share @ features
    spread = np.sqrt(share @ centred**2)
    varies = spread > 1e-9
    return centred[:, varies] / spread[varies]


class Ridge:
    """What all regressions of one table need: products of its columns' features, in each fold.

    Parameters
    ----------
    values : dict of ndarray, shape (rows,)
        Column -> numbers, gaps among them as -infinity, or codes.
    categories : mapping of str to int
        Column -> number of its categories; 0 for numbers.
    seed : int
        Decides the folds.
    """

    def __init__(self, values: Arrays, categories: Mapping[str, int], seed: int) -> None:
        self.described = {name: Described.of(v, categories[name]) for name, v in values.items()}
        self.levels = {name: d.levels(values[name]).astype("int32") for name, d in self.described.items()}
        ends = np.cumsum([d.features.shape[1] for d in self.described.values()]).tolist()
        starts = [0, *ends[:-1]]
        self.places = {name: np.arange(a, b) for name, a, b in zip(values, starts, ends, strict=True)}
        rows = len(next(iter(values.values())))
        self.fold = np.random.default_rng(seed).permutation(np.arange(rows) % FOLDS)
        self.products = [np.zeros((ends[-1], ends[-1])) for _ in range(FOLDS)]
        for fold in range(FOLDS):
            chosen = np.flatnonzero(self.fold == fold)
            for first in range(0, len(chosen), ROWS_AT_ONCE):
                part = chosen[first : first + ROWS_AT_ONCE]
                x = np.concatenate([d.features[self.levels[name][part]] for name, d in self.described.items()], axis=1)
                self.products[fold] += x.T @ x

    def regressions(self, order: Sequence[str]) -> Iterator[tuple[str, list[np.ndarray]]]:
        """Regress each column on those before it.

        Parameters
        ----------
        order : sequence of str

        Yields
        ------
        str, list of ndarray, shape (features before, components)
            Column, and the coefficients of each fold, learned from the others, such that `RESOLUTION` is 1. Columns
            that are predicted no better than by their mean are left out.
        """
        from scipy.linalg import cholesky, solve_triangular

        places = np.concatenate([self.places[name] for name in order])
        products = [g[np.ix_(places, places)] for g in self.products]
        total, unit = np.sum(products, axis=0), np.eye(len(places))
        # A factor of all features holds those of the first ones, in its corner.
        factors = {
            (penalty, fold): cholesky(total - products[fold] + penalty * unit, lower=True)
            for penalty in PENALTIES
            for fold in range(FOLDS)
        }
        end = 0
        for name in order:
            n, end = end, end + len(self.places[name])
            own = np.arange(n, n + self.described[name].predicted)
            if not n or not len(own):
                continue
            least, taken = sum(np.trace(g[np.ix_(own, own)]) for g in products), None
            for penalty in PENALTIES:
                found, error = [], 0.0
                for fold, held_out in enumerate(products):
                    factor = factors[penalty, fold][:n, :n]
                    half = solve_triangular(factor, (total - held_out)[:n, own], lower=True)
                    found.append(solve_triangular(factor, half, lower=True, trans="T"))
                    missed = held_out[:n, :n] @ found[-1] - 2 * held_out[:n, own]
                    error += (found[-1] * missed).sum() + np.trace(held_out[np.ix_(own, own)])
                if error < least:
                    least, taken = error, found
            if taken is not None:
                spread = np.sum([b.T @ g[:n, :n] @ b for b, g in zip(taken, products, strict=True)], axis=0)
                axes = _principal(spread / len(self.fold))
                yield name, [b @ axes for b in taken]


def _principal(spread: np.ndarray) -> np.ndarray:
    """Principal axes of predictions with that covariance, the longest first: (predicted, at most `COMPONENTS`)."""
    size, axes = np.linalg.eigh(spread)
    kept = np.arange(len(size))[::-1][:COMPONENTS]
    kept = kept[size[kept] > 1e-9 * size[-1]]
    axes = axes[:, kept] / (RESOLUTION * np.sqrt(size[kept]))
    # The sign is arbitrary; fix it.
    return axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(axes.shape[1])])


class LinearScores:
    """What regressions say of each column, given those before it in a visit sequence.

    Attributes
    ----------
    described_ : dict of Described
    coefficients_ : dict of ndarray, shape (features before, components)
        Means over folds, by column.
    """

    def __init__(self, described: dict[str, Described], coefficients: Arrays) -> None:
        self.described_, self.coefficients_ = described, coefficients
        self._effects: dict[str, Arrays] = {}

    @classmethod
    def learn(cls, ridge: Ridge, order: Sequence[str]) -> tuple[Self, dict[str, list[np.ndarray]]]:
        """Learn all, and return beside it the coefficients of each fold, for `of_training_rows`."""
        folds = dict(ridge.regressions(order))
        return cls(ridge.described, {name: np.mean(found, axis=0) for name, found in folds.items()}), folds

    def of_training_rows(self, ridge: Ridge, before: Sequence[str], folds: list[np.ndarray]) -> np.ndarray:
        """What is predicted of each training row by regressions that have not seen it: float32, (rows, components)."""
        scores = np.empty((len(ridge.fold), folds[0].shape[1]), dtype="float32")
        for fold, coefficients in enumerate(folds):
            rows = np.flatnonzero(ridge.fold == fold)
            scores[rows] = _added({b: ridge.levels[b][rows] for b in before}, self._effects_of(before, coefficients))
        return scores

    def of(self, name: str, values: Arrays) -> np.ndarray | None:
        """What is predicted of rows whose columns before are known: float32, (rows, components), or None."""
        if name not in self.coefficients_:
            return None
        if name not in self._effects:
            self._effects[name] = self._effects_of(list(values), self.coefficients_[name])
        return _added({b: self.described_[b].levels(v) for b, v in values.items()}, self._effects[name])

    def _effects_of(self, before: Sequence[str], coefficients: np.ndarray) -> Arrays:
        """What each level of each column before adds: float32, (levels, components)."""
        features = [self.described_[b].features for b in before]
        parts = np.split(coefficients, np.cumsum([f.shape[1] for f in features])[:-1])
        return {b: (f @ part).astype("float32") for b, f, part in zip(before, features, parts, strict=True)}

    def content(self) -> dict[str, Any]:
        """All of it as arrays by the names of columns, for a file."""
        return {
            "knots": {name: d.knots for name, d in self.described_.items()},
            "features": {name: d.features for name, d in self.described_.items()},
            "predicted": {name: d.predicted for name, d in self.described_.items()},
            "coefficients": self.coefficients_,
        }

    @classmethod
    def of_content(cls, content: dict[str, Any]) -> Self:
        """Make it of what `content` gave."""
        parts = [content[part] for part in Described._fields]
        described = {name: Described(*(part[name] for part in parts)) for name in content["knots"]}
        return cls(described, content["coefficients"])


def _added(levels: Arrays, effects: Arrays) -> np.ndarray:
    """Add up what the level of each column adds, in each row."""
    first, *others = levels
    total = effects[first][levels[first]]
    for name in others:
        total += effects[name][levels[name]]
    return np.rint(total)
