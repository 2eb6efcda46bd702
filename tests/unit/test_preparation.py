"""Partitions, imputation and encoding: nothing is learned from test rows."""

import copy

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError
from medsynth.evaluation.feasibility import check_partitions
from medsynth.generators.cart import CART
from medsynth.preparation.checks import check_clean
from medsynth.preparation.cleaning import clean
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.imputation import IMPUTERS, impute_blind, make_imputer
from medsynth.preparation.partitions import split, winsorise
from tests.conftest import CODEBOOK, ward


@pytest.fixture
def incomplete(raw, codebook):
    """Train and test of the ward table with their gaps, and their codebook."""
    table, _ = clean(raw, codebook)
    parts = split(table, codebook, test_share=0.25, seed=1)
    return parts["train"], parts["test"], codebook.resolved(parts["train"])


def test_no_person_is_in_two_partitions(raw, codebook):
    table, _ = clean(raw.assign(age=(np.arange(len(raw)) // 2 % 100).astype(str)), codebook)
    parts = split(table, codebook, test_share=0.25, seed=1)
    # Two rows a person, and age tells persons apart within a hundred.
    counts = [part["age"].value_counts() for part in parts.values()]
    assert all((count % 2 == 0).all() for count in counts)
    assert "patient" not in parts["train"]


def test_shares_and_rows_are_as_asked(raw, codebook):
    table, _ = clean(raw, codebook)
    parts = split(table, codebook, test_share=0.25, seed=1, max_rows=200)
    assert {name: len(part) for name, part in parts.items()} == {"train": 150, "test": 50}


def test_same_seed_same_partition_other_seed_another(raw, codebook):
    table, _ = clean(raw, codebook)
    first, again, other = (split(table, codebook, test_share=0.25, seed=s)["test"] for s in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_columns_are_cut_at_the_quantile_of_the_training_rows_alone():
    parts = {"train": pd.DataFrame({"x": np.arange(101)}), "test": pd.DataFrame({"x": [50, 1000]})}
    assert winsorise(parts, 0.99) == {"x": 99}
    assert parts["train"]["x"].max() == 99
    assert parts["test"]["x"].tolist() == [50, 99]


def test_a_column_that_is_nearly_constant_is_not_cut():
    parts = {"train": pd.DataFrame({"x": [0] * 999 + [7]})}
    assert winsorise(parts, 0.99) == {}
    assert parts["train"]["x"].max() == 7


def test_an_empty_partition_is_an_error(raw, codebook):
    table, _ = clean(raw.iloc[:2], codebook.model_copy(update={"person": None}))
    with pytest.raises(InputError, match="leaves a partition empty"):
        split(table, codebook, test_share=0.1, seed=1)


@pytest.mark.parametrize("method", IMPUTERS)
def test_imputed_tables_are_complete_and_fit_their_codebook(incomplete, method):
    train, test, codebook = incomplete
    imputer = make_imputer(method, seed=5).fit(train, codebook)
    for part in (train, test):
        check_clean(imputer.transform(part), imputer.codebook_, what=method)


@pytest.mark.parametrize("method", IMPUTERS)
def test_observed_cells_stay_as_they_are(incomplete, method):
    train, _, codebook = incomplete
    imputed = make_imputer(method, seed=5).fit(train, codebook).transform(train)
    for name in train:
        seen = train[name].notna()
        assert (
            imputed.loc[seen, name].astype(str) == train.loc[seen, name].astype(train[name].dtype).astype(str)
        ).all() or (imputed.loc[seen, name].astype(float) == train.loc[seen, name].astype(float)).all()


@pytest.mark.parametrize("method", IMPUTERS)
def test_same_seed_same_values(incomplete, method):
    train, test, codebook = incomplete
    first, again = (make_imputer(method, seed=5).fit(train, codebook).transform(test) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("method", ["forest", "iterative"])
def test_another_seed_draws_other_values(incomplete, method):
    train, test, codebook = incomplete
    first, other = (make_imputer(method, seed=s).fit(train, codebook).transform(test) for s in (5, 6))
    assert not first.equals(other)


@pytest.mark.parametrize("method", IMPUTERS)
def test_what_is_imputed_for_training_rows_does_not_depend_on_test_rows(incomplete, method):
    train, test, codebook = incomplete
    alone = make_imputer(method, seed=5).fit(train, codebook).transform(train)
    imputer = make_imputer(method, seed=5).fit(train, codebook)
    imputer.transform(test)
    assert imputer.transform(train).equals(alone)


@pytest.mark.parametrize("method", ["forest", "iterative", "simple"])
def test_not_applicable_is_never_imputed_where_the_question_arises(codebook, method):
    table = clean(ward(2000, seed=3), codebook)[0].drop(columns="patient")
    imputed = make_imputer(method, seed=1).fit(table, codebook.resolved(table)).transform(table)
    inpatients = imputed["admitted"] == "yes"
    assert not (imputed.loc[inpatients, "icu"] == "not applicable").any()


def dependent(n, seed=0):
    """A table in which y decides x (a number) and g (a category), a third of both missing; and the complete table."""
    rng = np.random.default_rng(seed)
    y = rng.normal(50, 10, n)
    full = pd.DataFrame(
        {"y": y, "x": 4 * y + rng.normal(0, 2, n), "g": pd.Categorical(np.where(y > 50, "high", "low"))}
    )
    return full.mask(rng.random((n, 3)) < [0, 0.33, 0.33]), full


@pytest.mark.parametrize("method", ["forest", "iterative"])
def test_imputed_values_follow_what_decides_them(method):
    """Also in rows that were not fitted: miceforest's own `impute_new_data` would fill them at random."""
    columns = {name: {"type": "continuous"} for name in ("y", "x")}
    columns["g"] = {"type": "binary", "categories": ["high", "low"]}
    facts = {"name": "t", "title": "t", "publisher": "t", "licence": "t", "raw": {"file": "t.csv", "obtain": "t"}}
    codebook = Codebook.model_validate({**facts, "columns": columns})
    train, _ = dependent(600)
    test, full = dependent(400, seed=1)
    imputed = make_imputer(method, seed=1).fit(train, codebook.resolved(train)).transform(test)
    gaps = test["x"].isna()
    assert np.corrcoef(imputed.loc[gaps, "x"], full.loc[gaps, "x"])[0, 1] > 0.9
    gaps = test["g"].isna()
    # Half of them would be right by chance; a normal draw rounded to a category is right three times in four.
    assert (imputed.loc[gaps, "g"] == full.loc[gaps, "g"]).mean() > 0.7


@pytest.mark.parametrize("method", IMPUTERS)
def test_a_second_transform_gives_the_same_values(incomplete, method):
    train, _, codebook = incomplete
    imputer = make_imputer(method, seed=5).fit(train, codebook)
    pd.testing.assert_frame_equal(imputer.transform(train), imputer.transform(train))


def test_a_category_shared_with_not_applicable_can_be_imputed(codebook):
    """Women of unknown state are mostly "no", although "no" is what the codebook writes for men, too."""
    content = copy.deepcopy(CODEBOOK)
    rule = {"codes": [97], "category": "no", "when": {"sex": "male"}}
    content["columns"]["pregnant"] = {
        "type": "binary",
        "codes": {2: "no", 1: "yes"},
        "missing": [98],
        "not_applicable": rule,
    }
    raw, rng = ward(2000), np.random.default_rng(0)
    raw["pregnant"] = np.where(raw["sex"] == "2", "97", rng.choice(["1", "2", "98"], len(raw), p=[0.03, 0.87, 0.1]))
    table = clean(raw, Codebook.model_validate(content))[0].drop(columns="patient")
    described = Codebook.model_validate(content).resolved(table)
    # Written and resolved again, as between the jobs of the workflow.
    described = Codebook.model_validate_json(described.to_json()).resolved(table)
    imputed = make_imputer("forest", seed=1).fit(table, described).transform(table)
    unknown = table["pregnant"].isna()
    assert (imputed.loc[unknown, "pregnant"] == "yes").mean() < 0.2


def test_test_rows_are_imputed_without_their_own_label():
    """A number that only the label tells stays unknown in test rows, as it would be at the bedside."""
    train, _ = dependent(600)
    test, full = dependent(400, seed=1)
    train, test = (part.assign(g=whole["g"], y=0.0) for part, whole in ((train, dependent(600)[1]), (test, full)))
    columns = {name: {"type": "continuous", "range": [0, 1000]} for name in ("y", "x")}
    columns["g"] = {"type": "binary", "categories": ["high", "low"]}
    facts = {"name": "t", "title": "t", "publisher": "t", "licence": "t", "raw": {"file": "t.csv", "obtain": "t"}}
    codebook = Codebook.model_validate({**facts, "columns": columns})
    imputer = make_imputer("forest", seed=1).fit(train, codebook)
    gaps = test["x"].isna()

    def told(imputed):
        return abs(np.corrcoef(imputed.loc[gaps, "x"], test.loc[gaps, "g"] == "high")[0, 1])

    assert told(imputer.transform(test)) > 0.5
    blind = impute_blind(imputer, train, test, codebook, ["g"])
    assert told(blind) < 0.2
    assert (blind["g"] == test["g"]).all()


def test_flags_say_what_was_missing(incomplete):
    train, _, codebook = incomplete
    imputed = make_imputer("simple", flags=True).fit(train, codebook).transform(train)
    assert ((imputed["crp_missing"] == "yes") == train["crp"].isna()).all()


def test_mean_and_median_fill_numeric_columns(incomplete):
    train, _, codebook = incomplete
    gap = train["crp"].isna()
    for statistic in ("mean", "median"):
        imputed = make_imputer("simple", statistic=statistic).fit(train, codebook).transform(train)
        # To the decimals of the table.
        assert np.allclose(imputed.loc[gap, "crp"], round(getattr(train["crp"], statistic)(), 1))


def test_category_makes_missing_a_category(incomplete):
    train, _, codebook = incomplete
    imputer = make_imputer("category").fit(train, codebook)
    imputed = imputer.transform(train)
    assert ((imputed["stage"] == "missing") == train["stage"].isna()).all()
    assert ((imputed["crp_missing"] == "yes") == train["crp"].isna()).all()
    assert "stage_missing" not in imputed


def test_a_column_complete_in_training_but_not_in_test_rows_is_filled(incomplete):
    train, test, codebook = incomplete
    test.loc[0, "age"] = np.nan
    for method in IMPUTERS:
        assert make_imputer(method).fit(train, codebook).transform(test)["age"].notna().all()


def test_the_encoder_knows_training_categories_alone(partitions):
    train, test, _ = partitions
    train = train[train["stage"] != "III"]
    encoder = TableEncoder().fit(train)
    assert (encoder.transform(test).loc[(test["stage"] == "III").to_numpy(), "stage"] == -1).all()
    assert encoder.unseen(test) == {"stage": {"III": int((test["stage"] == "III").sum())}}


def test_check_clean_names_column_rule_and_count(partitions):
    train, _, codebook = partitions
    bad = train.assign(age=np.where(np.arange(len(train)) < 3, 130, train["age"]))
    with pytest.raises(
        InputError, match=r"It does not fit its codebook: age: in_range\(0.0, 120.0\) fails for 3 cells"
    ):
        check_clean(bad, codebook, what="It")


@pytest.mark.parametrize("kind", ["simple", "category"])
def test_a_flag_never_overwrites_a_column_of_the_table(incomplete, kind):
    train, _, codebook = incomplete
    own = codebook.columns["sex"].model_copy(update={"raw": "CRP_MISSING"})
    imputer = make_imputer(kind, **({"flags": True} if kind == "simple" else {}))
    with pytest.raises(InputError, match="'crp_missing' of imputation would overwrite the table's own column"):
        imputer.fit(train.assign(crp_missing=train["sex"]), codebook.with_columns({"crp_missing": own}))


def test_a_column_called_like_the_flag_of_a_coded_one_is_kept_by_the_category_imputer(incomplete):
    train, _, codebook = incomplete
    own = codebook.columns["sex"].model_copy(update={"raw": "STAGE_MISSING"})
    table = train.assign(stage_missing=train["sex"])
    imputer = make_imputer("category").fit(table, codebook.with_columns({"stage_missing": own}))
    filled = imputer.transform(table)
    assert filled["stage_missing"].equals(table["stage_missing"]) and "stage_missing" in imputer.codebook_.columns


def test_a_column_that_no_training_row_has_is_refused_by_name(partitions):
    train, test, codebook = partitions
    nobody = {"train": train.assign(crp=np.nan), "test": test}
    with pytest.raises(InputError, match="Columns of which no training row has a value: 'crp'; leave them out"):
        check_partitions(nobody)
    # What describes such rows can be read again.
    described = codebook.with_columns({"crp": Column(type="continuous", raw="CRP")}).resolved(nobody["train"])
    assert Codebook.from_text(described.to_json()).columns["crp"].range is None


def test_the_value_of_a_column_that_few_test_rows_have_is_not_told(partitions):
    from prepare_partitions import describe

    train, test, codebook = partitions
    few = {"train": train, "test": test.assign(crp=[37.4, *[np.nan] * (len(test) - 1)])}
    remarks = describe(few, few, codebook, "simple", 0, {}, [], 10)
    said = remarks.set_index(["partition", "column"])["remark"]
    assert said["test", "crp"] == "constant"


@pytest.mark.parametrize("method", ["category", "keep"])
def test_a_plain_table_with_gaps_in_codes_can_be_imputed_learned_and_sampled(method):
    rng = np.random.default_rng(1)
    codes = pd.Series(rng.integers(0, 2, 200)).astype(object)
    table = pd.DataFrame({"code": codes.astype("Int64"), "known": codes == 1, "age": rng.integers(20, 90, 200)})
    table["known"] = table["known"].astype("boolean")
    table.loc[:20, ["code", "known"]] = pd.NA
    codebook = Codebook.infer(table)
    imputer = make_imputer(method).fit(codebook.conform(table), codebook)
    drawn = CART().fit(imputer.transform(codebook.conform(table)), imputer.codebook_, seed=1).sample(200, seed=1)
    assert set(drawn["code"].astype(str)) == {"0", "1", "missing"}
    assert set(drawn["known"].astype(str)) == {"False", "True", "missing"}
