"""Numbers that follow from other columns: found in training rows, and kept in synthetic ones."""

import sys

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import RareCategories
from medsynth.generators import Forest, Mixture, load
from medsynth.preparation.formulas import find_formulas, labels
from medsynth.preparation.relations import bands_of
from tests.conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import formulas as benchmark
from formulas import holds

ROWS = 600


@pytest.fixture(scope="module")
def patients():
    """Measurements, and what a ward computes from them."""
    return benchmark.patients(ROWS, seed=7)


@pytest.fixture(scope="module")
def codebook(patients):
    return benchmark.described(patients)


SAID = {
    "bmi is 10000 times weight divided by height to the power of 2",
    "systolic is diastolic plus pulse",
    "mean is diastolic plus 1/3 pulse",
    "ldl is total minus hdl minus 0.2 fat",
    "score is item1 plus item2 plus item3 plus points for failure",
    "risk is 0.1 hdl plus points for group plus 4",
}


def found(table, codebook):
    values, categories = {}, {}
    for name, column in codebook.columns.items():
        coded = not column.numeric
        values[name] = (
            pd.Categorical(table[name], column.all_categories).codes.astype("int64")
            if coded
            else table[name].to_numpy("float64", na_value=np.nan)
        )
        categories[name] = labels(column, column.all_categories if coded else ())
    return {formula.said(categories): formula for formula in find_formulas(values, categories)}


def test_sums_points_means_and_products_are_found_as_their_authors_wrote_them(patients, codebook):
    assert set(found(patients, codebook)) == SAID


def test_one_row_against_it_is_no_formula(patients, codebook):
    odd = patients.copy()
    odd.loc[17, "score"] += 1
    assert set(found(odd, codebook)) == {said for said in SAID if not said.startswith("score")}


def test_a_shuffled_table_has_no_formula(patients, codebook):
    rng = np.random.default_rng(2)
    shuffled = patients.apply(lambda column: rng.permutation(column))
    assert not found(shuffled, codebook)


def test_missing_numbers_say_nothing_and_a_number_that_may_be_missing_stays_so(patients, codebook):
    gaps = patients.astype({"height": "float64", "bmi": "float64"})
    gaps.loc[::5, "height"] = np.nan
    gaps.loc[::3, "bmi"] = np.nan
    formulas = {formula.column: formula for formula in found(gaps, codebook).values()}
    assert not formulas["bmi"].always and formulas["score"].always
    assert np.isnan(
        formulas["bmi"].of({"height": np.array([170.0, np.nan]), "weight": np.array([70.0, 70.0])})
    ).tolist() == [
        False,
        True,
    ]


def test_what_stands_for_several_categories_has_no_points(patients, codebook):
    column = codebook.columns["item1"].model_copy(update={"rare": RareCategories(keep=3, label="3")})
    grouped = codebook.model_copy(update={"columns": {**codebook.columns, "item1": column}})
    (score,) = (one for one in found(patients, grouped).values() if one.column == "score")
    assert np.isnan(score.weights["item1"][3]) and np.diff(score.weights["item1"][:3]) == pytest.approx([1, 1])


def test_a_category_of_few_rows_has_the_points_that_they_show(patients, codebook):
    rare = patients.copy()
    rare["item1"] = np.where((rare["item1"] == "3") & (np.arange(ROWS) > 20), "2", rare["item1"])
    assert 0 < (rare["item1"] == "3").sum() < 10
    rare["score"] = rare[["item1", "item2", "item3"]].astype(int).sum(axis=1)
    assert "score is item1 plus item2 plus item3" in found(rare, codebook)


@pytest.fixture(scope="module")
def forest(patients, codebook):
    return Forest(orders=3, trees=1).fit(codebook.conform(patients), codebook, seed=1)


def test_every_row_of_a_forest_has_what_follows(forest, patients):
    assert holds(patients).all(axis=None)
    drawn = forest.sample(3000, seed=2)
    assert holds(drawn).all(axis=None)
    # Numbers that were moved are among them.
    assert not drawn["weight"].isin(patients["weight"]).all()
    assert set(forest.card()["formulas"]) == SAID


