"""Published numbers beside ours: every rule, every verdict."""

import numpy as np
import pytest

from medsynth.errors import InputError, validate
from medsynth.evaluation.resampling import REPLICATES
from medsynth.scores.published.publication import Publication
from medsynth.scores.published.table import display_published, published_table
from tests.unit.conftest import STYLES, scores

OWN = {"dataset": "sci", "title": "SCI", "source": "file", "target": "age"}
FACTS = {"raw_rows": 100, "rows": 100, "train_rows": 80, "test_rows": 20, "columns": 5}
SCORES = scores(
    ("real", 0, "utility", "accuracy", {"target": "age", "model": "xgboost"}, [0.88, 0.89, 0.87]),
    ("majority", 0, "utility", "accuracy", {"target": "age", "model": "majority"}, [0.66, 0.66, 0.66]),
    ("tvae", 100, "utility", "accuracy", {"target": "age", "model": "xgboost"}, [0.80, 0.81, 0.82]),
    ("tvae", 200, "utility", "accuracy", {"target": "age", "model": "xgboost"}, [0.84, 0.85, 0.86]),
    ("ctgan", 200, "utility", "accuracy", {"target": "age", "model": "xgboost"}, [0.70, 0.72, 0.71]),
    ("gaussian_copula", 0, "utility", "accuracy", {"target": "age", "model": "xgboost"}, [0.845, 0.85, 0.853]),
    ("tvae", 200, "cost", "seconds", {"stage": "train"}, [318.0, 320.0, 322.0]),
    ("tvae", 200, "fidelity", "std", {"column": "age"}, [9.0, 9.1, 9.2]),
    ("real", 0, "fidelity", "std", {"column": "age"}, [10.0, 10.0, 10.0]),
    ("tvae", 200, "importance", "mean_abs_shap", {"target": "age", "column": "bmi"}, [0.3, 0.3, 0.1]),
    ("tvae", 200, "importance", "mean_abs_shap", {"target": "age", "column": "sex"}, [0.1, 0.1, 0.3]),
)
ACCURACY = {
    "family": "utility",
    "metric": "accuracy",
    "about": {"model": "xgboost", "target": "{target}"},
    "evidence": "tables/utility",
}


def row(run=OWN, facts=FACTS, **item):
    """First row of the table for one item."""
    content = {"item": "it", "where": "Table 1", **ACCURACY, **item}
    publication = Publication(dataset="sci", rows=100, items=[content])
    return published_table(SCORES, publication, facts, run=run).iloc[0]


def test_a_number_agrees_within_its_margin_and_differs_outside():
    near = row(published=0.86, margin=0.01, generators=["tvae"], epochs=200)
    far = row(published=0.87, margin=0.01, generators=["tvae"], epochs=200)
    assert (near["verdict"], far["verdict"]) == ("agrees", "differs")
    assert near["ours"] == pytest.approx(0.85)
    assert near["ci_low"] < 0.85 < near["ci_high"]


def test_simulated_patients_cannot_test_what_depends_on_patients():
    simulated = {**OWN, "source": "simulated"}
    assert (
        row(simulated, published=0.85, margin=1, generators=["tvae"])["verdict"] == "cannot be tested: simulated data"
    )
    method = row(simulated, published=0.85, margin=1, generators=["tvae"], depends_on="method")
    assert method["verdict"] == "agrees"


def test_another_population_replicates_or_does_not():
    other = {**OWN, "dataset": "else", "title": "Elsewhere"}
    assert row(other, rule="above", generators=["tvae", "ctgan"])["verdict"] == "replicates on Elsewhere"
    assert row(other, rule="above", generators=["ctgan", "tvae"])["verdict"] == "does not replicate on Elsewhere"


def test_a_number_of_other_patients_stands_beside_ours_without_a_verdict():
    other = {**OWN, "dataset": "else", "title": "Elsewhere"}
    number = row(other, published=0.85, margin=0.01, generators=["tvae"])
    assert (number["published"], number["verdict"]) == (0.85, "cannot be tested: a number of other patients")
    assert number["ours"] == pytest.approx(0.85)


