"""Intervals over seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """A mean with its confidence interval; `low` and `high` are NaN where one value cannot give one."""

    n: int
    mean: float
    low: float
    high: float


def t_interval(values: object, level: float = 0.95) -> Interval:
    """Student's t interval of a mean, as the Med-VAE paper gives over its four runs.

    Parameters
    ----------
    values : array_like of float
        One value a seed. NaN (a score that could not be computed) is left out.
    level : float, default 0.95

    Returns
    -------
    Interval
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    n = len(values)
    if n == 0:
        return Interval(0, np.nan, np.nan, np.nan)
    mean = float(values.mean())
    if n == 1:
        return Interval(1, mean, np.nan, np.nan)
    half = stats.t.ppf((1 + level) / 2, n - 1) * values.std(ddof=1) / np.sqrt(n)
    return Interval(n, mean, float(mean - half), float(mean + half))
