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


def of_columns(tmp_path, **columns):
    """The draft of a table of 120 rows with such columns, and an age."""
    table = pd.DataFrame({"age": [18 + i % 70 for i in range(120)], **columns})
    path = tmp_path / "table.csv"
    table.to_csv(path, index=False)
    return make_draft(path)


def test_notes_of_one_patient_among_categories_become_other(tmp_path):
    said = ["ok"] * 60 + ["worse"] * 57 + ["Wife of the mayor called twice", "left for Ulm on Monday", "see file"]
    draft = of_columns(tmp_path, remark=said)
    assert draft.codebook.columns["remark"].rare.seen_more_than == 9
    assert "remark: free text among categories; 3 of them, which fewer than 10 rows have, become 'other'." in (
        draft.decisions
    )


def test_words_of_one_row_are_asked_about_and_codes_are_not(tmp_path):
    seen = ["COPD"] * 60 + ["CHF"] * 59
    draft = of_columns(tmp_path, dx=[*seen, "Huntington"], stage=[*seen, "IV"])
    assert "dx: some categories are in one row alone; may they be shown?" in draft.decisions
    assert draft.codebook.columns["dx"].categories == ["CHF", "COPD", "Huntington"]


def test_how_many_categories_are_lost_is_said(tmp_path):
    draft = of_columns(tmp_path, icd=[f"F{i % 40:02d}.1" for i in range(120)])
    assert "icd: 20 of 40 categories, 50% of the rows, become 'other'." in draft.decisions


@pytest.mark.parametrize("header", ["Nachname", "last_name", "Patient name", "Vorname", "prénom", "Home phone"])
def test_names_identify_however_few_they_are(tmp_path, header):
    draft = of_columns(tmp_path, **{header: [f"Vogt{i % 8}" for i in range(120)]})
    assert [column.type for column in draft.codebook.columns.values()][1] == "identifier"


@pytest.mark.parametrize("header", ["ward name", "drug_name", "address type", "phone"])
def test_names_of_things_and_flags_are_categories(tmp_path, header):
    cells = ["yes", "no"] if header == "phone" else ["A1x", "B2x", "C3x"]
    draft = of_columns(tmp_path, **{header: [cells[i % len(cells)] for i in range(120)]})
    assert [column.type for column in draft.codebook.columns.values()][1] in ("categorical", "binary")


def test_sodium_is_not_missing(tmp_path):
    draft = of_columns(tmp_path, test=[["Na", "K", "CRP"][i % 3] for i in range(120)])
    assert draft.codebook.columns["test"].categories == ["CRP", "K", "Na"]
    draft = of_columns(tmp_path, test=[["NA", "K", "CRP"][i % 3] for i in range(120)])
    assert draft.codebook.columns["test"].missing == ["NA"]


def test_whoever_has_a_number_of_a_person_in_each_row_is_no_person_by_an_address(tmp_path):
    streets = [f"{i % 90} High St, Apt {i % 9}" for i in range(120)]
    assert of_columns(tmp_path, street=streets, mrn=[f"M{i:05d}" for i in range(120)]).codebook.person is None
    # A visit of its own in each row says nothing of persons.
    shared = {"visit": [f"V{i:05d}" for i in range(120)], "subject_id": [f"S{i // 2:04d}" for i in range(120)]}
    assert of_columns(tmp_path, **shared).codebook.person == "subject_id"


@pytest.mark.parametrize(
    ("form", "written", "unit"),
    [
        ("%Y-%m-%d %H:%M:%S.000", "%Y-%m-%d 00:00:00.000", "days"),
        ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M:00", "minutes"),
        ("%H:%M:%S", "%H:%M:%S", "seconds"),
    ],
)
def test_dates_are_as_fine_as_they_are_seen(tmp_path, form, written, unit):
    step = {"days": "D", "minutes": "7min", "seconds": "41s"}[unit]
    moments = pd.date_range("2022-01-01 00:00:00", periods=120, freq=step)
    column = of_columns(tmp_path, seen=moments.strftime(form)).codebook.columns["seen"]
    assert (column.notation.date, column.unit) == (written, unit)


def test_a_table_of_dates_alone_is_drafted(tmp_path):
    days = pd.date_range("2022-01-01", periods=120).astype(str)
    pd.DataFrame({"came": days, "left": days}).to_csv(tmp_path / "dates.csv", index=False)
    assert list(make_draft(tmp_path / "dates.csv").codebook.columns) == ["came", "left"]
