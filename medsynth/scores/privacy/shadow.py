"""Shadow models: an attacker who can fit the same kind of generator learns from it what members look like.

Shokri et al. 2017 ("Membership Inference Attacks Against Machine Learning Models") and, for synthetic tables, Stadler,
Oprisanu and Troncoso 2022 ("Synthetic Data – Anonymisation Groundhog Day"). The attacker's own rows are split again and
again into shadow members, nonmembers, reference and fresh rows; the generator is fitted on the shadow members; and a
classifier learns how much the signs of the other attacks mean for this kind of generator.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.preparation.partitions import halve
from medsynth.randomness import derive_seed
from medsynth.scores.privacy.membership import signs
from medsynth.scores.privacy.parts import Parts

SHADOWS = 4


def shadow(
    found: pd.DataFrame,
    reference: pd.DataFrame,
    person: np.ndarray,
    release: Callable[[Parts, int], pd.DataFrame],
    codebook: Codebook,
    seed: int,
) -> np.ndarray:
    """Score rows by what `SHADOWS` shadow generators teach.

    Parameters
    ----------
    found : DataFrame
        Signs of the attacked rows; see `membership.signs`.
    reference : DataFrame
        The attacker's own rows.
    person : ndarray of int, shape (reference rows,)
        Whose rows they are.
    release : callable
        ``release(parts, seed)`` fits the generator on `parts.members` and samples a table of as many rows.
    codebook : Codebook
    seed : int

    Returns
    -------
    ndarray of float, shape (attacked rows,)
        Log-odds of being a member.
    """
    from sklearn.linear_model import LogisticRegression

    seen, member = [], []
    for i in range(SHADOWS):
        own = derive_seed(seed, "shadow", i)
        parts = quarters(reference, person, own)
        attacked = pd.concat([parts.members, parts.nonmembers], ignore_index=True)
        seen.append(_ranks(signs(attacked, release(parts, own), parts.reference, codebook, own)))
        member.append(np.repeat([1, 0], [len(parts.members), len(parts.nonmembers)]))
    model = LogisticRegression().fit(np.concatenate(seen), np.concatenate(member))
    return model.decision_function(_ranks(found))


def quarters(table: pd.DataFrame, person: np.ndarray, seed: int) -> Parts:
    """Split rows into shadow members, nonmembers, reference and fresh rows by person, as nearly equal as can be."""
    rows = [half[quarter] for half in halve(person, seed=seed) for quarter in halve(person[half], seed=seed)]
    return Parts(*(table.take(part).reset_index(drop=True) for part in rows))


def _ranks(found: pd.DataFrame) -> np.ndarray:
    """Signs as ranks in their table, in (0, 1]: distances depend on the number of rows, ranks do not."""
    return found.rank(pct=True).to_numpy()
