"""Calibration slope: are predicted probabilities too extreme, or not extreme enough?

Cox 1958, "Two further applications of a model for binary regression", Biometrika 45:562-565; Van Calster, McLernon,
van Smeden, Wynants and Steyerberg 2019, "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17:230.

statsmodels fits the regression of all rows. It fits one at a time; those of two hundred draws of persons are fitted
here, all at once, which takes a fifth to a ninth of the time (2,000 to 30,000 rows).
"""

from __future__ import annotations

import numpy as np

from medsynth.scores.inference.compute import fit_logistic

# A random forest of 100 trees says 0 and 1, whose logits are infinite. Half of its smallest other share stands for 0.
# All classifiers are cut alike, so that their slopes can be compared.
CUT = 0.005
# Newton's method for draws: so many steps at most, none longer than this (in standard deviations of the logit).
STEPS = 50
LONGEST = 2.0
# Numbers of a block of replicates, 8 MB, stay near the processor.
CELLS_AT_ONCE = 1_000_000


def calibration_slope(
    y: np.ndarray, probability: np.ndarray, weights: np.ndarray | None = None
) -> tuple[float, np.ndarray | None]:
    """Slope of the logistic regression of the outcome on the logit of its predicted probability.

    Parameters
    ----------
    y : ndarray of int, shape (rows,)
        Classes: positions in the columns of `probability`.
    probability : ndarray of float, shape (rows, classes)
        Cut at 0.005 and 0.995.
    weights : ndarray, shape (replicates, rows), optional
        See `medsynth.evaluation.resampling.person_weights`.

    Returns
    -------
    value : float
        1 is ideal. Below 1 the probabilities are too extreme, above 1 not extreme enough; 0: they say nothing. Of two
        classes it is the second one's; of more each one's against the rest, averaged over those that occur. NaN if one
        class only occurs, the probabilities of a class are all equal, or they separate the classes without error.
    replicates : ndarray of float, shape (replicates,), or None
        The same, fitted under each row of weights.
    """
    from scipy.special import logit

    draws = np.empty((0, len(y))) if weights is None else weights
    occur = np.unique(y)
    slopes = np.full(1 + len(draws), np.nan)
    if len(occur) > 1:
        judged = [1] if probability.shape[1] == 2 else occur
        logits = logit(np.clip(probability, CUT, 1 - CUT))
        slopes = np.mean([_slopes(logits[:, one], y == one, draws) for one in judged], axis=0)
    return float(slopes[0]), None if weights is None else slopes[1:]


def _slopes(logit: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slope of all rows, and then those under each row of weights: (1 + replicates,)."""
    spread = logit.std()
    if not spread:
        return np.full(1 + len(weights), np.nan)
    x = (logit - logit.mean()) / spread
    of_all = fit_logistic(np.column_stack([np.ones(len(x)), x]), outcome).estimates
    size = max(1, CELLS_AT_ONCE // len(x))
    parts = [weights[i : i + size] for i in range(0, len(weights), size)]
    # Draws start from all rows. Where these have no slope, draws of them may have one.
    found = [_newton(x, outcome, part, np.tile(np.nan_to_num(of_all), (len(part), 1))) for part in parts]
    return np.concatenate([of_all[None], *found])[:, 1] / spread


def _newton(x: np.ndarray, outcome: np.ndarray, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Intercepts and slopes of weighted logistic regressions: (replicates, 2); NaN where there is no maximum."""
    from scipy.special import expit

    weights = weights.astype("float64")
    found = start.copy()
    positive, total = weights @ outcome, weights.sum(axis=1)
    left = np.flatnonzero((positive > 0) & (positive < total))
    ended = np.zeros(len(weights), dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(STEPS):
            if not len(left):
                break
            mean = expit(found[left, :1] + found[left, 1:] * x)
            residual = weights[left] * (outcome - mean)
            curvature = weights[left] * mean * (1 - mean)
            gradient = residual.sum(axis=1), residual @ x
            a, b, c = curvature.sum(axis=1), curvature @ x, curvature @ x**2
            determinant = a * c - b**2
            step = np.stack([c * gradient[0] - b * gradient[1], a * gradient[1] - b * gradient[0]], axis=1)
            step = np.clip(step / determinant[:, None], -LONGEST, LONGEST)
            found[left] += step
            # Digits double with each step. Where no line fits best, steps do not shrink, or end in 0 / 0.
            small = np.abs(step).max(axis=1) < 1e-6
            ended[left[small]] = True
            left = left[~small & np.isfinite(step).all(axis=1)]
    found[~ended] = np.nan
    return found
