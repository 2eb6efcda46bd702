"""What is shown of real patients: small counts, extremes, rare categories."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.disclosure import (
    few,
    inner_range,
    pools,
    shown_categories,
    shown_cells,
    shown_groups,
    shown_sets,
    without_rare_categories,
)
from medsynth.scores.fidelity.plot_data import associations, distributions, shown_associations
from medsynth.scores.registry import Facts, tables
from tests.conftest import CODEBOOK


def test_a_small_number_of_patients_is_not_written_and_neither_is_what_it_leaves_of_a_total():
    assert [few(n, 5) for n in (0, 4, 5)] == ["0", "<5", "5"]
    assert [few(n, 5, total=100) for n in (4, 50, 96, 100)] == ["<5", "50", "all but <5", "100"]


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([640, 110, 20], [True, True, True]),
        # The next smallest hides what the others leave of all rows.
        ([640, 110, 20, 3], [True, True, False, False]),
        # Two small ones hide each other.
        ([640, 110, 8, 7], [True, True, False, False]),
        ([397, 3], [False, False]),
        ([397, 0], [True, True]),
        # 9 + 20 withheld beside 20: the other can have no more than 20 rows, the small one no more than 9.
        ([600, 20, 20, 9], [False, False, False, False]),
    ],
)
def test_groups_are_shown_that_tell_of_no_small_one(counts, shown):
    assert shown_groups(counts, 10).tolist() == shown


@pytest.mark.parametrize(("least", "groups", "most"), [(3, 2, 12), (3, 3, 10), (4, 3, 14), (3, 4, 8)])
def test_whoever_knows_the_rule_the_total_and_all_that_is_shown_can_solve_for_no_small_count(least, groups, most):
    possible = {}
    for counts in itertools.product(range(most + 1), repeat=groups):
        visible = np.where(shown_groups(counts, least) & (np.array(counts) > 0), counts, -1)
        possible.setdefault((*visible, sum(counts)), []).append(counts)
    for visible, solutions in possible.items():
        solutions = np.array(solutions)
        # Larger counts would be solutions, too.
        if least <= visible[-1] and solutions.max() < most:
            hidden = [i for i in range(groups) if visible[i] < 0]
            for some in itertools.chain(*(itertools.combinations(hidden, n) for n in range(1, len(hidden) + 1))):
                found = set(solutions[:, some].sum(axis=1))
                assert len(found) > 1 or not 0 < min(found) < least, (visible, some)


def test_a_group_must_have_rows_enough_on_every_side_and_stays_withheld_where_the_first_side_alone_withholds_it():
    real, table = [500, 90, 30, 12, 5], [480, 120, 8, 30, 6]
    assert shown_groups(real, 10).tolist() == [True, True, True, False, False]
    both = shown_groups([real, table], 10)
    assert both.tolist() == [True, True, False, False, False]
    # Groups that are left out for another reason count among those withheld.
    assert shown_groups([640, 110, 20, 3], 10, wanted=np.array([True, True, False, True])).tolist()[:2] == [True, True]


def test_no_line_of_a_two_way_table_leaves_few_rows():
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.gamma(1, 15, (8, 8)))
    shown = shown_cells(counts, 10)
    assert shown.any() and not ((counts > 0) & (counts < 10) & shown).any()
    for axis in (0, 1):
        withheld = np.where(shown, 0, counts).sum(axis=axis)
        assert not ((withheld > 0) & (withheld < 10)).any()


def rows(*ranges, n=100):
    """Sets of rows from here to there."""
    return np.array([(np.arange(n) >= start) & (np.arange(n) < end) for start, end in ranges])


@pytest.mark.parametrize(
    ("sets", "shown"),
    [
        ([(0, 20), (10, 40)], [True, True]),
        ([(0, 5), (10, 40)], [False, True]),
        ([(0, 0), (10, 40)], [True, True]),
        # All rows but few.
        ([(0, 95)], [False]),
        # All but few of a shown set; of two sets within it; of all rows.
        ([(0, 40), (0, 35)], [True, False]),
        ([(0, 40), (0, 15), (15, 35)], [True, False, True]),
        ([(0, 50), (50, 95)], [True, False]),
        # Two sets that overlap in few rows, and their union.
        ([(0, 30), (25, 60), (0, 60)], [False, True, True]),
    ],
)
def test_sets_are_shown_whose_differences_are_not_small(sets, shown):
    assert shown_sets(rows(*sets), 10).tolist() == shown


def test_a_set_is_withheld_that_tells_of_a_group_that_another_table_withholds():
    # Groups of 60, 25, 10 and 5 rows: the last two are withheld.
    groups = rows((0, 60), (60, 85))
    assert shown_sets(rows((60, 85), (85, 95)), 10, [groups]).tolist() == [True, False]


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


def test_rare_categories_lose_their_names_and_so_does_the_next_smallest(codebook):
    stage, sex = codebook.columns["stage"], codebook.columns["sex"]
    found = shown_categories(pd.Series(["I"] * 30 + ["II"] * 13), stage, 10)
    assert dict(found) == {"I": "I", "II": "II", "III": "rare (1 category)"}
    found = shown_categories(pd.Series(["I"] * 30 + ["II"] * 13 + ["III"] * 3), stage, 10)
    assert dict(found) == {"I": "I", "II": "rare (2 categories)", "III": "rare (2 categories)"}
    assert list(shown_categories(pd.Series(["female"] * 30), sex, 10)) == ["female", "male"]


def test_a_binary_column_with_a_category_of_few_rows_has_no_categories(codebook):
    assert list(shown_categories(pd.Series(["female"] * 30 + ["male"]), codebook.columns["sex"], 10)) == []


def test_categories_that_leave_few_of_the_rows_that_others_count_are_rare(codebook):
    stages, stage = pd.Series(["I"] * 30 + ["II"] * 13 + ["III"] * 12), codebook.columns["stage"]
    all_rows = pd.concat([stages, pd.Series(["I"] * 30 + ["II"] * 15 + ["III"] * 4)])
    assert shown_categories(stages, stage, 10)["III"] == "III"
    assert dict(shown_categories(stages, stage, 10, all_rows)) == {
        "I": "I", "II": "rare (2 categories)", "III": "rare (2 categories)"
    }  # fmt: skip


def test_no_bin_and_no_share_of_the_plot_data_is_of_few_real_rows(partitions):
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
    assert found["sex"] == {"categories": [], "real": [], "synthetic": []}


def test_shares_of_categories_that_are_shown_are_exact(partitions):
    train, test, codebook = partitions
    found = distributions({"real": train, "synthetic": test}, codebook, edges_from="real")
    assert found["sex"]["real"] == pytest.approx([(train["sex"] == category).mean() for category in ("female", "male")])


def test_an_association_that_tells_of_a_rare_combination_is_left_out(partitions):
    train, _, codebook = partitions
    rare = train.assign(sex=["female"] * 150 + ["male"] * (len(train) - 150), admitted="no")
    rare.loc[[*range(100, 153)], "admitted"] = "yes"
    rare = rare.astype({name: train[name].dtype for name in ("sex", "admitted")})
    for table, known in ((rare, False), (train, True)):
        matrix = associations(table, codebook)
        found = shown_associations({"real": matrix, "synthetic": matrix}, table, codebook)
        shown = {key: pd.DataFrame(found[key], found["columns"], found["columns"]) for key in ("real", "synthetic")}
        assert pd.notna(shown["real"].loc["sex", "admitted"]) == known
        assert pd.notna(shown["real"].loc["age", "crp"]) and shown["synthetic"].notna().all(axis=None)


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
    given, cells = without_rare_categories(table, clean, codebook, least=4)
    assert set(given["stage"]) == set(given["stage"].cat.categories) == {"common", "other"}
    assert cells == {"stage": 6} and (given["stage"] == "other").sum() == 6
    # A declared category is the publisher's word, and three persons are enough where three are asked for.
    assert given["sex"].equals(table["sex"])
    assert (
        without_rare_categories(table, clean, codebook, least=3)[0]["stage"]
        .astype(str)
        .equals(table["stage"].astype(str))
    )


def test_patients_are_counted_and_not_their_admissions():
    codebook, clean = free_text(40)
    # Six admissions of three persons.
    assert without_rare_categories(clean, clean, codebook, least=6)[1] == {"stage": 6}


def tables_of(tmp_path, **files):
    """What tables are made from: files that a run has written, of a raw table of 1,000 rows."""
    for name, table in files.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "provenance.json").write_text('{"raw_rows": 1000}')
    paths = {**{name: tmp_path / f"{name}.csv" for name in files}, "provenance": tmp_path / "provenance.json"}
    names = [field.name for field in dataclasses.fields(Facts)]
    return Facts(**dict.fromkeys(names) | {"files": paths, "minimum_cell_size": 10})


def test_what_cleaning_changed_cannot_be_told_by_difference(tmp_path):
    rows = [
        # Few cells made missing beside others; none; many; all but few.
        ("age", "below range: missing", 4, None, None),
        ("age", "above range: missing", 20, None, None),
        ("age", "kept", None, 66, 90),
        ("sex", "kept", None, 66, 66),
        ("bmi", "kept", None, 66, 100),
        ("crp", "kept", None, 993, 993),
        ("ward", "kept", None, 66, 63),
    ]
    names = ["column", "rule", "cells", "missing_before", "missing_after"]
    written = pd.DataFrame(rows, columns=names).astype(dict.fromkeys(names[2:], "Int64"))
    numbers, _ = tables()["cleaning"].make(tables_of(tmp_path, cleaning=written))
    assert numbers["cells"].tolist() == ["<10", "20", "", "", "", "", ""]
    assert numbers["missing_before"].tolist() == ["", "", "withheld", "66", "66", "all but <10", "withheld"]
    assert numbers["missing_after"].tolist() == ["", "", "90", "66", "100", "all but <10", "63"]


def test_cells_imputed_in_one_partition_do_not_tell_of_those_in_the_other(tmp_path):
    imputed = {"age": (80, 5), "sex": (80, 20), "crp": (0, 5), "bmi": (0, 0)}
    rows = [
        (partition, column, 800 if i == 0 else 200, cells[i])
        for i, partition in enumerate(["train", "test"])
        for column, cells in imputed.items()
    ]
    written = pd.DataFrame(rows, columns=["partition", "column", "rows", "imputed"])
    numbers, _ = tables()["preparation"].make(tables_of(tmp_path, preparation=written))
    found = numbers.pivot(index="column", columns="partition", values="imputed")
    assert found.loc["age"].to_dict() == {"train": "withheld", "test": "<10"}
    assert found.loc["sex"].to_dict() == {"train": "80", "test": "20"}
    assert found.loc["crp"].to_dict() == {"train": "0", "test": "<10"}
    assert found.loc["bmi"].to_dict() == {"train": "0", "test": "0"}


def test_gaps_that_are_kept_are_no_rare_category():
    codebook, clean = free_text(40)
    table = pd.DataFrame({"stage": pd.Categorical(["common", "missing"])})
    clean["stage"] = clean["stage"].mask(np.arange(40) < 2)
    assert without_rare_categories(table, clean, codebook, least=4)[0]["stage"].tolist() == ["common", "missing"]
    complete = free_text(40)[1]
    assert without_rare_categories(table, complete, codebook, least=4)[0]["stage"].tolist() == ["common", "other"]
