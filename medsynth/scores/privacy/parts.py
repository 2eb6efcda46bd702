"""Who is attacked, who attacks, and the tables that show whether attacks work."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.evaluation.references import REFERENCE_ROWS, independent


class Parts(NamedTuple):
    """Rows of four disjoint groups of persons; see `medsynth.scores.privacy`."""

    members: pd.DataFrame
    nonmembers: pd.DataFrame
    reference: pd.DataFrame
    fresh: pd.DataFrame


def train_copy(parts: Parts, seed: int) -> pd.DataFrame:
    """Release the members themselves: what every attack must find."""
    return parts.members


def plant(percent: int) -> Callable[[Parts, int], pd.DataFrame]:
    """Release the negative control with copies of so many of the members: a leak of known size."""

    def release(parts: Parts, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        copied = rng.choice(len(parts.members), size=max(1, round(len(parts.members) * percent / 100)), replace=False)
        return pd.concat([parts.fresh, parts.members.iloc[np.sort(copied)]], ignore_index=True)

    return release


def holdout(parts: Parts, seed: int) -> pd.DataFrame:
    """Release real rows of persons whom no generator saw, the negative control: what no attack may flag."""
    return parts.fresh


def independent_marginals(parts: Parts, seed: int) -> pd.DataFrame:
    """Release independent marginals of the members."""
    persons = np.arange(len(parts.members))
    return independent(parts.members, parts.fresh, persons, np.random.default_rng(seed))[0]


# Control -> per cent of the members that it copies.
PLANTED = {name: one.copied for name, one in REFERENCE_ROWS.items() if one.copied}
# Name -> function that releases a table as a generator does that was fitted on the members.
CONTROLS: dict[str, Callable[[Parts, int], pd.DataFrame]] = {
    **{name: train_copy if percent == 100 else plant(percent) for name, percent in PLANTED.items()},
    "holdout": holdout,
    "independent": independent_marginals,
}
