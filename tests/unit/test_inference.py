"""Inference from synthetic tables: the fit, the comparison with real rows, the figure."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from medsynth.errors import InputError
from medsynth.scores.inference.compute import Analysis, Design, fit_logistic, independent_terms, inference_scores
from medsynth.scores.inference.figure import forest
from medsynth.scores.inference.table import display_inference, inference_table
from tests.conftest import table_of_scores
from tests.unit.conftest import NOTE, STYLES

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


def test_rows_that_a_number_separates_give_no_estimate_at_all():
    x = np.column_stack([np.ones(40), np.arange(40) - 19.5])
    assert np.isnan(fit_logistic(x, (x[:, 1] > 0).astype(int))).all()


def test_of_aliased_terms_the_first_keeps_its_estimate_as_without_the_others():
    x, y = rows(500)
    repeated = x[:, 2]
    rest = 1 - x[:, 2]
    fit = fit_logistic(np.column_stack([x, repeated, rest, 3 * x[:, 1] - 2 * x[:, 2]]), y)
    assert np.isnan(fit.estimates).tolist() == np.isnan(fit.variances).tolist() == [False] * 3 + [True] * 3
    alone = fit_logistic(x, y)
    np.testing.assert_allclose(fit.estimates[:3], alone.estimates)
    np.testing.assert_allclose(fit.variances[:3], alone.variances)


def test_terms_that_are_hard_to_tell_apart_are_not_aliased():
    x, _ = rows(500)
    near = x[:, 1] + 1e-4 * np.random.default_rng(1).normal(size=500)
    assert independent_terms(np.column_stack([x, near])).all()
    assert independent_terms(np.column_stack([1e6 * x, near, near])).tolist() == [True] * 4 + [False]
    assert independent_terms(np.column_stack([x[:2], [1, 3], [3, 1]])).sum() == 2


def test_rows_without_a_category_or_with_one_class_say_nothing():
    x, y = rows(200)
    fit = fit_logistic(np.column_stack([x, np.zeros(200)]), y)
    assert np.isnan(fit.estimates).tolist() == [False, False, False, True]
    assert np.isnan(fit_logistic(x, np.zeros(200, dtype=int)).estimates).all()


def test_numbers_count_in_real_standard_deviations_and_categories_against_the_most_frequent(partitions):
    train, test, _ = partitions
    design = Design(ADMITTED.predictors, least=10).fit(train)
    base = train["stage"].value_counts().index[0]
    assert set(design.terms_) - {"(intercept)", "age (per SD)"} == {
        f"{name}: {category}" for name in ("sex", "stage") for category in train[name].value_counts().index[1:]
    }
    x = pd.DataFrame(design.matrix(test), columns=design.terms_)
    np.testing.assert_allclose(x["age (per SD)"], (test["age"] - train["age"].mean()) / train["age"].std())
    categories = x[[term for term in x if term.startswith("stage")]]
    assert (categories.sum(axis=1).to_numpy() == (test["stage"] != base).to_numpy()).all()


def test_a_category_of_few_patients_and_a_dropped_column_have_no_term(partitions):
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


def table_of(seed):
    """2,000 rows of the model of `rows`."""
    x, y = rows(2000, seed)
    categories = {"group": np.where(x[:, 2], "b", "a"), "y": np.where(y, "yes", "no")}
    return pd.DataFrame({"number": x[:, 1], **{name: pd.Categorical(v) for name, v in categories.items()}})


def long_table(*named):
    """Long table of scores of (generator, what the table is, table)."""
    design = Design(["number", "group"]).fit(table_of(0))
    analysis = Analysis(outcome={"name": "y", "column": "y", "positive": "yes"}, predictors=["number", "group"])
    long = [
        (generator, 0, 1, "inference", score.metric, score.of(**about).about._asdict(), score.value)
        for generator, about, table in named
        for score in inference_scores(table, analysis, design)
    ]
    return table_of_scores(long)


def made(table, imputation=None, draw=None):
    """What a table is."""
    return {"table": table, "imputation": imputation, "draw": draw}


REAL = [("real", made("train", 1), table_of(0)), ("real", made("held_out"), table_of(1))]

MODELS = [made("model", 1, 1), made("model", 1, 2)]


@pytest.fixture(scope="module")
def scores():
    """The real training rows' model, a generator that has it, one that shuffles, one without a category."""
    named = [*REAL]
    for i in range(10):
        name = made("model", 1, i + 1)
        named.append(("cart", name, table_of(10 + i)))
        shuffled = table_of(10 + i)
        shuffled = shuffled.assign(y=shuffled["y"].sample(frac=1, random_state=i, ignore_index=True))
        named.append(("independent", name, shuffled))
        named.append(("tvae", name, table_of(10 + i).assign(group=pd.Categorical(["a"] * 2000, categories=["a", "b"]))))
    return long_table(*named)


