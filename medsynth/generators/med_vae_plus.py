"""Med-VAE plus: a variational autoencoder whose decoder samples every column from a categorical head that also sees the
columns already sampled. Such a decoder leaves little for the latent vector to say (Chen et al. 2017, "Variational lossy
autoencoder"); how little is on every model card, and what is left without it is the variant med_vae_plus_no_latent.

What it changes against the paper's Med-VAE, and why, is shown with numbers in ``docs/med-vae.md``: latent vectors are
drawn from N(0, I) and no training record is kept; numeric columns are coded in bins, so that their head can have any
shape; categories are sampled, not decided by argmax; conditions are met exactly; nothing is normalised over a batch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators.discretisation import TableCoder
from medsynth.generators.gaps import not_asked
from medsynth.generators.laziness import LazyModule
from medsynth.generators.protocol import ROWS_AT_ONCE, Generator, complete, sizes_of_parts, visit_sequence
from medsynth.generators.sequential import draw_sequentially, partial_rows_per_row
from medsynth.generators.storage import read_model, write_model
from medsynth.randomness import derive_seed

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from medsynth.generators import masked, training
else:
    torch = LazyModule("torch")
    training = LazyModule("medsynth.generators.training")
    masked = LazyModule("medsynth.generators.masked")

WARM_UP = 0.1
NUMBERS_AT_ONCE = 40_000_000


class MedVAEPlus(Generator):
    """A VAE with an autoregressive decoder over codes; its file holds no training record.

    The number of epochs is its own affair: it trains for `epochs` of them under a learning rate that ends at zero, and
    keeps the epoch of the lowest validation loss. Every row that it samples meets every condition.

    Parameters
    ----------
    latent : int, default 8
        Dimensions of the latent space. With this decoder it carries little (the card says how many nats); 0 leaves an
        autoregressive network alone.
    encoder_width : int, default 128
        Units of the encoder's only hidden layer.
    width, depth : int, default 512 and 2
        Units of a layer of the decoder, layers.
    dropout : float, default 0.3
        In the decoder's last layer.
    epochs : int, default 14
        Epochs of training, at most.
    least_steps : int, default 300
        A small table goes through as many more epochs as make this many steps.
    learning_rate : float, default 0.003
        Largest learning rate of Adam; warmed up over a tenth of the run, then a cosine down to 0.
    batch_size : int, default 256
    weight_decay : float, default 0.1
        Decoupled weight decay (Loshchilov and Hutter 2019).
    clip_norm : float, default 20
        Largest norm of a gradient.
    max_bins, min_bin_rows : int, default 64 and 10
        See `TableCoder`.
    validation_share : float, default 0.05
        Part of the training rows on which the epoch is chosen.

    Attributes
    ----------
    order_ : list of str
        Columns in the visit sequence.
    network_ : dict of Module
        ``encoder`` and ``decoder``.
    history_ : list of dict
        Losses of every epoch, in nats a record.
    """

    has_epochs = False
    meets_conditions = True
    has_visit_sequence = True
    keeps_gaps = True
    has_losses = True
    has_architecture = True
    # What else is learned and stored as it is.
    _facts: tuple[str, ...] = ("history", "best_epoch")

    def __init__(
        self,
        *,
        latent: int = 8,
        encoder_width: int = 128,
        width: int = 512,
        depth: int = 2,
        dropout: float = 0.3,
        epochs: int = 14,
        least_steps: int = 300,
        learning_rate: float = 0.003,
        batch_size: int = 256,
        weight_decay: float = 0.1,
        clip_norm: float = 20.0,
        max_bins: int = 64,
        min_bin_rows: int = 10,
        validation_share: float = 0.05,
    ) -> None:
        self.latent, self.encoder_width = latent, encoder_width
        self.width, self.depth, self.dropout = width, depth, dropout
        self.epochs, self.least_steps = epochs, least_steps
        self.learning_rate, self.batch_size = learning_rate, batch_size
        self.weight_decay, self.clip_norm = weight_decay, clip_norm
        self.max_bins, self.min_bin_rows = max_bins, min_bin_rows
        self.validation_share = validation_share

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
        """Learn a table; see `Generator.fit_checkpoints`. `epochs` is ignored: the number of epochs is a setting."""
        table = complete(table, codebook, self)
        self.codebook_, self.epochs_ = codebook, 0
        self.order_ = visit_sequence(codebook, first, last)
        torch.manual_seed(derive_seed(seed, "fit"))
        fitted, validated = training.validation_split(
            len(table), self.validation_share, derive_seed(seed, "validation")
        )
        self.coder_ = TableCoder(self.max_bins, self.min_bin_rows, gaps=True).fit(table.iloc[fitted], codebook)
        device = training.device_to_use()
        self._build(device)
        codes = torch.as_tensor(self.coder_.encode(table)[:, self._positions()], device=device)
        self._train(codes[torch.as_tensor(fitted)], codes[torch.as_tensor(validated)])
        yield self

    def _positions(self) -> list[int]:
        """Place of each drawn column in the codebook."""
        places = {name: i for i, name in enumerate(self.codebook_.columns)}
        return [places[name] for name in self.order_]

    def _build(self, device: torch.device) -> None:
        """Make the two networks."""
        sizes = [self.coder_.sizes_[i] for i in self._positions()]
        encoder = torch.nn.Sequential()
        if self.latent:
            layers = (
                torch.nn.Linear(sum(sizes), self.encoder_width),
                torch.nn.ReLU(),
                torch.nn.Linear(self.encoder_width, 2 * self.latent),
            )
            encoder = torch.nn.Sequential(*layers)
        decoder = masked.AutoregressiveDecoder(
            sizes, self.latent, width=self.width, depth=self.depth, dropout=self.dropout
        )
        self._encoder, self._decoder = encoder.to(device), decoder.to(device)
        self.network_ = {"encoder": self._encoder, "decoder": self._decoder}
        self._likelihood = training.CategoryLikelihood(sizes, device)
        self._starts = torch.as_tensor(decoder.starts[:-1], device=device)

    def _losses(
        self, codes: Tensor, decoder: Callable[[Tensor, Tensor], Tensor] | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Compute the loss of a batch under the decoder, in nats a record, and the posterior means."""
        codes = codes.long()
        categories = self._categories(codes)
        if self.latent:
            mean, log_variance = self.network_["encoder"](categories).chunk(2, 1)
        else:
            mean = log_variance = categories[:, :0]
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        reconstruction = self._likelihood((decoder or self.network_["decoder"])(z, categories), codes).sum()
        kl = training.kl_divergence(mean, log_variance).sum(1).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}, mean

    def _categories(self, codes: Tensor) -> Tensor:
        """What the networks see of codes: indicators of all columns side by side, (rows, sum of sizes)."""
        categories = torch.zeros(len(codes), self._likelihood.total, device=codes.device)
        return categories.scatter_(1, codes + self._starts, 1.0)

    def _train(self, fitted: Tensor, validated: Tensor) -> None:
        """Train, and keep the epoch of the lowest validation loss."""
        parameters = [p for module in self.network_.values() for p in module.parameters()]
        optimiser = torch.optim.AdamW(parameters, lr=self.learning_rate, weight_decay=self.weight_decay, fused=True)
        steps = math.ceil(len(fitted) / min(self.batch_size, len(fitted)))
        epochs = max(self.epochs, math.ceil(self.least_steps / steps))

        def step(rows: Tensor, done: float) -> dict[str, Tensor]:
            cosine = 0.5 * (1 + math.cos(math.pi * done))
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate * min(1.0, done / WARM_UP + 0.01) * cosine
            losses, _ = self._losses(fitted[rows])
            optimiser.zero_grad()
            losses["loss"].backward()
            torch.nn.utils.clip_grad_norm_(parameters, self.clip_norm)
            optimiser.step()
            return {name: value.detach() for name, value in losses.items()}

        @torch.no_grad()
        def validate(done: float) -> dict[str, float]:
            self._set_training(False)
            parts = [self._losses(chunk) for chunk in validated.split(ROWS_AT_ONCE // 8)]
            shares = [len(mean) / len(validated) for _, mean in parts]
            found = {
                name: float(sum(share * losses[name] for share, (losses, _) in zip(shares, parts, strict=True)))
                for name in parts[0][0]
            }
            found["active_dimensions"] = training.active_dimensions(torch.cat([mean for _, mean in parts]))
            self._set_training(True)
            return found

        self._set_training(True)
        self.history_, self.best_epoch_, best = [], 0, math.inf
        for record in training.train_epochs(
            len(fitted), step, validate, epochs=epochs, batch_size=self.batch_size, trained=type(self).__name__
        ):
            self.history_.append(record)
            if record["validation_loss"] < best:
                best, self.best_epoch_ = record["validation_loss"], int(record["epoch"])
                kept = {name: copy.deepcopy(module.state_dict()) for name, module in self.network_.items()}
        for name, module in self.network_.items():
            module.load_state_dict(kept[name])
        self._set_training(False)

    def _set_training(self, mode: bool) -> None:
        for module in self.network_.values():
            module.train(mode)

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Decode z ~ N(0, I); see `Generator._sample_parts`."""
        wanted = Conditions.parse(conditions, self.codebook_)
        seed = derive_seed(seed, "sample")
        rng, torch_rng = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        allowed = {i: self.coder_.shares(name, wanted[name]) for i, name in enumerate(self.order_) if name in wanted}
        for i, shares in allowed.items():
            if not shares.any():
                raise InputError(
                    f"The condition on '{self.order_[i]}' cannot be met by any category or bin seen in training; "
                    "relax it, or give a range instead of one value."
                )

        def start(rows: int) -> masked.PartialTable:
            return self.partial_table(rows, torch_rng)

        partial_at_once = self.rows_at_once
        at_once = partial_at_once // (partial_rows_per_row(max(allowed), len(self.order_)) if allowed else 4)
        for size in sizes_of_parts(n, max(at_once, 1)):
            with torch.no_grad():
                drawn = draw_sequentially(start, size, self.order_, allowed, rng, at_once=partial_at_once).codes
            codes = np.empty((size, len(self.order_)), dtype="int64")
            codes[:, self._positions()] = drawn.cpu().numpy()
            yield self.coder_.decode(codes, rng, wanted)

    def partial_table(self, rows: int, rng: torch.Generator) -> masked.PartialTable:
        """Begin rows without any column, each with a latent vector of its own."""
        z = torch.randn(rows, self.latent, generator=rng).to(next(self._decoder.parameters()).device)
        return masked.PartialTable(self._decoder, z, rng, self._missing)

    @property
    def rows_at_once(self) -> int:
        """Partial rows at once; fewer where there are thousands of categories, to stay within some hundred MB."""
        return max(min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // sum(self._decoder.sizes)), 1)

    def _missing(self, position: int, codes: Tensor) -> tuple[Tensor, bool] | None:
        """Say in which rows a number is missing because its question does not arise; see `masked.LastCode`."""
        name = self.order_[position]
        if not self.coder_.gaps:
            return None
        certain = not_asked(self.codebook_, name, lambda other: codes[:, self.order_.index(other)].cpu().numpy())
        if certain is None:
            return None
        return torch.as_tensor(certain, device=codes.device), self.codebook_.columns[name].gaps

    def card(self) -> dict[str, Any]:
        """Report what training came to; see `Generator.card`."""
        best = self.history_[self.best_epoch_ - 1]
        return {
            "parameters": sum(p.numel() for module in self.network_.values() for p in module.parameters()),
            "latent_dimensions": self.latent,
            "active_dimensions": best["validation_active_dimensions"],
            "kl_nats": best["validation_kl"],
            "best_epoch": self.best_epoch_,
            "holds_training_records": False,
            "architecture": self._architecture(),
            "history": self.history_,
        }

    def _architecture(self) -> dict[str, list[list[str]]]:
        """Stages of the two networks, read off the modules; see `Generator.card`."""
        encoder, decoder = self._encoder, self._decoder
        categories = f"all columns as categories ({len(decoder.sizes)} columns, {sum(decoder.sizes)} categories)"
        first = [["z ~ N(0, I)" + f" ({self.latent})", f"columns already sampled ({sum(decoder.sizes)} categories)"]]
        body = [
            [training.one_line(decoder.first)],
            *([f"+ {training.one_line(layer)} after ReLU"] for layer in decoder.layers),
        ]
        heads = [f"heads: {training.one_line(decoder.heads)}", f"+ direct path: {training.one_line(decoder.direct)}"]
        return {
            "Encoder (training alone)": [
                [categories],
                *training.stages_of(encoder),
                [f"mean ({self.latent})", f"log-variance ({self.latent})"],
            ],
            "Decoder": [
                *first,
                *body,
                ["ReLU"],
                [training.one_line(decoder.dropout)],
                heads,
                ["Softmax a column, in the visit sequence"],
            ],
        }

    def save(self, folder: str | Path) -> None:
        """Write the networks and the bins; see `Generator.save`."""
        coder = self.coder_
        content = {
            "settings": self.get_params(),
            "order": self.order_,
            "knots": {name: torch.as_tensor(knots) for name, knots in coder.knots_.items()},
            "decimals": coder.decimals_,
            **{name: getattr(self, name + "_") for name in self._facts},
            **{name: module.state_dict() for name, module in self.network_.items()},
        }
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        codebook, content = read_model(folder, cls.__name__)
        model = cls(**content["settings"])
        model.codebook_, model.epochs_, model.order_ = codebook, 0, content["order"]
        for name in cls._facts:
            setattr(model, name + "_", content[name])
        model.coder_ = TableCoder(model.max_bins, model.min_bin_rows, gaps=cls.keeps_gaps)
        model.coder_.codebook_ = codebook
        model.coder_.knots_ = {name: knots.numpy() for name, knots in content["knots"].items()}
        model.coder_.decimals_ = content["decimals"]
        model._build(training.device_to_use())
        for name, module in model.network_.items():
            module.load_state_dict(content[name])
        model._set_training(False)
        return model
