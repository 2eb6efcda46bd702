"""Pair plots: which columns, what plot data keep of patients, and what the figure shows."""

import json

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.scores.fidelity import pairs as pair_figures
from medsynth.scores.fidelity.plot_data import distributions, pair_columns, pairs
from tests.conftest import CODEBOOK
from tests.unit.conftest import NOTE

LABS = ["sodium", "potassium", "urea", "creatinine", "glucose", "albumin", "bilirubin"]


@pytest.fixture
def labs() -> Codebook:
    """A codebook of seven numbers and one coded column."""
    columns = {name: {"type": "continuous", "unit": "mmol/L"} for name in LABS}
    return Codebook.model_validate(
        CODEBOOK | {"person": None, "columns": columns | {"sex": CODEBOOK["columns"]["sex"]}}
    )


@pytest.fixture
def plot_data(partitions):
    """Plot data of the ward's two numeric columns: all real rows against the training rows."""
    train, test, codebook = partitions
    tables = {"real": pd.concat([train, test], ignore_index=True), "synthetic": train}
    found = pairs(tables, codebook, ["age", "crp"], edges_from="real")
    return {"pairs": found, "distributions": distributions(tables, codebook, edges_from="real")}


def test_five_numeric_columns_are_chosen_by_the_seed(labs):
    chosen = pair_columns(labs, 1)
    assert len(chosen) == 5 and chosen == [name for name in LABS if name in chosen]
    assert chosen == pair_columns(labs, 1)
    assert len({tuple(pair_columns(labs, seed)) for seed in range(10)}) > 1


def test_a_codebook_of_fewer_columns_gives_them_all(codebook):
    assert pair_columns(codebook, 1) == ["age", "crp"]


def test_every_synthetic_row_is_in_one_cell(plot_data, partitions):
    (pair,) = plot_data["pairs"]["counts"]
    assert np.sum(pair["synthetic"]) == len(partitions[0]) == plot_data["pairs"]["rows"]["synthetic"]
    assert np.shape(pair["real"]) == tuple(len(plot_data["pairs"]["edges"][name]) - 1 for name in ("age", "crp"))


def test_no_lone_patient_is_in_the_plot_data(partitions):
    train, _, codebook = partitions
    outlier = train.assign(age=40, crp=10.0)
    outlier.loc[:5, "crp"] = [90.0, 90.0, 90.0, 70.0, 50.0, 50.0]
    found = pairs({"real": outlier, "synthetic": outlier}, codebook, ["age", "crp"], edges_from="real", least=3)
    (pair,) = found["counts"]
    real, synthetic = np.array(pair["real"]), np.array(pair["synthetic"])
    # Three alike are shown, the one and the two alone are not.
    assert sorted(real[real > 0]) == [3, len(train) - 6]
    assert sorted(synthetic[synthetic > 0]) == [1, 2, 3, len(train) - 6]


def test_a_lone_patient_takes_the_next_smallest_cell_of_the_line_with_it(partitions):
    train, _, codebook = partitions
    outlier = train.assign(age=40, crp=10.0)
    outlier.loc[:3, "crp"] = [90.0, 90.0, 90.0, 70.0]
    found = pairs({"real": outlier}, codebook, ["age", "crp"], edges_from="real", least=3)
    real = np.array(found["counts"][0]["real"])
    assert list(real[real > 0]) == [len(train) - 4]


def test_plot_data_survive_json_and_hold_no_value_of_a_row_but_bins(plot_data):
    assert json.loads(json.dumps(plot_data)) == plot_data


def test_few_rows_give_few_bins(partitions):
    train, _, codebook = partitions
    few = pairs({"real": train}, codebook, ["crp", "age"], edges_from="real")
    many = pairs({"real": pd.concat([train] * 20)}, codebook, ["crp", "age"], edges_from="real")
    assert (len(few["edges"]["crp"]), len(many["edges"]["crp"])) == (7, 25)


def draw(plot_data, codebook):
    return pair_figures.pairs([plot_data, plot_data], codebook, title="TVAE", colour="#009e73", note=NOTE)


def test_the_panels_of_a_pair_are_mirrored_with_the_same_shades(plot_data, partitions):
    axes = np.array(draw(plot_data, partitions[2]).axes).reshape(2, 2)
    above, below = axes[0, 1], axes[1, 0]
    assert above.get_xlim() == below.get_ylim() and above.get_ylim() == below.get_xlim()
    assert above.collections[0].get_clim() == below.collections[0].get_clim()
    real = below.collections[0].get_array()
    assert np.array_equal(real > 0, np.array(plot_data["pairs"]["counts"][0]["real"]).T > 0)


def test_axes_are_named_with_units_at_the_edges_alone(plot_data, partitions):
    axes = np.array(draw(plot_data, partitions[2]).axes).reshape(2, 2)
    assert [ax.get_ylabel() for ax in axes[:, 0]] == ["age (years)", "crp (mg/L)"]
    assert [ax.get_xlabel() for ax in axes[1]] == ["age (years)", "crp (mg/L)"]
    assert not any(ax.get_xlabel() for ax in axes[0])


def test_the_legend_and_the_note_say_what_is_where(plot_data, partitions):
    figure = draw(plot_data, partitions[2])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["Real (below the diagonal)", "Synthetic: TVAE (2 seeds together) (above)"]
    assert figure.get_supxlabel().endswith("blank: fewer than 10 of 400 rows")


def test_a_constant_column_is_drawn(partitions):
    train, _, codebook = partitions
    tables = {"real": train.assign(age=40), "synthetic": train}
    found = pairs(tables, codebook, ["age", "crp"], edges_from="real")
    plot_data = {"pairs": found, "distributions": distributions(tables, codebook, edges_from="real")}
    assert len(draw(plot_data, codebook).axes) == 4


def test_one_column_alone_is_its_density(partitions):
    train, _, codebook = partitions
    tables = {"real": train, "synthetic": train}
    found = pairs(tables, codebook, ["age"], edges_from="real")
    plot_data = {"pairs": found, "distributions": distributions(tables, codebook, edges_from="real")}
    assert len(draw(plot_data, codebook).axes) == 1
