"""What is told of real patients: small counts, extremes, rare levels."""

import math

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.disclosure import few, inner_range, pools, rounded_counts, told, told_levels, without_rare_levels
from medsynth.evaluation.evidence import distributions
from tests.conftest import CODEBOOK


def test_a_small_number_of_patients_is_not_told():
    assert [told(n, 5) for n in (0, 5, 12)] == [0, 5, 12]
    assert math.isnan(told(1, 5)) and math.isnan(told(4, 5))
    assert [few(n, 5) for n in (0, 4, 5)] == ["0", "<5", "5"]


def test_one_small_count_rounds_the_others_too_since_they_would_tell_it():
    assert rounded_counts([397, 3], 10).tolist() == [400, 0]
    assert rounded_counts([0, 388, 12], 10).tolist() == [0, 388, 12]


@pytest.mark.parametrize(
    ("counts", "ends"),
    [
        ([12, 15], [1, 2]),
        ([3, 4, 5, 12], [3, 4]),
        ([0, 0, 20, 0, 20], [1, 2, 3, 4, 5]),
        ([20, 15, 0, 4], [1, 4]),
        ([4, 5], [2]),
        ([0, 0], [1, 2]),
    ],
)
def test_neighbouring_cells_are_one_until_they_hold_enough_rows_or_none(counts, ends):
    assert pools(counts, 10).tolist() == ends


def test_several_rows_lie_at_or_beyond_either_end_of_the_range():
    values = pd.Series(np.random.default_rng(0).gamma(2, 10, 500))
    low, high = inner_range(values, 10)
    assert (values <= low * 1.005).sum() >= 10 and (values >= high * 0.995).sum() >= 10
    assert not {low, high} & set(values)  # Three digits are nobody's own.
    assert inner_range(pd.Series([1, 2, 3]), 10) == (2, 2)


def test_rare_levels_lose_their_names_but_for_those_of_a_binary_column(codebook):
    stage, sex = codebook.columns["stage"], codebook.columns["sex"]
    found = told_levels(pd.Series(["I"] * 30 + ["II"] * 3), stage, 10)
    assert dict(found) == {"I": "I", "II": "rare (2 levels)", "III": "rare (2 levels)"}
    assert list(told_levels(pd.Series(["female"] * 30 + ["male"]), sex, 10)) == ["female", "male"]


def test_no_bin_and_no_share_of_the_evidence_is_of_few_real_rows(partitions):
    train, test, codebook = partitions
    one_centenarian = test.assign(age=test["age"].where(test.index > 0, 118), sex="female")
    one_centenarian.loc[:2, "sex"] = "male"
    one_centenarian["sex"] = one_centenarian["sex"].astype(test["sex"].dtype)
    found = distributions({"real": one_centenarian, "synthetic": train}, codebook, edges_from="real")
    for name, shown in found.items():
        widths = np.diff(shown["edges"]) if "edges" in shown else 1
        counts = np.round(np.array(shown["real"]) * widths * len(test))
        assert not ((counts > 0) & (counts < 10)).any(), name
    assert max(found["age"]["edges"]) < 110
    assert found["sex"]["real"] == [1, 0]


def free_text(n):
    """A codebook whose stages are whatever the data say, a clean table of two rows a person, and rare stages in it."""
    stage = {"raw": "STAGE", "type": "categorical", "rare": {"keep": 50}}
    codebook = Codebook.model_validate(CODEBOOK | {"columns": CODEBOOK["columns"] | {"stage": stage}})
    stages = np.where(np.arange(n) < n - 6, "common", "one patient's own words")
    clean = pd.DataFrame({"patient": np.arange(n) // 2, "stage": pd.Categorical(stages)})
    clean["sex"] = pd.Categorical(["female"] * (n - 1) + ["male"])
    return codebook, clean


def test_free_text_of_few_patients_is_grouped_where_a_table_is_handed_over():
    codebook, clean = free_text(40)
    table = clean[["stage", "sex"]]
    given, cells = without_rare_levels(table, clean, codebook, least=4)
    assert set(given["stage"]) == set(given["stage"].cat.categories) == {"common", "other"}
    assert cells == {"stage": 6} and (given["stage"] == "other").sum() == 6
    # A declared level is the publisher's word, and three persons are enough where three are asked for.
    assert given["sex"].equals(table["sex"])
    assert (
        without_rare_levels(table, clean, codebook, least=3)[0]["stage"].astype(str).equals(table["stage"].astype(str))
    )


def test_patients_are_counted_and_not_their_admissions():
    codebook, clean = free_text(40)
    # Six admissions of three persons.
    assert without_rare_levels(clean, clean, codebook, least=6)[1] == {"stage": 6}
