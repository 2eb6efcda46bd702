"""Numbers without a value where their question does not arise, and gaps that are kept."""

import numpy as np
import pandas as pd
import pytest
import yaml

import medsynth
from medsynth.codebook import Codebook
from medsynth.drafting import make_draft
from medsynth.errors import InputError
from medsynth.generators.streaming import write_parts
from medsynth.plan.loading import load_runs
from medsynth.preparation.checks import check_clean
from medsynth.preparation.cleaning import clean
from medsynth.preparation.imputation import IMPUTERS, impute_blind, make_imputer
from medsynth.preparation.restoring import reasons, restore

KEEPING = {
    "CART": lambda: medsynth.CART(min_leaf=10),
    "Forest": lambda: medsynth.Forest(trees=3),
    "MedVAEPlus": lambda: medsynth.MedVAEPlus(),
    "GaussianCopula": medsynth.GaussianCopula,
}
OTHERS = {
    "MedVAE": lambda: medsynth.MedVAE(),
    "PrivateColumns": lambda: medsynth.PrivateColumns(epsilon=10.0),
    "DPMedVAEPlus": lambda: medsynth.DPMedVAEPlus(epsilon=None, width=32, steps=20),
}
JOINTLY = ["CART", "Forest", pytest.param("MedVAEPlus", marks=pytest.mark.slow)]


def written(**columns):
    """A codebook of survivors, whose day of death nobody can know."""
    rule = {"when": {"died": "no"}}
    known = {
        "age": {"type": "integer", "range": [0, 110]},
        "died": {"type": "binary", "categories": ["no", "yes"]},
        "day": {"type": "integer", "range": [0, 60], "not_applicable": rule},
        "bilirubin": {"type": "continuous", "range": [0, 50]},
        "albumin": {"type": "continuous", "range": [0, 10]},
        "smokes": {"type": "binary", "categories": ["no", "yes"]},
    }
    facts = {"name": "clinic", "title": "Clinic", "publisher": "nobody", "licence": "none"}
    raw = {"file": "clinic.csv", "obtain": "it is made here"}
    return Codebook.model_validate({**facts, "raw": raw, "columns": {**known, **columns}})


@pytest.fixture(scope="module")
def raw():
    """1,000 patients as text: 40 % died, on a day that falls with age; the old have no laboratory values."""
    rng = np.random.default_rng(1)
    n = 1_000
    age = rng.integers(20, 95, n)
    died = rng.random(n) < 0.4
    day = np.clip(60 - age // 2 + rng.integers(-8, 9, n), 0, 60)
    no_laboratory = rng.random(n) < np.where(age > 60, 0.6, 0.1)
    table = pd.DataFrame(
        {
            "age": age.astype(str),
            "died": np.where(died, "yes", "no"),
            "day": np.where(died, day.astype(str), ""),
            "bilirubin": np.where(no_laboratory, "", np.round(rng.gamma(2, 1, n), 1).astype(str)),
            "albumin": np.where(
                no_laboratory | (rng.random(n) < 0.05), "", np.round(rng.normal(4, 0.5, n), 1).astype(str)
            ),
            "smokes": rng.choice(["no", "yes", ""], n, p=[0.6, 0.3, 0.1]),
        }
    )
    return table.astype(object)


@pytest.fixture(scope="module")
def cleaned(raw):
    return clean(raw, written())[0]


@pytest.fixture(scope="module")
def fitted():
    """Fit a generator once to a table."""
    models = {}

    def fit(name, tables):
        if (name, id(tables)) not in models:
            epochs = 2 if name == "MedVAE" else None
            models[name, id(tables)] = (KEEPING | OTHERS)[name]().fit(*tables, epochs=epochs, seed=1)
        return models[name, id(tables)]

    return fit


def prepared(cleaned, method):
    codebook = written().resolved(cleaned)
    imputer = make_imputer(method).fit(cleaned, codebook)
    return imputer.transform(cleaned), imputer.codebook_


@pytest.fixture(scope="module")
def kept(cleaned):
    return prepared(cleaned, "keep")


@pytest.fixture(scope="module")
def imputed(cleaned):
    return prepared(cleaned, "simple")


@pytest.mark.parametrize("name", [*JOINTLY, "GaussianCopula"])
def test_a_number_is_missing_exactly_where_the_rule_says_so(fitted, imputed, name):
    _, codebook = imputed
    synthetic = fitted(name, imputed).sample(500, seed=2)
    assert synthetic["died"].nunique() == 2
    assert (synthetic["day"].isna() == (synthetic["died"] == "no")).all()
    check_clean(synthetic, codebook, what="it")


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in OTHERS])
def test_generators_without_gaps_obey_the_rule(fitted, imputed, name):
    synthetic = fitted(name, imputed).sample(500, seed=2)
    assert (synthetic["day"].isna() == (synthetic["died"] == "no")).all()
    assert synthetic["day"].notna().any()


