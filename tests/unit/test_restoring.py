"""The way back: synthetic clean rows under the raw table's headers and codes, with a dictionary."""

import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw, read_table
from medsynth.display.export import without_formulas
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from medsynth.preparation.imputation import make_imputer
from medsynth.preparation.restoring import file_names, holds_numbers, reasons, restore
from medsynth.preparation.transforms import (
    age_at,
    born_before,
    bracket_midpoint,
    date_after,
    date_if_died,
    date_of_day,
    days_between,
    days_since_2100,
    ten_year_bracket,
)
from tests.conftest import CODEBOOK, ROOT


@pytest.fixture
def published(raw):
    """The ward's raw table under its publisher's headers."""
    return raw.rename(columns=str.upper)


@pytest.fixture
def synthetic(partitions):
    """Complete rows of the ward without the person, as a generator samples them."""
    return partitions[0]


def ward_file(synthetic, codebook, published, dropped=None):
    """Restore rows of the ward; its table and its dictionary by header."""
    tables, dictionary = restore(synthetic, codebook, {"ward.csv": published}, dropped or {})
    return tables["ward.csv"], dictionary.set_index("header")


def changed(**columns):
    """The ward's codebook with some columns changed."""
    content = {name: {**entry, **columns.get(name, {})} for name, entry in CODEBOOK["columns"].items()}
    return Codebook.model_validate({**CODEBOOK, "columns": content})


def test_headers_and_their_order_are_the_raw_tables(synthetic, codebook, published):
    shuffled = published[["CRP", "AGE", "PATIENT", "SEX", "ICU", "STAGE", "ADMITTED"]]
    assert list(ward_file(synthetic, codebook, shuffled)[0]) == list(shuffled)


def test_headers_are_spelt_as_in_the_raw_table(synthetic, codebook, raw):
    assert list(ward_file(synthetic, codebook, raw)[0]) == list(raw)


def test_cleaning_the_file_gives_the_synthetic_table_back(synthetic, codebook, published, tmp_path):
    restored, _ = ward_file(synthetic, codebook, published)
    path = tmp_path / "ward.csv"
    without_formulas(restored).to_csv(path, index=False)
    again, _ = clean(read_raw(path, codebook), codebook)
    # The raw table has one decimal, and the median that fills gaps has two.
    expected = synthetic.assign(crp=synthetic["crp"].round(1))
    pd.testing.assert_frame_equal(codebook.resolved(synthetic).conform(again), expected)


def test_no_identifier_is_in_the_raw_table_and_every_row_is_a_person(synthetic, codebook, published):
    fresh = ward_file(synthetic, codebook, published)[0]["PATIENT"]
    assert fresh.is_unique and not set(fresh.astype(str)) & set(published["PATIENT"])
    assert fresh.min() == 1000 and published["PATIENT"].astype(int).max() == 199


def test_identifiers_that_are_no_numbers_are_fresh_too(synthetic, codebook, published):
    taken = published.assign(PATIENT="synthetic-" + published["PATIENT"])
    fresh = ward_file(synthetic, codebook, taken)[0]["PATIENT"]
    assert fresh.is_unique and not set(fresh) & set(taken["PATIENT"])


def test_an_identifier_that_the_codebook_drops_is_fresh_too(synthetic, published):
    book = Codebook.model_validate(
        {
            **CODEBOOK,
            "columns": {**CODEBOOK["columns"], "stay": {"raw": "STAY", "type": "identifier", "drop": "random"}},
        }
    )
    restored, _ = ward_file(synthetic, book, published.assign(STAY="71"))
    assert restored["STAY"].min() == 100


def test_not_applicable_is_its_code(synthetic, codebook, published):
    restored, _ = ward_file(synthetic, codebook, published)
    assert set(restored.loc[synthetic["icu"] == "not applicable", "ICU"]) == {"97"}


def test_a_category_shared_with_not_applicable_is_the_code_that_fits_the_row(synthetic, published):
    book = changed(icu={"not_applicable": {"codes": [97], "category": "no", "when": {"admitted": "no"}}})
    rows = synthetic.assign(icu="no")
    restored, _ = ward_file(rows, book, published)
    assert (restored["ICU"] == rows["admitted"].astype(str).map({"no": "97", "yes": "2"})).all()


def test_of_several_codes_for_a_category_the_first_is_written(synthetic, published):
    book = changed(sex={"codes": {"F": "female", "W": "female", "M": "male"}})
    assert set(ward_file(synthetic, book, published)[0]["SEX"]) == {"F", "M"}


def test_a_category_for_missing_becomes_an_empty_cell(synthetic, published):
    book = changed(stage={"missing_category": "unknown"})
    rows = synthetic.assign(
        stage=synthetic["stage"].astype(str).where(synthetic.index > 4, "unknown").astype("category")
    )
    restored, _ = ward_file(rows, book, published)
    assert (restored["STAGE"].head(5) == "").all() and (restored["STAGE"].tail(-5) != "").all()


