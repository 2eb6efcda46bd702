"""Time to event: curves, scores of models, survival times, what is shown of real patients, tables and figure."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_gbsg2
from lifelines.utils import restricted_mean_survival_time

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.comparison import draw_compared, persons_of_test
from medsynth.evaluation.feasibility import check_targets, shortfalls
from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import REFERENCES
from medsynth.evaluation.resampling import Persons, person_weights
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.regression.compute import design_of
from medsynth.scores.regression.scoring import scores as regression_of
from medsynth.scores.survival.compute import (
    MODELS,
    Followed,
    Forecast,
    HeldOut,
    TimeToEvent,
    breslow,
    censoring_weights,
    forecast_scores,
    kaplan_meier,
    no_risks,
    train_and_test,
    weighted_concordance,
)
from medsynth.scores.survival.figure import kaplan_meier_curves
from medsynth.scores.survival.scoring import scores as survival_of
from medsynth.scores.survival.table import (
    display_survival,
    display_survival_times,
    survival_table,
    survival_times_table,
)
from medsynth.scores.survival.times import METRICS, curve_data, parts_of, survival_times
from tests.conftest import by_about
from tests.unit.conftest import NOTE, STYLES, only
from tests.unit.conftest import scores as long_table

RELAPSE = TimeToEvent(name="relapse", time="time", event="relapsed", positive="yes", groups=[{"column": "menostat"}])


@pytest.fixture(scope="module")
def patients():
    """The German breast cancer study (Schumacher et al. 1994), which lifelines ships: 686 women, 299 relapses."""
    table = load_gbsg2().rename(columns={"cens": "relapsed"})
    table["relapsed"] = table["relapsed"].map({0: "no", 1: "yes"})
    coded = table.select_dtypes(exclude="number").columns
    return table.astype(dict.fromkeys(coded, "category"))


@pytest.fixture(scope="module")
def halves(patients):
    """Training and test rows."""
    order = np.random.default_rng(0).permutation(len(patients))
    return [patients.iloc[rows].reset_index(drop=True) for rows in (order[:440], order[440:])]


def followed(*rows):
    """Follow-up of (time, event) pairs."""
    times, events = zip(*rows, strict=True)
    return Followed(np.array(times, dtype=float), np.array(events, dtype=bool))


def trained(train, halves, models=MODELS, weights=None):
    """Scores of models trained on a table, tested on the held-out rows."""
    real, tested = halves
    test = HeldOut.of(RELAPSE, real, tested)
    return by_about(
        train_and_test(
            train, tested, RELAPSE, test, TableEncoder().fit(real), design_of(RELAPSE, real), seed=1, models=models,
            weights=weights,
        )
    )  # fmt: skip


# Curves.


def test_a_censored_row_leaves_without_a_step():
    curves = kaplan_meier(followed((1, True), (2, False), (4, True), (5, False)))
    assert curves.times.tolist() == [1, 2, 4, 5]
    assert curves.survival[0] == pytest.approx([3 / 4, 3 / 4, 3 / 8, 3 / 8])
    assert curves.at(np.array([0.5, 1, 3.9, 4, 99]))[0] == pytest.approx([1, 3 / 4, 3 / 4, 3 / 8, 3 / 8])
    assert curves.median().tolist() == [4]
    # One up to 1, then 3/4 up to 4, then 3/8.
    assert curves.restricted_mean(6)[0] == pytest.approx(1 + 3 * 3 / 4 + 2 * 3 / 8)
    assert curves.restricted_mean(2)[0] == pytest.approx(1 + 3 / 4)


def test_a_median_that_is_not_reached_is_none():
    assert np.isnan(kaplan_meier(followed((1, True), (2, False), (3, False))).median()).all()


def test_curves_of_patients_are_those_of_lifelines(patients):
    of_patients = RELAPSE.followed(patients)
    fitted = KaplanMeierFitter().fit(*of_patients)
    times = np.linspace(0, 2600, 60)
    curves = kaplan_meier(of_patients)
    assert curves.at(times)[0] == pytest.approx(fitted.survival_function_at_times(times).to_numpy())
    assert curves.median()[0] == fitted.median_survival_time_
    assert curves.restricted_mean(1500)[0] == pytest.approx(restricted_mean_survival_time(fitted, 1500))


def test_a_weight_counts_a_row_as_often(patients):
    of_patients = RELAPSE.followed(patients)
    weights = person_weights(np.arange(len(patients)), seed=3, replicates=2)
    times = np.linspace(10, 2600, 40)
    for row, curve in zip(weights.astype(int), kaplan_meier(of_patients, weights).at(times), strict=True):
        repeated = np.repeat(np.arange(len(patients)), row)
        assert curve == pytest.approx(kaplan_meier(of_patients.take(repeated)).at(times)[0])


# Scores of models.


def held_out(rows, horizon=10.0, weights=None):
    """Test rows of (time, event) with these censoring weights."""
    own = followed(*rows)
    times = np.array([2.0, 4.0])
    return HeldOut(own, horizon, times, np.array(weights or [1] * len(rows), dtype=float), np.ones(2))


def concordance(risk, test, **how):
    survival = np.full((len(risk), 2), 0.5)
    return by_about(forecast_scores(Forecast(np.array(risk, dtype=float), survival), test, **how))["uno_c"]


def test_the_first_to_have_the_event_should_have_the_highest_risk():
    rows = [(1, True), (2, True), (3, False), (4, True)]
    assert concordance([4, 3, 2, 1], held_out(rows)) == 1
    assert concordance([1, 2, 3, 4], held_out(rows)) == 0
    assert concordance([1, 1, 1, 1], held_out(rows)) == 0.5
    # The first against three others, the second against two; nobody is known to come after the fourth.
    assert concordance([4, 1, 2, 3], held_out(rows)) == pytest.approx(3 / 5)


def test_unos_c_weighs_pairs_by_the_censoring_before_them():
    rows = [(1, True), (2, True), (3, False), (4, True)]
    # Right pairs are the first row's three, of weight 1; the second row's two are wrong, of weight 2 squared.
    assert concordance([4, 1, 2, 3], held_out(rows, weights=[1, 2, 2, 5])) == pytest.approx(3 / (3 + 2 * 4))


def test_pairs_behind_the_horizon_do_not_count():
    assert concordance([4, 1, 2, 3], held_out([(1, True), (2, True), (3, False), (4, True)], horizon=2.0)) == 1


def test_censoring_weights_are_one_over_the_share_that_is_still_followed():
    # Of two rows still there at 2 one is censored then, after the event at 2.
    train = followed((1, True), (2, True), (2, False), (3, True))
    assert censoring_weights(train, np.array([1.0, 2.0, 3.0])) == pytest.approx([1, 2, 2])


def test_replicates_of_concordance_are_those_of_repeated_rows(halves):
    tested = halves[1]
    test = HeldOut.of(RELAPSE, *halves)
    risk = tested["pnodes"].to_numpy("float64")
    weights = person_weights(np.arange(len(tested)), seed=5, replicates=3)
    once = np.ones((1, len(tested)))
    assert weighted_concordance(risk, test, once)[0] == pytest.approx(concordance_of(risk, test), abs=1e-5)
    for row, value in zip(weights.astype(int), weighted_concordance(risk, test, weights), strict=True):
        rows = np.repeat(np.arange(len(tested)), row)
        repeated = test._replace(followed=test.followed.take(rows), weights=test.weights[rows])
        assert value == pytest.approx(concordance_of(risk[rows], repeated), abs=1e-5)


def concordance_of(risk, test):
    survival = np.full((len(risk), len(test.times)), 0.5)
    return by_about(forecast_scores(Forecast(risk, survival), test))["uno_c"]


def test_the_brier_score_is_the_squared_error_over_time():
    test = held_out([(1, True), (3, True), (5, False)])
    # At 2 the first had the event, at 4 the second, too.
    survival = np.array([[0.2, 0.1], [0.9, 0.4], [1.0, 0.8]])
    at_2 = (0.2**2 + 0.1**2 + 0.0**2) / 3
    at_4 = (0.1**2 + 0.4**2 + 0.2**2) / 3
    found = by_about(forecast_scores(Forecast(np.zeros(3), survival), test))
    assert found["integrated_brier_score"] == pytest.approx((at_2 + at_4) / 2)


def test_replicates_of_the_brier_score_are_around_it(halves):
    test = HeldOut.of(RELAPSE, *halves)
    rows = len(halves[1])
    forecast = Forecast(np.zeros(rows), np.tile(np.linspace(0.99, 0.4, len(test.times)), (rows, 1)))
    once = np.ones((2, rows))
    (_, brier) = forecast_scores(forecast, test, once)
    assert brier.replicates == pytest.approx(brier.value)


def test_the_baseline_hazard_is_that_of_lifelines(patients):
    table = patients[["age", "pnodes", "time"]].assign(event=patients["relapsed"] == "yes").drop_duplicates("time")
    fitted = CoxPHFitter().fit(table, "time", "event")
    risk = fitted.predict_log_partial_hazard(table).to_numpy()
    expected = fitted.baseline_cumulative_hazard_["baseline cumulative hazard"]
    own = Followed(table["time"].to_numpy("float64"), table["event"].to_numpy())
    assert breslow(risk, own, expected.index.to_numpy("float64")) == pytest.approx(expected.to_numpy())


def test_real_rows_teach_more_than_no_predictors(halves):
    real, floor = trained(halves[0], halves), trained(halves[0], halves, {"majority": no_risks})
    assert floor["uno_c", "relapse", "majority"] == 0.5
    for model in MODELS:
        assert real["uno_c", "relapse", model] > 0.62
        key = "integrated_brier_score", "relapse"
        assert real[*key, model] < floor[*key, "majority"]


@pytest.mark.parametrize("model", MODELS)
def test_times_and_events_of_other_patients_teach_nothing(halves, model):
    order = np.random.default_rng(1).permutation(len(halves[0]))
    shuffled = halves[0].copy()
    shuffled[["time", "relapsed"]] = halves[0][["time", "relapsed"]].iloc[order].to_numpy()
    shuffled = shuffled.astype(halves[0].dtypes)
    only_one = {model: MODELS[model]}
    lost, real = (trained(table, halves, only_one) for table in (shuffled, halves[0]))
    assert lost["uno_c", "relapse", model] < 0.58 < real["uno_c", "relapse", model]


def test_a_table_without_events_is_scored_as_one_that_promises_survival(halves):
    immortal = halves[0].assign(relapsed=pd.Categorical(["no"] * len(halves[0]), categories=["no", "yes"]))
    found = trained(immortal, halves)
    assert found["uno_c", "relapse", "cox"] == found["uno_c", "relapse", "xgboost"] == 0.5
    assert found["integrated_brier_score", "relapse", "cox"] > 0.25


def test_a_column_that_a_table_has_one_value_of_has_no_term(halves):
    constant = halves[0].assign(age=50, tgrade=pd.Categorical(["II"] * len(halves[0]), ["I", "II", "III"]))
    assert trained(constant, halves, {"cox": MODELS["cox"]})["uno_c", "relapse", "cox"] > 0.55


def test_time_and_event_are_no_predictors(patients):
    assert {"time", "relapsed"}.isdisjoint(RELAPSE.predictors(patients))


def test_the_horizon_is_where_a_tenth_is_followed_longer(patients):
    horizon = RELAPSE.horizon_in(patients)
    assert 0.08 < (patients["time"] > horizon).mean() < 0.11
    assert RELAPSE.model_copy(update={"horizon": 365.0}).horizon_in(patients) == 365


# Survival times and what is shown of real patients.


def shown_parts(target, table, real):
    return [part for part in parts_of(target, table, real) if part.shown]


def times_of(table, real, target=RELAPSE, horizon=1000.0):
    """Scores of survival times of all parts that are shown."""
    weights = Persons.draw(np.arange(len(real)), seed=1).weights
    own, other = target.followed(table), target.followed(real)
    found = []
    for part in parts_of(target, table, real):
        found += survival_times(part, own, other, horizon, weights=weights)
    return found


def test_a_table_that_is_the_real_one_differs_by_nothing(patients):
    found = by_about(times_of(patients, patients))
    for group in ("Pre", "Post"):
        about = "menostat", group
        assert found["restricted_mean_difference", *about] == pytest.approx(0, abs=1e-9)
        assert found["median_survival", *about] == found["median_survival_real", *about]


def test_half_the_times_are_seen_in_every_group(patients):
    found = by_about(times_of(patients.assign(time=patients["time"] / 2), patients))
    assert found["restricted_mean_difference"] < -100
    assert found["restricted_mean_difference", "menostat", "Pre"] < -100
    assert found["median_survival"] == found["median_survival_real"] / 2


def test_a_difference_has_an_interval_over_persons(patients):
    scores = {score.metric: score for score in times_of(patients, patients) if not score.about.column}
    assert scores["restricted_mean_survival"].replicates is None
    spread = scores["restricted_mean_difference"].replicates.std()
    assert spread == pytest.approx(scores["restricted_mean_survival_real"].replicates.std())
    assert 5 < spread < 30


def test_a_group_of_few_real_rows_or_events_is_not_shown(patients):
    few = pd.Series("many", index=patients.index).mask(patients.index < 15, "few")
    table = patients.assign(menostat=few.astype("category"))
    shown = [part.group for part in shown_parts(RELAPSE, table, table)]
    assert shown == ["", "many"]
    # Many rows, few of them with the event.
    without = table["relapsed"].mask((patients.index >= 5) & (patients.index < 100), "no")
    table = table.assign(menostat=few.mask(patients.index < 100, "few").astype("category"), relapsed=without)
    assert [part.group for part in shown_parts(RELAPSE, table, table)] == ["", "many"]
    found = by_about(times_of(table, table))
    assert np.isnan([found[metric, "menostat", "few"] for metric in METRICS]).all()


def test_events_at_once_are_no_step_of_their_own(patients):
    real = RELAPSE.followed(patients)
    at_once = Followed(np.where(real.events.cumsum() <= 3, 0.0, real.times), real.events)
    weights = Persons.draw(np.arange(len(patients)), seed=1).weights
    found = curve_data(shown_parts(RELAPSE, patients, patients)[0], real, at_once, 2000.0, weights)
    assert (found["real"][0], found["low"][0]) == (1, 1)


def test_a_curve_of_few_points_is_not_drawn(patients):
    few = patients.iloc[:45].reset_index(drop=True)
    real = RELAPSE.followed(few)
    assert 10 <= real.events.sum() < 30
    weights = Persons.draw(np.arange(len(few)), seed=1).weights
    assert curve_data(shown_parts(RELAPSE, few, few)[0], real, real, 2000.0, weights) == {}


def test_no_step_of_a_real_curve_is_that_of_few_patients(patients):
    real = RELAPSE.followed(patients)
    weights = Persons.draw(np.arange(len(patients)), seed=1).weights
    (everyone, *_) = shown_parts(RELAPSE, patients, patients)
    found = curve_data(everyone, real, real, 2000.0, weights)
    edges = np.array(found["real_times"])
    assert set(edges) <= set(np.round(np.linspace(0, 2000, 101), 3))
    ended = real.times[real.events]
    steps = np.array([((ended > low) & (ended <= high)).sum() for low, high in pairwise(edges)])
    assert ((steps == 0) | (steps >= 10)).all()
    assert (real.times > edges[-1]).sum() >= 10
    at = kaplan_meier(real).at(edges)[0]
    assert found["real"] == pytest.approx(at, abs=6e-4)
    assert (np.array(found["low"]) <= at + 1e-3).all() and (np.array(found["high"]) >= at - 1e-3).all()


# Settings.


CODEBOOK = Codebook.model_validate(
    {
        "name": "trial",
        "title": "Trial",
        "publisher": "nobody",
        "licence": "none",
        "raw": {"file": "trial.csv", "obtain": "make it up"},
        "columns": {
            "time": {"type": "integer"},
            "relapsed": {"type": "binary", "categories": ["no", "yes"]},
            "menostat": {"type": "categorical", "categories": ["Pre", "Post"]},
        },
    }
)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time": "relapsed"}, "column 'relapsed' is coded, and a numeric one is needed"),
        ({"positive": "yess"}, r"column 'relapsed' has no category 'yess'; did you mean 'yes'\?"),
        ({"groups": [{"column": "time"}]}, "column 'time' is numeric and needs 'bands'"),
    ],
)
def test_a_target_that_does_not_fit_the_codebook_is_refused(changed, said):
    RELAPSE.check(CODEBOOK)
    with pytest.raises(InputError, match=said):
        TimeToEvent(**{**RELAPSE.model_dump(), **changed}).check(CODEBOOK)


def test_rows_without_an_event_or_short_of_the_horizon_are_refused(patients):
    nobody = patients.assign(relapsed="no")
    with pytest.raises(InputError, match=r"has no event in the test partition \('relapsed' is 'yes' in none of 686"):
        check_targets([RELAPSE], {"train": patients, "test": nobody})
    late = RELAPSE.model_copy(update={"horizon": 9999.0})
    with pytest.raises(InputError, match=r"no row that is followed beyond its horizon in the train partition \(9999\)"):
        check_targets([late], {"train": patients, "test": patients})
    with pytest.raises(InputError, match=r"beyond its horizon in the train partition \(0\)"):
        check_targets([RELAPSE], {"train": patients.assign(time=0), "test": patients})


def test_few_events_are_remarked_on(patients):
    test = patients.iloc[:25].assign(relapsed=["yes"] * 4 + ["no"] * 21)
    said = shortfalls({"train": patients, "test": test}, {"test": np.arange(25)}, [RELAPSE])
    assert ("test", "target 'relapse': events are in fewer than 10 rows, its scores vary widely") in list(said)


# Tables and figure.


@pytest.fixture
def of_study():
    about = {"target": "relapse", "model": "cox"}
    return long_table(
        ("real", 0, "survival", "uno_c", about, [0.70, 0.70]),
        ("real", 0, "survival", "integrated_brier_score", about, [0.15, 0.15]),
        ("tvae", 100, "survival", "uno_c", about, [0.60, 0.62]),
        ("tvae", 100, "survival", "integrated_brier_score", about, [0.20, 0.22]),
        ("majority", 0, "survival", "uno_c", {"target": "relapse", "model": "majority"}, [0.5, 0.5]),
        ("tvae", 100, "survival", "median_survival", {"target": "relapse"}, [1800.0, float("nan")]),
        ("tvae", 100, "survival", "restricted_mean_survival", {"target": "relapse"}, [900.0, 910.0]),
        ("real", 0, "survival", "median_survival", {"target": "relapse"}, [1814.0, 1814.0]),
    )


def test_models_have_a_block_each_with_both_references(of_study):
    table = survival_table(of_study)
    assert only(table, generator="tvae", model="cox")["uno_c"] == pytest.approx(0.61)
    shown = display_survival(table, STYLES)
    assert list(shown["Model"]) == ["Real → Real", "TVAE", "Kaplan-Meier of the training rows"]
    assert set(shown.index) == {"relapse, Cox"}


def test_a_median_that_one_table_does_not_reach_has_no_mean(of_study):
    table = survival_times_table(of_study)
    assert np.isnan(only(table, generator="tvae")["median_survival"])
    assert only(table, generator="tvae")["restricted_mean_survival"] == 905
    shown = display_survival_times(table, STYLES)
    assert list(shown["Model"]) == ["Real training rows (upper reference)", "TVAE"]
    assert shown["Median"].iloc[1] == "–"


def test_a_panel_for_all_and_for_each_group(patients):
    real = RELAPSE.followed(patients)
    weights = Persons.draw(np.arange(len(patients)), seed=1).weights
    parts = {part.title: part for part in shown_parts(RELAPSE, patients, patients)}
    seeds = [
        {title: curve_data(part, other, real, 1500.0, weights) for title, part in parts.items()}
        for other in (real, Followed(real.times * 0.6, real.events))
    ]
    style = {"title": "TVAE", "colour": "#009e73", "note": NOTE}
    figure = kaplan_meier_curves(seeds, target="relapse", unit="days", **style)
    panels = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_title() for ax in panels] == ["All", "menostat: Post", "menostat: Pre"]
    assert all(len(ax.lines) == 3 and len(ax.collections) == 2 for ax in panels)
    assert "too few" in kaplan_meier_curves([{}], target="relapse", unit="", **style).texts[0].get_text()


# What is scored of which row.


def judged(name, halves):
    """A reference row of the study's halves, as the score job sees it."""
    real, tested = halves
    persons = persons_of_test(np.arange(len(tested)), 1)
    rng = np.random.default_rng(1)
    pair = REFERENCES.get(name, REFERENCES["real"])(real, tested, persons.person, rng)
    compared = draw_compared(
        pair, tested, persons, rng, study_seed=1, n_train=len(real), utility_rows=8000, test_rows=8000,
        fidelity_rows=8000,
    )  # fmt: skip
    size = {"name": "tumour", "column": "tsize"}
    return Judged(
        name=name, train=real, test=tested, person={"train": np.arange(len(real)), "test": persons.person},
        persons=persons, codebook=CODEBOOK, encoder=TableEncoder().fit(real), pair=pair, compared=compared, targets=[],
        explained=[], settings={"survival": [RELAPSE.model_dump()], "regression": [size]}, study_seed=1, seed=1,
        least=10,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "of_survival", "of_regression"),
    [
        ("real", {"", "cox", "xgboost"}, {"linear", "xgboost"}),
        ("independent", {"", "cox", "xgboost"}, {"linear", "xgboost"}),
        # Half of the test rows is no reference for what training rows teach; no predictors need no table.
        ("holdout", {""}, set()),
        ("majority", {"majority"}, {"majority"}),
    ],
)
def test_models_and_times_are_scored_of_the_rows_that_have_them(halves, name, of_survival, of_regression):
    one = judged(name, halves)
    for scores, wanted in ((survival_of, of_survival), (regression_of, of_regression)):
        assert {score.about.model for _, score in scores(one)} == wanted


def test_what_other_training_persons_would_change_counts_for_real_rows(halves):
    one = judged("real", halves)
    with_training = {score.about.model: score for _, score in survival_of(one) if score.metric == "uno_c"}
    test = HeldOut.of(RELAPSE, *halves)
    design, encoder = design_of(RELAPSE, halves[0]), one.encoder
    for score in train_and_test(
        one.compared.equal_information, one.compared.tested, RELAPSE, test, encoder, design, seed=1,
        weights=one.persons.weights,
    ):  # fmt: skip
        if score.metric == "uno_c":
            assert with_training[score.about.model].value == score.value
            assert with_training[score.about.model].variance > score.variance