def test_cohorts_of_another_dataset_are_left_out():
    other = {**OWN, "dataset": "else", "title": "Elsewhere"}
    item = {"item": "it", "where": "", **ACCURACY}
    cohort = {**item, "rule": "at_least", "limit": 1, "family": "conditional", "metric": "success"}
    cohort |= {"about": {"cohort": "mody"}}
    publication = Publication(dataset="sci", rows=100, items=[cohort])
    table = published_table(SCORES, publication, FACTS, run=other)
    assert table.empty
    assert "Verdict" in display_published(table, STYLES)


def test_another_population_is_judged_at_the_epochs_that_were_run():
    other = {**OWN, "dataset": "else", "title": "Elsewhere"}
    claim = row(other, rule="above", generators=["tvae", "ctgan"], epochs=300)
    assert (claim["epochs"], claim["verdict"]) == (200, "replicates on Elsewhere")


def test_another_population_is_judged_at_the_papers_epochs_where_they_were_run():
    other = {**OWN, "dataset": "else", "title": "Elsewhere"}
    assert row(other, rule="above", generators=["tvae", "ctgan"], epochs=100)["epochs"] == 100


def test_half_of_the_papers_rows_are_needed():
    few = row(facts={**FACTS, "rows": 49}, published=0.85, margin=1, generators=["tvae"])
    assert few["verdict"] == "cannot be tested: 49 of 100 rows"


def test_what_was_not_run_is_said():
    assert row(published=0.8, margin=1, generators=["cart"])["verdict"] == "cannot be tested: cart was not run"
    later = row(published=0.8, margin=1, generators=["tvae"], epochs=300)
    assert (later["epochs"], later["verdict"]) == (200, "cannot be tested: 300 epochs were not run")


def test_an_order_is_tested_paired_over_seeds():
    assert row(rule="above", generators=["tvae", "ctgan"], epochs=200)["verdict"] == "agrees"
    assert row(rule="above", generators=["ctgan", "tvae"], epochs=200)["verdict"] == "differs"
    assert row(rule="above", generators=["tvae", "gaussian_copula"])["verdict"] == "undecided"
    assert row(rule="below", generators=["ctgan", "tvae", "gaussian_copula"])["verdict"] == "agrees"


def test_of_several_rivals_the_interval_and_the_p_value_are_of_the_one_that_decides():
    # CART is 0.005 ahead in every seed, CTGAN by more, but not in all: CART decides.
    rows = [
        ("tvae", 200, "utility", "accuracy", ACCURACY["about"] | {"target": "age"}, [0.84, 0.85, 0.86]),
        ("ctgan", 200, "utility", "accuracy", ACCURACY["about"] | {"target": "age"}, [0.92, 0.85, 0.93]),
        ("cart", 0, "utility", "accuracy", ACCURACY["about"] | {"target": "age"}, [0.8451, 0.855, 0.865]),
    ]
    content = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan", "cart"]}
    publication = Publication(dataset="sci", rows=1, items=[content])
    table = published_table(scores(*rows), publication, FACTS, run=OWN)
    found = table.iloc[0]
    assert (found["decides"], found["verdict"]) == ("cart", "differs")
    assert found["ours"] == pytest.approx(-0.005, abs=1e-4) and found["ci_high"] < 0
    assert display_published(table, STYLES)["Ours (95% CI)"].item().endswith(", from cart")
    alone = [content | {"generators": ["tvae", "cart"]}]
    alone = published_table(scores(*rows), Publication(dataset="sci", rows=1, items=alone), FACTS, run=OWN).iloc[0]
    assert found["p_value"] == pytest.approx(2 * alone["p_value"]) and alone["decides"] == ""


def test_one_seed_decides_no_order():
    one = SCORES[SCORES["seed"] == 0]
    content = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan"]}
    table = published_table(one, Publication(dataset="sci", rows=1, items=[content]), FACTS, run=OWN)
    assert table["verdict"].tolist() == ["cannot be tested: two or more seeds are needed"]


