"""Copies, exact and near, and whether rows are nearer to members: a supplement to the attacks, which find more.

Distances miss what a generator gives away without copying a row, and a table without one near copy can be unsafe
(Ganev and De Cristofaro 2023, "On the Inadequacy of Similarity-based Privacy Metrics"). They are printed because they
are easy to understand and commonly asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.attacks.distances import closest
from medsynth.evaluation.utility import Score


def copies(
    released: pd.DataFrame, members: pd.DataFrame, nonmembers: pd.DataFrame, codebook: Codebook
) -> Iterator[Score]:
    """Compare distances to the closest member and to the closest nonmember (Platzer and Reutterer 2021).

    Parameters
    ----------
    released : DataFrame
    members, nonmembers : DataFrame
        Rows that the generator was fitted on, and as many, of the same population, that it was not.
    codebook : Codebook

    Yields
    ------
    metric, detail, value
        ``nearer_to_member``: share of the released rows whose closest member is closer than their closest nonmember,
        ties counting half; 0.5 means that nothing is copied. ``copies_member`` and ``copies_nonmember``: shares of the
        released rows that equal one; the second says how many equal by chance. ``near_copies_member`` and
        ``near_copies_nonmember``: the same of rows at most one column away (see `distances.closest`).
    """
    # One scale made of both: on that of one side alone, its own rows would lie further away.
    scale = pd.concat([members, nonmembers])
    to = {
        name: closest(released, table, scale, codebook)
        for name, table in (("member", members), ("nonmember", nonmembers))
    }
    difference = to["member"] - to["nonmember"]
    yield "nearer_to_member", "", float((difference < 0).mean() + 0.5 * (difference == 0).mean())
    for name, distance in to.items():
        yield f"copies_{name}", "", float((distance == 0).mean())
        yield f"near_copies_{name}", "", float((distance <= 1).mean())
