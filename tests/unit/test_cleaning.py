"""Cleaning by the codebook."""

import copy
import gzip
import zipfile

import pytest

from medsynth.codebook import Codebook
from medsynth.data.opening import sha256
from medsynth.data.reading import read_raw
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from medsynth.preparation.transforms import bracket_midpoint, dated, icd9_group, position_of_one
from tests.conftest import CODEBOOK, ROOT


def changed(column, **facts):
    """Ward's codebook with one column changed."""
    content = copy.deepcopy(CODEBOOK)
    content["columns"][column] |= facts
    return Codebook.model_validate(content)


def counted(report, column, rule):
    """Cells that a rule changed, as the report says."""
    rows = report[(report["column"] == column) & report["rule"].str.contains(rule)]
    return int(rows["cells"].iloc[0])


def test_codes_are_missing_only_where_the_codebook_says_so(raw, codebook):
    raw.loc[:4, "age"] = "99"
    table, _ = clean(raw, codebook)
    assert (table.loc[:4, "age"] == 99).all()
    assert table["icu"].isna().sum() == (raw["icu"] == "99").sum() > 0


def test_not_applicable_is_a_category_where_it_is_legitimate_and_missing_elsewhere(raw, codebook):
    admitted = raw.index[raw["admitted"] == "1"][0]
    raw.loc[admitted, "icu"] = "97"
    table, report = clean(raw, codebook)
    assert (table["icu"] == "not applicable").sum() == (raw["admitted"] == "0").sum()
    assert table["icu"].isna()[admitted]
    assert counted(report, "icu", "where it cannot be") == 1


def test_a_missing_cell_where_the_question_does_not_arise_is_not_applicable(raw, codebook):
    outpatient = raw.index[raw["admitted"] == "0"][0]
    raw.loc[outpatient, "icu"] = "99"
    table, report = clean(raw, codebook)
    assert table["icu"][outpatient] == "not applicable"
    assert counted(report, "icu", "missing where the question does not arise") == 1


def test_rare_categories_and_not_applicable_go_together(raw):
    table, _ = clean(raw, changed("icu", codes={"2": "no", "1": "yes"}, rare={"keep": 1}))
    assert set(table["icu"].dropna().unique()) == {"no", "other", "not applicable"}


def test_a_code_is_a_code_with_or_without_decimals_in_a_numeric_column(raw):
    raw.loc[:1, "age"] = ["99.0", "99"]
    table, _ = clean(raw, changed("age", missing=[99]))
    assert table["age"].isna().sum() == (raw["age"].astype(float) == 99).sum()


def test_fractions_in_an_integer_column_and_infinities_are_named(raw, codebook):
    raw.loc[0, "age"] = "30.5"
    with pytest.raises(InputError, match=r"AGE \('30.5' in 1 rows\) is not a whole number"):
        clean(raw, codebook)
    raw.loc[0, "age"] = "inf"
    with pytest.raises(InputError, match=r"AGE \('inf' in 1 rows\) is not a number"):
        clean(raw, codebook)


def test_persons_without_an_identifier_are_an_error(raw, codebook):
    raw.loc[:9, "patient"] = ""
    with pytest.raises(InputError, match="Identifier PATIENT of ward is missing in 10 rows"):
        clean(raw, codebook)


def test_rows_ordered_by_text_are_an_error(raw):
    content = copy.deepcopy(CODEBOOK)
    content["rows"] = [{"reason": "first", "first_per": "patient", "order_by": "stage"}]
    with pytest.raises(InputError, match="STAGE cannot order the rows"):
        clean(raw, Codebook.model_validate(content))


def test_a_rule_may_use_a_column_that_is_left_out(tmp_path, raw):
    content = copy.deepcopy(CODEBOOK)
    content["columns"]["stage"]["drop"] = "not needed"
    content["rows"] = [{"reason": "early stages alone", "column": "stage", "values": ["III"]}]
    codebook = Codebook.model_validate(content)
    raw.rename(columns=str.upper).to_csv(tmp_path / "ward.csv", index=False)
    table, _ = clean(read_raw(tmp_path / "ward.csv", codebook), codebook)
    assert len(table) == (raw["stage"] != "III").sum() and "stage" not in table


def test_a_table_in_another_encoding_is_named(tmp_path, codebook):
    (tmp_path / "ward.csv").write_bytes("PATIENT,ÂGE\n1,2\n".encode("latin-1"))
    with pytest.raises(InputError, match="is not in UTF-8"):
        read_raw(tmp_path / "ward.csv", codebook)


def test_everything_done_is_counted(raw, codebook):
    _, report = clean(raw, codebook)
    assert counted(report, "stage", "codes for missing") == (raw["stage"] == "?").sum()
    kept = report[report["rule"] == "kept"].set_index("column")
    assert kept.loc["crp", "missing_after"] == (raw["crp"] == "").sum()