@pytest.mark.parametrize("name", [*JOINTLY, "GaussianCopula"])
def test_the_rule_holds_where_gaps_are_kept(fitted, kept, name):
    synthetic = fitted(name, kept).sample(500, seed=2)
    assert (synthetic["day"].isna() == (synthetic["died"] == "no")).all()


@pytest.mark.parametrize("name", [*JOINTLY, "GaussianCopula"])
def test_as_many_gaps_are_sampled_as_there_are(fitted, kept, name):
    table, _ = kept
    synthetic = fitted(name, kept).sample(2_000, seed=2)
    for column in ("bilirubin", "albumin"):
        assert synthetic[column].isna().mean() == pytest.approx(table[column].isna().mean(), abs=0.05)
    assert (synthetic["smokes"] == "missing").mean() == pytest.approx((table["smokes"] == "missing").mean(), abs=0.05)


@pytest.mark.parametrize("name", JOINTLY)
def test_gaps_of_two_columns_fall_together_as_they_do(fitted, kept, name):
    table, _ = kept
    synthetic = fitted(name, kept).sample(2_000, seed=2)
    both = [t["bilirubin"].isna() & t["albumin"].isna() for t in (table, synthetic)]
    apart = [t["bilirubin"].isna() & t["albumin"].notna() for t in (table, synthetic)]
    assert both[1].mean() == pytest.approx(both[0].mean(), abs=0.06)
    assert apart[1].mean() == pytest.approx(apart[0].mean(), abs=0.06)
    old = [
        one[t["age"] > 60].mean() - one[t["age"] <= 60].mean() for one, t in zip(both, (table, synthetic), strict=True)
    ]
    assert old[1] > old[0] / 2


@pytest.mark.parametrize("name", JOINTLY)
def test_conditions_on_a_number_that_may_be_missing_are_met(fitted, kept, name):
    model = fitted(name, kept)
    synthetic = model.sample(200, seed=2, conditions={"day": (5, 30), "bilirubin": (None, 3)})
    assert synthetic["day"].between(5, 30).all()
    assert (synthetic["died"] == "yes").all()
    assert synthetic["bilirubin"].le(3).all()


def test_generators_without_gaps_meet_a_condition_on_such_a_number(fitted, imputed):
    synthetic = fitted("DPMedVAEPlus", imputed).sample(50, seed=2, conditions={"day": 20})
    assert (synthetic["day"] == 20).all() and (synthetic["died"] == "yes").all()


def test_conditions_that_contradict_the_rule_are_refused(fitted, imputed):
    model = fitted("CART", imputed)
    with pytest.raises(InputError, match="'day' has no value where 'died' is no"):
        model.sample(5, conditions={"day": 20, "died": "no"})


@pytest.mark.parametrize("name", JOINTLY)
def test_a_saved_model_samples_the_same_gaps(fitted, kept, name, tmp_path):
    model = fitted(name, kept)
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(medsynth.load(tmp_path / "model").sample(100, seed=3), model.sample(100, seed=3))


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in OTHERS])
def test_a_generator_that_keeps_no_gaps_refuses_them(kept, name):
    with pytest.raises(InputError, match="learns no gaps"):
        OTHERS[name]().fit(*kept, seed=1)


@pytest.mark.parametrize("method", IMPUTERS)
def test_imputation_never_fills_where_the_question_does_not_arise(cleaned, method):
    gaps = cleaned.assign(died=cleaned["died"].mask(np.arange(len(cleaned)) % 10 == 0))
    filled, codebook = prepared(gaps, method)
    assert filled.loc[filled["died"] == "no", "day"].isna().all()
    if method != "keep":
        assert filled.loc[filled["died"] == "yes", "day"].notna().all()
        check_clean(filled, codebook, what="it")


def test_blind_imputation_keeps_the_rule_of_a_hidden_column(cleaned):
    codebook = written().resolved(cleaned)
    imputer = make_imputer("simple").fit(cleaned, codebook)
    test = impute_blind(imputer, cleaned, cleaned.head(200), codebook, ["died"])
    assert (test["day"].isna() == (test["died"] == "no")).all()


