"""Dates that the clean table keeps as numbers."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean
from medsynth.preparation.date_columns import number_dates
from medsynth.preparation.restoring import reasons, restore

CONTENT = {"name": "a", "title": "a", "publisher": "a", "licence": "a", "raw": {"file": "a", "obtain": "a"}}


def date(form="%d/%m/%Y", **facts):
    return {"type": "integer", "notation": {"date": form}, **facts}


def written(**columns):
    return Codebook.model_validate({**CONTENT, "columns": columns})


def there_and_back(raw, codebook):
    table, report = clean(raw, codebook)
    tables, _ = restore(table, codebook, {"a": raw}, reasons(report))
    return table, tables["a"]


@pytest.mark.parametrize(
    ("form", "cells"),
    [
        ("%d.%m.%Y", ["31.12.1999", "01.02.2003", "07.11.2150"]),
        ("%-m/%-d/%Y", ["1/5/2020", "12/31/1999", "2/3/2004"]),
        ("%Y-%m-%d %H:%M:%S", ["2101-03-04 05:06:07", "1969-12-31 23:59:59", "2000-01-01 00:00:00"]),
        ("%Y-%m-%dT%H:%M", ["2020-01-01T10:30", "2020-01-02T00:00", ""]),
    ],
)
def test_dates_come_back_as_they_were(form, cells):
    raw = pd.DataFrame({"day": cells}, dtype=object)
    table, restored = there_and_back(raw, written(day=date(form)))
    assert pd.api.types.is_numeric_dtype(table["day"])
    assert restored["day"].tolist() == cells


def test_a_time_of_day_is_counted_from_midnight():
    raw = pd.DataFrame({"seen": ["00:00", "10:30", "23:59"]}, dtype=object)
    table, restored = there_and_back(raw, written(seen=date("%H:%M")))
    assert table["seen"].tolist() == [0, 630, 1439]
    pd.testing.assert_frame_equal(restored, raw)


def test_a_stay_keeps_its_length_and_its_dates():
    raw = pd.DataFrame({"came": ["01/02/2020", "28/02/2020"], "left": ["03/02/2020", "01/03/2020"]}, dtype=object)
    table, restored = there_and_back(raw, written(left=date(since="came", range=[0, 90]), came=date()))
    assert table["left"].tolist() == [2, 2]
    pd.testing.assert_frame_equal(restored, raw)


def test_a_chain_of_dates_is_restored_from_its_origin():
    columns = {"came": date(), "left": date(since="came"), "died": date("%Y-%m-%d", since="left")}
    raw = pd.DataFrame({"came": ["01/02/2020"], "left": ["03/02/2020"], "died": ["2020-03-03"]}, dtype=object)
    table, restored = there_and_back(raw, written(**columns))
    assert table.iloc[0].tolist() == [18293, 2, 29]
    pd.testing.assert_frame_equal(restored, raw)


def test_a_date_of_an_imputed_gap_is_a_gap_again():
    codebook = written(came=date(), left=date(since="came"))
    table = pd.DataFrame({"came": [18293, 18293], "left": [2, 2], "came_missing": ["yes", "no"]})
    tables, _ = restore(table, codebook, {"a": pd.DataFrame({"came": ["01/02/2020"], "left": ["03/02/2020"]})}, {})
    assert tables["a"].to_numpy().tolist() == [["", ""], ["01/02/2020", "03/02/2020"]]


def test_the_number_of_a_date_is_no_code_for_missing():
    raw = pd.DataFrame({"day": ["18/05/1997", "9999", "01/01/2000"]}, dtype=object)
    codebook = written(day=date(missing=["9999"]))
    table, restored = there_and_back(raw, codebook)
    assert number_dates(raw, codebook)["day"][0] == "9999.0"
    assert table["day"].isna().tolist() == [False, True, False]
    assert restored["day"].tolist() == ["18/05/1997", "", "01/01/2000"]


def test_a_date_stands_only_where_its_question_arises():
    rule = {"codes": ["9999-99-99"], "when": {"died": "no"}}
    codebook = written(day=date(not_applicable=rule), died={"type": "binary", "categories": ["no", "yes"]})
    raw = pd.DataFrame({"day": ["03/05/2020", "9999-99-99"], "died": ["yes", "no"]}, dtype=object)
    table, restored = there_and_back(raw, codebook)
    assert table["day"].isna().tolist() == [False, True]
    pd.testing.assert_frame_equal(restored, raw)


def test_a_year_that_no_calendar_has_is_the_last_one():
    raw = pd.DataFrame({"day": ["2020-01-01"]})
    tables, _ = restore(pd.DataFrame({"day": [9_999_999]}), written(day=date("%Y-%m-%d")), {"a": raw}, {})
    assert tables["a"]["day"].item() == str(datetime.max.date())


def test_a_date_counted_from_one_that_cleaning_dropped_is_left_out():
    raw = pd.DataFrame({"came": ["01/02/2020"], "left": ["03/02/2020"]})
    codebook = written(came=date(), left=date(since="came"))
    tables, dictionary = restore(pd.DataFrame({"left": [2]}), codebook, {"a": raw}, {"came": "empty"})
    assert list(tables["a"]) == []
    assert "'came' dropped in cleaning: empty" in dictionary.set_index("header")["origin"]["left"]


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (
            {"left": ["soon", "03/02/2020"]},
            "left of a has values that are no dates as %d/%m/%Y: a text in 1 rows",
        ),
        ({"came": ["", "01/02/2020"]}, "left of a is counted from came, which 1 rows lack"),
    ],
)
def test_a_date_that_cannot_be_counted_is_refused_in_one_sentence(cells, complaint):
    raw = pd.DataFrame({"came": ["01/02/2020"] * 2, "left": ["03/02/2020"] * 2, **cells}, dtype=object)
    with pytest.raises(InputError, match=complaint):
        number_dates(raw, written(came=date(), left=date(since="came")))


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"left": date(since="cane"), "came": date()}, "names 'cane'; did you mean 'came'"),
        ({"left": date(since="age"), "age": {"type": "integer"}}, "'age', which keeps no dates as numbers"),
        ({"left": date(since="came"), "came": date(since="left")}, "leads back to"),
        ({"left": date(since="came"), "came": date("%H:%M")}, "one of the two has no year"),
        ({"left": {"type": "integer", "since": "came"}, "came": date()}, "'since', which is for type 'integer'"),
        ({"left": {"type": "continuous", "notation": {"date": "%Y"}}}, "needs type 'integer' and no 'transform'"),
    ],
)
def test_a_date_has_an_origin_that_is_a_date(columns, complaint):
    with pytest.raises(ValueError, match=complaint):
        written(**columns)


def test_row_rules_see_dates_as_they_are_written():
    columns = {"person": {"type": "identifier"}, "came": date(), "left": date(since="came")}
    rules = [
        {"reason": "none", "column": "came", "values": ["01/01/1900"]},
        {"reason": "first", "first_per": "person", "order_by": "left"},
    ]
    codebook = Codebook.model_validate({**CONTENT, "columns": columns, "rows": rules})
    # The first stay is the longer one, and the row that is dropped has a date that nobody can read.
    rows = [("a", "05/05/2020", "06/05/2020"), ("a", "01/02/2020", "20/02/2020"), ("a", "01/01/1900", "soon")]
    table, _ = clean(pd.DataFrame(rows, columns=["person", "came", "left"], dtype=object), codebook)
    assert table["left"].tolist() == [19]


@pytest.mark.parametrize(("form", "cell"), [("%Y-%m-%d %H", "2020-01-31 17"), ("%d.%m.%Y %I %p", "31.01.2020 05 PM")])
def test_an_hour_without_minutes_stays(form, cell):
    raw = pd.DataFrame({"seen": [cell]}, dtype=object)
    pd.testing.assert_frame_equal(there_and_back(raw, written(seen=date(form)))[1], raw)


# Drafts


def stays(n=200):
    """Admissions with a discharge, and a later day of death of some."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")
    end = start + pd.to_timedelta(rng.integers(1, 20, n), "D")
    death = end + pd.to_timedelta(rng.integers(0, 5, n), "D")
    days = {name: days.strftime("%d/%m/%Y") for name, days in (("death", death), ("out", end), ("in", start))}
    table = pd.DataFrame({**days, "age": rng.integers(20, 99, n).astype(str)})
    return table.assign(death=table["death"].where(rng.random(n) < 0.4, ""))


