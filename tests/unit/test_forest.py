"""A forest of sequential trees: bagging, small leaves, smoothing, relations, conditions."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Column
from medsynth.generators import Forest
from medsynth.generators.cart import _PartialRows, _values


@pytest.fixture
def model(partitions):
    """A forest of the ward."""
    return Forest(trees=4).fit(partitions[0], partitions[2], seed=1)


def test_each_column_has_trees_of_its_own(model):
    assert len(model.trees_) == 4 * len(model.order_)
    one, another = model.trees_of(len(model.order_) - 1)[:2]
    assert len(one["threshold"]) != len(another["threshold"]) or (one["threshold"] != another["threshold"]).any()


def test_the_donors_of_a_node_are_those_of_its_children(model):
    for tree in model.trees_:
        inner = np.flatnonzero(tree["feature"] >= 0)
        left, right = tree["left"][inner], tree["right"][inner]
        assert (tree["starts"][inner] == tree["starts"][left]).all()
        assert (tree["ends"][left] == tree["starts"][right]).all()
        assert (tree["ends"][inner] == tree["ends"][right]).all()


def test_every_training_row_is_a_donor_once(model, partitions):
    train, _, codebook = partitions
    for position, name in enumerate(model.order_):
        for tree in model.trees_of(position):
            assert sorted(tree["donors"]) == sorted(_values(train[name], codebook))


def test_a_leaf_holds_so_many_different_training_rows_of_its_bootstrap_sample(partitions):
    train, _, codebook = partitions
    for tree in Forest(trees=2, min_leaf=9).fit(train, codebook, seed=1).trees_:
        leaves = tree["feature"] < 0
        assert (tree["ends"] - tree["starts"])[leaves].min() >= 9


def test_values_that_ten_rows_share_are_not_moved_and_rarer_ones_are(codebook):
    described = codebook.model_copy(update={"columns": {"dose": Column(type="continuous")}})
    train = pd.DataFrame({"dose": [*np.repeat([0.0, 5.0], 10), *np.linspace(6, 9, 40).round(3), *np.repeat(9.5, 9)]})
    drawn = Forest().fit(train, described, seed=1).sample(2000, seed=1)["dose"]
    of_shared = drawn[drawn < 5.5]
    assert set(of_shared) == {0.0, 5.0}
    assert not drawn[drawn > 5.5].isin(train["dose"]).all() and (drawn[drawn > 9.2] != 9.5).any()


def test_a_moved_number_is_never_another_value_that_relations_rest_on(codebook):
    described = codebook.model_copy(
        update={"columns": {"visits": Column(type="integer"), "known": Column(type="binary", categories=["no", "yes"])}}
    )
    # Only those with five visits are known; two values away from the few with six is three, halfway to which is five.
    visits = np.repeat([3, 5, 6, 9], [100, 100, 9, 100])
    train = pd.DataFrame({"visits": visits, "known": np.where(visits == 5, "yes", "no")})
    drawn = Forest(smoothing=2).fit(described.conform(train), described, seed=1).sample(5000, seed=1)
    assert ((drawn["visits"] == 5) == (drawn["known"] == "yes")).all()


def test_what_never_occurs_together_is_not_sampled_together(model):
    drawn = model.sample(3000, seed=1)
    assert ((drawn["icu"] == "not applicable") == (drawn["admitted"] == "no")).all()


def test_a_saved_model_keeps_relations(model, tmp_path):
    model.save(tmp_path)
    assert Forest.load(tmp_path).sample(300, seed=2).equals(model.sample(300, seed=2))


def test_rows_of_one_request_come_from_several_trees(model, partitions):
    train, _, codebook = partitions
    rows = _PartialRows(model, 2000, np.random.default_rng(0))
    last = len(model.order_) - 1
    rows.values = {b: np.repeat(_values(train[b], codebook)[:1], 2000) for b in model.order_[:last]}
    rows.draw(last, None)
    several = len(set(rows.values[model.order_[last]]))
    single = model.trees_of(last)[0]
    leaf = rows._leaves(single, model.order_[:last], np.arange(1))[0]
    assert several > len(set(single["donors"][single["starts"][leaf] : single["ends"][leaf]]))


def test_every_row_meets_the_conditions(model):
    drawn = model.sample(300, seed=1, conditions={"stage": "III", "age": (60, 80)})
    assert (drawn["stage"] == "III").all() and drawn["age"].between(60, 80).all()


def test_numbers_that_are_in_order_in_every_row_stay_so(codebook):
    rng = np.random.default_rng(3)
    stay = rng.gamma(2, 6, 900).round(1)
    train = pd.DataFrame({"stay": stay, "intensive": (stay * rng.random(900)).round(1), "age": rng.normal(60, 9, 900)})
    described = codebook.model_copy(update={"columns": {name: Column(type="continuous") for name in train}})
    model = Forest().fit(described.conform(train), described, seed=1)
    drawn = model.sample(5000, seed=1, conditions={"intensive": (3, None)})
    assert (drawn["intensive"] <= drawn["stay"]).all() and (drawn["intensive"] >= 3).all()
    assert sum(map(len, model.relations_.orders_.values())) == 1
    assert not drawn["stay"].isin(train["stay"]).all()
