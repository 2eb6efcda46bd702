"""Would an analyst of synthetic tables conclude what an analyst of the real rows does? One logistic model a study."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import stats

from medsynth.codebook import Codebook, Strict
from medsynth.disclosure import LEAST_PATIENTS
from medsynth.errors import InputError
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target

# Synthetic tables that are combined.
TABLES = 10
INTERCEPT = "(intercept)"
# Newton's steps after which an estimate that still moves has no end: the rows are separated.
STEPS, STILL = 25, 1e-6


class Analysis(Strict):
    """A logistic model that is fitted to real and to synthetic rows."""

    outcome: Target = Field(description="what is explained, of two classes; a target as under `targets`")
    predictors: list[str] = Field(
        min_length=1, description="columns; numbers count in standard deviations, levels against the most frequent one"
    )

    coverage: list[str] = Field(
        [], description="generators that are also fitted to many samples of the real rows: do intervals cover?"
    )

    def check(self, codebook: Codebook) -> None:
        """Check that outcome and predictors exist and are different columns; `InputError` says what does not fit."""
        self.outcome.check(codebook)
        if self.outcome.outcomes or not (self.outcome.positive or self.outcome.at_least is not None):
            raise InputError("'inference': the outcome needs 'positive' or 'at_least', which make it two classes.")
        for name in self.predictors:
            column = codebook.column(name)
            if column.drop or column.type in ("date", "identifier"):
                raise InputError(f"'inference': column '{name}' is not in the clean table.")
            if name in self.outcome.made_of:
                raise InputError(f"'inference': column '{name}' makes the outcome and cannot be a predictor.")


class Design:
    """The terms of a model, learned from real training rows.

    Attributes
    ----------
    terms_ : list of str
        The intercept, ``age (per SD)`` for a number, ``sex: male`` for a level.
    """

    def __init__(self, predictors: list[str], least: int = LEAST_PATIENTS) -> None:
        self.predictors, self.least = predictors, least

    def fit(self, train: pd.DataFrame) -> Self:
        """Learn means and standard deviations, and which levels are frequent enough for a term of their own.

        The most frequent level is the base; levels of fewer than `least` rows are told with it. A predictor that
        cleaning dropped, or that is one value, has no term.
        """
        self.numbers_, self.levels_ = {}, {}
        for name in (name for name in self.predictors if name in train):
            if isinstance(train[name].dtype, pd.CategoricalDtype):
                counts = train[name].value_counts()
                self.levels_[name] = [level for level in counts.index[1:] if counts[level] >= self.least]
            elif train[name].std() > 0:
                self.numbers_[name] = float(train[name].mean()), float(train[name].std())
        levels = [f"{name}: {level}" for name, own in self.levels_.items() for level in own]
        self.terms_ = [INTERCEPT, *(f"{name} (per SD)" for name in self.numbers_), *levels]
        return self

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """Write a table as numbers: float, shape (rows, terms)."""
        columns = [np.ones(len(table))]
        columns += [(table[name].to_numpy("float64") - mean) / sd for name, (mean, sd) in self.numbers_.items()]
        columns += [(table[name] == level).to_numpy("float64") for name, own in self.levels_.items() for level in own]
        return np.column_stack(columns)


class Fit(NamedTuple):
    """Estimates of a model and their variances, NaN where rows say nothing of a term or separate by it."""

    estimates: np.ndarray
    variances: np.ndarray


def fit_logistic(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit a logistic model by maximum likelihood (Newton's method, or iteratively reweighted least squares).

    Parameters
    ----------
    x : ndarray of float, shape (rows, terms)
        The first column is 1.
    y : ndarray of int, shape (rows,)
        0 or 1.

    Returns
    -------
    Fit
        Log odds ratios and the diagonal of the inverse of Fisher's information. NaN: a column that is constant; an
        estimate that has not come to rest after 25 steps, since one class has no row on one side of it (separation);
        all of them where y has one class.
    """
    estimates = np.full(x.shape[1], np.nan)
    variances = estimates.copy()
    varies = np.ptp(x, axis=0) > 0
    varies[0] = True
    if len(np.unique(y)) < 2:
        return Fit(estimates, variances)
    x = x[:, varies]
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = (x * (p * (1 - p))[:, None]).T @ x
        inverse = np.linalg.pinv(information, hermitian=True)
        step = inverse @ (x.T @ (y - p))
        beta += step
        if np.abs(step).max() < STILL:
            break
    rests = np.abs(step) < STILL
    estimates[varies] = np.where(rests, beta, np.nan)
    variances[varies] = np.where(rests, np.diag(inverse), np.nan)
    return Fit(estimates, variances)


