"""What more training rows give: rows of several sizes, and the few scores that are shown against them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import Compared
from medsynth.evaluation.resampling import Score, person_weights
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.partitions import halve
from medsynth.randomness import derive_seed
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.fidelity.compute import common_bin_pair_trends, quality
from medsynth.scores.privacy.copies import copies
from medsynth.scores.privacy.membership import judge, trees
from medsynth.scores.utility.compute import train_and_test, xgboost_classifier

LEARNING_CURVE_METRICS = ("quality", "common_bin_pair_trends", "c2st_auc", "accuracy", "roc_auc")


class AskedAbout(NamedTuple):
    """Real rows that an attacker is asked about or has, and the persons behind them.

    Attributes
    ----------
    members, nonmembers : DataFrame
        Training rows of the size that is scored, and held-out ones, as many.
    reference : DataFrame
        The attacker's own rows, of other held-out persons.
    person : ndarray, shape (members + nonmembers,)
        Whose rows they are; any values.
    """

    members: pd.DataFrame
    nonmembers: pd.DataFrame
    reference: pd.DataFrame
    person: np.ndarray


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


def draw_asked(
    learned: pd.DataFrame, learned_person: np.ndarray, test: pd.DataFrame, test_person: np.ndarray, *, seed: int
) -> AskedAbout:
    """Draw whom an attack on a table of some size is asked about.

    Parameters
    ----------
    learned : DataFrame
        Training rows of that size.
    learned_person : ndarray, shape (training rows,)
    test : DataFrame
        Held-out rows, halved by person: one half is asked about, the other is the attacker's.
    test_person : ndarray, shape (test rows,)
    seed : int
        The same for all generators: they are asked about the same persons.
    """
    asked, own = halve(test_person, seed=seed)
    rng = np.random.default_rng(seed)
    rows = min(len(learned), len(asked))
    members, others = (np.sort(rng.permutation(part)[:rows]) for part in (np.arange(len(learned)), asked))

    def take(table: pd.DataFrame, part: np.ndarray) -> pd.DataFrame:
        return table.iloc[part].reset_index(drop=True)

    person = np.concatenate([learned_person[members], test_person[others]])
    return AskedAbout(take(learned, members), take(test, others), take(test, own), person)


def memory_scores(released: pd.DataFrame, asked: AskedAbout, codebook: Codebook, *, seed: int) -> Iterator[Score]:
    """Score what a table tells of the rows that its generator learned from.

    By one attack, as shadow models of every size would take hours; `medsynth.scores.privacy.audit` has them all.

    Parameters
    ----------
    released : DataFrame
        The synthetic table.
    asked : AskedAbout
    codebook : Codebook
    seed : int
        Of the trees and the replicates of persons.

    Yields
    ------
    Score
        ``membership_auc`` (see `medsynth.scores.privacy.membership.trees`) and ``dcr_share`` (see
        `medsynth.scores.privacy.copies.copies`); 0.5: nothing is told.
    """
    members, nonmembers, reference, person = asked
    weights = person_weights(person, seed=derive_seed(seed, "persons"))
    member = np.repeat([True, False], [len(members), len(nonmembers)])
    signs = trees(pd.concat([members, nonmembers], ignore_index=True), released, reference, codebook, seed)
    # The first is the AUC of everyone; nobody is looked at as an outlier.
    yield next(judge(signs, member, np.zeros(len(member), dtype=bool), trees.__name__, weights=weights))
    yield next(s for s in copies(released, members, nonmembers, codebook, weights) if s.metric == "dcr_share")
