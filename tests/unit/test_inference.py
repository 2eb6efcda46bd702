"""Inference from synthetic tables: the fit, the combining rules, the comparison with real rows, the figure."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from medsynth.errors import InputError
from medsynth.evaluation.inference import (
    Analysis,
    Design,
    combine,
    combine_plug_in,
    fit_logistic,
    inference_scores,
    interval_overlap,
)
from medsynth.reporting.inference import display_inference, forest, inference_table
from tests.unit.test_reporting import NOTE, STYLES

ADMITTED = Analysis(
    outcome={"name": "admitted", "column": "admitted", "positive": "yes"}, predictors=["age", "sex", "stage"]
)


def rows(n, seed=0, beta=(-0.5, 1.0, -0.7)):
    """Rows of a logistic model: an intercept, a number, an indicator."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=n), rng.random(n) < 0.3])
    return x, (rng.random(n) < 1 / (1 + np.exp(-x @ np.array(beta)))).astype(int)


def test_estimates_are_those_of_scikit_learn_without_penalty():
    x, y = rows(500)
    theirs = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y).coef_[0]
    np.testing.assert_allclose(fit_logistic(x, y).estimates, theirs, atol=1e-5)


def test_the_variance_of_a_log_odds_ratio_is_the_sum_of_reciprocal_counts():
    counts = {(0, 0): 40, (0, 1): 10, (1, 0): 25, (1, 1): 35}
    x, y = (np.repeat([key[i] for key in counts], list(counts.values())) for i in (0, 1))
    fit = fit_logistic(np.column_stack([np.ones(len(x)), x]), y)
    assert fit.estimates[1] == pytest.approx(np.log(35 * 40 / (10 * 25)))
    assert fit.variances[1] == pytest.approx(sum(1 / n for n in counts.values()))


def test_a_term_that_separates_has_no_estimate_and_the_others_keep_theirs():
    x, y = rows(500)
    only_alive = (np.arange(500) < 20) & (y == 0)
    fit = fit_logistic(np.column_stack([x, only_alive]), y)
    assert np.isnan([fit.estimates[3], fit.variances[3]]).all()
    others = fit_logistic(x[~only_alive], y[~only_alive])
    np.testing.assert_allclose(fit.estimates[:3], others.estimates, atol=1e-4)


def test_rows_without_a_level_or_with_one_class_say_nothing():
    x, y = rows(200)
    fit = fit_logistic(np.column_stack([x, np.zeros(200)]), y)
    assert np.isnan(fit.estimates).tolist() == [False, False, False, True]
    assert np.isnan(fit_logistic(x, np.zeros(200, dtype=int)).estimates).all()


def test_combined_by_hand():
    estimates, variances = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.5, 0.5, 1.0, 2.0])
    b, u = 14 / 3, 1.0
    found = combine(estimates, variances, ratio=1)
    assert found[:2] == pytest.approx((3, 1.25 * b - u))
    assert found.df == pytest.approx(3 * (1 - u / (1.25 * b)) ** 2)
    assert found.high - 3 == pytest.approx(stats.t.ppf(0.975, found.df) * np.sqrt(found.variance))


def test_a_variance_below_zero_is_replaced_by_that_of_the_real_rows():
    found = combine(np.array([1.0, 1.1, 0.9]), np.array([0.4, 0.4, 0.4]), ratio=0.5)
    assert found.variance == pytest.approx(0.2)
    assert found.high == pytest.approx(1 + 1.959964 * np.sqrt(0.2))


def test_the_plug_in_rule_by_hand():
    assert combine_plug_in(np.array([1.0, 3.0]), np.array([0.2, 0.4]), ratio=2).variance == pytest.approx(0.3 * 2.5)


@pytest.mark.parametrize(("rule", "drawn_anew"), [(combine, True), (combine_plug_in, False)])
def test_each_rule_covers_for_the_synthesis_that_it_is_made_for(rule, drawn_anew):
    """Means of 100 normal rows; 50 synthetic tables from N(mean, 1), or from a mean drawn from its posterior."""
    rng, n, m, covered = np.random.default_rng(0), 100, 50, []
    for _ in range(400):
        mean = rng.normal(0, 1 / np.sqrt(n)) + (rng.normal(0, 1 / np.sqrt(n), m) if drawn_anew else np.zeros(m))
        estimates = rng.normal(mean, 1 / np.sqrt(n))
        found = rule(estimates, np.full(m, 1 / n), ratio=1)
        covered.append(found.low <= 0 <= found.high)
    assert 0.92 < np.mean(covered) < 0.98


def test_for_a_model_fitted_once_the_first_rule_has_no_variance_half_of_the_time():
    rng = np.random.default_rng(0)
    found = [combine(rng.normal(0, 0.1, 50), np.full(50, 0.01), ratio=1) for _ in range(200)]
    assert 0.3 < np.mean([np.isinf(one.df) for one in found]) < 0.7


def test_intervals_overlap_by_their_common_share():
    assert interval_overlap((0, 2), (0, 2)) == 1
    assert interval_overlap((0, 2), (1, 5)) == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert interval_overlap((0, 1), (2, 3)) == 0


