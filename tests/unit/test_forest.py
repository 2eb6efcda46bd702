"""A forest of sequential trees: bagging, small leaves, smoothing, relations, conditions."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError
from medsynth.generators import Forest
from medsynth.generators.cart import _PartialRows, _values
from medsynth.generators.forest import SequentialForest
from medsynth.preparation.relations import Relations


@pytest.fixture
def model(partitions):
    """A forest of one visit sequence, of the ward."""
    return SequentialForest(trees=4).fit(partitions[0], partitions[2], seed=1)


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
    for tree in SequentialForest(trees=2, min_leaf=9, min_leaf_categories=9).fit(train, codebook, seed=1).trees_:
        leaves = tree["feature"] < 0
        assert (tree["ends"] - tree["starts"])[leaves].min() >= 9


def test_leaves_of_categories_are_larger_than_those_of_numbers(partitions):
    train, _, codebook = partitions
    model = SequentialForest(trees=1).fit(train, codebook, seed=1)
    smallest = {
        name: (tree["ends"] - tree["starts"])[tree["feature"] < 0].min()
        for name, tree in zip(model.order_, model.trees_, strict=True)
    }
    assert 5 <= smallest["crp"] < 20 <= min(smallest[name] for name in ("sex", "stage", "admitted", "icu"))


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
    assert SequentialForest.load(tmp_path).sample(300, seed=2).equals(model.sample(300, seed=2))


def test_rows_of_one_request_come_from_several_trees(model, partitions):
    train, _, codebook = partitions
    rows = _PartialRows(model, 2000, np.random.default_rng(0))
    last = len(model.order_) - 1
    rows.values = {b: np.repeat(_values(train[b], codebook)[:1], 2000) for b in model.order_[:last]}
    rows.draw(last, None)
    several = len(set(rows.values[model.order_[last]]))
    single = model.trees_of(last)[0]
    further = model.further(model.order_[last], {b: rows.values[b][:1] for b in model.order_[:last]})
    leaf = rows._leaves(single, last, np.arange(1), further)[0]
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
    assert all(sum(map(len, forest.relations_.orders_.values())) == 1 for forest in model.forests_)
    assert not drawn["stay"].isin(train["stay"]).all()


def test_rows_take_values_from_different_training_rows(codebook):
    columns = {"group": Column(type="categorical", categories=list("ABCDEF"))}
    columns |= {name: Column(type="integer") for name in ("up", "down")}
    described = codebook.model_copy(update={"columns": columns})
    # Every row has numbers of its own, which lie close together within a group, and are in no order.
    rng = np.random.default_rng(5)
    up, down = (np.concatenate([rng.permutation(30) + 30 * group for group in range(6)]) for _ in range(2))
    train = described.conform(pd.DataFrame({"group": np.repeat(list("ABCDEF"), 30), "up": up, "down": down}))
    pairs = set(zip(up, down, strict=True))
    model = SequentialForest(min_leaf=12, smoothing=0)

    def copied():
        drawn = model.fit(train, described, seed=1).sample(500, seed=1)
        return np.mean([pair in pairs for pair in zip(drawn["up"], drawn["down"], strict=True)])

    spread = copied()
    model.spreads_donors = False
    assert spread < 0.01 < copied()


def test_rows_come_from_several_visit_sequences_that_begin_with_first(partitions):
    train, _, codebook = partitions
    model = Forest(orders=3, trees=1).fit(train, codebook, seed=1, first=["stage", "icu"])
    orders = [forest.order_ for forest in model.forests_]
    # Whether someone is admitted decides whether the question of intensive care arises.
    assert len({tuple(order) for order in orders}) == 3
    assert len({tuple(order[: order.index("icu") + 1]) for order in orders}) == 1
    alone = [forest.sample(1, seed=1) for forest in model.forests_]
    assert len(pd.concat(alone).drop_duplicates()) > 1


def test_all_sequences_meet_the_conditions(partitions):
    train, _, codebook = partitions
    model = Forest(orders=3, trees=1).fit(train, codebook, seed=1)
    drawn = model.sample(400, seed=1, conditions={"stage": "III", "age": (60, 80)})
    assert len(drawn) == 400 and (drawn["stage"] == "III").all() and drawn["age"].between(60, 80).all()
    assert len(model.sample(3, seed=1, conditions={"stage": "III"})) == 3


def test_what_holds_in_every_row_does_not_depend_on_the_visit_sequence():
    # All 40 rows with code 1 are of group 1. By chance each other group would have 4 or 25 of them: too few for two of
    # the cells alone, and enough for all together.
    rng = np.random.default_rng(4)
    code = np.repeat([0, 1], [400, 40])
    group = np.where(code == 1, 1, rng.choice([0, 1, 2, 3], 400 + 40, p=[0.7, 0.1, 0.1, 0.1]))
    sizes = {"code": 2, "group": 4}
    values = {"code": code, "group": group}
    found = [Relations.find(values, order, sizes).zeros_ for order in (["code", "group"], ["group", "code"])]
    (forth,), (back,) = found[0]["group"], found[1]["code"]
    assert (forth.possible == back.possible.T).all() and not forth.possible[1, [2, 3]].any()


def test_where_a_sequence_cannot_meet_the_conditions_others_give_its_rows(partitions):
    train, _, codebook = partitions
    model = Forest(orders=3, trees=1).fit(train, codebook, seed=1)
    without = train[train["stage"] != "III"].reset_index(drop=True)
    for cannot in (1, 2):
        model.forests_[cannot] = SequentialForest(trees=1).fit(without, codebook, seed=1)
        for n in (400, 3):
            drawn = model.sample(n, seed=1, conditions={"stage": "III"})
            assert len(drawn) == n and (drawn["stage"] == "III").all()
    model.forests_[0] = model.forests_[1]
    with pytest.raises(InputError, match="stage"):
        model.sample(3, seed=1, conditions={"stage": "III"})


def test_what_the_few_rows_of_a_category_lack_is_no_relation():
    # 100 categories of 5 rows each; the code 0 has the category 100 alone, and 1 all others.
    rare = np.concatenate([np.repeat(np.arange(100), 5), np.full(300, 100)])
    code = np.where(rare == 100, 0, 1)
    code[::5] = 2
    found = Relations.find({"rare": rare, "code": code}, ["rare", "code"], {"rare": 101, "code": 3})
    assert found.marks_["rare"].tolist() == [100]
    rows = np.arange(3)

    def holds(category):
        return found.holds("code", rows, {"rare": np.full(3, category)}, rows).tolist()

    assert holds(100) == [True, False, True]
    # Its rows have 1 and 2. That none has 0 would be chance, if code 0 were not one category's.
    assert holds(7) == [False, True, True]


def test_a_saved_model_keeps_relations_of_columns_with_peculiar_names(tmp_path):
    rng = np.random.default_rng(1)
    a = rng.integers(0, 2, 300)
    table = pd.DataFrame({"a": a, "a | b": a, "b | c": a, "c": rng.integers(0, 2, 300)}).astype(str)
    model = SequentialForest(trees=1).fit(table, Codebook.infer(table), seed=1)
    model.save(tmp_path)
    loaded = SequentialForest.load(tmp_path)
    zeros = [
        {name: [zero.before for zero in found] for name, found in one.relations_.zeros_.items()}
        for one in (model, loaded)
    ]
    assert zeros[0] == zeros[1] and zeros[0]["b | c"] == ["a", "a | b"]
    pd.testing.assert_frame_equal(model.sample(50, seed=1), loaded.sample(50, seed=1))


def test_a_forest_without_a_sequence_is_refused(partitions):
    train, _, codebook = partitions
    with pytest.raises(InputError, match="one visit sequence or more"):
        Forest(orders=0).fit(train, codebook)


def test_fewer_rows_than_none_are_refused(model):
    with pytest.raises(InputError, match="-3 rows cannot be sampled"):
        model.sample(-3)
