"""Calibration slope: are predicted probabilities too extreme, or not extreme enough?

Cox 1958, "Two further applications of a model for binary regression", Biometrika 45:562-565; Van Calster, McLernon,
van Smeden, Wynants and Steyerberg 2019, "Calibration: the Achilles heel of predictive analytics", BMC Medicine 17:230.

statsmodels fits one logistic regression at a time; here all draws of persons are fitted at once.
"""

from __future__ import annotations

import numpy as np

# A random forest of 100 trees says 0 and 1, whose logits are infinite. Half of its smallest other share stands for 0.
# All classifiers are cut alike, so that their slopes can be compared.
CUT = 0.005
# Newton's method: so many steps at most, none longer than this (in standard deviations of the logit).
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
    counted = np.ones((1, len(y)))
    if weights is not None:
        counted = np.concatenate([counted, weights])
    occur = np.unique(y)
    slopes = np.full(len(counted), np.nan)
    if len(occur) > 1:
        judged = [1] if probability.shape[1] == 2 else occur
        slopes = np.mean([_slopes(_logit(probability[:, one]), y == one, counted) for one in judged], axis=0)
    return float(slopes[0]), None if weights is None else slopes[1:]


def _logit(probability: np.ndarray) -> np.ndarray:
    """Logits of probabilities, cut."""
    cut = np.clip(probability, CUT, 1 - CUT)
    return np.log(cut / (1 - cut))


def _slopes(logit: np.ndarray, outcome: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Slopes under each row of weights: (replicates,). The first row is that of all rows: the others start there."""
    spread = logit.std()
    if not spread:
        return np.full(len(weights), np.nan)
    x = (logit - logit.mean()) / spread
    start = _newton(x, outcome, weights[:1], np.zeros((1, 2)))
    size = max(1, CELLS_AT_ONCE // len(x))
    parts = [weights[i : i + size] for i in range(0, len(weights), size)]
    # Where all rows have no slope, draws of them may have one.
    found = [_newton(x, outcome, part, np.repeat(np.nan_to_num(start), len(part), axis=0)) for part in parts]
    return np.concatenate(found)[:, 1] / spread


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
