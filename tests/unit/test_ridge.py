"""Regressions whose predictions are further predictors of a forest's trees."""

import numpy as np
import pandas as pd
import pytest
from sklearn import linear_model
from sklearn.metrics import roc_auc_score

from medsynth.codebook import Column
from medsynth.generators import Forest
from medsynth.generators.ridge import FOLDS, GAP, PENALTIES, RESOLUTION, LinearScores, Ridge

ROWS = 600


@pytest.fixture
def values():
    """Two numbers, one with gaps, that decide a third; a coded column; one that nothing decides."""
    rng = np.random.default_rng(1)
    age, dose, group = rng.normal(size=ROWS), rng.gamma(2, size=ROWS), rng.integers(0, 4, ROWS)
    dose[rng.random(ROWS) < 0.2] = GAP
    risk = age + np.where(dose > GAP, dose, 3) + (group == 2) + rng.normal(size=ROWS)
    return {"age": age, "dose": dose, "group": group, "risk": risk, "luck": rng.normal(size=ROWS)}


SIZES = {"age": 0, "dose": 0, "group": 4, "risk": 0, "luck": 0}


def learned(values):
    ridge = Ridge(values, SIZES, seed=2)
    return ridge, *LinearScores.learn(ridge, list(values))


def test_training_rows_are_predicted_as_by_a_ridge_regression_that_has_not_seen_them(values):
    ridge, scores, folds = learned(values)
    before = ["age", "dose", "group"]
    x, y = (
        np.concatenate([ridge.described[name].features[ridge.levels[name]] for name in names], axis=1)
        for names in (before, ["risk"])
    )
    found = scores.of_training_rows(ridge, before, folds["risk"])[:, 0]
    theirs = {}
    for penalty in PENALTIES:
        theirs[penalty] = np.zeros(ROWS)
        for fold in range(FOLDS):
            unseen = ridge.fold == fold
            model = linear_model.Ridge(penalty, fit_intercept=False).fit(x[~unseen], y[~unseen, 0])
            theirs[penalty][unseen] = model.predict(x[unseen])
    best = min(theirs.values(), key=lambda predicted: ((predicted - y[:, 0]) ** 2).sum())
    # Of no known sign, and in whole parts of the standard deviation.
    assert np.abs(found) == pytest.approx(np.abs(best) / np.sqrt((best**2).mean()) / RESOLUTION, abs=0.501)


def test_new_rows_are_predicted_by_all_folds_together(values):
    ridge, scores, folds = learned(values)
    before = {name: values[name] for name in ("age", "dose", "group")}
    each = [scores.of_training_rows(ridge, list(before), [one] * FOLDS) for one in folds["risk"]]
    assert scores.of("risk", before) == pytest.approx(np.mean(each, axis=0), abs=1)


def test_what_cannot_be_predicted_has_no_score(values):
    _, scores, folds = learned(values)
    before = {name: values[name] for name in ("age", "dose", "group", "risk")}
    assert "luck" not in folds and scores.of("luck", before) is None


def test_the_first_column_has_no_score(values):
    assert "age" not in learned(values)[2]


def test_a_number_beyond_all_training_values_is_of_the_last_level(values):
    described = Ridge(values, SIZES, seed=2).described["age"]
    assert described.levels(np.array([GAP, -99.0, 99.0])).tolist() == [0, 1, len(described.knots)]


@pytest.mark.parametrize("constant", [0.0, GAP])
def test_a_constant_column_says_nothing(values, constant):
    _, scores, _ = learned({**values, "dose": np.full(ROWS, constant)})
    assert scores.described_["dose"].features.shape[1] == 0 and "dose" not in scores.coefficients_


def test_many_weak_effects_are_kept_that_trees_alone_lose(codebook):
    rng = np.random.default_rng(4)
    signs = rng.integers(0, 2, (800, 20))
    risk = signs.sum(1) - 10
    names = [f"sign_{number}" for number in range(20)]
    table = pd.DataFrame(np.where(signs, "yes", "no"), columns=names)
    table["event"] = np.where(rng.random(800) < 1 / (1 + np.exp(-risk)), "yes", "no")
    column = Column(type="binary", categories=["no", "yes"])
    described = codebook.model_copy(update={"columns": dict.fromkeys(table, column)})
    train = described.conform(table)

    def kept(linear):
        drawn = Forest(linear=linear).fit(train, described, seed=1).sample(4000, seed=1)
        return roc_auc_score(drawn["event"] == "yes", (drawn[names] == "yes").sum(axis=1))

    assert kept(linear=True) > kept(linear=False) + 0.03
