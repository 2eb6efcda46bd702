"""All attacks on one released table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.feasibility import can_shadow
from medsynth.evaluation.references import draw_positions, draw_rows
from medsynth.evaluation.resampling import Score, person_weights
from medsynth.preparation.partitions import halve_evenly
from medsynth.randomness import derive_seed
from medsynth.scores.privacy.attributes import attribute_inference
from medsynth.scores.privacy.copies import copies
from medsynth.scores.privacy.membership import judge, outliers, signs, strongest
from medsynth.scores.privacy.parts import Parts
from medsynth.scores.privacy.shadow import shadow

# Members and nonmembers that are asked about, each, and released rows whose closest real row is looked for.
ATTACKED_ROWS = 10_000
# What the attack is called that was chosen on one half of the attacked persons and is judged on the other.
CHOSEN = "chosen"


class Attacked(NamedTuple):
    """Persons behind the rows of `Parts`, as arrays of numbers, one a row."""

    members: np.ndarray
    nonmembers: np.ndarray
    reference: np.ndarray


def audit(
    released: pd.DataFrame,
    parts: Parts,
    codebook: Codebook,
    sensitive: Sequence[str],
    *,
    seed: int,
    person: Attacked,
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
        Decides the rows that are asked about, at most `ATTACKED_ROWS` of members and as many nonmembers, the replicates
        of their persons, and all else. The same for all tables that are compared.
    person : Attacked
    release : callable, optional
        What made `released`, for shadow models (see `shadow.shadow`); without it, or with too few reference rows for
        their quarters (`feasibility.can_shadow`), there is no such attack.

    Yields
    ------
    Score
        See `membership.judge`, `attributes.attribute_inference` and `copies.copies`. Each membership attack is judged
        on all attacked rows. ``chosen`` is the attack that does best on one half of the attacked persons, judged on
        the other half: chosen and judged on the same persons, the best of several attacks finds members where there
        are none. Which one it is, is the attack of ``chosen_attack``.
    """
    rng = np.random.default_rng(seed)
    weights = [
        person_weights(whose, seed=derive_seed(seed, side))
        for side, whose in (("members", person.members), ("nonmembers", person.nonmembers))
    ]
    asked = [draw_positions(len(part), ATTACKED_ROWS, rng) for part in (parts.members, parts.nonmembers)]
    members, nonmembers = (
        part.iloc[rows].reset_index(drop=True)
        for part, rows in zip((parts.members, parts.nonmembers), asked, strict=True)
    )
    of_asked = [own[:, rows] for own, rows in zip(weights, asked, strict=True)]
    attacked, both = pd.concat([members, nonmembers], ignore_index=True), np.hstack(of_asked)
    member = np.repeat([True, False], [len(members), len(nonmembers)])
    unusual = outliers(attacked, parts.reference, codebook)
    found = signs(attacked, released, parts.reference, codebook, seed)
    if release and can_shadow(person.reference):
        found["shadow"] = shadow(found, parts.reference, person.reference, release, codebook, seed)
    for attack, score in found.items():
        yield from judge(score.to_numpy(), member, unusual, attack, weights=both)
    halves = [halve_evenly(whose[rows], rng) for whose, rows in zip(person[:2], asked, strict=True)]
    choosing, judged = (np.concatenate([first, second + len(members)]) for first, second in zip(*halves, strict=True))
    attack = strongest(found.iloc[choosing], member[choosing])
    yield Score("chosen_attack", 1.0).of(attack=attack)
    score = found[attack].to_numpy()[judged]
    yield from judge(score, member[judged], unusual[judged], CHOSEN, weights=both[:, judged])
    yield from attribute_inference(
        released, members, nonmembers, parts.reference, sensitive, seed=seed, weights=(of_asked[0], of_asked[1])
    )
    rows = draw_rows(released, ATTACKED_ROWS, rng)
    yield from copies(rows, parts.members, parts.nonmembers, codebook, np.hstack(weights))