def test_where_empty_does_not_mean_missing_the_code_that_does_is_written(synthetic, published):
    book = changed(stage={"missing_category": "unknown"})
    book = book.model_copy(update={"raw": book.raw.model_copy(update={"missing": ["NA"]})})
    rows = synthetic.assign(stage=pd.Categorical(["unknown"] * len(synthetic)))
    assert set(ward_file(rows, book, published)[0]["STAGE"]) == {"?"}


@pytest.mark.parametrize("method", ["category", "simple"])
def test_gaps_that_a_generator_draws_become_empty_cells(raw, codebook, published, method):
    table = clean(raw, codebook)[0].drop(columns="patient")
    settings = {"flags": True} if method == "simple" else {}
    imputer = make_imputer(method, **settings).fit(table, codebook.resolved(table))
    restored, _ = ward_file(imputer.transform(table), codebook, published)
    for name in ("crp", "stage", "icu"):
        assert ((restored[name.upper()] == "") == table[name].isna()).all()


def test_whole_numbers_are_written_whole_and_others_with_the_raw_tables_decimals(synthetic, codebook, published):
    rows = synthetic.assign(crp=12.3456789)
    restored, _ = ward_file(rows, codebook, published)
    assert restored["AGE"].dtype == "int64" and set(restored["CRP"]) == {12.3}
    exact = published.assign(CRP="0.123456789")
    assert set(ward_file(rows, codebook, exact)[0]["CRP"]) == {12.3457}


def test_grouped_categories_stay_a_group_and_are_said_to(synthetic, published):
    book = changed(stage={"rare": {"keep": 2}})
    rows = synthetic.assign(stage=pd.Categorical(["other", "I"] * (len(synthetic) // 2)))
    restored, dictionary = ward_file(rows, book, published)
    assert set(restored["STAGE"]) == {"other", "I"}
    assert "'other' stands for rare ones" in dictionary.loc["STAGE", "origin"]


def test_a_dropped_column_is_left_out_with_the_reason(synthetic, codebook, published):
    report = pd.DataFrame({"column": ["crp", "age"], "rule": ["dropped: 61.0% missing, more than 50%", "kept"]})
    rows = synthetic.drop(columns="crp")
    restored, dictionary = ward_file(rows, codebook, published, reasons(report))
    assert "CRP" not in restored
    assert dictionary.loc["CRP", "in_file"] == "no"
    assert dictionary.loc["CRP", "origin"] == "left out: 'crp' dropped in cleaning: 61.0% missing, more than 50%"


def test_a_header_that_the_codebook_does_not_describe_is_left_out(synthetic, codebook, published):
    restored, dictionary = ward_file(synthetic, codebook, published.assign(NOTE="seen"))
    assert "NOTE" not in restored
    assert dictionary.loc["NOTE", "origin"] == "left out: the codebook does not describe it"


def test_a_transform_without_an_inverse_is_left_out(synthetic, published):
    book = changed(stage={"transform": "icd9_group", "categories": ["I", "II", "III"]})
    _, dictionary = ward_file(synthetic, book, published)
    assert dictionary.loc["STAGE", "origin"] == "left out: 'stage' is made by icd9_group, which has no inverse"


def test_an_inverse_that_the_codebook_names_is_used(synthetic, codebook, published):
    rules = {"AGE": {"made_from": ["age"], "transform": "ten_year_bracket"}}
    book = Codebook.model_validate({**CODEBOOK, "restored": rules})
    restored, dictionary = ward_file(synthetic.assign(age=55), book, published)
    assert set(restored["AGE"]) == {"[50-60)"}
    assert dictionary.loc["AGE", "origin"] == "ten_year_bracket of age"


def test_an_inverse_whose_column_was_dropped_leaves_the_header_out(synthetic, published):
    rules = {"AGE": {"made_from": ["age", "crp"], "transform": "ten_year_bracket"}}
    book = Codebook.model_validate({**CODEBOOK, "restored": rules})
    _, dictionary = ward_file(synthetic.drop(columns="crp"), book, published, {"crp": "never measured"})
    assert dictionary.loc["AGE", "origin"] == "left out: 'crp' dropped in cleaning: never measured"


def test_values_that_an_inverse_does_not_take_are_an_input_error(synthetic, published):
    rules = {"SEX": {"made_from": ["sex"], "transform": "date_of_day"}}
    book = Codebook.model_validate({**CODEBOOK, "restored": rules})
    with pytest.raises(InputError, match=r"SEX: '(fe)?male' does not fit the transform 'date_of_day'"):
        ward_file(synthetic, book, published)


def test_an_unknown_inverse_is_named(synthetic, published):
    rules = {"SEX": {"made_from": ["sex"], "transform": "date_of_dya"}}
    book = Codebook.model_validate({**CODEBOOK, "restored": rules})
    with pytest.raises(InputError, match=r"'date_of_dya'; did you mean 'date_of_day'\?"):
        ward_file(synthetic, book, published)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"SEXX": {"made_from": ["sex"], "transform": "t"}}, "the raw header 'SEXX'; did you mean 'SEX'"),
        (
            {"SEX": {"made_from": ["sexx"], "transform": "t"}},
            "'restored.SEX' names the column 'sexx'; did you mean 'sex'",
        ),
    ],
)
def test_a_codebook_that_restores_what_there_is_not_is_refused(rules, sentence):
    with pytest.raises(ValueError, match=sentence):
        Codebook.model_validate({**CODEBOOK, "restored": rules})


