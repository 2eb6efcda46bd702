"""Codebooks guessed from plain tables, and the pandas types that synthetic rows get back."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.generators import CART

N = 60


def plain(rows=N):
    """A table as pandas users have it: no two columns of one pandas type."""
    rng = np.random.default_rng(0)
    grades = pd.CategoricalDtype(["low", "mid", "high"], ordered=True)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 60, rows),
            "crp": np.round(rng.gamma(2, 10, rows), 1).astype("float32"),
            "visits": rng.integers(0, 15, rows).astype("float64"),
            "beds": pd.array(rng.integers(0, 15, rows), dtype="Int64"),
            "sick": rng.random(rows) < 0.4,
            "code": rng.integers(0, 2, rows),
            "ward": rng.choice(["surgery", "icu", "er"], rows),
            "town": pd.array(rng.choice(["Perth", "Dundee"], rows), dtype="string"),
            "grade": pd.Categorical(rng.choice(grades.categories, rows), dtype=grades),
            "arm": pd.Categorical(rng.choice([1, 2, 3], rows)),
        }
    )


def types(table, **given):
    return {name: column.type for name, column in Codebook.infer(table, **given).columns.items()}


def test_types_are_inferred_from_values_and_pandas_types():
    assert types(plain()) == {
        "age": "integer",
        "crp": "continuous",
        "visits": "integer",
        "beds": "integer",
        "sick": "binary",
        "code": "binary",
        "ward": "categorical",
        "town": "binary",
        "grade": "ordinal",
        "arm": "categorical",
    }


def test_categories_are_text_in_the_order_of_the_values_or_categories():
    columns = Codebook.infer(plain()).columns
    assert columns["sick"].categories == ["False", "True"]
    assert columns["code"].categories == ["0", "1"]
    assert columns["grade"].categories == ["low", "mid", "high"]
    assert columns["arm"].categories == ["1", "2", "3"]


def test_numbers_have_the_range_and_decimals_that_are_seen():
    column = Codebook.infer(plain()).columns["crp"]
    assert column.range == (plain()["crp"].min(), plain()["crp"].max())
    assert column.range_observed


def test_missing_cells_change_no_type():
    table = plain().drop(columns="sick").assign(sick=plain()["sick"].astype(object))
    gaps = table.mask(np.random.default_rng(1).random(table.shape) < 0.1)
    assert gaps.isna().any().all()
    assert types(gaps) == types(table)


def test_a_two_valued_number_with_missing_cells_has_categories_without_decimals():
    table = pd.DataFrame({"code": [0, 1, None, 1]})
    assert Codebook.infer(table).columns["code"].categories == ["0", "1"]


def test_identifiers_and_dates_are_known():
    table = plain().assign(key=[f"P{i}" for i in range(N)], seen="2020-03-01", born=pd.Timestamp("1970-01-01"))
    inferred = types(table)
    assert (inferred["key"], inferred["seen"], inferred["born"]) == ("identifier", "date", "date")


def test_a_type_can_be_given_where_the_guess_is_wrong():
    assert types(plain(), types={"age": "categorical"})["age"] == "categorical"
    assert Codebook.infer(plain(), types={"code": "integer"}).columns["code"].range == (0, 1)


@pytest.mark.parametrize(
    "table, given, said",
    [
        (plain().assign(empty=np.nan), {}, "column 'empty' holds no value; leave it out"),
        (plain(), {"wards": "binary"}, r"no column 'wards', .* did you mean 'ward'"),
        (plain(), {"ward": "binary"}, r"is binary and has 3 categories"),
        (plain(), {"ward": "integer"}, r"'ward' has 60 cells that are not finite numbers"),
        (plain().assign(crp=np.inf), {}, r"'crp' has 60 cells that are not finite numbers"),
        (plain().head(0), {}, "no rows"),
        (plain().rename(columns={"age": 7}), {}, "column names must be text"),
    ],
    ids=["empty column", "unknown column", "categories", "text", "infinite", "no rows", "names"],
)
def test_what_cannot_be_described_is_one_sentence(table, given, said):
    with pytest.raises(InputError, match=said) as caught:
        Codebook.infer(table, types=given)
    assert "\n" not in str(caught.value)


def test_synthetic_rows_have_the_learned_tables_columns_and_pandas_types():
    drawn = CART().fit(plain(400)).sample(50)
    pd.testing.assert_series_equal(drawn.dtypes, plain(400).dtypes)


def test_synthetic_rows_have_the_learned_tables_values_in_coded_columns():
    table, drawn = plain(400), CART().fit(plain(400)).sample(400)
    for name in ("sick", "code", "ward", "town", "grade", "arm"):
        assert set(drawn[name]) == set(table[name]), name


def test_pandas_types_survive_saving(tmp_path):
    model = CART().fit(plain(400))
    model.save(tmp_path)
    pd.testing.assert_frame_equal(CART.load(tmp_path).sample(50), model.sample(50))


def test_a_category_of_a_plain_table_can_be_a_condition():
    model = CART().fit(plain(400))
    drawn = model.sample(50, conditions={"sick": "True", "arm": 2, "age": (30, 40)})
    assert drawn["sick"].all() and (drawn["arm"] == 2).all() and drawn["age"].between(30, 40).all()


def test_a_plain_table_fits_a_codebook_that_has_its_categories_as_text():
    table = plain(400)
    codebook = Codebook.infer(table.astype({"sick": str, "code": str}))
    drawn = CART().fit(table, codebook).sample(50)
    assert set(drawn["sick"]) == {"True", "False"} and set(drawn["code"]) == {"0", "1"}


@pytest.mark.parametrize("name", ["age", "sick", "ward", "arm"])
def test_a_plain_table_with_missing_cells_is_refused_by_column(name):
    table = plain()
    table[name] = table[name].astype(object).where(table.index > 2)
    with pytest.raises(InputError, match=rf"3 missing cells .* in '{name}'; impute them with .*dropna"):
        CART().fit(table)


def test_an_identifier_is_not_learned():
    with pytest.raises(InputError, match=r"'key' of the type identifier, .* leave the column out"):
        CART().fit(plain().assign(key=[f"P{i}" for i in range(N)]))


def test_text_among_numbers_is_refused_without_quoting_it():
    codebook = Codebook.infer(plain())
    with pytest.raises(InputError, match="1 cells in 'age' that are not numbers") as caught:
        CART().fit(plain().assign(age=["secret", *plain()["age"][1:]]), codebook)
    assert "secret" not in str(caught.value)
