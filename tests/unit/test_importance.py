"""Importances: what forests look at, how well two agree, and what a figure shows of it."""

import json

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medsynth.errors import InputError
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.importance.compute import Explanation, explain
from medsynth.scores.importance.figure import importances
from medsynth.scores.importance.table import display_importance, importance_table
from medsynth.scores.utility.compute import random_forest
from tests.conftest import table_of_scores

SICK = Target(name="sick", column="sick", positive="yes")
OUTCOME = Target(
    name="outcome",
    outcomes=[
        {"label": "died", "column": "death", "equals": "yes"},
        {"label": "icu", "column": "icu", "equals": "yes"},
    ],
    otherwise="recovered",
)
STYLES = {"cart": {"title": "CART", "colour": "#56b4e9"}, "tvae": {"title": "TVAE", "colour": "#0072b2"}}


def patients(n, seed=0):
    """Table in which age alone makes patients sick, and a score makes them die or need intensive care."""
    rng = np.random.default_rng(seed)
    age, score = rng.integers(20, 90, n), rng.integers(0, 10, n)
    categories = {"sick": age > 60, "death": score == 9, "icu": score >= 7, "male": rng.random(n) < 0.5}
    coded = {k: pd.Categorical(np.where(v, "yes", "no"), categories=["no", "yes"]) for k, v in categories.items()}
    return pd.DataFrame({"age": age, "score": score, "noise": rng.normal(size=n), **coded})


@pytest.fixture(scope="module")
def tables():
    train, test = patients(300), patients(40, seed=1)
    return train, test, TableEncoder().fit(train)


def importance(explanation):
    """Importance of each predictor."""
    return pd.Series({score.about.column: score.value for score in explanation.scores()})


def test_the_predictor_that_decides_comes_first(tables):
    explanation = explain(*tables[:2], SICK, tables[2], seed=1)
    found = importance(explanation).sort_values(ascending=False)
    assert found.index[0] == "age" and found.iloc[0] > 5 * found.iloc[1]
    assert {score.metric for score in explanation.scores()} == {"mean_abs_shap"}
    assert set(found.index) == {"age", "score", "noise", "death", "icu", "male"}


def test_shap_values_add_up_to_what_the_forest_of_the_utility_scores_says(tables):
    train, test, encoder = tables
    explanation = explain(train, test, OUTCOME, encoder, seed=3)
    assert explanation.values.shape == (40, 5, 3)
    x_train, x_test = (encoder.transform(table)[explanation.predictors].to_numpy() for table in (train, test))
    forest = random_forest(3).fit(x_train, OUTCOME.labels(train))
    said = forest.predict_proba(x_test)
    added = explanation.values.sum(axis=1)
    np.testing.assert_allclose(said - said.mean(axis=0), added - added.mean(axis=0), atol=1e-4)


def test_of_two_classes_the_importance_is_that_of_the_positive_one(tables):
    explanation = explain(*tables[:2], SICK, tables[2], seed=1)
    of_positive = np.abs(explanation.values[:, :, 1]).mean(axis=0)
    np.testing.assert_allclose(importance(explanation), of_positive, rtol=1e-6)


