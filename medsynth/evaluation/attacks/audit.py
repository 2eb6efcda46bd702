"""All attacks on one released table, and the tables that show whether the attacks work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.attacks.attributes import attribute_inference
from medsynth.evaluation.attacks.copies import copies
from medsynth.evaluation.attacks.membership import ATTACKS, judge, outliers
from medsynth.evaluation.references import draw_rows, independent
from medsynth.evaluation.utility import Score

# Members and nonmembers that are asked about, each, and released rows whose closest real row is looked for.
ATTACKED_ROWS = 10_000


class Parts(NamedTuple):
    """Rows of four disjoint groups of persons; see `medsynth.evaluation.attacks`."""

    members: pd.DataFrame
    nonmembers: pd.DataFrame
    reference: pd.DataFrame
    fresh: pd.DataFrame


def train_copy(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Release the members themselves: what every attack must find."""
    return parts.members


def holdout(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Release real rows of persons that nobody saw: what no attack may flag."""
    return parts.fresh


def independent_columns(parts: Parts, rng: np.random.Generator) -> pd.DataFrame:
    """Release every column of the members drawn alone."""
    return independent(parts.members, parts.fresh, len(parts.members), rng)[0]


CONTROLS: dict[str, Callable[[Parts, np.random.Generator], pd.DataFrame]] = {
    "train_copy": train_copy,
    "holdout": holdout,
    "independent": independent_columns,
}


def audit(
    released: pd.DataFrame, parts: Parts, codebook: Codebook, sensitive: Sequence[str], *, seed: int
) -> Iterator[Score]:
    """Try every attack on a released table.

    Parameters
    ----------
    released : DataFrame
        Rows of a generator that was fitted on `parts.members`.
    parts : Parts
    codebook : Codebook
    sensitive : sequence of str
        Columns that attribute inference asks for.
    seed : int
        Decides the rows that are asked about, at most `ATTACKED_ROWS` of members and as many nonmembers, and all else.

    Yields
    ------
    metric, detail, value
        See `membership.judge`, `attributes.attribute_inference` and `copies.copies`.
    """
    rng = np.random.default_rng(seed)
    members, nonmembers = (draw_rows(part, ATTACKED_ROWS, rng) for part in (parts.members, parts.nonmembers))
    attacked = pd.concat([members, nonmembers], ignore_index=True)
    member = np.repeat([True, False], [len(members), len(nonmembers)])
    unusual = outliers(attacked, parts.reference, codebook)
    for name, attack in ATTACKS.items():
        yield from judge(attack(attacked, released, parts.reference, codebook, seed), member, unusual, name, seed=seed)
    yield from attribute_inference(released, members, nonmembers, parts.reference, sensitive, seed=seed)
    yield from copies(draw_rows(released, ATTACKED_ROWS, rng), parts.members, parts.nonmembers, codebook)