def rule_of(*names, real=REAL):
    """The rule, and the row, by which tables of these names are combined."""
    found = inference_table(long_table(*real, *(("cart", name, table_of(10 + i)) for i, name in enumerate(names))))
    found = found[(found["generator"] == "cart") & (found["term"] == "number (per SD)")].set_index("rule")
    return found.index.to_list(), found.iloc[0]


def test_the_rule_follows_from_how_tables_were_made():
    assert rule_of(*MODELS)[0] == ["plug_in"]
    assert rule_of(MODELS[0])[0] == ["one_model"]
    assert rule_of(*MODELS, made("model", 2, 3), made("model", 2, 4))[0] == ["nested"]
    rules, _ = rule_of(*MODELS, *(made("refit", 1, i) for i in (1, 2, 3)))
    assert rules == ["plug_in", "proper"]


def test_the_real_estimate_is_combined_over_its_imputations():
    further = [("real", made("train", i), table_of(100 + i)) for i in (2, 3)]
    _, once = rule_of(*MODELS)
    _, often = rule_of(*MODELS, real=[*REAL, *further])
    tables = [table_of(0), table_of(102), table_of(103)]
    design = Design(["number", "group"]).fit(tables[0])
    fits = [fit_logistic(design.matrix(table), (table["y"] == "yes").to_numpy(int)) for table in tables]
    estimates = [fit.estimates[1] for fit in fits]
    assert often["real"] == pytest.approx(np.mean(estimates))
    within = np.mean([fit.variances[1] for fit in fits])
    assert often["real_se"] ** 2 == pytest.approx(within + (1 + 1 / 3) * np.var(estimates, ddof=1))
    assert once["real"] == pytest.approx(estimates[0])


def test_width_is_that_of_the_interval_against_the_real_one(scores):
    row = inference_table(scores).set_index(["generator", "term"]).loc[("cart", "number (per SD)")]
    assert row["width"] == pytest.approx((row["high"] - row["low"]) / (row["real_high"] - row["real_low"]))
    shown = display_inference(inference_table(scores), STYLES).set_index("Model")
    assert float(shown.loc["Held-out real rows (upper reference)", "Width / real width, median"]) == pytest.approx(
        1, abs=0.1
    )


def test_the_display_says_what_each_interval_covers():
    names = [*MODELS, made("refit", 1, 1), made("refit", 1, 2)]
    found = inference_table(long_table(*REAL, *(("tvae", name, table_of(i)) for i, name in enumerate(names))))
    shown = display_inference(found, STYLES)
    assert shown[["Model", "Interval: covers"]].to_numpy().tolist() == [
        ["Held-out real rows (upper reference)", "own rows: persons"],
        ["TVAE", "plug-in: persons, training, sampling"],
        ["TVAE", "bootstrap refits: persons, training, sampling"],
    ]


def test_a_generator_that_has_the_model_agrees_and_one_that_shuffles_does_not(scores):
    table = inference_table(scores).set_index(["generator", "term"])
    assert table.loc[("cart", "number (per SD)"), ["covers", "same_sign", "same_conclusion"]].tolist() == [1, 1, 1]
    assert abs(table.loc[("cart", "number (per SD)"), "bias"]) < 2.5
    shuffled = table.loc[("independent", "number (per SD)")]
    assert abs(shuffled["bias"]) > 10
    assert shuffled[["overlap", "covers", "same_conclusion"]].tolist() == [0, 0, 0]


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


def test_the_summary_has_the_upper_reference_generators_and_the_lower(scores):
    shown = display_inference(inference_table(scores), STYLES)
    assert shown["Model"].iloc[0] == "Held-out real rows (upper reference)"
    assert shown["Model"].iloc[-1] == "Independent marginals (lower reference)"
    overlap = shown.set_index("Model")["Overlap with the real interval, mean"].astype(float)
    assert overlap.iloc[-1] < 0.3 < overlap.iloc[0]


def test_the_forest_plot_names_every_term_and_model(scores):
    figure = forest(scores, STYLES, outcome="y", note=NOTE)
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["number (per SD)", "group: b"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"Real training rows", "Held-out real rows (upper reference)", "TVAE"} < set(labels) and len(labels) == 5


def test_a_study_without_a_model_has_an_empty_table_and_no_figure(scores):
    nothing = scores.iloc[:0]
    assert inference_table(nothing).empty and display_inference(inference_table(nothing), STYLES).empty
    with pytest.raises(InputError, match="ask for them with the study's key 'inference'"):
        forest(nothing, STYLES, outcome="y", note=NOTE)
