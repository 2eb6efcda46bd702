"""Sequential trees: donors, leaves, smoothing, the order of categories, and conditions met by every row."""

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from medsynth.codebook import Column
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators import CART
from medsynth.generators.cart import _PartialRows, _predictors, _score_by_predictors, _score_categories, _values
from medsynth.generators.storage import FILE
from medsynth.randomness import derive_seed


def fit(train, codebook, **settings):
    """Fit trees."""
    order = {"first": settings.pop("first", ())}
    return CART(**settings).fit(train, codebook, seed=1, **order)


@pytest.fixture
def many(codebook):
    """Numbers that decide among many categories: 1,500 rows, their codebook."""
    rng = np.random.default_rng(0)
    place = rng.random(1500)
    code = np.clip((place * 80 + rng.normal(0, 2, 1500)).astype(int), 0, 79)
    columns = {
        "place": Column(type="continuous"),
        "town": Column(type="categorical", categories=[f"t{i}" for i in rng.permutation(80)]),
        "risk": Column(type="continuous"),
    }
    described = codebook.model_copy(update={"columns": columns})
    names = [f"t{i}" for i in range(80)]
    table = pd.DataFrame(
        {"place": place, "town": [names[c] for c in code], "risk": code / 80 + rng.normal(0, 0.1, 1500)}
    )
    return described.conform(table), described


# Donors and leaves


def test_every_category_drawn_was_seen_in_training(partitions):
    train, _, codebook = partitions
    seen = train[train["stage"] != "II"].reset_index(drop=True)
    assert set(fit(seen, codebook).sample(2000, seed=1)["stage"]) == {"I", "III"}


def test_without_smoothing_every_number_drawn_is_a_training_value(partitions):
    train, _, codebook = partitions
    drawn = fit(train, codebook, smoothing=0).sample(2000, seed=1)
    for name in ("age", "crp"):
        assert set(drawn[name]) <= set(train[name])


def test_what_never_occurs_together_is_not_drawn_together(partitions):
    drawn = fit(partitions[0], partitions[2]).sample(3000, seed=1)
    assert ((drawn["icu"] == "not applicable") == (drawn["admitted"] == "no")).all()


def test_the_first_column_is_drawn_from_all_training_rows(partitions):
    train, _, codebook = partitions
    drawn = fit(train, codebook, first=["stage"]).sample(5000, seed=1)["stage"].value_counts(normalize=True)
    wanted = train["stage"].value_counts(normalize=True)
    assert drawn.loc[wanted.index].to_numpy() == pytest.approx(wanted.to_numpy(), abs=0.03)


def test_columns_to_begin_with_are_first_in_the_visit_sequence(partitions):
    model = fit(partitions[0], partitions[2], first=["stage", "crp"])
    assert model.order_ == ["stage", "crp", "age", "sex", "admitted", "icu"]
    assert list(model.sample(5, seed=1)) == list(partitions[0])


@pytest.mark.parametrize("min_leaf", [5, 40])
def test_leaves_hold_the_least_number_of_rows(partitions, min_leaf):
    for tree in fit(partitions[0], partitions[2], min_leaf=min_leaf).trees_:
        held = (tree["ends"] - tree["starts"])[tree["feature"] < 0]
        assert held.min() >= min_leaf
        assert held.sum() == len(partitions[0])


def descend(model, train, name):
    """Leaves that our own descent finds for the training rows, and what it is given."""
    place = model.order_.index(name)
    before = model.order_[:place]
    rows = _PartialRows(model, len(train), np.random.default_rng(0))
    rows.values = {b: _values(train[b], model.codebook_) for b in before}
    tree = model.trees_[place]
    scores = {b: tree[f"scores {b}"] for b in before if f"scores {b}" in tree}
    return rows._leaves(tree, place, np.arange(len(train))), _predictors(rows.values, before, scores)


@pytest.mark.parametrize(
    "name, kind",
    [("admitted", DecisionTreeClassifier), ("icu", DecisionTreeClassifier), ("crp", DecisionTreeRegressor)],
)
def test_our_own_descent_finds_the_leaves_that_sklearn_finds(partitions, name, kind):
    train, _, codebook = partitions
    model = fit(train, codebook)
    leaves, x = descend(model, train, name)
    theirs = kind(min_samples_leaf=20, random_state=derive_seed(1, "tree", name)).fit(x, _values(train[name], codebook))
    assert theirs.get_n_leaves() > 1
    assert leaves.tolist() == theirs.apply(x).tolist()


