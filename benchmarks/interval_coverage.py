"""Do the tables' intervals hold what they should? New splits of a real table, again and again.

    python benchmarks/interval_coverage.py <run>/data age 60

takes the clean table of a run (`clean.parquet`, `clean_codebook.json`) for the population, draws patients of it again
and again, splits them, imputes, fits CART with several seeds and scores as a study does. The mean of a score over all
draws is what its interval should hold in 95 of 100 of them: what such a table would give on average, whoever the
patients are. `before` is Student's t interval over the seeds, `after` the interval of `medsynth.evaluation.intervals`.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from tabulate import tabulate

sys.path.insert(0, str(Path(__file__).parents[1]))

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import draw_compared, persons_of_test
from medsynth.evaluation.intervals import UNBOUNDED, UNIT, interval
from medsynth.evaluation.references import REFERENCES, Pair, draw_positions
from medsynth.evaluation.resampling import Score, with_training_persons
from medsynth.evaluation.targets import Target
from medsynth.generators.cart import CART
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.imputation import make_imputer
from medsynth.preparation.partitions import split
from medsynth.randomness import derive_seed
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.fidelity.compute import common_bin_pair_trends, quality
from medsynth.scores.utility.compute import train_and_test, xgboost_classifier

XGBOOST = {"xgboost": xgboost_classifier}
DETECTOR = {"xgboost": DETECTORS["xgboost"]}
WANTED = ("roc_auc", "accuracy", "quality", "column_shapes", "common_bin_pair_trends", "c2st_auc")


def scores_of_draw(table: pd.DataFrame, codebook: Codebook, target: Target, asked: argparse.Namespace, draw: int):
    """Scores of one draw of patients: (table, metric) -> one score a seed."""
    parts = split(table, codebook, test_share=0.2, seed=derive_seed("coverage", draw), max_rows=asked.rows)
    imputer = make_imputer("simple", seed=1).fit(parts["train"], codebook.resolved(parts["train"]))
    train, test = imputer.transform(parts["train"]), imputer.transform(parts["test"])
    described, encoder = imputer.codebook_, TableEncoder().fit(train)
    study_seed, found = derive_seed("study", draw), defaultdict(list)
    persons = persons_of_test(np.arange(len(test)), study_seed)
    for seed in range(1, asked.seeds + 1):
        rng = np.random.default_rng(derive_seed(study_seed, seed))
        model = CART().fit(train, described, seed=derive_seed(study_seed, seed, "fit"))
        synthetic = described.conform(model.sample(len(train), seed=derive_seed(study_seed, seed, "sample")))
        pairs = {
            "real": REFERENCES["real"](train, test, persons.person, rng),
            "CART": Pair(synthetic, np.arange(len(test))),
            "holdout": REFERENCES["holdout"](train, test, persons.person, rng),
        }
        for name, pair in pairs.items():
            compared = draw_compared(
                pair, test, persons, rng, study_seed=study_seed, n_train=len(train), utility_rows=asked.protocol_rows,
                test_rows=len(test), fidelity_rows=len(test),
            )  # fmt: skip
            for score in scored(name, compared, train, target, encoder, described, seed, asked.fidelity):
                found[name, score.metric].append(score)
    for metric in () if asked.fidelity else ("roc_auc", "accuracy"):
        for one, other in zip(found["real", metric], found["CART", metric], strict=True):
            difference = Score(metric, one.value - other.value, one.replicates - other.replicates)
            found["real - CART", metric].append(difference)
    return found


def scored(name, compared, train, target, encoder, codebook, seed, fidelity_alone) -> Iterator[Score]:
    """Scores of one table."""
    how = {"seed": seed, "classifiers": XGBOOST}
    if name != "holdout" and not fidelity_alone:
        weights = compared.tested_persons.weights
        found = train_and_test(compared.protocol, compared.tested, target, encoder, weights=weights, **how)
        if name == "real":

            def of_rows(rows):
                chosen = draw_positions(len(rows), len(compared.protocol) // 2, np.random.default_rng(seed))
                part = train.iloc[rows[chosen]].reset_index(drop=True)
                return train_and_test(part, compared.tested, target, encoder, **how)

            found = with_training_persons(found, of_rows, np.arange(len(train)), seed=seed)
        yield from (score for score in found if score.metric in WANTED)
    against = compared.against_persons
    for measure in (quality, common_bin_pair_trends):
        yield from (s for s in measure(compared.judged, compared.against, codebook, against) if s.metric in WANTED)
    if fidelity_alone:
        return
    detected = c2st(
        compared.judged, compared.against, encoder, seed=seed, persons=against,
        synthetic_persons=compared.judged_persons, detectors=DETECTOR,
    )  # fmt: skip
    yield from (score for score in detected if score.metric in WANTED)


def over_seeds(values: np.ndarray) -> tuple[float, float]:
    """Student's t interval of the mean over seeds: what tables gave before."""
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return values.mean() - half, values.mean() + half


def main() -> None:
    """Draw, score, print after every tenth draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder data/ of a run")
    parser.add_argument("target", help="numeric column that is predicted")
    parser.add_argument("at_least", type=float, help="positive from this value on")
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--rows", type=int, default=6_000, help="patients of each draw")
    parser.add_argument("--protocol-rows", type=int, default=4_000, help="rows that classifiers are trained on")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fidelity", action="store_true", help="scores of fidelity alone, which take a tenth as long")
    asked = parser.parse_args()
    table = pd.read_parquet(asked.data / "clean.parquet")
    codebook = Codebook.from_json(asked.data / "clean_codebook.json")
    target = Target(name="target", column=asked.target, at_least=asked.at_least)
    draws = []
    for draw in range(asked.draws):
        draws.append(scores_of_draw(table, codebook, target, asked, draw))
        if (draw + 1) % 10 == 0 or draw + 1 == asked.draws:
            print(f"{draw + 1} draws of {asked.rows:,} of {len(table):,} patients, {asked.seeds} seeds")
            print(tabulate(summary(draws), headers="keys", tablefmt="pipe", showindex=False), flush=True)


def summary(draws: list[dict]) -> pd.DataFrame:
    """Share of the draws whose interval holds the mean over draws, and the median width."""
    rows = []
    for key in draws[0]:
        values = np.array([[score.value for score in draw[key]] for draw in draws])
        truth, bounds = values.mean(), UNBOUNDED if "-" in key[0] else UNIT
        found = [
            interval(v, [s.variance for s in draw[key]], bounds=bounds) for v, draw in zip(values, draws, strict=True)
        ]
        intervals = {"before": [over_seeds(v) for v in values], "after": [(one.low, one.high) for one in found]}
        row = {"table": key[0], "score": key[1], "mean over draws": f"{truth:.4f}"}
        row["sd over draws"] = f"{values.mean(axis=1).std(ddof=1):.4f}"
        for name, ends in intervals.items():
            low, high = np.transpose(ends)
            row[f"{name}: covers"] = f"{((low <= truth) & (truth <= high)).mean():.2f}"
            row[f"{name}: width"] = f"{np.median(high - low):.4f}"
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    main()
