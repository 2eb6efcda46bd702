"""Tables as they are written: csv, Markdown, LaTeX and HTML."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from medsynth.display import export
from medsynth.display.cells import Bold
from medsynth.errors import InputError
from medsynth.scores.fidelity.table import display_moments, display_quality, moments_table, quality_table
from medsynth.scores.utility.table import display_utility, utility_table
from tests.unit.conftest import NOTE, STYLES, scores


@pytest.mark.parametrize(
    ("make", "display"),
    [
        (utility_table, display_utility),
        (quality_table, display_quality),
        (moments_table, display_moments),
    ],
)
def test_a_family_that_was_not_scored_gives_an_empty_table(tmp_path, make, display):
    table = make(scores())
    assert table.empty
    export.write_table(table, display(table, STYLES), tmp_path / "t", caption="c", note=NOTE)


@pytest.fixture
def written(tmp_path):
    """Write a table whose text is hostile to every format; give its texts by format."""
    numbers = pd.DataFrame({"generator": ["=cmd|' /C calc'!A0", "a,b"], "mean": [-1 / 3, np.nan], "n": [4, 10**7]})
    display = pd.DataFrame({"Model": ["<b>50% & a_b|c</b>", "TVAE"], "Score": ["-0.1", Bold("0.9_1")]})
    paths = export.write_table(numbers, display, tmp_path / "new" / "v1.2", caption="Scores & more", note=NOTE)
    assert [path.name for path in paths] == ["v1.2.csv", "v1.2.md", "v1.2.tex", "v1.2.html"]
    return {path.suffix[1:]: path.read_bytes().decode("utf-8") for path in paths}


def test_csv_has_six_digits_and_no_formulas(written):
    assert written["csv"] == "generator,mean,n\n'=cmd|' /C calc'!A0,-0.333333,4\n\"a,b\",,10000000\n"


@pytest.mark.parametrize("text", ["=1", "+A1", "-1+1", "@a", "\t=1"])
def test_csv_texts_that_begin_a_formula_get_an_apostrophe(tmp_path, text):
    numbers = pd.DataFrame({text: pd.Categorical([text])})
    (path,) = export.write_table(numbers, numbers, tmp_path / "t", caption="c", note=NOTE, formats=("csv",))
    assert path.read_text() == f"'{text}\n'{text}\n"


@pytest.mark.parametrize("text", ["-9", "+1.5", "-", "+"])
def test_a_code_that_is_a_number_or_a_sign_stays_what_it_is(text):
    assert export.without_formulas(pd.DataFrame({"code": [text]}))["code"].tolist() == [text]


def test_markdown_makes_no_link_of_a_cell(tmp_path):
    table = pd.DataFrame({"category": ["[see](javascript:alert(1))"]})
    (path,) = export.write_table(table, table, tmp_path / "t", caption="c", note=NOTE, formats=("md",))
    assert r"\[see](" in path.read_text()


def test_markdown_escapes_bars_and_marks_bold(written):
    assert r"\<b>50% & a_b\|c\</b>" in written["md"]
    assert "**0.9_1**" in written["md"]


def test_latex_escapes_special_characters_and_marks_bold(written):
    less, more = r"\ensuremath{<}", r"\ensuremath{>}"
    assert rf"{less}b{more}50\% \& a\_b|c{less}/b{more} & \ensuremath{{-}}0.1 \\" in written["tex"]
    assert r"TVAE & \textbf{0.9\_1} \\" in written["tex"]
    assert r"\toprule" in written["tex"]


def test_html_escapes_tags_marks_bold_and_needs_nothing_else(written):
    assert ">&lt;b&gt;50% &amp; a_b|c&lt;/b&gt;</td>" in written["html"]
    assert '<td id="T_table_row1_col1" class="col1">0.9_1</td>' in written["html"]
    assert re.search(r"#T_table_row1_col1 {\s*font-weight: bold;\s*}", written["html"])
    assert not any(word in written["html"] for word in ("<script", "http", "<link", "src="))


def test_html_has_a_language_and_a_title(written):
    assert written["html"].startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert "<title>Scores &amp; more</title>" in written["html"]


def test_latex_has_a_command_for_every_sign(tmp_path):
    table = pd.DataFrame({"ε": ["a ≥ b → c"], "d": ["é ≤ 5 – 2"]})
    (path,) = export.write_table(table, table, tmp_path / "t", caption="A – B", note=NOTE, formats=("tex",))
    assert path.read_text(encoding="utf-8").isascii()


def test_every_caption_says_where_the_data_come_from(written):
    assert all(f"Data: {NOTE}." in written[kind] for kind in ("md", "tex", "html"))


def test_blocks_are_labelled_in_every_format(tmp_path, utility_scores):
    numbers = utility_table(utility_scores)
    display = display_utility(numbers, STYLES)
    paths = export.write_table(numbers, display, tmp_path / "t", caption="c", note=NOTE, formats=("md", "tex", "html"))
    markdown, latex, html = (path.read_text(encoding="utf-8") for path in paths)
    assert "**age, XGBoost, equal information**" in markdown
    assert r"\rlap{\textit{age, XGBoost, equal information}} & " in latex
    assert r"Real {\textrightarrow} Real" in latex
    assert '<td class="col0 block">age, XGBoost, equal information</td>' in html


def test_numbers_are_aligned_right_and_long_text_wraps(tmp_path):
    display = pd.DataFrame({"a": ["1"], "b": ["-0.5 (-0.6, -0.4)"], "c": ["–"], "d": ["word"], "e": ["long " * 20]})
    paths = export.write_table(display, display, tmp_path / "t", caption="c", note=NOTE, formats=("md", "tex", "html"))
    markdown, latex, html = (path.read_text(encoding="utf-8") for path in paths)
    rule = next(line for line in markdown.splitlines() if line.startswith("|:"))
    assert [mark.endswith(":") for mark in rule.strip("|").split("|")] == [False, True, True, False, False]
    assert r"\begin{tabular}{lrrlp{.6\textwidth}}" in latex
    looks = dict(re.findall(r"#T_table \.col(\d) {([^}]*)}", html))
    assert ["right" in looks[column] for column in "01234"] == [False, True, True, False, False]
    assert ["white-space: normal" in looks[column] for column in "01234"] == [False] * 4 + [True]


def test_numbers_can_stand_for_the_display(tmp_path):
    numbers = pd.DataFrame({"rule": ["train"], "seconds": [12345.6], "share": [0.5], "none": [np.nan], "jobs": [3]})
    (path,) = export.write_table(numbers, numbers, tmp_path / "t", caption="c", note=NOTE, formats=("md",))
    assert [cell.strip() for cell in path.read_text().splitlines()[-1].split("|")[1:-1]] == [
        "train",
        "12,346",
        "0.500",
        "–",
        "3",
    ]


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(InputError, match="'htm'; did you mean 'html'"):
        export.write_table(pd.DataFrame(), pd.DataFrame(), tmp_path / "t", caption="c", note=NOTE, formats=("htm",))


def test_a_job_that_makes_tables_imports_nothing_that_draws():
    code = "import sys; from medsynth.scores.registry import tables; tables(); "
    code += "sys.exit(bool({'matplotlib', 'seaborn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
