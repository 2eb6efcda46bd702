"""Membership inference: was this person among those that the generator learned from?

Both attacks estimate a density ratio, as DOMIAS does (van Breugel, Sun, Qian and van der Schaar 2023, "Membership
Inference Attacks against Synthetic Data through Overfitting Detection"): where a released table is denser than the
population, the generator has remembered somebody. They differ in how they estimate it. Neighbours find near copies,
even among rows that look nothing like real ones; trees find what was learned too well without being copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import Score, least_variance, weighted_roc_auc, weighted_true_positives
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.privacy.distances import closest

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier

# Share of the attacked rows that lie furthest from the reference rows: the persons who are hardest to hide.
OUTLIERS = 0.05
# False positive rates at which the share of members found is reported (Carlini et al. 2022).
FALSE_POSITIVES = (0.001, 0.01, 0.1)
# Added to distances, in columns, so that equal rows have a finite density.
SOFTENING = 0.1


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


def extra_trees(seed: int) -> ExtraTreesClassifier:
    """Extremely randomised trees of scikit-learn at their factory settings, one thread."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_jobs=1, random_state=seed)


def outliers(attacked: pd.DataFrame, reference: pd.DataFrame, codebook: Codebook) -> np.ndarray:
    """Say which rows lie furthest from the reference rows: bool, shape (attacked rows,), about `OUTLIERS` of them True.

    The reference alone decides, so that members and nonmembers are chosen in the same way.
    """
    distance = closest(attacked, reference, reference, codebook)
    return distance >= np.quantile(distance, 1 - OUTLIERS)


def judge(
    score: np.ndarray, member: np.ndarray, unusual: np.ndarray, attack: str, *, weights: np.ndarray | None = None
) -> Iterator[Score]:
    """Judge what an attack says of the attacked rows.

    Parameters
    ----------
    score : ndarray of float, shape (rows,)
        The larger, the more probably a member.
    member, unusual : ndarray of bool, shape (rows,)
        Whether the row is a member's, and whether it is one of the `outliers`.
    attack : str
        Name of the attack.
    weights : ndarray, shape (replicates, rows), optional
        Of the attacked persons.

    Yields
    ------
    Score
        ``membership_auc``: ROC AUC (0.5: a member cannot be told from anybody). ``membership_tpr_0.1``, ``_1`` and
        ``_10``: share of the members found when 0.1, 1 and 10 % of the nonmembers are taken for members (the same
        shares without any knowledge; ties count as if broken at random). Of the groups ``everyone`` and
        ``outliers``; NaN where these are all on one side.
    """
    once = np.ones((1, len(score)), dtype="float32")
    every = once if weights is None else np.vstack([once, weights])
    for who, chosen in {"everyone": np.ones(len(score), dtype=bool), "outliers": unusual}.items():
        part, sides, own = score[chosen], member[chosen], every[:, chosen]
        unknown = np.full(len(own), np.nan)
        found = {"membership_auc": weighted_roc_auc(part, sides, own) if len(part) else unknown}
        rates: Iterable[np.ndarray] = [unknown] * len(FALSE_POSITIVES)
        if len(part):
            rates = weighted_true_positives(part, sides, own, FALSE_POSITIVES)
        found |= dict(zip(map(rate_metric, FALSE_POSITIVES), rates, strict=True))
        rows = np.bincount(sides, minlength=2).min()
        for metric, values in found.items():
            replicates = None if weights is None else values[1:]
            auc_or_rate = Score(metric, float(values[0]), replicates, least_variance(rows))
            yield auc_or_rate.of(attack=attack, group=who)


def rate_metric(false_positives: float) -> str:
    """Name of the true positive rate at a false positive rate, which is in per cent there."""
    return f"membership_tpr_{100 * false_positives:g}"


def strongest(found: pd.DataFrame, member: np.ndarray) -> str:
    """Name the attack of the largest ROC AUC on rows, of which others are then judged: float signs, one column each."""
    once = np.ones((1, len(found)), dtype="float32")
    aucs = {name: np.nan_to_num(weighted_roc_auc(found[name].to_numpy(), member, once)[0]) for name in found}
    return max(aucs, key=lambda attack: aucs[attack])