def test_the_dictionary_says_type_unit_and_values(synthetic, codebook, published):
    _, dictionary = ward_file(synthetic, codebook, published)
    assert dictionary.loc["AGE", ["type", "unit", "values"]].tolist() == ["integer", "years", "0 to 120"]
    assert dictionary.loc["ICU", "values"] == "2 = no; 1 = yes; 97 = not applicable (not applicable)"
    assert dictionary.loc["STAGE", "values"] == "I; II; III"


# Dates of MIMIC-III


def test_moments_survive_the_way_there_and_back():
    for moment in ("2164-10-23 21:09:00", "2100-06-14 00:00:00", "2210-08-17 15:13:00"):
        assert date_of_day(float(days_since_2100(moment))) == moment


def test_a_stay_ends_when_it_ended():
    start, end = "2164-10-23 21:09:00", "2164-11-01 17:15:00"
    day, days = float(days_since_2100(start)), float(days_between(start, end))
    assert date_after(day, days) == end
    assert (date_if_died(day, days, "yes"), date_if_died(day, days, "no")) == (end, "")


@pytest.mark.parametrize("age", [0.0, 0.01, 17.19, 64.37, 88.99, 89.0])
@pytest.mark.parametrize("day", [0.0, 970.3021, 23671.8812, 41999.9999])
def test_ages_survive_the_way_there_and_back(day, age):
    assert float(age_at(date_of_day(day), born_before(day, age))) == pytest.approx(age, abs=0.006)


@pytest.mark.parametrize("age", [89.5, 91.4])
def test_ages_above_89_are_shifted_by_300_years_as_in_the_raw_table(age):
    assert born_before(23671.8812, age).startswith("186")
    assert age_at(date_of_day(23671.8812), born_before(23671.8812, age)) == "91.40"


@pytest.mark.parametrize("age", [5, 55, 95])
def test_midpoints_survive_the_way_there_and_back(age):
    assert bracket_midpoint(ten_year_bracket(age)) == str(age)


def test_tables_that_are_joined_get_files_of_their_own():
    codebook = Codebook.from_yaml(ROOT / "config/datasets/mimic3.yaml")
    names = file_names(codebook, "synthetic_admissions.csv")
    assert names == ["synthetic_admissions.csv", "synthetic_admissions_patients.csv"]


def test_a_date_of_death_cannot_be_made_of_a_death(codebook):
    codebook = Codebook.from_yaml(ROOT / "config/datasets/covid_mexico.yaml")
    raw = pd.DataFrame({"SEX": ["1"], "DATE_DIED": ["9999-99-99"]})
    rows = pd.DataFrame({"sex": pd.Categorical(["male"]), "death": pd.Categorical(["yes"])})
    tables, dictionary = restore(rows, codebook, {"covid.csv": raw}, {"date_died": "a date"})
    assert list(tables["covid.csv"]) == ["SEX"]
    assert dictionary["origin"].iloc[1] == (
        "left out: 'death' is made by dated, which has no inverse; 'date_died' dropped in cleaning: a date"
    )


def test_mimic_admissions_go_back_into_their_schema(raw_dir, tmp_path):
    codebook = Codebook.from_yaml(ROOT / "config/datasets/mimic3.yaml")
    paths = [raw_dir / "mimic3" / file for file in codebook.raw.files]
    cleaned, report = clean(read_raw(paths[0], codebook, joined=paths[1:]), codebook)
    table = cleaned.drop(columns="subject_id")
    table = make_imputer("simple").fit(table, codebook.resolved(table)).transform(table)
    raw = {path.name: read_table(path, codebook) for path in paths}
    tables, dictionary = restore(table, codebook, raw, reasons(report))
    for name, restored in tables.items():
        without_formulas(restored).to_csv(tmp_path / name, index=False)
        kept = [header for header in raw[name] if header in restored]
        assert list(restored) == kept
        for header in {"row_id", "subject_id", "hadm_id"} & set(restored):
            assert restored[header].is_unique and not set(restored[header].astype(str)) & set(raw[name][header])
    left_out = dictionary.loc[dictionary["in_file"] == "no", "header"].tolist()
    assert left_out == ["edregtime", "edouttime", "dod", "dod_hosp", "dod_ssn"]
    paths = [tmp_path / file for file in codebook.raw.files]
    again, _ = clean(read_raw(paths[0], codebook, joined=paths[1:]), codebook)
    pd.testing.assert_frame_equal(codebook.resolved(table).conform(again), table)


def test_numbers_with_decimal_commas_are_known_for_numbers(codebook, published):
    headers = list(published)
    assert {header for header in headers if holds_numbers(header, headers, codebook)} == {"AGE", "CRP"}
