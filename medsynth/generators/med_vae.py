"""Med-VAE (Hogg and Sainsbury, "Med-VAE: Improving Medical Research Access Through Privacy-Preserving Synthetic Patient
Data"): a variational autoencoder that samples patients from the stored posteriors of training records.

One class holds both what the paper's text says (`MedVAE` at its default settings) and what its published code does
(the settings of ``config/generators/med_vae_published.yaml``): the two differ in whether the KL divergence has a
gradient, and in details of scaling and decoding. ``docs/med-vae.md`` tells them apart with numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators.laziness import LazyModule, without_gradient
from medsynth.generators.protocol import ROWS_AT_ONCE, Generator, complete, sizes_of_parts
from medsynth.generators.storage import read_model, write_model
from medsynth.randomness import derive_seed

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from medsynth.generators import med_vae_networks, med_vae_training, training
else:
    torch = LazyModule("torch")
    training = LazyModule("medsynth.generators.training")
    med_vae_networks = LazyModule("medsynth.generators.med_vae_networks")
    med_vae_training = LazyModule("medsynth.generators.med_vae_training")


class MedVAE(Generator):
    """The Med-VAE of the paper; draws decode posteriors of training records (its library method).

    A saved model holds the training records and their posteriors: it is as confidential as they are. With conditions,
    only records that meet all of them are drawn from (paper, "condition-specific libraries"), and it is an `InputError`
    if there are none. What is decoded need not meet them: measure the success rate.

    Parameters
    ----------
    hidden : sequence of int, default (88, 60)
        Widths of the encoder's layers; the decoder mirrors them.
    latent : int, default 32
        Dimensions of the latent space, whose two heads are the paper's third layer of 32.
    embedding : int, default 3
        Dimensions a category.
    batch_norm : bool, default True
    dropout : float, default 0.0
    skip : bool, default False
        Let every layer's input go on beside its output (the paper's side experiment on skip connections).
    learning_rate : float, default 0.001
        Of Adam.
    batch_size : int, default 32
        The paper is silent; its code has 32. Rounded down to a multiple of 16; 16 at least.
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
    sample_categories : bool, default False
        Draw categories from their probabilities instead of taking the most probable.
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
    >>> model = MedVAE().fit(train, codebook, epochs=20, seed=1)           # doctest: +SKIP
    >>> model.sample(1000, seed=1, conditions={"smoking": "Never smoked"}) # doctest: +SKIP
    """

    default_epochs = 200
    meets_conditions = True
    has_losses = True
    has_architecture = True
    trains_together = True

    library_: pd.DataFrame
    scaler_: med_vae_networks.RecordScaler
    network_: dict[str, torch.nn.Module]
    posteriors_: tuple[Tensor, Tensor]
    history_: list[dict[str, float]]
    binary_weight_: float
    seconds_: float

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
        sample_categories: bool = False,
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
        self.sample_categories, self.validation_share = sample_categories, validation_share

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

        The KL weight is annealed over the epochs of a run, so that each epoch count is a training run of its own,
        unless the KL divergence has no gradient.
        """
        for _, model in self.fit_together(table, codebook, epochs=epochs, seeds=[seed]):
            # A twin of each training run has learned; this one is to be what is trained further.
            vars(self).update(vars(model))
            yield self

    def fit_together(
        self,
        table: pd.DataFrame,
        codebook: Codebook,
        *,
        epochs: Sequence[int],
        seeds: Sequence[int],
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> Iterator[tuple[int, Self]]:
        """Learn a table with several seeds in one batch of weights; see `Generator.fit_together`."""
        counts = sorted(set(epochs))
        if not counts or counts[0] < 1:
            raise InputError(f"MedVAE is trained for at least 1 epoch (given: {list(epochs)}).")
        library = complete(table, codebook, self)
        models, runs = [], []
        for wanted in self.training_runs(counts):
            for seed in seeds:
                model = type(self)(**self.get_params())
                model.codebook_, model.library_ = codebook, library
                models.append(model)
                runs.append((seed, wanted))
        for place in med_vae_training.train(models, runs):
            yield runs[place][0], models[place]

    def training_runs(self, epochs: Sequence[int]) -> list[list[int]]:
        """One run a count where the KL weight is annealed over the run; see `Generator.training_runs`."""
        together = super().training_runs(epochs)
        return [[count] for count in together[0]] if self.kl_gradient else together

    def build(self, device: torch.device) -> None:
        """Make the two networks."""
        kinds = (len(self.scaler_.numbers), len(self.scaler_.flags), self.scaler_.categories)
        block: dict[str, Any] = {"batch_norm": self.batch_norm, "dropout": self.dropout, "skip": self.skip}
        encoder = med_vae_networks.Encoder(
            *kinds, embedding=self.embedding, hidden=self.hidden, latent=self.latent, **block
        )
        decoder = med_vae_networks.Decoder(
            *kinds, numeric_output=self.numeric_output, hidden=self.hidden, latent=self.latent, **block
        )
        self.encoder_, self.decoder_ = encoder.to(device), decoder.to(device)
        self.network_ = {"encoder": self.encoder_, "decoder": self.decoder_}

    def set_training(self, mode: bool) -> None:
        """Let the networks normalise batches by themselves, or by what they have learned."""
        for module in self.network_.values():
            module.train(mode)

    def weighted(self, parts: dict[str, Tensor], kl: Tensor, binary_weight: Tensor, annealing: Tensor) -> Tensor:
        """Loss of a batch from its unweighted parts and the KL divergence in nats a record."""
        weights: dict[str, float | Tensor] = {
            "numeric": self.numeric_weight,
            "binary": binary_weight,
            "categorical": self.categorical_weight,
        }
        loss = sum((weights[name] * value for name, value in parts.items()), start=torch.zeros_like(kl))
        # Without a gradient the divergence is reported and no part of what is minimised.
        return loss + self.kl_weight * annealing * kl if self.kl_gradient else loss

    def equalising_weight(self, parts: dict[str, float]) -> float:
        """Binary loss weight that starts the binary loss at the mean of the other, weighted losses."""
        if self.binary_weight is not None:
            return self.binary_weight
        others = [
            weight * parts[name]
            for name, weight in (("numeric", self.numeric_weight), ("categorical", self.categorical_weight))
            if name in parts
        ]
        if "binary" not in parts or not others:
            return 1.0
        return float(np.mean(others)) / parts["binary"]

    @without_gradient
    def encode(self, records: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Posteriors of all records, on the CPU."""
        chunks = [
            self.network_["encoder"](*parts) for parts in zip(*(r.split(ROWS_AT_ONCE) for r in records), strict=True)
        ]
        mean, log_variance = (torch.cat(part).cpu() for part in zip(*chunks, strict=True))
        return mean, log_variance

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Decode draws from posteriors of training records; see `Generator._sample_parts`."""
        wanted = Conditions.parse(conditions, self.codebook_)
        records = np.flatnonzero(wanted.holds(self.library_))
        if not len(records):
            raise InputError(
                f"The conditions {conditions} are met by none of the {len(self.library_)} training records; relax them."
            )
        rng = torch.Generator().manual_seed(derive_seed(seed, "sample"))
        for size in sizes_of_parts(n):
            chosen = torch.as_tensor(records)[torch.randint(len(records), (size,), generator=rng)]
            mean, log_variance = (part[chosen] for part in self.posteriors_)
            z = mean + torch.randn(mean.shape, generator=rng) * (0.5 * log_variance).exp()
            yield self._decode(z, rng)

    @without_gradient
    def _decode(self, z: Tensor, rng: torch.Generator) -> pd.DataFrame:
        """Turn latent vectors into rows."""
        decoder = self.network_["decoder"]
        numbers, flags, categories = (part.cpu() for part in decoder(z.to(next(decoder.parameters()).device)))
        return self.scaler_.inverse(numbers, *self._decide(flags, categories, rng), self.codebook_)

    def _decide(self, flags: Tensor, categories: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Flags and category numbers from their logits."""
        parts = categories.split(self.scaler_.categories, 1) if self.scaler_.categories else []
        if self.sample_categories:
            drawn = [torch.multinomial(part.softmax(1), 1, generator=rng) for part in parts]
            decided = torch.rand(flags.shape, generator=rng) < flags.sigmoid()
        else:
            drawn = [part.argmax(1, keepdim=True) for part in parts]
            decided = flags > 0
        return decided, torch.cat(drawn, 1) if drawn else torch.zeros(len(categories), 0, dtype=torch.long)

    def card(self) -> dict[str, Any]:
        """Report what training came to; see `Generator.card`."""
        mean, log_variance = self.posteriors_
        return {
            "parameters": sum(p.numel() for module in self.network_.values() for p in module.parameters()),
            # A model's share of the runs that were trained side by side.
            "seconds": self.seconds_,
            "binary_weight": round(self.binary_weight_, 6),
            "latent_dimensions": self.latent,
            "active_dimensions": training.active_dimensions(mean),
            "kl_nats": float(training.kl_divergence(mean, log_variance).sum(1).mean()),
            "posterior_std": float((0.5 * log_variance).exp().median()),
            "holds_training_records": True,
            "architecture": self._architecture(),
            "history": self.history_,
        }

    def _architecture(self) -> dict[str, list[list[str]]]:
        """Stages of the two networks, read off the modules; see `Generator.card`."""
        encoder, decoder = self.encoder_, self.decoder_
        scaler = self.scaler_
        inputs = [f"numeric ({len(scaler.numbers)})", f"binary ({len(scaler.flags)})"]
        inputs.append(f"categorical ({len(scaler.coded)})")
        embedded = ["as it is", "as it is", f"{training.one_line(encoder.embedding)} each"]
        latent = [f"mean ({self.latent})", f"log-variance ({self.latent})"]
        kinds = zip(("numeric", "binary", "categorical"), decoder.sizes, strict=True)
        outputs = [f"{kind} ({size})" for kind, size in kinds]
        activations = [training.one_line(decoder.number_activation), "Sigmoid", "Softmax a column"]
        return {
            "Encoder": [
                inputs,
                embedded,
                *training.stages_of(encoder.layers),
                [training.one_line(encoder.heads)],
                latent,
            ],
            "Decoder": [
                [f"z ({self.latent})"],
                *training.stages_of(decoder.layers),
                [training.one_line(decoder.heads)],
                outputs,
                activations,
            ],
        }

    def save(self, folder: str | Path) -> None:
        """Write the networks, the posteriors and the training records; see `Generator.save`."""
        numbers, flags, coded = self.scaler_.numbers, self.scaler_.flags, self.scaler_.coded
        content = {
            "settings": self.get_params(),
            "epochs": self.epochs_,
            "history": self.history_,
            "seconds": self.seconds_,
            "binary_weight": self.binary_weight_,
            "scaler": {"low": torch.as_tensor(self.scaler_.low_), "high": torch.as_tensor(self.scaler_.high_)},
            "posteriors": list(self.posteriors_),
            "library": {
                "numbers": torch.as_tensor(self.library_[numbers].to_numpy("float64")),
                "categories": torch.as_tensor(
                    med_vae_networks.category_numbers(self.library_, flags + coded).astype("int32")
                ),
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
        scaler = med_vae_networks.RecordScaler(model.winsorise, model.floor_at_zero)
        scaler.set_columns(codebook)
        scaler.low_, scaler.high_ = (content["scaler"][end].numpy() for end in ("low", "high"))
        model.scaler_ = scaler
        model.build(training.device_to_use())
        for name, module in model.network_.items():
            module.load_state_dict(content[name])
        model.set_training(False)
        model.posteriors_ = tuple(content["posteriors"])
        columns = dict(zip(scaler.numbers, content["library"]["numbers"].numpy().T, strict=True))
        categories = content["library"]["categories"].numpy().T
        for name, codes in zip(scaler.flags + scaler.coded, categories, strict=True):
            columns[name] = pd.Categorical.from_codes(codes, codebook.columns[name].all_categories)
        model.library_ = codebook.conform(pd.DataFrame(columns))
        return model
