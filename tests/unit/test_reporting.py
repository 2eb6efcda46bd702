"""Tables and figures: numbers by hand, the papers' forms, safe text, and what a figure must show."""

import re
import subprocess
import sys
from itertools import product
from math import sqrt

import matplotlib
import numpy as np
import pandas as pd
import pytest
import seaborn as sns

from medsynth.codebook import Codebook, Column
from medsynth.display import canvas, export
from medsynth.display.aggregation import GAINS, at_epochs, mean_interval
from medsynth.display.cells import Bold
from medsynth.display.styles import title_of
from medsynth.errors import InputError
from medsynth.evaluation.intervals import UNIT, interval
from medsynth.scores.cost.table import runtime_table
from medsynth.scores.fidelity.associations import associations
from medsynth.scores.fidelity.distributions import distributions
from medsynth.scores.fidelity.table import MOMENTS, display_moments, display_quality, moments_table, quality_table
from medsynth.scores.utility.figure import accuracy_by_epochs
from medsynth.scores.utility.table import display_utility, utility_table
from tests.conftest import table_of_scores

STYLES = {
    "tvae": {"title": "TVAE", "colour": "#009e73"},
    "ctgan": {"title": "CTGAN", "colour": "#d55e00"},
    "gaussian_copula": {"title": "Gaussian Copula", "colour": "#e69f00"},
}
# Student's t, 97.5 %, for 3 values.
T3 = 4.302653
NOTE = "simulated cohort"


def scores(*rows):
    """Long table of (generator, epochs, family, metric, what it is about, one value a seed)."""
    long = [
        ("med_vae", "simulated", "laptop", generator, epochs, seed, family, metric, about, value)
        for generator, epochs, family, metric, about, values in rows
        for seed, value in enumerate(values)
    ]
    return table_of_scores(long, ["study", "source", "scale", "generator", "epochs", "seed", "family", "metric"])


def accuracy(generator, epochs, values, model="xgboost", target="age"):
    return (generator, epochs, "utility", "accuracy", {"target": target, "model": model}, values)


def quality(generator, epochs, overall, c2st):
    return [
        (generator, epochs, "fidelity", "quality", {}, overall),
        (generator, epochs, "detection", "c2st_auc", {"model": "xgboost"}, c2st),
    ]


@pytest.fixture
def utility_scores():
    return scores(
        accuracy("real", 0, [0.899, 0.901]),
        accuracy("majority", 0, [0.6, 0.6], "majority"),
        accuracy("independent", 0, [0.6, 0.6]),
        accuracy("tvae", 100, [0.80, 0.82]),
        accuracy("tvae", 200, [0.75, 0.75]),
        accuracy("ctgan", 100, [0.84, 0.86]),
        accuracy("ctgan", 200, [0.77, 0.79]),
        accuracy("gaussian_copula", 0, [0.805]),
        ("tvae", 200, "utility", "roc_auc", {"target": "age", "model": "xgboost"}, [0.7, 0.7]),
        ("real", 0, "utility", "roc_auc", {"target": "age", "model": "xgboost"}, [0.9, 0.9]),
    )


@pytest.fixture
def quality_scores():
    return scores(
        *quality("real", 0, [0.99, 0.99], [0.5, 0.5]),
        *quality("tvae", 100, [0.90, 0.92], [0.80, 0.80]),
        *quality("tvae", 200, [0.93, 0.95], [0.45, 0.45]),
        *quality("ctgan", 100, [0.85, float("nan")], [0.60, 0.60]),
    )


def only(table, **wanted):
    """The one row with the wanted values."""
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_a_reference_row_is_called_what_it_is_in_each_family():
    assert title_of("holdout", STYLES) == "Holdout (upper reference)"
    assert title_of("holdout", STYLES, "privacy") == "Holdout (negative control)"
    assert title_of("independent", STYLES, "privacy") == title_of("independent", STYLES)
    assert title_of("tvae", STYLES, "privacy") == "TVAE" and title_of("unknown", STYLES) == "unknown"


