"""What a classifier looks at: SHAP values of random forests trained on real and on synthetic rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from medsynth.disclosure import MINIMUM_CELL_SIZE, pools
from medsynth.evaluation.resampling import Persons, Score, weighted_mean
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.utility.compute import Trained, predict, random_forest


@dataclass(frozen=True)
class Explanation:
    """SHAP values of one classifier.

    Attributes
    ----------
    target : str
    predictors, classes : list of str
    values : ndarray of float, shape (rows, predictors, classes)
        What each predictor adds to the probability of each class, in units of probability.
    positions : ndarray of float, shape (rows, predictors)
        Where each row's value lies among the predictor's: that of its category among the categories, that of its
        number's rank among the ranks; in [0, 1], NaN for a category that training rows never show.
    coded : list of bool, of each predictor
        Whether its positions are those of categories.
    shown : str
        The class whose values a figure shows: the gravest outcome, of two classes the positive one.
    """

    target: str
    predictors: list[str]
    classes: list[str]
    values: np.ndarray
    positions: np.ndarray
    coded: list[bool]
    shown: str

    def scores(self, persons: Persons | None = None) -> Iterator[Score]:
        """Yield the score of each predictor, which is the score's column.

        ``mean_abs_shap`` is the mean over rows of half the sum over classes of \\|SHAP\\|: the probability that the
        predictor moves from some classes to others. Of two classes, that is \\|SHAP\\| of the positive one. `persons`
        are those of the explained rows.
        """
        moved = np.abs(self.values).sum(axis=2) / 2
        for i, predictor in enumerate(self.predictors):
            replicates = weighted_mean(moved[:, i], persons.weights) if persons else None
            score = Score("mean_abs_shap", float(moved[:, i].mean()), replicates)
            yield score.of(target=self.target, column=predictor)

    def plot_data(self, least: int = MINIMUM_CELL_SIZE) -> dict:
        """Make what a figure needs, as plain values of three decimals.

        Every predictor's points are sorted on their own, by the SHAP value of the class shown. A beeswarm needs no
        more, and no patient can be put together again from what lies side by side. Neighbouring positions are one
        (their mean) where fewer than `least` rows have them, so that no point's colour reveals a rare category or
        value.

        Returns
        -------
        dict
            ``classes``, ``shown`` and, per predictor, ``shap`` (a list of points for each class) and ``position`` (a
            list of points; None for a category that training rows never show).
        """
        shown = self.classes.index(self.shown)
        predictors = {}
        for i, name in enumerate(self.predictors):
            order = np.lexsort([self.positions[:, i], self.values[:, i, shown]])
            position = _rounded(_pooled(self.positions[:, i], self.coded[i], least)[order])
            predictors[name] = {"shap": [_rounded(values) for values in self.values[order, i].T], "position": position}
        return {"classes": self.classes, "shown": self.shown, "predictors": predictors}


def explain(
    train: pd.DataFrame,
    explained: pd.DataFrame,
    target: Target,
    encoder: TableEncoder,
    *,
    seed: int,
    trained: Trained | None = None,
) -> Explanation:
    """Explain what a random forest that was trained on one table says of the rows of another.

    The forest is that of the utility scores, factory settings and all. TreeSHAP (Lundberg et al. 2020, From local
    explanations to global understanding with explainable AI for trees, Nature Machine Intelligence 2:56-67) is exact
    for it; which rows reach which branch it takes from the forest's own training rows ("tree path dependent"), so that
    no background rows have to be chosen.

    Parameters
    ----------
    train : DataFrame
        Clean table, real or synthetic.
    explained : DataFrame
        Held-out real rows; the same for all forests that are compared.
    target : Target
        What it is made of is no predictor.
    encoder : TableEncoder
        Fitted on the real training partition.
    seed : int
        Seed of the forest.
    trained : Trained, optional
        The forest, where `predict` has made it from the same rows already.

    Returns
    -------
    Explanation
        A class that `train` lacks has no influence: zeros. A table with one class alone teaches nothing: all zeros.
    """
    predictors, classes = target.predictors(explained), target.classes(explained)
    x_explained = encoder.transform(explained)[predictors].to_numpy()
    if trained is None:
        forest_alone = {"forest": random_forest}
        trained = predict(train, explained, target, encoder, seed=seed, classifiers=forest_alone)["forest"]
    values = np.zeros((*x_explained.shape, len(classes)))
    if len(trained.known) > 1:
        # Here alone: it takes seconds to import and few tables need it.
        import shap

        # The check would compare with probabilities that the forest makes of 32-bit numbers; a test of ours does.
        explainer = shap.TreeExplainer(trained.classifier)
        values[:, :, trained.known] = explainer.shap_values(x_explained, check_additivity=False)
    positions = np.column_stack([_positions(x_explained[:, i], encoder, name) for i, name in enumerate(predictors)])
    shown = target.outcomes[0].label if target.outcomes else classes[-1]
    coded = [name in encoder.categories_ for name in predictors]
    return Explanation(target.name, predictors, classes, values, positions, coded, shown)


def _positions(encoded: np.ndarray, encoder: TableEncoder, name: str) -> np.ndarray:
    """Positions of categories in their order, of numbers among the rows' ranks: float in [0, 1], shape (rows,)."""
    if name in encoder.categories_:
        last = max(len(encoder.categories_[name]) - 1, 1)
        return np.where(encoded < 0, np.nan, encoded / last)
    ranks = pd.Series(encoded).rank().to_numpy() - 1
    return ranks / max(len(ranks) - 1, 1)


def _pooled(positions: np.ndarray, coded: bool, least: int) -> np.ndarray:
    """Make neighbouring positions one that fewer than `least` rows have; a category never shown counts as the first.

    The one is the mean of the categories, or of the rows' ranks. The mean category of the rows would tell how many rows
    have which, and so would the mean rank of the values.
    """
    unseen = np.isnan(positions)
    if unseen.sum() < least:
        positions, unseen = np.where(unseen, 0, positions), np.zeros_like(unseen)
    values, inverse, counts = np.unique(positions[~unseen], return_inverse=True, return_counts=True)
    pool = np.searchsorted(pools(counts, least), np.arange(len(values)), side="right")
    weights = np.ones_like(counts) if coded else counts
    means = np.bincount(pool, weights=values * weights) / np.maximum(np.bincount(pool, weights=weights), 1)
    pooled = np.full(len(positions), np.nan)
    pooled[~unseen] = means[pool][inverse]
    return pooled


def _rounded(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 3) for value in values]
