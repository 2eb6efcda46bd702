"""The simulated MIMIC-III cohort: schema and quirks of the release, repeatability, likeness to published figures."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medsynth import cohorts
from medsynth.codebook import Codebook
from medsynth.cohorts import mimic3
from medsynth.data.reading import read_raw
from medsynth.preparation.cleaning import clean

N_ROWS = 58_976
ROOT = Path(__file__).parents[2]
NO_VALUE = ["UNKNOWN (DEFAULT)", "NOT SPECIFIED", "UNOBTAINABLE", "PATIENT DECLINED TO ANSWER", "UNABLE TO OBTAIN"]


@pytest.fixture(scope="module")
def tables():
    return cohorts.simulate("mimic3", N_ROWS, seed=1)


@pytest.fixture(scope="module")
def admissions(tables):
    return tables["ADMISSIONS"]


@pytest.fixture(scope="module")
def patients(tables):
    return tables["PATIENTS"]


@pytest.fixture(scope="module")
def joined(admissions, patients):
    return admissions.merge(patients.drop(columns="ROW_ID"), on="SUBJECT_ID")


@pytest.fixture(scope="module")
def codebook():
    return Codebook.from_yaml(ROOT / "config" / "datasets" / "mimic3.yaml")


@pytest.fixture(scope="module")
def demo():
    folder = Path(os.environ.get("MEDSYNTH_RAW_DIR", ".")) / "mimic3"
    if "MEDSYNTH_RAW_DIR" not in os.environ or not (folder / "ADMISSIONS.csv").exists():
        pytest.skip("needs the open demo: set MEDSYNTH_RAW_DIR to a folder with 'mimic3/ADMISSIONS.csv'")
    return folder


def seconds(times):
    """Times as datetime64[s], which also counts the 300 years of a shifted date of birth."""
    return times.to_numpy("datetime64[s]")


def days_between(start, end):
    return (seconds(end) - seconds(start)).astype(float) / 86_400


def adults(admissions):
    return admissions[admissions["ADMISSION_TYPE"] != "NEWBORN"]


def cleaned(folder, codebook):
    return clean(read_raw(folder / "ADMISSIONS.csv", codebook, [folder / "PATIENTS.csv"]), codebook, max_missing=0.3)[0]


def test_headers_are_those_of_the_release_as_in_the_demo_but_for_case(tables, demo):
    for name, table in tables.items():
        real = pd.read_csv(demo / f"{name}.csv", nrows=0)
        assert [header.lower() for header in table.columns] == [header.lower() for header in real.columns]


def test_headers_are_upper_case_and_in_the_release_order(admissions, patients):
    assert list(admissions.columns) == mimic3.ADMISSIONS
    assert list(patients.columns) == mimic3.PATIENTS
    assert all(header.isupper() for header in [*admissions.columns, *patients.columns])


@pytest.mark.parametrize("n_rows", [0, 1, 137])
def test_any_number_of_admissions_can_be_drawn(n_rows):
    drawn = mimic3.simulate(n_rows, seed=1)
    assert len(drawn["ADMISSIONS"]) == n_rows
    assert set(drawn["PATIENTS"]["SUBJECT_ID"]) == set(drawn["ADMISSIONS"]["SUBJECT_ID"])


def test_negative_number_of_rows_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        mimic3.simulate(-1, seed=1)


@pytest.mark.parametrize("name", ["ADMISSIONS", "PATIENTS"])
def test_same_seed_gives_identical_rows(name):
    pd.testing.assert_frame_equal(mimic3.simulate(2_000, seed=3)[name], mimic3.simulate(2_000, seed=3)[name])


@pytest.mark.parametrize("name", ["ADMISSIONS", "PATIENTS"])
def test_other_seed_gives_other_rows(name):
    assert not mimic3.simulate(2_000, seed=3)[name].equals(mimic3.simulate(2_000, seed=4)[name])


def test_every_admission_is_of_a_patient_and_identifiers_are_unique(admissions, patients):
    assert admissions["HADM_ID"].is_unique and patients["SUBJECT_ID"].is_unique
    assert set(admissions["SUBJECT_ID"]) == set(patients["SUBJECT_ID"])


def test_admissions_of_a_patient_are_in_order_and_apart(admissions):
    same = admissions["SUBJECT_ID"].eq(admissions["SUBJECT_ID"].shift())
    assert (admissions["ADMITTIME"] > admissions["DISCHTIME"].shift())[same].all()


def test_patients_return_as_often_as_published(admissions, patients):
    assert len(patients) == pytest.approx(46_520, rel=0.01)
    assert admissions["SUBJECT_ID"].value_counts().gt(1).sum() == pytest.approx(7_537, rel=0.04)


def test_died_has_a_time_of_death_a_place_and_no_later_admission(admissions):
    died = admissions["HOSPITAL_EXPIRE_FLAG"] == 1
    assert (admissions["DEATHTIME"].notna() == died).all()
    assert ((admissions["DISCHARGE_LOCATION"] == "DEAD/EXPIRED") == died).all()
    assert not admissions[died].duplicated("SUBJECT_ID").any()
    assert not (died & admissions["SUBJECT_ID"].eq(admissions["SUBJECT_ID"].shift(-1))).any()


def test_dates_of_death_agree_with_each_other(joined, patients):
    died = joined[joined["HOSPITAL_EXPIRE_FLAG"] == 1]
    assert (died["DOD"].str[:10] == died["DEATHTIME"].str[:10]).all() and died["EXPIRE_FLAG"].eq(1).all()
    assert (patients["DOD"].notna() == (patients["EXPIRE_FLAG"] == 1)).all()
    assert (patients["DOD_HOSP"].notna() | patients["DOD_SSN"].notna() | patients["DOD"].isna()).all()


def test_shares_of_types_match_the_published_ones(admissions):
    published = {"EMERGENCY": 42_071, "NEWBORN": 7_863, "ELECTIVE": 7_706, "URGENT": 1_336}
    shares = admissions["ADMISSION_TYPE"].value_counts(normalize=True)
    assert all(abs(shares[kind] - count / N_ROWS) < 0.005 for kind, count in published.items())


def test_shares_of_insurances_match_the_published_ones(admissions):
    published = {"Medicare": 28_215, "Private": 22_582, "Medicaid": 5_785, "Government": 1_783, "Self Pay": 611}
    shares = admissions["INSURANCE"].value_counts(normalize=True)
    assert all(abs(shares[name] - count / N_ROWS) < 0.015 for name, count in published.items())


def test_mortality_matches_the_published_one(admissions):
    assert admissions["HOSPITAL_EXPIRE_FLAG"].mean() == pytest.approx(5_854 / N_ROWS, abs=0.004)
    assert adults(admissions)["HOSPITAL_EXPIRE_FLAG"].mean() == pytest.approx(0.115, abs=0.005)


def test_age_sex_and_stay_of_adults_match_the_published_ones(joined):
    of_adults = adults(joined)
    age = days_between(of_adults["DOB"], of_adults["ADMITTIME"]) / 365.25
    assert np.median(age) == pytest.approx(65.8, abs=1)
    assert (of_adults["GENDER"] == "M").mean() == pytest.approx(0.559, abs=0.01)
    assert np.median(days_between(of_adults["ADMITTIME"], of_adults["DISCHTIME"])) == pytest.approx(6.9, abs=0.3)


def test_few_stays_are_negative_and_few_very_long(admissions):
    stay = days_between(admissions["ADMITTIME"], admissions["DISCHTIME"])
    assert 0 < (stay < 0).mean() < 0.003
    assert 0.001 < (stay > 60).mean() < 0.02 and stay.max() < 300


def test_dates_are_shifted_to_the_22nd_century(admissions):
    assert admissions["ADMITTIME"].between("2100", "2211").all()


def test_who_is_older_than_89_was_born_300_years_before_the_first_admission(joined):
    first = joined.drop_duplicates("SUBJECT_ID")
    age = days_between(first["DOB"], first["ADMITTIME"]) / 365.2425
    assert 0.02 < (age > 89).mean() < 0.08
    assert np.allclose(age[age > 89.01], 300, atol=0.01)


def test_newborns_are_admitted_on_their_day_of_birth_mostly_as_such(joined):
    born = joined[joined["ADMISSION_TYPE"] == "NEWBORN"]
    assert (born["DOB"].str[:10] == born["ADMITTIME"].str[:10]).all()
    assert (born["DIAGNOSIS"] == "NEWBORN").mean() > 0.98


def test_placeholders_of_the_release_occur(admissions):
    texts = set(admissions[["RELIGION", "MARITAL_STATUS", "ETHNICITY", "ADMISSION_LOCATION"]].stack())
    assert {*NO_VALUE, "UNKNOWN/NOT SPECIFIED", "** INFO NOT AVAILABLE **", "OTHER"} <= texts


def test_empty_cells_are_as_frequent_as_in_the_release(admissions):
    release = {"LANGUAGE": 0.43, "MARITAL_STATUS": 0.172, "RELIGION": 0.008, "EDREGTIME": 0.476, "EDOUTTIME": 0.476}
    missing = admissions.isna().mean()
    assert all(abs(missing[name] - share) < 0.01 for name, share in release.items())
    assert set(missing.index[missing > 0]) == {*release, "DEATHTIME"}


def test_diagnoses_are_free_text_with_a_long_tail(admissions):
    counts = admissions["DIAGNOSIS"].value_counts()
    assert len(counts) == pytest.approx(15_691, rel=0.05)
    assert (counts == 1).mean() > 0.5


def test_no_admission_is_one_of_the_demo(joined, demo):
    real = pd.read_csv(demo / "ADMISSIONS.csv", dtype=str)
    assert not set(joined["ADMITTIME"] + joined["DISCHTIME"]) & set(real["admittime"] + real["dischtime"])


def test_death_is_predictable_but_not_given_away(joined):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    names = [
        "ADMISSION_TYPE",
        "ADMISSION_LOCATION",
        "INSURANCE",
        "RELIGION",
        "MARITAL_STATUS",
        "ETHNICITY",
        "DIAGNOSIS",
    ]
    frequent = joined["DIAGNOSIS"].value_counts().index[:200]
    table = joined.assign(DIAGNOSIS=joined["DIAGNOSIS"].where(joined["DIAGNOSIS"].isin(frequent)))
    known = pd.DataFrame({name: table[name].astype("category").cat.codes for name in names})
    known["AGE"] = (days_between(joined["DOB"], joined["ADMITTIME"]) / 365.25).clip(max=91.4)
    known["LOS"] = days_between(joined["ADMITTIME"], joined["DISCHTIME"]).clip(min=0)
    train, test = slice(0, 10_000), slice(20_000, 40_000)  # rows are by patient: no patient is in both
    forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0)
    forest.fit(known.iloc[train], joined["HOSPITAL_EXPIRE_FLAG"].iloc[train])
    score = forest.predict_proba(known.iloc[test])[:, 1]
    assert 0.75 < roc_auc_score(joined["HOSPITAL_EXPIRE_FLAG"].iloc[test], score) < 0.85


def test_codebook_cleans_the_simulated_tables(tables, codebook, tmp_path):
    for name, table in mimic3.simulate(3_000, seed=2).items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    table = cleaned(tmp_path, codebook)
    assert len(table) == 3_000
    assert table["los"].min() == 0 and table["age"].max() == 91.4
    assert {"language", "religion", "edregtime"}.isdisjoint(table.columns)  # missing in more than 30 %


def test_codebook_cleans_the_demo(demo, codebook):
    table = cleaned(demo, codebook)
    assert len(table) == 129 and table["subject_id"].nunique() == 100
    assert (table["hospital_expire_flag"] == "yes").sum() == 40
    assert (table["age"] == 91.4).sum() == 9
