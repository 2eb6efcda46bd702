"""A synthetic table in one call."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import medsynth
from medsynth.codebook import Codebook
from medsynth.commands import synthesize as module
from medsynth.commands.conditions import read_conditions
from medsynth.commands.writing import write_whole
from medsynth.data.reading import read_raw
from medsynth.drafting import draft_codebook, make_draft
from medsynth.errors import InputError
from tests.conftest import ward


def clinic(n=300):
    """A ward table with an identifier, dates in the German way, decimals and gaps."""
    rng = np.random.default_rng(1)
    table = ward(n).rename(columns={"patient": "Patient ID", "age": "Age (years)", "sex": "Sex"})
    table["Patient ID"] = [f"P{number:04d}" for number in range(n)]
    table["Sex"] = table["Sex"].map({"1": "female", "2": "male"})
    admitted = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 700, n), "D")
    table["Admission"] = admitted.strftime("%d.%m.%Y")
    table["Discharge"] = (admitted + pd.to_timedelta(rng.integers(0, 9, n), "D")).strftime("%d.%m.%Y")
    table.loc[::10, "Discharge"] = ""
    return table


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The clinic's table as a file."""
    path = tmp_path_factory.mktemp("clinic") / "clinic.csv"
    clinic().to_csv(path, index=False, sep=";")
    return path


@pytest.fixture(scope="module")
def made(real):
    """Rows, report and file of one call; CART learns in a moment."""
    out = real.parent / "synthetic.csv"
    frame, report = medsynth.synthesize(real, 200, out=out, generator="cart", seed=3)
    return frame, report, out


def cells(path, **options):
    return pd.read_csv(path, dtype=str, keep_default_na=False, **options)


def test_headers_and_their_order_are_the_files_own_without_identifiers(made, real):
    own = [header for header in cells(real, sep=";") if header != "Patient ID"]
    assert list(cells(made[2], sep=";")) == own


def test_cells_are_read_by_the_real_tables_own_codebook(made, real):
    codebook = make_draft(real).codebook
    columns = {name: column for name, column in codebook.columns.items() if name != "patient_id"}
    synthetic = read_raw(made[2], codebook.model_copy(update={"columns": columns}))
    assert set(synthetic["sex"]) == {"female", "male"}
    assert synthetic["stage"].isin(["I", "II", "III", "?", ""]).all()
    assert synthetic["crp"].str.fullmatch(r"(\d+(\.\d)?)?").all()


def test_dates_are_written_as_in_the_file_and_stays_keep_their_length(made):
    table = cells(made[2], sep=";")
    assert table["Admission"].str.fullmatch(r"\d\d\.\d\d\.20(19|20)").all()
    known = table[table["Discharge"] != ""]
    days = pd.to_datetime(known["Discharge"], dayfirst=True, format="%d.%m.%Y") - pd.to_datetime(
        known["Admission"], format="%d.%m.%Y"
    )
    assert days.dt.days.between(0, 8).all()


def test_gaps_are_as_frequent_as_in_the_file(made, real):
    shares = [(cells(path, sep=";")[["crp", "Discharge"]] == "").mean() for path in (real, made[2])]
    assert (np.abs(shares[0] - shares[1]) < 0.08).all()


def test_the_report_says_what_was_left_out_and_how_good_the_model_is(made):
    _, report, out = made
    assert report.left_out == {"Patient ID": "an identifier"}
    assert (report.train_rows, report.test_rows) == (240, 60)
    assert 0.6 < report.scores.loc["quality", "mean"] <= 1
    screen = str(report)
    for text in ("200 synthetic rows, 8 columns", str(out), "Patient ID: an identifier", "C2ST AUC", "DCR share"):
        assert text in screen
    assert len(screen.split("\n")) < 40


@pytest.mark.slow
def test_the_seed_decides_the_rows(made, real):
    again, _ = medsynth.synthesize(real, 200, generator="cart", seed=3)
    other, _ = medsynth.synthesize(real, 200, generator="cart", seed=4)
    pd.testing.assert_frame_equal(made[0], again)
    assert not made[0].equals(other)


