"""Conditions: the ways people write them, and one sentence for each that cannot be."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Column
from medsynth.conditions import Condition, Conditions
from medsynth.errors import InputError


@pytest.fixture
def described(codebook):
    """Ward codebook with drugs: a count, columns with and without the category 'No', one of numbers as categories."""
    drugs = {
        "drugs": Column(type="integer", range=(0, 50)),
        "insulin": Column(type="categorical", categories=["No", "Steady", "Up"]),
        "dose": Column(type="ordinal", categories=["low", "high"]),
        "ward": Column(type="categorical", categories=["1", "2", "7"]),
        "temperature": Column(type="continuous", range=(30, 45)),
    }
    return codebook.with_columns(drugs)


TABLE = pd.DataFrame(
    {
        "sex": ["female", "male", "female", "male"],
        "stage": ["I", "II", "III", "I"],
        "age": [20, 40, 60, 80],
        "drugs": [0, 1, 5, 0],
        "insulin": ["No", "Steady", "Up", "No"],
    }
)


def held(described, **conditions):
    """Rows of the table that meet conditions."""
    return Conditions.parse(conditions, described).holds(TABLE).tolist()


def refused(described, **conditions):
    """What is said of conditions that cannot be; it is one sentence."""
    with pytest.raises(InputError) as caught:
        Conditions.parse(conditions, described)
    said = str(caught.value)
    assert "\n" not in said and ". " not in said
    return said


def test_a_category_holds_where_the_column_has_it(described):
    assert held(described, sex="female") == [True, False, True, False]


def test_a_list_of_categories_holds_where_the_column_has_one_of_them(described):
    assert held(described, stage=["I", "III"]) == [True, False, True, True]


def test_a_number_as_a_category_is_its_text_also_as_a_float_that_yaml_made_of_it(described):
    for written in (1, 1.0, "1", [1], [1.0], np.int64(1)):
        assert Conditions.parse({"ward": written}, described)["ward"] == Condition(categories=("1",))


def test_a_number_is_prescribed_above_zero(described):
    assert held(described, drugs="prescribed") == [False, True, True, False]


def test_a_number_is_not_prescribed_at_zero(described):
    assert held(described, drugs="not prescribed") == [True, False, False, True]


def test_a_category_is_prescribed_unless_it_is_no(described):
    assert held(described, insulin="prescribed") == [False, True, True, False]


def test_the_category_no_is_not_prescribed(described):
    assert held(described, insulin="not prescribed") == [True, False, False, True]


def test_a_category_of_the_name_prescribed_means_itself(codebook):
    column = Column(type="categorical", categories=["prescribed", "stopped", "No"])
    parsed = Conditions.parse({"pill": "prescribed"}, codebook.with_columns({"pill": column}))
    assert parsed["pill"].categories == ("prescribed",)


def test_a_range_includes_both_ends(described):
    assert held(described, age=(40, 60)) == [False, True, True, False]


def test_a_range_may_be_open_at_either_end(described):
    assert held(described, age=(None, 40)) == [True, True, False, False]
    assert held(described, age=[60, None]) == [False, False, True, True]


@pytest.mark.parametrize("number", [40, 40.0, np.int64(40), np.float32(40)])
def test_a_number_holds_where_the_column_has_it(described, number):
    assert held(described, age=number) == [False, True, False, False]


def test_the_range_of_an_integer_column_ends_at_whole_numbers(described):
    assert Conditions.parse({"age": (40.5, 59.5)}, described)["age"] == Condition(low=41, high=59)


def test_several_conditions_must_all_hold(described):
    assert held(described, sex="male", age=(None, 50), insulin="prescribed") == [False, True, False, False]


def test_no_condition_holds_everywhere(described):
    assert Conditions.parse(None, described).holds(TABLE).all()


def test_an_unknown_column_names_the_nearest(described):
    assert refused(described, agee=40).endswith("no column 'agee'; did you mean 'age'?")


def test_an_unknown_category_names_the_nearest(described):
    assert refused(described, sex="femal").endswith("which a condition names; did you mean 'female'?")


def test_one_unknown_category_in_a_list_is_named(described):
    assert "'stage' has no category 'IV'" in refused(described, stage=["I", "IV"])


def test_a_range_outside_the_codebooks_is_refused(described):
    assert "outside the codebook's range 0 to 120" in refused(described, age=(130, 140))


def test_an_empty_range_is_refused(described):
    assert "is empty: 60 to 40" in refused(described, age=(60, 40))


def test_a_range_without_a_whole_number_is_refused_for_an_integer_column(described):
    assert "holds no whole number" in refused(described, age=(40.2, 40.8))


def test_a_range_without_a_whole_number_is_fine_for_a_continuous_column(described):
    assert Conditions.parse({"temperature": (36.2, 36.8)}, described)["temperature"] == Condition(low=36.2, high=36.8)


def test_a_category_is_refused_for_a_numeric_column(described):
    assert "must be a number, a pair (low, high) or one of prescribed" in refused(described, age="old")


def test_a_range_of_words_is_refused(described):
    assert "must be two numbers" in refused(described, age=("young", "old"))


def test_an_empty_list_of_categories_is_refused(described):
    assert "must be a category or a list of categories" in refused(described, stage=[])


def test_prescribed_needs_a_category_that_says_no(described):
    assert "needs the category 'No', which the column lacks" in refused(described, dose="prescribed")


def test_not_prescribed_is_refused_where_zero_is_out_of_range(described):
    assert "outside the codebook's range 30 to 45" in refused(described, temperature="not prescribed")


def test_conditions_that_map_nothing_are_refused(described):
    with pytest.raises(InputError, match="must map columns to values"):
        Conditions.parse(["sex"], described)


def test_a_range_ends_at_numbers_that_the_column_can_have(described):
    described = described.with_columns({"bmi": Column(type="continuous", range=(10, 60), decimals=1)})
    assert Conditions.parse({"bmi": (22.32, 22.58)}, described)["bmi"] == Condition(low=22.4, high=22.5)
    assert Conditions.parse({"bmi": 22.3}, described)["bmi"] == Condition(low=22.3, high=22.3)
    assert Conditions.parse({"bmi": (None, 1.1 * 20)}, described)["bmi"].high == 22.0
    for finer in (22.34, (22.32, 22.38)):
        assert "holds no number that the column can have" in refused(described, bmi=finer)