def test_a_column_missing_too_often_is_dropped_and_said_to_be(raw, codebook):
    table, report = clean(raw, codebook, max_missing=0.05)
    assert "crp" not in table and "age" in table
    assert report.loc[report["column"] == "crp", "rule"].str.contains("more than 5%").any()


def test_a_constant_column_stays_and_is_reported(raw, codebook):
    table, report = clean(raw.assign(sex="1"), codebook)
    assert (table["sex"] == "female").all()
    assert report["rule"].str.contains("constant: every value is 'female'").any()


def test_the_value_of_a_column_that_few_patients_have_is_not_told(raw, codebook):
    raw["CRP".lower()] = ["37.4", *[""] * (len(raw) - 1)]
    _, report = clean(raw, codebook)
    assert "constant" in set(report.loc[report["column"] == "crp", "rule"])
    assert not report["rule"].str.contains("37.4").any()


def test_a_category_held_by_nearly_everybody_drops_the_column(raw):
    rare = raw.assign(stage=["II"] + ["I"] * (len(raw) - 1))
    table, report = clean(rare, changed("stage", drop_if_category={"I": 0.99}))
    assert "stage" not in table
    assert report["rule"].str.contains("dropped: fewer than 1.00% differ from 'I'").any()


def test_rare_categories_are_grouped(raw):
    raw["stage"] = ["III"] + ["I", "II", "II"] * 133
    table, _ = clean(raw, changed("stage", type="categorical", rare={"seen_more_than": 1}))
    assert table["stage"].value_counts().to_dict() == {"II": 266, "I": 133, "other": 1}


def test_a_missing_category_is_never_grouped_as_rare(raw):
    raw["stage"] = ["?"] + ["III"] * 9 + ["I", "II"] * 195
    content = copy.deepcopy(CODEBOOK)
    content["columns"]["stage"] = {
        "type": "categorical", "missing": ["?"], "missing_category": "not staged", "rare": {"keep": 2},
    }  # fmt: skip
    table, _ = clean(raw, Codebook.model_validate(content))
    assert table["stage"].value_counts().to_dict() == {"I": 195, "II": 195, "other": 9, "not staged": 1}


def test_one_row_a_patient_by_number_not_by_place(raw):
    content = copy.deepcopy(CODEBOOK)
    content["rows"] = [{"reason": "first stay", "first_per": "patient", "order_by": "age"}]
    raw = raw.iloc[:4].assign(patient=["7", "7", "8", "8"], age=["60", "59", "9", "10"])
    table, report = clean(raw, Codebook.model_validate(content))
    assert table["age"].tolist() == [59, 9]
    assert report.iloc[0][["rows_before", "rows_after"]].tolist() == [4, 2]


def test_one_row_an_admission_that_several_columns_identify(raw):
    content = copy.deepcopy(CODEBOOK)
    content["rows"] = [{"reason": "entered twice", "first_per": ["patient", "age"]}]
    raw = raw.iloc[:5].assign(patient=["7", "7", "7", "8", "7"], age=["60", "61", "60", "60", "61"])
    raw = raw.assign(crp=["1", "2", "3", "4", "5"])
    table, report = clean(raw, Codebook.model_validate(content))
    assert table["crp"].tolist() == [1, 2, 4]
    assert report.iloc[0][["rows_before", "rows_after"]].tolist() == [5, 3]


def test_unknown_codes_and_values_out_of_range_are_named_with_their_counts(raw, codebook):
    raw.loc[:2, "sex"] = "7"
    raw.loc[5, "crp"] = "900"
    with pytest.raises(
        InputError, match=r"SEX \('7' in 3 rows\) is not a code.*CRP \('900.0' in 1 rows\) is outside 0 to 500"
    ):
        clean(raw, codebook)


@pytest.mark.parametrize("outside, made", [("missing", None), ("clip", 110.0)])
def test_numbers_out_of_range_are_settled_as_the_codebook_says_and_counted(raw, outside, made):
    raw.loc[[3, 5], "age"] = "130"
    table, report = clean(raw, changed("age", range=[0, 110], outside=outside))
    assert table.loc[[3, 5], "age"].isna().all() if made is None else (table.loc[[3, 5], "age"] == made).all()
    others = table["age"].drop(index=[3, 5])
    assert (others == raw["age"].drop(index=[3, 5]).astype(float)).all()
    assert counted(report, "age", "outside 0 to 110 made") == 2


def test_undeclared_codes_are_missing_if_the_codebook_says_so(raw):
    admitted = raw.index[raw["admitted"] == "1"][:3]
    raw.loc[admitted, "icu"] = "55"
    table, report = clean(raw, changed("icu", outside="missing"))
    assert table.loc[admitted, "icu"].isna().all()
    assert counted(report, "icu", "no declared code made missing") == 3