def test_every_row_meets_conditions_on_headers_and_no_number_is_a_gap(real):
    wanted = ["Sex=female", "Age (years)=40..60", "crp=5.."]
    frame, _ = medsynth.synthesize(real, 50, generator="cart", conditions=wanted)
    assert set(frame["Sex"]) == {"female"}
    assert frame["Age (years)"].astype(int).between(40, 60).all()
    assert frame["crp"].astype(float).ge(5).all()


def test_a_table_gives_a_table_of_its_own_types():
    table = clinic()
    table = table.assign(**{"Age (years)": table["Age (years)"].astype(int), "Sex": table["Sex"].astype("category")})
    table["crp"] = pd.to_numeric(table["crp"])
    synthetic, _ = medsynth.synthesize(table, 40, generator="cart")
    assert synthetic.dtypes.to_dict() == table.drop(columns="Patient ID").dtypes.to_dict()


def test_parquet_has_numbers_and_nulls(real, tmp_path):
    medsynth.synthesize(real, 100, out=tmp_path / "s.parquet", generator="cart")
    table = pd.read_parquet(tmp_path / "s.parquet")
    assert pd.api.types.is_integer_dtype(table["Age (years)"]) and pd.api.types.is_float_dtype(table["crp"])
    assert table["crp"].isna().any() and table["Discharge"].isna().any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"out": "synthetic.docx"}, "ends with none of .csv, .tsv, .parquet"),
        ({"out": "nowhere/synthetic.csv"}, "does not exist"),
        ({"rows": 0}, "'rows' must be 1 or more"),
        ({"epsilon": -1.0}, "'epsilon' must be above 0"),
        ({"generator": "cart", "epsilon": 1.0}, "'cart' has no privacy budget"),
        ({"generator": "crat"}, "did you mean 'cart'"),
        ({"generator": "gaussian_copula", "conditions": ["Sex=female"]}, "cannot meet conditions"),
        ({"conditions": ["Sexx=female"]}, "no column 'Sexx'; did you mean 'Sex'"),
        ({"conditions": ["Sex=femal"]}, "no category 'femal'"),
        ({"conditions": ["Age (years)=old"]}, "must be a number or LOW..HIGH"),
        ({"conditions": ["Patient ID=P0001"]}, "takes no condition"),
        ({"conditions": ["Admission=01.01.2019"]}, "takes no condition: it is of the type date"),
        ({"conditions": ["female"]}, "write COLUMN=VALUE"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_is_fitted(real, changes, message, monkeypatch):
    def unexpected(*arguments, **settings):
        raise AssertionError("fitted")

    monkeypatch.setattr("medsynth.generators.protocol.Generator.fit", unexpected)
    with pytest.raises(InputError, match=message):
        medsynth.synthesize(real, **changes)


def test_the_real_table_is_not_overwritten(real):
    with pytest.raises(InputError, match="the real table itself"):
        medsynth.synthesize(real, out=real)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("before")

    def fails(unfinished):
        unfinished.write_text("half")
        raise ValueError

    with pytest.raises(ValueError):
        write_whole(path, fails)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_edited_codebook_is_followed(real, tmp_path):
    draft = draft_codebook(real).replace("  stage:", "  stage:\n    drop: not asked for", 1)
    (tmp_path / "clinic.yaml").write_text(draft)
    frame, report = medsynth.synthesize(real, 20, generator="cart", codebook=tmp_path / "clinic.yaml")
    assert "stage" not in frame and report.left_out["stage"] == "not asked for"


def test_conditions_are_read_on_codes_and_clean_names(codebook: Codebook):
    assert read_conditions(["SEX=2", "age=..40"], codebook) == {"sex": "male", "age": [None, 40.0]}
    assert read_conditions({"stage": "II"}, codebook) == {"stage": "II"}
    with pytest.raises(InputError, match="two conditions"):
        read_conditions(["sex=male", "SEX=1"], codebook)


def test_the_recommended_generators_are_there():
    assert isinstance(module._made(None, None), medsynth.Mixture)
    assert module._made(None, 1.0).private and not module._made(None, 1.0).repeatable


@pytest.mark.slow
def test_a_budget_is_kept_and_dates_are_left_out(real):
    frame, report = medsynth.synthesize(real, 20, epsilon=2.0)
    assert "epsilon 2," in report.generator
    assert not {"Admission", "Discharge"} & set(frame)
    assert "not under a privacy budget" in report.left_out["Admission"]


@pytest.mark.slow
def test_the_command_writes_the_file_and_prints_the_screen(real, tmp_path):
    out = tmp_path / "synthetic.tsv"
    call = [
        sys.executable,
        "-m",
        "medsynth.cli",
        "synthesize",
        real,
        "--rows",
        "30",
        "--out",
        out,
        "--generator",
        "cart",
    ]
    done = subprocess.run([*call, "--condition", "Sex=male"], capture_output=True, text=True, check=True)
    assert len(cells(out, sep="\t")) == 30
    assert "cart, fitted on 240 rows" in done.stdout


# Dates


def stays(n=200):
    """Admissions with a discharge and, for those who died, a later day of death."""
    rng = np.random.default_rng(0)
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")
    end = start + pd.to_timedelta(rng.integers(1, 20, n), "D")
    died = rng.random(n) < 0.4
    death = end + pd.to_timedelta(rng.integers(0, 5, n), "D")
    written = {name: days.strftime("%d/%m/%Y") for name, days in (("in", start), ("out", end), ("death", death))}
    table = pd.DataFrame({**written, "died": np.where(died, "yes", "no"), "age": rng.integers(20, 99, n).astype(str)})
    return table.assign(death=table["death"].where(died, "9999-99-99")).astype(object)


def test_dates_keep_their_order_and_only_those_who_died_have_a_day_of_death(tmp_path):
    stays().to_csv(tmp_path / "stays.csv", index=False)
    table, report = medsynth.synthesize(tmp_path / "stays.csv", 300, seed=1)
    assert "taken for not applicable there" in str(report).replace("\n    ", " ")
    assert (table.loc[table["died"] == "no", "death"] == "9999-99-99").all()
    dead = table[table["died"] == "yes"]
    moments = [pd.to_datetime(dead[name], format="%d/%m/%Y") for name in ("in", "out", "death")]
    assert len(dead) and (moments[0] <= moments[1]).all() and (moments[1] <= moments[2]).all()
    assert (pd.to_datetime(table["in"], format="%d/%m/%Y") <= pd.to_datetime(table["out"], format="%d/%m/%Y")).all()


def test_a_condition_on_what_few_persons_have_is_refused_before_anything_is_learned():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"ward": rng.choice([f"ward {i}" for i in range(60)], 300), "age": rng.integers(20, 90, 300)})
    rarest = table["ward"].value_counts().index[-1]
    with pytest.raises(InputError, match=f"'ward' cannot be asked to be '{rarest}': fewer than 10 persons have it"):
        medsynth.synthesize(table, rows=20, generator="cart", conditions={"ward": rarest})