# Tables of numbers


def test_utility_is_a_mean_whose_interval_covers_persons_and_seeds(utility_scores):
    persons = utility_scores.assign(variance=0.01**2)
    row = only(utility_table(persons), generator="tvae", epochs=100, metric="accuracy")
    assert (row["n_seeds"], row["target"], row["classifier"]) == (2, "age", "xgboost")
    expected = interval([0.80, 0.82], [0.01**2] * 2, bounds=UNIT)
    assert [row["mean"], row["ci_low"], row["ci_high"]] == pytest.approx([0.81, expected.low, expected.high])
    assert row["comparison"] == "equal_information"


def test_one_seed_has_the_interval_of_its_persons(utility_scores):
    persons = utility_scores.assign(variance=0.01**2)
    row = only(utility_table(persons), generator="gaussian_copula", metric="accuracy")
    assert row["mean"] == 0.805
    assert row["ci_low"] == pytest.approx(0.785, abs=0.001)


def test_the_papers_protocol_is_a_comparison_of_its_own(utility_scores):
    fewer = utility_scores.assign(family="utility_protocol", value=utility_scores["value"] - 0.01)
    table = utility_table(pd.concat([utility_scores, fewer]))
    found = table[(table["generator"] == "tvae") & (table["epochs"] == 100) & (table["metric"] == "accuracy")]
    assert dict(zip(found["comparison"], found["mean"], strict=True)) == pytest.approx(
        {"equal_information": 0.81, "paper_protocol": 0.80}
    )
    assert set(table.loc[table["metric"].isin(GAINS.values()), "comparison"]) == {"equal_information"}


def test_a_seed_without_value_is_not_counted():
    row = only(utility_table(scores(accuracy("tvae", 1, [0.7, np.nan, 0.9]))), metric="accuracy")
    assert (row["n_seeds"], row["mean"]) == (2, pytest.approx(0.8))


def test_the_normalised_accuracy_gain_is_a_share_of_what_real_rows_gain(utility_scores):
    row = only(utility_table(utility_scores), generator="tvae", epochs=100, metric="normalised_accuracy_gain")
    assert row["mean"] == pytest.approx((0.81 - 0.6) / (0.9 - 0.6))
    # Fieller's interval is not symmetric.
    assert 0 < row["mean"] - row["ci_low"] < row["ci_high"] - row["mean"]


def test_the_normalised_auc_gain_counts_from_one_half(utility_scores):
    row = only(utility_table(utility_scores), generator="tvae", epochs=200, metric="normalised_auc_gain")
    assert row["mean"] == pytest.approx(0.2 / 0.4)


def test_a_gain_that_real_rows_may_not_have_is_withheld_and_said_to_be():
    """On 23 test rows: 0.57 against 0.52 for the majority class."""
    few = scores(accuracy("real", 0, [0.57]), accuracy("majority", 0, [0.52], "majority"), accuracy("tvae", 1, [0.57]))
    table = utility_table(few.assign(variance=0.1**2))
    row = only(table, generator="tvae", metric="normalised_accuracy_gain")
    assert np.isnan(row["mean"]) and row["remark"].startswith("withheld: real rows gain 0.050 (")
    display = display_utility(table, STYLES).set_index("Model")
    assert display.loc["1. TVAE", "Normalised accuracy gain"] == "withheld"


@pytest.mark.parametrize("real", [[0.6, 0.6], [0.5, 0.5], [np.nan, np.nan]])
def test_there_is_no_gain_where_real_rows_gain_nothing(real):
    table = utility_table(
        scores(
            accuracy("real", 0, real),
            accuracy("majority", 0, [0.6, 0.6], "majority"),
            accuracy("tvae", 1, [0.7, 0.7]),
        )
    )
    assert np.isnan(only(table, generator="tvae", metric="normalised_accuracy_gain")["mean"])


def test_there_is_no_gain_without_references():
    table = utility_table(scores(accuracy("tvae", 1, [0.7, 0.7])))
    assert np.isnan(only(table, metric="normalised_accuracy_gain")["mean"])


