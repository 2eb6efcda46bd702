"""Numbers that follow from other columns in every row: sums, differences, scores, means, ratios, a body mass index.

Two families are looked for. A sum of the other columns, each number by a weight and each category by points; and a
product of powers of positive numbers. Weights and powers are estimated by least squares on half of the rows, and the
simplest fractions within their errors are taken. The result, rounded as the column is, must be the column's own number
in every row.

Of columns that follow from each other, that one is computed which rounding took most from: a body mass index follows
from weight and height, although a height could be told from the other two. Of those of a sum it is the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from medsynth.codebook import MAX_DECIMALS, Column, decimals_of
from medsynth.preparation.relations import LEAST_EXPECTED

Arrays = dict[str, np.ndarray]
Labels = Mapping[str, Sequence[str | None]]

# Rows that formulas are looked for in; they are held against all rows.
MOST_ROWS = 2000
# Rows more than there are weights to estimate, at least.
LEAST_MORE_ROWS = 20
# Columns of more categories give no points.
MOST_CATEGORIES = 12
# Points of categories of fewer rows are found last, one after another.
LEAST_ROWS = 10
# Weights of all columns together, at most: the time grows with the square.
MOST_WEIGHTS = 200
# Half of the last decimal, with what is lost where numbers are stored and added.
_HALF = 0.5 * (1 + 1e-6)
# The simplest fraction within so many standard errors of a weight is tried.
_ERRORS = (5.0, 2.0, 1.0)
# Numbers of all decimals are told apart to such a part of themselves.
_EXACT = 1e-9


class Formula(NamedTuple):
    """How a number follows from other columns.

    Attributes
    ----------
    column : str
        Whose numbers follow.
    weights : dict of ndarray
        Column -> weight of its number, (1,), or points of its categories, (categories,). In a product, the power.
    constant : float
        What is added, or what the product is multiplied by.
    product : bool
    decimals : int
        What the result is rounded to; more than `MAX_DECIMALS`: not at all.
    always : bool
        Whether the number is known in every row in which all columns that it follows from are.
    """

    column: str
    weights: Arrays
    constant: float
    product: bool
    decimals: int
    always: bool

    def of(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the column: float, (rows,), NaN where a column that it follows from is not known.

        Parameters
        ----------
        values : mapping of ndarray, shape (rows,)
            Column -> numbers, of which what is not finite is missing, or numbers of categories, below 0 if missing.
        """
        found = self._raw(values)
        return np.round(found, self.decimals) if self.decimals <= MAX_DECIMALS else found

    def _raw(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is rounded."""
        with np.errstate(all="ignore"):
            if self.product:
                factors = [values[name] ** float(weight[0]) for name, weight in self.weights.items()]
                found = self.constant * np.prod(factors, axis=0)
            else:
                terms = [
                    np.where(values[name] < 0, np.nan, weight[values[name]])
                    if len(weight) > 1
                    else weight[0] * values[name]
                    for name, weight in self.weights.items()
                ]
                found = self.constant + np.sum(terms, axis=0)
        known = np.logical_and.reduce([np.isfinite(values[name]) for name in self.weights])
        return np.where(known & np.isfinite(found), found, np.nan)

    def holds(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which rows have the number that follows, or do not know all of the columns: bool, (rows,).

        What lies between two numbers may be rounded to either.
        """
        own, found = values[self.column], self._raw(values)
        unit = 10.0**-self.decimals if self.decimals <= MAX_DECIMALS else 0.0
        with np.errstate(invalid="ignore"):
            near = np.abs(own - found) <= _HALF * unit + _EXACT * np.abs(own)
        return near | ~np.isfinite(own) | ~np.isfinite(found)

    def said(self, categories: Labels) -> str:
        """The formula in one line; see `find_formulas`."""
        if self.product:
            powers = {name: float(weight[0]) for name, weight in self.weights.items()}
            factors = [f"{name}{_power(power)}" for name, power in powers.items() if power > 0]
            below = [f" divided by {name}{_power(-power)}" for name, power in powers.items() if power < 0]
            first = [_number(self.constant)] if self.constant != 1 or not factors else []
            return f"{self.column} is {' times '.join([*first, *factors])}{''.join(below)}"
        constant, terms = self.constant, dict[str, float]()
        for name, weight in self.weights.items():
            if len(weight) == 1:
                terms[name] = float(weight[0])
            elif line := _line(categories[name], weight):
                constant, terms[name] = constant + line[0], line[1]
            else:
                terms[f"points for {name}"] = 1.0
        # What is added comes first, and the constant as late as it can.
        parts = [(weight, f"{_number(abs(weight))} {name}".removeprefix("1 ")) for name, weight in terms.items()]
        if abs(constant) > _EXACT or all(weight < 0 for weight, _ in parts):
            parts.append((constant, _number(abs(constant))))
        (_, start), *others = sorted(parts, key=lambda part: part[0] < 0)
        further = "".join(f" {'plus' if weight > 0 else 'minus'} {part}" for weight, part in others)
        return f"{self.column} is {start}{further}"


def labels(column: Column, categories: Iterable[str]) -> list[str | None]:
    """Categories of a coded column as `find_formulas` takes them: None for what stands for several, or for unknown."""
    unknown = {column.missing_category, column.rare.label if column.rare else None}
    return [None if name in unknown else name for name in categories]


def find_formulas(values: Arrays, categories: Labels) -> list[Formula]:
    """Find numbers that follow from other columns.

    Parameters
    ----------
    values : dict of ndarray, shape (rows,)
        Column -> numbers, of which what is not finite is missing, or numbers of categories, below 0 if missing.
    categories : mapping of list
        Column -> names of its categories, None for one that stands for several; none for a number.

    Returns
    -------
    list of Formula
        In an order in which they can be computed: none follows from a column that a later one gives.
    """
    table = _Table.of(values, categories)
    found: list[Formula] = []
    left = dict.fromkeys(table.features)
    candidates: dict[str, Formula] = {}
    # One after another: where each of three numbers follows from the others, one is computed and two are not.
    while True:
        suspects = [name for name in table.suspects(left) if name not in candidates]
        candidates |= {name: one for name in suspects if (one := table.formula(name, left))}
        if not candidates:
            break
        best = max(candidates.values(), key=table.preference)
        found.append(best)
        del left[best.column]
        candidates = {
            name: one for name, one in candidates.items() if name != best.column and best.column not in one.weights
        }
    return found[::-1]


def with_sources(names: Iterable[str], formulas: Sequence[Formula]) -> list[str]:
    """Put before each column what it follows from."""
    by_column = {one.column: one for one in formulas}

    def sources(name: str) -> Iterator[str]:
        for other in by_column[name].weights if name in by_column else ():
            yield from sources(other)
        yield name

    return list(dict.fromkeys(other for name in names for other in sources(name)))


class _Table(NamedTuple):
    """Rows in which all columns are known, as what weights are estimated of.

    Attributes
    ----------
    values : dict of ndarray
        See `find_formulas`.
    categories : mapping of list
        See `find_formulas`.
    codes : dict of ndarray
        Coded column -> numbers of the categories that `features` has points for, but for the first of them.
    units : dict of float
        Number -> its last decimal, or how far it can be told.
    features : dict of ndarray
        Column -> what its weights belong to, (rows, weights).
    rows : ndarray of int
        Rows of `features`.
    """

    values: Arrays
    categories: Labels
    codes: Arrays
    units: dict[str, float]
    features: Arrays
    rows: np.ndarray

    @classmethod
    def of(cls, values: Arrays, categories: Labels) -> _Table:
        """Choose columns and rows: those with the fewest gaps first, numbers before coded columns."""
        codes = {name: _frequent(own, categories[name]) for name, own in values.items() if categories[name]}
        known = {name: np.isin(own, codes[name]) if name in codes else np.isfinite(own) for name, own in values.items()}
        taken, weights, rows = list[str](), 0, np.ones(len(next(iter(values.values()), ())), dtype=bool)
        for name in sorted(values, key=lambda name: (name in codes, -int(known[name].sum()))):
            both, further = rows & known[name], max(len(codes.get(name, ())) - 1, 1)
            if further < MOST_CATEGORIES and weights + further <= min(both.sum() // 2 - LEAST_MORE_ROWS, MOST_WEIGHTS):
                rows, weights, taken = both, weights + further, [*taken, name]
        chosen = np.flatnonzero(rows)
        chosen = chosen[np.linspace(0, len(chosen) - 1, min(len(chosen), MOST_ROWS)).astype(int)]
        features = {}
        for name in (name for name in values if name in taken):
            own = values[name][chosen]
            # Points of the first category are 0.
            part = np.equal.outer(own, codes[name][1:]) if name in codes else own[:, None]
            if (part != part[:1]).any():
                features[name] = part.astype("float64")
        units = {name: _unit(values[name][known[name]]) for name in features if name not in codes}
        return cls(values, categories, codes, units, features, chosen)

    def suspects(self, left: Iterable[str]) -> list[str]:
        """Numbers of which the others, or for a product their logarithms, leave no more than rounding does.

        The inverse of the correlation matrix has all regressions of one column on the others.
        """
        left = list(left)
        found = []
        for names, logs in ((left, False), ([name for name in left if self._positive(name)], True)):
            if len(names) < 2:
                continue
            parts = [np.log(self.features[name]) if logs else self.features[name] for name in names]
            x = np.concatenate(parts, axis=1)
            spread = x.std(0)
            x = (x - x.mean(0)) / np.where(spread > 0, spread, 1.0)
            inverse = np.linalg.inv(x.T @ x / len(x) + 1e-10 * np.eye(x.shape[1]))
            ends = np.cumsum([part.shape[1] for part in parts])
            for name, end in zip(names, ends, strict=True):
                if name in self.units:
                    rest = spread[end - 1] * x @ inverse[:, end - 1] / inverse[end - 1, end - 1]
                    # Of a logarithm, an error is a part of the number.
                    rest = np.abs(rest * self.features[name][:, 0] if logs else rest)
                    if rest.max() <= max(self.units[name], 1e-4 * self.features[name].std()):
                        found.append(name)
        return list(dict.fromkeys(found))

    def preference(self, formula: Formula) -> tuple[float, bool, int, float]:
        """By what is computed first: by what rounding took most from, then by what it can take least from.

        Of the other columns' last decimals in units of the column's own, whole numbers are not rounded. What is
        computed has more decimals than what is measured, and a total spreads most.
        """
        numbers = [name for name in formula.weights if name in self.units and not formula.product]
        parts = [abs(formula.weights[name][0]) * self.units[name] / self.units[formula.column] for name in numbers]
        whole = bool(np.allclose(parts, np.round(parts), atol=1e-6))
        spread = float(self.features[formula.column].std())
        return round(self.lost(formula), 1), whole, formula.decimals, spread

    def formula(self, name: str, left: Iterable[str]) -> Formula | None:
        """The formula of a number from other columns, a sum before a product; None if there is none."""
        others = [other for other in left if other != name]
        positive = [other for other in others if self._positive(other)] if self._positive(name) else []
        return self._found(name, others, product=False) or self._found(name, positive, product=True)

    def _found(self, name: str, others: list[str], *, product: bool) -> Formula | None:
        """Estimate weights of a sum, or powers of a product, and then the constant."""
        own, half = self.features[name][:, 0], _HALF * self.units[name]
        if not others:
            return None
        x = np.concatenate([self.features[other] for other in others], axis=1)
        x, y, times = (np.log(x), np.log(own), own) if product else (x, own, np.ones(len(own)))
        for weights in _fractions(x, y, times, self.units[name]):
            summed = x @ weights
            low, high = own - half, own + half
            ends = (low / np.exp(summed), high / np.exp(summed)) if product else (low - summed, high - summed)
            constant = _simplest(float(ends[0].max()), float(ends[1].min()))
            if found := self._proved(name, self._named(others, weights), constant, product=product):
                return found
        return None

    def _proved(self, name: str, named: Arrays, constant: float | None, *, product: bool) -> Formula | None:
        """The formula, if it holds in every row and would not by chance."""
        if not named or constant is None:
            return None
        own = self.values[name]
        decimals = decimals_of(own[np.isfinite(own)])
        formula = self._with_rare(Formula(name, named, constant, product, decimals, always=False))
        follows = np.isfinite(formula.of(self.values))
        formula = formula._replace(always=bool(np.isfinite(own[follows]).all()))
        both = follows & np.isfinite(own)
        rows = {other: self.values[other][both] for other in (name, *named)}
        if not formula.holds(rows).all():
            return None
        shuffled = np.random.default_rng(0).permutation(rows[name])
        return formula if (~formula.holds({**rows, name: shuffled})).sum() >= LEAST_EXPECTED else None

    def lost(self, formula: Formula) -> float:
        """The largest error before rounding, in units of the last decimal: what the column does not tell any more."""
        values = {name: self.values[name][self.rows] for name in (formula.column, *formula.weights)}
        unrounded = formula._replace(decimals=MAX_DECIMALS + 1).of(values)
        return float(np.abs(values[formula.column] - unrounded).max() / self.units[formula.column])

    def _positive(self, name: str) -> bool:
        return name in self.units and bool((self.features[name] > 0).all())

    def _named(self, others: list[str], weights: np.ndarray) -> Arrays:
        """Weights by columns, without those that have none; points of the first category are 0."""
        named, start = {}, 0
        for other in others:
            own = weights[start : start + self.features[other].shape[1]]
            start += len(own)
            if own.any() and other in self.codes:
                named[other] = np.full(len(self.categories[other]), np.nan)
                named[other][self.codes[other]] = [0.0, *own]
            elif own.any():
                named[other] = own
        return named

    def _with_rare(self, formula: Formula) -> Formula:
        """Give points to rare categories as well, where one number of points fits all of its rows."""
        own, half = self.values[formula.column], _HALF * self.units[formula.column]
        weights = dict(formula.weights)
        for name in (name for name in weights if name in self.codes):
            for code in np.flatnonzero(np.isnan(weights[name])).tolist():
                at = np.flatnonzero((self.values[name] == code) & np.isfinite(own))
                tried = {**weights, name: np.where(np.arange(len(weights[name])) == code, 0.0, weights[name])}
                rest = (own - formula._replace(weights=tried)._raw(self.values))[at]
                rest = rest[np.isfinite(rest)]
                if self.categories[name][code] is not None and len(rest):
                    points = _simplest(float(rest.max() - half), float(rest.min() + half))
                    tried[name][code] = np.nan if points is None else points
                    weights = tried
        return formula._replace(weights=weights)


def _frequent(codes: np.ndarray, labels: Sequence[str | None]) -> np.ndarray:
    """Numbers of the categories that enough rows have, also among those that weights are estimated of."""
    counts = np.bincount(codes[codes >= 0], minlength=len(labels)) * min(1.0, MOST_ROWS / max(len(codes), 1))
    return np.flatnonzero([label is not None for label in labels] & (counts >= LEAST_ROWS))


def _unit(values: np.ndarray) -> float:
    """The last decimal of numbers; where they have all decimals, how far they can be told."""
    decimals = decimals_of(values)
    exact = 2 * _EXACT * float(np.abs(values).max())
    return max(10.0**-decimals if decimals <= MAX_DECIMALS else 0.0, exact)


def _fractions(x: np.ndarray, y: np.ndarray, times: np.ndarray, unit: float) -> Iterator[np.ndarray]:
    """Weights of `x` by which it gives `y` up to rounding, as simple fractions, (weights,); none if it does not.

    Parameters
    ----------
    x : ndarray, shape (rows, weights)
    y : ndarray, shape (rows,)
    times : ndarray, shape (rows,)
        What an error of `y` in a row is to be multiplied by to be one of the column.
    unit : float
        Last decimal of the column.
    """
    learned = slice(None, None, 2)
    spread = x[learned].std(0)
    weighted = np.column_stack([(x - x[learned].mean(0)) / np.where(spread > 0, spread, 1.0), np.ones(len(x))])
    weighted, target = weighted * times[:, None], y * times

    def estimated(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Weights of these columns, their errors, and the largest rest."""
        design = weighted[:, [*kept, -1]]
        beta, _, rank, _ = np.linalg.lstsq(design[learned], target[learned], rcond=1e-10)
        rest = target - design @ beta
        variance = float((rest[learned] ** 2).sum()) / max(len(design[learned]) - rank, 1)
        covariance = np.linalg.pinv(design[learned].T @ design[learned], hermitian=True)
        return beta[:-1], np.sqrt(variance * np.diag(covariance))[:-1], float(np.abs(rest).max())

    kept = np.flatnonzero(spread > 0)
    # What changes no number by a visible amount is no difference.
    unseen = np.zeros(len(spread))
    unseen[kept] = 1e-4 * unit * spread[kept] / (np.ptp(x[:, kept], axis=0) * np.abs(times).max())
    beta, errors, most = estimated(kept)
    # Twice what rounding leaves: the estimates have errors of their own.
    if most > unit:
        return
    # Fewer weights are known better.
    kept = kept[np.abs(beta) > _ERRORS[0] * errors + unseen[kept]]
    beta, errors, most = estimated(kept)
    if most > unit:
        return
    # Columns that hang together give many weights, all of them right; those of the fewest columns are meant.
    for column in kept[np.argsort(np.abs(beta))]:
        fewer = kept[kept != column]
        if (tried := estimated(fewer))[2] <= 1.05 * most + 1e-4 * unit:
            kept, (beta, errors, most) = fewer, tried
    for several in _ERRORS:
        weights = np.zeros(x.shape[1])
        tolerance = several * errors + unseen[kept]
        for column, low, high in zip(kept, beta - tolerance, beta + tolerance, strict=True):
            weights[column] = _simplest(low / spread[column], high / spread[column])
        yield weights


def _simplest(low: float, high: float) -> float | None:
    """The fraction of the smallest denominator between two numbers, 0 where it is between; None if there is none.

    By the Stern-Brocot tree (Graham, Knuth and Patashnik 1994, "Concrete mathematics", section 4.5).
    """
    if low > high:
        return None
    if low <= 0 <= high:
        return 0.0
    if high < 0:
        return -float(_between(Fraction(-high), Fraction(-low)))
    return float(_between(Fraction(low), Fraction(high)))


def _between(low: Fraction, high: Fraction) -> Fraction:
    """The simplest fraction between two positive ones."""
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    below = low.numerator // low.denominator
    return below + 1 / _between(1 / (high - below), 1 / (low - below))


def _line(labels: Sequence[str | None], points: np.ndarray) -> tuple[float, float] | None:
    """Constant and weight by which categories that are numbers have these points; None if they do not."""
    known = np.flatnonzero(~np.isnan(points))
    try:
        numbers = np.array([float(str(labels[place])) for place in known.tolist()])
    except ValueError:
        return None
    if len(set(numbers.tolist())) < 2:
        return None
    weight, constant = np.polyfit(numbers, points[known], 1).round(9).tolist()
    return (constant, weight) if np.allclose(constant + weight * numbers, points[known]) else None


def _power(power: float) -> str:
    return "" if power == 1 else f" to the power of {_number(power)}"


def _number(value: float) -> str:
    """A number in words of a sentence: a simple fraction, or six digits."""
    fraction = Fraction(value).limit_denominator(100)
    if fraction.denominator > 1 and abs(float(fraction) - value) < _EXACT * abs(value):
        short = f"{value:g}"
        return short if len(short) <= 4 else str(fraction)
    return f"{value:.6g}"