def test_a_condition_may_be_a_list_of_categories_that_are_read_off_the_table():
    rng = np.random.default_rng(1)
    words = rng.choice([*["icu", "er", "surgery"] * 30, *(f"ward {i}" for i in range(60))], 400)
    table = pd.DataFrame({"ward": words, "age": rng.integers(20, 90, 400)})
    drawn, _ = medsynth.synthesize(table, rows=20, generator="cart", conditions={"ward": ["icu", "er"]})
    assert set(drawn["ward"]) <= {"icu", "er"}


def test_a_column_that_no_learned_row_has_is_left_out_and_said():
    table = clinic(100)
    for row in range(100):
        alone = table.assign(weeks=["37" if i == row else "" for i in range(100)])
        frame, report = medsynth.synthesize(alone, rows=20, generator="cart", seed=3)
        if "weeks" not in frame:
            break
    assert report.left_out["weeks"].endswith("no row that was learned from has a value")


def test_gaps_beside_rare_categories_stay_gaps_and_what_is_lost_is_said():
    rng = np.random.default_rng(1)
    ward = pd.Series(rng.choice([f"w{i}" for i in range(40)], 600)).mask(np.arange(600) % 3 == 0)
    table = pd.DataFrame({"ward": ward, "age": rng.integers(20, 90, 600)})
    drawn, report = medsynth.synthesize(table, rows=300, generator="cart")
    assert 0.2 < drawn["ward"].isna().mean() < 0.45
    assert any(note.startswith("Rare categories are written as one word") and "ward (" in note for note in report.notes)


