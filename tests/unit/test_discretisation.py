"""Tables as codes and back: what is kept exactly, what within a bin, and what a range condition draws."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Column
from medsynth.conditions import Conditions
from medsynth.generators.discretisation import TableCoder


@pytest.fixture
def coded(codebook):
    """Function that makes a coder of one numeric column: (its codebook, the fitted coder)."""

    def make(values, type="continuous", **settings):
        described = codebook.model_copy(update={"columns": {"x": Column(type=type)}})
        table = described.conform(pd.DataFrame({"x": values}))
        return table, TableCoder(**settings).fit(table, described)

    return make


def back(coder, table, conditions=None, seed=0):
    """Encode and decode."""
    wanted = Conditions.parse(conditions, coder.codebook_)
    return coder.decode(coder.encode(table), np.random.default_rng(seed), wanted)


def drawn_under(coder, condition, n=5000):
    """Values under a condition, codes by the share of them that meets it."""
    wanted = Conditions.parse({"x": condition}, coder.codebook_)
    shares = coder.shares("x", wanted["x"])
    rng = np.random.default_rng(0)
    codes = rng.choice(len(shares), (n, 1), p=shares / shares.sum())
    return coder.decode(codes, rng, wanted)["x"].to_numpy()


GAMMA = np.random.default_rng(0).gamma(2, 10, 3000)


def test_categories_come_back_exactly(partitions):
    train, _, codebook = partitions
    coder = TableCoder().fit(train, codebook)
    names = ["sex", "admitted", "icu", "stage"]
    pd.testing.assert_frame_equal(back(coder, train)[names], train[names])


def test_a_decoded_table_has_the_tables_types(partitions):
    train, _, codebook = partitions
    assert back(TableCoder().fit(train, codebook), train).dtypes.equals(train.dtypes)


def test_numbers_come_back_inside_their_bin(coded):
    table, coder = coded(GAMMA)
    codes, knots = coder.encode(table)[:, 0], coder.knots_["x"]
    values = back(coder, table)["x"].to_numpy()
    assert ((values >= knots[codes, 0]) & (values <= knots[codes, -1])).all()


def test_numbers_that_come_back_have_the_code_that_they_had(partitions):
    train, _, codebook = partitions
    coder = TableCoder(max_bins=16).fit(train, codebook)
    assert (coder.encode(back(coder, train)) == coder.encode(train)).all()


def test_bins_hold_the_least_number_of_rows(coded):
    table, coder = coded(GAMMA, min_rows=25)
    assert np.bincount(coder.encode(table)[:, 0]).min() >= 25


def test_there_are_about_as_many_bins_as_wanted(coded):
    _, coder = coded(GAMMA, max_bins=32)
    assert 32 <= coder.sizes_[0] <= 48


def test_few_distinct_values_have_a_bin_each(coded):
    table, coder = coded(np.arange(3000) % 40, type="integer")
    assert coder.sizes_ == [40]
    pd.testing.assert_frame_equal(back(coder, table), table)


def test_integers_stay_whole(coded):
    table, coder = coded(np.round(GAMMA * 50), type="integer")
    assert back(coder, table)["x"].dtype == "int64"


def test_a_spike_at_zero_keeps_its_share(coded):
    values = np.where(np.random.default_rng(1).random(3000) < 0.4, 0, GAMMA)
    table, coder = coded(values)
    assert (back(coder, table)["x"] == 0).mean() == (table["x"] == 0).mean()


def test_heavy_tails_keep_their_far_quantile(coded):
    table, coder = coded(np.random.default_rng(2).lognormal(0, 2, 20_000))
    drawn = back(coder, table)["x"].quantile(0.999)
    assert 0.5 < drawn / table["x"].quantile(0.999) < 2


def test_a_constant_column_comes_back(coded):
    table, coder = coded(np.full(60, 7.25))
    assert coder.sizes_ == [1]
    pd.testing.assert_frame_equal(back(coder, table), table)


def test_two_values_come_back(coded):
    table, coder = coded(np.tile([1.5, 90.0], 40))
    pd.testing.assert_frame_equal(back(coder, table), table)


@pytest.mark.parametrize("decimals", [1, 2, 4])
def test_decimals_are_those_of_the_training_values(coded, decimals):
    table, coder = coded(np.round(GAMMA, decimals))
    values = back(coder, table)["x"]
    assert np.allclose(values, values.round(decimals), rtol=0, atol=1e-9)
    assert coder.decimals_["x"] == decimals


def test_the_mean_and_the_spread_come_back(coded):
    table, coder = coded(GAMMA, max_bins=16)
    values = back(coder, table)["x"]
    assert values.mean() == pytest.approx(table["x"].mean(), rel=0.02)
    assert values.std() == pytest.approx(table["x"].std(), rel=0.05)


def test_values_between_and_beyond_the_bins_have_a_code(coded):
    table, coder = coded(np.repeat([1.0, 5.0, 9.0], 20))
    codes = coder.encode(table.iloc[:4].assign(x=[-3.0, 4.0, 6.0, 99.0]))
    assert codes[:, 0].tolist() == [0, 0, 1, 2]


def test_the_share_of_a_range_is_counted_within_bins(coded):
    table, coder = coded(np.random.default_rng(3).uniform(0, 1, 10_000), max_bins=10)
    parsed = Conditions.parse({"x": (0.25, 0.62)}, coder.codebook_)
    weights = np.bincount(coder.encode(table)[:, 0]) / len(table)
    assert weights @ coder.shares("x", parsed["x"]) == pytest.approx(0.37, abs=0.01)


def test_shares_of_categories_are_zero_or_one(partitions):
    _, _, codebook = partitions
    coder = TableCoder().fit(partitions[0], codebook)
    parsed = Conditions.parse({"icu": ["yes", "no"]}, codebook)
    assert coder.shares("icu", parsed["icu"]).tolist() == [1, 1, 0]


@pytest.mark.parametrize("low, high", [(10, 20), (12.345, 12.9), (None, 5), (40, None)])
def test_values_drawn_under_a_range_are_inside(coded, low, high):
    _, coder = coded(GAMMA)
    values = drawn_under(coder, (low, high))
    assert (values >= (low or 0)).all() and (values <= (high or np.inf)).all()


def test_a_range_that_cuts_bins_is_filled_evenly(coded):
    _, coder = coded(np.random.default_rng(3).uniform(0, 1, 10_000), max_bins=10)
    values = drawn_under(coder, (0.25, 0.62))
    assert np.histogram(values, 4, (0.25, 0.62))[0] / len(values) == pytest.approx([0.25] * 4, abs=0.04)


def test_integers_drawn_under_a_fractional_range_are_inside(coded):
    _, coder = coded(np.round(GAMMA), type="integer", max_bins=8)
    values = drawn_under(coder, (10.5, 20.2))
    assert values.min() == 11 and values.max() == 20


def test_a_fractional_end_adds_no_decimals(coded):
    _, coder = coded(np.round(GAMMA, 1), max_bins=8)
    values = drawn_under(coder, (10.25, 20.33))
    assert values.min() == 10.3 and values.max() == 20.3
    assert np.allclose(values, values.round(1), rtol=0, atol=1e-9)


def test_prescribed_never_draws_zero_nor_next_to_nothing(coded):
    _, coder = coded(np.round(np.random.default_rng(4).uniform(0, 30, 3000), 1), max_bins=8)
    assert drawn_under(coder, "prescribed").min() == 0.1


@pytest.mark.filterwarnings("error")
def test_prescribed_is_computed_without_overflow_beside_a_spike_at_zero(coded):
    _, coder = coded(np.where(np.random.default_rng(1).random(3000) < 0.4, 0, GAMMA))
    assert drawn_under(coder, "prescribed").min() > 0.01


def test_not_prescribed_draws_zero_alone(coded):
    _, coder = coded(np.where(np.random.default_rng(1).random(3000) < 0.4, 0, GAMMA))
    assert (drawn_under(coder, "not prescribed") == 0).all()


def test_one_number_is_drawn_as_it_is(coded):
    _, coder = coded(np.round(GAMMA), type="integer", max_bins=8)
    assert (drawn_under(coder, 13) == 13).all()


def test_no_share_is_left_outside_what_was_seen(coded):
    _, coder = coded(np.repeat([1.0, 5.0, 9.0], 20))
    parsed = Conditions.parse({"x": (6, 8)}, coder.codebook_)
    assert not coder.shares("x", parsed["x"]).any()


def test_every_bin_rests_on_enough_rows(coded):
    rng = np.random.default_rng(0)
    table, coder = coded(np.concatenate([[-50.0, -5.3], np.zeros(300), np.round(rng.lognormal(0, 2, 500), 3)]))
    counts = np.bincount(coder.encode(table)[:, 0], minlength=len(coder.knots_["x"]))
    assert (counts >= coder.min_rows).all()


def test_a_lonely_value_before_a_spike_gives_no_bin_of_its_own(coded):
    _, coder = coded(np.concatenate([[-5.3], np.zeros(300), np.arange(1, 200) / 10]))
    assert coder.knots_["x"][0].tolist() == [0.0] * 5
