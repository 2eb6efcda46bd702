"""Replicates over persons: the same persons for every score, and the scores that scikit-learn gives."""

import numpy as np
import pytest
from sklearn import metrics

from medsynth.evaluation.resampling import (
    REPLICATES,
    Persons,
    Score,
    linear_replicates,
    person_weights,
    share_score,
    weighted_average_precision,
    weighted_mean,
    weighted_roc_auc,
    weighted_true_positives,
    with_training_persons,
)


def ranked_rows(seed, rows=60):
    """Scores with ties, and classes that they tell about."""
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    return np.round(rng.normal(size=rows) + positive, 1), positive


def test_all_rows_of_a_person_have_the_same_weight():
    person = np.array([7, 7, 3, 3, 3, 9])
    weights = person_weights(person, seed=1)
    assert weights.shape == (REPLICATES, 6)
    assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 2] == weights[:, 4]).all()
    assert (weights[:, [0, 2, 5]].sum(axis=1) == 3).all()


def test_the_seed_alone_decides_the_weights():
    person = np.arange(20)
    assert (person_weights(person, seed=1) == person_weights(person, seed=1)).all()
    assert (person_weights(person, seed=1) != person_weights(person, seed=2)).any()


@pytest.mark.parametrize("seed", [1, 2])
def test_weighted_scores_are_those_of_rows_that_are_repeated(seed):
    score, positive = ranked_rows(seed)
    weights = person_weights(np.arange(60), seed=seed + 100)[:5]
    for i, weight in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(60), weight)
        expected = metrics.roc_auc_score(positive[rows], score[rows])
        assert weighted_roc_auc(score, positive, weights)[i] == pytest.approx(expected)
        expected = metrics.average_precision_score(positive[rows], score[rows])
        assert weighted_average_precision(score, positive, weights)[i] == pytest.approx(expected)
        false, true, _ = metrics.roc_curve(positive[rows], score[rows], drop_intermediate=False)
        found = weighted_true_positives(score, positive, weights, [0.01, 0.1])[:, i]
        assert found == pytest.approx(np.interp([0.01, 0.1], false, true))


def test_a_class_without_weight_has_no_area():
    weights = np.array([[1.0, 1.0, 0.0]])
    assert np.isnan(weighted_roc_auc(np.arange(3.0), np.array([False, False, True]), weights)).all()


def test_linear_replicates_of_a_mean_are_the_weighted_means():
    values = np.random.default_rng(1).normal(size=40)
    weights = person_weights(np.arange(40), seed=1)
    assert linear_replicates(values.mean(), values, weights) == pytest.approx(weighted_mean(values, weights))


def test_a_share_of_one_is_not_certain():
    assert share_score("success", 1.0, 100, seed=1).variance == pytest.approx(1e-4)


def test_a_score_says_what_it_is_about():
    score = Score("accuracy", 0.8).of(target="death").of(model="xgboost")
    assert (score.about.target, score.about.model, score.about.column) == ("death", "xgboost", "")


def test_a_score_about_something_else_is_refused():
    with pytest.raises(ValueError, match="classifier"):
        Score("accuracy", 0.8).of(classifier="xgboost")


def test_halves_of_the_training_persons_give_the_variance_over_training_sets():
    """For a mean, half of the squared distance between two halves is the variance of the mean."""
    rng = np.random.default_rng(3)
    variances = []
    for seed in range(300):
        rows = rng.normal(size=80)
        whole = [Score("mean", rows.mean(), np.full(REPLICATES, rows.mean()))]
        (found,) = with_training_persons(
            whole, lambda chosen, rows=rows: [Score("mean", rows[chosen].mean())], np.arange(80), seed=seed
        )
        variances.append(found.variance)
    assert np.mean(variances) == pytest.approx(1 / 80, rel=0.2)


def test_halves_without_a_person_say_nothing():
    one = Persons.draw(np.zeros(3, dtype=int), seed=1)
    assert (one.half_sample(0.5, lambda rows: rows.size / rows.size) == 0.5).all()
    two = Persons.draw(np.array([1, 1, 2]), seed=1)
    assert np.ptp(two.half_sample(0.5, lambda rows: rows.mean())) > 0
