"""What the rows do not suffice for is refused in a sentence, or said, before anything is trained."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.display.canvas import without_scores
from medsynth.errors import InputError
from medsynth.evaluation.feasibility import (
    can_attack,
    can_shadow,
    check_partitions,
    check_targets,
    folds_for,
    shortfalls,
)
from medsynth.evaluation.targets import Target
from medsynth.preparation.checks import check_raw
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.compute import c2st
from medsynth.scores.privacy.audit import Attacked, audit
from medsynth.scores.privacy.parts import Parts
from tests.conftest import CODEBOOK

ADMITTED = Target(name="admitted", column="admitted", positive="yes")


@pytest.fixture
def parts(partitions):
    """Train and test of the ward table."""
    return {"train": partitions[0], "test": partitions[1]}


def refused(check, *arguments):
    """What is said of what cannot be; it is one sentence."""
    with pytest.raises(InputError) as caught:
        check(*arguments)
    said = str(caught.value)
    assert "\n" not in said and ". " not in said
    return said


def with_crp(parts, *values):
    """Partitions whose first training rows have other numbers."""
    train = parts["train"].copy()
    train.loc[: len(values) - 1, "crp"] = values
    return {**parts, "train": train}


# What is refused


def test_ordinary_partitions_pass(parts):
    check_partitions(parts)
    check_targets([ADMITTED], parts)


@pytest.mark.parametrize("value", [1e300, -1e300, 1.8e308, 3e38, np.inf, -np.inf])
def test_numbers_beyond_32_bits_are_refused_with_column_count_and_what_to_do(parts, value):
    said = refused(check_partitions, with_crp(parts, value, value, 5.0))
    cells = len(parts["train"]) + len(parts["test"])
    assert f"'crp' (2 of {cells} values)" in said
    assert "'missing'" in said and "'drop: <reason>'" in said
    # No value is quoted.
    assert "e+300" not in said and "inf" not in said


def test_numbers_are_looked_for_in_test_rows_too(parts):
    swapped = {"train": parts["test"], "test": parts["train"]}
    assert "'crp' (1 of" in refused(check_partitions, {**swapped, "test": with_crp(parts, 1e300)["train"]})


def test_gaps_and_large_numbers_that_32_bits_hold_pass(parts):
    check_partitions(with_crp(parts, np.nan, 1e37, -1e37))


def test_a_test_partition_without_a_label_is_refused(parts):
    said = refused(check_partitions, {**parts, "test": parts["test"].iloc[:0]})
    assert "The test partition has no row with a known target" in said


def test_a_handful_of_training_rows_is_refused(parts):
    assert "has 4 rows" in refused(check_partitions, {**parts, "train": parts["train"].head(4)})


@pytest.mark.parametrize("name", ["train", "test"])
def test_a_target_of_one_class_names_the_partition_and_the_count(parts, name):
    one = parts[name][parts[name]["admitted"] == "no"].reset_index(drop=True)
    said = refused(check_targets, [ADMITTED], {**parts, name: one})
    assert f"'admitted' has one class only in the {name} partition ('no' in all {len(one)} rows)" in said


def test_a_table_of_nothing_but_the_target_has_no_predictor(parts):
    alone = {name: part[["admitted"]] for name, part in parts.items()}
    said = refused(check_targets, [ADMITTED], alone)
    assert f"no other column is in the {len(parts['train'])} rows of the train partition" in said


def test_columns_of_one_value_are_no_predictors(parts):
    flat = {name: part[["admitted", "age", "sex"]].assign(age=40, sex="male") for name, part in parts.items()}
    assert "each of the 2 other columns has one value" in refused(check_targets, [ADMITTED], flat)


def test_a_target_whose_predictors_are_all_hidden_has_none(parts):
    others = [name for name in parts["train"] if name != "admitted"]
    hidden = Target(name="hidden", column="admitted", positive="yes", not_predictors=others)
    assert "Target 'hidden' has no predictor" in refused(check_targets, [ADMITTED, hidden], parts)


def test_a_target_that_cleaning_dropped_is_named(parts):
    dropped = {name: part.drop(columns="admitted") for name, part in parts.items()}
    assert "needs the column 'admitted', which cleaning dropped" in refused(check_targets, [ADMITTED], dropped)


def test_integers_beyond_64_bits_are_refused_by_the_check_of_the_raw_table():
    described = Codebook.model_validate(CODEBOOK).model_copy(update={"columns": {"count": Column(type="integer")}})
    check_raw(pd.DataFrame({"count": ["1", str(2**62)]}), described)
    said = refused(check_raw_without_hint, pd.DataFrame({"count": ["1", "1" + 30 * "0"]}), described)
    assert "count (a text in 1 rows, row 2 of the data) is beyond 64-bit integers" in said


def check_raw_without_hint(raw, described):
    """Check a raw table; what is said ends with its first sentence."""
    try:
        check_raw(raw, described)
    except InputError as error:
        raise InputError(str(error).partition(". ")[0]) from None


# What only lacks rows


@pytest.mark.parametrize("rows, folds", [(0, 0), (1, 0), (2, 2), (3, 3), (5, 5), (300, 5)])
def test_folds_shrink_with_the_rows(rows, folds):
    assert folds_for(rows) == folds


def remarks_of(parts, rows, persons=None, targets=(ADMITTED,)):
    """Remarks on the first rows of the test partition."""
    cut = {**parts, "test": parts["test"].head(rows)}
    whose = {name: np.arange(len(part)) for name, part in cut.items()}
    return list(shortfalls(cut, whose | (persons or {}), list(targets), least=10))


def test_enough_rows_have_no_remark(parts):
    assert len(parts["test"]) > 40
    assert remarks_of(parts, len(parts["test"])) == []


def test_six_test_rows_have_fewer_folds_no_attack_and_rare_classes(parts):
    said = " ".join(f"{name}: {remark};" for name, remark in remarks_of(parts, 6))
    assert "test: detection of the reference row 'holdout': 3 folds instead of 5" in said
    assert "detection:" not in said
    assert "test: attacks: no score, since they need 10 persons or more here" in said
    assert "train: attacks" not in said and "shadow" not in said
    assert "target 'admitted': 2 classes have fewer than 10 rows" in said


def test_two_test_rows_have_no_detection_of_their_halves(parts):
    said = " ".join(remark for _, remark in remarks_of(parts, 2))
    assert "detection: 2 folds instead of 5" in said and "'holdout': no score" in said


def test_twenty_persons_are_attacked_but_not_by_shadow_models(parts):
    said = " ".join(remark for _, remark in remarks_of(parts, 20))
    assert "attack by shadow models: no score, since it needs 40 persons or more here" in said
    assert "attacks: no score" not in said


def test_persons_are_counted_not_rows(parts):
    two = {name: np.arange(len(part)) % 2 for name, part in parts.items()}
    assert not can_attack(two)
    said = [name for name, remark in remarks_of(parts, len(parts["test"]), two) if remark.startswith("attacks")]
    assert said == ["train", "test"]


@pytest.mark.parametrize("rows", [1, 2, 3, 12])
def test_a_detector_of_few_rows_has_fewer_folds_or_no_score(partitions, rows):
    train, test, _ = partitions
    found = c2st(train.head(rows), test, TableEncoder().fit(train), seed=1)
    values = {score.about.model: score.value for score in found if score.metric == "c2st_auc"}
    assert set(values) == {"xgboost", "logistic_regression"}
    assert all(np.isnan(value) if rows == 1 else 0 <= value <= 1 for value in values.values())


def test_attacks_on_few_persons_leave_shadow_models_out(partitions):
    train, test, codebook = partitions
    groups = Parts(*(table.reset_index(drop=True) for table in (train[:6], train[6:12], test[:6], test[6:12])))
    person = np.arange(6)
    assert not can_shadow(person)

    def release(shadows, seed):
        raise AssertionError("there are no quarters to fit on")

    whose = Attacked(person, person, person)
    found = list(audit(groups.fresh, groups, codebook, ["age", "sex"], seed=1, person=whose, release=release))
    asked = {(score.about.attack, score.about.group) for score in found if score.metric == "membership_auc"}
    attacks = ("neighbours", "trees", "chosen")
    assert asked == {(attack, who) for attack in attacks for who in ("everyone", "outliers")}


def test_a_figure_without_scores_says_why():
    figure = without_scores("No scores of attacks.", note="ward")
    assert "No scores of attacks." in [text.get_text() for text in figure.texts]