def test_each_classifier_and_target_has_its_own_gain():
    table = utility_table(
        scores(
            accuracy("real", 0, [0.9]),
            accuracy("real", 0, [0.8], "random_forest"),
            accuracy("real", 0, [0.7], "xgboost", "died"),
            accuracy("majority", 0, [0.6], "majority", "age"),
            accuracy("majority", 0, [0.5], "majority", "died"),
            accuracy("tvae", 1, [0.7]),
            accuracy("tvae", 1, [0.7], "random_forest"),
            accuracy("tvae", 1, [0.7], "xgboost", "died"),
        ).assign(variance=1e-6)
    )
    lifts = table[(table["generator"] == "tvae") & (table["metric"] == "normalised_accuracy_gain")]
    lifts = lifts.set_index(["classifier", "target"])["mean"].to_dict()
    expected = {("xgboost", "age"): 1 / 3, ("random_forest", "age"): 0.5, ("xgboost", "died"): 1.0}
    assert lifts == pytest.approx(expected)


def test_majority_is_carried_without_gain(utility_scores):
    table = utility_table(utility_scores)
    assert list(table.loc[table["generator"] == "majority", "metric"]) == ["accuracy"]


def test_tables_do_not_depend_on_the_order_of_the_scores(utility_scores):
    shuffled = utility_scores.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(utility_table(utility_scores), utility_table(shuffled))


def test_quality_has_a_row_for_each_generator_and_epoch_count(quality_scores):
    table = quality_table(quality_scores)
    assert list(zip(table["generator"], table["epochs"], strict=True)) == [
        ("ctgan", 100),
        ("real", 0),
        ("tvae", 100),
        ("tvae", 200),
    ]
    row = only(table, generator="tvae", epochs=100)
    assert row["overall"] == pytest.approx(0.91)
    assert row["overall_low"] == pytest.approx(interval([0.90, 0.92], bounds=UNIT).low)
    assert np.isnan(row["pair_trends"])


def test_moments_are_averaged_over_columns_before_seeds():
    table = moments_table(
        scores(
            ("tvae", 100, "fidelity", "mean", {"column": "age"}, [50, 52, 54]),
            ("tvae", 100, "fidelity", "mean", {"column": "bmi"}, [20, 22, 24]),
            ("tvae", 100, "fidelity", "mean_real", {"column": "age"}, [55, 55, 55]),
            ("tvae", 100, "fidelity", "mean_real", {"column": "bmi"}, [25, 25, 25]),
        )
    )
    row = only(table, moment="mean")
    # Seeds: 35, 37, 39, whose standard deviation is 2.
    half = T3 * 2 * sqrt(1 + 1 / 3)
    assert (row["n_seeds"], row["real"]) == (3, 40)
    assert [row["mean"], row["ci_low"], row["ci_high"]] == pytest.approx([37, 37 - half, 37 + half])


def test_a_column_without_a_moment_counts_on_neither_side():
    table = moments_table(
        scores(
            ("tvae", 100, "fidelity", "kurtosis", {"column": "age"}, [1, 1]),
            ("tvae", 100, "fidelity", "kurtosis", {"column": "bmi"}, [np.nan, np.nan]),
            ("tvae", 100, "fidelity", "kurtosis_real", {"column": "age"}, [3, 3]),
            ("tvae", 100, "fidelity", "kurtosis_real", {"column": "bmi"}, [99, 99]),
        )
    )
    assert list(table.loc[0, ["real", "mean"]]) == [3, 1]


def test_runtime_adds_up_jobs_and_keeps_rules_without_generator():
    jobs = pd.DataFrame(
        {
            "rule": ["train", "train", "clean"],
            "generator": ["tvae", "tvae", np.nan],
            "seconds": [10.0, 20.0, 3.0],
            "max_rss_mb": [500.0, 700.0, 100.0],
            "cpu_seconds": [9.0, 19.0, 3.0],
        }
    )
    assert runtime_table(jobs).to_dict("list") == {
        "rule": ["clean", "train"],
        "generator": ["", "tvae"],
        "jobs": [1, 2],
        "total_seconds": [3.0, 30.0],
        "mean_seconds": [3.0, 15.0],
        "max_rss_mb": [100.0, 700.0],
    }


