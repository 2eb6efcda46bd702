"""A mixture of forest and network: which share is taken, conditions, relations, gaps, storage."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.generators import Forest, Mixture
from medsynth.generators.mixture import settled
from tests.conftest import CODEBOOK

NETWORK = {"width": 64, "epochs": 10, "least_steps": 200}


def mixed(train, codebook, share=0.5, **settings):
    """A mixture whose network draws that share of the cells."""
    model = Mixture(least_rows=1, shares=[share], trees=3, network=NETWORK, **settings)
    return model.fit(train, codebook, seed=1)


@pytest.fixture(scope="module")
def described():
    """Three columns, the second of which follows from the first; an age with gaps."""
    columns = {
        "diagnosis": Column(type="categorical", categories=["A", "B", "C"]),
        "group": Column(type="binary", categories=["one", "two"]),
        "age": Column(type="continuous", gaps=True),
    }
    return Codebook.model_validate(CODEBOOK).model_copy(update={"columns": columns, "person": None})


@pytest.fixture(scope="module")
def train(described):
    """Rows of them."""
    rng = np.random.default_rng(2)
    diagnosis = rng.choice(["A", "B", "C"], 900, p=[0.5, 0.3, 0.2])
    age = (rng.normal(50, 9, 900) + 20 * (diagnosis == "C")).round(1)
    age[rng.random(900) < 0.2] = np.nan
    group = np.where(diagnosis == "A", "one", "two")
    return described.conform(pd.DataFrame({"diagnosis": diagnosis, "group": group, "age": age}))


@pytest.fixture(scope="module")
def model(train, described):
    """Half of the cells are the network's."""
    return mixed(train, described)


def test_few_rows_are_the_forests_alone(train, described):
    model = Mixture(least_rows=901).fit(train, described, seed=1)
    assert model.network_ is None and model.card()["network_share"] == 0
    assert model.sample(50, seed=3).equals(Forest().fit(train, described, seed=1).sample(50, seed=3))


@pytest.mark.parametrize(
    ("judged", "share"),
    [
        ({0.0: 0.530, 0.5: 0.512, 0.75: 0.541}, 0.5),
        # 0.0065 is the standard error of 4,000 rows: what is no further from the best is as good, and copies less.
        ({0.0: 0.506, 0.5: 0.513, 0.75: 0.511}, 0.75),
        ({0.0: 0.506, 0.5: 0.511, 0.75: 0.514}, 0.5),
        # Below 0.5 nothing is told.
        ({0.0: 0.480, 0.5: 0.500, 0.75: 0.506}, 0.75),
    ],
)
def test_of_shares_that_are_told_apart_as_little_the_largest_is_taken(judged, share):
    assert settled(judged, 4000) == share


def test_the_share_is_one_whose_rows_are_hardly_told_from_held_out_rows(train, described):
    # The network has learned next to nothing.
    model = Mixture(
        least_rows=1, shares=[0.0, 1.0], held_out_share=0.3, trees=3, network={"epochs": 1, "least_steps": 1}
    )
    model.fit(train, described, seed=1)
    assert set(model.judged_) == {0.0, 1.0}
    assert model.judged_[0.0] < model.judged_[1.0]
    assert model.share_ == 0.0 and model.network_ is None
    # What was judged is kept: nothing learned from the rows that decided.
    assert {len(forest.trees_of(0)[0]["donors"]) for forest in model.forest_.forests_} == {round(0.7 * len(train))}


def test_both_draw_cells(model, train):
    ages = model.sample(2000, seed=1)["age"].dropna()
    alone = model.forest_.sample(2000, seed=1)["age"].dropna()
    # The network draws any number inside a bin; donors of the forest stay close to the numbers that there are.
    assert ages.isin(train["age"]).mean() < alone.isin(train["age"]).mean()
    network = mixed(train, model.codebook_, share=1.0).sample(2000, seed=1)
    assert not network.equals(model.sample(2000, seed=1))


def test_what_holds_in_every_training_row_holds_in_every_row(model):
    drawn = model.sample(3000, seed=2)
    assert ((drawn["diagnosis"] == "A") == (drawn["group"] == "one")).all()


@pytest.mark.parametrize(
    "conditions", [{"group": "two"}, {"age": (70, None)}, {"diagnosis": "C", "age": (40, 45)}, {"age": 51.3}]
)
def test_every_row_meets_the_conditions(model, conditions):
    drawn = model.sample(400, seed=1, conditions=conditions)
    assert len(drawn) == 400
    for name, wanted in conditions.items():
        if name == "age":
            low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
            assert drawn[name].between(low, np.inf if high is None else high).all()
        else:
            assert (drawn[name] == wanted).all()
    assert ((drawn["diagnosis"] == "A") == (drawn["group"] == "one")).all()


def test_conditions_leave_the_other_columns_as_they_go_with_them(model, train):
    # A fifth of all rows has the diagnosis C, and most of those above 72.
    expected = (train.loc[train["age"] > 72, "diagnosis"] == "C").mean()
    drawn = model.sample(3000, seed=1, conditions={"age": (72, None)})
    assert abs((drawn["diagnosis"] == "C").mean() - expected) < 0.15


def test_gaps_are_drawn_as_often_as_they_are(model, train):
    drawn = model.sample(4000, seed=1)
    assert abs(drawn["age"].isna().mean() - train["age"].isna().mean()) < 0.04


def test_a_saved_model_samples_the_same_rows(model, tmp_path):
    model.save(tmp_path)
    again = Mixture.load(tmp_path)
    assert again.sample(200, seed=4).equals(model.sample(200, seed=4))
    assert again.card() == model.card() and again.get_params() == model.get_params()


def test_the_same_seed_gives_the_same_rows(model, train, described):
    assert mixed(train, described).sample(100, seed=5).equals(model.sample(100, seed=5))
