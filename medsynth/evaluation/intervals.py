"""Intervals that cover the persons behind a score as well as the training runs.

A score hangs on three things: on the persons that it is judged on, on the persons that were learned from, and on what
training and sampling decide by chance. With scores x_1, ..., x_k of k seeds and u_s the variance of x_s over the judged
persons (`medsynth.evaluation.resampling`), the variance of their mean is taken as

    T = u + (1 + 1/k) b,    u = mean of the u_s,    b = variance of the x_s.

All seeds are judged on the same persons, so that u does not shrink with k. They also learned from the same persons, and
what other training persons would have changed is not in b/k. A generator that is fitted to n persons and then asked for
n rows repeats their sampling, so that b stands for it once more (the plug-in principle; Efron and Tibshirani 1993,
chapter 6). The sum is Rubin's rule for multiple imputation (Rubin 1987, p. 76), with its degrees of freedom,
(k - 1) (T / ((1 + 1/k) b))^2. One seed has u alone: its interval covers the judged persons and not training.

With partitions of their own for every seed (`splits`) the x_s vary by all three, and their mean has the variance
(1/k + test share / training share) b (Nadeau and Bengio 2003, Machine Learning 52:239-281), with k - 1 degrees. It is
no less than u / k: partitions that agree by chance do not make a score more certain than its persons do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

LEVEL = 0.95
UNIT = (0.0, 1.0)
SIGNED = (-1.0, 1.0)
UNBOUNDED = (-np.inf, np.inf)
# Metrics that are no share, score or area in [0, 1].
BOUNDS = {
    "brier_score": (0.0, 2.0),
    "calibration": SIGNED,
    "attribute_advantage": SIGNED,
    "rank_correlation": SIGNED,
    **dict.fromkeys(
        ("log_disparity", "calibration_slope", "mean", "std", "kurtosis", "skewness", "restricted_mean_difference"),
        UNBOUNDED,
    ),
    "r2": (-np.inf, 1.0),
    **dict.fromkeys(
        ("rmse", "mae", "median_survival", "restricted_mean_survival", "seconds", "cpu_seconds", "max_rss_mb"),
        (0.0, np.inf),
    ),
}


class Interval(NamedTuple):
    """A mean with its confidence interval.

    Attributes
    ----------
    n : int
        Seeds that have a value.
    mean, low, high : float
        NaN where nothing is known.
    variance, df : float
        T and its degrees of freedom; see the module.
    """

    n: int
    mean: float
    low: float
    high: float
    variance: float = np.nan
    df: float = np.inf

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the mean being 0; NaN where the variance is not known."""
        if np.isnan(self.variance):
            return np.nan
        if self.variance == 0:
            return float(self.mean == 0)
        return float(2 * stats.t.sf(abs(self.mean) / np.sqrt(self.variance), self.df))


def bounds_of(metric: str) -> tuple[float, float]:
    """Smallest and largest value that a metric can have."""
    return BOUNDS.get(metric, UNIT)


def interval(
    values: ArrayLike,
    variances: ArrayLike | None = None,
    *,
    bounds: tuple[float, float] = UNBOUNDED,
    splits: float | None = None,
    level: float = LEVEL,
) -> Interval:
    """Interval of the mean over seeds that covers persons and training; see the module for the formula.

    Parameters
    ----------
    values : array_like of float, shape (seeds,)
        NaN (a score that could not be computed) is left out.
    variances : array_like of float, shape (seeds,), optional
        Of each value over the persons that it is judged on; NaN where that is not known.
    bounds : tuple of float
        Of the score. The interval stays inside: it is Wilson's (1927) for the number of rows that would give a share of
        this size this variance.
    splits : float, optional
        Test rows over training rows, where every seed has a partition of its own; `variances` are then a lower bound.
    level : float, default 0.95

    Returns
    -------
    Interval
        Without ends where neither persons' nor seeds' variance is known.
    """
    scores = np.asarray(values, dtype=float)
    known = ~np.isnan(scores)
    within = np.full(len(scores), np.nan) if variances is None else np.asarray(variances, dtype=float)
    scores, within = scores[known], within[known]
    k = len(scores)
    if not k:
        return Interval(0, np.nan, np.nan, np.nan)
    mean, between = float(scores.mean()), float(scores.var(ddof=1)) if k > 1 else np.nan
    u = float(np.nanmean(within)) if (~np.isnan(within)).any() else np.nan
    if splits is not None and k > 1:
        variance, df = max((1 / k + splits) * between, np.nan_to_num(u) / k), k - 1.0
    else:
        if np.isnan(u) and np.isnan(between):
            return Interval(k, mean, np.nan, np.nan)
        # What is said of persons and what is said of training add up; a part that is not known is left out.
        training = 0.0 if np.isnan(between) else (1 + 1 / k) * between
        variance = np.nan_to_num(u) + training
        df = (k - 1) * (variance / training) ** 2 if training > 0 else np.inf
    return Interval(k, mean, *ends(mean, variance, df, bounds, level), float(variance), float(df))