class Combined(NamedTuple):
    """What several synthetic tables say of one term: estimate, variance, degrees of freedom, 95 % interval."""

    estimate: float
    variance: float
    df: float
    low: float
    high: float


def combine(estimates: np.ndarray, variances: np.ndarray, *, ratio: float) -> Combined:
    """Combine estimates of fully synthetic tables (Raghunathan, Reiter and Rubin 2003, J Official Statistics 19:1-16).

    The variance is T = (1 + 1/m) b - u, b the variance between the m estimates, u the mean of their own variances;
    where that is not above 0, it is `ratio` u instead (Reiter 2002, J Official Statistics 18:531-543). Student's t has
    (m - 1) (1 - 1/r)^2 degrees of freedom, r = (1 + 1/m) b / u. Ours: at least 1 of them, since near r = 1 the formula
    makes intervals endless, and the normal distribution for a variance that was put in T's place.

    Parameters
    ----------
    estimates, variances : ndarray of float, shape (tables,)
        Two tables or more.
    ratio : float
        Rows of a synthetic table for each real row that its model learned from.
    """
    m, b, u = len(estimates), estimates.var(ddof=1), variances.mean()
    variance, df = (1 + 1 / m) * b - u, np.inf
    if variance > 0:
        df = max((m - 1) * (1 - u / ((1 + 1 / m) * b)) ** 2, 1)
    else:
        variance = ratio * u
    return _interval(estimates.mean(), variance, df)


def combine_plug_in(estimates: np.ndarray, variances: np.ndarray, *, ratio: float) -> Combined:
    """Combine estimates of synthetic tables whose model was fitted once.

    Raab, Nowok and Dibben (2016), Practical data synthesis for large samples, J Privacy and Confidentiality 7(3). The
    rule above needs models whose parameters are drawn anew for every table. For those that are not ("simple
    synthesis"), the variance is u (`ratio` + 1/m): that of the real rows, which the tables cannot show, and that of
    drawing. Parameters as in `combine`; one table will do.
    """
    return _interval(estimates.mean(), variances.mean() * (ratio + 1 / len(estimates)), np.inf)


def _interval(estimate: float, variance: float, df: float) -> Combined:
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    return Combined(float(estimate), float(variance), float(df), float(estimate - half), float(estimate + half))


def interval_overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Mean share of two intervals that both cover (Karr et al. 2006, The American Statistician 60:224); 0 if apart."""
    common = max(min(first[1], second[1]) - max(first[0], second[0]), 0.0)
    return float(np.mean([common / (end - start) for start, end in (first, second)]))


def inference_scores(table: pd.DataFrame, analysis: Analysis, design: Design, *, name: str) -> Iterator[Score]:
    """Fit the model to one table.

    Yields
    ------
    metric, detail, value
        ``estimate`` and ``variance`` of every term, with the detail ``name|term``, and ``rows`` of the table.
    """
    fit = fit_logistic(design.matrix(table), analysis.outcome.labels(table))
    yield "rows", name, float(len(table))
    for term, estimate, variance in zip(design.terms_, *fit, strict=True):
        yield "estimate", f"{name}|{term}", float(estimate)
        yield "variance", f"{name}|{term}", float(variance)
