"""Train on synthetic rows, test on real ones (TSTR; Esteban, Hyland and Rätsch 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder

Score = tuple[str, str, float]


def xgboost_classifier(seed: int):
    """XGBoost at its factory settings, one thread."""
    from xgboost import XGBClassifier

    return XGBClassifier(tree_method="hist", n_jobs=1, random_state=seed)


def random_forest(seed: int):
    """Random forest of scikit-learn at its factory settings, one thread."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_jobs=1, random_state=seed)


def majority(seed: int):
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

    classifier: Any
    known: np.ndarray
    probability: np.ndarray


CLASSIFIERS: dict[str, Callable] = {"xgboost": xgboost_classifier, "random_forest": random_forest}


def train_and_test(
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: Target,
    encoder: TableEncoder,
    *,
    seed: int,
    classifiers: dict[str, Callable] = CLASSIFIERS,
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

    Yields
    ------
    metric, detail, value
        Accuracy, balanced accuracy, ROC AUC, average precision (each in [0, 1], higher is better; for more than two
        classes one against the rest, classes weighing equally) and Brier score (lower is better; [0, 1] for two
        classes, [0, 2] for more). `detail` is ``classifier:target``.
    """
    predicted = predict(train, test, target, encoder, seed=seed, classifiers=classifiers)
    yield from utility_scores(predicted, test, target)


def predict(
    train: pd.DataFrame,
    test: pd.DataFrame,
    target: Target,
    encoder: TableEncoder,
    *,
    seed: int,
    classifiers: dict[str, Callable] = CLASSIFIERS,
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


def utility_scores(predicted: dict[str, Trained], test: pd.DataFrame, target: Target) -> Iterator[Score]:
    """Score what `predict` returned; see `train_and_test`."""
    y = target.labels(test)
    for name, trained in predicted.items():
        for metric, value in classification_scores(y, trained.probability):
            yield metric, f"{name}:{target.name}", value


def classification_scores(y: np.ndarray, probability: np.ndarray) -> Iterator[tuple[str, float]]:
    """Score class probabilities.

    Parameters
    ----------
    y : ndarray of int, shape (rows,)
    probability : ndarray of float, shape (rows, classes)

    Yields
    ------
    metric, value
    """
    from sklearn import metrics

    labels = np.arange(probability.shape[1])
    predicted = probability.argmax(axis=1)
    yield "accuracy", metrics.accuracy_score(y, predicted)
    # Recall averaged over the classes that the test rows have, also those that are never predicted.
    present = np.unique(y)
    yield "balanced_accuracy", metrics.recall_score(y, predicted, labels=present, average="macro", zero_division=0)
    if len(present) < 2:
        # One class among the test rows: nothing can be ranked.
        yield "roc_auc", float("nan")
        yield "average_precision", float("nan")
    else:
        # Of two classes the positive one; of more, each against the rest, weighing equally.
        ranked = [1] if len(labels) == 2 else present
        yield "roc_auc", float(np.mean([metrics.roc_auc_score(y == k, probability[:, k]) for k in ranked]))
        precisions = [metrics.average_precision_score(y == k, probability[:, k]) for k in ranked]
        yield "average_precision", float(np.mean(precisions))
    squares = ((probability - np.eye(len(labels))[y]) ** 2).sum(axis=1).mean()
    yield "brier_score", float(squares / 2 if len(labels) == 2 else squares)
