"""A forest of sequential trees: bagging, small leaves, shrinkage toward the nodes above, conditions."""

import numpy as np
import pytest

from medsynth.generators import Forest
from medsynth.generators.cart import _PartialRows, _values


@pytest.fixture(scope="module")
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


def climbed(model, shrinkage):
    """How many donors the chosen node has for rows of one leaf of three nodes: 10, 40 and 200 rows."""
    tree = {
        "feature": np.array([0, 0, -1, -1, -1]),
        "left": np.array([1, 2, -1, -1, -1]),
        "right": np.array([4, 3, -1, -1, -1]),
        "starts": np.array([0, 0, 0, 10, 40]),
        "ends": np.array([200, 40, 10, 40, 200]),
    }
    model.shrinkage = shrinkage
    node = model.node_of_donors(tree, np.full(40_000, 2), np.random.default_rng(0))
    return np.bincount(node, minlength=5) / len(node)


def test_shrinkage_takes_donors_of_nodes_above_as_often_as_stated():
    shares = climbed(Forest(), 10)
    # 10 / (10 + 10) stay, 40 / (40 + 10) of the others stop at the next node.
    assert shares[[2, 1, 0]] == pytest.approx([0.5, 0.5 * 0.8, 0.5 * 0.2], abs=0.01)
    assert climbed(Forest(), 0)[2] == 1


def test_a_category_that_decides_another_is_kept_without_shrinkage(partitions):
    train, _, codebook = partitions
    drawn = Forest(trees=4, shrinkage=0).fit(train, codebook, seed=1).sample(3000, seed=1)
    assert ((drawn["icu"] == "not applicable") == (drawn["admitted"] == "no")).mean() > 0.99


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
