"""Attacks: each finds a planted leak and passes the negative control; persons stay apart; tables and figures."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.cohorts import simulate
from medsynth.data.reading import read_raw
from medsynth.display.cells import NOTHING
from medsynth.errors import InputError
from medsynth.evaluation.intervals import UNIT, interval
from medsynth.evaluation.resampling import REPLICATES, person_weights
from medsynth.preparation.cleaning import clean
from medsynth.preparation.imputation import make_imputer
from medsynth.preparation.partitions import halve, resample
from medsynth.scores.privacy.anonymeter import anonymeter_risks
from medsynth.scores.privacy.attributes import attribute_inference
from medsynth.scores.privacy.audit import CHOSEN, Attacked, audit
from medsynth.scores.privacy.copies import copies
from medsynth.scores.privacy.distances import closest
from medsynth.scores.privacy.figure import privacy_sweep, privacy_trade, trade_points
from medsynth.scores.privacy.membership import judge, outliers, strongest
from medsynth.scores.privacy.parts import CONTROLS, PLANTED, Parts
from medsynth.scores.privacy.shadow import quarters
from medsynth.scores.privacy.table import WHAT, display_privacy, privacy_table
from tests.conftest import ROOT, by_about
from tests.unit.conftest import scores as long_table

# All controls are attacked before the first test.
pytestmark = pytest.mark.slow

NOTE = "simulated cohort"
ATTACKS = ("neighbours", "trees", "shadow")
STYLES = {"cart": {"title": "CART", "colour": "#56b4e9"}, "med_vae": {"title": "Med-VAE", "colour": "#009e73"}}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Four parts of 500 rows of the simulated COVID-19 Mexico cohort, where many rows equal others; the codebook."""
    codebook = Codebook.from_yaml(ROOT / "config/datasets/covid_mexico.yaml")
    path = tmp_path_factory.mktemp("raw") / "covid.csv"
    simulate("covid_mexico", 2000, seed=1).to_csv(path, index=False)
    table, _ = clean(read_raw(path, codebook), codebook)
    imputer = make_imputer("simple").fit(table, codebook.resolved(table))
    table = imputer.transform(table)
    return Parts(*(table.iloc[i::4].reset_index(drop=True) for i in range(4))), imputer.codebook_


@pytest.fixture(scope="module")
def audits(cohort):
    """What attacks find out from each control: control -> (metric, group, column or attack) -> score."""
    parts, codebook = cohort
    found = {}
    for name, release in CONTROLS.items():
        scores = audit(
            release(parts, 1), parts, codebook, ["death", "diabetes", "age"], seed=1, person=alone(500),
            release=release,
        )  # fmt: skip
        found[name] = {(s.metric, s.about.group, s.about.column or s.about.attack): s for s in scores}
    return found


def alone(rows):
    """Persons who have one row each."""
    return Attacked(*[np.arange(rows)] * 3)


def ends(found, *name):
    """The interval of a score."""
    score = found[name]
    return interval([score.value], [score.variance], bounds=UNIT)[2:4]


# Planted leaks, and nothing to find


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("who", ["everyone", "outliers"])
def test_membership_attacks_find_copied_training_rows(audits, attack, who):
    low, _ = ends(audits["train_copy"], "membership_auc", who, attack)
    assert low > 0.55


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("control", ["holdout", "independent"])
def test_membership_attacks_do_not_flag_rows_that_copy_nobody(audits, attack, control):
    low, high = ends(audits[control], "membership_auc", "everyone", attack)
    assert low < 0.5 < high
    # Some fifty outliers.
    assert audits[control]["membership_auc", "outliers", attack].value == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("attack", ATTACKS)
def test_copied_members_are_found_at_a_low_false_positive_rate(audits, attack):
    low, _ = ends(audits["train_copy"], "membership_tpr_1", "everyone", attack)
    _, high = ends(audits["holdout"], "membership_tpr_1", "everyone", attack)
    assert low > high


def test_outliers_are_easier_to_find_than_others(audits):
    found = audits["train_copy"]
    assert (
        found["membership_auc", "outliers", "neighbours"].value
        > found["membership_auc", "everyone", "neighbours"].value
    )


def test_sensitive_columns_of_copied_members_are_guessed_better_than_others(audits):
    assert audits["train_copy"]["attribute_advantage", "", "mean"].value > 0.1
    assert audits["train_copy"]["attribute_advantage", "", "age"].value > 0.2