def test_numbers_count_in_real_standard_deviations_and_levels_against_the_most_frequent(partitions):
    train, test, _ = partitions
    design = Design(ADMITTED.predictors, least=10).fit(train)
    base = train["stage"].value_counts().index[0]
    assert set(design.terms_) - {"(intercept)", "age (per SD)"} == {
        f"{name}: {level}" for name in ("sex", "stage") for level in train[name].value_counts().index[1:]
    }
    x = pd.DataFrame(design.matrix(test), columns=design.terms_)
    np.testing.assert_allclose(x["age (per SD)"], (test["age"] - train["age"].mean()) / train["age"].std())
    levels = x[[term for term in x if term.startswith("stage")]]
    assert (levels.sum(axis=1).to_numpy() == (test["stage"] != base).to_numpy()).all()


def test_a_level_of_few_patients_and_a_dropped_column_have_no_term(partitions):
    train, _, _ = partitions
    rare = train.assign(stage=train["stage"].where(train.index > 3, "III").where(train.index < 4, "I"))
    rare["stage"] = rare["stage"].astype(train["stage"].dtype)
    terms = Design([*ADMITTED.predictors, "dropped"], least=10).fit(rare).terms_
    assert not [term for term in terms if term.startswith(("stage", "dropped"))]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"predictors": ["agee"]}, "has no column 'agee'; did you mean 'age'"),
        ({"predictors": ["admitted"]}, "column 'admitted' makes the outcome"),
        ({"predictors": ["patient"]}, "column 'patient' is not in the clean table"),
        ({"outcome": {"name": "stage", "column": "stage"}}, "the outcome needs 'positive' or 'at_least'"),
    ],
)
def test_a_model_that_does_not_fit_is_refused_in_a_sentence(codebook, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        Analysis(**{**ADMITTED.model_dump(), **changes}).check(codebook)


@pytest.fixture(scope="module")
def scores():
    """Long table: the real training rows' model, a generator that has it, one that shuffles, one without a level."""
    long = []

    def add(generator, name, table):
        design = Design(["number", "group"]).fit(table_of(0))
        analysis = Analysis(outcome={"name": "y", "column": "y", "positive": "yes"}, predictors=["number", "group"])
        for metric, detail, value in inference_scores(table, analysis, design, name=str(name)):
            long.append((generator, 0, 1, "inference", metric, detail, value))

    def table_of(seed):
        x, y = rows(2000, seed)
        levels = {"group": np.where(x[:, 2], "b", "a"), "y": np.where(y, "yes", "no")}
        return pd.DataFrame({"number": x[:, 1], **{name: pd.Categorical(v) for name, v in levels.items()}})

    add("real", "train", table_of(0))
    add("real", "held_out", table_of(1))
    for i in range(10):
        add("cart", i, table_of(10 + i))
        shuffled = table_of(10 + i)
        add("independent", i, shuffled.assign(y=shuffled["y"].sample(frac=1, random_state=i, ignore_index=True)))
        add("tvae", i, table_of(10 + i).assign(group=pd.Categorical(["a"] * 2000, categories=["a", "b"])))
    columns = ["generator", "epochs", "seed", "family", "metric", "detail", "value"]
    return pd.DataFrame(long, columns=columns)


def test_a_generator_that_has_the_model_agrees_and_one_that_shuffles_does_not(scores):
    table = inference_table(scores).set_index(["generator", "term"])
    assert table.loc[("cart", "number (per SD)"), ["covers", "same_sign", "same_conclusion"]].tolist() == [1, 1, 1]
    assert abs(table.loc[("cart", "number (per SD)"), "bias"]) < 2.5
    shuffled = table.loc[("independent", "number (per SD)")]
    assert abs(shuffled["bias"]) > 10 and (shuffled["overlap"], shuffled["covers"], shuffled["same_conclusion"]) == (
        0,
        0,
        0,
    )


def test_held_out_rows_are_one_table_with_the_usual_interval(scores):
    real = inference_table(scores).set_index(["generator", "term"]).loc[("real", "number (per SD)")]
    assert real["tables"] == 1 and real["high"] - real["low"] == pytest.approx(2 * 1.959964 * real["se"])
    assert real["se"] == pytest.approx(real["real_se"], rel=0.2) and real["se"] != real["real_se"]


def test_a_term_that_tables_cannot_estimate_counts_as_failed(scores):
    table = inference_table(scores).set_index(["generator", "term"])
    lost = table.loc[("tvae", "group: b")]
    assert lost["tables"] == 0 and np.isnan(lost["estimate"])
    assert lost[["overlap", "covers", "same_conclusion"]].tolist() == [0, 0, 0]
    shown = display_inference(table.reset_index(), STYLES).set_index("Model")
    assert shown.loc["TVAE", "Not estimable"] == "1 of 2"


def test_the_summary_has_ceiling_generators_and_floor(scores):
    shown = display_inference(inference_table(scores), STYLES)
    assert shown["Model"].iloc[0] == "Held-out real rows (ceiling)"
    assert shown["Model"].iloc[-1] == "Independent columns (floor)"
    overlap = shown.set_index("Model")["Interval overlap, mean"].astype(float)
    assert overlap.iloc[-1] < 0.3 < overlap.iloc[0]


def test_the_forest_plot_names_every_term_and_model(scores):
    figure = forest(scores, STYLES, outcome="y", note=NOTE)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["number (per SD)", "group: b"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"Real training rows", "Held-out real rows (ceiling)", "TVAE"} < set(labels) and len(labels) == 5


def test_a_study_without_a_model_has_an_empty_table_and_no_figure(scores):
    nothing = scores.iloc[:0]
    assert inference_table(nothing).empty and display_inference(inference_table(nothing), STYLES).empty
    with pytest.raises(InputError, match="the study's key 'inference' asks for them"):
        forest(nothing, STYLES, outcome="y", note=NOTE)