# Tables for reading


def test_utility_ranks_generators_between_references_at_their_largest_epochs(utility_scores):
    display = display_utility(utility_table(utility_scores), STYLES)
    assert list(zip(display["Model"], display["Epochs"], strict=True)) == [
        ("Real → Real", "–"),
        ("1. Gaussian Copula", "–"),
        ("2. CTGAN", "200"),
        ("3. TVAE", "200"),
        ("Independent marginals (lower reference)", "–"),
        ("Majority class", "–"),
    ]
    assert set(display.index) == {"age, XGBoost, equal information"}


def test_utility_at_a_chosen_epoch_count_keeps_generators_without_epochs(utility_scores):
    display = display_utility(at_epochs(utility_table(utility_scores), 100), STYLES)
    shown = list(zip(display["Model"], display["Epochs"], strict=True))
    assert shown[1:4] == [("1. CTGAN", "100"), ("2. TVAE", "100"), ("3. Gaussian Copula", "–")]


def test_cells_show_interval_mean_alone_or_a_dash(utility_scores):
    display = display_utility(utility_table(utility_scores), STYLES).set_index("Model")
    assert display.loc["2. CTGAN", "Accuracy (95% CI)"] == "0.780 (0.514, 0.922)"
    assert display.loc["1. Gaussian Copula", "Accuracy (95% CI)"] == "0.805"
    assert display.loc["1. Gaussian Copula", "ROC AUC"] == "–"
    assert display.loc["Majority class", "Normalised accuracy gain"] == "–"


def test_a_generator_without_accuracy_is_last_and_unnumbered():
    table = utility_table(scores(accuracy("tvae", 1, [np.nan]), accuracy("ctgan", 1, [0.5])))
    assert list(display_utility(table, STYLES)["Model"]) == ["1. CTGAN", "TVAE"]


def test_every_target_and_classifier_has_a_block_with_the_majority_xgboost_first():
    pairs = product(["random_forest", "xgboost"], ["age", "died"])
    table = utility_table(
        scores(
            *(accuracy("tvae", 1, [0.7], *pair) for pair in pairs),
            accuracy("majority", 0, [0.6], "majority", "age"),
            accuracy("majority", 0, [0.5], "majority", "died"),
        )
    )
    display = display_utility(table, STYLES)
    assert list(dict.fromkeys(display.index)) == [
        "age, XGBoost, equal information",
        "age, Random forest, equal information",
        "died, XGBoost, equal information",
        "died, Random forest, equal information",
    ]
    majority = display[display["Model"] == "Majority class"]["Accuracy (95% CI)"]
    assert list(majority) == ["0.600", "0.600", "0.500", "0.500"]


def test_quality_marks_the_best_generator_never_a_reference(quality_scores):
    display = display_quality(quality_table(quality_scores), STYLES)
    assert list(display["Model"]) == ["Real → Real", "TVAE", "TVAE", "CTGAN"]
    bold = {name: [isinstance(cell, Bold) for cell in display[name]] for name in display}
    assert bold["Overall Score"] == [False, False, True, False]
    # 0.45 is closer to 0.5, where the detector cannot tell, than 0.6 is.
    assert bold["C2ST AUC"] == [False, False, True, False]
    assert not any(bold["Pair Trends"])
    assert display.loc[3, "Overall Score"] == "0.850"


def test_generators_that_three_decimals_cannot_tell_apart_are_both_best():
    table = quality_table(scores(*quality("tvae", 1, [0.90001], [0.7]), *quality("ctgan", 1, [0.90002], [0.8])))
    display = display_quality(table, STYLES)
    assert [isinstance(cell, Bold) for cell in display["Overall Score"]] == [True, True]


