"""Can a detector tell synthetic rows from real ones? The classifier two-sample test (Lopez-Paz and Oquab 2017).

What a detector says depends on more than on the two tables, and each of it is held equal for all tables of a study:

- the number of rows: every table is judged on as many as the upper reference has, and a curve shows fewer;
- persons: the rows of one person are in one fold, or a detector would know its persons again;
- duplicates: equal rows are in one fold, whichever table they are of. A row that is there twice would else be known
  again, too. How many rows are duplicates is a score of its own;
- decimals: generators round as the real table does (`Codebook.conform`).

Detectors cannot tell real rows from real rows either, but by chance: `c2st_null` says by how much.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from medsynth.evaluation.feasibility import folds_for
from medsynth.evaluation.references import draw_positions
from medsynth.evaluation.resampling import Persons, Score, least_variance, weighted_roc_auc
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.partitions import halve_evenly
from medsynth.randomness import derive_seed
from medsynth.scores.utility.compute import Classifier, xgboost_classifier

# Rows a side at which the detector is also asked, below the number of all.
CURVE_ROWS = (100, 300, 1_000, 3_000)
# Real against real: so many halves a seed.
NULL_DRAWS = 6

Detector = Callable[[int, list[int]], Classifier]


def xgboost_detector(seed: int, coded: list[int]) -> Classifier:
    """XGBoost at its factory settings, one thread."""
    return xgboost_classifier(seed)


def logistic_detector(seed: int, coded: list[int]) -> Classifier:
    """Logistic regression of scikit-learn on indicators of categories and standardised numbers."""
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    # It cannot see a gap as trees do: an indicator says so.
    numbers = make_pipeline(SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler())
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), coded), remainder=numbers, sparse_threshold=1.0
    )
    return make_pipeline(columns, LogisticRegression(max_iter=100, tol=1e-3))


DETECTORS: dict[str, Detector] = {"xgboost": xgboost_detector, "logistic_regression": logistic_detector}


def c2st(
    synthetic: pd.DataFrame,
    real: pd.DataFrame,
    encoder: TableEncoder,
    *,
    seed: int,
    persons: Persons | None = None,
    synthetic_persons: Persons | None = None,
    detectors: dict[str, Detector] = DETECTORS,
    curve: Sequence[int] = (),
) -> Iterator[Score]:
    """Judge how well detectors tell two tables apart.

    Parameters
    ----------
    synthetic, real : DataFrame
        Equal numbers of rows are drawn from each.
    encoder : TableEncoder
        Fitted on the real training partition.
    seed : int
        Seed of the rows drawn, the folds and the detectors.
    persons, synthetic_persons : Persons, optional
        Those behind the rows of `real`, and of `synthetic` where they are real, too. Replicates count the rows of
        others once.
    detectors : dict of callable
        Name -> function that makes a classifier from a seed and the positions of coded columns.
    curve : sequence of int
        Numbers of rows a side, fewer than all, at which XGBoost is asked, too.

    Yields
    ------
    Score
        ``c2st_auc``: ROC AUC of the out-of-fold predictions, 0.5 means that the detector (the score's
        model) cannot tell; NaN where a table has fewer than two rows. ``c2st_auc_by_rows``: the same for the first
        detector by rows a side, among them all. ``duplicates``: share of the rows of `synthetic` that equal an earlier
        one of it.
    """
    rng = np.random.default_rng(seed)
    n = min(len(synthetic), len(real))
    chosen = [draw_positions(len(table), n, rng) for table in (synthetic, real)]
    x = _encoded(synthetic, real, chosen, encoder)
    same = _same_rows(x)
    sides = [
        None if side is None else side.take(rows)
        for side, rows in zip((synthetic_persons, persons), chosen, strict=True)
    ]
    groups, every = _groups(same, sides), _weights(sides, n)
    coded = [i for i, name in enumerate(encoder.columns_) if name in encoder.categories_]
    y = np.repeat([1, 0], n)
    for i, (name, make) in enumerate(detectors.items()):
        predicted = _out_of_fold(make(seed, coded), x, y, groups, seed)
        score = _auc("c2st_auc", predicted, y, every, n).of(model=name)
        yield score
        if i:
            continue
        yield score._replace(metric="c2st_auc_by_rows").of(rows=n)
        for fewer in (rows for rows in curve if rows < n):
            part = np.concatenate([start + draw_positions(n, fewer, rng) for start in (0, n)])
            predicted = _out_of_fold(make(seed, coded), x[part], y[part], groups[part], seed)
            by_rows = _auc("c2st_auc_by_rows", predicted, y[part], every[:, part], fewer)
            yield by_rows.of(model=name, rows=fewer)
    yield Score("duplicates", float(pd.Series(same[:n]).duplicated().mean()) if n else np.nan)


def c2st_null(
    test: pd.DataFrame,
    persons: Persons,
    encoder: TableEncoder,
    *,
    rows: int,
    seed: int,
    draws: int = NULL_DRAWS,
    detectors: dict[str, Detector] = DETECTORS,
) -> Iterator[Score]:
    """Judge real rows against real rows, again and again: what detectors say where there is nothing to tell.

    Parameters
    ----------
    test : DataFrame
        The test partition.
    persons : Persons
        Of `test`.
    encoder : TableEncoder
    rows : int
        Rows a side, as many as every table is judged on.
    seed : int
        Of the halves.
    draws : int
        Halves of the persons that are drawn.

    Yields
    ------
    Score
        ``c2st_null``, one for each draw and detector.
    """
    for i in range(draws):
        own = derive_seed(seed, "null", i)
        rng = np.random.default_rng(own)
        halves = [half[draw_positions(len(half), rows, rng)] for half in halve_evenly(persons.person, rng)]
        first, second = (test.iloc[half].reset_index(drop=True) for half in halves)
        of_first, of_second = map(persons.take, halves)
        found = c2st(
            first, second, encoder, seed=own, detectors=detectors, persons=of_second, synthetic_persons=of_first
        )
        for score in found:
            if score.metric == "c2st_auc":
                yield Score("c2st_null", score.value, about=score.about).of(draw=i)


def _encoded(
    synthetic: pd.DataFrame, real: pd.DataFrame, chosen: list[np.ndarray], encoder: TableEncoder
) -> np.ndarray:
    """Both tables as numbers, the synthetic rows first: float32 (2 n, columns)."""
    tables = zip((synthetic, real), chosen, strict=True)
    return np.concatenate([encoder.transform(table.iloc[rows]).to_numpy() for table, rows in tables])


def _same_rows(x: np.ndarray) -> np.ndarray:
    """Number the distinct rows, in which a gap equals a gap: int, shape (rows,)."""
    return np.unique(np.where(np.isnan(x), np.finfo("float32").min, x), axis=0, return_inverse=True)[1].reshape(-1)


def _groups(same: np.ndarray, sides: list[Persons | None]) -> np.ndarray:
    """Number the groups that stay in one fold: rows that are equal or of one person, directly or by a chain of such."""
    n = len(same) // 2
    own = [np.arange(n) if side is None else side.person for side in sides]
    # Persons of the two tables are others.
    numbers = np.concatenate([pd.factorize(own[0])[0], pd.factorize(own[1])[0] + n])
    if len(np.unique(numbers)) == len(numbers):
        return same
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(same)), (numbers, 2 * n + same)), shape=(4 * n, 4 * n))
    return connected_components(links, directed=False)[1][numbers]


def _weights(sides: list[Persons | None], n: int) -> np.ndarray:
    """Weights of both tables' rows, those of every row once first: (1 + replicates, 2 n)."""
    replicates = max((len(side.weights) for side in sides if side), default=0)
    both = [side.weights if side else np.ones((replicates, n), dtype="float32") for side in sides]
    return np.vstack([np.ones((1, 2 * n), dtype="float32"), np.hstack(both)])


