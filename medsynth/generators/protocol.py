"""What every generator promises."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError

log = logging.getLogger(__name__)


class Generator(ABC):
    """A generator of synthetic tables.

    A subclass stores its settings in ``__init__``, learns in `fit` and keeps what it learned in attributes that end
    in ``_``. Same table, settings and seeds: identical rows; another seed: other rows.

    Attributes
    ----------
    has_epochs : bool
        Whether training goes through epochs; a generator without them has epoch count 0 everywhere.
    codebook_ : Codebook
        Describes the table that was learned.
    epochs_ : int
        Epochs that this model was trained for.
    """

    has_epochs: bool = True
    codebook_: Codebook
    epochs_: int

    @abstractmethod
    def fit(
        self, table: pd.DataFrame, codebook: Codebook, *, epochs: Sequence[int] = (0,), seed: int = 0
    ) -> Iterator[Self]:
        """Learn a table and yield the fitted model at each of the epoch counts, in ascending order.

        Parameters
        ----------
        table : DataFrame
            Complete clean table (no missing values).
        codebook : Codebook
            Describes `table`.
        epochs : sequence of int
            Epoch counts at which a model is wanted; one training run passes through all of them. Ignored by
            generators without epochs, which yield one model of epoch count 0.
        seed : int
        """

    @abstractmethod
    def sample(self, n: int, *, seed: int, conditions: dict[str, Any] | None = None) -> pd.DataFrame:
        """Draw `n` synthetic rows in the learned table's columns, types and levels.

        Raises
        ------
        InputError
            The generator cannot meet conditions.
        """

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder of its own."""

    @classmethod
    @abstractmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote."""


def refuse_conditions(generator: Generator, conditions: dict[str, Any] | None) -> None:
    """Say that a generator draws unconditionally only."""
    if conditions:
        raise InputError(f"{type(generator).__name__} cannot meet conditions; it draws unconditionally only.")


class Progress:
    """Log of a training run: epoch, losses and time left, about twenty lines a run.

    Parameters
    ----------
    total : int
        Epochs of the run.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.started = time.monotonic()

    def epoch(self, done: int, losses: dict[str, float]) -> None:
        """Report that `done` epochs are behind us."""
        if done % max(1, self.total // 20) and done != self.total:
            return
        left = (time.monotonic() - self.started) / done * (self.total - done)
        shown = ", ".join(f"{name} {value:.4g}" for name, value in losses.items())
        log.info("epoch %d of %d, %s, %.0f s left", done, self.total, shown, left)
