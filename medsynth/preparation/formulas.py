"""Numbers that follow from other columns: sums, differences, scores, means, ratios, a body mass index.

Two families are looked for that hold in every row. A sum of the other columns, each number by a weight and each
category by points; and a product of powers of positive numbers. Weights and powers are estimated by least squares on
half of the rows, and the simplest numbers within their errors are taken. The result, rounded as the column is, must be
the column's own number in every row.

A number that is another one, or the sum of two, plus a constant is also looked for where it is so in many rows alone,
and far more often than by chance: a length of stay by its dates, but for slips; a last day of follow-up that is the day
of discharge for those who died there.

Of columns that follow from each other, the one is computed that rounding took most from: a body mass index follows from
weight and height, although a height could be told from the other two. Where rounding took nothing, it is the total.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
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
# A number of fewer distinct values is no result of others: flags follow from flags in too many ways.
LEAST_VALUES = 3
# Of so many numbers sums of two are also looked for where too few rows know all columns, or where some rows differ.
MOST_SUMMED, MOST_OFTEN_SUMMED, LEAST_SUMMED_ROWS = 60, 40, 30
# A number often is another one, or a sum, plus a constant if so large a share of the rows says so. It is so many times
# the share of any other constant and of chance, and the rows have so many different numbers.
OFTEN, TIMES_OTHERS, LEAST_DISTINCT = 0.1, 3.0, 10
# Rows that are looked at before all are, and rows that tell what is often so, at least.
FEW_ROWS, LEAST_OFTEN_ROWS = 200, 100
# What lies between two numbers was rounded up or down; a formula must say which in nearly all rows.
SAID_EXACTLY = 0.95
# A formula that fails in so few rows may lack the points of rare categories.
MOST_RARE = 0.05
# Half of the last decimal, with what is lost where numbers are stored and added.
_HALF = 0.5 * (1 + 1e-6)
# The simplest number within so many standard errors of a weight is tried.
_ERRORS = (5.0, 2.0, 1.0)
# A fraction of a larger denominator is no simple one.
_MOST_DENOMINATOR = 100
# Numbers of all decimals are told apart to such a part of themselves.
_EXACT = 1e-9
# A difference by such a part of the last decimal is not seen, and rests that grow by such a part have not grown.
_UNSEEN, _GROWN = 1e-4, 1.05


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
    half_up : bool
        Whether what lies between two numbers is rounded up; else to the even one.
    always : bool
        Whether the number follows, and is known, in every row in which all columns that it follows from are known.
    share : float
        Share of the rows that know all columns in which it follows.
    """

    column: str
    weights: Arrays
    constant: float
    product: bool
    decimals: int
    half_up: bool = False
    always: bool = False
    share: float = 1.0

    def of(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute the column: float, (rows,), NaN where a column that it follows from is not known.

        Parameters
        ----------
        values : mapping of ndarray, shape (rows,)
            Column -> numbers, of which what is not finite is missing, or numbers of categories, below 0 if missing.
        """
        found = self.unrounded(values)
        if self.decimals > MAX_DECIMALS:
            return found
        if self.half_up:
            found = np.floor(found * 10.0**self.decimals + _HALF) / 10.0**self.decimals
        return np.round(found, self.decimals)

    def unrounded(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Compute what `of` rounds."""
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
        """Say which rows have the number that follows, or do not know all of the columns: bool, (rows,)."""
        return self.follows(values) | ~np.isfinite(values[self.column]) | np.isnan(self.unrounded(values))

    def follows(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which rows know all of the columns and have the number that follows: bool, (rows,).

        What lies between two numbers may be rounded to either.
        """
        own, found = values[self.column], self.unrounded(values)
        unit = 10.0**-self.decimals if self.decimals <= MAX_DECIMALS else 0.0
        with np.errstate(invalid="ignore"):
            return np.isfinite(own) & (np.abs(own - found) <= _HALF * unit + _EXACT * np.abs(own))

    def said(self, categories: Labels) -> str:
        """The formula in one line; see `find_formulas`."""
        return self._said(categories) + (f" in {self.share:.0%} of the rows" if self.share < 1 else "")

    def _said(self, categories: Labels) -> str:
        """The formula without its share of the rows."""
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


def find_formulas(values: Arrays, categories: Labels, *, often: bool = True) -> list[Formula]:
    """Find numbers that follow from other columns.

    Parameters
    ----------
    values : dict of ndarray, shape (rows,)
        Column -> numbers, of which what is not finite is missing, or numbers of categories, below 0 if missing.
    categories : mapping of list
        Column -> names of its categories, None for one that stands for several; none for a number.
    often : bool, default True
        Whether numbers are looked for that follow in many rows alone.

    Returns
    -------
    list of Formula
        In an order in which they can be computed: none follows from a column that a later one gives.
    """
    found = _always(values, categories)
    found += _sums(values, categories, found)
    found += _often(values, categories, found) if often else []
    order = with_sources([one.column for one in found], found)
    return sorted(found, key=lambda one: order.index(one.column))


def with_sources(names: Iterable[str], formulas: Sequence[Formula]) -> list[str]:
    """Put before each column what it follows from."""
    by_column = {one.column: one for one in formulas}

    def sources(name: str) -> Iterator[str]:
        for other in by_column[name].weights if name in by_column else ():
            yield from sources(other)
        yield name

    return list(dict.fromkeys(other for name in names for other in sources(name)))


def _always(values: Arrays, categories: Labels) -> list[Formula]:
    """Find numbers that follow in every row, by regressions on all other columns."""
    table = _Table.of(values, categories)
    found: list[Formula] = []
    left = dict.fromkeys(table.features)
    candidates: dict[str, Formula] = {}
    # One after another: where each of three numbers follows from the others, one is computed and two are not.
    while True:
        suspects = [name for name in table.suspects(left) if name not in candidates]
        candidates |= {name: one for name in suspects if (one := table.formula(name, left))}
        if not candidates:
            return found
        best = max(candidates.values(), key=table.preference)
        found.append(best)
        del left[best.column]
        candidates = {
            name: one for name, one in candidates.items() if name != best.column and best.column not in one.weights
        }


def _sums(values: Arrays, categories: Labels, known: Sequence[Formula]) -> list[Formula]:
    """Find numbers that are the sum of two others in every row that knows the three, however few rows know all."""
    numbers = [name for name in _numbers(values, categories) if _varies(values[name])][:MOST_SUMMED]
    found = list(known)
    if not numbers:
        return []
    every = np.array([np.where(np.isfinite(values[name]), values[name], np.nan) for name in numbers])
    few = every[:, _spread(np.arange(every.shape[1]))]
    for one, other in combinations(range(len(numbers)), 2):
        for given in (few, every):
            # Most are no sums in few rows.
            sums = given[one] + given[other]
            with np.errstate(invalid="ignore"):
                off = (np.abs(given - sums) > _EXACT * np.abs(given)).any(1)
            if off.all():
                break
        for total in np.flatnonzero(~off).tolist():
            name, sources = numbers[total], [numbers[one], numbers[other]]
            rows = int(np.isfinite(every[total] + sums).sum())
            if total not in (one, other) and rows >= LEAST_SUMMED_ROWS and _is_new(name, sources, found):
                weights = {source: np.ones(1) for source in sources}
                if formula := _proved(values, categories, name, weights, 0.0):
                    found.append(formula)
    return found[len(known) :]


def _often(values: Arrays, categories: Labels, known: Sequence[Formula]) -> list[Formula]:
    """Find numbers that are another one, or the sum of two, plus a constant in many rows."""
    numbers = _numbers(values, categories)
    decimals = {name: _decimals(values[name]) for name in numbers}
    pairs = [(*spike, *pair) for pair in combinations(numbers, 2) if (spike := _spike(values, decimals, *pair))]
    often: Counter[str] = Counter()
    for share, _, first, second in pairs:
        often.update({first: share, second: share})
    found = list(known)

    def take(name: str, sources: Sequence[str], constant: float) -> bool:
        new = _is_new(name, sources, found)
        if new:
            weights = {source: np.ones(1) for source in sources}
            formula = Formula(name, weights, constant, product=False, decimals=decimals[name])
            all_known = np.logical_and.reduce([np.isfinite(values[other]) for other in (name, *sources)])
            found.append(formula._replace(share=float(formula.follows(values)[all_known].mean())))
        return new

    for _, constant, first, second in sorted(pairs, reverse=True):
        # A number that several others often are is what they are computed from.
        if often[first] <= often[second]:
            take(first, [second], constant) or take(second, [first], -constant)
        else:
            take(second, [first], -constant) or take(first, [second], constant)
    sums = []
    for total, *parts in _likely_sums(values, decimals, numbers[:MOST_OFTEN_SUMMED]):
        if _is_new(total, parts, found) and (spike := _spike(values, decimals, total, *parts)):
            sums.append((spike, total, parts))
    for (_, constant), total, parts in sorted(sums, reverse=True):
        take(total, parts, constant)
    return found[len(known) :]


def _likely_sums(values: Arrays, decimals: Mapping[str, int], numbers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Numbers, and two others each that may often be their sum but for a constant, by few rows."""
    rows = _spread(np.arange(len(next(iter(values.values()), ()))), FEW_ROWS)
    given = np.array([np.where(np.isfinite(values[name]), values[name], np.nan)[rows] for name in numbers])
    digits = min(max(decimals.values(), default=0), MAX_DECIMALS)
    for one, other in combinations(range(len(numbers)), 2):
        apart = np.sort(np.round(given - given[one] - given[other], digits), axis=1)
        known = np.isfinite(apart).sum(1).min()
        # Sorted, so many equal numbers in a row.
        several = max(int(OFTEN * known / 2), 2)
        for total in np.flatnonzero((apart[:, several - 1 :] == apart[:, : len(rows) - several + 1]).any(1)).tolist():
            if total not in (one, other):
                yield numbers[total], numbers[one], numbers[other]


def _spike(values: Arrays, decimals: Mapping[str, int], name: str, *sources: str) -> tuple[float, float] | None:
    """Share of the rows in which a number is the sum of others plus the most frequent constant, and that constant.

    None if it is no more frequent than others are, or than it would be by chance.
    """
    rows = _spread(np.flatnonzero(np.logical_and.reduce([np.isfinite(values[other]) for other in (name, *sources)])))
    own, summed = values[name][rows], np.sum([values[source][rows] for source in sources], axis=0)
    digits = max(decimals[other] for other in (name, *sources))
    apart = own - summed if digits > MAX_DECIMALS else np.round(own - summed, digits)
    if len(rows) < LEAST_OFTEN_ROWS:
        return None
    distinct, counts = np.unique(apart, return_counts=True)
    constant = float(distinct[counts.argmax()])
    *_, second_most, most = np.sort([0, *counts])
    shuffled = own - np.random.default_rng(0).permutation(summed)
    by_chance = int(np.isclose(shuffled, constant, rtol=0, atol=10.0**-digits / 2).sum())
    enough = max(OFTEN * len(rows), TIMES_OTHERS * max(second_most, by_chance))
    different = len(np.unique(own[apart == constant]))
    return (most / len(rows), constant) if most >= enough and different >= LEAST_DISTINCT else None


def _is_new(name: str, sources: Sequence[str], found: Sequence[Formula]) -> bool:
    """Whether a column does not follow yet, and nothing that it would follow from follows from it."""
    return name not in {one.column for one in found} and name not in with_sources(sources, found)


def _numbers(values: Arrays, categories: Labels) -> list[str]:
    """Numeric columns that any row knows."""
    return [name for name, own in values.items() if not categories[name] and np.isfinite(own).any()]


def _varies(values: np.ndarray) -> bool:
    """Whether there are two numbers."""
    known = values[np.isfinite(values)]
    return bool((known != known[:1]).any())


def _decimals(values: np.ndarray) -> int:
    return decimals_of(values[np.isfinite(values)])


def _spread(rows: np.ndarray, most: int = MOST_ROWS) -> np.ndarray:
    """At most so many of some rows, from all parts of the table."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)]


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
    """

    values: Arrays
    categories: Labels
    codes: Arrays
    units: dict[str, float]
    features: Arrays

    @classmethod
    def of(cls, values: Arrays, categories: Labels) -> _Table:
        """Choose columns and rows.

        Columns with the fewest gaps come first, numbers before coded columns. One is left out if too few rows would
        know all that are taken.
        """
        codes = {name: _frequent(own, categories[name]) for name, own in values.items() if categories[name]}
        known = {name: np.isin(own, codes[name]) if name in codes else np.isfinite(own) for name, own in values.items()}
        taken, weights, rows = list[str](), 0, np.ones(len(next(iter(values.values()), ())), dtype=bool)
        for name in sorted(values, key=lambda name: (name in codes, -int(known[name].sum()))):
            both, further = rows & known[name], len(codes[name]) - 1 if name in codes else 1
            most = min(both.sum() // 2 - LEAST_MORE_ROWS, MOST_WEIGHTS)
            if further < MOST_CATEGORIES and weights + further <= most:
                rows, weights, taken = both, weights + further, [*taken, name]
        chosen, features = _spread(np.flatnonzero(rows)), {}
        for name in (name for name in values if name in taken):
            own = values[name][chosen]
            # Points of the first category are 0.
            part = np.equal.outer(own, codes[name][1:]) if name in codes else own[:, None]
            if (part != part[:1]).any():
                features[name] = part.astype("float64")
        units = {name: _unit(values[name][known[name]]) for name in features if name not in codes}
        return cls(values, categories, codes, units, features)

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
                if name in self.units and len(np.unique(self.features[name])) >= LEAST_VALUES:
                    rest = spread[end - 1] * x @ inverse[:, end - 1] / inverse[end - 1, end - 1]
                    # Of a logarithm, an error is a part of the number.
                    rest = np.abs(rest * self.features[name][:, 0] if logs else rest)
                    if rest.max() <= max(self.units[name], _UNSEEN * self.features[name].std()):
                        found.append(name)
        return list(dict.fromkeys(found))

    def preference(self, formula: Formula) -> tuple[float, bool, int, float]:
        """What is computed first.

        It is what rounding took most from. If it took nothing, a column that the others' last decimals reach without
        rounding; then the one with more decimals, since what is measured has few; then the one that spreads most.
        """
        numbers = [name for name in formula.weights if name in self.units and not formula.product]
        parts = [abs(formula.weights[name][0]) * self.units[name] / self.units[formula.column] for name in numbers]
        whole = bool(np.allclose(parts, np.round(parts), atol=1e-6))
        spread = float(self.features[formula.column].std())
        return round(self._lost(formula), 1), whole, formula.decimals, spread

    def _lost(self, formula: Formula) -> float:
        """Half of the range of what rounding took, in units of the last decimal: half a unit, or nothing."""
        rows = _spread(np.arange(len(self.values[formula.column])))
        values = {name: self.values[name][rows] for name in (formula.column, *formula.weights)}
        own, found = values[formula.column], formula.unrounded(values)
        both = np.isfinite(own) & np.isfinite(found)
        rest = (own / found if formula.product else own - found)[both]
        size = np.abs(own[both]).max() if formula.product else 1.0
        return float(np.ptp(rest) / 2 * size / self.units[formula.column])

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
        for weights in _estimated(x, y, times, self.units[name]):
            summed = x @ weights
            low, high = own - half, own + half
            ends = (low / np.exp(summed), high / np.exp(summed)) if product else (low - summed, high - summed)
            least, most = float(ends[0].max()), float(ends[1].min())
            constant = 1.0 if product and least <= 1 <= most else _simplest(least, most)
            named = self._named(others, weights)
            if named and constant is not None:
                found = _proved(self.values, self.categories, name, named, constant, product=product)
                if found:
                    return found
        return None

    def _positive(self, name: str) -> bool:
        return name in self.units and bool((self.features[name] > 0).all())

    def _named(self, others: list[str], weights: np.ndarray) -> Arrays:
        """Weights by columns, without those that have none; points of rare categories are not known yet."""
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


def _proved(
    values: Arrays, categories: Labels, name: str, weights: Arrays, constant: float, *, product: bool = False
) -> Formula | None:
    """The formula, if it holds in every row and would not by chance."""
    formula = _with_rare(values, categories, Formula(name, weights, constant, product, _decimals(values[name])))
    holds = formula.holds(values)
    if not holds.all() and (~holds).mean() <= MOST_RARE and not product:
        # A condition that few patients have may have points, too.
        for other in (other for other in values if categories[other] and other not in weights):
            frequent = _frequent(values[other], categories[other])
            points = np.full(len(categories[other]), np.nan)
            points[frequent] = 0.0
            if len(frequent) and not np.isin(values[other][~holds], frequent).all():
                further = _with_rare(values, categories, formula._replace(weights={**formula.weights, other: points}))
                if (~further.holds(values)).sum() < (~holds).sum():
                    formula, holds = further, further.holds(values)
    if not holds.all():
        return None
    follows = np.isfinite(formula.of(values))
    both = follows & np.isfinite(values[name])
    rows = {other: values[other][both] for other in (name, *formula.weights)}
    exact = {up: alike(formula._replace(half_up=up).of(rows), rows[name]) for up in (False, True)}
    up = bool(exact[True].mean() > exact[False].mean()) if both.any() else False
    shuffled = np.random.default_rng(0).permutation(rows[name])
    if (~formula.holds({**rows, name: shuffled})).sum() < LEAST_EXPECTED or exact[up].mean() < SAID_EXACTLY:
        return None
    return formula._replace(half_up=up, always=bool((follows == both).all()))


def _with_rare(values: Arrays, categories: Labels, formula: Formula) -> Formula:
    """Give points to rare categories as well, where one number of points fits all of their rows."""
    own, weights = values[formula.column], dict(formula.weights)
    half = _HALF * _unit(own[np.isfinite(own)])
    for name in (name for name in weights if categories[name]):
        for code in np.flatnonzero(np.isnan(weights[name])).tolist():
            at = np.flatnonzero((values[name] == code) & np.isfinite(own))
            tried = {**weights, name: np.where(np.arange(len(weights[name])) == code, 0.0, weights[name])}
            rest = (own - formula._replace(weights=tried).unrounded(values))[at]
            rest = rest[np.isfinite(rest)]
            if categories[name][code] is not None and len(rest):
                points = _simplest(float(rest.max() - half), float(rest.min() + half))
                tried[name][code] = np.nan if points is None else points
                weights = tried
    return formula._replace(weights=weights)


def alike(found: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Whether numbers are the same but for how they are stored; what is not finite is like nothing."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(own) & (np.abs(found - own) <= _EXACT * np.maximum(np.abs(own), 1e-6))


def _frequent(codes: np.ndarray, names: Sequence[str | None]) -> np.ndarray:
    """Numbers of the categories that enough rows have, also among those that weights are estimated of."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names)) * min(1.0, MOST_ROWS / max(len(codes), 1))
    return np.flatnonzero([name is not None for name in names] & (counts >= LEAST_ROWS))


def _unit(values: np.ndarray) -> float:
    """The last decimal of numbers; where they have all decimals, how far they can be told."""
    decimals = decimals_of(values)
    exact = 2 * _EXACT * float(np.abs(values).max())
    return max(10.0**-decimals if decimals <= MAX_DECIMALS else 0.0, exact)


def _estimated(x: np.ndarray, y: np.ndarray, times: np.ndarray, unit: float) -> Iterator[np.ndarray]:
    """Weights of `x` by which it gives `y` up to rounding, as simple numbers, (weights,); none if it does not.

    Parameters
    ----------
    x : ndarray, shape (rows, weights)
    y : ndarray, shape (rows,)
    times : ndarray, shape (rows,)
        What an error of `y` in a row is to be multiplied by to be one of the column.
    unit : float
        Last decimal of the column.
    """
    fit = _Regression(x, y, times)
    kept = np.flatnonzero(fit.spread > 0)
    # What changes no number by a visible amount is no difference.
    unseen = np.zeros(len(fit.spread))
    unseen[kept] = _UNSEEN * unit * fit.spread[kept] / (np.ptp(x[:, kept], axis=0) * np.abs(times).max())
    weights, errors, most = fit(kept)
    # Twice what rounding leaves: the estimates have errors of their own.
    if most > unit:
        return
    # Fewer weights are known better.
    kept = kept[np.abs(weights) > _ERRORS[0] * errors + unseen[kept]]
    if fit(kept)[2] > unit:
        return
    kept = _fewest(fit, kept, unit)
    weights, errors, _ = fit(kept)
    tried = set()
    for several in _ERRORS:
        tolerance = several * errors + unseen[kept]
        low, high = (weights - tolerance) / fit.spread[kept], (weights + tolerance) / fit.spread[kept]
        for decimal in (False, True):
            simple = tuple(_simplest(a, b, decimal=decimal) for a, b in zip(low, high, strict=True))
            if simple not in tried:
                tried.add(simple)
                every = np.zeros(x.shape[1])
                every[kept] = simple
                yield every


class _Regression:
    """Least squares of some columns on half of the rows."""

    def __init__(self, x: np.ndarray, y: np.ndarray, times: np.ndarray) -> None:
        self.learned = slice(None, None, 2)
        mean, self.spread = x[self.learned].mean(0), x[self.learned].std(0)
        standardised = (x - mean) / np.where(self.spread > 0, self.spread, 1.0)
        self.design = np.column_stack([standardised, np.ones(len(x))]) * times[:, None]
        self.target = y * times
        half = self.design[self.learned]
        self.products = half.T @ half

    def __call__(self, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Standardised weights of these columns, their standard errors, and the largest rest of all rows."""
        columns = [*kept, -1]
        design, products = self.design[:, columns], self.products[np.ix_(columns, columns)]
        # Columns that hang together give many weights: small ones are taken.
        inverse = np.linalg.inv(products + 1e-11 * np.trace(products) / len(products) * np.eye(len(products)))
        weights, rest = np.zeros(len(columns)), self.target
        # The first solution has the rounding errors of products; what is left is solved for again.
        for _ in range(3):
            weights = weights + inverse @ (design[self.learned].T @ rest[self.learned])
            rest = self.target - design @ weights
        half = rest[self.learned]
        variance = float(half @ half) / max(len(half) - len(columns), 1)
        errors = np.sqrt(np.maximum(variance * np.diag(inverse), 0.0))
        return weights[:-1], errors[:-1], float(np.abs(rest).max())


def _fewest(
    fit: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, float]], kept: np.ndarray, unit: float
) -> np.ndarray:
    """Drop columns that nothing is lost without: of many weights that are all right, those of few columns are meant."""
    weights, _, most = fit(kept)
    several = len(kept) // 2
    while several:
        ascending = kept[np.argsort(np.abs(weights))]
        for first in range(0, len(ascending), several):
            fewer = np.setdiff1d(kept, ascending[first : first + several])
            if len(fewer) and (tried := fit(fewer))[2] <= _GROWN * most + _UNSEEN * unit:
                kept, (weights, _, most) = fewer, tried
                break
        else:
            several //= 2
        several = min(several, len(kept) // 2)
    return kept


def _simplest(low: float, high: float, *, decimal: bool = False) -> float | None:
    """The simplest number between two: 0, a simple fraction, or the shortest decimal; None if there is none.

    Parameters
    ----------
    low, high : float
    decimal : bool, default False
        Whether a decimal comes before a fraction.
    """
    if low > high:
        return None
    if low <= 0 <= high:
        return 0.0
    if high < 0:
        found = _simplest(-high, -low, decimal=decimal)
        return None if found is None else -found
    fraction = _between(Fraction(low), Fraction(high))
    if not decimal and 1 < fraction.denominator <= _MOST_DENOMINATOR:
        return float(fraction)
    shortest = (float(f"{(low + high) / 2:.{digits}e}") for digits in range(17))
    return next((number for number in shortest if low <= number <= high), float(fraction))


def _between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of the smallest denominator between two positive ones.

    By the Stern-Brocot tree (Graham, Knuth and Patashnik 1994, "Concrete mathematics", section 4.5).
    """
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    below = low.numerator // low.denominator
    return below + 1 / _between(1 / (high - below), 1 / (low - below))


def _line(names: Sequence[str | None], points: np.ndarray) -> tuple[float, float] | None:
    """Constant and weight by which categories that are numbers have these points; None if they do not."""
    known = np.flatnonzero(~np.isnan(points))
    try:
        numbers = np.array([float(str(names[place])) for place in known.tolist()])
    except ValueError:
        return None
    if len(set(numbers.tolist())) < 2 or not np.isfinite(numbers).all():
        return None
    weight, constant = np.polyfit(numbers, points[known], 1).round(9).tolist()
    return (constant, weight) if np.allclose(constant + weight * numbers, points[known]) else None


def _power(power: float) -> str:
    return "" if power == 1 else f" to the power of {_number(power)}"


def _number(value: float) -> str:
    """A number in words of a sentence: a simple fraction, or six digits."""
    fraction = Fraction(value).limit_denominator(_MOST_DENOMINATOR)
    if fraction.denominator > 1 and abs(float(fraction) - value) < _EXACT * abs(value):
        short = f"{value:g}"
        return short if len(short) <= 4 else str(fraction)
    return f"{value:.6g}"
