"""Scores: what they say of a perfect copy, of noise, and of tables that lack something."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.crosstabs import Crosstabs
from medsynth.evaluation.references import REFERENCES, draw_rows
from medsynth.evaluation.resampling import Persons
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.compute import c2st, c2st_null
from medsynth.scores.fidelity.compute import _pair_trends, common_bin_pair_trends, moments, quality
from medsynth.scores.fidelity.plot_data import (
    association_difference,
    associations,
    correlation_ratios,
    distributions,
    histogram_edges,
)
from medsynth.scores.utility.compute import CLASSIFIERS, classification_scores, majority, train_and_test
from tests.conftest import by_about

ADMITTED = Target(name="admitted", column="admitted", positive="yes", not_predictors=["icu"])
OUTCOME = Target(
    name="outcome",
    outcomes=[
        {"label": "icu", "column": "icu", "equals": "yes"},
        {"label": "ward", "column": "admitted", "equals": "yes"},
    ],
    otherwise="home",
)


def test_a_positive_category_comes_second(partitions):
    train = partitions[0]
    assert ADMITTED.classes(train) == ["no", "yes"]
    assert Target(name="t", column="sex", positive="female").classes(train) == ["male", "female"]
    assert Target(name="t", column="stage", positive="II").classes(train) == ["not II", "II"]


def test_the_first_outcome_that_holds_is_the_label(partitions):
    train = partitions[0]
    labels = np.array(OUTCOME.classes(train))[OUTCOME.labels(train)]
    assert ((labels == "icu") == (train["icu"] == "yes")).all()
    assert ((labels == "home") == (train["admitted"] == "no") & (train["icu"] != "yes")).all()


def test_a_threshold_makes_a_numeric_column_a_target(partitions):
    train = partitions[0]
    old = Target(name="old", column="age", at_least=60)
    assert (old.labels(train) == (train["age"] >= 60)).all()


def test_what_makes_a_target_never_predicts_it(partitions):
    assert OUTCOME.predictors(partitions[0]) == ["age", "sex", "stage", "crp"]
    assert ADMITTED.predictors(partitions[0].assign(icu_missing="no")) == ["age", "sex", "stage", "crp"]


def test_a_target_of_a_category_that_does_not_exist_names_the_nearest(partitions):
    with pytest.raises(InputError, match=r"column 'icu' has no category 'yess'; did you mean 'yes'\?"):
        Target(name="t", column="icu", positive="yess").check(partitions[2])


def test_real_training_rows_beat_the_majority(partitions):
    train, test, _ = partitions
    encoder = TableEncoder().fit(train)
    real = by_about(train_and_test(train, test, ADMITTED, encoder, seed=1))
    floor = by_about(train_and_test(train, test, ADMITTED, encoder, seed=1, classifiers={"majority": majority}))
    for name in CLASSIFIERS:
        assert real["roc_auc", "admitted", name] > 0.6
    assert floor["roc_auc", "admitted", "majority"] == 0.5
    share = (test["admitted"] == "yes").mean()
    assert floor["accuracy", "admitted", "majority"] == pytest.approx(max(share, 1 - share))


def test_a_table_that_forgot_a_class_is_scored_for_it(partitions):
    train, test, _ = partitions
    encoder = TableEncoder().fit(train)
    forgetful = train[train["admitted"] == "no"]
    found = by_about(train_and_test(forgetful, test, ADMITTED, encoder, seed=1))
    assert found["roc_auc", "admitted", "xgboost"] == 0.5
    assert found["accuracy", "admitted", "xgboost"] == pytest.approx((test["admitted"] == "no").mean())


def test_multi_class_scores(partitions):
    train, test, _ = partitions
    found = by_about(train_and_test(train, test, OUTCOME, TableEncoder().fit(train), seed=1))
    assert len(found) == 12
    assert 0 <= found["brier_score", "outcome", "xgboost"] <= 2


def test_perfect_probabilities_score_perfectly():
    y = np.array([0, 1, 2, 1])
    found = {score.metric: score.value for score in classification_scores(y, np.eye(3)[y])}
    assert found == {"accuracy": 1, "balanced_accuracy": 1, "roc_auc": 1, "average_precision": 1, "brier_score": 0}


def test_one_class_among_the_test_rows_ranks_nothing():
    found = {s.metric: s.value for s in classification_scores(np.zeros(4, dtype=int), np.full((4, 2), 0.5))}
    assert np.isnan(found["roc_auc"]) and np.isnan(found["average_precision"])


def test_quality_of_a_copy_is_one_and_of_independent_columns_less(partitions):
    train, _, codebook = partitions
    copy = by_about(quality(train, train, codebook))
    assert copy["quality"] == pytest.approx(1)
    assert copy["column_shape", "age"] == pytest.approx(1)
    shuffled = REFERENCES["independent"](train, train, np.arange(len(train)), np.random.default_rng(0)).table
    assert by_about(quality(shuffled, train, codebook))["pair_trends"] < 0.98


def test_one_extreme_row_moves_sdmetrics_pair_trends_but_not_those_of_common_bins(partitions):
    """SDMetrics bins each table over its own range: why the project gives a second measure beside it."""
    _, _, codebook = partitions
    rng = np.random.default_rng(0)
    stage = rng.choice(["I", "II", "III"], 2000)
    crp = rng.normal(20, 3, 2000) + 30 * (stage == "III") + 15 * (stage == "II")
    two = codebook.model_copy(update={"columns": {name: codebook.columns[name] for name in ("stage", "crp")}})
    table = two.conform(pd.DataFrame({"stage": stage, "crp": crp}))
    extreme = table.copy()
    extreme.loc[0, "crp"] = 400
    assert by_about(quality(extreme, table, two))["pair_trends"] < 0.5
    assert by_about(common_bin_pair_trends(extreme, table, two))["common_bin_pair_trends"] > 0.99


def test_common_bins_agree_with_sdmetrics_where_ranges_agree(partitions):
    train, _, codebook = partitions
    shuffled = train.assign(stage=train["stage"].sample(frac=1, random_state=1).array)
    assert by_about(common_bin_pair_trends(shuffled, train, codebook))["common_bin_pair_trends"] == pytest.approx(
        by_about(quality(shuffled, train, codebook))["pair_trends"]
    )


def test_replicates_of_pair_trends_are_of_the_score_that_sdmetrics_gives(partitions):
    """Each table on its own bins, so that a patient with an extreme value widens the interval."""
    train, _, codebook = partitions
    half, other = train.iloc[::2].reset_index(drop=True), train.iloc[1::2].reset_index(drop=True)
    expected = by_about(quality(half, other, codebook))["pair_trends"]
    assert _pair_trends(half, other, codebook, own_bins=True) == pytest.approx(expected, abs=0.005)
    persons = Persons.draw(np.arange(len(other)), seed=1)
    usual = {s.metric: s.variance for s in quality(half, other, codebook, persons) if not s.about.column}
    other.loc[0, "crp"] = 5_000.0
    extreme = {s.metric: s.variance for s in quality(half, other, codebook, persons) if not s.about.column}
    assert extreme["pair_trends"] > 1.2 * usual["pair_trends"]


def test_a_column_that_became_constant_is_scored_as_a_lost_correlation(partitions):
    train, _, codebook = partitions
    two = codebook.model_copy(update={"columns": {name: codebook.columns[name] for name in ("age", "crp")}})
    real = two.conform(train.assign(crp=train["age"] * 2.0))
    found = by_about(common_bin_pair_trends(real.assign(crp=20.0), real, two))
    assert found["common_bin_pair_trends"] == pytest.approx(0.5)


def test_moments_are_pandas_moments_with_excess_kurtosis(partitions):
    train, test, codebook = partitions
    found = by_about(moments(train, test, codebook))
    assert found["kurtosis", "crp"] == pytest.approx(train["crp"].kurt())
    assert found["mean_real", "age"] == pytest.approx(test["age"].mean())
    assert {column for _, column in found} == {"age", "crp"}


def auc_of(found, detector="xgboost"):
    """C2ST AUC of a detector."""
    return by_about(found)["c2st_auc", detector]


@pytest.mark.parametrize("detector", ["xgboost", "logistic_regression"])
def test_a_detector_cannot_tell_halves_apart_but_finds_shifted_rows(partitions, detector):
    train, _, _ = partitions
    encoder = TableEncoder().fit(train)
    halves = train.iloc[::2], train.iloc[1::2]
    assert 0.35 < auc_of(c2st(*halves, encoder, seed=1), detector) < 0.65
    assert auc_of(c2st(train.assign(age=train["age"] + 100), train, encoder, seed=1), detector) > 0.99


def persons_with_rows(people, rows, seed):
    """Real rows of persons who have several that are alike, whose rows they are, and what encodes them."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), rows)
    table = pd.DataFrame({f"x{i}": rng.normal(size=people)[person] for i in range(6)})
    return table.assign(visit=rng.normal(size=len(person))), person


