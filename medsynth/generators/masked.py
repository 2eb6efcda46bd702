"""A masked autoregressive network: one pass gives every column's distribution given the columns before it.

Units are sorted by how many columns they may see (their degree; Germain et al. 2015, "MADE: masked autoencoder for
distribution estimation"). Sorted like this the weight matrices are lower block-triangular, which is used twice:
training skips most of the blocks that are zero, and sampling computes each unit once, when the last column it sees has
been drawn, so that drawing a row costs one pass and not one a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 4

# Position, codes (rows, columns) -> in which rows the column's last code is certain, (rows,), and whether it may be
# sampled in others; None where that code is one as all others.
LastCode = Callable[[int, Tensor], tuple[Tensor, bool] | None]


class MaskedLinear(nn.Module):
    """Linear layer in which a unit sees the inputs of its own degree or lower.

    Its gradient for one row is an outer product under a mask, so that per-row norms, which DP-SGD needs, cost two small
    products and no per-row gradient: with g the gradient at the output and x the input, sum(mask * g^2 x^2).

    Parameters
    ----------
    seen, sees : ndarray of int
        Degrees of the inputs and of the outputs, both ascending.
    gain : float, default 1.0
        Scale of the initial weights.
    """

    mask: Tensor

    def __init__(self, seen: np.ndarray, sees: np.ndarray, gain: float = 1.0) -> None:
        super().__init__()
        # Outputs see the first `reach` inputs.
        self.reach = np.searchsorted(seen, sees, side="right")
        mask = torch.as_tensor(seen[None, :] <= sees[:, None], dtype=torch.float32)
        self.register_buffer("mask", mask, persistent=False)
        fan_in = mask.sum(1, keepdim=True).clamp(min=1)
        self.weight = nn.Parameter(torch.randn(mask.shape) * mask * gain / fan_in.sqrt())
        self.bias = nn.Parameter(torch.zeros(len(sees)))
        edges = np.linspace(0, len(sees), BLOCKS + 1).astype(int).tolist()
        self.blocks = [(a, b, int(self.reach[b - 1])) for a, b in pairwise(edges) if b > a]

    def forward(self, x: Tensor) -> Tensor:
        """(rows, inputs) -> (rows, outputs)."""
        weight = self.weight * self.mask
        parts = [functional.linear(x[:, :reach], weight[a:b, :reach], self.bias[a:b]) for a, b, reach in self.blocks]
        return torch.cat(parts, 1)

    def units(self, x: Tensor, a: int, b: int) -> Tensor:
        """Outputs `a` to `b`, all of one degree, from the inputs that they see."""
        reach = int(self.reach[a])
        return functional.linear(x[:, :reach], self.weight[a:b, :reach], self.bias[a:b])


class AutoregressiveDecoder(nn.Module):
    """Logits of every column given a latent vector and the columns before it.

    Residual layers of masked units, and beside them a direct, pairwise path from each column to all later ones.

    Parameters
    ----------
    sizes : sequence of int
        Codes of each column, in the visit sequence.
    latent : int
        Dimensions of the latent vector, which every unit sees.
    width, depth : int
        Units of a layer, layers.
    dropout : float
    """

    def __init__(self, sizes: Sequence[int], latent: int, *, width: int, depth: int, dropout: float) -> None:
        super().__init__()
        self.sizes, self.latent, self.width = list(sizes), latent, width
        columns = len(sizes)
        self.starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        # The column at position p is seen from degree p + 1 on, and its own logits have degree p.
        inputs = np.concatenate([np.zeros(latent, int), np.repeat(np.arange(columns) + 1, sizes)])
        units = np.floor(np.linspace(0, columns, width, endpoint=False)).astype(int)
        outputs = np.repeat(np.arange(columns), sizes)
        self.unit_starts = np.searchsorted(units, np.arange(columns + 1))
        self.first = MaskedLinear(inputs, units)
        self.layers = nn.ModuleList(MaskedLinear(units, units) for _ in range(depth - 1))
        self.dropout = nn.Dropout(dropout)
        self.heads = MaskedLinear(units, outputs, gain=0.1)
        self.direct = MaskedLinear(inputs, outputs, gain=0.05)

    def forward(self, z: Tensor, categories: Tensor) -> Tensor:
        """Logits (rows, sum of sizes) of one-hot coded rows (rows, sum of sizes) and latent vectors (rows, latent)."""
        x = torch.cat([z, categories], 1)
        h = self.first(x)
        for layer in self.layers:
            h = h + layer(functional.relu(h))
        return self.heads(self.dropout(functional.relu(h))) + self.direct(x)

    def later_layers(self) -> list[MaskedLinear]:
        """Layers after the first, of which torch's list forgets the class."""
        return [layer for layer in self.layers if isinstance(layer, MaskedLinear)]