def test_the_best_epoch_count_is_above_every_other_one():
    best = row(rule="best_epochs", generators=["tvae"], epochs=200)
    assert (best["ours"], best["verdict"]) == (pytest.approx(0.04), "agrees")
    assert row(rule="best_epochs", generators=["tvae"], epochs=100)["verdict"] == "differs"
    alone = row(rule="best_epochs", generators=["ctgan"], epochs=200)
    assert alone["verdict"] == "cannot be tested: one epoch count was run"


def test_an_order_at_an_epoch_count_needs_it_of_every_rival():
    early = row(rule="above", generators=["tvae", "ctgan"], epochs=100)
    assert early["verdict"] == "cannot be tested: 100 epochs were not run"
    assert row(rule="above", generators=["tvae", "majority"], epochs=200)["verdict"].endswith("no such score")


def test_a_gap_is_the_difference_of_two_rows_seed_by_seed():
    gap = row(published=0.03, margin=0.005, generators=["real"], minus="tvae", epochs=200)
    assert (gap["ours"], gap["n_seeds"], gap["verdict"]) == (pytest.approx(0.03), 3, "agrees")


def test_what_few_rows_cost_tells_nothing_of_many():
    cost = {"family": "cost", "metric": "seconds", "rule": "at_most", "limit": 900, "generators": ["tvae"]}
    assert row(facts={**FACTS, "rows": 10}, **cost)["verdict"] == "cannot be tested: 10 of 100 rows"


def test_seconds_have_an_interval_around_them():
    cost = {"family": "cost", "metric": "seconds", "about": {"stage": "train"}, "rule": "at_most", "limit": 900}
    found = row(generators=["tvae"], **cost)
    assert 300 < found["ci_low"] < found["ours"] == 320 < found["ci_high"] < 340
    assert found["verdict"] == "agrees"


def test_importance_is_judged_by_the_lead_over_what_would_push_it_out():
    shap = {"family": "importance", "metric": "mean_abs_shap", "rule": "among_top", "generators": ["tvae"]}
    first = row(**shap, about={"target": "age", "column": "bmi"}, limit=1)
    # Ahead in two seeds of three, and behind in one: that may be chance.
    assert (first["ours"], first["verdict"]) == (pytest.approx((0.2 + 0.2 - 0.2) / 3), "undecided")


def test_the_same_rank_in_every_seed_is_no_certainty():
    def found(*ahead):
        both = zip(("bmi", "sex"), ([0.2 + lead for lead in ahead], [0.2] * len(ahead)), strict=True)
        rows = [("tvae", 200, "importance", "mean_abs_shap", {"target": "age", "column": c}, v) for c, v in both]
        content = {"item": "it", "where": "", "family": "importance", "metric": "mean_abs_shap", "rule": "among_top"}
        content |= {
            "about": {"target": "age", "column": "bmi"},
            "limit": 1,
            "generators": ["tvae"],
            "evidence": "tables/x",
        }
        return published_table(scores(*rows), Publication(dataset="sci", rows=1, items=[content]), FACTS, run=OWN)

    assert found(0.001, 0.2, 0.1)["verdict"].item() == "undecided"
    assert found(0.101, 0.1, 0.1)["verdict"].item() == "agrees"
    assert found(-0.101, -0.1, -0.1)["verdict"].item() == "differs"


def test_a_column_with_fewer_others_than_that_is_among_the_first():
    shap = {"family": "importance", "metric": "mean_abs_shap", "rule": "among_top", "generators": ["tvae"]}
    assert row(**shap, about={"target": "age", "column": "bmi"}, limit=9)["ours"] == pytest.approx(0.7 / 3)


def test_a_moment_is_compared_with_that_of_the_real_rows():
    lower = row(family="fidelity", metric="std", about={"column": "*"}, rule="below_real", generators=["tvae"])
    assert (lower["ours"], lower["verdict"]) == (pytest.approx(-0.9), "agrees")


