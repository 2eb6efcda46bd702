"""Scores with what they would be for other persons: a bootstrap of the persons that every table is judged on.

The weights of the persons are drawn once a study and are the same for every table, seed and score. So the replicates of
two scores belong to each other: the variance of their difference over the replicates is that of a paired comparison,
and of their ratio that of a joint bootstrap (Efron and Tibshirani 1993, "An introduction to the bootstrap"). A person
counts with all of his or her rows, or not at all.

Scores that cannot be computed again two hundred times have replicates of another making:

- linear ones, where the score is smooth: the score plus the weighted mean of its influence function, which is what a
  first-order expansion makes of new weights (the infinitesimal jackknife; Jaeckel 1972; Efron and Tibshirani, chapter
  21);
- half-sample replicates, where it is not: the score of each of two complementary halves of the persons, a few times.
  For a score whose variance falls with the rows as 1 / rows, a quarter of the squared difference of the halves
  estimates it (McCarthy 1969, Review of the International Statistical Institute 37:239-264). A replicate moves by half
  the difference of one pair of halves, up or down. On real rows this is rather too much than too little. A score that
  hangs on the largest value of a column varies hardly less with more rows; then half the squared difference estimates
  it (``falls=False``). That value is in one half of every halving, so that the differences say the same again and
  again: the replicates are spread as far as Student's t of as many degrees of freedom as there are halvings reaches
  beyond the normal distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from medsynth.preparation.partitions import halve, halve_evenly
from medsynth.randomness import derive_seed

REPLICATES = 200
# Pairs of halves of half-sample replicates.
HALVINGS = 4


class About(NamedTuple):
    """What a score is about where several scores share a metric: columns of ``scores.csv``, in this order.

    Attributes
    ----------
    target : str
        What is predicted.
    model : str
        Classifier or detector.
    column : str
        Column of the table, or predictor; ``mean`` for the mean of all.
    group : str
        Persons: a group of `column`, or a part of those who are attacked.
    term : str
        Of the logistic model.
    rule : str
        Constraint, or how intervals are made of several tables.
    cohort, held : str
        The cohort that is asked for, and the one whose conditions are counted.
    attack : str
    table : str
        What the tables of inference are.
    stage : str
        Of the job that is counted, or that failed.
    imputation, draw : int
        Number of the imputation that is learned from; of the draw, where it is repeated.
    rows : int
        Rows that are scored, or learned from, where that varies.
    """

    target: str = ""
    model: str = ""
    column: str = ""
    group: str = ""
    term: str = ""
    rule: str = ""
    cohort: str = ""
    held: str = ""
    attack: str = ""
    table: str = ""
    stage: str = ""
    imputation: int | None = None
    draw: int | None = None
    rows: int | None = None


# Columns of every table of scores that say what a score is about, and those of them that are numbers or empty.
ABOUT = About._fields
COUNTED = ("imputation", "draw", "rows")


class Score(NamedTuple):
    """One number, and what is known of how it varies over persons.

    Attributes
    ----------
    metric : str
    value : float
    replicates : ndarray of float, shape (REPLICATES,), optional
        The value for each draw of persons.
    least : float
        Smallest variance that is believed; see `least_variance`.
    about : About
    """

    metric: str
    value: float
    replicates: np.ndarray | None = None
    least: float = 0.0
    about: About = About()

    def of(self, **about: str | int) -> Self:
        """The same score, said to be about this; `ValueError` for what is no field of `About`."""
        # Each field has a type of its own, which keys that are known only here cannot be checked against.
        fields: dict[str, Any] = about
        return self._replace(about=self.about._replace(**fields))

    @property
    def variance(self) -> float:
        """Variance over the persons; NaN if it is not known."""
        if self.replicates is None:
            return np.nan
        known = self.replicates[~np.isnan(self.replicates)]
        return max(float(np.var(known, ddof=1)), self.least) if len(known) > 1 else np.nan


def person_weights(person: np.ndarray, *, seed: int, replicates: int = REPLICATES) -> np.ndarray:
    """Draw how often each row counts in each replicate.

    Parameters
    ----------
    person : ndarray, shape (rows,)
        Whose rows they are; any values.
    seed : int
    replicates : int

    Returns
    -------
    ndarray of float32, shape (replicates, rows)
        As many persons as there are, with replacement; all rows of a person have the same weight.
    """
    known, number = np.unique(person, return_inverse=True)
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(len(known), np.full(len(known), 1 / len(known)), size=replicates)
    return counts.astype("float32")[:, number]


@dataclass(frozen=True)
class Persons:
    """The persons behind real rows, and how replicates draw them.

    Attributes
    ----------
    person : ndarray, shape (rows,)
        Whose rows they are.
    weights : ndarray of float32, shape (replicates, rows)
        See `person_weights`.
    first_half : ndarray of bool, shape (halvings, rows)
        Whose persons are in the first of two halves, for each halving.
    steps : ndarray of float, shape (replicates, halvings)
        By which part of the difference of each halving a replicate moves: half of one of them.
    """

    person: np.ndarray
    weights: np.ndarray
    first_half: np.ndarray
    steps: np.ndarray

    @classmethod
    def draw(cls, person: np.ndarray, *, seed: int) -> Self:
        """Draw weights and halves; every table that gets the same seed gets the same ones."""
        rng = np.random.default_rng(derive_seed(seed, "halves of persons"))
        first = np.zeros((HALVINGS, len(person)), dtype=bool)
        for halving in first:
            halving[halve_evenly(person, rng)[0]] = True
        steps = np.zeros((REPLICATES, HALVINGS))
        steps[np.arange(REPLICATES), rng.integers(HALVINGS, size=REPLICATES)] = rng.choice([-0.5, 0.5], REPLICATES)
        return cls(person, person_weights(person, seed=derive_seed(seed, "weights of persons")), first, steps)

    def take(self, rows: np.ndarray) -> Self:
        """Persons of some of the rows."""
        return type(self)(self.person[rows], self.weights[:, rows], self.first_half[:, rows], self.steps)

    def half_sample(
        self, value: float, of_rows: Callable[[np.ndarray], float], halvings: int = HALVINGS, *, falls: bool = True
    ) -> np.ndarray:
        """Half-sample replicates of a score; see the module.

        Parameters
        ----------
        value : float
            Of all rows.
        of_rows : callable
            ``of_rows(positions)`` gives the score of some of the rows.
        halvings : int
            How many halvings to use, a divisor of `HALVINGS`; fewer for a score that takes its time.
        falls : bool
            Whether the score's variance falls as 1 / rows, rather than staying as it is.
        """
        # Here, not above: whoever reads a study reaches this module, and few take halves.
        from scipy import stats

        # Of one or two persons a half can be empty: such a halving says nothing.
        halves = [
            [of_rows(np.flatnonzero(part)) if 0 < first.sum() < len(first) else np.nan for part in (first, ~first)]
            for first in self.first_half[:halvings]
        ]
        spread = 1.0 if falls else np.sqrt(2) * stats.t.ppf(0.975, halvings) / stats.norm.ppf(0.975)
        differences = np.nan_to_num([first - second for first, second in halves]) * spread
        return value + self.steps.reshape(len(self.steps), -1, halvings).sum(axis=1) @ differences


def least_variance(rows: int) -> float:
    """Smallest variance of a score in [0, 1] of so many persons: where all agree, one more might not."""
    return 1 / max(rows, 1) ** 2


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means of (rows,) values under (replicates, rows) weights: (replicates,); NaN where no row counts."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return (weights @ np.asarray(values, dtype="float64")) / weights.sum(axis=1, dtype="float64")


def linear_replicates(value: float, influence: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Replicates of a score from its influence function at every row; see the module.

    Parameters
    ----------
    value : float
    influence : ndarray, shape (rows,)
        What a row adds to the score per unit of weight, the sum of weights being 1; its mean is taken off.
    weights : ndarray, shape (replicates, rows)
    """
    return value + weighted_mean(influence - np.mean(influence), weights)