class PartialTable:
    """Rows of which the decoder has drawn the first columns; see `medsynth.generators.sequential.PartialRows`.

    Parameters
    ----------
    decoder : AutoregressiveDecoder
    z : Tensor
        Latent vectors, (rows, latent).
    rng : torch.Generator
    last_code : callable, optional
        See `LastCode`: numbers whose question does not arise are missing, and others are not.
    """

    def __init__(
        self, decoder: AutoregressiveDecoder, z: Tensor, rng: torch.Generator, last_code: LastCode | None = None
    ) -> None:
        rows, columns = len(z), len(decoder.sizes)
        self.decoder, self.rng, self.last_code = decoder, rng, last_code
        # The input, and each layer's units after the rectifier: filled from the left, and read no further than that.
        self.x = z.new_empty(rows, decoder.latent + int(decoder.starts[-1]))
        self.x[:, : decoder.latent] = z
        self.active = [z.new_empty(rows, decoder.width) for _ in range(len(decoder.layers) + 1)]
        self.codes = torch.zeros(rows, columns, dtype=torch.long, device=z.device)
        self.drawn = 0

    def draw(self, position: int, allowed: np.ndarray | None) -> np.ndarray | None:
        """Draw the next column; see `PartialRows.draw`."""
        probability = self._logits(position).softmax(1)
        mass = None
        settled = self.last_code(position, self.codes) if self.last_code else None
        if settled is not None:
            probability = _with_last_code(probability, *settled)
        if allowed is not None:
            probability = probability * torch.as_tensor(allowed, dtype=probability.dtype, device=probability.device)
            mass = probability.sum(1).double().cpu().numpy()
        ends = probability.cumsum(1)
        u = torch.rand(len(ends), 1, generator=self.rng).to(ends.device) * ends[:, -1:]
        code = (ends <= u).sum(1)
        if allowed is not None:
            # Rounding at an end of the cumulated probabilities must not step onto a code that is not allowed.
            choices = torch.as_tensor(np.flatnonzero(allowed > 0), device=code.device)
            nearest = torch.searchsorted(choices, code).clamp(max=len(choices) - 1)
            code = choices[nearest]
        code = code.clamp(max=self.decoder.sizes[position] - 1)
        if settled is not None:
            certain, elsewhere = settled
            # Neither must rounding step onto a last code that cannot be, or off one that is certain.
            code = code if elsewhere else code.clamp(max=self.decoder.sizes[position] - 2)
            code = torch.where(certain, self.decoder.sizes[position] - 1, code)
        self._put(position, code)
        return mass

    def put(self, position: int, codes: np.ndarray) -> None:
        """Take other codes for the column that was drawn last, (rows,): later columns see these."""
        self._put(position, torch.as_tensor(codes, dtype=torch.long, device=self.codes.device))

    def _put(self, position: int, code: Tensor) -> None:
        """Note the codes of a column where later ones see them."""
        self.codes[:, position] = code
        self.drawn = position + 1
        start, end = (self.decoder.latent + int(edge) for edge in self.decoder.starts[position : position + 2])
        self.x[:, start:end] = 0.0
        self.x[torch.arange(len(code)), start + code] = 1.0

    def _logits(self, position: int) -> Tensor:
        """Compute the units that the column sampled last lets us know, and this column's logits."""
        decoder = self.decoder
        a, b = (int(edge) for edge in decoder.unit_starts[position : position + 2])
        if b > a:
            units = decoder.first.units(self.x, a, b)
            self.active[0][:, a:b] = functional.relu(units)
            for before, after, layer in zip(self.active, self.active[1:], decoder.later_layers(), strict=False):
                # A unit of a layer sees units of its own degree in the layer before, which are there by now.
                units = units + layer.units(before, a, b)
                after[:, a:b] = functional.relu(units)
        start, end = (int(edge) for edge in decoder.starts[position : position + 2])
        return decoder.heads.units(self.active[-1], start, end) + decoder.direct.units(self.x, start, end)

    def select(self, rows: np.ndarray) -> Self:
        """Keep rows, some several times."""
        kept = torch.as_tensor(rows, device=self.codes.device)
        inputs, units = self._filled()
        return self._like(
            self.codes[kept],
            _part_of(self.x, kept, inputs),
            [_part_of(h, kept, units) for h in self.active],
        )

    def join(self, other: Self) -> Self:
        """Put another table's rows below these; see `PartialRows.join`."""
        inputs, units = self._filled()
        return self._like(
            torch.cat([self.codes, other.codes]),
            _below(self.x, other.x, inputs),
            [_below(mine, theirs, units) for mine, theirs in zip(self.active, other.active, strict=True)],
        )

    def _filled(self) -> tuple[int, int]:
        """How many inputs, and how many units of a layer, are filled."""
        decoder = self.decoder
        return decoder.latent + int(decoder.starts[self.drawn]), int(decoder.unit_starts[self.drawn])

    def _like(self, codes: Tensor, x: Tensor, active: list[Tensor]) -> Self:
        """Make a table of other rows, of which as many columns are drawn."""
        made = object.__new__(type(self))
        made.decoder, made.rng, made.drawn, made.last_code = self.decoder, self.rng, self.drawn, self.last_code
        made.codes, made.x, made.active = codes, x, active
        return made

    def replace(self, other: Self, rows: np.ndarray) -> None:
        """Take rows of another table; see `PartialRows.replace`."""
        taken = torch.as_tensor(rows, device=self.codes.device)
        pairs = [(self.x, other.x), (self.codes, other.codes), *zip(self.active, other.active, strict=True)]
        for mine, theirs in pairs:
            mine[taken] = theirs[taken]


def _with_last_code(probability: Tensor, certain: Tensor, elsewhere: bool) -> Tensor:
    """Make the last code certain in some rows and, unless it may be elsewhere, impossible in the others."""
    probability = probability.clone()
    if not elsewhere:
        probability[:, -1] = 0.0
        probability /= probability.sum(1, keepdim=True).clamp(min=torch.finfo(probability.dtype).tiny)
    probability[certain] = 0.0
    probability[certain, -1] = 1.0
    return probability


def _part_of(values: Tensor, rows: Tensor, filled: int) -> Tensor:
    """Rows of a table whose first `filled` columns are filled; the rest stays empty."""
    part = values.new_empty(len(rows), values.shape[1])
    part[:, :filled] = values[:, :filled].index_select(0, rows)
    return part


def _below(upper: Tensor, lower: Tensor, filled: int) -> Tensor:
    """Rows of two tables whose first `filled` columns are filled; the rest stays empty."""
    joined = upper.new_empty(len(upper) + len(lower), upper.shape[1])
    joined[: len(upper), :filled], joined[len(upper) :, :filled] = upper[:, :filled], lower[:, :filled]
    return joined
