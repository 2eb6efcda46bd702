"""Rows under conditions: rare ones have enough independent beginnings, or it is said, and are distributed right."""

import logging

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError
from medsynth.generators import CART
from medsynth.generators.sequential import LEAST_SPREAD, SOUND_TRIES, draw_sequentially, effective_number, sound_rows
from tests.conftest import CODEBOOK


class Seldom:
    """Rows of a number in [0, 1), noise, and a flag that only numbers below `share` can have, three times in ten."""

    def __init__(self, rng, share, values):
        self.rng, self.share, self.values = rng, share, values

    def draw(self, position, allowed):
        if position < 2:
            self.values[:, position] = self.rng.random(len(self.values))
            return None
        return np.where(self.values[:, 0] < self.share, 0.3, 0.0)

    def select(self, rows):
        return Seldom(self.rng, self.share, self.values[rows])

    def join(self, other):
        return Seldom(self.rng, self.share, np.concatenate([self.values, other.values]))

    def replace(self, other, rows):
        self.values[rows] = other.values[rows]


def draw_seldom(n, share, seed=0):
    """Rows with the flag."""
    rng = np.random.default_rng(seed)
    start = lambda rows: Seldom(rng, share, np.zeros((rows, 2)))  # noqa: E731
    return draw_sequentially(start, n, ["number", "noise", "flag"], {2: np.array([0.0, 1.0])}, rng).values


@pytest.mark.parametrize("n", [500, 1000])
def test_rows_of_a_rare_flag_begin_independently(n, caplog):
    """The flag has the probability 0.0003."""
    drawn = draw_seldom(n, 0.001)
    assert effective_number(drawn[:, 0]) >= n / LEAST_SPREAD
    assert not caplog.records
    # Uniform below the share: mean 1 / 2, variance 1 / 12 of it.
    error = np.sqrt(1 / 12 / (n / LEAST_SPREAD))
    assert drawn[:, 0].mean() / 0.001 == pytest.approx(0.5, abs=4 * error)


def test_too_few_beginnings_are_said_with_their_effective_number_and_what_to_do(caplog):
    """Of a quarter of a million beginnings, about thirteen can have the flag."""
    with caplog.at_level(logging.WARNING):
        drawn = draw_seldom(1000, 5e-5)
    (said,) = [record.getMessage() for record in caplog.records]
    effective = effective_number(drawn[:, 0])
    assert effective < 30
    assert f"worth {effective:.0f} independent rows" in said
    assert "the conditions on 'flag' are rare" in said and "fit with these columns `first`" in said


def test_a_row_moved_from_later_on_keeps_its_beginning(caplog):
    """What the warning counts are values of the first column: no more than the rows have."""
    with caplog.at_level(logging.WARNING):
        drawn = draw_seldom(1000, 5e-5, seed=1)
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"go back to {len(np.unique(drawn[:, 0]))} beginnings" in said
    # The noise, drawn later, was moved.
    assert len(np.unique(drawn[:, 1])) > 2 * len(np.unique(drawn[:, 0]))


def test_a_rare_combination_is_not_refused_because_the_first_rows_miss_it():
    """One beginning in 5,000 can have the flag; ten rows are first looked for among 1,024."""
    for seed in range(5):
        assert (draw_seldom(10, 2e-4, seed)[:, 0] < 2e-4).all()


def test_what_is_below_one_in_a_million_is_refused():
    with pytest.raises(InputError, match=r"'flag' is met in fewer than 1e-06 of \d+ partial rows \(0 could go on"):
        draw_seldom(10, 0.0)


def test_no_rows_under_a_condition_can_be_drawn():
    assert len(draw_seldom(0, 0.001)) == 0


def test_the_effective_number_counts_groups_of_unequal_size():
    assert effective_number(np.array([1, 2, 3, 4])) == 4
    assert effective_number(np.array([7, 7, 7, 1])) == pytest.approx(16 / 10)


@pytest.fixture(scope="module")
def late():
    """CART on 150,000 rows whose last column has a category of probability 0.0003, likelier if others are large."""
    rng = np.random.default_rng(0)
    rows = 150_000
    number = rng.normal(size=rows)
    sex = rng.integers(0, 2, rows)
    risk = 0.8 * number + rng.normal(size=rows)
    odds = np.exp(1.2 * risk + 0.5 * sex)
    event = rng.random(rows) < 0.0003 * odds / odds.mean()
    columns = {
        "number": Column(type="continuous"),
        "sex": Column(type="binary", categories=["female", "male"]),
        "risk": Column(type="continuous"),
        "event": Column(type="binary", categories=["no", "yes"]),
    }
    codebook = Codebook.model_validate(CODEBOOK).model_copy(update={"columns": columns, "person": None})
    table = pd.DataFrame(
        {
            "number": number,
            "sex": np.where(sex, "male", "female"),
            "risk": risk,
            "event": np.where(event, "yes", "no"),
        }
    )
    return CART(smoothing=0).fit(codebook.conform(table), codebook, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("n", [500, 1000])
def test_trees_draw_a_rare_late_category_from_enough_beginnings(late, n, caplog):
    """What the first column has are training values, each of its own: equal ones are one beginning."""
    drawn = late.sample(n, seed=1, conditions={"event": "yes"})
    assert (drawn["event"] == "yes").all()
    # A beginning that was drawn twice counts once here.
    assert effective_number(drawn["number"].to_numpy()) >= 0.9 * n / LEAST_SPREAD
    assert not caplog.records


@pytest.mark.slow
def test_rows_of_a_rare_late_category_are_those_that_rejection_would_keep(late):
    drawn = late.sample(4000, seed=1, conditions={"event": "yes"})
    anybody = late.sample(1_500_000, seed=2)
    kept = anybody[anybody["event"] == "yes"]
    assert len(kept) > 300
    independent = effective_number(drawn["number"].to_numpy())
    for ours, theirs in (
        (drawn["number"], kept["number"]),
        (drawn["risk"], kept["risk"]),
        (drawn["sex"] == "male", kept["sex"] == "male"),
    ):
        error = np.sqrt(ours.var() / independent + theirs.var() / len(theirs))
        assert ours.mean() == pytest.approx(theirs.mean(), abs=3.5 * error)


def test_the_same_seed_gives_the_same_rare_rows(late):
    first, again, other = (late.sample(300, seed=seed, conditions={"event": "yes"}) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


class Coins(Seldom):
    """Rows that are sound where their first number is below `share`."""

    @property
    def sound(self):
        return self.values[:, 0] < self.share

    def select(self, rows):
        return Coins(self.rng, self.share, self.values[rows])

    def join(self, other):
        return Coins(self.rng, self.share, np.concatenate([self.values, other.values]))


@pytest.mark.parametrize(("share", "rounds"), [(1.0, 1), (0.7, None), (0.0, 1 + SOUND_TRIES)])
def test_rows_that_are_not_sound_are_drawn_again_so_many_times(share, rounds):
    rng, asked = np.random.default_rng(1), []

    def draw(n):
        asked.append(n)
        return Coins(rng, share, rng.random((n, 2)))

    rows = sound_rows(draw, 200)
    assert len(rows.values) == 200 and rows.sound.all() == (share > 0)
    assert rounds is None or len(asked) == rounds
    # Only what is not sound is drawn again.
    assert sum(asked) < 2 * 200 or share == 0
