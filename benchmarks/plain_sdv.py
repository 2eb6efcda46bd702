"""The grid of epoch counts and seeds as people write it with SDV, beside one training run for all epoch counts.

    python benchmarks/plain_sdv.py results/covid_gans/file-laptop/data --rows 4000 --epochs 10 20 30 --seeds 1 2

The plain way makes, fits and samples a synthesizer for every epoch count and seed; the other fits once a seed and keeps
the model of each epoch count, as the workflow's training job does. Both learn the run's training rows and draw as many
from every model, in one process and on one thread, by turns (which comes first changes from seed to seed), so that a
slower machine slows both. Prints core seconds of each and their ratio. `--way plain` goes through the plain grid alone,
to time it as a whole process against `snakemake`.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sdv.metadata import Metadata
from sdv.single_table import CTGANSynthesizer, TVAESynthesizer

from medsynth import generators
from medsynth.codebook import Codebook
from medsynth.scores.cost.compute import seconds_of

SYNTHESIZERS = {"CTGAN": CTGANSynthesizer, "TVAE": TVAESynthesizer}
WARM_UP_ROWS = 500


def plain(name, table, epochs, seed):
    """Train every cell of the grid by itself."""
    text = table.astype(dict.fromkeys(table.select_dtypes("category"), object))
    metadata = Metadata.detect_from_dataframes({"table": text})
    for count in epochs:
        np.random.seed(seed)
        torch.manual_seed(seed)
        synthesizer = SYNTHESIZERS[name](metadata, epochs=count)
        synthesizer.fit({"table": text})
        synthesizer.sample(len(table))


def one_run(name, table, epochs, seed, codebook):
    """Train once through all epoch counts."""
    for model in getattr(generators, name)().fit_checkpoints(table, codebook, epochs=epochs, seed=seed):
        model.sample(len(table), seed=seed)


def main():
    """Time the two ways by turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="data/ of a run")
    parser.add_argument("--epochs", type=int, nargs="+", default=[100, 200, 300])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--rows", type=int, help="training rows to learn; all by default")
    parser.add_argument("--way", choices=["plain", "one_run", "both"], default="both")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    table = pd.read_parquet(chosen.folder / "train.parquet").head(chosen.rows)
    codebook = Codebook.from_json(chosen.folder / "codebook.json")
    ways = {
        "plain": plain,
        "one_run": lambda *arguments: one_run(*arguments, codebook),
    }
    if chosen.way != "both":
        ways = {chosen.way: ways[chosen.way]}
    print(f"{len(table):,} x {table.shape[1]}; epochs {chosen.epochs}")
    total = dict.fromkeys(ways, 0.0)
    for name in SYNTHESIZERS:
        for way in ways.values():
            way(name, table.head(WARM_UP_ROWS), [1], 0)
        for turn, seed in enumerate(chosen.seeds):
            order = list(ways) if turn % 2 == 0 else list(ways)[::-1]
            took = {
                way: seconds_of(lambda way=way, name=name, seed=seed: ways[way](name, table, chosen.epochs, seed))[1]
                for way in order
            }
            total = {way: total[way] + took[way] for way in ways}
            print(f"{name}, seed {seed}: {_report(took)}", flush=True)
    print(f"together: {_report(total)}")


def _report(took):
    """Seconds of each way, and the ratio if there are two."""
    text = ", ".join(f"{way} {seconds:.1f} s" for way, seconds in took.items())
    return text + (f", ratio {took['plain'] / took['one_run']:.2f}" if len(took) == 2 else "")


if __name__ == "__main__":
    main()
