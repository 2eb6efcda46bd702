"""The canary audit of benchmarks/: what a number of right guesses says of epsilon."""

import math
import sys

import numpy as np
import pytest
from scipy.stats import binom

from tests.conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))
from canary_audit import audit, lower_bound, make_canaries, p_value, surprise


def test_as_many_right_as_by_chance_say_nothing():
    assert lower_bound(1000, 1000, 500, 0.0, 0.05) == 0.0
    assert lower_bound(1000, 1000, 520, 0.0, 0.05) == 0.0


def test_a_thousand_right_of_a_thousand_say_much():
    # All right happens with probability (e^epsilon / (1 + e^epsilon)) ^ 1000 at most, which is 0.05 here.
    coin = 0.05 ** (1 / 1000)
    assert lower_bound(1000, 1000, 1000, 0.0, 0.05) == pytest.approx(math.log(coin / (1 - coin)), abs=1e-3)


def test_the_bound_grows_with_the_number_of_right_guesses_and_shrinks_with_delta():
    bounds = [lower_bound(1000, 1000, right, 1e-5, 0.05) for right in range(500, 1001, 50)]
    assert bounds == sorted(bounds) and bounds[0] == 0 and len(set(bounds[1:])) == 10
    assert lower_bound(1000, 1000, 900, 1e-4, 0.05) < lower_bound(1000, 1000, 900, 0.0, 0.05)


def test_the_same_share_of_fewer_guesses_says_less():
    assert lower_bound(1000, 100, 80, 0.0, 0.05) < lower_bound(1000, 1000, 800, 0.0, 0.05)


def test_what_delta_adds_is_what_the_theorem_says():
    # Three guesses, two right, coins of 1/2: P[W >= 2] = 4/8; P[W = 1] / 1 = 3/8 and P[W in {0, 1}] / 2 = 4/16.
    assert p_value(10, 3, 2, 0.0, 0.0) == pytest.approx(0.5)
    assert p_value(10, 3, 2, 0.0, 0.01) == pytest.approx(0.5 + 2 * 10 * 0.01 * 3 / 8)
    assert p_value(10, 3, 0, 0.0, 0.01) == 1.0


@pytest.mark.slow
def test_randomised_response_is_bounded_below_its_epsilon_nearly_always():
    # It is told with probability e^epsilon / (1 + e^epsilon) whether a canary was there: the worst that epsilon allows.
    rng, epsilon, m = np.random.default_rng(0), 1.0, 1000
    over = []
    for _ in range(200):
        there = rng.random(m) < 0.5
        told = rng.random(m) < 1 / (1 + math.exp(-epsilon))
        scores = np.where(told == there, 1.0, 0.0) + rng.random(m) / 1000
        over.append(audit(scores, there, 0.0)[0])
    # More than that happens in one of ten thousand runs of a program that is right.
    assert sum(bound > epsilon for bound in over) <= binom.ppf(0.9999, 200, 0.05)
    assert np.median(over) > 0.7


@pytest.mark.slow
def test_a_network_without_noise_is_found_to_have_learned_its_canaries(partitions):
    from medsynth.generators import DPMedVAEPlus

    codebook = partitions[2]
    rng = np.random.default_rng(0)
    canaries, decoys = (make_canaries(codebook, n, rng) for n in (12, 2000))
    there = np.arange(12) % 2 == 0
    # So few columns have few rows that nobody has: each canary often, to be told from decoys at all.
    learned = codebook.conform(canaries[there].sample(200, replace=True, random_state=0))
    model = DPMedVAEPlus(steps=200, learning_rate=0.02).fit(learned, codebook, seed=1)
    scores = surprise(model, canaries, decoys)
    assert scores[there].mean() > scores[~there].mean()
