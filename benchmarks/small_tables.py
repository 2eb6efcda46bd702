"""How a generator's settings do on few rows: the numbers of docs/forest.md.

    python benchmarks/small_tables.py results/support2/file-paper/data --rows 1600 cart forest forest:linear=false
    python benchmarks/small_tables.py results/diabetes130/file-paper/data --rows 1000 --test --study diabetes130 forest

Fits each generator on training rows and judges as many synthetic rows as there are fresh ones. Fresh rows are other
training rows, so that settings are chosen without the test partition; with ``--test`` they are the test partition.
Prints the median over seeds; each seed takes other rows. Columns: C2ST AUC of XGBoost over five folds, 0.5 means that
it cannot tell; DCR share against as many fresh rows, 0.5 means that nothing is copied; ROC AUC of the stronger
membership attack, which has as many fresh rows as it has synthetic ones; share of the AUC gain: what XGBoost learns of
the first target of ``--study`` from as many synthetic rows as were learned from, beside what it learns from those
(ROC AUC above 0.5, on fresh rows); the share of rows that break a relation of two columns that holds in every training
row; seconds of one processor, and rows sampled in one.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.metrics import roc_auc_score

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.targets import Target
from medsynth.generators import generator_class
from medsynth.generators.cart import _values, sizes_of
from medsynth.plan.loading import load_generators, read_study
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.relations import Relations
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.privacy.copies import copies
from medsynth.scores.privacy.membership import signs
from medsynth.scores.utility.compute import CLASSIFIERS, train_and_test

# Fresh rows that a detector sees, synthetic rows whose distances are looked at, and attacked members, at most.
FRESH, JUDGED, ATTACKED = 5_000, 1_000, 2_000
# Rows of the released table that an attacker looks at, at most.
RELEASED = 10_000


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
    order = list(codebook.columns)
    relations = Relations.find({name: _values(train[name], codebook) for name in order}, order, sizes_of(codebook))
    values, rows = {name: _values(synthetic[name], codebook) for name in order}, np.arange(len(synthetic))
    return 1 - np.logical_and.reduce([relations.holds(name, values[name], values, rows) for name in order]).mean()


def gain(learned, fresh, target, encoder, seed):
    """What XGBoost learns from a table: ROC AUC above 0.5 on fresh rows."""
    xgboost = {"xgboost": CLASSIFIERS["xgboost"]}
    scores = train_and_test(learned, fresh, target, encoder, seed=seed, classifiers=xgboost)
    return next(score.value for score in scores if score.metric == "roc_auc") - 0.5


def membership(synthetic, learned, unseen, codebook, seed):
    """ROC AUC of the stronger attack: half of the unseen rows are attacked as members are, half are the attacker's."""
    half = len(unseen) // 2
    reference, released = unseen.iloc[half:].head(RELEASED), synthetic.head(RELEASED)
    least = min(len(reference), len(released))
    attacked = [learned.head(ATTACKED), unseen.iloc[:half].head(ATTACKED)]
    asked = (pd.concat(attacked, ignore_index=True), released.head(least), reference.head(least))
    found = signs(*asked, codebook, seed)
    return max(roc_auc_score(np.repeat([1, 0], list(map(len, attacked))), found[name]) for name in found)


def main(folder, asked, rows, seeds, on_test, study):
    """Judge and print."""
    target = Target(**read_study(study)[1]["targets"][0]) if study else None
    codebook = Codebook.from_json(folder / "codebook.json")
    train, test = (codebook.conform(pd.read_parquet(folder / f"{part}.parquet")) for part in ("train", "test"))
    titles = ("C2ST AUC", "DCR share", "member AUC", "AUC gain", "broken", "fit s", "rows a s")
    print(f"{'generator':<45}{''.join(f'{title:>11}' for title in titles)}")
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
            drawn = model.sample(max(len(fresh), rows), seed=seed)
            sampled = processor_seconds()
            synthetic = drawn.head(len(fresh))
            encoder = TableEncoder().fit(learned)
            detected = {"xgboost": DETECTORS["xgboost"]}
            auc = next(s.value for s in c2st(synthetic, fresh, encoder, seed=seed, detectors=detected))
            judged = synthetic.head(JUDGED)
            # Training rows that were not learned are fresh, too, where there are any.
            others = shuffled.iloc[rows : 2 * rows] if rows < len(train) else unseen
            least = min(len(learned), len(others))
            share = next(s.value for s in copies(judged, learned.head(least), others.head(least), codebook))
            member = membership(drawn, learned, unseen, codebook, seed)
            gained = np.nan
            if target:
                gained, of_real = (gain(t, unseen, target, encoder, seed) for t in (drawn.head(rows), learned))
                gained /= of_real
            a_second = len(drawn) / max(sampled - fitted, 0.01)
            found.append((auc, share, member, gained, broken(synthetic, learned, codebook), fitted - start, a_second))
        *scores, fit, a_second = np.median(found, axis=0)
        printed = "".join(f"{score:>11.3f}" for score in scores)
        print(f"{name:<45}{printed}{fit:>11.1f}{a_second:>11,.0f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="data/ of a run")
    parser.add_argument("generators", nargs="+", help="name, or name:setting=value,setting=value")
    parser.add_argument("--rows", type=int, required=True, help="training rows to learn from")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--test", action="store_true", help="fresh rows are the test partition")
    parser.add_argument("--study", help="whose first target a classifier learns")
    given = parser.parse_args()
    main(given.folder, given.generators, given.rows, given.seeds, given.test, given.study)
