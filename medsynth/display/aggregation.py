"""From single scores to means with intervals, differences and shares: the one way in which tables do it.

Scores are rows of the run's long table: generator, epochs, seed, family, metric, what they are about (columns
`medsynth.evaluation.resampling.ABOUT`), value, variance (over the persons) and, where they are known, replicates
(arrays; see the same module).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from medsynth.evaluation.intervals import (
    Interval,
    Ratio,
    bounds_of,
    interval,
    ratio_interval,
)

# What gain is normalised: the metric, and the name of its normalised form.
GAINS = {"accuracy": "normalised_accuracy_gain", "roc_auc": "normalised_auc_gain"}


def mean_interval(scores: pd.DataFrame, metric: str | None = None) -> Interval:
    """Mean over seeds of one score, with the interval that covers persons and training.

    Parameters
    ----------
    scores : DataFrame
        One row a seed.
    metric : str, optional
        Whose bounds the interval keeps; default: that of the scores.
    """
    if not len(scores):
        return interval([])
    metric = metric or scores["metric"].iloc[0]
    variances = scores.get("variance")
    bounds = bounds_of(metric.removesuffix("_real"))
    return interval(scores["value"], variances, bounds=bounds, splits=splits_of(scores))


def splits_of(scores: pd.DataFrame) -> float | None:
    """Test rows over training rows where every seed has a partition of its own; else None."""
    ratio = scores["test_over_train"].iloc[0] if "test_over_train" in scores and len(scores) else np.nan
    return None if np.isnan(ratio) else float(ratio)


def tabulated(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Intervals of every group of scores: columns `by`, n_seeds, mean, ci_low, ci_high; sorted by the groups."""
    rows = [(*key, *mean_interval(group)[:4]) for key, group in scores.groupby(list(by))]
    return pd.DataFrame(rows, columns=[*by, "n_seeds", "mean", "ci_low", "ci_high"])


def side_by_side(
    scores: pd.DataFrame, by: Sequence[str], names: Sequence[str], *, of: str = "metric", withheld: bool = False
) -> pd.DataFrame:
    """`tabulated` with several scores of a group beside each other.

    Parameters
    ----------
    scores : DataFrame
    by : sequence of str
    names : sequence of str
        Values of the column `of`; other scores are left out.
    of : str
        What tells the scores of a group apart.
    withheld : bool
        Missing values are withheld ones: a score that one seed lacks has no mean, since that of the others would tell
        of it, and such a seed counts.

    Returns
    -------
    DataFrame
        Columns `by`, n_seeds (that have any of the scores), and mean, ``_low`` and ``_high`` of each name; one row a
        group, sorted.
    """
    own = scores[scores[of].isin(names)]
    lacking = own["value"].isna()
    groups = own if withheld else own[~lacking]
    n_seeds = groups.groupby(list(by))["seed"].nunique()
    found = tabulated(own, [*by, of])
    if withheld:
        incomplete = own.assign(lacking=lacking).groupby([*by, of])["lacking"].any()
        hidden = found.join(incomplete, on=[*by, of])["lacking"].astype(bool)
        found.loc[hidden, ["mean", "ci_low", "ci_high"]] = np.nan
    wide = found.pivot(index=list(by), columns=of, values=["mean", "ci_low", "ci_high"])
    table = {
        f"{name}{end}": wide.get((value, name))
        for name in names
        for end, value in (("", "mean"), ("_low", "ci_low"), ("_high", "ci_high"))
    }
    table = pd.DataFrame(table, index=wide.index).astype("float64")
    table.insert(0, "n_seeds", n_seeds.reindex(wide.index).fillna(0).astype(int))
    return table.reset_index()