def drafted(table, tmp_path):
    table.to_csv(tmp_path / "stays.csv", index=False)
    return yaml.safe_load(draft_codebook(tmp_path / "stays.csv"))


def test_a_draft_counts_dates_from_the_nearest_in_order(tmp_path):
    columns = drafted(stays(), tmp_path)["columns"]
    assert {name: columns[name].get("since") for name in ("in", "out", "death")} == {
        "in": None,
        "out": "in",
        "death": "out",
    }
    assert columns["out"]["unit"] == "days"


def test_a_date_that_many_rows_lack_has_a_flag(tmp_path):
    table = stays()
    columns = drafted(table, tmp_path)["columns"]
    assert columns["death"]["not_applicable"] == {"when": {"death_given": "no"}}
    assert list(columns)[:2] == ["death", "death_given"]
    codebook = Codebook.model_validate({**CONTENT, "columns": columns})
    cleaned, _ = clean(read_raw(tmp_path / "stays.csv", codebook), codebook)
    assert (cleaned["death_given"] == "yes").tolist() == (table["death"] != "").tolist()


def test_a_flag_takes_no_name_that_a_column_has(tmp_path):
    columns = drafted(stays().assign(death_given="x y"), tmp_path)["columns"]
    assert columns["death"]["not_applicable"] == {"when": {"death_given_2": "no"}}


