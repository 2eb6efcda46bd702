"""Tables of statistics programs, and REDCap's data dictionary."""

import sys

import numpy as np
import pandas as pd
import pyreadstat
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.data.proposals import Proposal
from medsynth.data.reading import read_raw, recognise
from medsynth.data.redcap import Dictionary, read_dictionary
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError
from medsynth.preparation.cleaning import clean

N = 60


def ward():
    """A table with codes, gaps and codes for missing that a user defined."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"age": rng.integers(20, 90, N).astype(float), "sex": rng.choice([1.0, 2.0], N)})
    table["pain"] = rng.choice([0.0, 1.0, 2.0, -9.0], N)
    table["crea"] = np.round(rng.gamma(2, 1, N), 2)
    table.loc[3:5, "crea"] = np.nan
    table.loc[7, "age"] = 999
    return table


LABELS = {"age": "Age at admission", "sex": "Sex", "pain": "Pain", "crea": "Creatinine"}
CATEGORIES = {"sex": {1: "male", 2: "female"}, "pain": {0: "none", 1: "some", 2: "much", -9: "refused"}}


def cleaned(path, **options):
    """Draft a file and clean it by the draft."""
    codebook = Codebook.model_validate(yaml.safe_load(draft_codebook(path, **options)))
    return codebook, clean(read_raw(path, codebook), codebook)[0]


def test_spss_labels_categories_and_missing_values(tmp_path):
    path = tmp_path / "ward.sav"
    pyreadstat.write_sav(
        ward(),
        path,
        column_labels=LABELS,
        variable_value_labels=CATEGORIES,
        missing_ranges={"pain": [-9], "age": [999]},
    )
    codebook, table = cleaned(path)
    assert codebook.columns["age"].description == "Age at admission"
    assert codebook.columns["sex"].codes == {"1": "male", "2": "female"}
    assert codebook.columns["pain"].missing == ["-9"] and "refused" not in set(table["pain"].dropna())
    assert table["age"].isna()[7] and table["crea"].isna().sum() == 3
    assert (table["sex"] == "male").to_numpy().tolist() == (ward()["sex"] == 1).tolist()


def test_stata_labels_and_its_kinds_of_missing(tmp_path):
    path = tmp_path / "ward.dta"
    table = ward().assign(pain=lambda t: t["pain"].astype(object).where(t["pain"] >= 0, "a"))
    categories = {"sex": CATEGORIES["sex"], "pain": {0: "none", 1: "some", 2: "much", "a": "refused"}}
    pyreadstat.write_dta(
        table, path, column_labels=LABELS, variable_value_labels=categories, missing_user_values={"pain": ["a"]}
    )
    codebook, table = cleaned(path)
    assert codebook.columns["sex"].codes == {"1": "male", "2": "female"}
    assert table["pain"].isna().sum() == (ward()["pain"] == -9).sum() > 0


def test_sas_transport(tmp_path):
    path = tmp_path / "ward.xpt"
    pyreadstat.write_xport(ward(), path, column_labels=LABELS)
    codebook, table = cleaned(path)
    assert codebook.raw.format.kind == "xport" and codebook.columns["crea"].description == "Creatinine"
    assert table["crea"].isna().sum() == 3


def test_dates_of_statistics_programs_are_dates(tmp_path):
    path = tmp_path / "ward.sav"
    seen = pd.Timestamp("2020-01-31") + pd.to_timedelta(range(N), unit="D")
    pyreadstat.write_sav(ward().assign(seen=[moment.date() for moment in seen]), path)
    assert recognise(path).table["seen"][0] == "2020-01-31"
    assert cleaned(path)[0].columns["seen"].counts_dates


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "dta"])
def test_midnight_is_a_moment_among_others(tmp_path, ending):
    path = tmp_path / f"ward.{ending}"
    seen = pd.Series(pd.Timestamp("2020-01-31") + pd.to_timedelta([i % 7 * 4 for i in range(N)], unit="h"))
    table = ward().assign(seen=seen)
    write = {"xlsx": table.to_excel, "parquet": table.to_parquet, "dta": table.to_stata}[ending]
    write(path, **({"write_index": False} if ending == "dta" else {"index": False}))
    assert recognise(path).table["seen"][:2].tolist() == ["2020-01-31 00:00:00", "2020-01-31 04:00:00"]
    codebook, cleaned_table = cleaned(path)
    assert codebook.columns["seen"].counts_dates and cleaned_table["seen"].notna().all()


def test_a_few_labelled_codes_among_numbers_are_missing(tmp_path):
    path = tmp_path / "ward.sav"
    pyreadstat.write_sav(ward(), path, variable_value_labels={"age": {999: "not known"}})
    codebook, _ = cleaned(path)
    assert codebook.columns["age"].type == "integer" and codebook.columns["age"].missing == ["999"]


def test_two_codes_with_one_label_stay_two_categories(tmp_path):
    path = tmp_path / "ward.sav"
    pyreadstat.write_sav(ward(), path, variable_value_labels={"pain": {0: "none", 1: "some", 2: "some", -9: "none"}})
    assert len(set(cleaned(path)[0].columns["pain"].codes.values())) == 4


@pytest.mark.parametrize(("name", "library"), [("ward.sav", "pyreadstat"), ("ward.xlsx", "python_calamine")])
def test_a_library_that_is_absent_is_named(tmp_path, monkeypatch, name, library):
    path = tmp_path / name
    if name.endswith("sav"):
        pyreadstat.write_sav(ward(), path)
    else:
        ward().to_excel(path, index=False)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=f"install {library.replace('_', '-')} to read it"):
        recognise(path)


DICTIONARY = """\
"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",\
"Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number",\
"Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)"
record_id,base,,text,"Record ID",,,,,,,
surname,base,,text,"Surname",,,,,,y,
sex,base,,radio,"Sex","1, Female | 2, Male",,,,,,
pregnant,base,,yesno,"Pregnant?",,,,,,,"[sex] = '1'"
age,base,,text,"Age <b>in years</b>",,,integer,18,110,,
weeks,base,,radio,"Trimester","1, first | 2, second | 3, third",,,,,,"[pregnant] = '1'"
seen,base,,text,"Seen on",,,date_dmy,,,,
risk,base,,checkbox,"Risks","1, smokes | 2, drinks",,,,,,
note,base,,notes,"Notes",,,,,,,
"""


@pytest.fixture
def project(tmp_path):
    """A project of REDCap: its data and its dictionary."""
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"record_id": range(1, N + 1), "surname": [f"Name{i % 50}" for i in range(N)]})
    table["sex"] = rng.choice([1, 2], N)
    table["pregnant"] = np.where(table["sex"] == 1, rng.choice(["0", "1"], N), "")
    table["age"] = rng.integers(18, 60, N)
    table["weeks"] = np.where(table["pregnant"] == "1", rng.choice(["1", "2", "3"], N), "")
    table["seen"], table["risk___1"], table["risk___2"] = "2020-03-01", rng.choice([0, 1], N), rng.choice([0, 1], N)
    table["note"], table["base_complete"] = "x", 2
    table.to_csv(tmp_path / "project.csv", index=False)
    (tmp_path / "dictionary.csv").write_text(DICTIONARY)
    return tmp_path / "project.csv", tmp_path / "dictionary.csv", table


def test_a_dictionary_of_redcap_is_a_codebook(project):
    path, dictionary, _ = project
    codebook, _ = cleaned(path, dictionary=dictionary)
    columns = codebook.columns
    assert columns["sex"].codes == {"1": "Female", "2": "Male"} and columns["age"].range == (18, 110)
    assert columns["age"].description == "Age in years"
    assert columns["seen"].counts_dates and columns["note"].drop and columns["base_complete"].drop
    assert columns["surname"].drop == "an identifier by the dictionary"
    assert columns["risk___1"].description == "Risks: smokes" and columns["risk___1"].codes == {"0": "no", "1": "yes"}
    assert "Name7" not in draft_codebook(path, dictionary=dictionary)


def test_branching_is_not_applicable(project):
    path, dictionary, raw = project
    codebook, table = cleaned(path, dictionary=dictionary)
    assert codebook.columns["pregnant"].not_applicable.when == {"sex": "Male"}
    assert ((table["pregnant"] == "not applicable") == (raw["sex"] == 2)).all()
    text = draft_codebook(path, dictionary=dictionary)
    assert "asked only if [pregnant] = '1'" in text


@pytest.mark.parametrize(
    "logic, when",
    [
        ("[smoking]='1' or [smoking]='2'", {"smoking": ["Never", "Unknown"]}),
        ("([smoking] = 1 or [smoking] = 2)", {"smoking": ["Never", "Unknown"]}),
        ("[smoking]<>'0' and [smoking] <> '9'", {"smoking": ["Never", "Unknown"]}),
        ("[smoking] >= 1 and [smoking] < 9", {"smoking": ["Never", "Unknown"]}),
        ("[smoking] > 0", {"smoking": "Never"}),
        ("[smoking]='1' or [sex]='2'", {"smoking": ["Never", "Current", "Unknown"], "sex": "Female"}),
        ("[ills(1)]='1'", {"ills_1": "no"}),
        # A codebook cannot say these.
        ("[smoking]='1' and [sex]='2'", None),
        ("([smoking]='1' or [sex]='2') and [smoking]<>'9'", None),
        ("[age] >= 65", None),
        ("[smoking] <> ''", None),
        ("[smoking] = '7'", None),
        ("datediff([seen], 'today', 'y') > 3", None),
    ],
)
def test_branching_on_choices_is_said_in_categories(logic, when):
    smoking = {"0": "Never", "1": "Former", "2": "Current", "9": "Unknown"}
    proposals = [
        Proposal("smoking", "smoking", {"type": "categorical", "codes": smoking}),
        Proposal("sex", "sex", {"type": "binary", "codes": {"1": "Female", "2": "Male"}}),
        Proposal("ills_1", "ills___1", {"type": "binary", "codes": {"0": "no", "1": "yes"}}),
        Proposal("age", "age", {"type": "integer"}),
        Proposal("asked", "asked", {"type": "binary", "codes": {"0": "no", "1": "yes"}}),
    ]
    table = pd.DataFrame({name: ["1"] for name in ("smoking", "sex", "ills___1", "age", "asked")})
    Dictionary({"asked": {"branching": logic}}).branch(proposals, table)
    assert proposals[-1].facts.get("not_applicable", {}).get("when") == when
    assert ("asked only if" in proposals[-1].comments.get("type", "")) == (when is None)


@pytest.mark.parametrize("stray", [False, True])
def test_branching_of_a_number_is_not_applicable_where_no_row_has_one(project, stray):
    path, dictionary, raw = project
    rng = np.random.default_rng(1)
    # Some of the women were not measured.
    measured = (raw["sex"] == 1) & (rng.random(N) < 0.8)
    cells = pd.Series(rng.integers(1, 900, N).astype(str)).where(measured, "")
    if stray:
        cells[raw.index[raw["sex"] == 2][0]] = "12"
    raw.assign(hcg=cells).to_csv(path, index=False)
    dictionary.write_text(DICTIONARY + "hcg,base,,text,hCG,,,number,,,,\"[sex] = '1'\"\n")
    codebook, table = cleaned(path, dictionary=dictionary)
    if stray:
        assert codebook.columns["hcg"].not_applicable is None
        assert "asked only if [sex] = '1'" in draft_codebook(path, dictionary=dictionary)
    else:
        assert codebook.columns["hcg"].not_applicable.when == {"sex": "Male"}
        assert codebook.unanswered("hcg", table).sum() == ((raw["sex"] == 1) & ~measured).sum()


def test_branching_of_an_identifier_is_a_comment(project):
    _, dictionary, raw = project
    dictionary.write_text(DICTIONARY + "specimen,base,,text,Specimen,,,,,,,\"[sex] = '1'\"\n")
    table = raw.astype(str).assign(specimen=[f"S-{i:05d}" if sex == 1 else "" for i, sex in enumerate(raw["sex"])])
    sex = Proposal("sex", "sex", {"type": "binary", "codes": {"1": "Female", "2": "Male"}})
    specimen = Proposal("specimen", "specimen", {"type": "identifier"})
    read_dictionary(dictionary).branch([sex, specimen], table)
    assert "not_applicable" not in specimen.facts and "asked only if" in specimen.comments["type"]


def test_what_is_no_dictionary_is_refused(project):
    with pytest.raises(InputError, match="of a REDCap data dictionary"):
        read_dictionary(project[0])
