"""The networks of Med-VAE, and records as they see them (Hogg and Sainsbury, Supplementary Text, Figures 6 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from medsynth.codebook import Codebook

# Of leaky ReLU and batch normalisation Keras' defaults, with which the published network was trained.
LEAKY_SLOPE = 0.3
NORM_EPS, NORM_MOMENTUM = 1e-3, 0.01


class Block(nn.Module):
    """Linear layer, batch normalisation, leaky ReLU, dropout; with `skip`, what came in goes on beside it."""

    def __init__(self, inputs: int, outputs: int, *, batch_norm: bool, dropout: float, skip: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.BatchNorm1d(outputs, eps=NORM_EPS, momentum=NORM_MOMENTUM) if batch_norm else nn.Identity()
        self.activation = nn.LeakyReLU(LEAKY_SLOPE)
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.skip = skip
        self.outputs = outputs + (inputs if skip else 0)

    def forward(self, x: Tensor) -> Tensor:
        """(rows, inputs) -> (rows, self.outputs)."""
        h = self.dropout(self.activation(self.norm(self.linear(x))))
        return torch.cat([h, x], 1) if self.skip else h


class Encoder(nn.Module):
    """From a record to the mean and the log-variance of its posterior (paper, Figure 6).

    Parameters
    ----------
    numbers, flags : int
        Numeric and binary columns.
    categories : sequence of int
        Categories of each categorical column.
    embedding : int
        Dimensions that a category is embedded in.
    hidden : sequence of int
        Width of each layer.
    latent : int
        Dimensions of the latent space.
    **block
        Settings of `Block`.
    """

    starts: Tensor

    def __init__(
        self,
        numbers: int,
        flags: int,
        categories: Sequence[int],
        *,
        embedding: int,
        hidden: Sequence[int],
        latent: int,
        **block: Any,
    ) -> None:
        super().__init__()
        # One table for all columns; each column's categories start where the one before ends.
        starts = np.concatenate([[0], np.cumsum(categories)])[:-1]
        self.register_buffer("starts", torch.as_tensor(starts, dtype=torch.long), persistent=False)
        self.embedding = nn.Embedding(max(sum(categories), 1), embedding)
        self.width = width = numbers + flags + embedding * len(categories)
        self.layers = nn.Sequential()
        for size in hidden:
            added = Block(width, size, **block)
            self.layers.append(added)
            width = added.outputs
        # Mean and log-variance side by side: one product instead of two.
        self.heads = nn.Linear(width, 2 * latent)

    def forward(self, numbers: Tensor, flags: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Encode (rows, columns) of each kind into two tensors of (rows, latent)."""
        embedded = self.embedding(codes + self.starts).flatten(1)
        h = self.layers(torch.cat([numbers, flags, embedded], 1))
        return self.heads(h).chunk(2, 1)


class Decoder(nn.Module):
    """From a latent vector to heads for numeric, binary and categorical columns (paper, Figure 7)."""

    def __init__(
        self,
        numbers: int,
        flags: int,
        categories: Sequence[int],
        *,
        hidden: Sequence[int],
        latent: int,
        numeric_output: str,
        **block: Any,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        self.width = width = latent
        for size in reversed(hidden):
            added = Block(width, size, **block)
            self.layers.append(added)
            width = added.outputs
        self.sizes = [numbers, flags, sum(categories)]
        self.heads = nn.Linear(width, sum(self.sizes))
        self.number_activation = nn.Sigmoid() if numeric_output == "sigmoid" else nn.Identity()

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decode (rows, latent) into scaled numbers, logits of flags and logits of all categories."""
        numbers, flags, categories = self.heads(self.layers(z)).split(self.sizes, 1)
        return self.number_activation(numbers), flags, categories


class RecordScaler:
    """Records as the network sees them: numbers min-max scaled, flags 0 or 1, categories numbered.

    Parameters
    ----------
    winsorise : float or None
        Quantile to which larger numbers are cut before scaling, as the published code does.
    floor_at_zero : bool
        Whether negative numbers become 0, as the published code does.
    """

    def __init__(self, winsorise: float | None = None, floor_at_zero: bool = False) -> None:
        self.winsorise = winsorise
        self.floor_at_zero = floor_at_zero

    def fit(self, table: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn the range of every numeric column."""
        self.set_columns(codebook)
        values = self._numbers(table)
        self.high_ = (
            np.quantile(values, self.winsorise, axis=0)
            if self.winsorise and values.size
            else values.max(0, initial=-np.inf)
        )
        self.low_ = np.minimum(values.min(0, initial=np.inf), self.high_)
        return self

    def set_columns(self, codebook: Codebook) -> None:
        """Sort the codebook's columns by how the network treats them."""
        self.numbers = [name for name, column in codebook.columns.items() if column.numeric]
        self.flags = [n for n, c in codebook.columns.items() if not c.numeric and len(c.all_categories) == 2]
        self.coded = [n for n in codebook.columns if n not in {*self.numbers, *self.flags}]
        self.categories = [len(codebook.columns[name].all_categories) for name in self.coded]

    def _numbers(self, table: pd.DataFrame) -> np.ndarray:
        values = table[self.numbers].to_numpy("float64")
        return np.maximum(values, 0) if self.floor_at_zero else values

    def transform(self, table: pd.DataFrame) -> tuple[Tensor, Tensor, Tensor]:
        """Scale a table: numbers and flags float32, codes int64, each (rows, columns of that kind)."""
        span = np.where(self.high_ > self.low_, self.high_ - self.low_, 1.0)
        numbers = (np.minimum(self._numbers(table), self.high_) - self.low_) / span
        return (
            torch.as_tensor(numbers, dtype=torch.float32),
            torch.as_tensor(category_numbers(table, self.flags), dtype=torch.float32),
            torch.as_tensor(category_numbers(table, self.coded), dtype=torch.long),
        )

    def inverse(self, numbers: Tensor, flags: Tensor, codes: Tensor, codebook: Codebook) -> pd.DataFrame:
        """Turn scaled numbers, flags (0, 1) and codes back into a clean table."""
        span = np.where(self.high_ > self.low_, self.high_ - self.low_, 0.0)
        columns = dict(zip(self.numbers, (numbers.double().numpy() * span + self.low_).T, strict=True))
        for names, values in ((self.flags, flags.long()), (self.coded, codes)):
            for name, column in zip(names, values.numpy().T, strict=True):
                columns[name] = pd.Categorical.from_codes(column, codebook.columns[name].all_categories)
        return codebook.conform(pd.DataFrame(columns))


def category_numbers(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Category numbers, int64 of shape (rows, names)."""
    codes = [table[name].cat.codes.to_numpy("int64") for name in names]
    return np.stack(codes, 1) if codes else np.zeros((len(table), 0), dtype="int64")