@pytest.mark.parametrize(
    "conditions",
    [{"bmi": (30, None)}, {"score": (8, 9), "failure": ["no"]}, {"systolic": (150, None), "diastolic": (None, 80)}],
)
def test_conditions_on_what_follows_are_met_and_it_still_follows(forest, conditions):
    drawn = forest.sample(300, seed=3, conditions=conditions)
    assert holds(drawn).all(axis=None)
    for name, value in conditions.items():
        if isinstance(value, list):
            assert drawn[name].isin(value).all()
        else:
            low, high = (end if end is not None else other for end, other in zip(value, (-np.inf, np.inf), strict=True))
            assert drawn[name].between(low, high).all()


def test_a_column_that_is_to_come_first_comes_after_what_it_follows_from(patients, codebook):
    model = Forest(orders=2, trees=1).fit(codebook.conform(patients), codebook, seed=1, first=["bmi"])
    for sequence in model.card()["visit_sequences"]:
        assert set(sequence[:2]) == {"height", "weight"} and sequence[2] == "bmi"


def test_a_saved_forest_computes_the_same(forest, tmp_path):
    forest.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load(tmp_path / "model").sample(200, seed=4), forest.sample(200, seed=4))


def test_gaps_of_what_follows_are_kept(patients, codebook):
    table = patients.astype({"score": "float64"})
    table.loc[table.index % 4 == 0, "score"] = np.nan
    columns = codebook.columns | {"score": codebook.columns["score"].model_copy(update={"gaps": True})}
    described = codebook.model_copy(update={"columns": columns})
    drawn = Forest(orders=2, trees=1).fit(described.conform(table), described, seed=1).sample(2000, seed=1)
    known = drawn["score"].notna()
    assert known.mean() == pytest.approx(0.75, abs=0.06)
    assert holds(drawn[known]).all(axis=None)


def test_a_mixture_computes_what_follows_where_its_network_draws(patients, codebook):
    network = {"width": 64, "epochs": 3, "least_steps": 60}
    model = Mixture(least_rows=1, shares=[0.7], trees=2, network=network).fit(
        codebook.conform(patients), codebook, seed=1
    )
    drawn = model.sample(500, seed=1)
    assert model.share_ == 0.7
    assert holds(drawn).all().all(), drawn[~holds(drawn).all(axis=1)].to_dict()


def test_a_category_that_overlaps_others_is_no_band():
    number, code = np.arange(200.0), np.arange(200) // 100
    low, high = bands_of(number, code, 3)
    assert (low == [0, 100, -np.inf]).all() and (high == [99, 199, np.inf]).all()
    code[150] = 0
    assert bands_of(number, code, 3) is None
    # Two categories that each have one of two numbers would be apart by chance.
    assert bands_of(np.array([1.0, 2.0]), np.array([0, 1]), 2) is None


# What is nearly a formula, and what is none


def found_in(**columns):
    """Formulas of numbers, and of texts as categories."""
    table = pd.DataFrame(columns)
    return list(found(table, benchmark.described(table)))


def test_a_flag_that_another_implies_is_no_half_of_it():
    """At 0.5 times a flag, 0 and 1 are as near."""
    rng = np.random.default_rng(0)
    ward = rng.integers(0, 2, ROWS)
    assert not found_in(ward=ward, intensive=ward * rng.integers(0, 2, ROWS), grade=2 * ward + rng.integers(1, 3, ROWS))


def test_halves_are_rounded_as_the_table_rounds_them():
    rng = np.random.default_rng(0)
    first, second = rng.integers(90, 180, (2, ROWS))
    table = pd.DataFrame({"first": first, "second": second, "mean": np.floor((first + second) / 2 + 0.5).astype(int)})
    (formula,) = found(table, benchmark.described(table)).values()
    assert formula.column == "mean" and formula.half_up
    assert (formula.of({name: table[name].to_numpy("float64") for name in table}) == table["mean"]).all()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (lambda c: {"f": (1.8 * c + 32).round(1), "c": c}, "f is 1.8 c plus 32"),
        (lambda c: {"bsa": np.sqrt(c * 4.1 / 3600), "h": c}, "bsa is 0.0337474 times h to the power of 0.5"),
        (lambda c: {"lb": (2.20462 * c).round(1), "kg": c}, "lb is 2.20462 times kg"),
        (lambda c: {"down": -c, "up": c}, "down is 0 minus up"),
    ],
)
def test_units_are_converted_in_the_direction_that_loses_nothing(columns, said):
    measured = np.random.default_rng(0).normal(400, 30, ROWS).round(1)
    assert found_in(**columns(measured)) == [said]