def mean_score(metric: str, values: np.ndarray, weights: np.ndarray | None) -> Score:
    """Score that is the mean of the rows' own values in [0, 1], with its replicates."""
    values = np.asarray(values, dtype="float64")
    value = float(values.mean()) if len(values) else np.nan
    if weights is None or not len(values):
        return Score(metric, value)
    return Score(metric, value, weighted_mean(values, weights), least_variance(len(values)))


def share_score(metric: str, share: float, rows: int, *, seed: int) -> Score:
    """Score that is a share of rows which a generator samples one by one: its replicates are binomial."""
    if not rows:
        return Score(metric, np.nan)
    drawn = np.random.default_rng(seed).binomial(rows, min(max(share, 0.0), 1.0), REPLICATES) / rows
    return Score(metric, float(share), drawn, least_variance(rows))


def with_training_persons(
    scores: Iterable[Score], of_rows: Callable[[np.ndarray], Iterable[Score]], person: np.ndarray, *, seed: int
) -> Iterator[Score]:
    """Add to the replicates what other training persons would change, where real rows are what is learned from.

    Two complementary halves of the training persons are learned from as well; each replicate moves by half of their
    difference, up or down at random (half-sample replication, see the module).

    Parameters
    ----------
    scores : iterable of Score
        Of all rows.
    of_rows : callable
        ``of_rows(positions)`` gives the same scores, learned from these training rows.
    person : ndarray, shape (training rows,)
    seed : int
        Of the halves and the directions.
    """
    halves = [{(s.metric, s.about): s.value for s in of_rows(rows)} for rows in halve(person, seed=seed)]
    signs = np.random.default_rng(seed).choice([-0.5, 0.5], size=REPLICATES)
    for score in scores:
        key = score.metric, score.about
        moved = np.nan_to_num(halves[0].get(key, np.nan) - halves[1].get(key, np.nan))
        replicates = None if score.replicates is None else score.replicates + signs * moved
        yield score._replace(replicates=replicates)


