"""What more training rows give: rows of several sizes, and the few scores that are drawn against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import Compared
from medsynth.evaluation.detection import c2st
from medsynth.evaluation.fidelity import common_bin_pair_trends, quality
from medsynth.evaluation.targets import Target
from medsynth.evaluation.utility import Score, train_and_test, xgboost_classifier
from medsynth.preparation.encoding import TableEncoder

SIZE_METRICS = ("quality", "common_bin_pair_trends", "c2st_auc", "accuracy", "roc_auc")


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


def size_scores(
    table: pd.DataFrame,
    real: pd.DataFrame,
    compared: Compared,
    target: Target,
    encoder: TableEncoder,
    codebook: Codebook,
    *,
    seed: int,
    fidelity_rows: int,
) -> Iterator[tuple[str, float]]:
    """Score a table as ``scripts/score_table.py`` does, by the metrics that are drawn against training rows.

    Parameters
    ----------
    table, real : DataFrame
        What is judged, and the test partition.
    compared : Compared
        Rows of both.
    target : Target
        What XGBoost predicts.
    encoder : TableEncoder
        Fitted on the whole training partition, whatever the size.
    codebook : Codebook
    seed : int
        Seed of detector and classifier.
    fidelity_rows : int
        Most rows a side that the detector gets.

    Yields
    ------
    metric, value
        Those of `SIZE_METRICS`.
    """
    found: list[Score] = [
        *train_and_test(
            compared.trained, compared.tested, target, encoder, seed=seed, classifiers={"xgboost": xgboost_classifier}
        ),
        *quality(compared.judged, compared.against, codebook),
        *common_bin_pair_trends(compared.judged, compared.against, codebook),
        *c2st(table, real, encoder, seed=seed, max_rows=fidelity_rows),
    ]
    values = {metric: value for metric, _, value in found}
    yield from ((metric, values[metric]) for metric in SIZE_METRICS)
