"""Attribute inference: all columns of a person but one are known; what is the one?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from medsynth.evaluation.attacks.membership import extra_trees
from medsynth.evaluation.utility import Score
from medsynth.preparation.encoding import TableEncoder

QUARTERS = (0.25, 0.5, 0.75)


def attribute_inference(
    released: pd.DataFrame,
    members: pd.DataFrame,
    nonmembers: pd.DataFrame,
    reference: pd.DataFrame,
    columns: Sequence[str],
    *,
    seed: int,
) -> Iterator[Score]:
    """Predict each sensitive column of members and of nonmembers from the others, as the released table teaches.

    What is learned of nonmembers is what the table says of the population, which staying out of the data would not
    have changed; the risk is what is learned of members beyond that (Giomi et al. 2023, "A Unified Framework for
    Quantifying Privacy Risk in Synthetic Data").

    Parameters
    ----------
    released, members, nonmembers, reference : DataFrame
    columns : sequence of str
        Sensitive columns. Numbers are guessed to their quarter among the reference rows.
    seed : int
        Seed of the trees; extremely randomised ones, which meet a copied row again.

    Yields
    ------
    metric, detail, value
        ``attribute_members``, ``attribute_nonmembers``: accuracy on either; ``attribute_risk``: the first minus the
        second. `detail` is the column; ``mean`` for the mean of all.
    """
    encoder = TableEncoder().fit(pd.concat([released, reference]))
    x, *asked = (encoder.transform(table) for table in (released, members, nonmembers))
    risks = []
    for column in columns:
        edges = reference[column].quantile(QUARTERS) if pd.api.types.is_numeric_dtype(reference[column]) else None
        y, *truth = (_classes(table[column], edges) for table in (released, members, nonmembers))
        model = extra_trees(seed).fit(x.drop(columns=column), y)
        right = [
            float((model.predict(known.drop(columns=column)) == true).mean())
            for known, true in zip(asked, truth, strict=True)
        ]
        yield "attribute_members", column, right[0]
        yield "attribute_nonmembers", column, right[1]
        yield "attribute_risk", column, right[0] - right[1]
        risks.append(right[0] - right[1])
    yield "attribute_risk", "mean", float(np.mean(risks))


def _classes(values: pd.Series, edges: pd.Series | None) -> np.ndarray:
    """Levels as text, numbers as the number of edges that they exceed."""
    return values.astype(str).to_numpy() if edges is None else np.searchsorted(edges, values)
