"""A canary audit of med_vae_private: a lower bound of epsilon from one training run, beside the upper bound it states.

    python benchmarks/canary_audit.py results/diabetes130/file-paper/data [--epsilons 1 8 inf] [--canaries 1000]
        [--rows 0] [--seed 1]

Canaries are rows that nobody has: columns are independent, all categories of a column equally likely. Each is put among
the training rows if a fair coin says so. The auditor has the fitted network and all canaries, but not the coins. A
canary's score is how much smaller its loss is than the reference: what its categories lead to expect, by a linear
regression on 20,000 decoys, rows made in the same way that were never learned. Canaries of the largest scores are
guessed to have been there, as many of the smallest not; of the others nothing is said. From how many guesses are right
follows a lower bound of epsilon at 95 % confidence (Steinke, Nasr and Jagielski 2023, "Privacy auditing with one (1)
training run", arXiv 2305.08846). Six numbers of guesses are tried; each has a sixth of the 5 %.

A lower bound above the stated epsilon would show that the guarantee does not hold. One far below shows little: another
auditor may find more. The run without noise (inf) is the positive control: an audit that found nothing there would be
worth nothing. Noise is seeded, so that the same numbers come out again; the auditor does not subtract it. How many rows
there are follows the coins; the guarantee counts that as public, and no score depends on it.

Prints for each epsilon: the bound, how many guesses were right, the AUC of the scores.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import binom

# Shares of the canaries that are guessed.
GUESSED = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
CONFIDENCE = 0.95
MOST_EPSILON = 50.0
DECOYS = 20_000


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Largest probability with which so many guesses, or more, are right under (epsilon, delta).

    Steinke, Nasr and Jagielski's theorem for approximate differential privacy: with pure epsilon, guesses are right no
    more often than independent coins of probability e^epsilon / (1 + e^epsilon); delta adds
    2 m delta max over i of P[right - i <= W < right] / i, where W counts these coins.

    Parameters
    ----------
    canaries : int
        Each was there with probability 1/2; `m`.
    guesses, right : int
        Canaries of which something was guessed, and of these how many rightly.
    epsilon, delta : float
    """
    coin = expit(epsilon)
    just_below = binom.pmf(np.arange(right - 1, -1, -1), guesses, coin).cumsum()
    most = (just_below / np.arange(1, right + 1)).max(initial=0.0)
    return min(1.0, float(binom.sf(right - 1, guesses, coin) + 2 * canaries * delta * most))


def lower_bound(canaries: int, guesses: int, right: int, delta: float, p: float) -> float:
    """Largest epsilon, at least 0 and at most `MOST_EPSILON`, that so many right guesses refute at level `p`."""
    if p_value(canaries, guesses, right, 0.0, delta) >= p:
        return 0.0
    low, high = 0.0, MOST_EPSILON
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(canaries, guesses, right, middle, delta) < p else (low, middle)
    return low


def audit(scores: np.ndarray, there: np.ndarray, delta: float) -> tuple[float, int, int]:
    """Guess by scores, and take the best bound of six numbers of guesses.

    Parameters
    ----------
    scores : ndarray
        One a canary; the larger, the likelier it was there.
    there : ndarray of bool
        Whether it was.
    delta : float

    Returns
    -------
    bound : float
        Holds at `CONFIDENCE`.
    guesses, right : int
        Of the number of guesses that gave it.
    """
    m = len(scores)
    ordered = there[np.argsort(scores, kind="stable")]
    found = []
    for share in GUESSED:
        half = max(1, round(share * m / 2))
        right = int(ordered[-half:].sum() + (~ordered[:half]).sum())
        bound = lower_bound(m, 2 * half, right, delta, (1 - CONFIDENCE) / len(GUESSED))
        found.append((bound, 2 * half, right))
    return max(found)


def make_canaries(codebook, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw rows whose columns hang on nothing; a numeric column is uniform over its range."""
    columns = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            values = rng.uniform(*column.range, n)
            columns[name] = values.round() if column.type == "integer" else values
        else:
            columns[name] = rng.choice(np.array(column.all_categories, dtype=object), n)
    return codebook.conform(pd.DataFrame(columns))


def losses(model, table: pd.DataFrame) -> np.ndarray:
    """Negative log-likelihood of each row's categories in nats, not of numeric columns: bins are a model's own."""
    import torch

    codes = torch.as_tensor(model.coder_.encode(table)[:, model._positions()]).long()
    decoder = model.network_["decoder"]
    with torch.no_grad():
        logits = decoder(torch.zeros(len(codes), 0), model._categories(codes)).split(decoder.sizes, 1)
    total = np.zeros(len(codes))
    for place, name in enumerate(model.order_):
        if not model.codebook_.columns[name].numeric:
            said = logits[place].log_softmax(1).gather(1, codes[:, place : place + 1])
            total -= said[:, 0].double().numpy()
    return total


def surprise(model, canaries: pd.DataFrame, decoys: pd.DataFrame) -> np.ndarray:
    """Score canaries: how much less each one's loss is than its categories lead to expect, learned from decoys."""
    from sklearn.linear_model import Ridge

    categories = [name for name, column in model.codebook_.columns.items() if not column.numeric]
    indicators, of_canaries = (pd.get_dummies(rows[categories]).to_numpy("float64") for rows in (decoys, canaries))
    expected = Ridge().fit(indicators, losses(model, decoys)).predict(of_canaries)
    return expected - losses(model, canaries)


def main() -> None:
    """Read the rows, audit each epsilon, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="a run's data folder")
    parser.add_argument("--epsilons", type=float, nargs="+", default=[1.0, 8.0, math.inf])
    parser.add_argument("--canaries", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=0, help="real rows to train on, the first ones; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()

    import torch
    from sklearn.metrics import roc_auc_score

    from medsynth.codebook import Codebook
    from medsynth.generators import DPMedVAEPlus
    from medsynth.randomness import derive_seed

    torch.set_num_threads(1)
    codebook = Codebook.from_json(given.data / "codebook.json")
    rows = pd.read_parquet(given.data / "train.parquet")[: given.rows or None]
    rng = np.random.default_rng(derive_seed(given.seed, "canaries"))
    canaries, decoys = (make_canaries(codebook, n, rng) for n in (given.canaries, DECOYS))
    there = rng.random(given.canaries) < 0.5
    learned = codebook.conform(pd.concat([rows, canaries[there]], ignore_index=True))
    print(f"{len(rows):,} rows, {given.canaries:,} canaries, {there.sum():,} of them there; bounds at {CONFIDENCE:.0%}")
    for epsilon in given.epsilons:
        budget = None if math.isinf(epsilon) else epsilon
        model = DPMedVAEPlus(epsilon=budget, seeded_noise=True).fit(learned, codebook, seed=given.seed)
        scores = surprise(model, canaries, decoys)
        bound, guesses, right = audit(scores, there, model.privacy_["delta"] or 0.0)
        print(
            f"epsilon {epsilon:g}: at least {bound:.2f} ({right} of {guesses} guesses right; AUC of the scores "
            f"{roc_auc_score(there, scores):.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
