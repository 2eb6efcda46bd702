"""Tables of quality and moments: their numbers, and how they are laid out."""

from math import sqrt

import numpy as np
import pytest

from medsynth.display.cells import Bold
from medsynth.evaluation.intervals import UNIT, interval
from medsynth.scores.fidelity.table import MOMENTS, display_moments, display_quality, moments_table, quality_table
from tests.unit.conftest import STYLES, only, quality, scores

# Student's t, 97.5 %, for 3 values.
T3 = 4.302653


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


def test_moments_of_synthetic_rows_stand_between_those_of_references():
    rows = [
        (name, 0, "fidelity", f"{m}{end}", {"column": "age"}, [v, v])
        for name, v in (("real", 3), ("cart", 2), ("independent", 4), ("holdout", 9))
        for m in MOMENTS
        for end in ("", "_real")
    ]
    display = display_moments(moments_table(scores(*rows)), STYLES)
    assert [title.split()[0] for title in display] == ["Metric", "Test", "Real", "cart", "Independent"]
