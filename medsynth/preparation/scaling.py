"""Does scaling to [0, 1] keep the distribution of the training rows? The check of the Med-VAE paper's Methods."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.disclosure import MINIMUM_CELL_SIZE, inner_range

# Name -> method of a column; kurtosis is excess kurtosis.
MOMENTS = {"mean": "mean", "std": "std", "skewness": "skew", "kurtosis": "kurt"}
RELATIVE, ABSOLUTE = 1e-6, 1e-9


def scaling_table(train: pd.DataFrame, codebook: Codebook, least: int = MINIMUM_CELL_SIZE) -> pd.DataFrame:
    """Moments of every numeric column before and after scikit-learn's `MinMaxScaler`.

    The Med-VAE paper (Supplement) calculates them "to ensure the data distribution remained unchanged". A linear map
    leaves skewness and kurtosis as they are, and takes the mean and the standard deviation with it. Since both ends of
    the map can be read off the two, every column is first cut where `least` rows lie at or beyond.

    Parameters
    ----------
    train : DataFrame
        Training rows; what is missing does not count.
    codebook : Codebook
        Of these rows.
    least : int, default 10
        See `medsynth.disclosure.inner_range`.

    Returns
    -------
    DataFrame
        Columns column, ``<moment>_before`` and ``<moment>_after`` of mean, std, skewness and kurtosis, and unchanged:
        "yes" if skewness and kurtosis are equal and mean and std are what the map makes of them (to 1e-6 of their
        size), "no" if not, "constant" for a column that, but for fewer rows than `least`, is one value.
    """
    from sklearn.preprocessing import MinMaxScaler

    rows = []
    for name in codebook.named(*NUMERIC):
        known = train[name].dropna()
        if known.empty:
            continue
        before = known.clip(*inner_range(known, least)).astype("float64")
        after = pd.Series(MinMaxScaler().fit_transform(before.to_frame())[:, 0])
        moments = {moment: (getattr(before, method)(), getattr(after, method)()) for moment, method in MOMENTS.items()}
        row = {"column": name}
        for moment, (first, second) in moments.items():
            row |= {f"{moment}_before": first, f"{moment}_after": second}
        smallest, span = before.min(), before.max() - before.min()
        if span == 0:
            rows.append(row | {"unchanged": "constant"})
            continue
        expected = dict(moments) | {
            "mean": ((moments["mean"][0] - smallest) / span, moments["mean"][1]),
            "std": (moments["std"][0] / span, moments["std"][1]),
        }
        left, right = np.array(list(expected.values()), dtype=float).T
        same = np.allclose(left, right, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        rows.append(row | {"unchanged": "yes" if same else "no"})
    ends = [f"{moment}_{end}" for moment in MOMENTS for end in ("before", "after")]
    return pd.DataFrame(rows, columns=["column", *ends, "unchanged"])
