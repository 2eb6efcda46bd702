"""All attacks on one released table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.attacks.attributes import attribute_inference
from medsynth.evaluation.attacks.copies import copies
from medsynth.evaluation.attacks.membership import judge, outliers, signs
from medsynth.evaluation.attacks.parts import Parts
from medsynth.evaluation.attacks.shadow import shadow
from medsynth.evaluation.feasibility import can_shadow
from medsynth.evaluation.references import draw_rows
from medsynth.evaluation.utility import Score

# Members and nonmembers that are asked about, each, and released rows whose closest real row is looked for.
ATTACKED_ROWS = 10_000


def audit(
    released: pd.DataFrame,
    parts: Parts,
    codebook: Codebook,
    sensitive: Sequence[str],
    *,
    seed: int,
    person: np.ndarray,
    release: Callable[[Parts, int], pd.DataFrame] | None = None,
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
    person : ndarray of int, shape (reference rows,)
        Whose the reference rows are.
    release : callable, optional
        What made `released`, for shadow models (see `shadow.shadow`); without it, or with too few reference rows for
        their quarters (`feasibility.can_shadow`), there is no such attack.

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
    found = signs(attacked, released, parts.reference, codebook, seed)
    if release and can_shadow(person):
        found["shadow"] = shadow(found, parts.reference, person, release, codebook, seed)
    for attack, score in found.items():
        yield from judge(score.to_numpy(), member, unusual, attack, seed=seed)
    yield from attribute_inference(released, members, nonmembers, parts.reference, sensitive, seed=seed)
    yield from copies(draw_rows(released, ATTACKED_ROWS, rng), parts.members, parts.nonmembers, codebook)