def test_persons_of_several_rows_are_not_known_again():
    """By row, real rows are told from real rows: each person's other rows are in the training folds."""
    (first, person), (second, _) = (persons_with_rows(100, 4, seed) for seed in (1, 2))
    encoder = TableEncoder().fit(first)
    by_row = auc_of(c2st(first, second, encoder, seed=1))
    whose = Persons.draw(person, seed=1)
    by_person = auc_of(c2st(first, second, encoder, seed=1, persons=whose, synthetic_persons=whose))
    assert by_row > 0.9 and by_person < 0.7


def test_duplicates_are_counted_and_not_detected():
    """Rows drawn with replacement are real rows: a detector that met a duplicate in training must not know it."""
    detected = []
    for seed in range(6):
        (first, _), (second, _) = (persons_with_rows(300, 1, 10 * seed + i) for i in (1, 2))
        again = first.sample(300, replace=True, random_state=seed).reset_index(drop=True)
        found = by_about(c2st(again, second, TableEncoder().fit(first), seed=1))
        assert found["duplicates"] == pytest.approx(0.37, abs=0.08)
        detected.append(found["c2st_auc", "xgboost"])
    assert np.mean(detected) < 0.56


def test_the_detector_is_asked_at_fewer_rows_too(partitions):
    train, _, _ = partitions
    found = by_about(c2st(train, train, TableEncoder().fit(train), seed=1, curve=[50, 100, 10_000]))
    assert {name[2] for name in found if name[0] == "c2st_auc_by_rows"} == {50, 100, len(train)}


