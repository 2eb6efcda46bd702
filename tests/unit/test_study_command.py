"""A study proposed from a codebook and its table."""

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.commands.study import scales_for, write_study
from medsynth.commands.targets import read_target
from medsynth.commands.trying import try_table
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError, load_yaml
from medsynth.plan.loading import configured, load_runs
from medsynth.plan.settings import Study
from tests.conftest import ward


def table(n=400):
    """A ward table with ethnicity, and a column that is known only after the outcome."""
    rng = np.random.default_rng(2)
    made = ward(n)
    made["patient"] = [f"P{number:04d}" for number in range(n)]
    made["race"] = rng.choice(["white", "black", "asian"], n, p=[0.6, 0.35, 0.05])
    made["discharge_code"] = np.where(made["admitted"] == "1", "home", "none given")
    return made.assign(sex=made["sex"].map({"1": "female", "2": "male"}))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with a codebook and its raw table."""
    raw = tmp_path / "resources/raw/ours/ours.csv"
    raw.parent.mkdir(parents=True)
    table().to_csv(raw, index=False)
    (tmp_path / "config/datasets").mkdir(parents=True)
    (tmp_path / "config/datasets/ours.yaml").write_text(draft_codebook(raw))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def written(folder):
    """A study of two targets, as text and as settings."""
    path = write_study("ours", ["admitted", "age>=60"])
    return path.read_text(encoding="utf-8"), load_yaml(path, Study)


def test_the_study_is_of_this_table_alone(written):
    text, study = written
    assert (study.dataset, study.source, study.published, study.paper) == ("ours", "file", None, "")
    assert [(target.name, target.positive, target.at_least) for target in study.targets] == [
        ("admitted", "1", None),
        ("age_60_or_more", None, 60.0),
    ]
    assert "Keys: config/README.md" in text


def test_a_number_and_a_time_to_an_event_can_be_asked_for_beside_classes(folder):
    path = write_study("ours", ["crp:regression", "time=age,event=admitted:1", "admitted"])
    study = load_yaml(path, Study)
    (number,), (time,) = study.regression, study.survival
    assert (number.column, number.not_predictors) == ("crp", ["admitted", "age"])
    assert (time.name, time.time, time.event, time.positive) == ("time_to_admitted", "age", "admitted", "1")
    # Follow-up would give the event away.
    assert "age" in study.targets[0].not_predictors
    assert load_runs({"studies": ["ours"], "scale": "smoke"})["ours"].study.survival


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["crp:regression"], "needs a target of classes beside these"),
        (["admitted", "sex:regression"], "column 'sex' is coded, and a numeric one is needed"),
        (["admitted", "time=age,event=stage"], "write 'time=age,event=stage:CATEGORY'"),
        (["admitted", "time=age,event=admitted:maybe"], "maybe"),
        (["crp"], "or 'crp:regression'"),
    ],
)
def test_a_number_or_time_that_does_not_fit_is_refused(folder, targets, said):
    with pytest.raises(InputError, match=said):
        write_study("ours", targets)


def test_it_loads_at_every_scale(written):
    for scale in written[1].scales:
        run = load_runs({"studies": ["ours"], "scale": scale})["ours"]
        assert "med_vae_plus" in run.generators


def test_groups_are_those_of_the_table(written):
    groups = {one.column: one.bands for one in written[1].subgroups}
    assert list(groups) == ["sex", "race", "age"]
    assert groups["age"] == sorted(groups["age"]) and 1 <= len(groups["age"]) <= 3


def test_cohorts_have_many_rows(written):
    wanted = [cohort.where for cohort in written[1].cohorts]
    assert {"sex": "female"} in wanted and {"race": "black"} in wanted
    assert {"race": "asian"} not in wanted
    assert any(len(where) == 2 for where in wanted)


def test_a_column_that_gives_the_target_away_predicts_nothing(written):
    target = written[1].targets[0]
    assert target.not_predictors == ["discharge_code"]
    assert written[1].inference.outcome.name == "admitted"
    assert "discharge_code" not in written[1].inference.predictors


def test_scales_fit_the_rows():
    few, many = scales_for(300), scales_for(50_000)
    assert few["smoke"]["rows"] == few["laptop"]["rows"] == few["paper"]["rows"] == "all"
    assert few["laptop"]["test_rows"] == 60 and few["laptop"]["fidelity_rows"] == 30
    assert (many["smoke"]["rows"], many["laptop"]["rows"], many["paper"]["rows"]) == (600, 6_000, "all")
    assert many["paper"]["test_rows"] == 2_000


def test_without_sex_age_and_ethnicity_groups_are_a_question(folder):
    raw = folder / "resources/raw/plain/plain.csv"
    raw.parent.mkdir()
    table().drop(columns=["sex", "age", "race"]).to_csv(raw, index=False)
    (folder / "config/datasets/plain.yaml").write_text(draft_codebook(raw))
    text = write_study("plain", ["admitted"]).read_text(encoding="utf-8")
    assert "# are these groups of patients?" in text


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([], "needs a target"),
        (["admited"], "did you mean 'admitted'"),
        (["stage=IV"], "no category 'IV'"),
        (["age"], "say from which number on"),
        (["age>=old"], "needs a number after '>='"),
        (["stage>=2"], "has categories and no numbers"),
        (["age>=300"], "has one class only"),
        (["patient"], "not in the clean table"),
    ],
)
def test_a_target_that_does_not_fit_is_refused_and_nothing_is_written(folder, targets, message):
    with pytest.raises(InputError, match=message):
        write_study("ours", targets)
    assert not (folder / "config/studies/ours.yaml").exists()


def test_a_study_that_does_not_load_is_removed_and_one_that_was_there_comes_back(folder):
    with pytest.raises(InputError, match="crat"):
        write_study("ours", ["admitted"], generators=["crat"])
    path = folder / "config/studies/ours.yaml"
    assert not path.exists()
    path.write_text("mine")
    with pytest.raises(InputError, match="crat"):
        write_study("ours", ["admitted"], generators=["crat"], force=True)
    assert path.read_text() == "mine"


def test_a_study_is_replaced_only_if_asked(written):
    with pytest.raises(InputError, match="is there already"):
        write_study("ours", ["age>=50"])
    assert write_study("ours", ["age>=50"], force=True).is_file()


def test_codes_and_headers_are_read(codebook: Codebook):
    assert read_target("SEX=2", codebook).positive == "male"
    assert read_target("stage=II", codebook).name == "stage_ii"
    assert read_target("stage", codebook).positive is None


def test_an_absent_table_and_codebook_are_said(folder):
    (folder / "resources/raw/ours/ours.csv").unlink()
    with pytest.raises(InputError, match=r"resources/raw/ours/ours\.csv does not exist"):
        write_study("ours", ["admitted"])
    with pytest.raises(InputError, match="'medsynth draft' writes one"):
        write_study("theirs", ["admitted"])


def test_categories_that_yaml_takes_for_something_else_survive(folder):
    raw = folder / "resources/raw/odd/odd.csv"
    raw.parent.mkdir()
    odd = table().assign(sex=np.where(table()["sex"] == "male", "no: #1", "Ünïcode 'quoted'"))
    odd.to_csv(raw, index=False)
    (folder / "config/datasets/odd.yaml").write_text(draft_codebook(raw), encoding="utf-8")
    study = yaml.safe_load(write_study("odd", ["sex=no: #1"]).read_text(encoding="utf-8"))
    assert study["targets"][0]["positive"] == "no: #1"


# Trying


def test_trying_needs_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="run it in the folder of the checkout"):
        try_table("my.csv", ["age"])


def test_trying_keeps_a_codebook_of_another_table(folder, tmp_path):
    (folder / "config/config.yaml").write_text("studies: [ours]\n")
    other = tmp_path / "ours.csv"
    pd.DataFrame(table(50)).to_csv(other, index=False)
    before = configured("datasets")["ours"].read_text()
    with pytest.raises(InputError, match="is of another table"):
        try_table(other, ["admitted"])
    assert configured("datasets")["ours"].read_text() == before