def _auc(metric: str, predicted: np.ndarray, y: np.ndarray, every: np.ndarray, n: int) -> Score:
    if np.isnan(predicted).any():
        return Score(metric, np.nan)
    found = weighted_roc_auc(predicted, y == 1, every)
    return Score(metric, float(found[0]), found[1:] if len(found) > 1 else None, least_variance(n))


def _out_of_fold(detector: Classifier, x: np.ndarray, y: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Probability of being synthetic, said of each row by a detector that saw none of its group; NaN without folds."""
    folds = min(folds_for(np.bincount(y, minlength=2).min()), len(np.unique(groups)))
    predicted = np.full(len(y), np.nan)
    if folds < 2:
        return predicted
    with warnings.catch_warnings():
        # A logistic regression that separates the tables does not come to rest, and need not.
        warnings.simplefilter("ignore")
        for held in _folds(y, groups, folds, seed):
            others = np.setdiff1d(np.arange(len(y)), held)
            if len(np.unique(y[others])) < 2:
                return np.full(len(y), np.nan)
            predicted[held] = detector.fit(x[others], y[others]).predict_proba(x[held])[:, 1]
    return predicted


def _folds(y: np.ndarray, groups: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Positions of each fold's rows, both tables alike, every group in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    alone = np.bincount(groups)[groups] == 1
    found = [np.empty(0, dtype=int)] * folds
    # Groups of one row, nearly all as a rule, need no search for a fold.
    for rows, split in ((np.flatnonzero(alone), StratifiedKFold), (np.flatnonzero(~alone), StratifiedGroupKFold)):
        if not len(rows):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own = min(folds, len(np.unique(groups[rows])))
            if own < 2 or (split is StratifiedKFold and np.bincount(y[rows], minlength=2).max() < own):
                parts = [rows]
            else:
                shuffled = split(own, shuffle=True, random_state=seed)
                parts = [rows[held] for _, held in shuffled.split(rows, y[rows], groups[rows])]
        # Where both kinds are few, the rows of one kind must not all join the first folds.
        order = np.argsort([len(part) for part in found], kind="stable")
        for place, part in zip(order, parts, strict=False):
            found[place] = np.sort(np.concatenate([found[place], part]))
    return [part for part in found if len(part)]