def averaged(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Average scores within each group, replicates and all: columns `by`, value, variance, replicates, test_over_train.

    Scores whose value is missing are left out. Where one of a group has no replicates, its mean has none.
    """
    rows = []
    for key, group in scores.dropna(subset="value").groupby(list(by)):
        known = [values for values in replicates_of(group) if values is not None]
        replicates = np.mean(known, axis=0) if len(known) == len(group) else None
        variance = np.nan if replicates is None else float(np.nanvar(replicates, ddof=1))
        ratio = group["test_over_train"].iloc[0] if "test_over_train" in group else np.nan
        rows.append((*key, group["value"].mean(), variance, replicates, ratio))
    return pd.DataFrame(rows, columns=[*by, "value", "variance", "replicates", "test_over_train"])


def replicates_of(scores: pd.DataFrame) -> list[np.ndarray | None]:
    """Replicates of each score; None where there are none."""
    return list(scores["replicates"]) if "replicates" in scores else [None] * len(scores)


def paired(first: pd.DataFrame, second: pd.DataFrame, scale: float = 1.0) -> Interval:
    """Mean difference of two scores, paired by seed and by person.

    Parameters
    ----------
    first, second : DataFrame
        One row a seed; seeds that both have are used.
    scale : float
        The difference is multiplied by it.

    Returns
    -------
    Interval
        Where replicates of one of the two are lacking, the variances are added, as if nothing were shared.
    """
    values, variances = [], []
    for a, b in _pairs(first, second):
        values.append(scale * (a.value - b.value))
        variances.append(scale**2 * _variance_of_difference(a, b))
    return interval(values, variances, splits=splits_of(first))


def _pairs(first: pd.DataFrame, second: pd.DataFrame) -> list[tuple]:
    """Scores of the same seed, as named tuples."""
    of_second = {row.seed: row for row in second.itertuples()}
    found = [(row, of_second[row.seed]) for row in first.itertuples() if row.seed in of_second]
    return [(a, b) for a, b in found if not np.isnan(a.value - b.value)]


def _variance_of_difference(a: Any, b: Any) -> float:
    of_a, of_b = (getattr(one, "replicates", None) for one in (a, b))
    if of_a is not None and of_b is not None:
        return float(np.nanvar(of_a - of_b, ddof=1))
    known = [v for one in (a, b) if not np.isnan(v := getattr(one, "variance", np.nan))]
    return float(sum(known)) if known else np.nan


def gain(scores: pd.DataFrame, real: pd.DataFrame, floor: pd.DataFrame | float) -> tuple[Ratio, Interval]:
    """Share of what real rows gain over knowing nothing: (score - floor) / (real - floor).

    Parameters
    ----------
    scores, real : DataFrame
        One row a seed; real rows of equal information.
    floor : DataFrame or float
        What is reached without looking at a patient: the majority class, or a number.

    Returns
    -------
    Ratio
        Fieller's interval, from the variances and the covariance of numerator and denominator over persons (they are
        judged on the same ones) and seeds. Withheld (NaN) where the real rows' gain is not clearly above 0.
    Interval
        The real rows' gain.
    """
    fixed = pd.DataFrame({"seed": real["seed"], "value": floor}) if isinstance(floor, float) else floor
    numerator, denominator = _above(scores, fixed), _above(real, fixed)
    covariances = [
        float(np.cov(a.replicates, b.replicates)[0, 1])
        for a, b in _pairs(numerator, denominator)
        if a.replicates is not None and b.replicates is not None
    ]
    splits = splits_of(scores)
    tops, bottoms = (interval(part["value"], part["variance"], splits=splits) for part in (numerator, denominator))
    if not tops.n or not bottoms.n:
        return Ratio(np.nan, np.nan, np.nan), bottoms
    return ratio_interval(tops, bottoms, float(np.mean(covariances)) if covariances else 0.0), bottoms


def _above(scores: pd.DataFrame, floor: pd.DataFrame) -> pd.DataFrame:
    """Scores minus the floor, seed by seed: seed, value, variance, replicates."""
    rows = []
    for a, b in _pairs(scores, floor):
        own, other = getattr(a, "replicates", None), getattr(b, "replicates", None)
        replicates = None if own is None else own - (b.value if other is None else other)
        rows.append((a.seed, a.value - b.value, _variance_of_difference(a, b), replicates))
    return pd.DataFrame(rows, columns=["seed", "value", "variance", "replicates"])


def at_epochs(scores: pd.DataFrame, epochs: int | None) -> pd.DataFrame:
    """Rows of generators without epochs and, where they have it, of one epoch count; all for None.

    Each generator is then shown at that epoch count, or at its largest.
    """
    reached = scores.groupby("generator")["epochs"].transform(lambda counts: (counts == epochs).any())
    return scores[~reached | (scores["epochs"] == epochs)]


def at_last_epochs(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of each generator at its largest epoch count."""
    return scores[scores["epochs"] == scores.groupby("generator")["epochs"].transform("max")]
