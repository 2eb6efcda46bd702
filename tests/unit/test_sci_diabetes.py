"""The simulated SCI-Diabetes cohort: raw conventions, repeatability, and what was published about the real one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medsynth import cohorts
from medsynth.codebook import Codebook
from medsynth.cohorts import sci_diabetes
from medsynth.data.reading import read_raw
from medsynth.preparation.cleaning import clean

CODEBOOK = Path(__file__).parents[2] / "config" / "datasets" / "sci_diabetes.yaml"
MEASURES = ["hba1c", "sbp", "dbp", "bmi", "acr", "creat", "plasma_alb"]
BLOCKS = {"dm_type_": 5, "smoking_": 4, "ethCode_": 18}
TRAINING_ROWS = 56_129  # of the published notebook, to which its counts refer


@pytest.fixture(scope="module")
def simulated():
    return cohorts.simulate("sci_diabetes", sci_diabetes.N_PAPER, seed=1)


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "sci_diabetes.csv"
    cohorts.simulate("sci_diabetes", 5_000, seed=2).to_csv(path, index=False)
    codebook = Codebook.from_yaml(CODEBOOK)
    return clean(read_raw(path, codebook), codebook)


def of_type(table, number):
    return table[table[f"dm_type_Type {number} Diabetes Mellitus"] == 1]


def test_columns_are_those_of_the_published_code(simulated):
    summaries = ["median_value", "last_value", "n_measures", "iqr", "gradient_values"]
    assert set(simulated.columns) == {
        *("age", "duration", "foot_risk", "eye_risk", "sex_Male"),
        *(f"{summary}_{measure}" for measure in MEASURES for summary in summaries),
        *(name for name in simulated if name.startswith(tuple(BLOCKS)) or name.endswith("_prescribed")),
    }
    assert {block: simulated.columns.str.startswith(block).sum() for block in BLOCKS} == BLOCKS
    assert simulated.columns.str.endswith("_prescribed").sum() == 22
    assert simulated.shape == (70_162, 89)
    assert simulated.columns.is_unique


def test_same_seed_gives_identical_rows():
    pd.testing.assert_frame_equal(sci_diabetes.simulate(2_000, seed=3), sci_diabetes.simulate(2_000, seed=3))


def test_other_seed_gives_other_rows():
    assert not sci_diabetes.simulate(2_000, seed=3).equals(sci_diabetes.simulate(2_000, seed=4))


@pytest.mark.parametrize("n_rows", [0, 1, 100])
def test_any_number_of_rows_can_be_drawn(n_rows):
    assert sci_diabetes.simulate(n_rows, seed=1).shape == (n_rows, 89)


def test_negative_number_of_rows_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        sci_diabetes.simulate(-1, seed=1)


@pytest.mark.parametrize("block", BLOCKS)
def test_one_hot_blocks_have_at_most_one_1(simulated, block):
    cells = simulated.loc[:, simulated.columns.str.startswith(block)]
    assert set(np.unique(cells)) == {0, 1}
    empty = (cells.sum(axis=1) == 0).mean()
    assert cells.sum(axis=1).max() == 1
    assert empty == 0 if block == "dm_type_" else 0.01 < empty < 0.05


def test_risks_have_the_published_codes_and_gaps(simulated):
    assert sorted(simulated["foot_risk"].dropna().unique()) == [0, 1, 2, 4]
    assert sorted(simulated["eye_risk"].dropna().unique()) == [0, 1, 2, 3, 4]
    assert simulated[["foot_risk", "eye_risk"]].isna().mean().between(0.03, 0.12).all()


# Published training rows, and by how many of them a draw may differ: about three standard deviations, and half the
# width of the range for classes that were read off counts of batches.
CLASSES = {
    "dm_type_Maturity Onset Diabetes of Youth": (48, 36),
    "dm_type_Secondary - Drug Induced": (16, 16),
    "dm_type_Secondary - Pancreatic Pathology": (112, 45),
    "dm_type_Type 1 Diabetes Mellitus": (7_025, 240),
    "dm_type_Type 2 Diabetes Mellitus": (48_945, 240),
    # 2 % of this block are empty here, which the published counts no longer show.
    "smoking_Current smoker": (10_320, 500),
    "smoking_Ex-smoker": (17_745, 750),
    "smoking_Never smoked": (28_050, 900),
}


@pytest.mark.parametrize("column", CLASSES)
def test_classes_are_as_frequent_as_published(simulated, column):
    published, tolerance = CLASSES[column]
    assert simulated[column].mean() * TRAINING_ROWS == pytest.approx(published, abs=tolerance)


def test_means_of_age_and_duration_are_the_published_ones(simulated):
    assert simulated["age"].mean() == pytest.approx(64.13, abs=0.2)
    assert simulated["duration"].mean() == pytest.approx(10.47, abs=0.2)


def test_two_thirds_are_60_or_older(simulated):
    assert 0.64 < (simulated["age"] >= 60).mean() < 0.68


def test_type_1_is_younger_longer_ill_and_on_insulin(simulated):
    one, two = of_type(simulated, 1), of_type(simulated, 2)
    assert one["age"].median() == pytest.approx(47.1, abs=4)  # SDRN cohort profile, 2022
    assert one["duration"].median() == pytest.approx(18.5, abs=2)  # SDRN cohort profile, 2022
    assert one["median_value_hba1c"].median() == pytest.approx(68, abs=2)  # Mair et al., 2019
    assert (one["long_acting_insulins_prescribed"] > 0).mean() > 0.8
    assert (two["long_acting_insulins_prescribed"] > 0).mean() < 0.2
    assert (two["metformin_preparations_prescribed"] > 0).mean() > 0.6


def test_nobody_has_been_ill_for_longer_than_alive(simulated):
    assert (simulated["duration"] <= simulated["age"]).all()


def test_a_few_durations_are_negative(simulated):
    assert 0.001 < (simulated["duration"] < 0).mean() < 0.006


@pytest.mark.parametrize("measure", MEASURES)
def test_summaries_are_empty_where_too_little_was_measured(simulated, measure):
    count = simulated[f"n_measures_{measure}"]
    for summary, least in {"median_value": 1, "last_value": 1, "iqr": 2, "gradient_values": 2}.items():
        assert simulated[f"{summary}_{measure}"].isna().equals(count < least)


def test_acr_and_plasma_albumin_are_often_missing(simulated):
    missing = simulated[[f"median_value_{measure}" for measure in MEASURES]].isna().mean()
    assert missing["median_value_acr"] > 0.2
    assert missing["median_value_plasma_alb"] > 0.1
    assert missing.drop(["median_value_acr", "median_value_plasma_alb"]).between(0.001, 0.05).all()


@pytest.mark.parametrize(
    ("column", "sign"),
    [
        ("median_value_creat", 1),
        ("median_value_sbp", 1),
        ("median_value_dbp", -1),
        ("median_value_bmi", -1),
        ("statin_drugs_prescribed", 1),
        ("loop_diuretics_prescribed", 1),
        ("sglt2_inhibitors_prescribed", -1),
        ("foot_risk", 1),
        ("smoking_Current smoker", -1),
    ],
)
def test_older_people_with_type_2_differ_as_in_the_clinic(simulated, column, sign):
    two = of_type(simulated, 2)
    assert sign * two["age"].corr(two[column].astype(float), method="spearman") > 0.1


def test_some_last_values_are_slips(simulated):
    beyond = simulated["last_value_bmi"] > 3 * simulated["median_value_bmi"]
    assert 0.0001 < beyond.mean() < 0.002


def test_age_of_60_can_be_predicted_about_as_well_as_published(simulated):
    from xgboost import XGBClassifier

    gradients = [name for name in simulated if name.startswith("gradient_values_")]
    table = simulated.drop(columns=["age", *gradients]).astype(float)
    older = simulated["age"] >= 60
    train, test = slice(0, 4_000), slice(10_000, 16_000)
    model = XGBClassifier(n_estimators=60, n_jobs=1, random_state=0).fit(table[train], older[train])
    assert 0.83 < (model.predict(table[test]) == older[test]).mean() < 0.90  # 0.88 published


def test_cleaning_makes_categories_of_the_blocks(cleaned):
    table, _ = cleaned
    assert list(table["dm_type"].cat.categories) == list(sci_diabetes.TYPES)
    assert list(table["smoking"].cat.categories) == list(sci_diabetes.SMOKING)
    assert list(table["ethnicity"].cat.categories) == list(sci_diabetes.ETHNICITY)
    assert table["dm_type"].notna().all()
    assert table["smoking"].isna().any()


def test_cleaning_makes_four_grades_of_foot_risk(cleaned):
    assert list(cleaned[0]["foot_risk"].cat.categories) == ["0", "1", "2", "3"]
    assert (cleaned[0]["foot_risk"] == "3").any()


def test_cleaning_leaves_no_negative_number(cleaned):
    assert (cleaned[0].select_dtypes("number").min() >= 0).all()


def test_cleaning_drops_gradients_and_drugs_that_fewer_than_a_tenth_take(cleaned):
    table, _ = cleaned
    assert not any(name.startswith("gradient_values_") for name in table)
    drugs = table.loc[:, table.columns.str.endswith("_prescribed")]
    assert ((drugs > 0).mean() >= 0.1).all()
    assert "digoxin_preparations_prescribed" not in drugs
    assert "metformin_preparations_prescribed" in drugs