def test_cleaning_takes_a_number_away_where_it_cannot_be_and_counts_it(raw):
    told = raw.assign(day=raw["day"].mask(raw["died"] == "no", "7"))
    table, report = clean(told, written())
    assert table.loc[table["died"] == "no", "day"].isna().all()
    rule = report[report["rule"] == "value where the question does not arise: left out"]
    assert rule["cells"].tolist() == [(raw["died"] == "no").sum()]


def test_no_value_is_no_missing_one(raw):
    table, report = clean(raw, written(), max_missing=0.5)
    assert "day" in table
    assert report.loc[(report["column"] == "day") & (report["rule"] == "kept"), "missing_after"].item() == 0


def test_a_number_needs_to_know_where_its_question_does_not_arise():
    with pytest.raises(InputError, match="needs 'when'"):
        raise_as_input(day={"type": "integer", "not_applicable": {"codes": [-1]}})


def raise_as_input(**columns):
    try:
        written(**columns)
    except ValueError as error:
        raise InputError(str(error)) from None


def test_a_number_where_the_question_does_not_arise_fails_the_check(imputed):
    table, codebook = imputed
    with pytest.raises(InputError, match="day: not_applicable fails for"):
        check_clean(table.assign(day=table["day"].fillna(3.0)), codebook, what="it")


# Drafts


def drafted(raw, tmp_path):
    path = tmp_path / "clinic.csv"
    raw.to_csv(path, index=False)
    return make_draft(path)


def test_a_draft_says_where_a_number_is_not_applicable(raw, tmp_path):
    draft = drafted(raw, tmp_path)
    assert draft.codebook.columns["day"].not_applicable.deciding() == {"died": ["no"]}
    assert any(sentence.startswith("day: no row has a value where died is no") for sentence in draft.decisions)
    assert draft.codebook.columns["bilirubin"].not_applicable is None


def test_a_code_that_stands_there_is_the_rules_own(raw, tmp_path):
    coded = raw.assign(day=raw["day"].mask(raw["died"] == "no", "-1"))
    draft = drafted(coded, tmp_path)
    rule, column = draft.codebook.columns["day"].not_applicable, draft.codebook.columns["day"]
    assert (rule.codes, rule.deciding(), column.missing) == (["-1"], {"died": ["no"]}, [])
    table, report = clean(coded, draft.codebook)
    restored, _ = restore(table, draft.codebook, {"clinic.csv": coded}, reasons(report))
    assert restored["clinic.csv"]["day"].astype(str).tolist() == coded["day"].tolist()


def test_a_number_that_one_such_row_has_is_no_rule(raw, tmp_path):
    alive = raw.index[raw["died"] == "no"][0]
    draft = drafted(raw.assign(day=raw["day"].mask(raw.index == alive, "3")), tmp_path)
    assert draft.codebook.columns["day"].not_applicable is None


# Plans


def planned(tmp_path, monkeypatch, **changes):
    (tmp_path / "config" / "studies").mkdir(parents=True)
    study = {"name": "mine", "title": "Mine", "like": "support2_gaps", **changes}
    (tmp_path / "config" / "studies" / "mine.yaml").write_text(yaml.safe_dump(study))
    monkeypatch.chdir(tmp_path)
    return load_runs({"studies": ["mine"], "scale": "smoke"})["mine"]


def test_a_study_that_keeps_gaps_refuses_a_generator_that_learns_none(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="'imputation' keeps gaps, which the generator 'mst' does not learn"):
        planned(tmp_path, monkeypatch, generators=["cart", "mst"], like="support2", imputation={"method": "keep"})


def test_several_tables_of_kept_gaps_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="'keep' gives the same again"):
        planned(tmp_path, monkeypatch, like="support2", imputation={"method": "keep", "tables": 2})


def test_parts_of_a_table_have_one_type_whichever_of_them_has_gaps(kept, tmp_path):
    table, codebook = kept
    gappy = [name for name, column in codebook.columns.items() if column.type == "integer" and column.may_be_missing]
    assert gappy
    without = table[table[gappy].notna().all(axis=1)].head(3)
    parts = [codebook.conform(part) for part in (table, without)]
    assert (parts[0].dtypes == parts[1].dtypes).all()
    assert write_parts(iter(parts), tmp_path / "table.parquet") == len(table) + 3