def test_a_condition_that_few_patients_have_has_its_points():
    rng = np.random.default_rng(0)
    rare = np.isin(np.arange(ROWS), [3, 77, 401])
    common = rng.random(ROWS) < 0.4
    base = rng.integers(0, 5, ROWS)
    yes_no = {name: np.where(has, "yes", "no") for name, has in (("rare", rare), ("common", common))}
    (said,) = found_in(score=base + common + 6 * rare, base=base, **yes_no)
    assert said == "score is base plus points for common plus points for rare"


def test_a_sum_is_found_though_few_rows_know_all_columns():
    rng = np.random.default_rng(0)
    numbers = {f"x{i}": np.where(rng.random(ROWS) < 0.3, np.nan, rng.normal(50, 9, ROWS).round(1)) for i in range(25)}
    assert "total is x3 plus x4" in found_in(**numbers, total=numbers["x3"] + numbers["x4"])


@pytest.fixture(scope="module")
def stays():
    """Stays as long as between their dates, but for slips; follow-up of those who died ends with the stay."""
    rng = np.random.default_rng(3)
    stay, died = rng.gamma(2, 9, ROWS).round(), rng.random(ROWS) < 0.3
    return pd.DataFrame(
        {
            "stay": stay,
            "dates": stay - 1 + np.where(rng.random(ROWS) < 0.04, rng.integers(-300, 300, ROWS), 0),
            "followed": np.where(died, stay, stay + rng.gamma(3, 90, ROWS).round()),
            "died": np.where(died, "yes", "no"),
        }
    )


def test_what_often_follows_follows_as_often_in_synthetic_rows(stays):
    described = benchmark.described(stays)
    model = Forest(orders=3, trees=1).fit(described.conform(stays), described, seed=1)
    drawn = model.sample(2000, seed=1)
    for name in ("dates", "followed"):
        apart = [(table["stay"] - table[name]).isin([0, 1]).mean() for table in (stays, drawn)]
        assert apart[1] == pytest.approx(apart[0], abs=0.03)
    died = drawn["died"] == "yes"
    assert (
        (drawn["stay"] == drawn["followed"])[died].mean()
        > 0.9
        > 0.1
        > (drawn["stay"] == drawn["followed"])[~died].mean()
    )


def test_conditions_on_what_often_follows_have_its_share(stays):
    described = benchmark.described(stays)
    model = Forest(orders=3, trees=1).fit(described.conform(stays), described, seed=1)
    drawn = model.sample(1500, seed=1, conditions={"followed": (5, 60)})
    alike = model.sample(20000, seed=2)
    alike = alike[alike["followed"].between(5, 60)]
    assert drawn["followed"].between(5, 60).all()
    assert (drawn["died"] == "yes").mean() == pytest.approx((alike["died"] == "yes").mean(), abs=0.06)
    assert (drawn["stay"] == drawn["followed"]).mean() == pytest.approx(
        (alike["stay"] == alike["followed"]).mean(), abs=0.06
    )


def test_numbers_of_all_decimals_are_the_training_rows_own():
    """What follows may differ from it in how it is stored."""
    rng = np.random.default_rng(0)
    items = {f"item{i}": rng.integers(1, 6, ROWS) for i in (1, 2, 3)}
    table = pd.DataFrame({**items, "mean": np.mean(list(items.values()), axis=0), "noise": rng.normal(size=ROWS)})
    described = benchmark.described(table)
    drawn = Forest(orders=2, trees=1).fit(described.conform(table), described, seed=1).sample(2000, seed=1)
    assert drawn["mean"].isin(table["mean"]).all()
    assert drawn["mean"].to_numpy() == pytest.approx(drawn[list(items)].mean(axis=1).to_numpy())


def test_dates_that_are_counted_from_a_third_are_as_far_apart_as_the_stay_is_long():
    rng = np.random.default_rng(4)
    entered, stay = rng.integers(0, 30, ROWS), rng.gamma(2, 5, ROWS).round() + 1
    left = entered + stay - 1
    left[:15] += rng.integers(20, 300, 15)
    table = pd.DataFrame({"entered": entered, "left": left.astype(int), "stay": stay.astype(int)})
    (said,) = found_in(**table)
    assert said == "left is entered plus stay minus 1 in 98% of the rows"
    described = benchmark.described(table)
    drawn = Forest(orders=3, trees=1).fit(described.conform(table), described, seed=1).sample(2000, seed=1)
    assert (drawn["left"] - drawn["entered"] + 1 == drawn["stay"]).mean() == pytest.approx(0.975, abs=0.02)
