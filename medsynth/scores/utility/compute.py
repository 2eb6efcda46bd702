"""Train on synthetic rows, test on real ones (TSTR; Esteban, Hyland and Rätsch 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol, Self

import numpy as np
import pandas as pd

from medsynth.evaluation.resampling import (
    Score,
    least_variance,
    weighted_average_precision,
    weighted_mean,
    weighted_roc_auc,
)
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.utility.calibration import calibration_slope


class Classifier(Protocol):
    """What is used of scikit-learn's interface."""

    def fit(self, x: np.ndarray, y: np.ndarray, /) -> Self:
        """Learn labels from 0 on, shape (rows,), from numbers, shape (rows, columns)."""

    def predict_proba(self, x: np.ndarray, /) -> np.ndarray:
        """Say how probable each class is: shape (rows, classes)."""


def xgboost_classifier(seed: int) -> Classifier:
    """XGBoost at its factory settings, one thread."""
    from xgboost import XGBClassifier

    return XGBClassifier(tree_method="hist", n_jobs=1, random_state=seed)


def random_forest(seed: int) -> Classifier:
    """Random forest of scikit-learn at its factory settings, one thread."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_jobs=1, random_state=seed)


def majority(seed: int) -> Classifier:
    """Always the most frequent class; probabilities are the class shares."""
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


class Trained(NamedTuple):
    """A classifier, and what it says of test rows.

    Attributes
    ----------
    classifier : object
        scikit-learn's interface; its classes are positions in `known`.
    known : ndarray of int
        Classes that its training rows have.
    probability : ndarray of float, shape (test rows, classes)
    """

    classifier: Classifier
    known: np.ndarray
    probability: np.ndarray


CLASSIFIERS: dict[str, Callable[[int], Classifier]] = {"xgboost": xgboost_classifier, "random_forest": random_forest}


def train_and_test(
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: Target,
    encoder: TableEncoder,
    *,
    seed: int,
    classifiers: Mapping[str, Callable[[int], Classifier]] = CLASSIFIERS,
    weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """Train classifiers on one table and test them on another.

    Parameters
    ----------
    train, test : DataFrame
        Clean tables; `train` may be synthetic, `test` is real.
    target : Target
    encoder : TableEncoder
        Fitted on the real training partition.
    seed : int
        Seed of the classifiers.
    classifiers : dict of callable
        Name -> function that makes a classifier from a seed.
    weights : ndarray, shape (replicates, test rows), optional
        Of the persons of `test`; see `medsynth.evaluation.resampling`.

    Yields
    ------
    Score
        Accuracy, balanced accuracy, ROC AUC, average precision (each in [0, 1], higher is better), Brier
        score (lower is better; in [0, 1] for two classes, [0, 2] for more) and calibration slope (1 is ideal). For more
        than two classes ROC AUC, average precision and slope are of one against the rest, classes weighing equally.
        Of every target and model.
    """
    predicted = predict(train, test, target, encoder, seed=seed, classifiers=classifiers)
    yield from utility_scores(predicted, test, target, weights)


def predict(
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: Target,
    encoder: TableEncoder,
    *,
    seed: int,
    classifiers: Mapping[str, Callable[[int], Classifier]] = CLASSIFIERS,
) -> dict[str, Trained]:
    """Train classifiers on one table and let them say how probable each class is in the rows of another.

    Parameters are those of `train_and_test`.

    Returns
    -------
    dict of Trained
        By name of the classifier.
    """
    predictors = target.predictors(test)
    x_train, x_test = (encoder.transform(table)[predictors].to_numpy() for table in (train, test))
    y_train = target.labels(train)
    found = {}
    for name, make in classifiers.items():
        # A generator that forgets a class is scored for it: its classifier can never name that class.
        known, contiguous = np.unique(y_train, return_inverse=True)
        classifier = (make if len(known) > 1 else majority)(seed).fit(x_train, contiguous)
        probability = np.zeros((len(test), len(target.classes(test))))
        probability[:, known] = classifier.predict_proba(x_test)
        found[name] = Trained(classifier, known, probability)
    return found


def utility_scores(
    predicted: dict[str, Trained], test: pd.DataFrame, target: Target, weights: np.ndarray | None = None
) -> Iterator[Score]:
    """Score what `predict` returned; see `train_and_test`."""
    y = target.labels(test)
    for name, trained in predicted.items():
        for score in classification_scores(y, trained.probability, weights):
            yield score.of(target=target.name, model=name)
        value, replicates = calibration_slope(y, trained.probability, weights)
        yield Score("calibration_slope", value, replicates).of(target=target.name, model=name)


def classification_scores(y: np.ndarray, probability: np.ndarray, weights: np.ndarray | None = None) -> Iterator[Score]:
    """Score class probabilities.

    Parameters
    ----------
    y : ndarray of int, shape (rows,)
    probability : ndarray of float, shape (rows, classes)
    weights : ndarray, shape (replicates, rows), optional
        Replicates are the scores under these weights.

    Yields
    ------
    Score
        See `train_and_test`.
    """
    # The first row of weights counts every row once: the score itself.
    once = np.ones((1, len(y)), dtype="float32")
    every = once if weights is None else np.vstack([once, weights])
    right = probability.argmax(axis=1) == y
    # Recall is averaged over the classes that the test rows have, also those that are never predicted.
    present, counts = np.unique(y, return_counts=True)
    squares = ((probability - np.eye(probability.shape[1])[y]) ** 2).sum(axis=1)
    squares = squares / 2 if probability.shape[1] == 2 else squares
    # Of two classes the positive one is ranked; of more, each against the rest, weighing equally.
    ranked = [1] if probability.shape[1] == 2 else present
    if len(present) < 2:
        # One class among the test rows: nothing can be ranked.
        ranked = []
    recalls = [weighted_mean(right[y == k], every[:, y == k]) for k in present]
    found = {
        "accuracy": weighted_mean(right, every),
        "balanced_accuracy": _mean(recalls, len(every)),
        "roc_auc": _mean([weighted_roc_auc(probability[:, k], y == k, every) for k in ranked], len(every)),
        "average_precision": _mean(
            [weighted_average_precision(probability[:, k], y == k, every) for k in ranked], len(every)
        ),
        "brier_score": weighted_mean(squares, every),
    }
    least = {name: least_variance(counts.min() if name == "roc_auc" else len(y)) for name in found}
    for name, values in found.items():
        yield Score(name, float(values[0]), None if weights is None else values[1:], least[name])


def _mean(parts: list[np.ndarray], n: int) -> np.ndarray:
    """Mean over classes of the values of each replicate, leaving out classes without weight; NaN without classes."""
    if not parts:
        return np.full(n, np.nan)
    known = ~np.isnan(parts)
    with np.errstate(invalid="ignore"):
        return np.nansum(parts, axis=0) / known.sum(axis=0)