def test_moments_have_the_papers_rows_and_a_column_a_generator():
    rows = [("tvae", e, "fidelity", m, {"column": "age"}, [v, v]) for e, v in ((100, 9), (200, 2)) for m in MOMENTS]
    rows += [("tvae", e, "fidelity", f"{m}_real", {"column": "age"}, [3, 3]) for e in (100, 200) for m in MOMENTS]
    display = display_moments(moments_table(scores(*rows)), STYLES)
    assert list(display["Metric"]) == ["Mean", "Standard Deviation", "Kurtosis", "Skewness"]
    assert display.loc[0].to_dict() == {"Metric": "Mean", "Test set": "3.00", "TVAE": "2.00 (2.00, 2.00)"}


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


# Writing


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
    assert '<td id="T_table_row1_col1" class="data row1 col1" >0.9_1</td>' in written["html"]
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
    assert '<td class="data row0 col0 block" >age, XGBoost, equal information</td>' in html


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


# Figures


CODEBOOK = Codebook.model_construct(
    columns={
        "age": Column(type="integer", unit="years"),
        "sex": Column(type="binary", categories=["female", "male"]),
        "unit": Column(type="categorical", categories=[f"a very long name of the unit {i}" for i in range(15)]),
    }
)


def plot_data(shift):
    shares = np.linspace(2, 1, 15) / 22.5
    matrix = np.full((3, 3), 0.2) + 0.8 * np.eye(3)
    other = np.full((3, 3), 0.2 + shift) + (0.8 - shift) * np.eye(3)
    return {
        "distributions": {
            "age": {"edges": [0, 10, 20, 40], "synthetic": [0.02, 0.02 + shift / 10, 0.03], "real": [0.02, 0.02, 0.03]},
            "sex": {"categories": ["female", "male"], "synthetic": [0.5 + shift, 0.5 - shift], "real": [0.5, 0.5]},
            "unit": {
                "categories": CODEBOOK.columns["unit"].categories,
                "synthetic": shares[::-1].tolist(),
                "real": shares.tolist(),
            },
        },
        "associations": {"columns": ["age", "sex", "unit"], "synthetic": other.tolist(), "real": matrix.tolist()},
    }


def panels(figure):
    return [ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]


