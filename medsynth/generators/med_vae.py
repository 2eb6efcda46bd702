"""Med-VAE (Hogg and Sainsbury, "Med-VAE: Improving Medical Research Access Through Privacy-Preserving Synthetic Patient
Data"): a variational autoencoder that draws patients from the stored posteriors of training records.

One class holds both what the paper's text says (`MedVAE` at its default settings) and what its published code does
(the settings of ``config/generators/med_vae_published.yaml``): the two differ in whether the KL divergence has a
gradient, and in details of scaling and decoding. ``docs/med-vae.md`` tells them apart with numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators.protocol import Generator, complete, settings_of
from medsynth.generators.storage import read_model, write_model
from medsynth.generators.training import (
    LevelLikelihood,
    active_dimensions,
    device_to_use,
    kl_divergence,
    one_line,
    stages_of,
    train_epochs,
    validation_split,
)
from medsynth.randomness import derive_seed

# Of leaky ReLU and batch normalisation Keras' defaults, with which the published network was trained.
LEAKY_SLOPE = 0.3
ROWS_AT_ONCE = 65_536
NORM = {"eps": 1e-3, "momentum": 0.01}


class Block(nn.Module):
    """Linear layer, batch normalisation, leaky ReLU, dropout; with `skip`, what came in goes on beside it."""

    def __init__(self, inputs: int, outputs: int, *, batch_norm: bool, dropout: float, skip: bool) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = nn.BatchNorm1d(outputs, **NORM) if batch_norm else nn.Identity()
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
    levels : sequence of int
        Levels of each categorical column.
    embedding : int
        Dimensions that a level is embedded in.
    hidden : sequence of int
        Width of each layer.
    latent : int
        Dimensions of the latent space.
    **block
        Settings of `Block`.
    """

    def __init__(
        self,
        numbers: int,
        flags: int,
        levels: Sequence[int],
        *,
        embedding: int,
        hidden: Sequence[int],
        latent: int,
        **block: Any,
    ) -> None:
        super().__init__()
        # One table for all columns; each column's levels start where the one before ends.
        starts = np.concatenate([[0], np.cumsum(levels)])[:-1]
        self.register_buffer("starts", torch.as_tensor(starts, dtype=torch.long), persistent=False)
        self.embedding = nn.Embedding(max(sum(levels), 1), embedding)
        width = numbers + flags + embedding * len(levels)
        self.layers = nn.Sequential()
        for size in hidden:
            self.layers.append(Block(width, size, **block))
            width = self.layers[-1].outputs
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
        levels: Sequence[int],
        *,
        hidden: Sequence[int],
        latent: int,
        numeric_output: str,
        **block: Any,
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential()
        width = latent
        for size in reversed(hidden):
            self.layers.append(Block(width, size, **block))
            width = self.layers[-1].outputs
        self.sizes = [numbers, flags, sum(levels)]
        self.heads = nn.Linear(width, sum(self.sizes))
        self.number_activation = nn.Sigmoid() if numeric_output == "sigmoid" else nn.Identity()

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Decode (rows, latent) into scaled numbers, logits of flags and logits of all levels."""
        numbers, flags, levels = self.heads(self.layers(z)).split(self.sizes, 1)
        return self.number_activation(numbers), flags, levels


class RecordScaler:
    """Records as the network sees them: numbers min-max scaled, flags 0 or 1, levels numbered.

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
        self.flags = [n for n, c in codebook.columns.items() if not c.numeric and len(c.all_levels) == 2]
        self.coded = [n for n in codebook.columns if n not in {*self.numbers, *self.flags}]
        self.levels = [len(codebook.columns[name].all_levels) for name in self.coded]

    def _numbers(self, table: pd.DataFrame) -> np.ndarray:
        values = table[self.numbers].to_numpy("float64")
        return np.maximum(values, 0) if self.floor_at_zero else values

    def transform(self, table: pd.DataFrame) -> tuple[Tensor, Tensor, Tensor]:
        """Scale a table: numbers and flags float32, codes int64, each (rows, columns of that kind)."""
        span = np.where(self.high_ > self.low_, self.high_ - self.low_, 1.0)
        numbers = (np.minimum(self._numbers(table), self.high_) - self.low_) / span
        return (
            torch.as_tensor(numbers, dtype=torch.float32),
            torch.as_tensor(_codes(table, self.flags), dtype=torch.float32),
            torch.as_tensor(_codes(table, self.coded), dtype=torch.long),
        )

    def inverse(self, numbers: Tensor, flags: Tensor, codes: Tensor, codebook: Codebook) -> pd.DataFrame:
        """Turn scaled numbers, flags (0, 1) and codes back into a clean table."""
        span = np.where(self.high_ > self.low_, self.high_ - self.low_, 0.0)
        columns = dict(zip(self.numbers, (numbers.double().numpy() * span + self.low_).T, strict=True))
        for names, values in ((self.flags, flags.long()), (self.coded, codes)):
            for name, column in zip(names, values.numpy().T, strict=True):
                columns[name] = pd.Categorical.from_codes(column, codebook.columns[name].all_levels)
        return codebook.conform(pd.DataFrame(columns))


