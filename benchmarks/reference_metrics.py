"""What rows that need no explanation score: the numbers of docs/metrics.md.

    python benchmarks/reference_metrics.py results/diabetes130/file-full/data age 60

Judges one half of a run's test rows, training rows, rows of CART and independent marginals against the other half, as
many rows each. Judges classifiers (XGBoost, random forest) that were trained on 8,000 of each on all test rows; the
target is a numeric column from a value on. Prints scores, their standard deviations over persons, and processor
seconds, on one thread.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import person_weights
from medsynth.evaluation.targets import Target
from medsynth.generators import CART
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.partitions import halve
from medsynth.scores.precision_recall.compute import precision_recall
from medsynth.scores.precision_recall.marginals import three_way_marginals
from medsynth.scores.utility.calibration import calibration_slope
from medsynth.scores.utility.compute import predict

CLASSIFIER_ROWS = 8_000


def take(table, rows, seed):
    """Draw rows without replacement."""
    return table.sample(min(rows, len(table)), random_state=seed).reset_index(drop=True)


def timed(scores):
    """Scores, and the processor seconds they took."""
    start = time.process_time()
    return list(scores), time.process_time() - start


def main(folder, column, at_least):
    """Score each table and print."""
    train, test = (pd.read_parquet(folder / f"{name}.parquet") for name in ("train", "test"))
    person = pd.read_parquet(folder / "persons.parquet").query("partition == 'test'")["person"].to_numpy()
    codebook = Codebook.from_json(folder / "codebook.json")
    rng = np.random.default_rng(1)
    cart = CART().fit(train, codebook, seed=1).sample(len(train), seed=1)
    alone = pd.DataFrame({name: train[name].to_numpy()[rng.permutation(len(train))] for name in train})
    alone = alone.astype(train.dtypes)
    halves = halve(person, seed=1)
    held_out, against = (test.iloc[rows].reset_index(drop=True) for rows in halves)
    rows, weights = len(against), person_weights(person, seed=1)
    tables = {"held-out rows": held_out, "training rows": train, "cart": cart, "independent marginals": alone}
    print(f"{rows:,} rows a side, {len(train):,} learned")
    for name, table in tables.items():
        judged = take(table, rows, seed=2)
        settings = {"seed": 1, "weights": weights[:, halves[1]]}
        faithful, seconds = timed(precision_recall(judged, against, codebook, learned=train, **settings))
        triples, more = timed(three_way_marginals(judged, against, codebook, **settings))
        told = ", ".join(f"{s.metric} {s.value:.3f} ({s.variance**0.5:.3f})" for s in [*faithful, *triples])
        print(f"{name}: {told}; {seconds:.1f} + {more:.1f} s")
    target = Target(name="target", column=column, at_least=at_least)
    encoder = TableEncoder().fit(train)
    for name, table in list(tables.items())[1:]:
        for classifier, trained in predict(take(table, CLASSIFIER_ROWS, 3), test, target, encoder, seed=1).items():
            start = time.process_time()
            value, replicates = calibration_slope(target.labels(test), trained.probability, weights)
            seconds = time.process_time() - start
            print(f"{name}, {classifier}: calibration_slope {value:.2f} ({np.nanstd(replicates):.2f}); {seconds:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]))
