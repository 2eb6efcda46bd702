"""Train on synthetic rows, test on real ones, where a number is predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol, Self

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.evaluation.resampling import Score, weighted_mean
from medsynth.evaluation.targets import Predicted
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.inference.compute import Design


class RegressionTarget(Predicted):
    """A numeric column whose value is predicted; it is never a predictor."""

    column: str = Field(description="numeric column")
    log: bool = Field(False, description="predict and score log(1 + value), as of costs; what is below 0 counts as 0")

    @property
    def made_of(self) -> list[str]:
        """See `Predicted.made_of`."""
        return [self.column]

    def check(self, codebook: Codebook) -> None:
        """Check that the columns exist and the target is numeric; `InputError` says what does not fit."""
        super().check(codebook)
        self.check_numeric(codebook, self.column)

    def values(self, table: pd.DataFrame) -> np.ndarray:
        """What is predicted: float64, shape (rows,)."""
        values = table[self.column].to_numpy("float64")
        return np.log1p(np.maximum(values, 0.0)) if self.log else values

    def lacks(self, table: pd.DataFrame) -> tuple[str, str] | None:
        """See `Predicted.lacks`."""
        return None if len(np.unique(self.values(table))) > 1 else ("one value only", f"in all {len(table):,} rows")

    def varies_widely(self, test: pd.DataFrame, least: int) -> str:
        """See `Predicted.varies_widely`."""
        return "the test partition has" if len(test) < least else ""


class Regressor(Protocol):
    """What is used of scikit-learn's interface."""

    def fit(self, x: np.ndarray, y: np.ndarray, /) -> Self:
        """Learn numbers, shape (rows,), from numbers, shape (rows, columns)."""

    def predict(self, x: np.ndarray, /) -> np.ndarray:
        """Say what is expected: shape (rows,)."""


def xgboost_regressor(seed: int) -> Regressor:
    """XGBoost at its factory settings, one thread."""
    from xgboost import XGBRegressor

    return XGBRegressor(tree_method="hist", n_jobs=1, random_state=seed)


def ridge(seed: int) -> Regressor:
    """Linear model of scikit-learn with its factory penalty: terms that repeat each other have an estimate, too."""
    from sklearn.linear_model import Ridge

    return Ridge()


def mean(seed: int) -> Regressor:
    """Always the mean of the training rows."""
    from sklearn.dummy import DummyRegressor

    return DummyRegressor()


REGRESSORS: dict[str, Callable[[int], Regressor]] = {"xgboost": xgboost_regressor, "linear": ridge}


def train_and_test(
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: RegressionTarget,
    encoder: TableEncoder,
    design: Design,
    *,
    seed: int,
    regressors: Mapping[str, Callable[[int], Regressor]] = REGRESSORS,
    weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """Train regression models on one table and test them on another.

    Parameters
    ----------
    train, test : DataFrame
        Clean tables; `train` may be synthetic, `test` is real.
    target : RegressionTarget
    encoder : TableEncoder
        Fitted on the real training partition; makes what trees learn from.
    design : Design
        The same of the linear model; see `design_of`.
    seed : int
        Seed of the models.
    regressors : dict of callable
        Name -> function that makes a model from a seed.
    weights : ndarray, shape (replicates, test rows), optional
        Of the persons of `test`; see `medsynth.evaluation.resampling`.

    Yields
    ------
    Score
        Those of `regression_scores`, of the target and every model.
    """
    predictors = target.predictors(test)
    for name, make in regressors.items():
        if name == "linear":
            x_train, x_test = (design.matrix(table)[:, 1:] for table in (train, test))
        else:
            x_train, x_test = (encoder.transform(table)[predictors].to_numpy() for table in (train, test))
        predicted = make(seed).fit(x_train, target.values(train)).predict(x_test)
        for score in regression_scores(target.values(test), predicted, weights):
            yield score.of(target=target.name, model=name)


def design_of(target: Predicted, train: pd.DataFrame, least: int = MINIMUM_CELL_SIZE) -> Design:
    """Terms of a linear model of all predictors of a target, learned from real training rows."""
    return Design(target.predictors(train), least).fit(train)


def regression_scores(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> Iterator[Score]:
    """Score predictions of a number.

    Parameters
    ----------
    y, predicted : ndarray of float, shape (rows,)
    weights : ndarray, shape (replicates, rows), optional
        Replicates are the scores under these weights.

    Yields
    ------
    Score
        ``r2`` (share of the variance of `y` that is explained; 1 is best, 0 is its mean, worse is negative), ``rmse``
        and ``mae`` (in units of `y`; lower is better). R2 is NaN where `y` is one value.
    """
    # The first row of weights counts every row once: the score itself.
    once = np.ones((1, len(y)), dtype="float32")
    every = once if weights is None else np.vstack([once, weights])
    error = np.asarray(predicted, dtype="float64") - y
    squares = weighted_mean(error**2, every)
    # Around the middle of all rows, so that nothing is lost where numbers are large and vary little.
    centred = y - y.mean()
    variance = weighted_mean(centred**2, every) - weighted_mean(centred, every) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "r2": np.where(variance > 0, 1 - squares / variance, np.nan),
            "rmse": np.sqrt(squares),
            "mae": weighted_mean(np.abs(error), every),
        }
    for metric, values in found.items():
        yield Score(metric, float(values[0]), None if weights is None else values[1:])
