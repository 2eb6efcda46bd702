"""How a generator's settings do on few rows: the numbers of docs/forest.md.

    python benchmarks/small_tables.py results/support2/file-paper/data --rows 1600 cart forest forest:shrinkage=0
    python benchmarks/small_tables.py results/diabetes130/file-paper/data --rows 1000 --test cart forest

Fits each generator on training rows and judges as many synthetic rows as there are fresh ones. Fresh rows are other
training rows, so that settings are chosen without the test partition; with ``--test`` they are the test partition.
Prints the median over seeds; each seed takes other rows. Columns: C2ST AUC of XGBoost over five folds, 0.5 means that
it cannot tell; DCR share against as many fresh rows, 0.5 means that nothing is copied; the share of rows that break a
relation of two columns that holds in every training row; seconds of one processor.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.generators import generator_class
from medsynth.generators.cart import _values
from medsynth.plan.loading import load_generators
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.relations import Relations
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.privacy.copies import copies

# Fresh rows that a detector sees, and synthetic rows whose distances are looked at, at most.
FRESH, JUDGED = 5_000, 1_000


def made(asked):
    """Make a generator from ``name`` or ``name:setting=value,...``."""
    name, _, settings = asked.partition(":")
    entries = load_generators()
    if name not in entries:
        raise InputError(f"There is no generator '{name}'; there are {', '.join(entries)}.")
    given = dict(pair.split("=") for pair in settings.split(",") if pair)
    given = {key: yaml.safe_load(value) for key, value in given.items()}
    return generator_class(entries[name].class_path)(**{**entries[name].settings, **given})


def processor_seconds():
    """Seconds of the processor so far, also those of other environments' programs."""
    return sum(os.times()[:4])


def broken(synthetic, train, codebook):
    """Share of the rows that break a relation of the training rows."""
    sizes = {name: 0 if c.numeric else len(c.all_categories) for name, c in codebook.columns.items()}
    order = list(codebook.columns)
    relations = Relations.find({name: _values(train[name], codebook) for name in order}, order, sizes)
    values, rows = {name: _values(synthetic[name], codebook) for name in order}, np.arange(len(synthetic))
    return 1 - np.logical_and.reduce([relations.holds(name, values[name], values, rows) for name in order]).mean()


def main(folder, asked, rows, seeds, on_test):
    """Judge and print."""
    codebook = Codebook.from_json(folder / "codebook.json")
    train, test = (codebook.conform(pd.read_parquet(folder / f"{part}.parquet")) for part in ("train", "test"))
    print(f"{'generator':<45}{'C2ST AUC':>9}{'DCR share':>10}{'broken':>8}{'fit s':>7}{'sample s':>9}")
    for name in asked:
        found = []
        for seed in range(1, seeds + 1):
            shuffled = train.sample(frac=1, random_state=seed).reset_index(drop=True)
            learned = shuffled.iloc[:rows]
            # Partitions are in the order of the raw file, which may be that of time.
            unseen = test.sample(frac=1, random_state=seed) if on_test else shuffled.iloc[rows:]
            fresh = unseen.head(FRESH).reset_index(drop=True)
            start = processor_seconds()
            model = made(name).fit(learned, codebook, seed=seed)
            fitted = processor_seconds()
            synthetic = model.sample(len(fresh), seed=seed)
            sampled = processor_seconds()
            encoder = TableEncoder().fit(learned)
            detected = {"xgboost": DETECTORS["xgboost"]}
            auc = next(s.value for s in c2st(synthetic, fresh, encoder, seed=seed, detectors=detected))
            judged = synthetic.head(JUDGED)
            # Training rows that were not learned are fresh, too, where there are any.
            others = shuffled.iloc[rows : 2 * rows] if rows < len(train) else unseen
            least = min(len(learned), len(others))
            share = next(s.value for s in copies(judged, learned.head(least), others.head(least), codebook))
            found.append((auc, share, broken(synthetic, learned, codebook), fitted - start, sampled - fitted))
        auc, share, break_, fit, sample = np.median(found, axis=0)
        print(f"{name:<45}{auc:>9.3f}{share:>10.3f}{break_:>8.3f}{fit:>7.1f}{sample:>9.2f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="data/ of a run")
    parser.add_argument("generators", nargs="+", help="name, or name:setting=value,setting=value")
    parser.add_argument("--rows", type=int, required=True, help="training rows to learn from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--test", action="store_true", help="fresh rows are the test partition")
    given = parser.parse_args()
    main(given.folder, given.generators, given.rows, given.seeds, given.test)