def test_tables_of_one_row_have_no_detector(partitions):
    train, _, _ = partitions
    assert np.isnan(auc_of(c2st(train.head(1), train.tail(1), TableEncoder().fit(train), seed=1)))


def test_the_null_is_real_rows_against_real_rows(partitions):
    train, _, _ = partitions
    persons = Persons.draw(np.arange(len(train)), seed=1)
    found = [s.value for s in c2st_null(train, persons, TableEncoder().fit(train), rows=100, seed=1, draws=4)]
    assert len(set(found)) == 8 and np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_synthetic_numbers_have_the_decimals_of_the_real_table(partitions):
    train, _, codebook = partitions
    drawn = codebook.conform(train.assign(crp=train["crp"] + 0.0123456))
    assert (drawn["crp"] == drawn["crp"].round(1)).all()


@pytest.mark.slow
def test_replicates_of_quality_vary_as_the_score_does_over_persons(partitions):
    train, _, codebook = partitions
    halves = train.iloc[::2].reset_index(drop=True), train.iloc[1::2].reset_index(drop=True)
    persons = Persons.draw(np.arange(len(halves[1])), seed=1)
    found = {s.metric: s for s in quality(*halves, codebook, persons) if not s.about.column}
    drawn = []
    for weights in persons.weights[:25].astype(int):
        again = halves[1].iloc[np.repeat(np.arange(len(weights)), weights)].reset_index(drop=True)
        drawn.append(by_about(quality(halves[0], again, codebook))["column_shapes"])
    assert np.sqrt(found["column_shapes"].variance) == pytest.approx(np.std(drawn), rel=0.6)
    assert found["quality"].variance > 0