# Scores of classifiers under weights, for all replicates at once; scikit-learn's for unit weights.


def weighted_roc_auc(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ROC AUC under each row of weights, ties counting half: (replicates,); NaN where a class has no weight.

    Parameters
    ----------
    score : ndarray of float, shape (rows,)
    positive : ndarray of bool, shape (rows,)
    weights : ndarray, shape (replicates, rows)
    """
    ones, zeros = _by_score(score, positive, weights)
    below = np.cumsum(zeros, axis=1) - zeros
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ones * (below + zeros / 2)).sum(axis=1) / (ones.sum(axis=1) * zeros.sum(axis=1))


def weighted_average_precision(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average precision under each row of weights; parameters as `weighted_roc_auc`."""
    ones, zeros = (part[:, ::-1] for part in _by_score(score, positive, weights))
    true = np.cumsum(ones, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(true / (true + np.cumsum(zeros, axis=1)))
        return (precision * ones).sum(axis=1) / true[:, -1]


def weighted_true_positives(
    score: np.ndarray, positive: np.ndarray, weights: np.ndarray, rates: Iterable[float]
) -> np.ndarray:
    """True positive rates at false positive rates under each row of weights: (rates, replicates).

    Between two thresholds the curve is a straight line, which breaks ties at random.
    """
    ones, zeros = (part[:, ::-1] for part in _by_score(score, positive, weights))
    true, false = (np.cumsum(part, axis=1) for part in (ones, zeros))
    with np.errstate(invalid="ignore", divide="ignore"):
        true, false = (np.insert(part / part[:, -1:], 0, 0, axis=1) for part in (true, false))
    return np.array([[np.interp(rate, f, t) for f, t in zip(false, true, strict=True)] for rate in rates])


def _by_score(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the positive and the other rows at each distinct score, ascending: (replicates, scores) each."""
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    starts = np.flatnonzero(np.insert(ranked[1:] != ranked[:-1], 0, True))
    sides = (positive[order], ~positive[order])
    ordered = weights[:, order].astype("float64")
    ones, zeros = (np.add.reduceat(ordered * side, starts, axis=1) for side in sides)
    return ones, zeros
