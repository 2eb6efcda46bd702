"""Combining rules: by hand, and in simulations of the synthesis that each is made for."""

import numpy as np
import pytest
from scipy import stats

from medsynth.scores.inference.combining import (
    combine_imputed,
    combine_nested,
    combine_plug_in,
    combine_proper,
    interval_overlap,
)


def test_the_plug_in_rule_by_hand():
    estimates, variances = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.5, 0.5, 1.0, 2.0])
    b, u = 14 / 3, 1.0
    found = combine_plug_in(estimates, variances, ratio=2)
    assert found[:2] == pytest.approx((3, 2 * u + b / 4))
    assert found.df == pytest.approx((2 * u + b / 4) ** 2 / ((b / 4) ** 2 / 3))
    assert found.high - 3 == pytest.approx(stats.t.ppf(0.975, found.df) * np.sqrt(found.variance))


def test_estimates_nearer_to_each_other_than_drawing_allows_count_as_drawing():
    found = combine_plug_in(np.array([1.0, 1.1, 0.9]), np.full(3, 0.4), ratio=0.5)
    assert found.variance == pytest.approx(0.5 * 0.4 + 0.4 / 3) and found.df == np.inf


def test_one_model_shows_no_variance_between_models():
    found = combine_plug_in(np.array([1.0]), np.array([0.3]), ratio=2)
    assert found.variance == pytest.approx(0.3 * 3) and found.df == np.inf


def test_proper_synthesis_by_hand():
    estimates, variances = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.5, 0.5, 1.0, 2.0])
    b, u = 14 / 3, 1.0
    found = combine_proper(estimates, variances, ratio=1)
    assert found[:2] == pytest.approx((3, 1.25 * b - u))
    assert found.df == pytest.approx(3 * (1 - u / (1.25 * b)) ** 2)


def test_a_variance_below_zero_is_replaced_by_that_of_the_real_rows():
    found = combine_proper(np.array([1.0, 1.1, 0.9]), np.array([0.4, 0.4, 0.4]), ratio=0.5)
    assert found.variance == pytest.approx(0.2)
    assert found.high == pytest.approx(1 + 1.959964 * np.sqrt(0.2))


def test_the_nested_rule_by_hand():
    estimates, imputations = np.array([1.0, 2.0, 4.0, 5.0, 8.0, 8.0]), np.array([1, 1, 2, 2, 3, 3])
    means, within = np.array([1.5, 4.5, 8.0]), np.mean([0.5, 0.5, 0.0])
    found = combine_nested(estimates, np.full(6, 0.2), imputations, ratio=1)
    between = 4 / 3 * means.var(ddof=1)
    variance = 0.2 + between - within / 2
    assert found[:2] == pytest.approx((means.mean(), variance))
    assert found.df == pytest.approx(variance**2 / (between**2 / 2 + (within / 2) ** 2 / 3))


def test_imputations_that_hardly_differ_leave_at_least_what_drawing_adds():
    estimates, imputations = np.array([1.0, 3.0, 1.1, 3.1]), np.array([1, 1, 2, 2])
    found = combine_nested(estimates, np.full(4, 0.2), imputations, ratio=1)
    assert found.variance == pytest.approx(0.2 + 0.2 / 4) and found.df == np.inf


def test_no_interval_of_nested_tables_is_endless():
    estimates, imputations = np.array([1.0, 3.0, 2.6, 4.6, 3.0, 4.0]), np.array([1, 1, 2, 2, 3, 3])
    assert combine_nested(estimates, np.full(6, 0.01), imputations, ratio=1).df == 2


def test_rubins_rule_by_hand_and_for_one_table():
    found = combine_imputed(np.array([1.0, 2.0, 3.0]), np.full(3, 0.5))
    assert found[:2] == pytest.approx((2, 0.5 + 4 / 3))
    assert found.df == pytest.approx(2 * (1 + 0.5 / (4 / 3)) ** 2)
    assert combine_imputed(np.array([1.0]), np.array([0.25])) == pytest.approx(
        (1, 0.25, np.inf, 1 - 1.959964 * 0.5, 1 + 1.959964 * 0.5)
    )


def test_intervals_overlap_by_their_common_share():
    assert interval_overlap((0, 2), (0, 2)) == 1
    assert interval_overlap((0, 2), (1, 5)) == pytest.approx((1 / 2 + 1 / 4) / 2)
    assert interval_overlap((0, 1), (2, 3)) == 0


N, SAMPLES = 100, 1000


def covered(interval_of):
    """Share of samples whose interval holds the mean, 0; `interval_of` gets the random stream."""
    rng = np.random.default_rng(0)
    found = [interval_of(rng) for _ in range(SAMPLES)]
    return np.mean([one.low <= 0 <= one.high for one in found])


@pytest.mark.parametrize("training_noise", [0.0, 1.0])
def test_plug_in_synthesis_is_covered_with_and_without_noise_of_training(training_noise):
    """Means of 100 real rows; five models that miss them by training, one table of 100 rows each."""

    def interval(rng):
        models = rng.normal(rng.normal(0, 1 / np.sqrt(N)), np.sqrt(training_noise / N), 5)
        return combine_plug_in(rng.normal(models, 1 / np.sqrt(N)), np.full(5, 1 / N), ratio=1)

    assert 0.935 < covered(interval) < 0.975


def test_one_table_of_a_model_with_noise_of_training_is_not_covered():
    def interval(rng):
        model = rng.normal(rng.normal(0, 1 / np.sqrt(N)), 1 / np.sqrt(N))
        return combine_plug_in(np.array([rng.normal(model, 1 / np.sqrt(N))]), np.array([1 / N]), ratio=1)

    assert covered(interval) < 0.92


def test_proper_synthesis_is_covered():
    """Five models of bootstrap resamples: their means vary around the sample's as samples do."""

    def interval(rng):
        models = rng.normal(rng.normal(0, 1 / np.sqrt(N)), 1 / np.sqrt(N), 5)
        return combine_proper(rng.normal(models, 1 / np.sqrt(N)), np.full(5, 1 / N), ratio=1)

    assert covered(interval) > 0.935


def test_the_rule_of_proper_synthesis_has_no_variance_for_models_of_the_same_rows_half_of_the_time():
    rng = np.random.default_rng(0)
    found = [combine_proper(rng.normal(0, 0.1, 50), np.full(50, 0.01), ratio=1) for _ in range(200)]
    assert 0.3 < np.mean([np.isinf(one.df) for one in found]) < 0.7


def imputed_then_synthesised(rng, imputations, draws):
    """Means of 100 rows, 40 of them missing and imputed; five models, `draws` tables of each.

    Each imputation draws the mean from its posterior distribution, and then the missing values.
    """
    observed = rng.normal(0, 1, 60)
    means = rng.normal(observed.mean(), 1 / np.sqrt(60), imputations)
    completed = np.array([(observed.sum() + rng.normal(mean, 1, 40).sum()) / N for mean in means])
    learned_from = np.repeat(np.arange(5) % imputations, draws)
    return rng.normal(completed[learned_from], 1 / np.sqrt(N)), np.full(5 * draws, 1 / N), learned_from


def test_a_single_imputation_is_not_covered_and_nested_ones_are():
    def single(rng):
        estimates, variances, _ = imputed_then_synthesised(rng, imputations=1, draws=1)
        return combine_plug_in(estimates, variances, ratio=1)

    def nested(rng):
        return combine_nested(*imputed_then_synthesised(rng, imputations=5, draws=2), ratio=1)

    assert covered(single) < 0.87
    assert 0.935 < covered(nested) < 0.985
