"""What scripts that fit generators share: how a model is kept, and what its card says."""

from __future__ import annotations

import time
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
from _job import Job, log

from medsynth.data.opening import sha256
from medsynth.generators.protocol import Generator
from medsynth.generators.storage import write_card
from medsynth.randomness import derive_seed


class Kept:
    """Models of a job as they are kept, each with a card that says what made it.

    Parameters
    ----------
    job : Job
        Has the rule's `class_path`, `study_seed` and training rows.
    generator : Generator
    train : DataFrame
        Training rows.
    """

    def __init__(self, job: Job, generator: Generator, train: pd.DataFrame) -> None:
        self.job, self.repeatable, self.started = job, generator.repeatable, time.monotonic()
        self.facts = {
            "class": job.params.class_path,
            # All of them, also those that the YAML leaves at their defaults.
            "settings": generator.get_params(),
            "train_rows": len(train),
            "versions": {name: metadata.version(name) for name in ("sdv", "ctgan", "torch", "numpy", "pandas")},
        }
        log.info("%s: %d rows, %d columns", job.wildcards.generator, *train.shape)

    def seed(self, number: int | str) -> int:
        """Seed of a model of the study by its number."""
        return derive_seed(self.job.params.study_seed, self.job.wildcards.generator, number)

    def keep(self, model: Generator, number: int | str, folder: Path) -> None:
        """Save a model below a folder."""
        seconds = round(time.monotonic() - self.started, 1)
        facts: dict[str, Any] = {**self.facts}
        if self.repeatable:
            # A private model that may be published has no seed, and no checksum: that would confirm a guess of the
            # whole table.
            facts |= {"seed": self.seed(number), "train_sha256": sha256(self.job.input.train)}
        place = folder / f"epochs{model.epochs_}"
        model.save(place)
        write_card(place, {**facts, "epochs": model.epochs_, "seconds": seconds, **model.card()})
        log.info("kept the model of %d epochs after %.1f s", model.epochs_, seconds)
