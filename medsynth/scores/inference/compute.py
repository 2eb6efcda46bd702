"""Would an analyst of synthetic tables conclude what an analyst of the real rows does? One logistic model a study."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook, Strict
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.errors import InputError
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target

INTERCEPT = "(intercept)"
# Models of proper synthesis, each fitted to a bootstrap resample of the training persons.
REFITS = 5
# Tables of each model, where models learned from several imputations: sampling can be told from imputing.
DRAWS = 2
# Steps after which an estimate that still moves has no end: the rows are separated.
STEPS, STILL = 25, 1e-6
# Share of a column's length that must be left beside the columns before it.
ALIASED = 1e-7


class Analysis(Strict):
    """A logistic model that is fitted to real and to synthetic rows."""

    outcome: Target = Field(description="what is explained, of two classes; a target as under `targets`")
    predictors: list[str] = Field(
        min_length=1,
        description="columns; numeric ones count in standard deviations, categories against the most frequent one",
    )

    coverage: list[str] = Field(
        [], description="generators whose intervals are tested on many samples of the real rows"
    )
    proper: list[str] = Field(
        [],
        description="generators that are also refitted to bootstrap resamples of the training persons (proper "
        "synthesis); tables show them in rows of their own",
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
        The intercept, ``age (per SD)`` for a number, ``sex: male`` for a category.
    """

    def __init__(self, predictors: list[str], least: int = MINIMUM_CELL_SIZE) -> None:
        self.predictors, self.least = predictors, least

    def fit(self, train: pd.DataFrame) -> Self:
        """Learn means and standard deviations, and which categories are frequent enough for a term of their own.

        The most frequent category is the base; categories of fewer than `least` rows are told with it. A predictor that
        cleaning dropped, or that is one value, has no term.
        """
        self.numbers_, self.categories_ = {}, {}
        for name in (name for name in self.predictors if name in train):
            if isinstance(train[name].dtype, pd.CategoricalDtype):
                counts = train[name].value_counts()
                self.categories_[name] = [category for category in counts.index[1:] if counts[category] >= self.least]
            elif train[name].std() > 0:
                self.numbers_[name] = float(train[name].mean()), float(train[name].std())
        categories = [f"{name}: {category}" for name, own in self.categories_.items() for category in own]
        self.terms_ = [INTERCEPT, *(f"{name} (per SD)" for name in self.numbers_), *categories]
        return self

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """Write a table as numbers: float, shape (rows, terms)."""
        columns = [np.ones(len(table))]
        columns += [(table[name].to_numpy("float64") - mean) / sd for name, (mean, sd) in self.numbers_.items()]
        columns += [
            (table[name] == category).to_numpy("float64") for name, own in self.categories_.items() for category in own
        ]
        return np.column_stack(columns)


class Fit(NamedTuple):
    """Estimates of a model and their variances, NaN for terms that are aliased or separate the classes."""

    estimates: np.ndarray
    variances: np.ndarray


def independent_terms(x: np.ndarray) -> np.ndarray:
    """Say which columns are no linear combination of those before them; bool of shape (terms,).

    Of aliased columns the first one stays, as in R's `lm` and `glm`. The diagonal of a QR decomposition's triangle has
    what is left of each column beside those before it; the first one of which hardly anything is left (1e-7 of its
    length) is set aside, until none is.
    """
    # The triangle has the columns' lengths and angles, in few rows.
    triangle = _triangle(x)
    lengths, kept = np.linalg.norm(triangle, axis=0), np.arange(x.shape[1])
    while len(kept):
        diagonal = np.abs(np.diag(_triangle(triangle[:, kept])))
        # Nothing is left of columns beyond the number of rows.
        left = np.pad(diagonal, (0, len(kept) - len(diagonal)))
        aliased = left <= ALIASED * lengths[kept]
        if not aliased.any():
            break
        kept = np.delete(kept, aliased.argmax())
    return np.isin(np.arange(x.shape[1]), kept)


def _triangle(x: np.ndarray) -> np.ndarray:
    """Triangle of a QR decomposition."""
    # numpy's stubs do not know that this mode gives the triangle alone.
    return np.linalg.qr(x, mode="r")  # type: ignore[return-value]


def fit_logistic(x: np.ndarray, y: np.ndarray) -> Fit:
    """Fit a logistic model by maximum likelihood (statsmodels' GLM: iteratively reweighted least squares).

    Parameters
    ----------
    x : ndarray of float, shape (rows, terms)
        The first column is 1. Rows with a missing number are left out, as R's `glm` does.
    y : ndarray of int or bool, shape (rows,)
        0 or 1.

    Returns
    -------
    Fit
        Log odds ratios and the diagonal of the inverse of Fisher's information. NaN where there is none:

        - an aliased term: its column repeats a combination of earlier ones, the constant included
          (`independent_terms`);
        - a term that separates: its estimate still moves after 25 steps, since one class has no row on one side of it;
        - all terms, if `y` has one class, or the terms together tell the classes apart in every row.
    """
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import ModelWarning, PerfectSeparationWarning

    whole = ~np.isnan(x).any(axis=1)
    if not whole.all():
        x, y = x[whole], y[whole]
    estimates = np.full(x.shape[1], np.nan)
    variances = estimates.copy()
    if len(np.unique(y)) < 2:
        return Fit(estimates, variances)
    known = independent_terms(x)
    with warnings.catch_warnings(record=True) as said, np.errstate(over="ignore"):
        warnings.simplefilter("always", ModelWarning)
        fitted = GLM(y, x[:, known], family=Binomial()).fit(maxiter=STEPS, tol=STILL, tol_criterion="params")
    if any(issubclass(one.category, PerfectSeparationWarning) for one in said):
        return Fit(estimates, variances)
    rests = np.abs(np.subtract(*fitted.fit_history["params"][-2:])) <= STILL
    estimates[known] = np.where(rests, fitted.params, np.nan)
    variances[known] = np.where(rests, np.diag(fitted.cov_params()), np.nan)
    return Fit(estimates, variances)


def inference_scores(table: pd.DataFrame, analysis: Analysis, design: Design) -> Iterator[Score]:
    """Fit the model to one table.

    Parameters
    ----------
    table : DataFrame
        Complete.
    analysis : Analysis
    design : Design
        Fitted to real training rows.

    Yields
    ------
    Score
        ``estimate`` and ``variance`` of every term, and ``rows`` of the table. The caller says which `table` it is:
        ``train`` (the real training rows in one imputation), ``held_out``, ``model`` (of a model that learned from one
        imputation) or ``refit`` (of a refit to a bootstrap resample of it).
    """
    fit = fit_logistic(design.matrix(table), analysis.outcome.labels(table))
    yield Score("rows", float(len(table)))
    for term, estimate, variance in zip(design.terms_, *fit, strict=True):
        yield Score("estimate", float(estimate)).of(term=term)
        yield Score("variance", float(variance)).of(term=term)
