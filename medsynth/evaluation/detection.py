"""Can a detector tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.evaluation.feasibility import folds_for
from medsynth.evaluation.references import draw_rows
from medsynth.evaluation.utility import Score, xgboost_classifier
from medsynth.preparation.encoding import TableEncoder


def c2st(
    synthetic: pd.DataFrame,
    real: pd.DataFrame,
    encoder: TableEncoder,
    *,
    seed: int,
    max_rows: int = 10_000,
) -> Iterator[Score]:
    """Classifier two-sample test (Lopez-Paz and Oquab 2017) with an XGBoost detector.

    Parameters
    ----------
    synthetic, real : DataFrame
        Equal numbers of rows are drawn from each, at most `max_rows`.
    encoder : TableEncoder
        Fitted on the real training partition.
    seed : int
        Seed of the rows drawn, the folds and the detector.
    max_rows : int, default 10000

    Yields
    ------
    metric, detail, value
        ``c2st_auc``: ROC AUC of the out-of-fold predictions of a cross-validation (`feasibility.folds_for`); 0.5 means
        that the detector cannot tell. NaN where a side has a row at most.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    n = min(len(synthetic), len(real), max_rows)
    folds = folds_for(n)
    if not folds:
        yield "c2st_auc", "xgboost", float("nan")
        return
    x = pd.concat([encoder.transform(draw_rows(table, n, rng)) for table in (synthetic, real)]).to_numpy()
    y = np.repeat([1, 0], n)
    split = StratifiedKFold(folds, shuffle=True, random_state=seed)
    predicted = cross_val_predict(xgboost_classifier(seed), x, y, cv=split, method="predict_proba", n_jobs=1)
    yield "c2st_auc", "xgboost", roc_auc_score(y, predicted[:, 1])