def test_normalised_gains_can_be_asked_for():
    gain = row(metric="normalised_accuracy_gain", rule="at_least", limit=0.3, generators=["tvae"], epochs=200)
    assert gain["ours"] == pytest.approx((0.85 - 0.66) / (0.88 - 0.66))
    assert gain["ci_low"] < gain["ours"] < gain["ci_high"] and gain["verdict"] == "agrees"


def test_claims_of_one_paper_are_corrected_for_being_many():
    """A difference that is significant alone is not beside nineteen others that speak of nothing."""
    claim = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan"], "epochs": 200}
    others = [claim | {"generators": ["tvae", "gaussian_copula"]}] * 19

    def verdict(items):
        return published_table(SCORES, Publication(dataset="sci", rows=1, items=items), FACTS, run=OWN).iloc[0]

    alone, among = verdict([claim]), verdict([claim, *others])
    assert (alone["verdict"], among["verdict"]) == ("agrees", "undecided")
    assert among["p_value"] == pytest.approx(min(1, 20 * alone["p_value"]))


def test_what_cannot_be_tested_takes_nothing_from_other_claims():
    claim = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan"], "epochs": 200}
    absent = [claim | {"generators": ["tvae", "cart"]}] * 19
    table = published_table(SCORES, Publication(dataset="sci", rows=1, items=[claim, *absent]), FACTS, run=OWN)
    assert table["verdict"].iloc[0] == "agrees"


def test_one_seed_decides_an_order_where_its_persons_do():
    one = SCORES[SCORES["seed"] == 0].copy()
    common = np.random.default_rng(1).normal(0, 0.05, REPLICATES)
    one["replicates"], one["variance"] = [value + common for value in one["value"]], 0.05**2
    (rival,) = one.index[one["generator"] == "ctgan"]
    one.at[rival, "replicates"] = 0.70 + common + np.linspace(-0.01, 0.01, REPLICATES)
    content = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan"]}
    table = published_table(one, Publication(dataset="sci", rows=1, items=[content]), FACTS, run=OWN)
    assert table["verdict"].tolist() == ["agrees"]


def test_facts_of_the_data_have_no_interval():
    rows = row(family="data", metric="train_rows", about={}, published=80, margin=1)
    assert (rows["ours"], rows["verdict"]) == (80, "agrees")


@pytest.mark.parametrize(("rule", "limit", "verdict"), [
    ("at_least", 80, "agrees"), ("at_least", 81, "differs"), ("at_most", 80, "agrees"), ("at_most", 79, "differs"),
])  # fmt: skip
def test_a_fact_of_the_data_is_on_the_right_side_of_its_limit_or_not(rule, limit, verdict):
    found = row(family="data", metric="train_rows", about={}, rule=rule, limit=limit)
    assert found["verdict"] == verdict


def test_an_item_without_what_its_rule_needs_is_refused():
    with pytest.raises(ValueError, match="needs 'margin'"):
        row(published=0.8, generators=["tvae"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"detail": "xgboost:age"}, "the key 'detail' is now 'about'"),
        ({"about": {"models": "xgboost"}}, "scores are not about 'models'; did you mean 'model'"),
        ({"about": {"rows": "5"}}, "scores are not about 'rows'"),
    ],
)
def test_what_no_score_is_about_is_refused_with_what_it_can_be(changes, sentence):
    item = {"item": "it", "where": "", **ACCURACY, "published": 0.8, "margin": 1, **changes}
    with pytest.raises(InputError, match=sentence):
        validate({"dataset": "sci", "rows": 1, "items": [item]}, Publication, where="mine.yaml")


def test_keys_left_out_of_about_are_empty_in_the_scores():
    assert row(published=0.8, margin=1, generators=["tvae"], about={"model": "xgboost"})["n_seeds"] == 0


def test_the_table_for_reading_names_generators_by_title():
    content = {"item": "it", "where": "", **ACCURACY, "rule": "above", "generators": ["tvae", "ctgan"]}
    table = published_table(SCORES, Publication(dataset="sci", rows=1, items=[content]), FACTS, run=OWN)
    assert display_published(table, STYLES)["Of"].tolist() == ["TVAE above CTGAN"]
