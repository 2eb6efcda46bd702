"""Tables of single columns: SDMetrics' scores of each, and the check that scaling keeps the distribution."""

import numpy as np
import pandas as pd
import pytest

from medsynth.disclosure import inner_range
from medsynth.display.cells import Bold
from medsynth.evaluation.intervals import UNIT, interval
from medsynth.preparation.scaling import scaling_table
from medsynth.scores.data.table import display_scaling
from medsynth.scores.fidelity.columns import columns_table, display_columns
from medsynth.scores.fidelity.compute import quality
from tests.conftest import by_about
from tests.unit.conftest import STYLES
from tests.unit.conftest import scores as long_table


def column(generator, epochs, name, shapes, validity):
    return [
        (generator, epochs, "fidelity", "column_shape", {"column": name}, shapes),
        (generator, epochs, "fidelity", "column_validity", {"column": name}, validity),
    ]


@pytest.fixture
def table() -> pd.DataFrame:
    """Two columns, two generators and the holdout."""
    return columns_table(
        long_table(
            *column("holdout", 0, "age", [0.99, 0.99], [1, 1]),
            *column("holdout", 0, "sex", [1, 1], [1, 1]),
            *column("tvae", 10, "age", [0.1, 0.1], [0.1, 0.1]),
            *column("tvae", 20, "age", [0.90, 0.92], [1, 1]),
            *column("tvae", 20, "sex", [0.80, 0.80], [1, 1]),
            *column("ctgan", 20, "age", [0.95, 0.95], [0.9, 1]),
            *column("ctgan", 20, "sex", [0.80, 0.80], [1, 1]),
        )
    )


def test_validity_finds_the_column_that_leaves_the_real_range(partitions):
    train, _, codebook = partitions
    strange = train.assign(age=np.where(np.arange(len(train)) % 4 == 0, 200, train["age"]))
    found = by_about(quality(strange, train, codebook))
    assert found["column_validity", "age"] == pytest.approx(0.75, abs=0.01)
    assert found["column_validity", "icu"] == 1


def test_a_column_is_scored_at_the_largest_epoch_count_with_its_interval(table):
    row = table[(table["generator"] == "tvae") & (table["column"] == "age")]
    assert row[["epochs", "n_seeds", "column_shape"]].to_numpy().tolist() == [[20, 2, pytest.approx(0.91)]]
    assert row["column_shape_low"].item() == pytest.approx(interval([0.90, 0.92], bounds=UNIT).low)


def test_columns_are_rows_in_the_codebooks_order_and_generators_columns(table):
    shown = display_columns(table, ["sex", "weight", "age"], STYLES)
    assert list(shown.columns) == ["Column", "TVAE", "CTGAN", "Holdout (upper reference)"]
    assert list(zip(shown.index, shown["Column"], strict=True)) == [
        ("Column shapes", "sex"),
        ("Column shapes", "age"),
        ("Validity", "sex"),
        ("Validity", "age"),
    ]


def test_the_best_generator_of_a_row_is_bold_and_no_reference(table):
    shown = display_columns(table, ["age", "sex"], STYLES)
    bold = [[isinstance(cell, Bold) for cell in row[1:]] for row in shown.itertuples(index=False, name=None)]
    # Where generators do not differ, none is best.
    assert bold == [[False, True, False], [False, False, False], [True, False, False], [False, False, False]]


def test_scaling_keeps_the_distribution(partitions):
    train, _, codebook = partitions
    table = scaling_table(train, codebook).set_index("column")
    assert dict(table["unchanged"]) == {"age": "yes", "crp": "yes"}
    cut = {name: train[name].clip(*inner_range(train[name], 10)) for name in ("age", "crp")}
    assert table.loc["crp", "skewness_after"] == pytest.approx(cut["crp"].skew())
    assert table.loc["age", "std_after"] == pytest.approx(cut["age"].std() / np.ptp(cut["age"]))


def test_nobodys_largest_value_can_be_worked_out_from_the_check_of_scaling(partitions):
    train, _, codebook = partitions
    crp = scaling_table(train, codebook).set_index("column").loc["crp"]
    span = crp["std_before"] / crp["std_after"]
    largest = crp["mean_before"] + (1 - crp["mean_after"]) * span
    assert (train["crp"] >= largest).sum() >= 9 and largest < train["crp"].max()


def test_a_map_that_is_not_linear_is_found(partitions, monkeypatch):
    from sklearn.preprocessing import QuantileTransformer

    monkeypatch.setattr("sklearn.preprocessing.MinMaxScaler", lambda: QuantileTransformer(n_quantiles=50))
    train, _, codebook = partitions
    assert set(scaling_table(train, codebook)["unchanged"]) == {"no"}


def test_a_constant_column_is_called_so(partitions):
    train, _, codebook = partitions
    table = scaling_table(train.assign(age=40), codebook).set_index("column")
    assert dict(table["unchanged"]) == {"age": "constant", "crp": "yes"}
    assert table.loc["age", ["mean_after", "std_after"]].tolist() == [0, 0]


def test_a_table_without_numbers_has_an_empty_check(partitions):
    train, _, codebook = partitions
    coded = codebook.model_copy(update={"columns": {"sex": codebook.columns["sex"]}})
    assert display_scaling(scaling_table(train[["sex"]], coded)).empty


def test_scaling_is_shown_as_before_and_after(partitions):
    train, _, codebook = partitions
    shown = display_scaling(scaling_table(train, codebook))
    assert list(shown.columns) == ["Column", "Mean", "Standard Deviation", "Kurtosis", "Skewness", "Unchanged"]
    assert shown["Mean"].str.contains(" → ").all()
