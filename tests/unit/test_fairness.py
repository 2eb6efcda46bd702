"""Subgroups: how frequent they are, how well they are predicted, and the table of both."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score

from medsynth.errors import InputError
from medsynth.evaluation.resampling import person_weights
from medsynth.evaluation.targets import Target
from medsynth.scores.fairness.compute import Subgroups, group_performance, representation
from medsynth.scores.fairness.table import display_fairness, fairness_table
from tests.conftest import by_about
from tests.unit.conftest import STYLES
from tests.unit.conftest import scores as long_table

SEX, AGE = Subgroups(column="sex"), Subgroups(column="age", bands=[40, 65])
ADMITTED = Target(name="admitted", column="admitted", positive="yes")


# What a score of women is about.
FEMALE = {"column": "sex", "group": "female"}


def people(women, men, **columns):
    """Rows of so many women and men, all else alike."""
    sex = pd.Categorical(["female"] * women + ["male"] * men)
    return pd.DataFrame({"sex": sex, "age": 50, **columns})


def found(scores):
    return by_about(score for score in scores if not np.isnan(score.value))


def test_equal_shares_have_no_disparity_and_twice_the_odds_have_the_logarithm_of_two():
    real = people(1000, 1000)
    assert found(representation(real, real, [SEX]))["log_disparity", "sex", "female"] == 0
    scores = found(representation(people(2000, 1000), real, [SEX]))
    assert scores["log_disparity", "sex", "female"] == pytest.approx(np.log(2), abs=1e-3)
    assert scores["log_disparity", "sex", "male"] == -scores["log_disparity", "sex", "female"]


def test_a_group_that_a_generator_forgot_has_a_large_and_finite_disparity():
    assert -10 < found(representation(people(0, 300), people(100, 200), [SEX]))["log_disparity", "sex", "female"] < -5


@pytest.mark.parametrize("ages", [[30] * 3 + [50] * 60 + [70] * 40, [30] * 150 + [50] * 37 + [70] * 11])
def test_a_table_has_no_disparity_to_itself(ages):
    real = pd.DataFrame({"age": ages, "sex": pd.Categorical(["female"] * 20 + ["male"] * (len(ages) - 20))})
    values = {score.value for score in representation(real, real, [AGE, SEX]) if score.metric == "log_disparity"}
    assert {value for value in values if not np.isnan(value)} == {0}


def test_log_disparity_is_computed_from_exact_counts():
    scores = found(representation(people(30, 70), people(13, 87), [SEX]))
    assert scores["rows", "sex", "female"] == 13
    assert scores["log_disparity", "sex", "female"] == pytest.approx(np.log(30.5 / 70.5) - np.log(13.5 / 87.5))


def test_a_group_of_few_real_rows_is_not_shown_and_neither_is_the_one_that_tells_of_it():
    assert found(representation(people(100, 100), people(3, 197), [SEX])) == {}
    real = pd.DataFrame({"age": [30] * 100 + [50] * 40 + [70] * 9})
    scores = found(representation(real, real, [AGE]))
    assert {group for *_, group in scores} == {"below 40"} and scores["rows", "age", "below 40"] == 100


@pytest.mark.parametrize(("table", "real"), [((9, 91), (40, 60)), ((40, 60), (9, 91))])
def test_real_rows_against_real_rows_must_be_enough_on_both_sides(table, real):
    table, real = people(*table), people(*real)
    held_out = pd.concat([table, real], ignore_index=True)
    assert found(representation(table, real, [SEX], held_out=held_out)) == {}
    # Synthetic ones are nobody.
    assert bool(found(representation(table, real, [SEX]))) == ((real["sex"] == "female").sum() >= 10)


def test_halves_show_no_group_that_tables_against_both_halves_withhold():
    # Of all 7, 22, 23 and 448 rows: 22 are withheld. Of the first half 3, 12, 10 and 200: 10 would be.
    bands = Subgroups(column="age", bands=[10, 20, 30])
    halves = [pd.DataFrame({"age": np.repeat([5, 15, 25, 35], n)}) for n in ([3, 12, 10, 200], [4, 10, 13, 248])]
    held_out = pd.concat(halves, ignore_index=True)
    shown = {group for *_, group in found(representation(halves[1], held_out, [bands]))}
    assert shown == {"20 to below 30", "30 or more"}
    assert {group for *_, group in found(representation(*halves[::-1], [bands], held_out=held_out))} <= shown


def test_replicates_are_those_of_the_weighted_rows():
    table, real = people(40, 60), people(30, 90)
    weights = person_weights(np.arange(120), seed=0)
    alone, both = (
        {score.about.group: score for score in representation(table, real, [SEX], weights=weights, table_weights=own)}
        for own in (None, person_weights(np.arange(100), seed=1))
    )
    women = weights[:, :30].sum(axis=1)
    expected = np.log(40.5 / 60.5) - np.log((women + 0.5) / (120 - women + 0.5))
    assert alone["female"].replicates == pytest.approx(expected, rel=1e-4)
    assert both["female"].variance > 1.2 * alone["female"].variance > 0
    assert next(representation(table, real, [SEX])).replicates is None


def test_scores_of_a_group_have_the_replicates_of_its_rows():
    rng = np.random.default_rng(0)
    y = rng.random(300) < 0.4
    table = people(150, 150, admitted=pd.Categorical(np.where(y, "yes", "no"), categories=["no", "yes"]))
    p = np.clip(0.3 * y + rng.random(300) * 0.7, 0, 1)
    # Every person twice: the replicate is the score.
    weights = np.full((3, 300), 2, dtype="float32")
    for score in group_performance(np.column_stack([1 - p, p]), table, ADMITTED, [SEX], weights=weights):
        assert score.replicates == pytest.approx(np.full(3, score.value), rel=1e-4), score.metric


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
        assert scores["roc_auc", "sex", group] == pytest.approx(roc_auc_score(y[rows], p[rows]))
        assert scores["brier_score", "sex", group] == pytest.approx(brier_score_loss(y[rows], p[rows]))
        assert scores["calibration", "sex", group] == pytest.approx(p[rows].mean() - y[rows].mean())
    assert scores["roc_auc", "sex", "male"] > 0.99 > 0.6 > scores["roc_auc", "sex", "female"]


def outcomes(*groups):
    """Rows of groups of (age, rows, those admitted)."""
    admitted = np.concatenate([np.arange(n) < yes for _, n, yes in groups])
    age = np.concatenate([[age] * n for age, n, _ in groups])
    return pd.DataFrame({"age": age, "admitted": pd.Categorical(np.where(admitted, "yes", "no"), ["no", "yes"])})


@pytest.mark.parametrize(
    ("groups", "shown"),
    [
        (((30, 200, 60), (50, 100, 40), (70, 100, 30)), {"below 40", "40 to below 65", "65 or more"}),
        # Few test rows: too few to say anything, and nobody's secret.
        (((30, 200, 60), (50, 100, 40), (70, 40, 20)), {"below 40", "40 to below 65"}),
        # Few with the outcome, and few without: what is left of all with it or without it would tell.
        (((30, 200, 60), (50, 100, 40), (70, 100, 4)), {"below 40"}),
        (((30, 200, 60), (50, 100, 40), (70, 100, 96)), {"below 40"}),
    ],
)
def test_a_group_in_which_few_have_the_outcome_has_no_scores(groups, shown):
    table = outcomes(*groups)
    scores = found(group_performance(np.full((len(table), 2), 0.5), table, ADMITTED, [AGE]))
    assert {group for *_, group in scores} == shown
    assert {metric for metric, *_ in scores} == {"roc_auc", "brier_score", "calibration"}


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
            ("tvae", 10, "fairness", "log_disparity", FEMALE, [0.4, 0.6]),
            ("tvae", 10, "fairness", "rows", FEMALE, [60, 60]),
            ("real", 0, "fairness", "roc_auc", FEMALE, [0.8, 0.8]),
            ("real", 0, "fairness", "rows", FEMALE, [60, 60]),
        )
    )
    row = table.set_index("generator").loc["tvae"]
    assert row["log_disparity"] == pytest.approx(0.5) and np.isnan(row["roc_auc"]) and row["rows"] == 60
    shown = display_fairness(table, STYLES)
    assert list(shown.index) == ["sex: female (60 test rows)"] * 2
    assert list(shown["Model"]) == ["Real → Real", "TVAE"]
    assert list(shown["ROC AUC"]) == ["0.800 (0.800, 0.800)", "–"]


def test_a_group_that_is_withheld_for_one_seed_is_for_all_and_without_any_number_it_has_no_row():
    table = fairness_table(
        long_table(
            ("holdout", 0, "fairness", "log_disparity", FEMALE, [0.4, np.nan]),
            ("holdout", 0, "fairness", "rows", FEMALE, [12]),
            ("real", 0, "fairness", "log_disparity", FEMALE, [np.nan, 0.1]),
            ("real", 0, "fairness", "rows", FEMALE, [60]),
            ("real", 0, "fairness", "roc_auc", FEMALE, [0.8, 0.8]),
        )
    )
    assert table["generator"].tolist() == ["real"]
    row = table.iloc[0]
    assert pd.isna(row["rows"]) and np.isnan(row["log_disparity"]) and row["roc_auc"] == pytest.approx(0.8)
    assert list(display_fairness(table, STYLES).index) == ["sex: female"]
