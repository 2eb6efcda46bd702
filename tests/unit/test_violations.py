"""Constraints: what violates one, what a codebook may ask for, and the table of how often."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.scores.violations.compute import check_constraints, violations
from medsynth.scores.violations.table import display_violations, violations_table
from tests.conftest import CODEBOOK, ROOT
from tests.unit.conftest import STYLES
from tests.unit.conftest import scores as long_table

ICU_AT_HOME = {"name": "icu_at_home", "title": "ICU at home", "where": {"admitted": "no", "icu": "yes"}}
CENTENARIAN = {"name": "centenarian", "title": "older than 100", "where": {"age": [101, None]}}
CRP_BEYOND_AGE = {"name": "crp_beyond_age", "title": "CRP above age", "less": ["age", "crp"]}


def with_constraints(*rules):
    """The ward's codebook with constraints."""
    return Codebook.model_validate(CODEBOOK | {"constraints": list(rules)})


def shares(table, partitions, *rules):
    """Share of a table's rows that violates each constraint, by the codebook of the clean table."""
    resolved = with_constraints(*rules).resolved(partitions[0])
    return {score.about.rule: score.value for score in violations(table, resolved)}


def test_a_row_breaks_a_rule_if_it_meets_all_its_conditions(partitions):
    train, _, _ = partitions
    broken = train.copy()
    broken.loc[:9, "icu"] = "yes"
    broken.loc[:9, "admitted"] = ["no"] * 4 + ["yes"] * 6
    found = shares(broken, partitions, ICU_AT_HOME)
    assert found["icu_at_home"] == pytest.approx(4 / len(train))


def test_rows_that_break_two_rules_count_once_in_any(partitions):
    table = partitions[0].assign(age=101, admitted="no", icu="yes")
    assert shares(table, partitions, ICU_AT_HOME, CENTENARIAN) == {"icu_at_home": 1, "centenarian": 1, "any": 1}


def test_the_real_ward_breaks_no_rule_and_independent_columns_do(partitions):
    train, _, _ = partitions
    shuffled = train.assign(icu=train["icu"].sample(frac=1, random_state=0).to_numpy())
    assert shares(train, partitions, ICU_AT_HOME)["any"] == 0
    assert shares(shuffled, partitions, ICU_AT_HOME)["any"] > 0.05


def test_a_rule_compares_two_columns(partitions):
    table = partitions[0].head(4).assign(age=[50, 50, 50, 50], crp=[49.0, 50.0, 51.0, np.nan])
    assert shares(table, partitions, CRP_BEYOND_AGE)["crp_beyond_age"] == 0.25


def test_a_comparison_counts_among_the_rows_that_meet_the_conditions(partitions):
    table = partitions[0].head(2).assign(age=50, crp=99.0, sex=["male", "female"])
    assert shares(table, partitions, CRP_BEYOND_AGE | {"where": {"sex": "male"}})["crp_beyond_age"] == 0.5


def test_a_rule_that_cannot_be_broken_has_rate_zero(partitions):
    beyond_the_range = {"name": "old", "title": "older than 130", "where": {"age": [131, None]}}
    assert shares(partitions[0], partitions, beyond_the_range) == {"old": 0, "any": 0}
    # A category that only some tables of the dataset have (rare ones are grouped by the data).
    unseen = with_constraints(ICU_AT_HOME | {"where": {"icu": ["yes", "hospice"], "admitted": "no"}})
    assert {score.value for score in violations(partitions[0], unseen.resolved(partitions[0]))} == {0}


def test_a_rule_of_a_column_that_cleaning_dropped_is_void(partitions):
    train = partitions[0].drop(columns="crp")
    resolved = with_constraints(CRP_BEYOND_AGE, CENTENARIAN).resolved(train)
    assert [score.about.rule for score in violations(train, resolved)] == ["centenarian", "any"]


def real_shares(table, partitions, *rules, least=10):
    """The same of real rows, those that are withheld left out."""
    found = violations(table, with_constraints(*rules).resolved(partitions[0]), least=least)
    return {score.about.rule: score.value for score in found if not np.isnan(score.value)}


def test_a_share_of_few_real_rows_or_of_all_but_few_is_withheld_and_others_are_exact(partitions):
    train, _, _ = partitions
    old = train.assign(age=np.where(np.arange(len(train)) < 7, 101, 50))
    assert real_shares(old, partitions, CENTENARIAN) == {}
    assert real_shares(old, partitions, CENTENARIAN, least=7) == {"centenarian": 7 / len(old), "any": 7 / len(old)}
    old["age"] = np.where(np.arange(len(train)) < 7, 50, 101)
    assert real_shares(old, partitions, CENTENARIAN) == {}
    assert real_shares(old.assign(age=50), partitions, CENTENARIAN) == {"centenarian": 0, "any": 0}


