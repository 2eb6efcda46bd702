"""Columns sampled one by one from noisy histograms, independent of each other: the lower reference under a guarantee.

Whoever models how columns hang together has to do better than this with the same budget. All of it goes into one
Gaussian mechanism on all histograms at once (`medsynth.generators.noisy_histograms`). What the guarantee covers is said
in `medsynth.generators.med_vae_private` and is the same here: one row is zeroed out, their number is public, cleaning,
imputation and the choice of settings are outside, and noise comes from the operating system unless it is asked for
from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators.discretisation import TableCoder
from medsynth.generators.guarantee import NOT_INCLUDED, Guaranteed
from medsynth.generators.noisy_histograms import noisy_bins
from medsynth.generators.privacy_budget import epsilon_under_replacement, plan_histograms, refuse_several_rows
from medsynth.generators.protocol import complete, refuse_conditions, sizes_of_parts
from medsynth.generators.storage import read_model, write_model
from medsynth.randomness import derive_seed


@dataclass(frozen=True)
class Factor:
    """How one column is drawn, given columns that were drawn before it.

    Attributes
    ----------
    column : int
        Its place in the codebook.
    parents : tuple of int
        Places of the columns that it depends on.
    weights : ndarray
        In proportion to the probabilities of groups of codes: (groups of each parent..., groups).
    groups : ndarray
        Group of each code, (codes,); codes of one group are equally likely.
    """

    column: int
    parents: tuple[int, ...]
    weights: np.ndarray
    groups: np.ndarray

    def draw(self, drawn: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw groups for rows whose groups of the parents are known; `drawn` is (rows, columns)."""
        cumulative = self.weights.cumsum(-1)[tuple(drawn[:, parent] for parent in self.parents)]
        u = rng.random(len(drawn))[:, None] * cumulative[..., -1:]
        return np.minimum((cumulative <= u).sum(1), self.weights.shape[-1] - 1)

    def codes(self, groups: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw one of each group's codes."""
        members, sizes = np.argsort(self.groups, kind="stable"), np.bincount(self.groups)
        starts = np.cumsum(sizes) - sizes
        return members[starts[groups] + (rng.random(len(groups)) * sizes[groups]).astype(int)]


class PrivateColumns(Guaranteed):
    """Samples each column alone from its noisy histogram; see the module for what the guarantee covers.

    Parameters
    ----------
    epsilon : float, default 1.0
    delta : float, optional
        At most 1 / rows; default: rows ** -1.1.
    seeded_noise : bool, default False
        Noise of the seed's making instead of the operating system's: for tests and comparisons, not for publishing.
        By default the same seed gives other models.
    max_bins, min_bin_rows : int, default 32 and 10
        See `TableCoder`; under noise a bin holds at least three standard deviations of a cell's.

    Attributes
    ----------
    factors_ : list of Factor
        Columns in the visit sequence.
    privacy_ : dict
        What was spent and on what, as on the model card.
    """

    has_epochs = False
    epsilon: float

    def __init__(
        self,
        *,
        epsilon: float = 1.0,
        delta: float | None = None,
        seeded_noise: bool = False,
        max_bins: int = 32,
        min_bin_rows: int = 10,
    ) -> None:
        self.epsilon, self.delta, self.seeded_noise = epsilon, delta, seeded_noise
        self.max_bins, self.min_bin_rows = max_bins, min_bin_rows

    def fit_checkpoints(
        self,
        table: pd.DataFrame,
        codebook: Codebook,
        *,
        epochs: Sequence[int],
        seed: int = 0,
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> Iterator[Self]:
        """Learn a table; see `Generator.fit_checkpoints`.

        Raises
        ------
        InputError
            There is no budget or it makes no sense (`plan_histograms`), a numeric column has no declared range,
            or persons have several rows.
        """
        table = complete(table, codebook, self)
        refuse_several_rows(codebook)
        if self.epsilon is None:
            raise InputError(
                f"{type(self).__name__} has no version without a guarantee; set 'epsilon' to a number above 0, or take "
                "med_vae_private, whose 'epsilon' may be null."
            )
        self.codebook_, self.epochs_ = codebook, 0
        self._learn(table, seed)
        yield self

    def _learn(self, table: pd.DataFrame, seed: int) -> None:
        """Buy histograms of all columns with the whole budget."""
        noise, delta = plan_histograms(self.epsilon, self.delta, rows=len(table))
        normal = self._randomness(seed).normal
        noisy, self.coder_ = noisy_bins(table, self.codebook_, noise, normal, self.max_bins, self.min_bin_rows)
        codes = self.coder_.encode(noisy)
        self.factors_ = [
            Factor(i, (), np.bincount(codes[:, i], minlength=size).astype(float), np.arange(size))
            for i, size in enumerate(self.coder_.sizes_)
        ]
        replaced = epsilon_under_replacement(((noise, 1.0, 1),), delta)
        self.privacy_ = {
            "epsilon": self.epsilon,
            "epsilon_under_replacement": replaced,
            "delta": delta,
            "histogram_noise": noise,
        }

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw column after column; see `Generator._sample_parts`."""
        refuse_conditions(self, conditions)
        rng = np.random.default_rng(derive_seed(seed, "sample"))
        for size in sizes_of_parts(n):
            groups = np.zeros((size, len(self.factors_)), dtype=int)
            codes = np.zeros_like(groups)
            for factor in self.factors_:
                groups[:, factor.column] = factor.draw(groups, rng)
                codes[:, factor.column] = factor.codes(groups[:, factor.column], rng)
            yield self.coder_.decode(codes, rng, Conditions())

    def save(self, folder: str | Path) -> None:
        """Write bins and factors; see `Generator.save`."""
        import torch

        content = {
            "settings": self.get_params(),
            "privacy": self.privacy_,
            "knots": {name: torch.as_tensor(knots) for name, knots in self.coder_.knots_.items()},
            "decimals": self.coder_.decimals_,
            "factors": [
                [f.column, list(f.parents), torch.as_tensor(f.weights), torch.as_tensor(f.groups)]
                for f in self.factors_
            ],
        }
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        codebook, content = read_model(folder, cls.__name__)
        model = cls(**content["settings"])
        model.codebook_, model.epochs_, model.privacy_ = codebook, 0, content["privacy"]
        model.coder_ = TableCoder(model.max_bins, model.min_bin_rows)
        model.coder_.codebook_ = codebook
        model.coder_.knots_ = {name: knots.numpy() for name, knots in content["knots"].items()}
        model.coder_.decimals_ = content["decimals"]
        model.factors_ = [
            Factor(column, tuple(parents), weights.numpy(), groups.numpy())
            for column, parents, weights, groups in content["factors"]
        ]
        return model

    def card(self) -> dict[str, Any]:
        """Report what was spent and on what, and which columns hang together; see `Generator.card`."""
        names = list(self.codebook_.columns)
        return {
            **self.privacy_,
            **self._said_of_guarantee("one training row"),
            "included": "bins, values inside bins and all that is drawn by",
            "not_included": NOT_INCLUDED,
            "parents": {names[f.column]: [names[parent] for parent in f.parents] for f in self.factors_},
            "holds_training_records": False,
        }
