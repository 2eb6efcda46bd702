"""Three-way marginals against tables made by hand, and real rows against independent marginals."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw
from medsynth.evaluation.crosstabs import Crosstabs
from medsynth.evaluation.resampling import person_weights
from medsynth.preparation.cleaning import clean
from medsynth.preparation.imputation import make_imputer
from medsynth.scores.precision_recall.marginals import three_way_marginals
from tests.conftest import CODEBOOK, ROOT


def described(**columns) -> tuple[pd.DataFrame, Codebook]:
    """A clean table of text (coded columns) and numbers, and its codebook."""
    types, table = {}, {}
    for name, values in columns.items():
        if isinstance(values[0], str):
            categories = sorted(set(values))
            types[name] = {"type": "categorical", "categories": categories}
            table[name] = pd.Categorical(values, categories=categories)
        else:
            types[name] = {"type": "continuous"}
            table[name] = np.asarray(values, dtype="float64")
    return pd.DataFrame(table), Codebook.model_validate(CODEBOOK | {"person": None, "columns": types})


def support2(raw_dir: Path, rows: int) -> tuple[pd.DataFrame, Codebook]:
    """Rows of the real SUPPORT2 table, complete."""
    codebook = Codebook.from_yaml(ROOT / "config/datasets/support2.yaml")
    table, _ = clean(read_raw(raw_dir / "support2" / codebook.raw.file, codebook), codebook, max_missing=0.5)
    table = table[[name for name in table if codebook.columns[name].type != "identifier"]].iloc[:rows]
    imputer = make_imputer("simple").fit(table, codebook.resolved(table))
    return imputer.transform(table), imputer.codebook_


def columns_alone(table: pd.DataFrame) -> pd.DataFrame:
    """Each column in an order of its own."""
    rng = np.random.default_rng(1)
    return table.apply(lambda column: column.take(rng.permutation(len(column))).reset_index(drop=True))


def score(synthetic, real, codebook, **settings):
    """The one score that there is."""
    (found,) = three_way_marginals(synthetic, real, codebook, **{"seed": 1} | settings)
    assert found.metric == "three_way_marginals"
    return found


def exclusive_or():
    """Three columns, any two of which are independent, and whose third follows from the other two."""
    every = list(product("ny", repeat=3))
    real = [row for row in every if row.count("y") % 2 == 0]
    table, codebook = described(**dict(zip("abc", zip(*every, strict=True), strict=True)))
    positions = [every.index(row) for row in real]
    return table, table.take(positions * 2).reset_index(drop=True), codebook


@pytest.mark.parametrize(
    "columns",
    [
        {"a": ["n", "y"] * 10, "b": ["n", "n", "y", "y"] * 5, "c": ["y"] * 20},
        {"a": range(20), "b": [0] * 18 + [1, 2], "c": [7] * 20},
        {"a": range(20), "b": ["n", "y"] * 10, "c": [str(i) for i in range(20)]},
        {"a": [1], "b": ["y"], "c": [0]},
    ],
    ids=["categories", "numbers", "both", "one row"],
)
def test_a_table_agrees_with_itself(columns):
    table, codebook = described(**columns)
    assert score(table, table, codebook).value == 1


def test_a_dependence_of_three_is_seen_where_pairs_show_nothing():
    independent_marginals, real, codebook = exclusive_or()
    of_pairs = [Crosstabs(table.apply(lambda c: c.cat.codes.astype(int))) for table in (independent_marginals, real)]
    assert np.abs(of_pairs[0].total_variation(of_pairs[1])).max() == 0
    # Half of the independent rows are in cells that have no real row.
    assert score(independent_marginals, real, codebook).value == 0.5


def test_numbers_are_cut_where_the_real_ones_are():
    real, codebook = described(a=range(100), b=["n", "y"] * 50, c=["n"] * 100)
    assert score(real.assign(a=real["a"] + 40), real, codebook).value == pytest.approx(0.6)
    assert score(real.assign(a=-1.0), real, codebook).value == pytest.approx(0.2)


@pytest.mark.parametrize("spike", [0, 9], ids=["lowest", "highest"])
def test_a_value_of_most_rows_has_a_bin_of_its_own(spike):
    real, codebook = described(a=[spike] * 90 + list(range(1, 9)) + [3, 4], b=["n"] * 100, c=["n"] * 100)
    assert score(real.assign(a=float(spike)), real, codebook).value == pytest.approx(0.9)


def test_categories_that_few_real_rows_have_are_one():
    common = ["A"] * 48 + ["B"] * 48
    real, codebook = described(a=[*common, "C", "C", "D", "D"], b=["n"] * 100, c=["n"] * 100)
    assert score(real.assign(a=real["a"].where(real["a"] != "C", "D")), real, codebook).value == 1
    assert score(real.assign(a=real["a"].where(real["a"] != "C", "A")), real, codebook).value == pytest.approx(0.98)


def test_there_is_no_score_of_two_columns():
    table, codebook = described(a=["n", "y"], b=[1, 2])
    assert np.isnan(score(table, table, codebook).value)


def test_the_seed_chooses_the_triples():
    rng = np.random.default_rng(1)
    real, codebook = described(**{name: rng.normal(size=50) for name in "abcdef"})
    synthetic = real.iloc[:20]
    one = [score(synthetic, real, codebook, seed=seed, max_triples=3).value for seed in (1, 1, 2)]
    assert one[0] == one[1] != one[2]
    assert score(synthetic, real, codebook, seed=1).value == score(synthetic, real, codebook, seed=2).value


def test_replicates_are_the_scores_of_rows_that_are_repeated():
    """Where weights change no sign, the distance is linear in them."""
    real, codebook = described(a=["n", "y"] * 20, b=["n"] * 40, c=[1] * 40)
    synthetic = real.assign(a=pd.Categorical(["n"] * 10 + ["y"] * 30))
    weights = person_weights(np.arange(40), seed=1)
    found = score(synthetic, real, codebook, weights=weights)
    # More than a quarter of the real rows have the category that a quarter of the synthetic ones have.
    kept = [i for i, weight in enumerate(weights) if weight[::2].sum() > 10]
    assert len(kept) > 100 and np.std(found.replicates) > 0.05
    for i in kept:
        repeated = real.take(np.repeat(np.arange(40), weights[i].astype(int))).reset_index(drop=True)
        assert found.replicates[i] == pytest.approx(score(synthetic, repeated, codebook).value)
    assert score(synthetic, real, codebook).replicates is None


@pytest.mark.slow
def test_real_rows_score_above_columns_drawn_alone(raw_dir):
    table, codebook = support2(raw_dir, 2_000)
    halves = [table.iloc[start::2].reset_index(drop=True) for start in (0, 1)]
    drawn = columns_alone(halves[0])
    weights = person_weights(np.arange(1_000), seed=1)
    real, alone = (score(rows, halves[1], codebook, weights=weights) for rows in (halves[0], drawn))
    assert real.value - alone.value > 10 * np.std(real.replicates - alone.replicates)
