"""Attribute inference: all columns of a person but one are known; what is the one?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from medsynth.evaluation.resampling import Score, mean_score
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.privacy.membership import extra_trees

QUARTERS = (0.25, 0.5, 0.75)


def attribute_inference(
    released: pd.DataFrame,
    members: pd.DataFrame,
    nonmembers: pd.DataFrame,
    reference: pd.DataFrame,
    columns: Sequence[str],
    *,
    seed: int,
    weights: tuple[np.ndarray, np.ndarray] | None = None,
) -> Iterator[Score]:
    """Predict each sensitive column of members and of nonmembers from the others, as the released table teaches.

    What is learned of nonmembers is what the table says of the population, which staying out of the data would not
    have changed; the advantage is what is learned of members beyond that (Giomi et al. 2023, "A Unified Framework for
    Quantifying Privacy Risk in Synthetic Data").

    Parameters
    ----------
    released, members, nonmembers, reference : DataFrame
    columns : sequence of str
        Sensitive columns. Numbers are guessed to their quarter among the reference rows.
    seed : int
        Seed of the trees; extremely randomised ones, which meet a copied row again.
    weights : tuple of ndarray, shapes (replicates, members) and (replicates, nonmembers), optional
        Of the persons.

    Yields
    ------
    Score
        ``attribute_members``, ``attribute_nonmembers``: accuracy on either; ``attribute_advantage``: the first minus
        the second. Of each column; ``mean`` for the mean of all.
    """
    encoder = TableEncoder().fit(pd.concat([released, reference]))
    x, *asked = (encoder.transform(table) for table in (released, members, nonmembers))
    advantages = []
    for column in columns:
        edges = reference[column].quantile(QUARTERS) if pd.api.types.is_numeric_dtype(reference[column]) else None
        y, *truth = (_classes(table[column], edges) for table in (released, members, nonmembers))
        model = extra_trees(seed).fit(x.drop(columns=column), y)
        found = [
            mean_score(metric, model.predict(known.drop(columns=column)) == true, own).of(column=column)
            for metric, known, true, own in zip(
                ("attribute_members", "attribute_nonmembers"), asked, truth, weights or (None, None), strict=True
            )
        ]
        yield from found
        advantages.append(_advantage(column, *found))
        yield advantages[-1]
    if advantages:
        known = [one.replicates for one in advantages if one.replicates is not None]
        value = float(np.mean([one.value for one in advantages]))
        least = max(one.least for one in advantages)
        score = Score("attribute_advantage", value, np.mean(known, axis=0) if known else None, least)
        yield score.of(column="mean")


def _advantage(column: str, members: Score, nonmembers: Score) -> Score:
    """What is guessed of members beyond what is guessed of others."""
    replicates = None
    if members.replicates is not None and nonmembers.replicates is not None:
        replicates = members.replicates - nonmembers.replicates
    value = members.value - nonmembers.value
    score = Score("attribute_advantage", value, replicates, members.least + nonmembers.least)
    return score.of(column=column)


def _classes(values: pd.Series, edges: pd.Series | None) -> np.ndarray:
    """Categories as text, numbers as the number of edges that they exceed; a gap is a class of its own."""
    if edges is None:
        return values.astype(str).to_numpy()
    return np.where(values.isna(), len(edges) + 1, np.searchsorted(edges, values))