@pytest.mark.parametrize(
    "column, facts, message",
    [
        ("age", {"range": None, "outside": "clip"}, "needs a 'range'"),
        ("icu", {"outside": "clip"}, "only numeric columns"),
    ],
)
def test_outside_that_cannot_be_is_refused(column, facts, message):
    with pytest.raises(ValueError, match=message):
        changed(column, **facts)


def test_text_in_a_numeric_column_is_named_by_its_row_where_one_patient_has_it(raw, codebook):
    raw.loc[3, "age"] = "Mrs Smith"
    with pytest.raises(InputError, match=r"AGE \(a text in 1 rows, row 4 of the data\) is not a number"):
        clean(raw, codebook)


def test_text_that_many_rows_have_is_named(raw, codebook):
    raw.loc[3:8, "age"] = "old"
    with pytest.raises(InputError, match=r"AGE \('old' in 6 rows\) is not a number"):
        clean(raw, codebook)


def test_numbers_beyond_what_generators_compute_with_are_refused(raw, codebook):
    raw.loc[3, "crp"] = "1e300"
    with pytest.raises(InputError, match=r"CRP .*beyond what generators compute with"):
        clean(raw, changed("crp", range=None))


def test_a_column_without_any_value_is_an_error(raw, codebook):
    with pytest.raises(InputError, match="Column CRP of ward is all missing"):
        clean(raw.assign(crp=""), codebook)


def test_a_column_that_applies_to_nobody_is_not_missing(raw, codebook):
    table, _ = clean(raw.assign(admitted="0", icu="97"), codebook)
    assert (table["icu"] == "not applicable").all()


def test_no_row_left_is_an_error(raw):
    content = copy.deepcopy(CODEBOOK)
    content["rows"] = [{"reason": "nobody", "column": "sex", "values": [1, 2]}]
    with pytest.raises(InputError, match="leave no row of ward"):
        clean(raw, Codebook.model_validate(content))


def test_an_unknown_transform_names_the_nearest(raw):
    with pytest.raises(InputError, match="'bracket_midpont'; did you mean 'bracket_midpoint'"):
        clean(raw, changed("age", transform="bracket_midpont"))


def test_a_value_that_does_not_fit_its_transform_is_named(raw):
    with pytest.raises(InputError, match=r"'age'.*does not fit the transform 'bracket_midpoint'"):
        clean(raw, changed("age", transform="bracket_midpoint"))


def test_transforms():
    assert bracket_midpoint("[50-60)") == "55"
    assert dated("03/05/2020") == "yes"
    codes = {
        "250.83": "diabetes",
        "428": "circulatory",
        "786": "respiratory",
        "V57": "other",
        "38": "other",
        "787": "digestive",
    }
    assert {code: icd9_group(code) for code in codes} == codes


@pytest.mark.parametrize("packing", ["csv", "csv.gz", "zip"])
def test_raw_tables_are_read_in_place_whatever_their_packing(tmp_path, raw, codebook, packing):
    text = raw.rename(columns=str.upper).to_csv(index=False)
    path = tmp_path / f"ward.{packing}"
    if packing == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/ward.csv", text)
    elif packing == "csv.gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    assert read_raw(path, codebook).equals(raw)
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_column_is_named(tmp_path, raw, codebook):
    path = tmp_path / "ward.csv"
    raw.rename(columns=str.upper).drop(columns="CRP").to_csv(path, index=False)
    with pytest.raises(InputError, match="lacks the column CRP"):
        read_raw(path, codebook)


def test_a_damaged_archive_is_named(tmp_path, codebook):
    path = tmp_path / "ward.zip"
    path.write_bytes(b"PK nothing")
    with pytest.raises(InputError, match=r"ward.zip is damaged"):
        read_raw(path, codebook)


@pytest.mark.slow
def test_diabetes130_is_the_table_that_the_design_defines(raw_dir):
    codebook = Codebook.from_yaml(ROOT / "config/datasets/diabetes130.yaml")
    path = raw_dir / "diabetes130" / codebook.raw.file
    assert sha256(path, codebook.raw.member) == codebook.raw.sha256
    table, report = clean(read_raw(path, codebook), codebook, max_missing=0.5)
    rows = report[report["column"] == "(rows)"]["rows_after"].tolist()
    assert rows == [71518, 69973, 69970]
    assert table.drop(columns="patient_nbr").shape == (69970, 31)
    assert table["patient_nbr"].is_unique
    assert (table["age"] >= 60).mean() == pytest.approx(0.66, abs=0.005)