def test_shares_of_real_rows_do_not_tell_of_few_by_their_difference(partitions):
    train, _, _ = partitions
    place = np.arange(len(train))
    # 20 centenarians, and 5 other rows that violate the second constraint: any is 25.
    table = train.assign(age=np.where(place < 20, 101, 50), admitted="no", icu=np.where(place < 25, "yes", "no"))
    table.loc[place < 20, "icu"] = "no"
    assert real_shares(table, partitions, ICU_AT_HOME, CENTENARIAN) == {"any": 25 / len(table)}


def test_a_codebook_without_rules_has_no_violations(partitions):
    assert list(violations(partitions[0], partitions[2])) == []


def test_rules_survive_being_written_and_read(partitions):
    resolved = with_constraints(ICU_AT_HOME, CRP_BEYOND_AGE).resolved(partitions[0])
    assert Codebook.from_text(resolved.to_json()).constraints == resolved.constraints


@pytest.mark.parametrize("path", sorted((ROOT / "config/datasets").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_rules_of_every_codebook_of_the_project_fit_it(path):
    codebook = Codebook.from_yaml(path)
    assert codebook.constraints
    check_constraints(codebook)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"where": {"icuu": "yes"}}, r"The constraint 'icu_at_home': ward has no column 'icuu'; did you mean 'icu'\?"),
        ({"where": {"icu": "yess"}}, r"'icu_at_home': 'icu' has no category 'yess'.*did you mean 'yes'\?"),
        ({"where": {"icu": None}}, r"condition on 'icu' must be a category or a list of categories"),
        ({"where": {"age": "old"}}, r"condition on 'age' must be a number, a pair"),
        ({"where": {"patient": "1"}}, r"column 'patient' is not in the clean table"),
        ({"where": {}, "less": ["age", "sex"]}, r"'less' compares numbers, and 'sex' is binary"),
        ({"name": "any"}, r"'any' stands for all constraints together"),
    ],
)
def test_a_rule_that_does_not_fit_is_refused_in_a_sentence(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        check_constraints(with_constraints(ICU_AT_HOME | changes))


def test_two_rules_of_one_name_are_refused():
    with pytest.raises(InputError, match="'icu_at_home' is the name of several constraints"):
        check_constraints(with_constraints(ICU_AT_HOME, ICU_AT_HOME))


def test_a_rule_must_say_something():
    with pytest.raises(ValueError, match="needs 'where' or 'less'"):
        with_constraints({"name": "nothing", "title": "nothing"})


# The table


def rates(generator, epochs, rule, values):
    return (generator, epochs, "fidelity", "violations", {"rule": rule}, values)


@pytest.fixture
def table() -> pd.DataFrame:
    """Two constraints; TVAE at two epoch counts."""
    return violations_table(
        long_table(
            *(rates("real", 0, rule, [0.0, 0.0]) for rule in ("b", "a", "any")),
            *(rates("tvae", 10, rule, [0.5, 0.5]) for rule in ("b", "a", "any")),
            *(rates("tvae", 20, rule, [0.01, 0.03]) for rule in ("b", "a", "any")),
            ("tvae", 20, "fidelity", "quality", {}, [0.9, 0.9]),
        )
    )


def test_each_generator_has_one_row_at_its_largest_epoch_count(table):
    assert table[["generator", "epochs", "n_seeds"]].to_numpy().tolist() == [["real", 0, 2], ["tvae", 20, 2]]
    assert table.set_index("generator")["any"].to_dict() == pytest.approx({"real": 0, "tvae": 0.02})


def test_an_interval_of_shares_stays_within_zero_and_one(table):
    row = table.set_index("generator").loc["tvae"]
    assert 0 < row["a_low"] < 0.02 < row["a_high"] < 1


def test_a_share_that_is_withheld_for_one_seed_has_no_mean_and_the_table_says_so():
    found = violations_table(
        long_table(*(rates(name, 0, "any", [0.02, 0.03 if name == "cart" else np.nan]) for name in ("real", "cart")))
    )
    assert found["any"].isna().tolist() == [False, True]
    shown = display_violations(found, {}, STYLES)
    assert shown["any constraint"][0] == "withheld" and shown["any constraint"][1].startswith("25.0")


def test_violations_are_shown_per_thousand_rows_under_the_rules_titles(table):
    shown = display_violations(table, {"a": "first", "b": "second", "void": "dropped"}, STYLES)
    assert list(shown.columns) == ["Model", "Epochs", "Seeds", "first", "second", "any constraint"]
    assert list(shown["Model"]) == ["Real → Real", "TVAE"]
    assert list(shown["any constraint"]) == ["0.0 (0.0, 0.0)", "20.0 (0.2, 723.3)"]
