"""HDHI admissions: the codebook on rows as the file has them, and the study that replicates the MIMIC-III paper."""

import zipfile

import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw, read_table
from medsynth.errors import InputError
from medsynth.plan.loading import load_runs
from medsynth.preparation.cleaning import clean
from medsynth.preparation.partitions import split_rows
from medsynth.preparation.restoring import reasons, restore
from medsynth.preparation.transforms import month_and_year, months_since_2017
from tests.conftest import ROOT, stand_ins

CODEBOOK = Codebook.from_yaml(ROOT / "config/datasets/hdhi.yaml")
HEADERS = list(dict.fromkeys(header for name in CODEBOOK.columns for header in CODEBOOK.raw_names(name)))
# Rows made up: three patients, the first with one admission entered twice and another one.
USUAL = dict.fromkeys(HEADERS, "0") | {
    "AGE": "64", "GENDER": "F", "RURAL": "U", "TYPE OF ADMISSION-EMERGENCY/OPD": "E", "DURATION OF STAY": "5",
    "OUTCOME": "DISCHARGE", "HB": "12.4", "TLC": "10.1", "PLATELETS": "226", "GLUCOSE": "136", "UREA": "35",
    "CREATININE": "1", "BNP": "EMPTY", "EF": "42",
}  # fmt: skip
ROWS = [
    {"MRD No.": "7", "D.O.A": "2017-04-13", "D.O.D": "2017-04-17", "month year": "17-Apr", "SMOKING ": "1"},
    {"MRD No.": "7", "D.O.A": "2017-04-13", "D.O.D": "2017-04-17", "month year": "17-Apr", "EF": "44"},
    {
        "MRD No.": "7",
        "D.O.A": "2018-01-20",
        "D.O.D": "2018-01-24",
        "month year": "Jan-18",
        "OUTCOME": "DAMA",
        "BNP": "469",
    },
    {
        "MRD No.": "8",
        "D.O.A": "2017-04-13",
        "D.O.D": "2017-04-17",
        "month year": "17-Apr",
        "OUTCOME": "EXPIRY",
        "HB": "",
    },
    {"MRD No.": "9", "D.O.A": "2019-03-20", "D.O.D": "2019-03-24", "month year": "Mar-19", "PLATELETS": "2.2"},
]


def written(folder, rows):
    """Write rows as the file has them; where they are."""
    raw = pd.DataFrame([USUAL | {"SNO": str(number)} | row for number, row in enumerate(rows, 1)])[HEADERS]
    path = folder / CODEBOOK.raw.file
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(CODEBOOK.raw.member, raw.to_csv(index=False))
    return path


@pytest.fixture
def cleaned(tmp_path):
    """The made-up rows, cleaned as the study does it, and the report."""
    return clean(read_raw(written(tmp_path, ROWS), CODEBOOK), CODEBOOK, max_missing=0.3)


def test_an_admission_entered_twice_is_one_row_and_its_first_entry_counts(cleaned):
    table, _ = cleaned
    assert table["mrd_no"].tolist() == ["7", "7", "8", "9"]
    assert table["ef"].tolist() == [42, 42, 42, 42]


def test_who_left_against_advice_did_not_die_and_stays_apart(cleaned):
    table, _ = cleaned
    assert table["hospital_death"].tolist() == ["no", "no", "yes", "no"]
    assert table["outcome"].tolist() == ["discharged", "left against advice", "died", "discharged"]


def test_what_was_not_measured_is_missing_and_so_is_a_slip_of_the_pen(cleaned):
    table, report = cleaned
    assert table["hb"].isna().tolist() == table["hospital_death"].eq("yes").tolist()
    assert table["platelets"].isna().tolist() == [False, False, False, True]
    assert "bnp" not in table and reasons(report)["bnp"] == "75.0% missing, more than 30%"


def test_a_header_with_a_trailing_blank_is_found(cleaned):
    assert cleaned[0]["smoking"].tolist() == ["yes", "no", "no", "no"]


def test_months_are_read_as_either_copy_of_the_file_writes_them(cleaned):
    assert cleaned[0]["admission_month"].tolist() == [3, 12, 3, 26]
    assert months_since_2017("Apr-17") == months_since_2017("17-Apr")


@pytest.mark.parametrize("month", ["17-Apr", "17-Dec", "18-Jan", "19-Mar"])
def test_months_survive_the_way_there_and_back(month):
    assert month_and_year(float(months_since_2017(month))) == month


