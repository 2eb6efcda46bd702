"""Subgroups: how frequent they are, how well they are predicted, and the table of both."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from medsynth.errors import InputError
from medsynth.evaluation.fairness import Subgroups, group_performance, representation
from medsynth.evaluation.targets import Target
from medsynth.reporting.fairness import display_fairness, fairness_table
from tests.unit.test_reporting import STYLES
from tests.unit.test_reporting import scores as long_table

SEX, AGE = Subgroups(column="sex"), Subgroups(column="age", bands=[40, 65])
ADMITTED = Target(name="admitted", column="admitted", positive="yes")


def people(women, men, **columns):
    """Rows of so many women and men, all else alike."""
    sex = pd.Categorical(["female"] * women + ["male"] * men)
    return pd.DataFrame({"sex": sex, "age": 50, **columns})


def found(scores):
    return {(metric, detail): value for metric, detail, value in scores}


def test_equal_shares_have_no_disparity_and_twice_the_odds_have_the_logarithm_of_two():
    real = people(1000, 1000)
    assert found(representation(real, real, [SEX]))["log_disparity", "sex:female"] == 0
    scores = found(representation(people(2000, 1000), real, [SEX]))
    assert scores["log_disparity", "sex:female"] == pytest.approx(np.log(2), abs=1e-3)
    assert scores["log_disparity", "sex:male"] == -scores["log_disparity", "sex:female"]


def test_a_group_that_a_generator_forgot_has_a_large_and_finite_disparity():
    assert -10 < found(representation(people(0, 300), people(100, 200), [SEX]))["log_disparity", "sex:female"] < -5


def test_a_group_of_few_real_rows_is_not_told_and_neither_is_its_number():
    scores = found(representation(people(100, 100), people(3, 197), [SEX]))
    assert {detail for _, detail in scores} == {"sex:male"} and scores["rows", "sex:male"] == 200


def test_bands_hold_their_lower_end():
    groups = AGE.of(pd.DataFrame({"age": [18, 39, 40, 64, 65, 99]}))
    assert list(groups) == ["below 40"] * 2 + ["40 to below 65"] * 2 + ["65 or more"] * 2


def test_a_group_is_scored_on_its_own_rows_alone():
    rng = np.random.default_rng(0)
    y = rng.random(400) < 0.4
    table = people(200, 200, admitted=pd.Categorical(np.where(y, "yes", "no"), categories=["no", "yes"]))
    # Said of women at random, of men nearly right and ten points too high.
    p = np.clip(np.where(np.arange(400) < 200, rng.random(400), 0.1 + 0.8 * y + 0.1 * rng.random(400)), 0, 1)
    scores = found(group_performance(np.column_stack([1 - p, p]), table, ADMITTED, [SEX]))
    for group, rows in (("female", slice(0, 200)), ("male", slice(200, 400))):
        assert scores["roc_auc", f"sex:{group}"] == pytest.approx(roc_auc_score(y[rows], p[rows]))
        assert scores["brier_score", f"sex:{group}"] == pytest.approx(brier_score_loss(y[rows], p[rows]))
        assert scores["calibration", f"sex:{group}"] == pytest.approx(p[rows].mean() - y[rows].mean())
    assert scores["roc_auc", "sex:male"] > 0.99 > 0.6 > scores["roc_auc", "sex:female"]


def test_a_group_of_few_test_rows_or_of_few_of_a_class_has_no_auc(partitions):
    y = np.arange(160) % 2 == 0
    y[:80] = np.arange(80) < 4
    table = people(80, 40, admitted="no")
    table = pd.concat([table, people(0, 40, admitted="no")], ignore_index=True)
    table["admitted"] = pd.Categorical(np.where(y, "yes", "no"), categories=["no", "yes"])
    scores = found(group_performance(np.full((160, 2), 0.5), table, ADMITTED, [SEX]))
    assert ("roc_auc", "sex:female") not in scores and ("brier_score", "sex:female") in scores
    few = found(
        group_performance(np.full((60, 2), 0.5), table.iloc[:60], ADMITTED, [Subgroups(column="age", bands=[51])])
    )
    assert {detail for _, detail in few} == {"age:below 51"}


def test_groups_that_make_the_target_are_not_judged_by_it(partitions):
    _, test, _ = partitions
    old = Target(name="old", column="age", at_least=60)
    assert not found(group_performance(np.full((len(test), 2), 0.5), test, old, [AGE]))


@pytest.mark.parametrize(
    ("subgroups", "sentence"),
    [
        ({"column": "sexx"}, "has no column 'sexx'; did you mean 'sex'"),
        ({"column": "age"}, "column 'age' is numeric and needs 'bands'"),
        ({"column": "sex", "bands": [1]}, "column 'sex' is coded and goes without 'bands'"),
        ({"column": "age", "bands": [60, 40]}, "the bands of 'age' must ascend"),
        ({"column": "patient"}, "column 'patient' is not in the clean table"),
    ],
)
def test_subgroups_that_do_not_fit_are_refused_in_a_sentence(codebook, subgroups, sentence):
    with pytest.raises(InputError, match=sentence):
        Subgroups(**subgroups).check(codebook)


def test_the_table_has_a_block_a_group_with_real_rows_first():
    table = fairness_table(
        long_table(
            ("tvae", 10, "fairness", "log_disparity", "sex:female", [0.4, 0.6]),
            ("tvae", 10, "fairness", "rows", "sex:female", [60, 60]),
            ("real", 0, "fairness", "roc_auc", "sex:female", [0.8, 0.8]),
            ("real", 0, "fairness", "rows", "sex:female", [60, 60]),
        )
    )
    row = table.set_index("generator").loc["tvae"]
    assert row["log_disparity"] == pytest.approx(0.5) and np.isnan(row["roc_auc"]) and row["rows"] == 60
    shown = display_fairness(table, STYLES)
    assert list(shown.index) == ["sex: female (60 test rows)"] * 2
    assert list(shown["Model"]) == ["Real → Real", "TVAE"]
    assert list(shown["ROC AUC"]) == ["0.800 (0.800, 0.800)", "–"]
