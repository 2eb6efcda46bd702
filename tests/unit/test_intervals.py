"""Intervals cover persons and training, and stay within the bounds of a score."""

import numpy as np
import pytest
from scipy import stats

from medsynth.evaluation.intervals import UNIT, Interval, holm, interval, ratio_interval
from medsynth.evaluation.resampling import least_variance


def test_one_seed_has_the_interval_of_its_persons():
    found = interval([0.7], [0.01**2])
    assert (found.low, found.high) == pytest.approx((0.7 - 1.959964 * 0.01, 0.7 + 1.959964 * 0.01))


def test_the_persons_variance_does_not_shrink_with_the_seeds():
    assert interval([0.7] * 4, [0.01**2] * 4).variance == pytest.approx(0.01**2)


def test_the_variance_is_that_of_persons_and_one_and_a_kth_of_training():
    values, persons = [0.70, 0.72, 0.74], [0.0001, 0.0002, 0.0003]
    found = interval(values, persons)
    between = np.var(values, ddof=1)
    assert found.variance == pytest.approx(0.0002 + 4 / 3 * between)
    assert found.df == pytest.approx(2 * (found.variance / (4 / 3 * between)) ** 2)


def test_partitions_of_their_own_take_the_correction_for_common_training_rows():
    values = [0.70, 0.72, 0.74]
    found = interval(values, [1e-9] * 3, splits=0.25)
    assert found.variance == pytest.approx((1 / 3 + 0.25) * np.var(values, ddof=1))
    assert found.df == 2


@pytest.mark.parametrize("values", [[0.999, 1.0], [1.0, 1.0], [0.0], [0.5, 1.0]])
def test_bounded_scores_stay_in_their_bounds_and_have_a_width(values):
    found = interval(values, [0.02**2] * len(values), bounds=UNIT)
    assert 0 <= found.low < found.high <= 1
    assert found.low <= found.mean <= found.high


def test_a_bounded_interval_is_wilsons_for_a_share_of_rows():
    share, rows = 0.9, 50
    expected = stats.binomtest(45, rows).proportion_ci(method="wilson")
    found = interval([share], [share * (1 - share) / rows], bounds=UNIT)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_score_just_below_one_is_known_as_well_as_one():
    """A detector that errs on one pair of 160,000 knows no less than one that errs on none."""
    variance = least_variance(400)
    assert interval([1 - 1 / 400**2], [variance], bounds=UNIT).low == pytest.approx(
        interval([1.0], [variance], bounds=UNIT).low, abs=1e-4
    )


def test_a_score_without_any_variance_has_no_ends():
    assert np.isnan(interval([0.7], [np.nan]).low)
    assert interval([]).n == 0


def test_a_ratio_whose_denominator_may_be_nothing_is_withheld():
    noisy = Interval(1, 0.01, np.nan, np.nan, 0.01**2)
    assert np.isnan(ratio_interval(noisy, noisy, 0.0).value)


def test_fiellers_interval_covers_the_ratio_of_two_means():
    rng, covered = np.random.default_rng(1), 0
    covariance = np.array([[4e-4, 2e-4], [2e-4, 4e-4]])
    for _ in range(1000):
        numerator, denominator = rng.multivariate_normal([0.08, 0.1], covariance)
        found = ratio_interval(*(Interval(1, mean, np.nan, np.nan, 4e-4) for mean in (numerator, denominator)), 2e-4)
        covered += not (found.low > 0.8 or found.high < 0.8)
    assert covered / 1000 == pytest.approx(0.95, abs=0.02)


def test_holm_leaves_what_is_not_known_out():
    assert holm([0.01, np.nan, 0.04]) == pytest.approx([0.02, np.nan, 0.04], nan_ok=True)


@pytest.mark.parametrize("share", [0.0, 1.0, 1 - 1e-12])
def test_an_interval_holds_its_own_mean_at_the_bounds(share):
    for rows in range(2, 400):
        found = interval([share], [1 / rows**2], bounds=UNIT)
        assert found.low <= found.mean <= found.high
