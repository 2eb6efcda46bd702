"""mimic_tvae: rows in the raw table's schema, the types that SDV detects, published numbers beside ours."""

import pandas as pd
import pytest

from tests.workflow.conftest import Project
from tests.workflow.test_faults import edit

FOLDER = "results/mimic_tvae/simulated-smoke"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder of mimic_tvae's export at smoke scale and of its table of metadata."""
    project = Project(tmp_path_factory.mktemp("export"))
    edit(project.folder / "config/studies/mimic_tvae.yaml", lambda study: study.update(attacks=[]))
    targets = f"{FOLDER}/export", f"{FOLDER}/tables"
    done = project.snakemake(*targets, studies="mimic_tvae", scale="smoke", generators="[tvae,tvae_encoded]")
    assert done.returncode == 0, done.stdout
    return project.folder / FOLDER


def read(path):
    """Read a table as text."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_it_has_the_rows_asked_for_in_the_raw_tables_schema(made):
    raw, table = read(made / "raw/ADMISSIONS.csv.gz"), read(made / "export/synthetic_admissions.csv")
    assert len(table) == 1000
    assert list(table) == [header for header in raw if header in table]
    assert {"ADMITTIME", "DISCHTIME", "DEATHTIME", "HOSPITAL_EXPIRE_FLAG"} <= set(table)
    assert set(table["HOSPITAL_EXPIRE_FLAG"]) <= {"0", "1"}
    assert ((table["DEATHTIME"] != "") == (table["HOSPITAL_EXPIRE_FLAG"] == "1")).all()
    assert (table["DISCHTIME"] >= table["ADMITTIME"]).all()


def test_no_identifier_is_a_raw_ones(made):
    raw, table = read(made / "raw/ADMISSIONS.csv.gz"), read(made / "export/synthetic_admissions.csv")
    for header in ("ROW_ID", "SUBJECT_ID", "HADM_ID"):
        assert table[header].is_unique and not set(table[header]) & set(raw[header])


def test_no_diagnosis_of_a_few_patients_is_handed_over(made):
    raw, table = read(made / "raw/ADMISSIONS.csv.gz"), read(made / "export/synthetic_admissions.csv")
    patients = raw.groupby("DIAGNOSIS")["SUBJECT_ID"].nunique()
    rare = set(patients.index[patients < 10])
    drawn = pd.concat([pd.read_parquet(path) for path in made.glob("synthetic/tvae/epochs2/*.parquet")])
    # The generator knows such diagnoses; what it samples for the export is not shown.
    assert rare & set(drawn["diagnosis"].astype(str)) and "other" in set(table["DIAGNOSIS"])
    assert not rare & set(table["DIAGNOSIS"])
    dictionary = (made / "export/synthetic_admissions_dictionary.csv").read_text()
    assert not [text for text in rare if text in dictionary]


def test_joined_tables_go_with_it(made):
    table = read(made / "export/synthetic_admissions.csv")
    persons = read(made / "export/synthetic_admissions_patients.csv")
    assert list(persons["SUBJECT_ID"]) == list(table["SUBJECT_ID"])
    assert set(persons["GENDER"]) <= {"F", "M"}


def test_every_raw_header_is_in_the_dictionary_and_a_reason_if_it_is_left_out(made):
    raw, table = read(made / "raw/ADMISSIONS.csv.gz"), read(made / "export/synthetic_admissions.csv")
    dictionary = read(made / "export/synthetic_admissions_dictionary.csv")
    dictionary = dictionary[dictionary["file"] == "synthetic_admissions.csv"]
    assert list(dictionary["header"]) == list(raw)
    assert set(dictionary.loc[dictionary["in_file"] == "yes", "header"]) == set(table)
    assert dictionary.loc[dictionary["in_file"] == "no", "origin"].str.startswith("left out: ").all()


def test_detected_types_stand_beside_declared_ones(made):
    metadata = read(made / "tables/metadata.csv")
    assert set(metadata["differs"]) == {"yes", "no"}
    assert "SDV detects" in (made / "tables/metadata.html").read_text()


def test_neither_simulated_patients_nor_few_rows_test_a_paper(made):
    table = read(made / "tables/published_vs_reproduced.csv").set_index("item")
    assert table.loc["Accuracy of a random forest, real rows", "verdict"] == "cannot be tested: simulated data"
    assert table.loc["TVAE trains within 15 minutes (seconds)", "verdict"] == "cannot be tested: 600 of 58,976 rows"
