"""Seconds that fitting and sampling take, on the training rows of a run and one thread.

    python benchmarks/generators.py results/diabetes130/file-full/data

Prints, for Med-VAE plus and CART: fit, rows sampled a second, and how many times as long rows under a condition that
about 1 row in 1,000 meets take; for CTGAN seconds an epoch (from runs of 1 and 3 epochs) and what 300 come to.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from pathlib import Path

import pandas as pd
import torch

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.generators import CART, CTGAN, MedVAEPlus

ROWS = 10_000
FIRST = ["race", "A1Cresult", "insulin", "metformin"]
# Two of these are among the first columns of the visit sequence, the other is late.
CONDITIONS = [{"race": "Asian", "insulin": "Up"}, {"number_emergency": (5, None)}]


def seconds(work):
    """Time a call: what it returns, and seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def main(folder):
    """Fit, sample, print."""
    torch.set_num_threads(1)
    train = pd.read_parquet(Path(folder) / "train.parquet")
    codebook = Codebook.from_json(Path(folder) / "codebook.json")
    print(f"{len(train):,} x {train.shape[1]}")
    for kind in (MedVAEPlus, CART):
        model, fit = seconds(lambda kind=kind: kind().fit(train, codebook, seed=1, first=FIRST, last=["age"]))
        model.sample(100, seed=0)
        _, free = seconds(lambda model=model: model.sample(ROWS, seed=1))
        print(f"{kind.__name__}: fit {fit:.1f} s; sample {ROWS / free:,.0f} rows a second")
        for wanted in CONDITIONS:
            _, under = seconds(lambda model=model, wanted=wanted: model.sample(ROWS, seed=1, conditions=wanted))
            share = Conditions.parse(wanted, codebook).holds(train).mean()
            print(f"    under {wanted} ({share:.4f} of the training rows): {under / free:.1f} times as long")
    one, three = (seconds(lambda n=n: CTGAN().fit(train, codebook, epochs=n, seed=1))[1] for n in (1, 3))
    epoch = (three - one) / 2
    print(f"CTGAN: {epoch:.1f} s an epoch; 300 epochs about {one + 299 * epoch:,.0f} s")


if __name__ == "__main__":
    main(sys.argv[1])