def legend_labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_accuracy_stands_over_epoch_counts_and_over_none(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["no epochs", "100", "200"]
    assert ax.get_ylabel() == "Accuracy (XGBoost, age)"


def test_accuracy_names_all_that_it_shows(utility_scores):
    figure = accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
    assert legend_labels(figure) == [
        "Real → Real (2 seeds)",
        "TVAE (2 seeds)",
        "CTGAN (2 seeds)",
        "Gaussian Copula (1 seed)",
        "Majority class",
    ]


def test_no_interval_of_an_accuracy_hides_another(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    means = [line for line in ax.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    places = [round(float(place), 6) for line in means for place, mean in line.get_xydata() if not np.isnan(mean)]
    # Real rows, the copula, two generators at two epoch counts: each at a place of its own.
    assert len(set(places)) == len(places) == 6


def test_an_accuracy_is_its_mean_over_seeds_with_its_interval(utility_scores):
    own = utility_scores[(utility_scores["generator"] == "tvae") & (utility_scores["epochs"] == 100)]
    expected = mean_interval(own[(own["model"] == "xgboost") & (own["target"] == "age")])
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    drawn = [line.get_ydata() for line in ax.get_lines() if line.get_color() == STYLES["tvae"]["colour"]]
    assert any(np.isclose(np.asarray(values, dtype=float), expected.mean).any() for values in drawn)
    ends = pytest.approx((expected.low, expected.high))
    assert any((min(values), max(values)) == ends for values in drawn if len(values))


def test_accuracy_axis_shows_every_interval(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    low, high = ax.get_ylim()
    # CTGAN: 0.85 at 100 epochs, with two seeds 0.02 apart; majority: 0.6.
    assert low < 0.6
    assert high > 0.95


def test_accuracy_of_one_generator_without_epochs_is_drawn():
    table = scores(accuracy("gaussian_copula", 0, [0.8, 0.81]), accuracy("tvae", 10, [np.nan, np.nan]))
    (ax,) = panels(accuracy_by_epochs(table, STYLES, target="age", note=NOTE))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["no epochs"]


def test_accuracy_of_an_unknown_target_is_refused(utility_scores):
    with pytest.raises(InputError, match="'agee, xgboost'; did you mean 'age, xgboost'"):
        accuracy_by_epochs(utility_scores, STYLES, target="agee", note=NOTE)


def test_distributions_have_a_panel_for_each_column_with_its_unit():
    figure = distributions([plot_data(0), plot_data(0.1)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    assert [ax.get_title() for ax in panels(figure)] == ["age", "sex", "unit"]
    assert panels(figure)[0].get_xlabel() == "years"
    assert legend_labels(figure) == ["Real", "Synthetic: TVAE (mean of 2 seeds, smallest to largest)"]


def test_distributions_show_the_mean_over_seeds():
    figure = distributions([plot_data(0), plot_data(0.1)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    synthetic = panels(figure)[1].containers[1]
    assert [bar.get_width() for bar in synthetic] == pytest.approx([0.55, 0.45])


def test_distributions_put_rare_categories_together_and_cut_long_names():
    figure = distributions([plot_data(0)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    panel = panels(figure)[2]
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert len(labels) == 12
    assert labels[0] == "a very long name of t…"
    assert labels[-1] == "other (4 categories)"
    assert sum(bar.get_width() for bar in panel.containers[0]) == pytest.approx(1)


def test_associations_are_three_heatmaps_with_stated_limits():
    figure = associations([plot_data(0), plot_data(0.14)], title="TVAE", note=NOTE)
    titles = [ax.get_title() for ax in panels(figure)]
    assert titles == ["Real", "Synthetic: TVAE, mean of 2 seeds", "Difference, limits ±0.10; mean absolute 0.070"]
    assert panels(figure)[2].collections[0].get_clim() == pytest.approx((-0.1, 0.1))
    assert [label.get_text() for label in panels(figure)[0].get_yticklabels()] == ["age", "sex", "unit"]


def test_every_figure_says_where_the_data_come_from(utility_scores):
    drawn = [
        accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE),
        distributions([plot_data(0)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE),
        associations([plot_data(0)], title="TVAE", note=NOTE),
    ]
    assert all(figure.get_supxlabel().startswith(f"Data: {NOTE}") for figure in drawn)


@pytest.mark.slow
def test_saving_twice_gives_the_same_bytes(tmp_path, utility_scores):
    def saved(stem):
        figure = accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
        return [path.read_bytes() for path in canvas.save_figure(figure, tmp_path / "new" / stem)]

    assert saved("v1.2") == saved("v1.3")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "v1.2.pdf",
        "v1.2.png",
        "v1.3.pdf",
        "v1.3.png",
    ]


def test_an_interval_below_its_estimate_is_drawn_as_it_is():
    table = pd.DataFrame({"at": [1, 2], "mean": [0.5, 0.7], "low": [0.1, np.nan], "high": [0.6, np.nan]})
    ax = matplotlib.figure.Figure().subplots()
    sns.lineplot(canvas.with_ends(table, "mean", "low", "high"), x="at", y="mean", ax=ax, **canvas.INTERVAL)
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.7]]
    (band,) = ax.collections
    assert {(1.0, 0.1), (1.0, 0.6)} <= set(map(tuple, band.get_paths()[0].vertices.tolist()))


def test_drawing_leaves_matplotlibs_settings_alone(utility_scores):
    before = dict(matplotlib.rcParams)
    accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
    assert dict(matplotlib.rcParams) == before


def test_a_long_note_stays_within_its_figure():
    figure = canvas.with_note(matplotlib.figure.Figure(figsize=(6.4, 4)), f"{'rows and columns ' * 20}\nlast line")
    figure.canvas.draw()
    box = figure._supxlabel.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert figure.get_supxlabel().splitlines()[-1] == "last line"
