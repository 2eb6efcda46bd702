"""Membership inference: was this person among those that the generator learned from?

Both attacks estimate a density ratio, as DOMIAS does (van Breugel, Sun, Qian and van der Schaar 2023, "Membership
Inference Attacks against Synthetic Data through Overfitting Detection"): where a released table is denser than the
population, the generator has remembered somebody. They differ in how they estimate it. Neighbours find near copies,
even among rows that look nothing like real ones; trees find what was learned too well without being copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.attacks.distances import closest
from medsynth.evaluation.utility import Score
from medsynth.preparation.encoding import TableEncoder

# Share of the attacked rows that lie furthest from the reference rows: the persons who are hardest to hide.
OUTLIERS = 0.05
# False positive rates at which the share of members found is reported (Carlini et al. 2022).
FALSE_POSITIVES = (0.01, 0.1)
# Added to distances, in columns, so that equal rows have a finite density.
SOFTENING = 0.1
RESAMPLES = 200


def neighbours(
    attacked: pd.DataFrame, released: pd.DataFrame, reference: pd.DataFrame, codebook: Codebook, seed: int
) -> np.ndarray:
    """Log of the distance to the closest reference row over that to the closest released row.

    The density at a row falls with a power of the distance to its nearest neighbour (Loftsgaarden and Quesenberry
    1965), so that the ratio of distances ranks rows as the ratio of densities does.

    Parameters
    ----------
    attacked, released, reference : DataFrame
        Rows that are asked about, the synthetic table, and the attacker's own rows.
    codebook : Codebook
    seed : int
        Unused: nothing is drawn.

    Returns
    -------
    ndarray of float, shape (attacked rows,)
        The larger, the more probably a member.
    """
    scale = pd.concat([released, reference])
    to = [SOFTENING + closest(attacked, others, scale, codebook) for others in (reference, released)]
    return np.log(to[0] / to[1])


def trees(
    attacked: pd.DataFrame, released: pd.DataFrame, reference: pd.DataFrame, codebook: Codebook, seed: int
) -> np.ndarray:
    """Probability of being released rather than reference, which rises with the ratio of densities.

    Extremely randomised trees, fully grown on all rows (Geurts, Ernst and Wehenkel 2006): they remember every released
    row, so that a copied member is met again.

    Parameters and what is returned: as in `neighbours`; `seed` decides the trees.
    """
    encoder = TableEncoder().fit(pd.concat([released, reference]))
    x, asked = (encoder.transform(table).to_numpy() for table in (pd.concat([released, reference]), attacked))
    y = np.repeat([1, 0], [len(released), len(reference)])
    return extra_trees(seed).fit(x, y).predict_proba(asked)[:, 1]


ATTACKS: dict[str, Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame, Codebook, int], np.ndarray]] = {
    "neighbours": neighbours,
    "trees": trees,
}


def signs(
    attacked: pd.DataFrame, released: pd.DataFrame, reference: pd.DataFrame, codebook: Codebook, seed: int
) -> pd.DataFrame:
    """Score rows by each of `ATTACKS`: float, one column an attack."""
    return pd.DataFrame(
        {name: attack(attacked, released, reference, codebook, seed) for name, attack in ATTACKS.items()}
    )


def extra_trees(seed: int):
    """Extremely randomised trees of scikit-learn at their factory settings, one thread."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_jobs=1, random_state=seed)


def outliers(attacked: pd.DataFrame, reference: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Say which rows lie furthest from the reference rows: bool, shape (attacked rows,), about `OUTLIERS` of them True.

    The reference alone decides, so that members and nonmembers are chosen in the same way.
    """
    distance = closest(attacked, reference, reference, codebook)
    return distance >= np.quantile(distance, 1 - OUTLIERS)


def judge(score: np.ndarray, member: np.ndarray, unusual: np.ndarray, attack: str, *, seed: int) -> Iterator[Score]:
    """Judge what an attack says of the attacked rows.

    Parameters
    ----------
    score : ndarray of float, shape (rows,)
        The larger, the more probably a member.
    member, unusual : ndarray of bool, shape (rows,)
        Whether the row is a member's, and whether it is one of the `outliers`.
    attack : str
        Name of the attack.
    seed : int
        Seed of the bootstrap.

    Yields
    ------
    metric, detail, value
        ``membership_auc``: ROC AUC (0.5: a member cannot be told from anybody). ``membership_tpr_1`` and
        ``membership_tpr_10``: share of the members found when 1 % and 10 % of the nonmembers are taken for members
        (0.01 and 0.1 without any knowledge; ties count as if broken at random). Each with the ends of its 95 %
        interval over persons of this one table (``_low``, ``_high``; percentiles of a bootstrap of members and
        nonmembers). `detail` is ``attack:everyone`` and ``attack:outliers``; NaN where these are all on one side.
    """
    rng = np.random.default_rng(seed)
    for who, chosen in {"everyone": np.ones(len(score), dtype=bool), "outliers": unusual}.items():
        sides = score[chosen & member], score[chosen & ~member]
        found = _rates(*sides)
        again = [_rates(*(_resampled(side, rng) for side in sides)) for _ in range(RESAMPLES)]
        for metric, value in found.items():
            low, high = np.quantile([one[metric] for one in again], [0.025, 0.975])
            for end, number in (("", value), ("_low", low), ("_high", high)):
                yield f"membership_{metric}{end}", f"{attack}:{who}", float(number)


def _resampled(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw as many values with replacement."""
    return rng.choice(values, len(values)) if len(values) else values


def _rates(members: np.ndarray, nonmembers: np.ndarray) -> dict[str, float]:
    """AUC, and true positive rates at `FALSE_POSITIVES`; NaN if a side has no rows."""
    from sklearn.metrics import auc, roc_curve

    names = ["auc", *(f"tpr_{rate:.0%}".rstrip("%") for rate in FALSE_POSITIVES)]
    if not len(members) or not len(nonmembers):
        return dict.fromkeys(names, np.nan)
    truth = np.repeat([1, 0], [len(members), len(nonmembers)])
    false, true, _ = roc_curve(truth, np.concatenate([members, nonmembers]))
    return dict(zip(names, [auc(false, true), *np.interp(FALSE_POSITIVES, false, true)], strict=True))