def test_an_outcome_that_the_codebook_does_not_know_is_refused(tmp_path):
    path = written(tmp_path, [*ROWS, ROWS[0] | {"MRD No.": "10", "OUTCOME": "TRANSFER"}])
    with pytest.raises(InputError, match="OUTCOME"):
        clean(read_raw(path, CODEBOOK), CODEBOOK)


def test_a_synthetic_row_gets_the_files_headers_and_codes_but_no_dates(tmp_path, cleaned):
    table, report = cleaned
    raw = {"a.csv": read_table(tmp_path / CODEBOOK.raw.file, CODEBOOK)}
    files, dictionary = restore(table.drop(columns="mrd_no"), CODEBOOK, raw, reasons(report))
    back = files["a.csv"]
    assert back["OUTCOME"].tolist() == ["DISCHARGE", "DAMA", "EXPIRY", "DISCHARGE"]
    assert back["month year"].tolist() == ["17-Apr", "18-Jan", "17-Apr", "19-Mar"]
    assert not {"7", "8", "9"} & set(back["MRD No."].astype(str))
    left_out = dictionary.loc[dictionary["in_file"] == "no", "header"].tolist()
    assert left_out == ["D.O.A", "D.O.D", "BNP"]


def test_the_study_is_mimic_tvae_on_other_patients(tmp_path):
    config = {"scale": "paper", "raw_dir": str(stand_ins(tmp_path)), "studies": ["hdhi_tvae", "mimic_tvae"]}
    runs = load_runs({**config, "source": None})
    own, other = runs["hdhi_tvae"].study, runs["mimic_tvae"].study
    for key in ("generators", "cleaning", "imputation", "test_share", "detect_metadata", "export"):
        assert getattr(own, key) == getattr(other, key), key
    assert own.targets[0].not_predictors == ["outcome"] and own.targets[1].not_predictors == []


def test_the_papers_numbers_are_those_of_mimic_tvae(tmp_path):
    config = {"scale": "paper", "raw_dir": str(stand_ins(tmp_path)), "studies": ["hdhi_tvae", "mimic_tvae"]}
    runs = load_runs({**config, "source": None})
    own, other = runs["hdhi_tvae"].study.published, runs["mimic_tvae"].study.published
    assert (own.dataset, own.rows) == (other.dataset, other.rows)
    known = {(item.metric, item.published) for item in other.items}
    assert {(item.metric, item.published) for item in own.items if item.published} <= known
    # Another population speaks to claims alone.
    assert all(item.rule != "equals" and item.family != "data" for item in own.items)


@pytest.mark.slow
def test_the_real_file_is_clean_by_its_codebook(raw_dir):
    path = raw_dir / "hdhi" / CODEBOOK.raw.file
    if not path.is_file():
        pytest.skip("no HDHI admissions here: see 'obtain' in config/datasets/hdhi.yaml")
    table, report = clean(read_raw(path, CODEBOOK), CODEBOOK, max_missing=0.3)
    assert report.iloc[0][["rows_before", "rows_after"]].tolist() == [15_750, 14_538]
    assert table["mrd_no"].nunique() == 12_242
    assert (table["hospital_death"] == "yes").mean() == pytest.approx(0.0757, abs=0.0001)
    assert [name for name, why in reasons(report).items() if "missing" in why] == ["bnp"]
    for column in ("severe_anaemia", "stemi"):
        broader = {"severe_anaemia": "anaemia", "stemi": "acs"}[column]
        assert not ((table[column] == "yes") & (table[broader] == "no")).any()


def test_admissions_of_a_patient_stay_together(tmp_path):
    many = [
        USUAL
        | {"MRD No.": str(number // 3), "D.O.A": f"2018-01-{number % 3 + 1}", "month year": "18-Jan", "BNP": "469"}
        for number in range(90)
    ]
    table, _ = clean(read_raw(written(tmp_path, many), CODEBOOK), CODEBOOK, max_missing=0.3)
    rows = split_rows(table, CODEBOOK, test_share=0.2, seed=1)
    patients = {name: set(table["mrd_no"].iloc[chosen]) for name, chosen in rows.items()}
    assert len(table) == 90 and not patients["train"] & patients["test"]
    assert len(rows["test"]) == 18 and len(patients["test"]) == 6