def test_dates_of_the_same_rows_share_a_flag(tmp_path):
    table = stays()
    columns = drafted(table.assign(buried=table["death"]), tmp_path)["columns"]
    assert columns["buried"]["not_applicable"] == {"when": {"death_given": "no"}}
    assert "buried_given" not in columns


def test_fractions_of_a_second_leave_a_column_out_and_no_other(tmp_path):
    table = stays()
    columns = drafted(table.assign(seen=[f"2020-01-01 10:00:{i % 60:02d}.123456" for i in range(len(table))]), tmp_path)
    assert columns["columns"]["seen"]["drop"] == "times with fractions of a second"
    assert columns["columns"]["out"]["since"] == "in"


def test_no_date_is_counted_from_a_time_of_day(tmp_path):
    table = stays()
    columns = drafted(table.assign(seen=[f"{i % 24:02d}:{i % 60:02d}" for i in range(len(table))]), tmp_path)["columns"]
    assert "since" not in columns["seen"]
    assert "seen" not in [facts.get("since") for facts in columns.values()]


def test_dates_in_several_forms_are_left_out_and_said_to_be(tmp_path):
    table = stays()
    table.loc[::3, "in"] = pd.to_datetime(table.loc[::3, "in"], format="%d/%m/%Y").dt.strftime("%Y-%m-%d")
    table.to_csv(tmp_path / "stays.csv", index=False)
    text = draft_codebook(tmp_path / "stays.csv")
    assert yaml.safe_load(text)["columns"]["in"]["drop"] == "dates in several forms, or with time zones"


def test_no_rule_compares_a_day_of_the_calendar_with_a_number(tmp_path):
    stays().to_csv(tmp_path / "stays.csv", index=False)
    said = [line for line in draft_codebook(tmp_path / "stays.csv").splitlines() if "less:" in line]
    assert not [line for line in said if "in" in line.split("less:")[1].strip(" []}").split(", ")]
