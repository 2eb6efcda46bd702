"""Drafting a codebook from a csv."""

import subprocess
import sys

import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.commands.columns import describe_columns
from medsynth.data.reading import read_raw
from medsynth.drafting import draft_codebook, make_draft
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from tests.conftest import ward


@pytest.fixture
def mine(tmp_path):
    """A csv with an identifier, a date, codes for missing and an odd header."""
    table = ward(200).rename(columns={"age": "Age (years)", "patient": "Patient ID"})
    table["Patient ID"] = [f"P{i:04d}" for i in range(200)]
    table["Visit"] = "2020-03-01"
    table.loc[:9, "stage"] = "unknown"
    path = tmp_path / "my clinic.csv"
    table.to_csv(path, index=False)
    return path


def test_the_draft_cleans_the_table_it_was_made_from(mine, tmp_path):
    (tmp_path / "draft.yaml").write_text(draft_codebook(mine))
    codebook = Codebook.from_yaml(tmp_path / "draft.yaml")
    assert codebook.name == "my_clinic"
    table, _ = clean(read_raw(mine, codebook), codebook)
    assert len(table) == 200


def test_types_are_guessed(mine):
    columns = yaml.safe_load(draft_codebook(mine))["columns"]
    types = {name: facts["type"] for name, facts in columns.items()}
    assert types["patient_id"] == "identifier"
    assert types["age_years"] == "integer"
    assert types["crp"] == "continuous"
    assert types["visit"] == "integer"
    assert types["admitted"] == "binary"
    assert columns["age_years"]["raw"] == "Age (years)"


def test_candidate_codes_and_missing_shares_are_said(mine):
    text = draft_codebook(mine)
    columns = yaml.safe_load(text)["columns"]
    assert set(columns["stage"]["missing"]) == {"?", "unknown"}
    assert columns["icu"]["missing"] == ["97", "99"]
    gaps = pd.read_csv(mine, dtype=str)["crp"].isna().mean()
    assert f"crp:  # {gaps:.1%} empty" in text


def test_ages_of_97_to_99_are_no_candidates(mine):
    assert "missing" not in yaml.safe_load(draft_codebook(mine))["columns"]["age_years"]


def test_an_absent_file_is_a_clear_error(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        draft_codebook(tmp_path / "nothing.csv")


def test_the_command_prints_yaml(mine):
    done = subprocess.run(
        [sys.executable, "-m", "medsynth.cli", "draft", mine], capture_output=True, text=True, check=True
    )
    assert yaml.safe_load(done.stdout)["name"] == "my_clinic"


# What the command shows


@pytest.fixture
def shown(mine, tmp_path):
    """Standard output and error of a draft that goes into a file, and the file."""
    out = tmp_path / "clinic.yaml"
    call = [sys.executable, "-m", "medsynth.cli", "draft", mine, "--out", out]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr, out


def test_a_draft_goes_into_a_file(shown, mine):
    assert shown[0] == ""
    assert shown[2].read_text(encoding="utf-8") == draft_codebook(mine)


def test_what_to_confirm_stands_above_the_columns(shown):
    head, _, columns = shown[1].partition("column ")
    assert "200 rows, 8 columns" in head and "Please confirm:" in head
    assert "icu: codes for missing: 97" in head
    lines = {line.split()[0]: line for line in columns.split("\n")[2:] if line and not line.startswith(" ")}
    assert list(lines) == ["patient_id", "age_years", "sex", "admitted", "icu", "stage", "crp", "visit"]
    assert "integer" in lines["age_years"] and " to " in lines["age_years"]
    assert "%Y-%m-%d" in lines["visit"] and "%" in lines["crp"]


def test_a_column_that_is_left_out_says_why(tmp_path):
    path = tmp_path / "notes.csv"
    table = ward(60).assign(note=[f"free text about patient {i}, who said this and that at length" for i in range(60)])
    table.to_csv(path, index=False)
    described = describe_columns(make_draft(path).codebook)
    note = described.set_index("column").loc["note"]
    assert (note["type"], note["why"]) == ("left out", "free text, which may say who a patient is")
