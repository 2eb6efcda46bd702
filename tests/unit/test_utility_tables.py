"""Tables of utility: their numbers, and how they are laid out."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from medsynth.display.aggregation import GAINS, at_epochs
from medsynth.evaluation.intervals import UNIT, interval
from medsynth.scores.utility.table import display_utility, utility_table
from tests.unit.conftest import STYLES, accuracy, only, scores


def test_utility_is_a_mean_whose_interval_covers_persons_and_seeds(utility_scores):
    persons = utility_scores.assign(variance=0.01**2)
    row = only(utility_table(persons), generator="tvae", epochs=100, metric="accuracy")
    assert (row["n_seeds"], row["target"], row["classifier"]) == (2, "age", "xgboost")
    expected = interval([0.80, 0.82], [0.01**2] * 2, bounds=UNIT)
    assert [row["mean"], row["ci_low"], row["ci_high"]] == pytest.approx([0.81, expected.low, expected.high])
    assert row["comparison"] == "equal_information"


def test_one_seed_has_the_interval_of_its_persons(utility_scores):
    persons = utility_scores.assign(variance=0.01**2)
    row = only(utility_table(persons), generator="gaussian_copula", metric="accuracy")
    assert row["mean"] == 0.805
    assert row["ci_low"] == pytest.approx(0.785, abs=0.001)


def test_the_papers_protocol_is_a_comparison_of_its_own(utility_scores):
    fewer = utility_scores.assign(family="utility_protocol", value=utility_scores["value"] - 0.01)
    table = utility_table(pd.concat([utility_scores, fewer]))
    found = table[(table["generator"] == "tvae") & (table["epochs"] == 100) & (table["metric"] == "accuracy")]
    assert dict(zip(found["comparison"], found["mean"], strict=True)) == pytest.approx(
        {"equal_information": 0.81, "paper_protocol": 0.80}
    )
    assert set(table.loc[table["metric"].isin(GAINS.values()), "comparison"]) == {"equal_information"}


def test_gains_are_over_real_rows_of_the_same_comparison(utility_scores):
    fewer = utility_scores.assign(family="utility_protocol")
    fewer.loc[fewer["generator"] == "real", "value"] -= 0.1
    alone, beside = (utility_table(known) for known in (utility_scores, pd.concat([utility_scores, fewer])))
    beside = beside[beside["comparison"] == "equal_information"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, beside)


def test_a_seed_without_value_is_not_counted():
    row = only(utility_table(scores(accuracy("tvae", 1, [0.7, np.nan, 0.9]))), metric="accuracy")
    assert (row["n_seeds"], row["mean"]) == (2, pytest.approx(0.8))


def test_the_normalised_accuracy_gain_is_a_share_of_what_real_rows_gain(utility_scores):
    row = only(utility_table(utility_scores), generator="tvae", epochs=100, metric="normalised_accuracy_gain")
    assert row["mean"] == pytest.approx((0.81 - 0.6) / (0.9 - 0.6))
    # Fieller's interval is not symmetric.
    assert 0 < row["mean"] - row["ci_low"] < row["ci_high"] - row["mean"]


def test_the_normalised_auc_gain_counts_from_one_half(utility_scores):
    row = only(utility_table(utility_scores), generator="tvae", epochs=200, metric="normalised_auc_gain")
    assert row["mean"] == pytest.approx(0.2 / 0.4)


def test_a_gain_that_real_rows_may_not_have_is_withheld_and_said_to_be():
    """On 23 test rows: 0.57 against 0.52 for the majority class."""
    few = scores(accuracy("real", 0, [0.57]), accuracy("majority", 0, [0.52], "majority"), accuracy("tvae", 1, [0.57]))
    table = utility_table(few.assign(variance=0.1**2))
    row = only(table, generator="tvae", metric="normalised_accuracy_gain")
    assert np.isnan(row["mean"]) and row["remark"].startswith("withheld: real rows gain 0.050 (")
    display = display_utility(table, STYLES).set_index("Model")
    assert display.loc["1. TVAE", "Normalised accuracy gain"] == "withheld"


@pytest.mark.parametrize("real", [[0.6, 0.6], [0.5, 0.5], [np.nan, np.nan]])
def test_there_is_no_gain_where_real_rows_gain_nothing(real):
    table = utility_table(
        scores(
            accuracy("real", 0, real),
            accuracy("majority", 0, [0.6, 0.6], "majority"),
            accuracy("tvae", 1, [0.7, 0.7]),
        )
    )
    assert np.isnan(only(table, generator="tvae", metric="normalised_accuracy_gain")["mean"])


def test_there_is_no_gain_without_references():
    table = utility_table(scores(accuracy("tvae", 1, [0.7, 0.7])))
    assert np.isnan(only(table, metric="normalised_accuracy_gain")["mean"])


def test_each_classifier_and_target_has_its_own_gain():
    table = utility_table(
        scores(
            accuracy("real", 0, [0.9]),
            accuracy("real", 0, [0.8], "random_forest"),
            accuracy("real", 0, [0.7], "xgboost", "died"),
            accuracy("majority", 0, [0.6], "majority", "age"),
            accuracy("majority", 0, [0.5], "majority", "died"),
            accuracy("tvae", 1, [0.7]),
            accuracy("tvae", 1, [0.7], "random_forest"),
            accuracy("tvae", 1, [0.7], "xgboost", "died"),
        ).assign(variance=1e-6)
    )
    lifts = table[(table["generator"] == "tvae") & (table["metric"] == "normalised_accuracy_gain")]
    lifts = lifts.set_index(["classifier", "target"])["mean"].to_dict()
    expected = {("xgboost", "age"): 1 / 3, ("random_forest", "age"): 0.5, ("xgboost", "died"): 1.0}
    assert lifts == pytest.approx(expected)


def test_majority_is_carried_without_gain(utility_scores):
    table = utility_table(utility_scores)
    assert list(table.loc[table["generator"] == "majority", "metric"]) == ["accuracy"]


def test_tables_do_not_depend_on_the_order_of_the_scores(utility_scores):
    shuffled = utility_scores.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(utility_table(utility_scores), utility_table(shuffled))


def test_utility_ranks_generators_between_references_at_their_largest_epochs(utility_scores):
    display = display_utility(utility_table(utility_scores), STYLES)
    assert list(zip(display["Model"], display["Epochs"], strict=True)) == [
        ("Real → Real", "–"),
        ("1. Gaussian Copula", "–"),
        ("2. CTGAN", "200"),
        ("3. TVAE", "200"),
        ("Independent marginals (lower reference)", "–"),
        ("Majority class", "–"),
    ]
    assert set(display.index) == {"age, XGBoost, equal information"}


def test_utility_at_a_chosen_epoch_count_keeps_generators_without_epochs(utility_scores):
    display = display_utility(at_epochs(utility_table(utility_scores), 100), STYLES)
    shown = list(zip(display["Model"], display["Epochs"], strict=True))
    assert shown[1:4] == [("1. CTGAN", "100"), ("2. TVAE", "100"), ("3. Gaussian Copula", "–")]


def test_cells_show_interval_mean_alone_or_a_dash(utility_scores):
    display = display_utility(utility_table(utility_scores), STYLES).set_index("Model")
    assert display.loc["2. CTGAN", "Accuracy (95% CI)"] == "0.780 (0.514, 0.922)"
    assert display.loc["1. Gaussian Copula", "Accuracy (95% CI)"] == "0.805"
    assert display.loc["1. Gaussian Copula", "ROC AUC"] == "–"
    assert display.loc["Majority class", "Normalised accuracy gain"] == "–"


def test_a_generator_without_accuracy_is_last_and_unnumbered():
    table = utility_table(scores(accuracy("tvae", 1, [np.nan]), accuracy("ctgan", 1, [0.5])))
    assert list(display_utility(table, STYLES)["Model"]) == ["1. CTGAN", "TVAE"]


def test_every_target_and_classifier_has_a_block_with_the_majority_xgboost_first():
    pairs = product(["random_forest", "xgboost"], ["age", "died"])
    table = utility_table(
        scores(
            *(accuracy("tvae", 1, [0.7], *pair) for pair in pairs),
            accuracy("majority", 0, [0.6], "majority", "age"),
            accuracy("majority", 0, [0.5], "majority", "died"),
        )
    )
    display = display_utility(table, STYLES)
    assert list(dict.fromkeys(display.index)) == [
        "age, XGBoost, equal information",
        "age, Random forest, equal information",
        "died, XGBoost, equal information",
        "died, Random forest, equal information",
    ]
    majority = display[display["Model"] == "Majority class"]["Accuracy (95% CI)"]
    assert list(majority) == ["0.600", "0.600", "0.500", "0.500"]