def test_every_training_row_is_a_donor_of_the_leaf_that_it_descends_to(partitions):
    train, _, codebook = partitions
    model = fit(train, codebook)
    for name, tree in zip(model.order_[1:], model.trees_[1:], strict=True):
        leaves, _ = descend(model, train, name)
        donors = [tree["donors"][a:b] for a, b in zip(tree["starts"], tree["ends"], strict=True)]
        values = _values(train[name], codebook)
        for leaf in set(leaves.tolist()):
            assert sorted(values[leaves == leaf]) == sorted(donors[leaf])


def test_a_loaded_model_descends_as_the_fitted_one(partitions, tmp_path):
    train, _, codebook = partitions
    model = fit(train, codebook)
    model.save(tmp_path)
    loaded = CART.load(tmp_path)
    for name in model.order_[1:]:
        assert (descend(loaded, train, name)[0] == descend(model, train, name)[0]).all()


def test_a_saved_model_is_hardly_larger_than_its_arrays(partitions, tmp_path):
    model = fit(partitions[0], partitions[2], min_leaf=5)
    model.save(tmp_path)
    arrays = [array for tree in model.trees_ for array in tree.values()]
    arrays += [array for parts in model.neighbours_.values() for array in parts]
    # Beside them a kilobyte an array of names and padding, and the codebook.
    assert (tmp_path / FILE).stat().st_size < sum(a.nbytes for a in arrays) + 1000 * len(arrays) + 5000


def test_the_card_counts_leaves_and_admits_to_training_records(partitions):
    card = fit(partitions[0], partitions[2]).card()
    assert card["leaves"]["age"] == 1 and card["leaves"]["crp"] > 1
    assert card["holds_training_records"] is True


# Smoothing


@pytest.fixture
def spiked(codebook):
    """Continuous and whole numbers, four rows in ten of them zero."""
    rng = np.random.default_rng(0)
    columns = {"dose": Column(type="continuous"), "visits": Column(type="integer")}
    described = codebook.model_copy(update={"columns": columns})
    zero = rng.random(1000) < 0.4
    dose = np.where(zero, 0, rng.gamma(2, 10, 1000))
    visits = np.where(zero, 0, rng.gamma(2, 40, 1000).round())
    return described.conform(pd.DataFrame({"dose": dose, "visits": visits})), described


def test_smoothing_moves_continuous_values(spiked):
    drawn = fit(*spiked).sample(1000, seed=1)["dose"]
    moved = drawn[drawn > 0]
    assert not set(moved) & set(spiked[0]["dose"])


def test_a_moved_value_stays_within_halfway_to_its_neighbours(spiked):
    train = spiked[0]
    drawn = fit(*spiked).sample(1000, seed=1)["dose"]
    assert drawn.between(train["dose"].min(), train["dose"].max()).all()
    known = np.unique(train["dose"])
    middles = (known[1:] + known[:-1]) / 2
    donor = known[np.searchsorted(middles, drawn)]
    assert drawn.mean() == pytest.approx(donor.mean(), rel=0.01)


def test_smoothing_leaves_whole_numbers_whole(spiked):
    drawn = fit(*spiked, smoothing=3).sample(1000, seed=1)["visits"]
    assert drawn.dtype == "int64"
    assert set(drawn) - set(spiked[0]["visits"])


@pytest.mark.parametrize(("step", "first", "decimals"), [(15, 0, 0), (10, 5, 0), (0.25, 0.1, 2)])
def test_smoothing_keeps_the_steps_of_clocks_decades_and_doses(codebook, step, first, decimals):
    columns = {"number": Column(type="continuous" if decimals else "integer")}
    described = codebook.model_copy(update={"columns": columns})
    steps = np.random.default_rng(0).gamma(2, 500, 800).round()
    train = described.conform(pd.DataFrame({"number": (first + step * steps).round(decimals)}))
    drawn = fit(train, described, smoothing=3).sample(1000, seed=1)["number"]
    assert set(drawn) - set(train["number"])
    taken = (drawn.to_numpy() - first) / step
    assert taken == pytest.approx(taken.round(), abs=1e-6)


def test_smoothing_leaves_spikes_alone(spiked):
    train, drawn = spiked[0], fit(*spiked).sample(5000, seed=1)
    for name in ("dose", "visits"):
        assert (drawn[name] == 0).mean() == pytest.approx((train[name] == 0).mean(), abs=0.03)


def test_smoothing_does_not_fill_the_gap_beside_a_spike(spiked):
    """What moves toward zero goes halfway at most."""
    train, drawn = spiked[0], fit(*spiked).sample(5000, seed=1)["dose"]
    smallest = train["dose"][train["dose"] > 0].min()
    assert drawn[drawn > 0].min() >= smallest / 2


# The order of categories


