"""What a column of text is, decided from all of its values."""

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw, recognise
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from medsynth.preparation.restoring import reasons, restore

N = 400


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def drafted(folder, name, cells, **more):
    """Draft a table with one column of interest; the draft's text, its codebook and the file."""
    path = folder / "mine.csv"
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"age": rng.integers(18, 95, len(cells)), "died": rng.choice(["no", "yes"], len(cells))})
    table.assign(**{name: cells}, **more).to_csv(path, index=False, lineterminator="\n")
    text = draft_codebook(path)
    return text, Codebook.model_validate(yaml.safe_load(text)), path


def restored(path, codebook):
    """Clean a table, and restore it."""
    cleaned, report = clean(read_raw(path, codebook), codebook)
    tables, _ = restore(cleaned, codebook, {"mine.csv": recognise(path).table}, reasons(report))
    return cleaned, tables["mine.csv"]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("zip", lambda rng: [f"{v:05d}" for v in rng.integers(501, 9999, N)]),
        ("x", lambda rng: [f"{v:03d}" for v in rng.choice(60, N)]),
        ("dx", lambda rng: rng.choice(["250.0", "250.00", "042", "V58", "1E5", "401.9"], N)),
        ("measure", lambda rng: rng.choice(["1.5", "1.50", "2.25", "3", "3.0", *map(str, range(4, 40))], N)),
        ("diag_1", lambda rng: rng.choice(["250.83", "401", "786", "428", *map(str, range(300, 340))], N)),
        ("source_id", lambda rng: rng.integers(1, 26, N).astype(str)),
    ],
)
def test_codes_stay_as_they_are_written(tmp_path, rng, name, make):
    cells = make(rng)
    text, codebook, path = drafted(tmp_path, name, cells)
    assert codebook.columns[name].type == "categorical"
    assert "codes, not numbers" in text or codebook.columns[name].categories
    assert set(restored(path, codebook)[1][name]) - {"other"} <= set(cells)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("pid", [f"{i // 2:06d}" for i in range(N)]),
        ("patient", [f"P-{i // 3:04d}" for i in range(N)]),
        ("MRD No.", [str(1 + i % 300) for i in range(N)]),
        ("subject_id", [str(10_006 + 7 * (i % 40)) for i in range(N)]),
        ("acc", [str(9_007_199_254_740_993 + 7 * (i // 2)) for i in range(N)]),
        ("key", [f"{i // 2:08x}-aaaa-bbbb-cccc-{i // 2:012x}" for i in range(N)]),
        ("contact", [f"p{i // 2}@example.org" for i in range(N)]),
        ("pseudonym", [f"{(i // 2 + 1) * 0x9E3779B97F4A7C15 % 2**64:016x}" for i in range(N)]),
    ],
)
def test_a_repeated_identifier_is_proposed_as_the_person(tmp_path, name, cells):
    text, codebook, _ = drafted(tmp_path, name, cells)
    assert codebook.person is not None and codebook.columns[codebook.person].type == "identifier"
    assert not any(f'"{cell}"' in text for cell in cells)


def test_words_among_identifiers_change_nothing(tmp_path, rng):
    cells = [str(v) for v in rng.integers(10**17, 10**18, N)]
    cells[3] = cells[90] = "unclear"
    assert drafted(tmp_path, "order", cells)[1].columns["order"].type == "identifier"


def test_of_two_identifiers_the_person_is_proposed(tmp_path, rng):
    visits = [f"V{i:05d}" for i in range(N)]
    _, codebook, _ = drafted(tmp_path, "visit_id", visits, patient_nbr=[str(5_000 + i // 2) for i in range(N)])
    assert codebook.person == "patient_nbr" and codebook.columns["visit_id"].type == "identifier"


def test_names_of_patients_are_no_categories(tmp_path, rng):
    names = [f"{a} {b}" for a, b in zip(rng.choice(list("ABCDEFGH"), N), rng.choice(range(90), N), strict=True)]
    text, codebook, _ = drafted(tmp_path, "surname", names)
    assert codebook.columns["surname"].type == "identifier" and names[0] not in text


@pytest.mark.parametrize("name", ["patient_weight", "platelets", "n_medications"])
def test_measurements_are_no_identifiers(tmp_path, rng, name):
    _, codebook, _ = drafted(tmp_path, name, rng.integers(40, 140, N))
    assert codebook.columns[name].type == "integer"


def test_free_text_is_left_out(tmp_path, rng):
    notes = [f"seen by the doctor, who found {i} things that were not there last time" for i in range(N)]
    text, codebook, _ = drafted(tmp_path, "note", notes)
    assert codebook.columns["note"].drop and notes[7] not in text


@pytest.mark.parametrize("cell", ["see note", "haemolysed", "1.2.3"])
def test_a_word_among_numbers_is_named_and_missing(tmp_path, rng, cell):
    cells = [f"{v:.2f}" for v in rng.gamma(2, 3, N)]
    cells[17] = cell
    text, codebook, path = drafted(tmp_path, "crea", cells)
    assert codebook.columns["crea"].type == "continuous" and codebook.columns["crea"].missing == [cell]
    assert f"399 of 400 cells are numbers; the others: {cell} in 1 rows" in text
    assert restored(path, codebook)[0]["crea"].isna().sum() == 1


def test_censored_numbers_are_numbers_with_a_flag_and_come_back(tmp_path, rng):
    cells = [f"{v:.2f}" for v in rng.gamma(2, 3, N)]
    cells[:60] = ["<0.05"] * 60
    cells[60:64] = [">100"] * 4
    _, codebook, path = drafted(tmp_path, "crp", cells)
    table, back = restored(path, codebook)
    assert table["crp"].head(64).tolist() == [0.05] * 60 + [100] * 4
    assert table["crp_censored"].value_counts().to_dict() == {"measured": 336, "<": 60, ">": 4}
    assert back["crp"].head(64).tolist() == cells[:64]


@pytest.mark.parametrize(
    ("cells", "value", "unit"),
    [
        (lambda v: f"{v:.1f} %", 0, "%"),
        (lambda v: f"{v:.0f}%", 0, "%"),
        (lambda v: f"{v:.1f} mg", 0, "mg"),
        (lambda v: f"€{v * 1000:,.2f}", 0, "€"),
        (lambda v: f"{v * 1000:,.0f}", 0, ""),
        (lambda v: f"{v * 1000:,.2f}".translate(str.maketrans(",.", ".,")), 0, ""),
        (lambda v: f"{v * 1000:,.1f}".replace(",", " "), 0, ""),
        (lambda v: f"{v * 1000:,.1f}".replace(",", "'"), 0, ""),
        (lambda v: f"{v:.2f}".replace(".", ","), 0, ""),
        (lambda v: f"{v:.3e}", 0, ""),
    ],
)
def test_numbers_are_read_as_they_are_written_and_written_so_again(tmp_path, rng, cells, value, unit):
    written = [cells(v) for v in rng.uniform(2, 90, N)]
    _, codebook, path = drafted(tmp_path, "cost", written)
    assert codebook.columns["cost"].numeric and codebook.columns["cost"].unit == unit
    table, back = restored(path, codebook)
    again = [str(cell) for cell in back["cost"]]
    back.assign(cost=again).to_csv(tmp_path / "again.csv", index=False)
    assert clean(read_raw(tmp_path / "again.csv", codebook), codebook)[0]["cost"].equals(table["cost"])


def test_a_comma_before_three_digits_means_what_the_rest_of_the_file_says(tmp_path, rng):
    weights = [f"{v:.3f}".replace(".", ",") for v in rng.uniform(1, 9, N)]
    others = [f"{v:.2f}".replace(".", ",") for v in rng.uniform(1, 9, N)]
    text, codebook, path = drafted(tmp_path, "weight", weights, crea=others)
    assert restored(path, codebook)[0]["weight"].max() < 10
    assert "no cell shows it for certain" in text and "# - Decimals are marked by commas." in text


def test_ages_above_a_limit_are_numbers_with_a_flag_and_come_back(tmp_path, rng):
    cells = ["90+" if age > 89 else str(age) for age in rng.integers(50, 100, N)]
    _, codebook, path = drafted(tmp_path, "years", cells)
    table, back = restored(path, codebook)
    assert table["years"].max() == 90 and back["years"].tolist() == cells


def test_two_numbers_in_a_cell_become_two_columns_and_come_back(tmp_path, rng):
    cells = [f"{a}/{b}" for a, b in zip(rng.integers(90, 180, N), rng.integers(50, 100, N), strict=True)]
    cells[3] = "refused"
    _, codebook, path = drafted(tmp_path, "bp", cells)
    table, back = restored(path, codebook)
    assert {"bp_systolic", "bp_diastolic"} <= set(table) and table["bp_systolic"].isna().sum() == 1
    assert back["bp"].tolist() == [cell if cell != "refused" else "" for cell in cells]


@pytest.mark.parametrize(
    "form",
    ["%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%y", "%H:%M",
     "%Y%m%d", "%m/%d/%Y %I:%M %p"],
)  # fmt: skip
def test_dates_and_times(tmp_path, rng, form):
    moments = pd.Timestamp("2001-02-03 04:05:06") + pd.to_timedelta(rng.integers(0, 6_000 * 1440, N), unit="min")
    cells = [moment.strftime(form) for moment in moments]
    cells[5] = "unknown"
    _, codebook, path = drafted(tmp_path, "seen", cells)
    assert codebook.columns["seen"].counts_dates
    assert codebook.columns["seen"].notation.date == form
    assert restored(path, codebook)[1]["seen"].tolist() == ["" if cell == "unknown" else cell for cell in cells]


def test_dates_of_several_time_zones_are_dates_and_left_out(tmp_path, rng):
    cells = [f"2020-01-{rng.integers(1, 28):02d}T10:30:00+0{1 + i % 2}:00" for i in range(N)]
    assert drafted(tmp_path, "seen", cells)[1].columns["seen"].drop == "dates in several forms, or with time zones"


def test_dates_in_two_forms_are_dates(tmp_path, rng):
    days = pd.Timestamp("2001-02-03") + pd.to_timedelta(rng.integers(0, 6_000, N), unit="D")
    cells = [day.strftime("%d.%m.%Y" if i % 3 else "%Y-%m-%d") for i, day in enumerate(days)]
    assert drafted(tmp_path, "seen", cells)[1].columns["seen"].type == "date"


def test_days_and_months_that_no_cell_tells_apart_are_said(tmp_path, rng):
    cells = [f"{a:02d}/{b:02d}/2020" for a, b in zip(rng.integers(1, 13, N), rng.integers(1, 13, N), strict=True)]
    assert "%m/%d/%Y or %d/%m/%Y" in drafted(tmp_path, "seen", cells)[0]


@pytest.mark.parametrize(("no", "yes"), [("FALSE", "TRUE"), ("N", "Y"), ("0", "1"), ("nein", "ja"), ("No", "Yes")])
def test_booleans_have_no_first(tmp_path, rng, no, yes):
    text, codebook, _ = drafted(tmp_path, "smokes", rng.choice([no, yes], N))
    assert codebook.columns["smokes"].categories == [no, yes] and "first = no" in text


def test_1_and_2_are_not_guessed_at(tmp_path, rng):
    text, codebook, _ = drafted(tmp_path, "sex", rng.choice(["1", "2"], N))
    assert codebook.columns["sex"].categories == ["1", "2"]
    assert "# - sex: 1 and 2 stand for what?" in text and "first = no" not in text.split("sex:")[-1]


def test_sentinels_lie_apart_and_come_often(tmp_path, rng):
    values = rng.integers(120, 300, N).astype(str)
    values[:9] = "8888"
    values[20:24] = "-9"
    _, codebook, _ = drafted(tmp_path, "platelets", values)
    assert codebook.columns["platelets"].missing == ["8888", "-9"]


def test_a_cholesterol_of_0_is_pointed_at(tmp_path, rng):
    values = rng.normal(220, 45, N).clip(90).round().astype(int).astype(str)
    values[:60] = "0"
    text, codebook, _ = drafted(tmp_path, "chol", values)
    assert "chol: 0 in 60 rows lies apart from all others: a code for missing?" in text
    assert codebook.columns["chol"].range[0] == 0


@pytest.mark.parametrize("values", ["stay", "ages", "counts", "costs"])
def test_values_within_or_near_the_range_are_no_sentinels(tmp_path, rng, values):
    cells = {
        "stay": np.append(rng.geometric(0.08, N - 1), 98),
        "ages": rng.choice([*range(18, 100)], N),
        "counts": rng.poisson(6, N),
        "costs": np.where(rng.random(N) < 0.05, 0, rng.gamma(2, 20, N).round()),
    }[values].astype(int)
    text, codebook, _ = drafted(tmp_path, "value", cells)
    assert codebook.columns["value"].missing == [] and "lies apart" not in text


def test_what_spss_writes_for_missing_is_named(tmp_path, rng):
    cells = [f"{v:.1f}" for v in rng.normal(12, 2, N)]
    cells[4:12] = ["-1.797693134862315708e+308"] * 8
    _, codebook, _ = drafted(tmp_path, "hb", cells)
    assert codebook.columns["hb"].missing == ["-1.797693134862315708e+308"]
    assert codebook.columns["hb"].range[1] < 30


def test_values_beyond_what_generators_compute_with_are_missing_and_said(tmp_path, rng):
    cells = [f"{v:.1f}" for v in rng.normal(12, 2, N)]
    cells[4:12] = ["1e300"] * 8
    text, codebook, _ = drafted(tmp_path, "lab", cells)
    assert codebook.columns["lab"].missing == ["1e300"] and "lab: codes for missing: 1e300 in 8 rows" in text


@pytest.mark.parametrize("digits", [".17g", ".6f", ".9e"])
def test_numbers_with_all_their_digits_come_back_exactly(tmp_path, rng, digits):
    cells = [format(v, digits) for v in rng.normal(0, 1, N)]
    _, codebook, path = drafted(tmp_path, "x", cells)
    table, back = restored(path, codebook)
    assert table["x"].tolist() == [float(cell) for cell in cells] == back["x"].map(float).tolist()


def test_numbers_that_all_have_their_decimals_are_written_so_again(tmp_path, rng):
    cells = [f"{v:.2f}" for v in rng.normal(12, 2, N)]
    _, codebook, path = drafted(tmp_path, "hb", cells)
    assert restored(path, codebook)[1]["hb"].tolist() == cells


def test_whole_numbers_with_a_point_are_written_so_again(tmp_path, rng):
    cells = [f"{v}.0" for v in rng.integers(0, 60, N)]
    _, codebook, path = drafted(tmp_path, "days", cells)
    assert codebook.columns["days"].type == "integer"
    assert restored(path, codebook)[1]["days"].tolist() == cells


def test_weeks_are_no_persons(tmp_path, rng):
    assert drafted(tmp_path, "week", [f"2020-W{1 + i % 52:02d}" for i in range(N)])[1].person is None


def test_gaps_come_back_as_gaps(tmp_path, rng):
    cells = pd.Series(rng.integers(1, 90, N).astype(str)).mask(rng.random(N) < 0.3, "")
    _, codebook, path = drafted(tmp_path, "stay", cells)
    back = restored(path, codebook)[1]["stay"]
    assert ((back == "") == (cells == "")).all() and back.astype(str).tolist() == cells.tolist()


def test_a_column_of_ones_own_that_is_called_like_a_flag_gets_another_name(tmp_path, rng):
    _, codebook, _ = drafted(tmp_path, "bmi", rng.integers(18, 40, N), bmi_missing=rng.choice(["a", "b", "c"], N))
    assert codebook.columns["bmi_missing_2"].raw == "bmi_missing"


def test_categories_that_differ_in_case_alone_are_said(tmp_path, rng):
    assert "differ in case" in drafted(tmp_path, "stage", rng.choice(["mild", "Mild", "severe"], N))[0]


def test_a_table_without_anything_to_synthesize_is_refused(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("id\n" + "".join(f"P{i:04d}\n" for i in range(50)))
    with pytest.raises(InputError, match="no column to synthesize"):
        draft_codebook(path)


def test_a_zero_with_a_sign_is_no_second_spelling(tmp_path, rng):
    cells = rng.normal(0, 1, N).round(2).astype(str)
    cells[:4] = ["0.0", "-0.0", "0.0", "-0.0"]
    _, codebook, path = drafted(tmp_path, "change", cells)
    assert codebook.columns["change"].type == "continuous"
    cleaned, back = restored(path, codebook)
    assert cleaned["change"].to_numpy() == pytest.approx(cells.astype(float))
    assert back["change"].astype(float).to_numpy() == pytest.approx(cells.astype(float))
