"""Are groups of patients as frequent in a synthetic table as in the real one, and predicted as well from it?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook, Strict
from medsynth.disclosure import LEAST_PATIENTS, rounded_counts
from medsynth.errors import InputError
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target
from medsynth.evaluation.utility import classification_scores

# Scores of fewer test rows say little of a group.
LEAST_TESTED = 50


class Subgroups(Strict):
    """Groups of patients: the levels of a coded column, or bands of a numeric one."""

    column: str = Field(description="coded column, or numeric one with 'bands'")
    bands: list[float] = Field([], description="where every band but the first begins, for a numeric column")

    def check(self, codebook: Codebook) -> None:
        """Check that the column exists and that the bands fit it; `InputError` says what does not."""
        column = codebook.column(self.column)
        if column.drop or column.type in ("date", "identifier"):
            raise InputError(f"'subgroups': column '{self.column}' is not in the clean table.")
        if column.numeric != bool(self.bands):
            kind = "numeric and needs 'bands'" if column.numeric else "coded and goes without 'bands'"
            raise InputError(f"'subgroups': column '{self.column}' is {kind}.")
        if any(low >= high for low, high in pairwise(self.bands)):
            raise InputError(f"'subgroups': the bands of '{self.column}' must ascend (given: {self.bands}).")

    def of(self, table: pd.DataFrame) -> pd.Series:
        """Group of every row: categorical, shape (rows,)."""
        values = table[self.column]
        if not self.bands:
            return values.astype("category")
        names = [f"below {self.bands[0]:g}", *(f"{low:g} to below {high:g}" for low, high in pairwise(self.bands))]
        names.append(f"{self.bands[-1]:g} or more")
        return pd.cut(values, [-np.inf, *self.bands, np.inf], right=False, labels=names)


def representation(
    table: pd.DataFrame, real: pd.DataFrame, subgroups: list[Subgroups], *, least: int = LEAST_PATIENTS
) -> Iterator[Score]:
    """How frequent groups are against real rows.

    Bhanot et al. (2021), The problem of fairness in synthetic healthcare data, Entropy 23:1165, call it log disparity.

    Parameters
    ----------
    table, real : DataFrame
    subgroups : list of Subgroups
    least : int, default 10
        Groups of fewer real rows are left out.

    Yields
    ------
    metric, detail, value
        ``log_disparity``: natural logarithm of the odds of the group in `table` over those in `real`, half a row added
        to each side of the odds; 0 is equal, 0.69 twice the odds. ``rows``: real rows of the group. The detail is
        ``column:group``.
    """
    for one in (s for s in subgroups if s.column in real):
        in_real = one.of(real).value_counts(sort=False)
        in_real[:] = rounded_counts(in_real, least)
        found = one.of(table).value_counts().reindex(in_real.index, fill_value=0)
        for group, rows in in_real.items():
            if rows >= least:
                yield "rows", f"{one.column}:{group}", float(rows)
                odds = [(n + 0.5) / (total - n + 0.5) for n, total in ((found[group], len(table)), (rows, len(real)))]
                yield "log_disparity", f"{one.column}:{group}", float(np.log(odds[0] / odds[1]))


def group_performance(
    probability: np.ndarray,
    test: pd.DataFrame,
    target: Target,
    subgroups: list[Subgroups],
    *,
    least: int = LEAST_PATIENTS,
) -> Iterator[Score]:
    """How well a classifier predicts the target in each group of real test rows.

    Parameters
    ----------
    probability : ndarray of float, shape (rows, classes)
        What the classifier says of `test`.
    test : DataFrame
    target : Target
    subgroups : list of Subgroups
    least : int, default 10
        Groups in which a class has fewer rows have no ROC AUC.

    Yields
    ------
    metric, detail, value
        ``roc_auc``, ``brier_score`` (as `classification_scores` has them) and, of two classes, ``calibration`` (mean
        predicted probability of the positive class minus its share: calibration in the large), for groups of
        `LEAST_TESTED` test rows or more. The detail is ``column:group``.
    """
    y = target.labels(test)
    # What makes the target would leave groups of one class.
    for one in (s for s in subgroups if s.column in test and s.column not in target.made_of):
        groups = one.of(test)
        for group in groups.cat.categories:
            rows = (groups == group).to_numpy()
            if rows.sum() < LEAST_TESTED:
                continue
            scores = {score.metric: score.value for score in classification_scores(y[rows], probability[rows])}
            if np.bincount(y[rows], minlength=probability.shape[1]).min() >= least:
                yield "roc_auc", f"{one.column}:{group}", scores["roc_auc"]
            yield "brier_score", f"{one.column}:{group}", scores["brier_score"]
            if probability.shape[1] == 2:
                yield "calibration", f"{one.column}:{group}", float(probability[rows, 1].mean() - y[rows].mean())