@pytest.mark.slow
def test_the_variance_of_pair_trends_knows_of_extreme_patients():
    rng = np.random.default_rng(0)
    columns = {name: {"type": "continuous"} for name in ("stay", "cost", "urea")}
    facts = {"name": "stays", "title": "Stays", "publisher": "nobody", "licence": "none", "columns": columns}
    codebook = Codebook.model_validate({**facts, "raw": {"file": "stays.csv", "obtain": "make it up"}})

    def drawn(rows):
        frailty = rng.standard_t(3, size=(rows, 1))
        return pd.DataFrame(np.exp(0.7 * frailty + rng.normal(0, 0.6, (rows, 3))), columns=list(codebook.columns))

    judged, values, variances = drawn(400), [], []
    for seed in range(60):
        persons = Persons.draw(np.arange(400), seed=seed)
        (found,) = (s for s in quality(judged, drawn(400), codebook, persons) if s.metric == "pair_trends")
        values.append(found.value)
        variances.append(found.variance)
    assert np.mean(variances) > 0.8 * np.var(values)


def test_the_holdout_is_halves_by_person_and_real_rows_are_all_of_them(partitions):
    train, test, _ = partitions
    person = np.arange(len(test)) // 3
    pair = REFERENCES["holdout"](train, test, person, np.random.default_rng(0))
    assert not set(person[pair.table_rows]) & set(person[pair.against])
    assert len(pair.table) + len(pair.against) == len(test)
    assert REFERENCES["real"](train, test, person, np.random.default_rng(0)).table is train


def test_rows_are_drawn_without_replacement(partitions):
    table = partitions[0].assign(age=np.arange(len(partitions[0])))
    drawn = draw_rows(table, 20, np.random.default_rng(0))
    assert drawn["age"].is_unique and len(drawn) == 20


def test_histograms_are_densities_on_the_real_tables_bins(partitions):
    train, test, codebook = partitions
    found = distributions({"real": test, "synthetic": train}, codebook, edges_from="real")
    for name in ("age", "crp"):
        widths = np.diff(found[name]["edges"])
        assert (np.array(found[name]["synthetic"]) * widths).sum() == pytest.approx(1)
    assert sum(found["icu"]["real"]) == pytest.approx(1)


def test_every_integer_lies_in_the_middle_of_a_bin_of_its_own():
    assert histogram_edges(pd.Series([2, 3, 3, 5]), integer=True, least=1).tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert histogram_edges(pd.Series([5, 15, 35]), integer=True, least=1).tolist() == [0, 10, 20, 30, 40]


def test_associations_are_symmetric_and_know_a_copy(partitions):
    train, _, codebook = partitions
    matrix = associations(train, codebook)
    assert np.allclose(matrix, matrix.T)
    # "Not applicable" is exactly those who were not admitted.
    assert matrix.loc["icu", "admitted"] == pytest.approx(1)


def test_the_correlation_ratio_is_one_for_a_function_of_the_group_and_zero_for_a_constant():
    groups = pd.Series([0, 0, 1, 1])
    values = pd.DataFrame({"function": [1.0, 1.0, 5.0, 5.0], "constant": 2.0})
    assert correlation_ratios(groups, values).tolist() == [pytest.approx(1), 0]


def test_crosstabs_of_all_pairs_are_those_of_each_pair(partitions):
    train, test, _ = partitions
    names = ["sex", "stage", "icu", "admitted"]
    codes, others = (table[names].apply(lambda column: column.cat.codes).astype("int64") for table in (train, test))
    sizes = codes.max() + 1
    strength = Crosstabs(codes, sizes).cramers_v()
    distance = Crosstabs(codes, sizes).total_variation(Crosstabs(others, sizes))
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            if i != j:
                pair = pd.crosstab(train[first], train[second])
                assert strength[i, j] == pytest.approx(stats.contingency.association(pair, method="cramer"))
                shares = pair / len(train), pd.crosstab(test[first], test[second]) / len(test)
                assert distance[i, j] == pytest.approx(np.abs(shares[0] - shares[1]).to_numpy().sum() / 2)


def test_a_constant_column_is_associated_with_nothing():
    assert Crosstabs(pd.DataFrame({"constant": [0, 0, 0], "other": [0, 1, 1]})).cramers_v()[0, 1] == 0


def test_a_table_differs_from_itself_in_no_association_and_from_shuffled_columns_in_some(partitions):
    train, _, codebook = partitions
    shuffled = train.assign(admitted=train["admitted"].sample(frac=1, random_state=1).reset_index(drop=True))
    assert association_difference(associations(train, codebook), train, codebook).value == 0
    assert association_difference(associations(shuffled, codebook), train, codebook).value > 0.01
