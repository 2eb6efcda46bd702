"""Several Med-VAEs as one batch of weights: their steps are small, and cost more in calls than in arithmetic.

Each model sees its own rows in its own order, draws its own noise and has its own losses, so that it comes out as it
would alone, on a CPU to the last bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from medsynth.generators import training
from medsynth.generators.med_vae_networks import LEAKY_SLOPE, NORM_EPS, NORM_MOMENTUM, Block, Decoder, Encoder

Records = Sequence[Tensor]

# Numbers that a processor computes at once, at most (AVX-512). Widths of layers are padded to a multiple of it, with
# zeros that stay zeros, and batches have a multiple of it: so the numbers of a model lie in memory, and go through the
# processor, as if there were no other models.
VECTOR = 16


class Together:
    """Encoders and decoders of one architecture, side by side.

    Parameters
    ----------
    encoders, decoders : sequence of Module
        One of each a model, K models. They stay as they are until `write_back`.
    likelihood : CategoryLikelihood
    noise : sequence of Generator
        One a model, for what it draws while it is trained.

    Attributes
    ----------
    parameters : dict of Parameter
        Name in a model's networks -> values of all models, (K, ...), padded.
    """

    def __init__(
        self,
        encoders: Sequence[Encoder],
        decoders: Sequence[Decoder],
        likelihood: training.CategoryLikelihood,
        noise: Sequence[torch.Generator],
    ) -> None:
        pairs = zip(encoders, decoders, strict=True)
        self._models = [nn.ModuleDict({"encoder": encoder, "decoder": decoder}) for encoder, decoder in pairs]
        self._encoder, self._decoder = encoders[0], decoders[0]
        self._likelihood, self._noise = likelihood, noise
        self._columns: dict[str, tuple[Tensor, int]] = {}
        # Biases that batch normalisation takes away again; they are 0.
        self._without_effect: list[str] = []
        for name, network in (("encoder", self._encoder), ("decoder", self._decoder)):
            self._place_columns(name, network)
        held = self._held(0)
        self._running = {name: self._stacked(name) for name in held if name.endswith(("running_mean", "running_var"))}
        learned = [name for name, _ in self._models[0].named_parameters() if name not in self._without_effect]
        self.parameters = {name: nn.Parameter(self._stacked(name)) for name in learned}
        # The embeddings of each model begin where those of the model before end.
        table = self.parameters["encoder.embedding.weight"]
        models = torch.arange(len(table), device=table.device)
        self._starts = self._encoder.starts + (models * table.shape[1])[:, None, None]

    def _place_columns(self, name: str, network: Encoder | Decoder) -> None:
        """Learn where the inputs of each layer of a network are among padded ones, and how many these are."""
        width = network.width
        columns, padded = torch.arange(width), width
        for i, block in enumerate(cast("Sequence[Block]", network.layers)):
            self._columns[f"{name}.layers.{i}.linear.weight"] = columns, padded
            if isinstance(block.norm, nn.BatchNorm1d):
                self._without_effect.append(f"{name}.layers.{i}.linear.bias")
            rows = torch.arange(block.linear.out_features)
            columns, padded = (
                (torch.cat([rows, columns + _up(len(rows))]), padded + _up(len(rows)))
                if block.skip
                else (rows, _up(len(rows)))
            )
        self._columns[f"{name}.heads.weight"] = columns, padded

    def _held(self, k: int) -> dict[str, Tensor]:
        """Everything that a model's networks hold."""
        return {**dict(self._models[k].named_parameters()), **dict(self._models[k].named_buffers())}

    def _stacked(self, name: str) -> Tensor:
        """Values of all models, padded."""
        return torch.stack([self._padded(name, self._held(k)[name].detach()) for k in range(len(self._models))])

    def _padded(self, name: str, values: Tensor) -> Tensor:
        """Put a model's values where they are among padded ones."""
        if name in self._columns:
            columns, padded = self._columns[name]
            values = values.new_zeros(len(values), padded).index_copy(1, columns.to(values.device), values)
        return torch.cat([values, values.new_zeros(_up(len(values)) - len(values), *values.shape[1:])])

    def write_back(self) -> None:
        """Give every model's networks what they have learned."""
        with torch.no_grad():
            for k in range(len(self._models)):
                held = self._held(k)
                for name in self._without_effect:
                    held[name].zero_()
                for name, stacked in {**self.parameters, **self._running}.items():
                    values = stacked[k, : len(held[name])]
                    if name in self._columns:
                        values = values.index_select(1, self._columns[name][0].to(values.device))
                    held[name].copy_(values)

    def encode(self, records: Records, *, learning: bool) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of posteriors, each (K, rows, latent), of records (K, rows, columns of a kind)."""
        numbers, flags, codes = records
        table = self.parameters["encoder.embedding.weight"].flatten(0, 1)
        embedded = functional.embedding(codes + self._starts, table).flatten(2)
        h = self._layers("encoder", self._encoder, torch.cat([numbers, flags, embedded], 2), learning=learning)
        latent = self._encoder.heads.out_features // 2
        mean, log_variance, _ = self._linear("encoder.heads", h).tensor_split([latent, 2 * latent], 2)
        return mean, log_variance

    def reconstruction(self, records: Records, z: Tensor, *, learning: bool) -> dict[str, Tensor]:
        """Unweighted reconstruction losses, (K,) each, of those kinds of columns that there are.

        ``numeric``: mean squared error; ``binary``, ``categorical``: cross-entropy in nats, the latter summed over
        columns.
        """
        numbers, flags, codes = records
        made = self._linear("decoder.heads", self._layers("decoder", self._decoder, z, learning=learning))
        of_numbers, of_flags, of_categories = self._decoder.sizes
        ends = [of_numbers, of_numbers + of_flags, of_numbers + of_flags + of_categories]
        made_numbers, flag_logits, category_logits, _ = made.tensor_split(ends, 2)
        losses = {}
        if of_numbers:
            wrong = self._decoder.number_activation(made_numbers) - numbers
            losses["numeric"] = wrong.square().mean((1, 2))
        if of_flags:
            wrong = functional.binary_cross_entropy_with_logits(flag_logits, flags, reduction="none")
            losses["binary"] = wrong.mean((1, 2))
        if of_categories:
            nats = self._likelihood.nats(category_logits.flatten(0, 1), codes.flatten(0, 1))
            losses["categorical"] = nats.view(len(codes), -1, codes.shape[2]).mean(1).sum(1)
        return losses

    def draw(self, like: Tensor) -> Tensor:
        """Draw standard normal noise of the shape (K, rows, latent)."""
        shape, device = like.shape[1:], like.device
        return torch.stack([torch.randn(shape, generator=own, device=device) for own in self._noise])

    def _layers(self, name: str, network: Encoder | Decoder, x: Tensor, *, learning: bool) -> Tensor:
        """(K, rows, inputs) -> (K, rows, padded outputs) through the blocks of a network."""
        for i, block in enumerate(cast("Sequence[Block]", network.layers)):
            if isinstance(block.norm, nn.BatchNorm1d):
                h = torch.bmm(x, self.parameters[f"{name}.layers.{i}.linear.weight"].transpose(1, 2))
                h = self._normalised(f"{name}.layers.{i}.norm", h, learning=learning)
            else:
                h = self._linear(f"{name}.layers.{i}.linear", x)
            h = functional.leaky_relu(h, LEAKY_SLOPE)
            if learning and isinstance(block.dropout, nn.Dropout):
                h = self._dropped(h, block.dropout.p)
            x = torch.cat([h, x], 2) if block.skip else h
        return x

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]
        return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))

    def _normalised(self, name: str, h: Tensor, *, learning: bool) -> Tensor:
        """Batch normalisation, whose channels are those of all models."""
        models, rows, width = h.shape
        mean, variance = (self._running[f"{name}.running_{kind}"].view(-1) for kind in ("mean", "var"))
        weight, bias = (self.parameters[f"{name}.{kind}"].view(-1) for kind in ("weight", "bias"))
        flat = h.transpose(0, 1).reshape(rows, models * width)
        flat = functional.batch_norm(flat, mean, variance, weight, bias, learning, NORM_MOMENTUM, NORM_EPS)
        return flat.view(rows, models, width).transpose(0, 1)

    def _dropped(self, h: Tensor, share: float) -> Tensor:
        kept = [torch.rand(h.shape[1:], generator=own, device=h.device) >= share for own in self._noise]
        return h * torch.stack(kept) / (1 - share)


def _up(width: int) -> int:
    """The next multiple of `VECTOR`."""
    return width + -width % VECTOR
