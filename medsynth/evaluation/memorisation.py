"""Are synthetic rows nearer to the rows that a generator saw than to equally many that it did not see?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.utility import Score

ROWS_AT_ONCE = 500


def nearer_to_members(
    synthetic: pd.DataFrame, members: pd.DataFrame, nonmembers: pd.DataFrame, codebook: Codebook
) -> Iterator[Score]:
    """Compare distances to the closest member and to the closest nonmember (Platzer and Reutterer 2021).

    The distance of two rows is the sum over columns of their differences (Gower 1971): 0 or 1 for levels, and for
    numbers the difference of their ranks among members and nonmembers together, in [0, 1].

    Parameters
    ----------
    synthetic : DataFrame
    members, nonmembers : DataFrame
        Rows that the generator was fitted on, and as many, of the same population, that it was not.
    codebook : Codebook

    Yields
    ------
    metric, detail, value
        ``nearer_to_member``: share of the synthetic rows whose closest member is closer than their closest nonmember,
        ties counting half; 0.5 means that nothing is copied. ``copies_member`` and ``copies_nonmember``: shares of the
        synthetic rows that equal one; the second says how many equal by chance.
    """
    # One scale made of both: on that of one side alone, its own rows would lie further away.
    scale = pd.concat([members, nonmembers])
    closest = [_closest(synthetic, table, scale, codebook) for table in (members, nonmembers)]
    difference = np.round(closest[0] - closest[1], 6)
    yield "nearer_to_member", "", float((difference < 0).mean() + 0.5 * (difference == 0).mean())
    for name, distance in zip(("member", "nonmember"), closest, strict=True):
        yield f"copies_{name}", "", float((distance < 1e-6).mean())


def _closest(rows: pd.DataFrame, others: pd.DataFrame, scale: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Distance of each row to the closest of the others: float, shape (rows,)."""
    numeric = codebook.named("continuous", "integer")
    coded = [name for name in codebook.columns if name not in numeric]
    sizes = [len(codebook.columns[name].all_levels) for name in coded]
    left, right = ((_ranks(table, scale, numeric), _one_hot(table, coded, sizes)) for table in (rows, others))
    closest = np.empty(len(rows))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        # Levels that differ = columns - levels in common, one product for all columns.
        distance = len(coded) - left[1][part] @ right[1].T
        for column in range(len(numeric)):
            distance += np.abs(left[0][part, column, None] - right[0][None, :, column])
        closest[part] = distance.min(1)
    return closest


def _ranks(table: pd.DataFrame, scale: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Numbers as mid-ranks among those of `scale`: float32 in [0, 1], (rows, names)."""
    ranks = np.zeros((len(table), len(names)), dtype="float32")
    for i, name in enumerate(names):
        known = np.sort(scale[name].to_numpy())
        ends = [np.searchsorted(known, table[name], side=side) for side in ("left", "right")]
        ranks[:, i] = (ends[0] + ends[1]) / (2 * len(known))
    return ranks


def _one_hot(table: pd.DataFrame, names: list[str], sizes: list[int]) -> np.ndarray:
    """Levels as indicators: float32, (rows, sum of sizes)."""
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    hot = np.zeros((len(table), starts[-1]), dtype="float32")
    for start, name in zip(starts[:-1], names, strict=True):
        hot[np.arange(len(table)), start + table[name].cat.codes] = 1
    return hot