@pytest.mark.slow
def test_covid_mexico_codes_are_understood(raw_dir):
    codebook = Codebook.from_yaml(ROOT / "config/datasets/covid_mexico.yaml")
    path = raw_dir / "covid_mexico" / codebook.raw.file
    assert sha256(path, codebook.raw.member) == codebook.raw.sha256
    table, _ = clean(read_raw(path, codebook), codebook)
    assert table.shape == (1_048_575, 21)
    assert table["age"].isin([97, 98, 99]).sum() == 345
    assert (table["death"] == "no").sum() == 971_633
    outpatients = table["patient_type"] == "outpatient"
    for column in ("icu", "intubed"):
        assert ((table[column] == "not applicable") == outpatients).all()
    assert (table.loc[table["sex"] == "male", "pregnant"] == "no").all()


def test_support2_is_clean_by_its_codebook(raw_dir):
    codebook = Codebook.from_yaml(ROOT / "config/datasets/support2.yaml")
    path = raw_dir / "support2" / codebook.raw.file
    table, report = clean(read_raw(path, codebook), codebook, max_missing=0.5)
    assert len(table) == 9105
    assert (table["hospdead"] == "yes").mean() == pytest.approx(0.259, abs=0.001)
    dropped = report[report["rule"].str.startswith("dropped")]["column"]
    assert sorted(dropped) == ["adlp", "urine"]


def joined_codebook():
    """Visits of persons, whose sex and birth are in a table of their own."""
    content = {
        **{key: CODEBOOK[key] for key in ("name", "title", "publisher", "licence")},
        "raw": {"file": "visits.csv", "joined": [{"file": "persons.csv", "key": "ID"}], "obtain": "make it up"},
        "columns": {
            "sex": {"raw": "SEX", "type": "binary", "codes": {1: "female", 2: "male"}},
            "age": {"type": "continuous", "made_from": ["SEEN", "BORN"], "transform": "age_at"},
            "kind": {
                "type": "categorical",
                "made_from": ["A", "B"],
                "transform": "position_of_one",
                "codes": {0: "a", 1: "b"},
            },
            "stay": {"raw": "STAY", "type": "continuous", "floor": 0},
            "drug": {"raw": "DRUG", "type": "integer", "drop_if_zero": 0.6},
        },
    }
    return Codebook.model_validate(content)


def write_visits(folder, persons="id,SEX,BORN\n1,1,1900-01-01\n2,2,1500-01-01\n"):
    """Three visits of two persons, headers in another case than the codebook's."""
    (folder / "visits.csv").write_text(
        "id,seen,a,b,stay,drug\n1,1950-01-01,1,0,2.5,0\n1,1960-01-01,0,1,-1,0\n2,1800-01-01,0,0,3,7\n"
    )
    (folder / "persons.csv").write_text(persons)
    return read_raw(folder / "visits.csv", joined_codebook(), joined=[folder / "persons.csv"])


def test_a_joined_table_gives_its_columns_to_the_rows_whatever_the_case_of_headers(tmp_path):
    assert write_visits(tmp_path)["sex"].tolist() == ["1", "1", "2"]


def test_ages_survive_birth_dates_shifted_by_centuries(tmp_path):
    table, _ = clean(write_visits(tmp_path), joined_codebook())
    assert table["age"].tolist() == pytest.approx([50, 60, 91.4], abs=0.01)


def test_a_one_hot_block_is_one_column_and_missing_where_nothing_is_set(tmp_path):
    table, _ = clean(write_visits(tmp_path), joined_codebook())
    assert table["kind"].tolist()[:2] == ["a", "b"]
    assert table["kind"].isna().tolist() == [False, False, True]


def test_numbers_below_the_floor_are_raised_and_counted(tmp_path):
    table, report = clean(write_visits(tmp_path), joined_codebook())
    assert table["stay"].tolist() == [2.5, 0, 3]
    assert counted(report, "stay", "below 0 made 0") == 1


def test_a_column_that_is_mostly_zero_is_dropped_with_the_reason(tmp_path):
    table, report = clean(write_visits(tmp_path), joined_codebook())
    assert "drug" not in table
    assert report["rule"].str.contains("dropped: fewer than 40.00% are not 0").any()


@pytest.mark.parametrize(
    ("persons", "sentence"),
    [
        ("id,SEX,BORN\n1,1,1900-01-01\n", "lacks the ID of 1 rows of the main table, that of row 3 first"),
        ("id,SEX,BORN\n1,1,1900-01-01\n1,1,1900-01-01\n", "must have one row for each ID; that of row 2 has several"),
        ("id,SEX\n1,1\n2,2\n", "lack the column BORN"),
    ],
)
def test_rows_without_one_partner_are_refused(tmp_path, persons, sentence):
    with pytest.raises(InputError, match=sentence):
        write_visits(tmp_path, persons)


def test_a_one_hot_block_with_two_ones_is_refused():
    with pytest.raises(ValueError, match="at most one 1"):
        position_of_one("1", "1")
