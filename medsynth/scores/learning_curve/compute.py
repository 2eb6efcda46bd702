"""What more training rows give: rows of several sizes, and the few scores that are shown against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import Compared
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.fidelity.compute import common_bin_pair_trends, quality
from medsynth.scores.utility.compute import train_and_test, xgboost_classifier

LEARNING_CURVE_METRICS = ("quality", "common_bin_pair_trends", "c2st_auc", "accuracy", "roc_auc")


def nested_rows(n_rows: int, sizes: Sequence[int | str], *, seed: int) -> dict[int, np.ndarray]:
    """Choose random rows of each size, the smaller sets inside the larger ones.

    Nested sets let a curve over sizes show what rows add; another seed gives other sets.

    Parameters
    ----------
    n_rows : int
        Rows that there are.
    sizes : sequence of int or str
        Numbers of rows, and ``"all"``. Those that are larger than `n_rows` are left out.
    seed : int

    Returns
    -------
    dict of ndarray
        Size -> positions of its rows, ascending; sizes ascending.
    """
    order = np.random.default_rng(seed).permutation(n_rows)
    wanted = {n_rows if size == "all" else int(size) for size in sizes}
    return {size: np.sort(order[:size]) for size in sorted(wanted) if size <= n_rows}


def learning_curve_scores(
    compared: Compared,
    target: Target,
    encoder: TableEncoder,
    codebook: Codebook,
    *,
    seed: int,
) -> Iterator[Score]:
    """Score a table as ``scripts/score_table.py`` does, by the metrics that are shown against training rows.

    Parameters
    ----------
    compared : Compared
        What is judged, and the real rows that it is judged against.
    target : Target
        What XGBoost predicts.
    encoder : TableEncoder
        Fitted on the whole training partition, whatever the size.
    codebook : Codebook
    seed : int
        Seed of detector and classifier.

    Yields
    ------
    Score
        Those of `LEARNING_CURVE_METRICS`.
    """
    judged, against, persons = compared.judged, compared.against, compared.against_persons
    found = [
        *train_and_test(
            compared.equal_information, compared.tested, target, encoder, seed=seed,
            classifiers={"xgboost": xgboost_classifier}, weights=compared.tested_persons.weights,
        ),
        *quality(judged, against, codebook, persons),
        *common_bin_pair_trends(judged, against, codebook, persons),
        *c2st(
            judged, against, encoder, seed=seed, persons=persons, detectors={"xgboost": DETECTORS["xgboost"]},
        ),
    ]  # fmt: skip
    scores = {score.metric: score for score in found}
    yield from (scores[metric] for metric in LEARNING_CURVE_METRICS)