def _codes(table: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Level numbers, int64 of shape (rows, names)."""
    codes = [table[name].cat.codes.to_numpy("int64") for name in names]
    return np.stack(codes, 1) if codes else np.zeros((len(table), 0), dtype="int64")


class MedVAE(Generator):
    """The Med-VAE of the paper; draws decode posteriors of training records (its library method).

    A saved model holds the training records and their posteriors: it is as confidential as they are.

    Parameters
    ----------
    hidden : sequence of int, default (88, 60)
        Widths of the encoder's layers; the decoder mirrors them.
    latent : int, default 32
        Dimensions of the latent space, whose two heads are the paper's third layer of 32.
    embedding : int, default 3
        Dimensions a level.
    batch_norm : bool, default True
    dropout : float, default 0.0
    skip : bool, default False
        Let every layer's input go on beside its output (the paper's side experiment on skip connections).
    learning_rate : float, default 0.001
        Of Adam.
    batch_size : int, default 32
        The paper is silent; its code has 32.
    numeric_weight, categorical_weight : float, default 100 and 1
        Loss weights. Numeric: mean squared error of the scaled columns, averaged over columns. Categorical:
        cross-entropy in nats, summed over columns.
    binary_weight : float, optional
        By default the one that makes the initial binary loss the mean of the initial numeric and categorical ones.
    kl_weight : float, default 0.1
        The weight that the KL divergence (nats a record) has at the end of training; annealed linearly from 0.
    kl_gradient : bool, default True
        False: the KL divergence is reported and never trained on, as in the published code.
    clip_value : float, optional
        Largest absolute value of a gradient's element.
    numeric_output : {"linear", "sigmoid"}
    winsorise : float, optional
        Cut numeric columns at this quantile before training.
    floor_at_zero : bool, default False
        Make negative numbers 0 before training.
    draw_levels : bool, default False
        Draw levels from their probabilities instead of taking the most probable.
    validation_share : float, default 0.05
        Part of the training rows that only the reported losses see.

    Attributes
    ----------
    network_ : dict of Module
        ``encoder`` and ``decoder``.
    posteriors_ : tuple of Tensor
        Mean and log-variance of every training record, each (records, latent).
    library_ : DataFrame
        The training records.
    history_ : list of dict
        Losses of every epoch.

    References
    ----------
    Hogg and Sainsbury, Med-VAE, Methods 1.3-1.5 and Supplementary Text.

    Examples
    --------
    >>> import pandas as pd
    >>> from medsynth.codebook import Codebook
    >>> from medsynth.generators import MedVAE
    >>> codebook = Codebook.from_json("data/codebook.json")                # doctest: +SKIP
    >>> train = pd.read_parquet("data/train.parquet")                      # doctest: +SKIP
    >>> (model,) = MedVAE().fit(train, codebook, epochs=[20], seed=1)      # doctest: +SKIP
    >>> model.sample(1000, seed=1, conditions={"smoking": "Never smoked"}) # doctest: +SKIP
    """

    meets_conditions = True
    has_losses = True
    has_architecture = True

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (88, 60),
        latent: int = 32,
        embedding: int = 3,
        batch_norm: bool = True,
        dropout: float = 0.0,
        skip: bool = False,
        learning_rate: float = 0.001,
        batch_size: int = 32,
        numeric_weight: float = 100.0,
        categorical_weight: float = 1.0,
        binary_weight: float | None = None,
        kl_weight: float = 0.1,
        kl_gradient: bool = True,
        clip_value: float | None = None,
        numeric_output: Literal["linear", "sigmoid"] = "linear",
        winsorise: float | None = None,
        floor_at_zero: bool = False,
        draw_levels: bool = False,
        validation_share: float = 0.05,
    ) -> None:
        self.hidden, self.latent, self.embedding = list(hidden), latent, embedding
        self.batch_norm, self.dropout, self.skip = batch_norm, dropout, skip
        self.learning_rate, self.batch_size = learning_rate, batch_size
        self.numeric_weight, self.categorical_weight = numeric_weight, categorical_weight
        self.binary_weight = binary_weight
        self.kl_weight, self.kl_gradient = kl_weight, kl_gradient
        self.clip_value, self.numeric_output = clip_value, numeric_output
        self.winsorise, self.floor_at_zero = winsorise, floor_at_zero
        self.draw_levels, self.validation_share = draw_levels, validation_share

    def fit(
        self,
        table: pd.DataFrame,
        codebook: Codebook,
        *,
        epochs: Sequence[int] = (200,),
        seed: int = 0,
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> Iterator[Self]:
        """Learn a table; see `Generator.fit`.

        The KL weight is annealed over the epochs of a run, so that each epoch count is a training run of its own,
        unless the KL divergence has no gradient.
        """
        counts = sorted(set(epochs))
        if not counts or counts[0] < 1:
            raise InputError(f"MedVAE is trained for at least 1 epoch (given: {list(epochs)}).")
        self.codebook_ = codebook
        self.library_ = complete(table, codebook)
        runs = [[count] for count in counts] if self.kl_gradient else [counts]
        for wanted in runs:
            yield from self._train(wanted, seed)

    def _train(self, counts: list[int], seed: int) -> Iterator[Self]:
        """One training run through the epoch counts."""
        torch.manual_seed(derive_seed(seed, "fit"))
        table, device = self.library_, device_to_use()
        fitted, validated = validation_split(len(table), self.validation_share, derive_seed(seed, "validation"))
        self.scaler_ = RecordScaler(self.winsorise, self.floor_at_zero).fit(table.iloc[fitted], self.codebook_)
        self._build(device)
        records = [part.to(device) for part in self.scaler_.transform(table)]
        train, held = ([part[torch.as_tensor(rows)] for part in records] for rows in (fitted, validated))
        self.binary_weight_ = self._equalising_weight([part[:4096] for part in train])
        parameters = [p for module in self.network_.values() for p in module.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=self.learning_rate, fused=True)

        def step(rows: Tensor, done: float) -> dict[str, Tensor]:
            losses = self._losses([part[rows] for part in train], annealing=done)
            optimiser.zero_grad()
            losses["loss"].backward()
            if self.clip_value:
                nn.utils.clip_grad_value_(parameters, self.clip_value)
            optimiser.step()
            return {name: value.detach() for name, value in losses.items()}

        def validate(done: float) -> dict[str, float]:
            self._set_training(False)
            with torch.no_grad():
                losses = self._losses(held, annealing=done)
                found = {name: float(value) for name, value in losses.items()}
                found["active_dimensions"] = active_dimensions(self.network_["encoder"](*held)[0])
            self._set_training(True)
            return found

        self.history_, started = [], time.monotonic()
        self._set_training(True)
        for record in train_epochs(len(fitted), step, validate, epochs=counts[-1], batch_size=self.batch_size):
            self.history_.append(record)
            self.epochs_ = record["epoch"]
            if self.epochs_ in counts:
                self._set_training(False)
                self.posteriors_ = self._encode(records)
                self.seconds_ = round(time.monotonic() - started, 1)
                yield self
                self._set_training(self.epochs_ < counts[-1])

    def _build(self, device: torch.device) -> None:
        """Make the two networks."""
        kinds = (len(self.scaler_.numbers), len(self.scaler_.flags), self.scaler_.levels)
        block = {"batch_norm": self.batch_norm, "dropout": self.dropout, "skip": self.skip}
        shape = {"hidden": self.hidden, "latent": self.latent}
        encoder = Encoder(*kinds, embedding=self.embedding, **shape, **block)
        decoder = Decoder(*kinds, numeric_output=self.numeric_output, **shape, **block)
        self.network_ = {"encoder": encoder.to(device), "decoder": decoder.to(device)}
        self._likelihood = LevelLikelihood(self.scaler_.levels, device)

    def _set_training(self, mode: bool) -> None:
        for module in self.network_.values():
            module.train(mode)

    def _reconstruction(self, records: list[Tensor], z: Tensor) -> dict[str, Tensor]:
        """Unweighted reconstruction losses of those kinds of columns that there are."""
        numbers, flags, codes = records
        made_numbers, flag_logits, level_logits = self.network_["decoder"](z)
        losses = {}
        if numbers.shape[1]:
            losses["numeric"] = functional.mse_loss(made_numbers, numbers)
        if flags.shape[1]:
            losses["binary"] = functional.binary_cross_entropy_with_logits(flag_logits, flags)
        if codes.shape[1]:
            losses["categorical"] = self._likelihood(level_logits, codes).sum()
        return losses

    def _losses(self, records: list[Tensor], *, annealing: float) -> dict[str, Tensor]:
        """Compute the loss of a batch and what it is made of; KL in nats a record, unweighted."""
        mean, log_variance = self.network_["encoder"](*records)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        parts = self._reconstruction(records, z)
        kl = kl_divergence(mean, log_variance).sum(1).mean()
        weights = {
            "numeric": self.numeric_weight,
            "binary": self.binary_weight_,
            "categorical": self.categorical_weight,
        }
        loss = sum(weights[name] * value for name, value in parts.items())
        # Without a gradient the divergence is reported and no part of what is minimised.
        loss = loss + self.kl_weight * annealing * kl if self.kl_gradient else loss
        return {"loss": loss, **parts, "kl": kl}

    def _equalising_weight(self, records: list[Tensor]) -> float:
        """Binary loss weight that starts the binary loss at the mean of the other, weighted losses."""
        if self.binary_weight is not None:
            return self.binary_weight
        self._set_training(False)
        with torch.no_grad():
            parts = self._reconstruction(records, self.network_["encoder"](*records)[0])
        others = [
            weight * float(parts[name])
            for name, weight in (("numeric", self.numeric_weight), ("categorical", self.categorical_weight))
            if name in parts
        ]
        if "binary" not in parts or not others:
            return 1.0
        return float(np.mean(others)) / float(parts["binary"])

    @torch.no_grad()
    def _encode(self, records: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Posteriors of all records, on the CPU."""
        chunks = [
            self.network_["encoder"](*parts) for parts in zip(*(r.split(ROWS_AT_ONCE) for r in records), strict=True)
        ]
        return tuple(torch.cat(part).cpu() for part in zip(*chunks, strict=True))

    @torch.no_grad()
    def sample(self, n: int, *, seed: int, conditions: dict[str, Any] | None = None) -> pd.DataFrame:
        """Draw rows from posteriors of training records; see `Generator.sample`.

        With conditions, only records that meet all of them are drawn from (paper, "condition-specific libraries"). What
        is decoded need not meet them: measure the success rate.

        Raises
        ------
        InputError
            No training record meets the conditions, or one of them is not in the codebook.
        """
        wanted = Conditions.parse(conditions, self.codebook_)
        records = np.flatnonzero(wanted.holds(self.library_))
        if not len(records):
            raise InputError(f"None of the {len(self.library_)} training records meets the conditions {conditions}.")
        rng = torch.Generator().manual_seed(derive_seed(seed, "sample"))
        chosen = torch.as_tensor(records)[torch.randint(len(records), (n,), generator=rng)]
        mean, log_variance = (part[chosen] for part in self.posteriors_)
        z = mean + torch.randn(mean.shape, generator=rng) * (0.5 * log_variance).exp()
        return pd.concat([self._decode(part, rng) for part in z.split(ROWS_AT_ONCE)], ignore_index=True)

    def _decode(self, z: Tensor, rng: torch.Generator) -> pd.DataFrame:
        """Turn latent vectors into rows."""
        decoder = self.network_["decoder"]
        numbers, flags, levels = (part.cpu() for part in decoder(z.to(next(decoder.parameters()).device)))
        return self.scaler_.inverse(numbers, *self._decide(flags, levels, rng), self.codebook_)

    def _decide(self, flags: Tensor, levels: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Flags and level numbers from their logits."""
        parts = levels.split(self.scaler_.levels, 1) if self.scaler_.levels else []
        if self.draw_levels:
            drawn = [torch.multinomial(part.softmax(1), 1, generator=rng) for part in parts]
            decided = torch.rand(flags.shape, generator=rng) < flags.sigmoid()
        else:
            drawn = [part.argmax(1, keepdim=True) for part in parts]
            decided = flags > 0
        return decided, torch.cat(drawn, 1) if drawn else torch.zeros(len(levels), 0, dtype=torch.long)

    def card(self) -> dict[str, Any]:
        """Report what training came to; see `Generator.card`."""
        mean, log_variance = self.posteriors_
        return {
            "parameters": sum(p.numel() for module in self.network_.values() for p in module.parameters()),
            # Of this run alone: with a gradient of the KL divergence each epoch count is one.
            "seconds": self.seconds_,
            "binary_weight": round(self.binary_weight_, 6),
            "latent_dimensions": self.latent,
            "active_dimensions": active_dimensions(mean),
            "kl_nats": float(kl_divergence(mean, log_variance).sum(1).mean()),
            "posterior_std": float((0.5 * log_variance).exp().median()),
            "holds_training_records": True,
            "architecture": self._architecture(),
            "history": self.history_,
        }

    def _architecture(self) -> dict[str, list[list[str]]]:
        """Stages of the two networks, read off the modules; see `Generator.card`."""
        encoder, decoder = self.network_["encoder"], self.network_["decoder"]
        scaler = self.scaler_
        inputs = [f"numeric ({len(scaler.numbers)})", f"binary ({len(scaler.flags)})"]
        inputs.append(f"categorical ({len(scaler.coded)})")
        embedded = ["as it is", "as it is", f"{one_line(encoder.embedding)} each"]
        latent = [f"mean ({self.latent})", f"log-variance ({self.latent})"]
        kinds = zip(("numeric", "binary", "categorical"), decoder.sizes, strict=True)
        outputs = [f"{kind} ({size})" for kind, size in kinds]
        activations = [one_line(decoder.number_activation), "Sigmoid", "Softmax a column"]
        return {
            "Encoder": [inputs, embedded, *stages_of(encoder.layers), [one_line(encoder.heads)], latent],
            "Decoder": [
                [f"z ({self.latent})"],
                *stages_of(decoder.layers),
                [one_line(decoder.heads)],
                outputs,
                activations,
            ],
        }

    def save(self, folder: str | Path) -> None:
        """Write the networks, the posteriors and the training records; see `Generator.save`."""
        numbers, flags, coded = self.scaler_.numbers, self.scaler_.flags, self.scaler_.coded
        content = {
            "settings": settings_of(self),
            "epochs": self.epochs_,
            "history": self.history_,
            "seconds": self.seconds_,
            "binary_weight": self.binary_weight_,
            "scaler": {"low": torch.as_tensor(self.scaler_.low_), "high": torch.as_tensor(self.scaler_.high_)},
            "posteriors": list(self.posteriors_),
            "library": {
                "numbers": torch.as_tensor(self.library_[numbers].to_numpy("float64")),
                "levels": torch.as_tensor(_codes(self.library_, flags + coded).astype("int32")),
            },
            **{name: module.state_dict() for name, module in self.network_.items()},
        }
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        codebook, content = read_model(folder, cls.__name__)
        model = cls(**content["settings"])
        model.codebook_, model.epochs_, model.history_ = codebook, content["epochs"], content["history"]
        model.binary_weight_, model.seconds_ = content["binary_weight"], content["seconds"]
        scaler = RecordScaler(model.winsorise, model.floor_at_zero)
        scaler.set_columns(codebook)
        scaler.low_, scaler.high_ = (content["scaler"][end].numpy() for end in ("low", "high"))
        model.scaler_ = scaler
        model._build(device_to_use())
        for name, module in model.network_.items():
            module.load_state_dict(content[name])
        model._set_training(False)
        model.posteriors_ = tuple(content["posteriors"])
        columns = dict(zip(scaler.numbers, content["library"]["numbers"].numpy().T, strict=True))
        levels = content["library"]["levels"].numpy().T
        for name, codes in zip(scaler.flags + scaler.coded, levels, strict=True):
            columns[name] = pd.Categorical.from_codes(codes, codebook.columns[name].all_levels)
        model.library_ = codebook.conform(pd.DataFrame(columns))
        return model
