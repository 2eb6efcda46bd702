"""Are groups of patients as frequent in a synthetic table as in the real one, and predicted as well from it?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook, Strict
from medsynth.disclosure import MINIMUM_CELL_SIZE, shown_groups
from medsynth.errors import InputError
from medsynth.evaluation.resampling import Score, least_variance, weighted_mean, weighted_roc_auc
from medsynth.evaluation.targets import Target

# Scores of fewer test rows say little of a group.
LEAST_TESTED = 50


class Subgroups(Strict):
    """Groups of patients: the categories of a coded column, or bands of a numeric one."""

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
    table: pd.DataFrame,
    real: pd.DataFrame,
    subgroups: list[Subgroups],
    *,
    least: int = MINIMUM_CELL_SIZE,
    held_out: pd.DataFrame | None = None,
    weights: np.ndarray | None = None,
    table_weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """How frequent groups are against real rows.

    Bhanot et al. (2021), The problem of fairness in synthetic healthcare data, Entropy 23:1165, call it log disparity.

    Parameters
    ----------
    table, real : DataFrame
    subgroups : list of Subgroups
    least : int, default 10
        Fewer real rows are not shown; see `medsynth.disclosure`.
    held_out : DataFrame, optional
        The test partition, if the rows of `table` are real ones, too: then groups must have `least` rows on either
        side, and those that tables against all of the partition withhold are withheld.
    weights : ndarray of float32, shape (replicates, rows of `real`), optional
        Of the persons whose rows they are; see `medsynth.evaluation.resampling`. Without them: no replicates.
    table_weights : ndarray of float32, shape (replicates, rows of `table`), optional
        The same where the rows of `table` are real ones.

    Yields
    ------
    Score
        ``log_disparity``: natural logarithm of the odds of the group in `table` over those in `real`, half a row added
        to each side of the odds; 0 is equal, 0.69 twice the odds; NaN for a group that is withheld. ``rows``: real rows
        of the group, if it is not. Of each column and group.
    """
    for one in (s for s in subgroups if s.column in real):
        sides = [one.of(real), one.of(table)]
        names = list(dict.fromkeys(name for side in sides for name in side.cat.categories))
        # Rows by groups.
        in_real, in_table = (np.array([side == name for name in names], dtype="float32").T for side in sides)
        counts, drawn = (side.sum(axis=0, dtype=int) for side in (in_real, in_table))
        of_patients = [counts]
        if held_out is not None:
            in_partition = one.of(held_out).value_counts().reindex(names, fill_value=0)
            of_patients = [in_partition, counts, drawn]
        shown = shown_groups(of_patients, least, wanted=np.min(of_patients, axis=0) >= least)
        for i, group in enumerate(names):
            about = {"column": one.column, "group": str(group)}
            if not shown[i]:
                yield Score("log_disparity", float("nan")).of(**about)
                continue
            yield Score("rows", float(counts[i])).of(**about)
            value = _log_odds(drawn[i], len(table)) - _log_odds(counts[i], len(real))
            replicates = None
            if weights is not None:
                ours = _log_odds(drawn[i], len(table))
                if table_weights is not None:
                    ours = _log_odds(table_weights @ in_table[:, i], table_weights.sum(axis=1))
                replicates = ours - _log_odds(weights @ in_real[:, i], weights.sum(axis=1))
            yield Score("log_disparity", float(value), replicates).of(**about)


def _log_odds(rows: np.ndarray, total: np.ndarray | int) -> np.ndarray:
    """Logarithm of the odds of so many rows among all, half a row added to each side."""
    return np.log(rows + 0.5) - np.log(total - rows + 0.5)


def group_performance(
    probability: np.ndarray,
    test: pd.DataFrame,
    target: Target,
    subgroups: list[Subgroups],
    *,
    least: int = MINIMUM_CELL_SIZE,
    weights: np.ndarray | None = None,
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
        Groups in which a class has some rows but fewer are not scored, nor those that would reveal them by difference
        (`medsynth.disclosure`): a classifier that always says the same has the share of the class for its score.
    weights : ndarray of float32, shape (replicates, rows), optional
        Of the persons whose rows they are; see `medsynth.evaluation.resampling`. Without them: no replicates.

    Yields
    ------
    Score
        ``roc_auc`` (of more than two classes one against the rest, those that the group has weighing equally),
        ``brier_score`` and, of two classes, ``calibration`` (mean predicted probability of the positive class minus
        its share: calibration in the large), for groups of `LEAST_TESTED` test rows or more; ``roc_auc`` for those that
        have two classes. Of each column and group.
    """
    y = target.labels(test)
    classes = np.eye(probability.shape[1], dtype=int)[y]
    # What makes the target would leave groups of one class.
    for one in (s for s in subgroups if s.column in test and s.column not in target.made_of):
        groups = one.of(test)
        members = np.array([groups == group for group in groups.cat.categories], dtype=int)
        rows = members.sum(axis=1)
        shown = shown_groups(np.vstack([rows, (members @ classes).T]), least, wanted=rows >= LEAST_TESTED)
        for group, inside in zip(groups.cat.categories[shown], members[shown].astype(bool), strict=True):
            own = None if weights is None else weights[:, inside]
            for metric, value, replicates in _performance(y[inside], probability[inside], own):
                score = Score(metric, value, replicates, least_variance(inside.sum()))
                yield score.of(column=one.column, group=str(group))


def _performance(
    y: np.ndarray, probability: np.ndarray, weights: np.ndarray | None
) -> Iterator[tuple[str, float, np.ndarray | None]]:
    """Metric, value and replicates of one group's rows."""
    from sklearn.metrics import roc_auc_score

    n_classes, present = probability.shape[1], np.unique(y)
    if len(present) > 1:
        ranked = [1] if n_classes == 2 else present
        auc = np.mean([roc_auc_score(y == k, probability[:, k]) for k in ranked])
        replicates = None
        if weights is not None:
            replicates = np.mean([weighted_roc_auc(probability[:, k], y == k, weights) for k in ranked], axis=0)
        yield "roc_auc", float(auc), replicates
    squares = ((probability - np.eye(n_classes)[y]) ** 2).sum(axis=1)
    by_row = {"brier_score": squares / 2 if n_classes == 2 else squares}
    if n_classes == 2:
        by_row["calibration"] = probability[:, 1] - y
    for metric, values in by_row.items():
        yield metric, float(values.mean()), None if weights is None else weighted_mean(values, weights)