def test_sensitive_columns_are_guessed_as_well_of_others_where_nobody_was_copied(audits):
    for control in ("holdout", "independent"):
        assert abs(audits[control]["attribute_advantage", "", "mean"].value) < 0.05


def test_copies_stand_beside_those_that_happen_by_chance(audits):
    copied, held = (
        {metric: score.value for (metric, *about), score in audits[name].items() if not any(about)}
        for name in ("train_copy", "holdout")
    )
    assert copied["copies_member"] == 1
    # Many patients of the cohort equal others.
    assert 0.1 < held["copies_member"] < 0.9
    assert held["copies_member"] == pytest.approx(held["copies_nonmember"], abs=0.1)
    assert held["dcr_share"] == pytest.approx(0.5, abs=0.07)


def test_larger_plants_are_found_better(audits):
    found = [audits[name]["membership_auc", "everyone", "neighbours"].value for name in PLANTED]
    assert found == sorted(found) and found[-1] > 0.8


def test_the_chosen_attack_is_named_and_judged_on_other_persons(audits):
    found = audits["train_copy"]
    assert sum(metric == "chosen_attack" for metric, *_ in found) == 1
    assert ends(found, "membership_auc", "everyone", CHOSEN)[0] > 0.8


def test_the_best_of_attacks_that_know_nothing_finds_nobody():
    """Chosen and judged on the same persons, the best of twenty coins is better than a coin."""
    member, best, judged = np.repeat([True, False], 100), [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        coins = pd.DataFrame(rng.normal(size=(200, 20)), columns=[f"coin{i}" for i in range(20)])
        choosing = rng.permutation(np.repeat([True, False], 100))
        aucs = [once(coins[name], member)["membership_auc"] for name in coins]
        best.append(max(aucs))
        name = strongest(coins[choosing], member[choosing])
        judged.append(once(coins.loc[~choosing, name], member[~choosing])["membership_auc"])
    assert np.mean(best) > 0.55 and np.mean(judged) == pytest.approx(0.5, abs=0.015)


def once(score, member):
    """What is made of scores of rows, each of which is one person's."""
    scores = judge(np.asarray(score), member, ~member, "a")
    return {score.metric: score.value for score in scores if score.about.group == "everyone"}


@pytest.mark.parametrize("rows", [1, 4])
def test_intervals_of_an_attack_that_knows_nothing_hold_one_half(rows):
    """Four rows a person that are alike: resampled by row, 53 of 100 intervals held 0.5."""
    covered, person = 0, np.repeat(np.arange(100), rows)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        score = np.concatenate([np.repeat(rng.normal(size=100), rows) for _ in range(2)])
        weights = np.hstack([person_weights(person, seed=1000 * side + seed) for side in (1, 2)])
        member = np.repeat([True, False], len(person))
        (auc, *_) = judge(score + 0.1 * rng.normal(size=len(score)), member, ~member, "a", weights=weights)
        low, high = interval([auc.value], [auc.variance], bounds=UNIT)[2:4]
        covered += low <= 0.5 <= high
    assert covered / 200 >= 0.9


def test_the_same_seed_finds_the_same_and_another_does_not(cohort):
    parts, codebook = cohort
    small = Parts(*(part.head(100) for part in parts))
    asked = {"person": alone(100), "release": CONTROLS["independent"]}
    first, again, other = (
        [score.value for score in audit(small.fresh, small, codebook, ["death"], seed=seed, **asked)]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_copies_with_other_ages_do_not_tell_the_age(cohort):
    parts, _ = cohort
    shuffled = parts.members.assign(age=parts.members["age"].sample(frac=1, random_state=1).to_numpy())
    found = attribute_inference(shuffled, *parts[:3], ["age"], seed=1)
    assert {score.metric: score.value for score in found}["attribute_advantage"] < 0.1


@pytest.mark.skipif("MEDSYNTH_ANONYMETER" not in os.environ, reason="names the python of .environments/anonymeter")
def test_anonymeter_finds_copied_training_rows_and_not_the_holdout(cohort):
    parts, codebook = cohort
    found = {}
    for control in ("train_copy", "holdout"):
        released = CONTROLS[control](parts, 1)
        risks = anonymeter_risks(os.environ["MEDSYNTH_ANONYMETER"], released, parts, codebook, ["age"], seed=1)
        found[control] = by_about(risks)
    copied, held = (found[control]["anonymeter_linkability"] for control in ("train_copy", "holdout"))
    assert copied > 0.3 and held < 0.1
    assert found["train_copy"]["anonymeter_inference", "mean"] > 0.3


def test_what_anonymeter_says_when_it_fails_is_one_sentence(cohort):
    parts, codebook = cohort
    # The project's own environment has no Anonymeter.
    with pytest.raises(InputError, match=r"Anonymeter failed: .*No module named 'anonymeter'"):
        list(anonymeter_risks(sys.executable, parts.fresh, parts, codebook, ["age"], seed=1))


# Judging scores


def test_scores_that_know_nothing_find_as_many_members_as_others():
    found = judged(np.zeros(200), np.zeros(200))
    assert found["membership_auc"] == 0.5
    assert found["membership_tpr_1"] == pytest.approx(0.01) and found["membership_tpr_10"] == pytest.approx(0.1)


def test_the_share_found_is_at_the_false_alarms_asked_for():
    others = np.arange(1000.0)
    found = judged(np.concatenate([np.full(30, 2000.0), np.full(970, 950.5)]), others)
    assert found["membership_tpr_1"] == pytest.approx(0.03, abs=0.3 * 0.03)
    assert found["membership_tpr_10"] == 1


def test_outliers_of_one_side_alone_have_no_score():
    scores = judge(np.arange(4.0), np.array([1, 1, 0, 0], bool), np.array([1, 0, 0, 0], bool), "a")
    found = by_about(scores)
    assert np.isnan(found["membership_auc", "outliers", "a"]) and found["membership_auc", "everyone", "a"] == 0


def judged(members, nonmembers):
    """What is made of the scores of members and of nonmembers."""
    member = np.repeat([True, False], [len(members), len(nonmembers)])
    return once(np.concatenate([members, nonmembers]), member)


def test_outliers_are_those_furthest_from_the_reference(cohort):
    parts, codebook = cohort
    odd = parts.members.head(1).assign(age=120, pneumonia="yes", copd="yes", renal_chronic="yes", tobacco="yes")
    attacked = codebook.conform(pd.concat([parts.members, odd], ignore_index=True))
    found = outliers(attacked, parts.reference, codebook)
    assert found[-1] and 0.04 < found.mean() < 0.15


# Persons


def test_a_person_is_in_one_half_only():
    person = np.repeat(np.arange(40), np.arange(40) % 3 + 1)
    halves = halve(person, seed=1)
    assert len(halves[0]) == len(halves[1]) > 30
    assert not set(person[halves[0]]) & set(person[halves[1]])


def test_halves_of_one_seed_are_the_same_and_of_another_are_not():
    first, again, other = (halve(np.arange(50), seed=seed)[0] for seed in (1, 1, 2))
    assert (first == again).all() and list(first) != list(other)


def test_a_person_is_in_one_quarter_of_the_shadows_only():
    person = np.repeat(np.arange(30), 2)
    found = quarters(pd.DataFrame({"person": person}), person, seed=1)
    people = [set(part["person"]) for part in found]
    assert sum(map(len, people)) == len(set().union(*people)) > 25


def test_a_resample_draws_whole_persons_as_many_as_there_are():
    person = np.repeat([5, 7, 9, 11, 13, 15], [1, 2, 3, 1, 2, 3])
    rows = resample(person, seed=1)
    times = {one: (rows == np.flatnonzero(person == one)[0]).sum() for one in set(person)}
    assert sum(times.values()) == 6 and max(times.values()) > 1 and min(times.values()) == 0
    assert np.bincount(rows, minlength=12).tolist() == [times[one] for one in person]
    assert not np.array_equal(rows, resample(person, seed=2)) and np.array_equal(rows, resample(person, seed=1))


def test_one_person_cannot_be_halved():
    with pytest.raises(InputError, match="1 person"):
        halve(np.zeros(5, dtype=int), seed=1)


# Copies


def numbers(rows, columns, seed):
    """Independent lognormal columns."""
    made = np.random.default_rng(seed).lognormal(size=(rows, columns))
    return pd.DataFrame(made, columns=[f"x{i}" for i in range(columns)])


def copied(released, members, nonmembers, codebook):
    return by_about(copies(released, members, nonmembers, codebook))


def of_numbers(codebook, columns):
    return codebook.model_copy(update={"columns": {f"x{i}": Column(type="continuous") for i in range(columns)}})


def test_a_copy_of_the_nonmembers_is_not_one_of_the_members(codebook):
    members, nonmembers = numbers(300, 3, 0), numbers(300, 3, 1)
    found = copied(nonmembers, members, nonmembers, of_numbers(codebook, 3))
    assert (found["dcr_share"], found["copies_member"], found["copies_nonmember"]) == (0, 0, 1)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_fresh_numbers_are_as_near_to_either_however_few_columns_there_are(codebook, columns):
    """Ranks must be among both halves: among one alone, a row is nearer to those of the other."""
    tables = [numbers(rows, columns, seed) for seed, rows in enumerate((1500, 500, 500))]
    found = copied(*tables, of_numbers(codebook, columns))
    assert found["dcr_share"] == pytest.approx(0.5, abs=0.06)
    assert found["copies_member"] == found["copies_nonmember"] == 0


def test_slightly_moved_copies_are_near_copies_and_no_copies(codebook):
    members, nonmembers = numbers(300, 12, 0), numbers(300, 12, 1)
    found = copied(members * 1.001, members, nonmembers, of_numbers(codebook, 12))
    assert found["dcr_share"] > 0.95
    assert found["copies_member"] < 0.1
    assert found["near_copies_member"] == 1 and found["near_copies_nonmember"] < 0.1


def test_ties_count_half(codebook):
    members, fresh = numbers(100, 2, 0), numbers(100, 2, 1)
    assert copied(fresh, members, members, of_numbers(codebook, 2))["dcr_share"] == 0.5


def test_categories_count_as_equal_or_not(codebook):
    categories = codebook.model_copy(update={"columns": {n: codebook.columns[n] for n in ("sex", "stage")}})
    made = [
        categories.conform(pd.DataFrame(rows, columns=["sex", "stage"]))
        for rows in ([("female", "I"), ("male", "II")], [("female", "II")], [("male", "III")])
    ]
    # The first row shares its sex with the member alone; the second shares one category with either.
    assert copied(*made, categories)["dcr_share"] == 0.75


def test_more_rows_than_are_compared_at_once_are_all_compared(codebook):
    members, nonmembers = numbers(2500, 2, 0), numbers(2500, 2, 1)
    assert copied(members, members, nonmembers, of_numbers(codebook, 2))["copies_member"] == 1


# Tables and figures

EVERYONE = {"attack": "chosen", "group": "everyone"}
TREES = {"attack": "trees", "group": "everyone"}


@pytest.fixture
def privacy_scores():
    """Two generators and controls; trees were chosen on CART, on Med-VAE either."""
    rows = []
    for name, epochs, chosen, values in [
        ("cart", 0, ["trees", "trees"], [0.55, 0.57]),
        ("med_vae", 200, ["neighbours", "trees"], [0.9, 0.92]),
        ("copied_1", 0, ["trees", "trees"], [0.504, 0.51]),
        ("copied_10", 0, ["trees", "trees"], [0.55, 0.5499]),
        ("train_copy", 0, ["neighbours", "neighbours"], [1.0, 1.0]),
        ("holdout", 0, ["trees", "trees"], [0.5, 0.5]),
    ]:
        metrics = ("membership_auc", "membership_tpr_1", "membership_tpr_10")
        rows += [(name, epochs, "privacy", metric, EVERYONE, values) for metric in metrics]
        rows.append((name, epochs, "privacy", "membership_auc", {"attack": "chosen", "group": "outliers"}, values))
        rows.append((name, epochs, "privacy", "membership_auc", TREES, [0.5, 0.52]))
        rows.append((name, epochs, "privacy", "attribute_advantage", {"column": "mean"}, [0.0, 0.02]))
        rows += [
            (name, epochs, "privacy", metric, {}, [0.4, 0.6])
            for metric in ("dcr_share", "copies_member", "copies_nonmember")
        ]
        judged = "real" if name == "train_copy" else name
        rows.append((judged, epochs, "detection", "c2st_auc", {"model": "xgboost"}, [0.6, 0.7]))
        for seed, attack in enumerate(chosen):
            rows.append((name, epochs, "privacy", "chosen_attack", {"attack": attack}, [np.nan] * seed + [1.0]))
    table = long_table(*rows)
    return table[table["value"].notna()].reset_index(drop=True)


def test_the_privacy_table_has_every_attack_and_its_difference_to_the_holdout(privacy_scores):
    table = privacy_table(privacy_scores).set_index(["generator", *WHAT])
    row = table.loc[("cart", "membership_auc", "chosen", "everyone", "")]
    assert (row["n_seeds"], row["mean"], row["over_holdout"]) == (2, pytest.approx(0.56), pytest.approx(0.06))
    assert row["ci_low"] < 0.55 and row["over_holdout_low"] < 0.05
    assert ("med_vae", "membership_auc", "trees", "everyone", "") in table.index


def test_a_difference_to_the_holdout_is_paired_by_person():
    """What is easy or hard to tell of the attacked persons is so whatever was released."""
    shared = np.random.default_rng(1).normal(0, 0.02, REPLICATES)
    rows = long_table(
        ("cart", 0, "privacy", "membership_auc", TREES, [0.53]),
        ("holdout", 0, "privacy", "membership_auc", TREES, [0.50]),
    )
    rows["variance"], rows["replicates"] = 0.0004, [0.53 + shared, 0.50 + shared]
    table = privacy_table(rows).set_index("generator")
    assert table.loc["cart", "ci_low"] < 0.5 < table.loc["cart", "over_holdout_low"] + 0.5


def test_the_smallest_leak_is_the_least_plant_from_which_on_all_are_noticed(privacy_scores):
    leaks = privacy_table(privacy_scores).set_index(["generator", *WHAT])["smallest_leak"]
    assert leaks["cart", "membership_auc", "chosen", "everyone", ""] == 10
    assert np.isnan(leaks["cart", "dcr_share", "", "", ""])


def test_the_privacy_table_for_reading_ends_with_the_controls_and_what_they_show(privacy_scores):
    shown = display_privacy(privacy_table(privacy_scores), STYLES)
    assert [title.split(" (")[0] for title in shown["Model"]] == [
        "CART",
        "Med-VAE",
        "1 % of the members copied",
        "10 % of the members copied",
        "All members copied",
        "Holdout",
        "Smallest leak noticed",
    ]
    assert shown["Chosen attack"].to_list()[:2] == ["trees", "neighbours, trees"]
    assert shown["Membership AUC"].str[:5].to_list() == ["0.560", "0.910", "0.507", "0.550", "1.000", "0.500", "10 % "]
    assert shown["Epochs"].to_list()[:3] == [NOTHING, "200", NOTHING]


def test_attacks_that_failed_are_said_to_have_in_the_table_and_have_no_point(privacy_scores):
    lost = privacy_scores["generator"].eq("cart") & privacy_scores["family"].eq("privacy")
    failed = long_table(("cart", 0, "failed", "attacks", {"stage": "attacks"}, [float("nan")] * 2))
    scores = pd.concat([privacy_scores[~lost], failed], ignore_index=True)
    shown = display_privacy(privacy_table(scores), STYLES).set_index("Model")
    assert shown.loc["CART", ["Seeds", "Membership AUC"]].to_list() == ["0 (2 failed)", NOTHING]
    assert "cart" not in trade_points(scores)["generator"].to_list()


def test_copied_rows_are_as_faithful_as_real_ones(privacy_scores):
    points = trade_points(privacy_scores).set_index("generator")
    assert points.loc["train_copy", ["membership", "c2st"]].to_list() == [1, pytest.approx(0.65)]
    assert len(points) == 6


def test_the_figure_of_the_trade_has_a_point_a_generator_with_intervals_both_ways(privacy_scores, tmp_path):
    figure = privacy_trade(privacy_scores, STYLES, note=NOTE)
    (ax,) = figure.axes
    assert [len(point.lines[2]) for point in ax.containers] == [2] * 6
    figure.savefig(tmp_path / "trade.png")


def test_the_figure_of_the_dial_is_in_the_order_of_its_values(privacy_scores, tmp_path):
    figure = privacy_sweep(privacy_scores, {"cart": 10, "med_vae": 0.1}, sweep="KL weight", note=NOTE)
    line = figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [0.1, 10] and line.get_ydata().tolist() == pytest.approx([0.91, 0.56])
    figure.savefig(tmp_path / "sweep.png")


def test_a_sweep_whose_generators_were_not_attacked_is_an_error(privacy_scores):
    with pytest.raises(InputError, match="'kl_weight'"):
        privacy_sweep(privacy_scores, {"other": 1}, sweep="kl_weight", note=NOTE)


def test_columns_of_hundreds_of_categories_together_are_told_apart():
    categories = [f"diagnosis {i}" for i in range(100)]
    columns = {
        name: Column(type="categorical", raw=name, categories=categories) for name in ("first", "second", "third")
    }
    rows = pd.DataFrame(
        {name: [categories[99], categories[0]] for name in columns}, dtype=pd.CategoricalDtype(categories)
    )
    others = rows.iloc[:1].reset_index(drop=True)
    facts = {"title": "t", "publisher": "p", "licence": "l", "raw": {"file": "t.csv", "obtain": "ask"}}
    codebook = Codebook(name="t", columns=columns, **facts)
    assert list(closest(rows, others, others, codebook)) == [0, 3]