def test_codes_that_look_like_formulas_stay_and_calls_are_disarmed(tmp_path):
    rng = np.random.default_rng(1)
    codes = rng.choice(["+ve", "-ve", "=>5", "@ward", "=HYPERLINK(1)"], 200)
    pd.DataFrame({"hiv": codes, "age": rng.integers(20, 90, 200)}).to_csv(tmp_path / "signs.csv", index=False)
    medsynth.synthesize(tmp_path / "signs.csv", 100, out=tmp_path / "out.csv", generator="cart")
    assert set(cells(tmp_path / "out.csv")["hiv"]) == {"+ve", "-ve", "=>5", "@ward", "'=HYPERLINK(1)"}


def test_codes_for_missing_that_become_empty_cells_are_named():
    rng = np.random.default_rng(1)
    smokes = rng.choice(["yes", "no", "unknown"], 200)
    _, report = medsynth.synthesize(
        pd.DataFrame({"smokes": smokes, "age": rng.integers(20, 90, 200)}), 50, generator="cart"
    )
    assert any(note.endswith("where the table has codes for them: smokes.") for note in report.notes)


def test_parquet_comes_out_of_parquet_in_its_own_types(tmp_path):
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "icu": rng.random(200) < 0.3,
            "beds": rng.integers(1, 30, 200).astype("int16"),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 700, 200), "D"),
            "ward": pd.Categorical(rng.choice(["A", "B"], 200)),
        }
    )
    table.to_parquet(tmp_path / "table.parquet")
    medsynth.synthesize(
        tmp_path / "table.parquet", 50, out=tmp_path / "out.parquet", generator="cart", conditions={"icu": "true"}
    )
    made = pd.read_parquet(tmp_path / "out.parquet")
    assert (made.dtypes == table.dtypes).all() and made["icu"].all() and made["seen"].nunique() > 10
    # An index is a column like another.
    table.set_index("beds").to_parquet(tmp_path / "table.parquet")
    medsynth.synthesize(tmp_path / "table.parquet", 50, out=tmp_path / "out.parquet", generator="cart")
    assert pd.read_parquet(tmp_path / "out.parquet")["beds"].dtype == "int16"


def test_a_range_may_be_asked_of_categories_that_are_numbers(tmp_path):
    pd.DataFrame({"falls": [i % 4 for i in range(120)], "age": range(20, 140)}).to_csv(tmp_path / "f.csv", index=False)
    codebook = make_draft(tmp_path / "f.csv").codebook
    assert read_conditions(["falls=2.."], codebook) == {"falls": ["2", "3"]}
    assert read_conditions(["falls=..1"], codebook) == {"falls": ["0", "1"]}
    with pytest.raises(InputError, match="9"):
        read_conditions(["falls=9.."], codebook)


def test_a_header_of_two_numbers_says_which_to_ask_for(tmp_path):
    pressure = [f"{100 + i % 60}/{60 + i % 30}" for i in range(120)]
    pd.DataFrame({"BP": pressure, "age": range(20, 140)}).to_csv(tmp_path / "bp.csv", index=False)
    codebook = make_draft(tmp_path / "bp.csv").codebook
    with pytest.raises(InputError, match="becomes several, bp_systolic, bp_diastolic; ask for one of these"):
        read_conditions(["BP=150/90"], codebook)
    assert read_conditions(["bp_systolic=120..130"], codebook) == {"bp_systolic": [120, 130]}