def test_the_same_seed_gives_the_same_values_and_another_seed_others(tables):
    first, again, other = (explain(*tables[:2], SICK, tables[2], seed=seed).values for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_a_class_that_the_table_forgot_has_no_influence(tables):
    train, test, encoder = tables
    forgetful = train[train["death"] == "no"].reset_index(drop=True)
    explanation = explain(forgetful, test, OUTCOME, encoder, seed=1)
    assert explanation.classes == ["recovered", "died", "icu"]
    assert (explanation.values[:, :, 1] == 0).all()
    assert importance(explanation).idxmax() == "score"


def test_a_table_of_one_class_teaches_nothing(tables):
    train, test, encoder = tables
    well = train[train["sick"] == "no"].reset_index(drop=True)
    assert (importance(explain(well, test, SICK, encoder, seed=1)) == 0).all()


def test_a_figure_shows_the_gravest_outcome_and_the_positive_class(tables):
    shown = [explain(*tables[:2], target, tables[2], seed=1).shown for target in (OUTCOME, SICK)]
    assert shown == ["died", "yes"]


def test_plot_data_hold_no_row_and_no_value_of_a_patient(tables):
    train, test, encoder = tables
    explanation = explain(train, test, SICK, encoder, seed=1)
    plot_data = json.loads(json.dumps(explanation.plot_data()))
    assert set(plot_data["predictors"]) == set(explanation.predictors)
    for i, name in enumerate(explanation.predictors):
        points = plot_data["predictors"][name]
        # Sorted column by column, which takes rows apart.
        assert points["shap"][1] == sorted(points["shap"][1])
        np.testing.assert_allclose(points["shap"][1], np.sort(explanation.values[:, i, 1]), atol=5e-4)
        assert 0 <= min(points["position"]) <= max(points["position"]) <= 1
        # No colour is of fewer than ten patients.
        assert min(pd.Series(points["position"]).value_counts()) >= 10
    assert set(plot_data["predictors"]["male"]["position"]) == {0, 1}


def test_the_position_of_values_put_together_tells_nobody_how_many_rows_have_which():
    def of(first, coded, values):
        positions = np.array([values[0]] * first + [values[1]] * (12 - first) + [1.0] * 20)[:, None]
        explanation = Explanation("sick", ["x"], ["no", "yes"], np.zeros((32, 1, 2)), positions, [coded], "yes")
        return explanation.plot_data(10)["predictors"]["x"]["position"]

    assert of(2, True, (0.0, 0.5)) == of(3, True, (0.0, 0.5)) == [0.25] * 12 + [1] * 20
    # Ranks of ties are their means.
    assert of(2, False, (0.5 / 31, 6.5 / 31)) == of(3, False, (1 / 31, 7 / 31))


def test_a_category_that_training_rows_never_show_has_no_position(tables):
    train, test, _ = tables
    train = train[train["male"] == "no"].reset_index(drop=True)
    explanation = explain(train, test, SICK, TableEncoder().fit(train), seed=1)
    positions = explanation.plot_data()["predictors"]["male"]["position"]
    assert positions.count(None) == (test["male"] == "yes").sum()


def long_table(*rows):
    """Long table of (generator, epochs, importances of a, b, c ... for each seed)."""
    long = [
        (generator, epochs, seed, "importance", "mean_abs_shap", {"target": "death", "column": name}, value)
        for generator, epochs, seeds in rows
        for seed, values in enumerate(seeds, start=1)
        for name, value in zip("abcdefg", values, strict=True)
    ]
    return table_of_scores(long)


FALLING, RISING = [7, 6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6, 7]


@pytest.fixture
def scores():
    return long_table(
        ("real", 0, [FALLING, FALLING, [7, 6, 5, 4, 2, 3, 1]]),
        ("independent", 0, [[0] * 7] * 3),
        ("cart", 0, [FALLING, FALLING, [7, 6, 5, 4, 2, 3, 1]]),
        ("tvae", 10, [FALLING] * 3),
        ("tvae", 30, [RISING] * 3),
    )


def row(table, generator, epochs=0):
    return table[(table["generator"] == generator) & (table["epochs"] == epochs)].iloc[0]


def test_a_forest_agrees_with_itself(scores):
    found = row(importance_table(scores), "cart")
    assert (found["rank_correlation"], found["top5_overlap"], found["n_seeds"]) == (1, 1, 3)
    assert (found["rank_correlation_low"], found["rank_correlation_high"]) == (1, 1)


def test_a_reversed_order_disagrees_and_shares_what_seven_predictors_must(scores):
    found = row(importance_table(scores), "tvae", 30)
    # Of the third seed: 1 - 6 * (sum of squared differences of ranks) / (7 * 48), by hand.
    assert found["rank_correlation"] == pytest.approx((-1 - 1 + (1 - 6 * 110 / 336)) / 3)
    assert found["top5_overlap"] == pytest.approx(3 / 5)
    assert found["top5"] == "g; f; e; d; c"


def test_the_upper_reference_compares_each_seed_with_the_next(scores):
    found = row(importance_table(scores), "real")
    swapped = 1 - 6 * 2 / 336
    assert found["rank_correlation"] == pytest.approx((1 + swapped + swapped) / 3)
    assert found["top5_overlap"] == pytest.approx((1 + 0.8 + 0.8) / 3)


def test_two_seeds_make_one_pair_without_interval(scores):
    found = row(importance_table(scores[scores["seed"] < 3]), "real")
    assert found["rank_correlation"] == 1 and np.isnan(found["rank_correlation_low"])


def test_a_forest_that_learned_nothing_agrees_with_nothing(scores):
    found = row(importance_table(scores), "independent")
    assert (found["rank_correlation"], found["top5_overlap"], found["top5"]) == (0, 0, "")


def test_a_study_that_explains_nothing_has_an_empty_table(scores):
    assert importance_table(scores[:0]).empty


def test_the_display_has_the_upper_reference_generators_at_their_last_epochs_and_the_lower(scores):
    display = display_importance(importance_table(scores), STYLES)
    assert list(display["Model"]) == [
        "Real rows, another seed (upper reference)",
        "CART",
        "TVAE",
        "Independent marginals (lower reference)",
    ]
    assert set(display.index) == {"death"}
    assert list(display["Epochs"]) == ["–", "–", "30", "–"]
    assert display["Five most important"].iloc[2] == "g, f, e, d, c"
    assert display["Five most important"].iloc[3] == "–"


@pytest.fixture(scope="module")
def explained(tables):
    """Long table and plot data of two forests for the three-way outcome."""
    train, test, encoder = tables
    rows, plot_data = [], {}
    for name in ("real", "cart"):
        for seed in (1, 2):
            table = train if name == "real" else patients(300, seed=seed + 5)
            explanation = explain(table, test, OUTCOME, encoder, seed=seed)
            rows += [
                (name, 0, seed, "importance", score.metric, score.about._asdict(), score.value)
                for score in explanation.scores()
            ]
            plot_data.setdefault(name, json.loads(json.dumps(explanation.plot_data())))
    return table_of_scores(rows), plot_data


def draw(explained, target="outcome"):
    looks = {"title": "CART", "colour": "#56b4e9", "note": "simulated cohort"}
    return importances(*explained, target=target, generator="cart", **looks)


def test_the_figure_has_beeswarms_above_and_bars_below_in_the_same_order(explained, tmp_path):
    figure = draw(explained)
    assert isinstance(figure, Figure)
    swarms, bars = figure.axes[:2], figure.axes[2:4]
    assert [ax.get_title() for ax in swarms] == ["Trained on real rows", "Trained on CART"]
    assert all("P(died)" in ax.get_xlabel() for ax in swarms)
    figure.savefig(tmp_path / "importance.png")
    from_top = [label.get_text() for label in swarms[0].get_yticklabels()][::-1]
    assert from_top == [label.get_text() for label in bars[0].get_yticklabels()]
    assert from_top[0] == "score"
    assert swarms[0].yaxis_inverted() != bars[0].yaxis_inverted()


def test_points_of_the_beeswarm_lie_beside_their_predictor(explained):
    swarm = draw(explained).axes[0]
    values = sorted(explained[1]["real"]["predictors"]["score"]["shap"][1])
    points = np.concatenate([np.asarray(found.get_offsets()) for found in swarm.collections])
    # The most important predictor is the highest row.
    top = points[np.abs(points[:, 1] - 4) < 0.5]
    np.testing.assert_allclose(sorted(top[:, 0]), values)


def test_the_title_says_which_class_is_above_and_that_all_are_below(explained):
    assert "above: died, the gravest of 3 classes; below: half the sum over all" in draw(explained).get_suptitle()


def test_a_target_that_was_not_explained_is_named(explained):
    with pytest.raises(InputError, match="There are no importances for the target 'death' and 'real'"):
        draw(explained, target="death")
