"""Copies, exact and near, and whether rows are closer to members (DCR share); the attacks find more.

Distances miss what a generator gives away without copying a row, and a table without one near copy can be unsafe
(Ganev and De Cristofaro 2023, "On the Inadequacy of Similarity-based Privacy Metrics"). They are printed because they
are easy to understand and commonly asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import Score, least_variance
from medsynth.scores.privacy.distances import closest_rows


def copies(
    released: pd.DataFrame,
    members: pd.DataFrame,
    nonmembers: pd.DataFrame,
    codebook: Codebook,
    weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """Compare distances to the closest member and to the closest nonmember (Platzer and Reutterer 2021).

    Parameters
    ----------
    released : DataFrame
    members, nonmembers : DataFrame
        Rows that the generator was fitted on, and as many, of the same population, that it was not.
    codebook : Codebook
    weights : ndarray, shape (replicates, members + nonmembers), optional
        Of the persons. A released row counts as the person does whose row is the closest to it: what is near to one
        person stands or falls together.

    Yields
    ------
    Score
        ``dcr_share`` (distance to the closest record): share of the released rows whose closest member is closer than
        their closest nonmember, ties counting half; 0.5 means that nothing is copied. ``copies_member`` and
        ``copies_nonmember``: shares of the released rows that equal one; the second says how many equal by chance.
        ``near_copies_member`` and ``near_copies_nonmember``: the same of rows at most one column away (see
        `distances.closest_rows`).
    """
    # One scale made of both: on that of one side alone, its own rows would lie further away.
    scale = pd.concat([members, nonmembers])
    to_member, member = closest_rows(released, members, scale, codebook)
    to_nonmember, nonmember = closest_rows(released, nonmembers, scale, codebook)
    values = {"dcr_share": (to_member < to_nonmember) + 0.5 * (to_member == to_nonmember)}
    for name, distance in (("member", to_member), ("nonmember", to_nonmember)):
        values |= {f"copies_{name}": distance == 0, f"near_copies_{name}": distance <= 1}
    nearest = np.where(to_member <= to_nonmember, member, nonmember + len(members))
    for metric, of_rows in values.items():
        replicates = None
        if weights is not None:
            sums = (
                np.bincount(nearest, weights=of_rows, minlength=len(scale)),
                np.bincount(nearest, minlength=len(scale)),
            )
            with np.errstate(invalid="ignore", divide="ignore"):
                replicates = np.divide(*(weights.astype("float64") @ part for part in sums))
        yield Score(metric, float(np.mean(of_rows)), replicates, least_variance(len(np.unique(nearest))))
