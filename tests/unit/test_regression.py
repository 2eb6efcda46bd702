"""Regression: scores of models that predict a number, and their table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from medsynth.errors import InputError
from medsynth.evaluation.feasibility import check_targets
from medsynth.evaluation.resampling import person_weights
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.regression.compute import (
    REGRESSORS,
    RegressionTarget,
    design_of,
    mean,
    regression_scores,
    train_and_test,
)
from medsynth.scores.regression.table import display_regression, regression_table
from tests.conftest import by_about
from tests.unit.conftest import STYLES, only
from tests.unit.conftest import scores as long_table

CRP = RegressionTarget(name="crp", column="crp", not_predictors=["icu"])


def test_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    y = rng.gamma(2, 30, 80)
    predicted = y + rng.normal(0, 10, 80)
    found = by_about(regression_scores(y, predicted))
    assert found["r2"] == pytest.approx(r2_score(y, predicted))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(y, predicted))
    assert found["mae"] == pytest.approx(mean_absolute_error(y, predicted))


def test_replicates_are_scores_of_the_persons_drawn():
    rng = np.random.default_rng(1)
    y = rng.gamma(2, 30, 60)
    predicted = y + rng.normal(0, 10, 60)
    weights = person_weights(np.arange(60), seed=2, replicates=3)
    for score in regression_scores(y, predicted, weights):
        for row, value in zip(weights, score.replicates, strict=True):
            rows = np.repeat(np.arange(60), row.astype(int))
            assert value == pytest.approx(by_about(regression_scores(y[rows], predicted[rows]))[score.metric])


def test_one_value_has_no_explained_variance():
    found = by_about(regression_scores(np.full(5, 3.0), np.arange(5.0)))
    assert np.isnan(found["r2"])
    assert found["mae"] == pytest.approx(1.4)


def trained(train, partitions, regressors=REGRESSORS):
    """Scores on the test rows of models that learned from a table."""
    real, test, _ = partitions
    encoder = TableEncoder().fit(real)
    return by_about(train_and_test(train, test, CRP, encoder, design_of(CRP, real), seed=1, regressors=regressors))


def with_relation(table):
    """The ward table with a CRP that follows from age and admission."""
    crp = table["age"] + 60.0 * (table["admitted"] == "yes")
    return table.assign(crp=crp + np.random.default_rng(len(table)).normal(0, 5, len(table)))


def test_real_rows_beat_the_mean_and_a_relation_turned_round_does_not(partitions):
    parts = [*map(with_relation, partitions[:2]), partitions[2]]
    floor = trained(parts[0], parts, {"majority": mean})
    assert -0.1 < floor["r2", "crp", "majority"] <= 0
    turned = parts[0].assign(crp=2 * parts[0]["crp"].mean() - parts[0]["crp"])
    real, lost = trained(parts[0], parts), trained(turned, parts)
    for model in REGRESSORS:
        assert real["r2", "crp", model] > 0.8
        assert lost["r2", "crp", model] < -1
        assert real["rmse", "crp", model] < floor["rmse", "crp", "majority"] < lost["rmse", "crp", model]


def test_the_column_and_what_gives_it_away_are_no_predictors(partitions):
    assert CRP.predictors(partitions[0]) == ["age", "sex", "admitted", "stage"]


def test_logarithms_are_predicted_where_a_target_says_so(partitions):
    table = partitions[0].assign(crp=[-1.0, 0.0] + [np.e - 1] * (len(partitions[0]) - 2))
    assert CRP.model_copy(update={"log": True}).values(table)[:3].tolist() == [0, 0, 1]


def test_a_coded_column_is_no_regression_target(partitions):
    CRP.check(partitions[2])
    with pytest.raises(InputError, match="column 'stage' is coded, and a numeric one is needed"):
        RegressionTarget(name="stage", column="stage").check(partitions[2])


def test_a_column_of_one_value_is_refused(partitions):
    train, test, _ = partitions
    with pytest.raises(InputError, match="Target 'crp' has one value only in the test partition"):
        check_targets([CRP], {"train": train, "test": test.assign(crp=1.0)})


def test_rows_of_the_table_are_between_their_references():
    about = {"target": "crp", "model": "linear"}
    table = regression_table(
        long_table(
            ("real", 0, "regression", "r2", about, [0.8, 0.8]),
            ("tvae", 100, "regression", "r2", about, [0.5, 0.7]),
            ("independent", 0, "regression", "r2", about, [-0.1, -0.1]),
            ("majority", 0, "regression", "r2", {"target": "crp", "model": "majority"}, [0.0, 0.0]),
        )
    )
    assert only(table, generator="tvae")["r2"] == pytest.approx(0.6)
    shown = display_regression(table, STYLES)
    assert list(shown["Model"]) == [
        "Real → Real", "TVAE", "Independent marginals (lower reference)", "Mean of the training rows",
    ]  # fmt: skip
    assert pd.unique(shown.index).tolist() == ["crp, Linear"]
