"""From estimates of several tables to one 95 % interval: each rule for the tables that it was made for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats


class Combined(NamedTuple):
    """What several tables say of one term: estimate, its variance, degrees of freedom, 95 % interval."""

    estimate: float
    variance: float
    df: float
    low: float
    high: float


def combine_plug_in(estimates: np.ndarray, variances: np.ndarray, *, ratio: float) -> Combined:
    """Combine tables of models that were fitted independently to the same real rows, one table a model.

    The rule is for plug-in ("simple") synthesis: fitted parameters are used as they are, none is drawn from its
    posterior distribution (Raab, Nowok and Dibben 2016, Practical data synthesis for large samples, J Privacy and
    Confidentiality 7(3)). The estimate is the mean of the m estimates. Its variance is T = `ratio` u + max(b, u) / m,
    with u the mean of the tables' own variances and b the variance between the m estimates:

    - `ratio` u is the sampling variance of the real rows. All tables share these rows, so b does not show it.
    - b / m is what fitting and drawing add to the mean. The published rule has u / m here: drawing alone.
    - The larger of both counts, since b of few tables is noisy and drawing alone gives u.

    Degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin 2:110-114): b has m - 1 of them, u has none to
    lose. Where u is taken, the interval is normal. One table shows no b: the variance is u (`ratio` + 1), and what
    fitting adds is not in it.

    Parameters
    ----------
    estimates, variances : ndarray of float, shape (tables,)
        One table or more.
    ratio : float
        Rows of a synthetic table for each real row that its model learned from.
    """
    m, u = len(estimates), variances.mean()
    b = estimates.var(ddof=1) if m > 1 else 0.0
    variance = ratio * u + max(b, u) / m
    df = (m - 1) * (variance * m / b) ** 2 if b > u else np.inf
    return _interval(estimates.mean(), variance, df)


def combine_proper(estimates: np.ndarray, variances: np.ndarray, *, ratio: float) -> Combined:
    """Combine tables of proper synthesis: each model was refitted to a bootstrap resample of the training persons.

    Refits stand for parameters that are drawn anew from their posterior distribution for every table. So b, the
    variance between the m estimates, holds the sampling variance of the real rows besides that of drawing, u. The
    variance of the mean is T = (1 + 1/m) b - u (Raghunathan, Reiter and Rubin 2003, J Official Statistics 19:1-16).
    Where that is not above 0, it is `ratio` u instead (Reiter 2002, J Official Statistics 18:531-543). Student's t has
    (m - 1) (1 - 1/r)^2 degrees of freedom, r = (1 + 1/m) b / u. Ours: at least 1 of them, since near r = 1 the formula
    makes intervals endless, and the normal distribution for a variance that was put in T's place.

    Parameters
    ----------
    estimates, variances : ndarray of float, shape (tables,)
        Two tables or more.
    ratio : float
        Rows of a synthetic table for each real row.
    """
    m, b, u = len(estimates), estimates.var(ddof=1), variances.mean()
    variance, df = (1 + 1 / m) * b - u, np.inf
    if variance > 0:
        df = max((m - 1) * (1 - u / ((1 + 1 / m) * b)) ** 2, 1)
    else:
        variance = ratio * u
    return _interval(estimates.mean(), variance, df)


def combine_nested(estimates: np.ndarray, variances: np.ndarray, imputations: np.ndarray, *, ratio: float) -> Combined:
    """Combine tables of models that learned from several imputations of the same rows, r tables an imputation.

    Nested as in Reiter (2004), Simultaneous use of multiple imputation for missing data and disclosure limitation,
    Survey Methodology 30:235-242. The estimate is the mean over the M imputations of the mean of their tables. Its
    variance is T = `ratio` u + (1 + 1/M) B - W / r, with B the variance between the M means, W the mean variance
    within an imputation, and u the mean of the tables' own variances:

    - `ratio` u is the sampling variance of the real rows, were they complete; all tables share it.
    - B estimates V + W / r, with V the variance that missing values cause. Tables of one imputation cannot show V.
    - The mean over M imputations has the variance V + (V + W / r) / M, V for the truth that M imputations do not reach
      and the rest for their number. With B in V's place that is (1 + 1/M) B - W / r.
    - B and W are noisy. So what stands beside `ratio` u is at least u / m, what drawing m tables adds.

    Degrees of freedom are Reiter's (Satterthwaite's for B with M - 1 and W with M (r - 1)). Ours: at least M - 1, those
    of B alone, since the formula makes intervals endless where B and W / r are nearly equal.

    The interval is rather too wide than too narrow. One model an imputation cannot tell training from imputing, so
    that B, and (1 + 1/M) of it, holds what training adds. Where two models learned from one imputation, the tables of
    one model are more alike than W says, and less than W / r should be is taken off.

    Parameters
    ----------
    estimates, variances : ndarray of float, shape (tables,)
    imputations : ndarray of int, shape (tables,)
        Which imputation each table's model learned from; two or more are needed.
    ratio : float
        Rows of a synthetic table for each real row that its model learned from.
    """
    groups = [estimates[imputations == one] for one in np.unique(imputations)]
    means = np.array([group.mean() for group in groups])
    m, u, b = len(groups), variances.mean(), means.var(ddof=1)
    # An imputation with one table that can estimate the term says nothing of W.
    repeated = [group for group in groups if len(group) > 1]
    drawn = float(np.mean([group.var(ddof=1) / len(group) for group in repeated])) if repeated else 0.0
    between, least = (1 + 1 / m) * b, u / len(estimates)
    variance, df = ratio * u + max(between - drawn, least), np.inf
    if between - drawn > least:
        parts = between**2 / (m - 1)
        if repeated:
            parts += drawn**2 / sum(len(group) - 1 for group in repeated)
        df = max(variance**2 / parts, m - 1)
    return _interval(means.mean(), variance, df)


def combine_imputed(estimates: np.ndarray, variances: np.ndarray) -> Combined:
    """Combine real tables that differ by imputation (Rubin 1987, Multiple Imputation for Nonresponse in Surveys, 3.1).

    The variance of the mean is u + (1 + 1/M) b, with (M - 1) (1 + u / ((1 + 1/M) b))^2 degrees of freedom. One table
    has its own interval, which is normal.

    Parameters
    ----------
    estimates, variances : ndarray of float, shape (imputations,)
    """
    m, u = len(estimates), variances.mean()
    between = (1 + 1 / m) * estimates.var(ddof=1) if m > 1 else 0.0
    df = (m - 1) * (1 + u / between) ** 2 if between > 0 else np.inf
    return _interval(estimates.mean(), u + between, df)


def _interval(estimate: float, variance: float, df: float) -> Combined:
    low, high = stats.t.interval(0.95, df, loc=estimate, scale=np.sqrt(variance))
    return Combined(float(estimate), float(variance), float(df), float(low), float(high))


def interval_overlap(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Mean share of two intervals that both cover (Karr et al. 2006, The American Statistician 60:224); 0 if apart."""
    common = max(min(first[1], second[1]) - max(first[0], second[0]), 0.0)
    return float(np.mean([common / (end - start) for start, end in (first, second)]))