def test_categories_are_ordered_by_the_mean_of_a_number():
    codes = np.repeat([0, 1, 2, 3], 50)
    target = np.array([5.0, 1.0, 9.0, 3.0])[codes]
    assert _score_categories(codes, 4, target[:, None]).tolist() == [2, 0, 3, 1]


def test_categories_are_ordered_by_the_first_principal_component_of_many_classes():
    """Shares of four classes lie on a line from one distribution to another, at places that the order must find."""
    places = np.array([0.6, 0.0, 1.0, 0.2, 0.8, 0.4])
    ends = np.array([[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.3, 0.4]])
    counts = np.round(1000 * (ends[0] + places[:, None] * (ends[1] - ends[0]))).astype(int)
    codes = np.repeat(np.arange(6), counts.sum(1))
    classes = np.concatenate([np.repeat(np.arange(4), row) for row in counts])
    scores = _score_categories(codes, 6, np.eye(4)[classes])
    wanted = np.argsort(np.argsort(places))
    assert scores.tolist() in (wanted.tolist(), (5 - wanted).tolist())


def test_very_many_categories_of_a_target_are_scored_by_the_columns_before():
    codes = np.repeat(np.arange(40), 10)
    place = np.random.default_rng(0).permutation(40).astype(float)
    scores = _score_by_predictors(codes, 40, [place[codes], np.zeros(400)])
    assert abs(np.corrcoef(scores, place)[0, 1]) == pytest.approx(1)


def test_a_target_of_more_categories_than_a_classifier_takes_keeps_what_it_depends_on(many):
    train, codebook = many
    drawn = fit(train, codebook).sample(3000, seed=1)
    means = train.groupby("town", observed=True)["place"].mean()
    distance = drawn["place"] - drawn["town"].map(means).astype(float)
    assert distance.abs().mean() < 0.05


def test_a_predictor_of_many_categories_decides_by_them(many):
    train, codebook = many
    drawn = fit(train, codebook, first=["town"]).sample(3000, seed=1)
    means = train.groupby("town", observed=True)["risk"].mean()
    assert np.corrcoef(drawn["risk"], drawn["town"].map(means).astype(float))[0, 1] > 0.8


# Conditions


@pytest.fixture
def rare(partitions):
    """Ward table in which 20 of 300 rows, old patients, are of stage III."""
    train = partitions[0]
    oldest = train["age"].nlargest(60).index[::3]
    stage = np.where(train.index.isin(oldest), "III", np.where(np.arange(len(train)) % 2, "I", "II"))
    return partitions[2].conform(train.assign(stage=stage)), partitions[2]


@pytest.mark.parametrize(
    "conditions",
    [
        {"stage": "III"},
        {"stage": ["I", "III"], "sex": "male"},
        {"age": (40, 52)},
        {"age": (40.5, 52.4)},
        {"crp": (10, 20.55)},
        {"crp": "prescribed", "age": (None, 50)},
        {"sex": "female", "admitted": "yes", "icu": "no", "stage": "III", "age": (30, None)},
    ],
    ids=str,
)
@pytest.mark.parametrize("smoothing", [1, 5])
def test_every_row_meets_every_condition(rare, conditions, smoothing):
    train, codebook = rare
    drawn = fit(train, codebook, smoothing=smoothing).sample(500, seed=1, conditions=conditions)
    assert len(drawn) == 500
    assert Conditions.parse(conditions, codebook).holds(drawn).all()


def test_rows_of_a_rare_category_are_like_the_trees_own_ones(rare):
    train, codebook = rare
    model = fit(train, codebook)
    asked = model.sample(2000, seed=1, conditions={"stage": "III"})
    anybody = model.sample(20_000, seed=2)
    own = anybody[anybody["stage"] == "III"]
    assert own["age"].mean() - anybody["age"].mean() > 6
    assert asked["age"].mean() == pytest.approx(own["age"].mean(), abs=2)
    assert asked["crp"].mean() == pytest.approx(own["crp"].mean(), rel=0.15)


def test_a_combination_that_cannot_be_is_refused_and_says_how_far_it_got(partitions):
    model = fit(partitions[0], partitions[2])
    with pytest.raises(InputError, match=r"'icu' after 'admitted' is met in fewer .*\(0 could go on"):
        model.sample(5, seed=1, conditions={"admitted": "no", "icu": "yes"})


def test_a_range_without_a_donor_is_refused(partitions):
    train, _, codebook = partitions
    model = fit(train.assign(crp=np.where(train["crp"] > 30, 90.0, 10.0)), codebook)
    with pytest.raises(InputError, match=r"'crp' is met in fewer"):
        model.sample(5, seed=1, conditions={"crp": (40, 60)})


def test_no_rows_can_be_drawn(partitions):
    assert len(fit(partitions[0], partitions[2]).sample(0, seed=1)) == 0
