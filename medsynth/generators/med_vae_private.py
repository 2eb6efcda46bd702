"""Med-VAE plus under differential privacy: the same network, trained by DP-SGD, and nothing else learned for free.

What is guaranteed: whoever sees the model, any number of rows sampled from it and this code can tell hardly more than
with (epsilon, delta)-differential privacy whether a given row was among the training rows. Everything that `fit` takes
from the rows is paid for:

- one noisy histogram a column, over the codebook's categories and declared ranges. From them come the bins of numeric
  columns, what a value inside a bin is, and the distributions that the network starts from.
- noisy sums of clipped gradients, a fixed number of them, of batches drawn by Poisson sampling. No row is kept for
  validation, no loss is looked at or reported, nothing stops early, and what is stored is an average of the weights
  passed through.

Drawing rows from N(0, I) costs nothing more. The unit is one row: the guarantee is one of patients where a patient has
one row, and a codebook that says otherwise is refused. Neighbouring tables differ by one row that is zeroed out: it
stands in no histogram and no batch, and the number of rows stays what it was, since that number is public (it is on
the model card, decides delta and divides the sums). Where one row is replaced by any other, both ways count; what
epsilon is then stands beside the other on the card (see `medsynth.generators.privacy_budget`).

What is not in the guarantee, because it happens before `fit` or outside of it: cleaning, which looks at all rows (the
categories that are rare enough to be grouped, the columns that are missing or constant too often), the models that
impute gaps, the choice of settings (the defaults were chosen on public data), and how long training took. One model is
covered: whoever publishes several spends as many budgets.

Rows that are public, or simulated, may help: an encoder trained on them without noise, and frozen before the private
rows train the decoder, costs nothing (its parameters get no gradient and are in no norm). Neighbouring tables then have
the same public rows, and for a public row there is no guarantee.

Rows of a rare category may enter batches more often than others (``oversample``). Whether a row does depends on that
row alone, and a row that enters more rarely moves the sum's distribution less (it is a mixture of the two that the
largest rate makes and that of its absence), so that every row is accounted for at the largest rate, and all gradients
get its noise. The category's column is first in the visit sequence, by its noisy histogram and not by the batches,
which had too many of it.

Noise and batches come from the operating system, so that no two runs are alike. What the seed decides besides (which
rows are public, if any, and rows sampled later) is no secret: who knows it learns nothing of any noise. With
``seeded_noise: true`` the seed decides noise and batches, too. Runs can then be repeated to the byte, and whoever has
the seed can subtract the noise: that is for tests and comparisons, and never to be published.

One limit of every such implementation: noise is added in floating point, whose last bits can reveal what was under it
(Mironov 2012, "On significance of the least significant bits for differential privacy"). The operating system's noise
takes the remedy of Holohan and Braghin (2021), which is also that of Opacus' secure mode; it is no proof.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from importlib import metadata
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators.external import read_clean_table
from medsynth.generators.guarantee import NOT_INCLUDED, Guaranteed
from medsynth.generators.laziness import LazyModule
from medsynth.generators.med_vae_plus import MedVAEPlus
from medsynth.generators.noisy_histograms import noisy_bins
from medsynth.generators.privacy_budget import Randomness, plan_budget, refuse_several_rows
from medsynth.generators.protocol import Progress, complete, visit_sequence
from medsynth.randomness import derive_seed

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from medsynth.generators import clipping, training
else:
    torch = LazyModule("torch")
    clipping = LazyModule("medsynth.generators.clipping")
    training = LazyModule("medsynth.generators.training")

WARM_UP = 0.05
# Of the encoder that public rows train: steps, rows of a batch, Adam's learning rate.
PUBLIC_STEPS, PUBLIC_BATCH, PUBLIC_RATE = 1500, 256, 1e-3


class DPMedVAEPlus(Guaranteed, MedVAEPlus):
    """Med-VAE plus with a guarantee; see the module for what it covers.

    Parameters
    ----------
    epsilon : float or None, default None
        Budget of the whole run; None: the same histograms, batches and steps without clipping and noise, and no
        guarantee.
    delta : float, optional
        At most 1 / rows; default: rows ** -1.1.
    histogram_share : float, default 0.3
        The histograms alone spend this share of epsilon; see `plan_budget` for how the two parts are composed.
    noise_multiplier : float, optional
        Noise on a sum of gradients in units of `clip_norm`; default: the least that keeps to the budget.
    sample_rate : float, default 0.04
        Probability with which a row enters a batch, so that batches of ``sample_rate * rows`` are expected.
    steps : int, default 1000
        Batches.
    clip_norm : float, default 1.0
        Largest norm of one row's gradient.
    learning_rate : float, default 0.01
        Largest learning rate of Adam; warmed up over a twentieth of the run, then a cosine down to 0.
    average : float, default 0.99
        Decay of the average of the weights.
    seeded_noise : bool, default False
        Noise and batches of the seed's making instead of the operating system's: for tests and comparisons, not for
        publishing. By default the same seed gives other models, unless there is no `epsilon`.
    public_share : float, default 0.0
        This share of the training rows, drawn by the seed, is taken as public: these train the encoder and nothing
        else, and only the others are private. Needs `latent`.
    public_table : str, optional
        Instead of it a file of rows that are public or simulated, as `External` reads them; all training rows are
        private.
    oversample : dict, optional
        One column -> its category, or list of categories, whose rows enter batches more often. Needs `latent` 0; the
        column is first in the visit sequence, wherever else it was wanted.
    oversample_times : float, default 4.0
        So many times as often.
    latent, encoder_width, width, depth, dropout
        See `MedVAEPlus`.
    max_bins, min_bin_rows : int, default 32 and 10
        See `TableCoder`; under noise a bin holds at least three standard deviations of a cell's.

    Attributes
    ----------
    privacy_ : dict
        What was spent and on what, as on the model card.
    """

    has_losses = False
    keeps_gaps = False
    file_settings = ("public_table",)
    _facts = ("privacy",)

    def __init__(
        self,
        *,
        epsilon: float | None = None,
        delta: float | None = None,
        histogram_share: float = 0.3,
        noise_multiplier: float | None = None,
        sample_rate: float = 0.04,
        steps: int = 1000,
        clip_norm: float = 1.0,
        learning_rate: float = 0.01,
        average: float = 0.99,
        seeded_noise: bool = False,
        public_share: float = 0.0,
        public_table: str | None = None,
        oversample: dict[str, str | list[str]] | None = None,
        oversample_times: float = 4.0,
        latent: int = 0,
        encoder_width: int = 64,
        width: int = 64,
        depth: int = 2,
        dropout: float = 0.0,
        max_bins: int = 32,
        min_bin_rows: int = 10,
    ) -> None:
        self.epsilon, self.delta, self.histogram_share = epsilon, delta, histogram_share
        self.noise_multiplier, self.sample_rate, self.steps = noise_multiplier, sample_rate, steps
        self.clip_norm, self.learning_rate, self.average = clip_norm, learning_rate, average
        self.seeded_noise = seeded_noise
        self.public_share, self.public_table = public_share, public_table
        self.oversample, self.oversample_times = oversample, oversample_times
        self.latent, self.encoder_width = latent, encoder_width
        self.width, self.depth, self.dropout = width, depth, dropout
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
        """Learn a table; see `Generator.fit_checkpoints`. `epochs` is ignored: the number of steps is a setting.

        Raises
        ------
        InputError
            The budget cannot be kept or makes no sense (`plan_budget`), a numeric column has no declared range,
            persons have several rows, public rows have no encoder to train or do not fit the codebook, or a category to
            oversample is unknown or too often asked for.
        """
        table = complete(table, codebook, self)
        refuse_several_rows(codebook)
        self.codebook_, self.epochs_ = codebook, 0
        self._check_oversampling()
        self.order_ = visit_sequence(codebook, [*(self.oversample or ()), *first], last)
        table, public = self._set_apart(table, seed)
        self.privacy_ = self._plan(len(table))
        random = self._randomness(seed)
        if self.repeatable:
            torch.manual_seed(derive_seed(seed, "fit"))
        else:
            # The noise of latent vectors goes by the place in the batch, which hangs on who else is in it: it blurs
            # that only for those who do not know it.
            torch.seed()
        device = training.device_to_use()
        histogram_noise = self.privacy_["histogram_noise"]
        noisy, self.coder_ = noisy_bins(
            table, codebook, histogram_noise, random.normal, self.max_bins, self.min_bin_rows
        )
        self._build(device)
        self._start_from(self.coder_.encode(noisy)[:, self._positions()])
        private_codes, public_codes = (
            torch.as_tensor(self.coder_.encode(rows)[:, self._positions()], device=device) for rows in (table, public)
        )
        if len(public):
            self._train_encoder(public_codes)
        self._train_privately(private_codes, random)
        yield self

    def _set_apart(self, table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Private rows and public ones, of which there are none by default."""
        if not self.public_share and self.public_table is None:
            return table, table[:0]
        if self.public_share and self.public_table is not None:
            raise InputError("Settings 'public_share' and 'public_table' both name public rows; leave one out.")
        if not self.latent:
            raise InputError(
                "Public rows need a latent vector, because they train its encoder; set 'latent' to 8, say, or leave "
                "out 'public_share' and 'public_table'."
            )
        if self.public_table is not None:
            return table, read_clean_table(self.public_table, self.codebook_)[0]
        # Row by row, so that no row decides for another.
        chosen = np.random.default_rng(derive_seed(seed, "public")).random(len(table)) < self.public_share
        if chosen.all() or not chosen.any():
            raise InputError(
                f"A 'public_share' of {self.public_share:g} of {len(table):,} rows leaves no public or no private "
                "rows; take one in (0, 1)."
            )
        return table[~chosen], table[chosen]

    def _check_oversampling(self) -> None:
        """Refuse what cannot be oversampled."""
        if not self.oversample:
            return
        if len(self.oversample) > 1:
            raise InputError(f"The setting 'oversample' names {len(self.oversample)} columns; it takes one.")
        if self.latent:
            raise InputError(
                "The setting 'oversample' needs 'latent' at 0, because a latent vector hides the share to correct; "
                "set 'latent' to 0, or leave out 'oversample'."
            )
        ((name, wanted),) = self.oversample.items()
        if self.codebook_.column(name).numeric:
            raise InputError(
                f"The setting 'oversample' names '{name}', which has numbers; it takes a column of categories."
            )
        # Whoever could ask for such rows could ask for them in batches.
        Conditions.parse({name: wanted}, self.codebook_)
        if not 1 <= self.oversample_times <= 1 / self.sample_rate:
            raise InputError(
                f"The setting 'oversample_times' is {self.oversample_times:g} and must be in [1, "
                f"{1 / self.sample_rate:g}], because it multiplies the 'sample_rate' of {self.sample_rate:g}."
            )

    def _rare(self) -> list[int]:
        """Codes of the categories that are oversampled, of the first column."""
        if not self.oversample:
            return []
        wanted = Conditions.parse(self.oversample, self.codebook_)[self.order_[0]]
        return np.flatnonzero(self.coder_.shares(self.order_[0], wanted)).tolist()

    def _plan(self, rows: int) -> dict[str, Any]:
        """Compute the noise, and what is said of it on the model card."""
        times = self.oversample_times if self.oversample else 1.0
        run: dict[str, Any] = {"sample_rate": times * self.sample_rate, "steps": self.steps}
        oversampled: dict[str, Any] = {}
        if times > 1:
            oversampled = {"oversampled": self.oversample, "sample_rate_of_others": self.sample_rate}
        if self.epsilon is None:
            if self.noise_multiplier is not None or self.delta is not None:
                raise InputError("Settings 'noise_multiplier' and 'delta' go with an 'epsilon', which is null.")
            nothing = dict.fromkeys(("epsilon", "epsilon_second_accountant", "epsilon_under_replacement", "delta"))
            noise = {"histogram_noise": 0.0, "noise_multiplier": 0.0}
            return {"private_rows": rows, **nothing, **noise, **run, **oversampled}
        plan = partial(
            plan_budget,
            self.epsilon,
            self.delta,
            rows=rows,
            steps=self.steps,
            histogram_share=self.histogram_share,
            noise_multiplier=self.noise_multiplier,
        )
        budget = plan(sample_rate=times * self.sample_rate)
        if oversampled and self.noise_multiplier is None:
            evenly = plan(sample_rate=self.sample_rate)
            oversampled["noise_multiplier_without_oversampling"] = evenly.noise_multiplier
        spent: dict[str, Any] = {
            "epsilon": budget.epsilon(),
            "epsilon_second_accountant": budget.epsilon_second_accountant(),
        }
        spent["epsilon_under_replacement"] = budget.epsilon_under_replacement()
        spent["accountants"] = {name: metadata.version(name) for name in ("opacus", "dp-accounting")}
        return {"private_rows": rows, **spent, **asdict(budget), **oversampled}

    def _start_from(self, codes: np.ndarray) -> None:
        """Let the network begin with each column's own distribution in noisy codes, and learn what differs from it.

        The inputs are centred on those distributions: a category that nearly everybody has then adds nearly nothing to
        the norms of gradients. Both halves of the last layer begin at zero, the direct path and the heads.
        """
        decoder, device = self._decoder, self._starts.device
        counts = [np.bincount(codes[:, i], minlength=size) + 1.0 for i, size in enumerate(decoder.sizes)]
        shares = [torch.as_tensor(count / count.sum(), dtype=torch.float32, device=device) for count in counts]
        self._centre = torch.cat(shares)
        with torch.no_grad():
            decoder.heads.weight.zero_()
            decoder.direct.weight.zero_()
            decoder.direct.bias.copy_(self._centre.log())

    def _build(self, device: torch.device) -> None:
        super()._build(device)
        self._centre = torch.zeros(self._likelihood.total, device=device)

    def _categories(self, codes: Tensor) -> Tensor:
        return super()._categories(codes) - self._centre

    def _train_encoder(self, codes: Tensor) -> None:
        """Train the encoder on public rows beside a decoder that is thrown away, and freeze it.

        An encoder beside the decoder of this model learns to say next to nothing, since that sees the columns already
        drawn. The one thrown away sees the latent vector alone, so that whatever is to be known of a row has to pass
        through it. The KL divergence has its full weight, which keeps the vectors of all rows together near N(0, I),
        from which rows are sampled: as near as public rows show, which may be unlike the private ones.
        """
        encoder = self._encoder
        layers = (
            torch.nn.Linear(self.latent, self.encoder_width),
            torch.nn.ReLU(),
            torch.nn.Linear(self.encoder_width, self._likelihood.total),
        )
        thrown_away = torch.nn.Sequential(*layers).to(codes.device)
        with torch.no_grad():
            layers[-1].bias.copy_(self._centre.log())
        optimiser = torch.optim.Adam([*encoder.parameters(), *thrown_away.parameters()], lr=PUBLIC_RATE)
        for _ in range(PUBLIC_STEPS):
            batch = codes[torch.randint(len(codes), (PUBLIC_BATCH,))]
            losses, _ = self._losses(batch, lambda z, categories: thrown_away(z))
            optimiser.zero_grad()
            losses["loss"].backward()
            optimiser.step()
        encoder.requires_grad_(False)
        with torch.no_grad():
            kl = self._losses(codes, lambda z, categories: thrown_away(z))[0]["kl"]
        self.privacy_ |= {"public_rows": len(codes), "public_kl_nats": round(float(kl), 3)}

    def _train_privately(self, codes: Tensor, random: Randomness) -> None:
        """Train by DP-SGD what is not frozen, and keep the average of the weights."""
        # Without noise there is nothing that clipping would be for.
        clip_norm = math.inf if self.epsilon is None else self.clip_norm
        trained = [module for module in self.network_.values() if all(p.requires_grad for p in module.parameters())]
        clipped = clipping.PerRowClipping(trained, clip_norm)
        parameters = clipped.parameters
        sizes = [p.numel() for p in parameters]
        optimiser = torch.optim.Adam(parameters, lr=self.learning_rate, betas=(0.9, 0.99), fused=True)
        averages = [p.detach().clone() for p in parameters]
        deviation = self.privacy_["noise_multiplier"] * self.clip_norm
        rare, shares = self._rare(), self._centre[: self._decoder.sizes[0]]
        rates = np.full(len(codes), self.sample_rate)
        rates[np.isin(codes[:, 0].cpu(), rare)] *= self.oversample_times
        # How many rows of the category there are is private; their share in the noisy histogram is not.
        expected = self.sample_rate * len(codes) * (1 + (self.oversample_times - 1) * float(shares[rare].sum()))
        progress = Progress(self.steps, type(self).__name__, unit="step")
        self._set_training(True)
        for step in range(self.steps):
            done = step / self.steps
            for group in optimiser.param_groups:
                cosine = 0.5 * (1 + math.cos(math.pi * done))
                group["lr"] = self.learning_rate * min(1.0, done / WARM_UP + 0.01) * cosine
            batch = codes[torch.as_tensor(np.flatnonzero(random.uniform(len(codes)) < rates))]
            sums = clipped.clipped_sums(partial(self._summed_loss, batch), len(batch))
            noise = torch.zeros(sum(sizes))
            if deviation:
                noise = torch.as_tensor(deviation * random.normal(len(noise)), dtype=noise.dtype)
            for p, total, own in zip(parameters, sums, noise.to(codes.device).split(sizes), strict=True):
                p.grad = (total + own.view_as(p)) / expected
            optimiser.step()
            weight = 1 - min(self.average, (step + 1) / (step + 10))
            torch._foreach_lerp_(averages, [p.detach() for p in parameters], weight)
            progress.epoch(step + 1, {})
        clipped.release()
        if not all(average.isfinite().all() for average in averages):
            raise progress.diverged(self.steps, "weights are not finite numbers")
        with torch.no_grad():
            for p, average in zip(parameters, averages, strict=True):
                p.copy_(average)
            self._uncentre()
            if rare:
                # The head of the first column sees no other; batches taught it that the category is frequent.
                heads, direct = self._decoder.heads, self._decoder.direct
                for values in (heads.weight, heads.bias, direct.weight):
                    values[: len(shares)] = 0.0
                direct.bias[: len(shares)] = shares.log()
        self._set_training(False)

    def _summed_loss(self, batch: Tensor) -> Tensor:
        return self._losses(batch)[0]["loss"] * len(batch)

    def _uncentre(self) -> None:
        """Move what centring takes off the inputs into biases: from here on the networks see categories as they are."""
        decoder, categories = self._decoder, len(self._centre)
        for layer in (decoder.first, decoder.direct):
            layer.bias.sub_((layer.weight * layer.mask)[:, -categories:] @ self._centre)
        first = next(iter(self._encoder), None)
        if isinstance(first, torch.nn.Linear):
            first.bias.sub_(first.weight @ self._centre)
        self._centre = torch.zeros_like(self._centre)

    def card(self) -> dict[str, Any]:
        """Report what was spent and on what; no loss, which nobody paid for. See `Generator.card`."""
        public = "public rows, which trained the encoder, " if "public_rows" in self.privacy_ else ""
        unit = "one training row that is not public" if self.public_share else "one training row"
        return {
            **self.privacy_,
            **self._said_of_guarantee(unit),
            "included": "bins, values inside bins, the network's start and its training",
            "not_included": public + NOT_INCLUDED,
            "parameters": sum(p.numel() for module in self.network_.values() for p in module.parameters()),
            "latent_dimensions": self.latent,
            "holds_training_records": False,
            "architecture": self._architecture(),
        }
