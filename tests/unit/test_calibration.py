"""The calibration slope: what it says of probabilities made by hand, and the fits of statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from medsynth.evaluation.resampling import person_weights
from medsynth.scores.utility.calibration import calibration_slope


def predicted(rows, seed, *, stretch=1.0):
    """Outcomes, and the logits behind them multiplied by a factor: (rows,), (rows, 2)."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=rows)
    y = (rng.random(rows) < expit(true)).astype(int)
    probability = expit(stretch * true)
    return y, np.stack([1 - probability, probability], axis=1)


@pytest.mark.parametrize("stretch", [0.5, 1, 1.5])
def test_the_slope_says_by_how_much_logits_are_too_large(stretch):
    value, replicates = calibration_slope(*predicted(20_000, 1, stretch=stretch))
    assert value == pytest.approx(1 / stretch, rel=0.05)
    assert replicates is None


def test_the_slope_is_that_of_statsmodels():
    y, probability = predicted(200, 1)
    expected = sm.Logit(y, sm.add_constant(logit(probability[:, 1]))).fit(disp=0).params[1]
    assert calibration_slope(y, probability)[0] == pytest.approx(expected, abs=1e-6)


def test_replicates_are_weighted_refits():
    y, probability = predicted(200, 1, stretch=2)
    cut = np.clip(probability[:, 1], 0.005, 0.995)
    weights = person_weights(np.arange(200) // 2, seed=1)
    value, replicates = calibration_slope(y, probability, weights)
    design = sm.add_constant(logit(cut))
    for i in range(5):
        fitted = sm.GLM(y, design, family=sm.families.Binomial(), freq_weights=weights[i].astype("float64")).fit()
        assert replicates[i] == pytest.approx(fitted.params[1], abs=1e-6)
    assert replicates.shape == (len(weights),)
    assert value == pytest.approx(replicates.mean(), rel=0.1)


def test_a_forest_may_be_certain_and_wrong():
    y = np.array([0, 1, 0, 1, 1, 0])
    certain = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    value, _ = calibration_slope(y, np.stack([1 - certain, certain], axis=1))
    # Two of three are right: log(2) is the logit that they deserve.
    assert value == pytest.approx(np.log(2) / np.log(0.995 / 0.005))


def test_of_three_classes_it_is_the_mean_against_the_rest():
    rng = np.random.default_rng(1)
    probability = rng.dirichlet([1, 1, 1], size=400)
    y = np.array([rng.choice(3, p=p) for p in probability])
    each = [
        calibration_slope((y == one).astype(int), np.stack([1 - probability[:, one], probability[:, one]], axis=1))[0]
        for one in range(3)
    ]
    assert calibration_slope(y, probability)[0] == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("y", "of_one"),
    [
        ([1, 1, 1, 1], [0.2, 0.4, 0.6, 0.8]),
        ([0, 1, 0, 1], [0.7, 0.7, 0.7, 0.7]),
        ([0, 0, 1, 1], [0.2, 0.4, 0.6, 0.8]),
    ],
    ids=["one class", "equal probabilities", "separated classes"],
)
def test_there_may_be_no_slope(y, of_one):
    of_one = np.array(of_one)
    value, replicates = calibration_slope(
        np.array(y), np.stack([1 - of_one, of_one], axis=1), np.ones((2, 4), dtype="float32")
    )
    assert np.isnan(value) and np.isnan(replicates).all()


def test_a_replicate_without_a_class_has_no_slope():
    y, probability = predicted(60, 1)
    weights = np.stack([np.ones(60), (y == 1).astype(float)])
    _, replicates = calibration_slope(y, probability, weights)
    assert np.isfinite(replicates[0]) and np.isnan(replicates[1])