def ends(
    mean: float, variance: float, df: float, bounds: tuple[float, float] = UNBOUNDED, level: float = LEVEL
) -> tuple[float, float]:
    """Ends of an interval: Wilson's with Student's quantile for a score bounded on both sides, else Student's, cut."""
    t = float(stats.t.ppf((1 + level) / 2, df))
    if not np.isfinite(bounds).all():
        half = t * np.sqrt(variance)
        return max(mean - half, bounds[0]), min(mean + half, bounds[1])
    low, high = bounds
    share, spread = (mean - low) / (high - low), variance / (high - low) ** 2
    share = min(max(share, 0.0), 1.0)
    if spread == 0:
        return mean, mean
    # The number of independent rows that would know a share as well; at 0 and 1, and so near to them that the least
    # variance counts (`medsynth.evaluation.resampling.least_variance`), this is 1 / rows^2.
    rows = max(share * (1 - share) / spread, 1 / np.sqrt(spread))
    centre = (share + t**2 / (2 * rows)) / (1 + t**2 / rows)
    half = t * np.sqrt(share * (1 - share) / rows + t**2 / (4 * rows**2)) / (1 + t**2 / rows)
    # At 0 and 1 rounding can leave the share itself outside.
    found = min(max(centre - half, 0.0), share), max(min(centre + half, 1.0), share)
    lower, upper = (float(low + (high - low) * end) for end in found)
    return lower, upper


# Half the width of an interval as a part of its mean, up to which this is clearly above 0.
CLEAR = 2 / 3


class Ratio(NamedTuple):
    """A ratio with Fieller's interval; NaN where its denominator is not clearly above 0."""

    value: float
    low: float
    high: float


def ratio_interval(numerator: Interval, denominator: Interval, covariance: float, level: float = LEVEL) -> Ratio:
    """Ratio of two means by Fieller's theorem (Fieller 1954, J Royal Statistical Society B 16:175-185).

    Parameters
    ----------
    numerator, denominator : Interval
    covariance : float
        Of the two means.
    level : float, default 0.95

    Returns
    -------
    Ratio
        Withheld (NaN) where the denominator is not clearly above 0: where the ends of its own interval are further
        from it than two thirds of it. Where they reach 0, no ratio could be excluded; where they nearly do, the
        interval is as good as endless.
    """
    df = min(numerator.df, denominator.df)
    t2 = stats.t.ppf((1 + level) / 2, df) ** 2
    a = denominator.mean**2 - t2 * denominator.variance
    if not denominator.mean > 0 or t2 * denominator.variance > (CLEAR * denominator.mean) ** 2:
        return Ratio(np.nan, np.nan, np.nan)
    b = numerator.mean * denominator.mean - t2 * covariance
    c = numerator.mean**2 - t2 * numerator.variance
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return Ratio(float(numerator.mean / denominator.mean), float((b - root) / a), float((b + root) / a))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Adjust p-values for being several (Holm 1979); NaN stays NaN and does not count."""
    from statsmodels.stats.multitest import multipletests

    found = np.asarray(p_values, dtype=float)
    adjusted, known = found.copy(), ~np.isnan(found)
    if known.any():
        adjusted[known] = multipletests(found[known], method="holm")[1]
    return adjusted
