"""Processor time of Med-VAE's training runs: the seeds of each epoch count side by side, and one after another.

    python benchmarks/med_vae_together.py results/diabetes130/file-laptop/data

The table is a run's training rows. Both ways by turns; the models of both are compared number by number.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import pandas as pd
import torch

from medsynth.codebook import Codebook
from medsynth.generators import generator_class
from medsynth.plan.loading import load_generators


def main() -> None:
    """Print a row a generator and number of seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with train.parquet and codebook.json")
    parser.add_argument("--epochs", type=int, nargs="+", default=[1, 2, 3], help="epoch counts of a seed")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--generators", nargs="+", default=["med_vae", "med_vae_published"])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    table, codebook = pd.read_parquet(asked.data / "train.parquet"), Codebook.from_json(asked.data / "codebook.json")
    seeds = list(range(1, asked.seeds + 1))
    print(f"{len(table):,} rows, {table.shape[1]} columns, epochs {asked.epochs}, {len(seeds)} seeds\n")
    print("| generator | one after another (s) | together (s) | share | same models |\n|---|---|---|---|---|")
    for name in asked.generators:
        entry = load_generators()[name]
        made = generator_class(entry.class_path)(**entry.settings)
        # Imports and first calls are no part of it.
        made.fit(table.head(200), codebook, epochs=1)
        started, alone = time.process_time(), {}
        for seed in seeds:
            for model in made.fit_checkpoints(table, codebook, epochs=asked.epochs, seed=seed):
                alone[seed, model.epochs_] = model.posteriors_[0].clone()
        apart, same, started = time.process_time() - started, True, time.process_time()
        for seed, model in made.fit_together(table, codebook, epochs=asked.epochs, seeds=seeds):
            same &= torch.equal(alone[seed, model.epochs_], model.posteriors_[0])
        together = time.process_time() - started
        print(f"| {name} | {apart:.1f} | {together:.1f} | {together / apart:.2f} | {'yes' if same else 'NO'} |")


if __name__ == "__main__":
    main()
