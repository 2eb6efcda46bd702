"""Who is attacked, who attacks, and the tables that show whether attacks work."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.evaluation.references import independent


class Parts(NamedTuple):
    """Rows of four disjoint groups of persons; see `medsynth.evaluation.attacks`."""

    members: pd.DataFrame
    nonmembers: pd.DataFrame
    reference: pd.DataFrame
    fresh: pd.DataFrame


def train_copy(parts: Parts, seed: int) -> pd.DataFrame:
    """Release the members themselves: what every attack must find."""
    return parts.members


def holdout(parts: Parts, seed: int) -> pd.DataFrame:
    """Release real rows of persons that nobody saw: what no attack may flag."""
    return parts.fresh


def independent_columns(parts: Parts, seed: int) -> pd.DataFrame:
    """Release every column of the members drawn alone."""
    return independent(parts.members, parts.fresh, len(parts.members), np.random.default_rng(seed))[0]


# Name -> function that releases a table as a generator does that was fitted on the members.
CONTROLS: dict[str, Callable[[Parts, int], pd.DataFrame]] = {
    "train_copy": train_copy,
    "holdout": holdout,
    "independent": independent_columns,
}
