"""Training of Med-VAE: several models of one table side by side, or one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from medsynth.generators.med_vae_networks import RecordScaler
from medsynth.generators.med_vae_together import VECTOR, Together
from medsynth.generators.protocol import Progress
from medsynth.generators.training import (
    CategoryLikelihood,
    active_dimensions,
    batches_of,
    device_to_use,
    epoch_of_steps,
    kl_divergence,
    validation_split,
)
from medsynth.randomness import derive_seed

if TYPE_CHECKING:
    from medsynth.generators.med_vae import MedVAE


# A training run: its seed, and the epoch counts that it passes through, ascending.
Wanted = tuple[int, Sequence[int]]


class _Member:
    """A model that is trained: what it sees of the table, and its streams of random numbers."""

    def __init__(self, place: int, model: MedVAE, wanted: Wanted, device: torch.device, unit: str = "epoch") -> None:
        self.place, self.model = place, model
        seed, self.counts = wanted
        own = derive_seed(seed, "fit")
        torch.manual_seed(own)
        split = validation_split(len(model.library_), model.validation_share, derive_seed(seed, "validation"))
        model.scaler_ = RecordScaler(model.winsorise, model.floor_at_zero)
        model.scaler_.fit(model.library_.iloc[split[0]], model.codebook_)
        model.build(device)
        model.history_ = []
        self.records = [part.to(device) for part in model.scaler_.transform(model.library_)]
        self.fitted, self.held = (
            [part[torch.as_tensor(rows, device=device)] for part in self.records] for rows in split
        )
        # What follows the initial weights in the seed's stream.
        self.order = torch.Generator()
        self.order.set_state(torch.get_rng_state())
        self.noise = self.order if device.type == "cpu" else torch.Generator(device).manual_seed(own)
        self.progress = Progress(self.counts[-1], "MedVAE", unit=unit)


class _Batch:
    """Members that are trained side by side."""

    def __init__(self, members: Sequence[_Member], device: torch.device) -> None:
        self.members, self.device = members, device
        models = [member.model for member in members]
        self.models = models
        self.fitted, self.held = (
            [torch.stack(kind) for kind in zip(*parts, strict=True)]
            for parts in ([m.fitted for m in members], [m.held for m in members])
        )
        likelihood = CategoryLikelihood(models[0].scaler_.categories, device)
        self.together = Together(
            [m.encoder_ for m in models], [m.decoder_ for m in models], likelihood, [m.noise for m in members]
        )
        self.optimiser = torch.optim.Adam(self.together.parameters.values(), lr=models[0].learning_rate, fused=True)
        self.epochs = torch.tensor([float(member.counts[-1]) for member in members], device=device)

    def weigh(self) -> None:
        """Learn the binary weight of every model from its first rows."""
        first = [part[:, :4096] for part in self.fitted]
        with torch.no_grad():
            mean, _ = self.together.encode(first, learning=False)
            parts = self.together.reconstruction(first, mean, learning=False)
        for k, model in enumerate(self.models):
            model.binary_weight_ = model.equalising_weight({name: float(value[k]) for name, value in parts.items()})

    def without_ended(self, epoch: int) -> _Batch:
        """The members that go on after an epoch, with what their optimiser knows."""
        places = [k for k, member in enumerate(self.members) if member.counts[-1] > epoch]
        rest = _Batch([self.members[k] for k in places], self.device)
        kept = torch.tensor(places, device=self.device)
        for name, mine in self.together.parameters.items():
            known = {
                key: value if value.dim() == 0 else value[kept] for key, value in self.optimiser.state[mine].items()
            }
            rest.optimiser.state[rest.together.parameters[name]] = known
        return rest

    def step(self, rows: Tensor, done: float) -> dict[str, Tensor]:
        """Take a step of every model with rows (K, rows of a batch) of its own, after so many epochs."""
        places = torch.arange(len(rows), device=self.device)[:, None]
        batch = [part[places, rows] for part in self.fitted]
        losses = losses_of(self.models, self.together, batch, annealing=done / self.epochs, learning=True)
        self.optimiser.zero_grad()
        losses["loss"].sum().backward()
        if clip := self.models[0].clip_value:
            torch.nn.utils.clip_grad_value_(self.together.parameters.values(), clip)
        self.optimiser.step()
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def validate(self, done: float) -> list[dict[str, float]]:
        """Losses of every model on its validation part."""
        losses = losses_of(self.models, self.together, self.held, annealing=done / self.epochs, learning=False)
        mean, _ = self.together.encode(self.held, learning=False)
        return [
            {name: float(value[k]) for name, value in losses.items()}
            | {"active_dimensions": active_dimensions(mean[k])}
            for k in range(len(self.models))
        ]

    def draw_orders(self) -> Tensor:
        """Draw an order of the rows for every model, (K, rows)."""
        rows = self.fitted[0].shape[1]
        return torch.stack([torch.randperm(rows, generator=m.order) for m in self.members]).to(self.device)


def losses_of(
    models: Sequence[MedVAE], together: Together, records: Sequence[Tensor], *, annealing: Tensor, learning: bool
) -> dict[str, Tensor]:
    """Compute losses of batches and what they are made of, (K,) each; KL in nats a record, unweighted.

    Parameters
    ----------
    models : sequence of MedVAE
        K models, for their weights of the losses.
    together : Together
        Their networks.
    records : sequence of Tensor
        A batch a model, (K, rows, columns) of each kind of columns.
    annealing : Tensor
        Share of its run that each model has behind it, (K,).
    learning : bool
        Whether batches are normalised by themselves, or by what was learned.
    """
    mean, log_variance = together.encode(records, learning=learning)
    z = mean + together.draw(mean) * (0.5 * log_variance).exp()
    parts = together.reconstruction(records, z, learning=learning)
    kl = kl_divergence(mean, log_variance).sum(2).mean(1)
    binary = kl.new_tensor([model.binary_weight_ for model in models])
    return {"loss": models[0].weighted(parts, kl, binary, annealing), **parts, "kl": kl}


def train(models: Sequence[MedVAE], runs: Sequence[Wanted]) -> Iterator[int]:
    """Train models side by side.

    Parameters
    ----------
    models : sequence of MedVAE
        Of the same settings; each has its codebook and its records, of which all have as many.
    runs : sequence of tuple
        What each is trained for: its seed, and ascending epoch counts.

    Yields
    ------
    int
        Position of a model that is at one of its counts.
    """
    device, started = device_to_use(), time.monotonic()
    # Logs and messages tell the runs apart, if there are several.
    units = [f"run {k + 1}, epoch" for k in range(len(models))] if len(models) > 1 else ["epoch"]
    each = zip(models, runs, units, strict=True)
    members = [_Member(k, model, wanted, device, unit) for k, (model, wanted, unit) in enumerate(each)]
    batch = _Batch(members, device)
    batch.weigh()
    batches = batches_of(batch.fitted[0].shape[1], models[0].batch_size, multiple=VECTOR)
    for epoch in range(1, max(counts[-1] for _, counts in runs) + 1):
        sums = epoch_of_steps(batch.draw_orders(), batches, batch.step, epoch - 1)
        validated = batch.validate(epoch)
        for k, member in enumerate(batch.members):
            record = {f"train_{name}": float(total[k]) / len(batches) for name, total in sums.items()}
            record |= {f"validation_{name}": value for name, value in validated[k].items()}
            member.progress.epoch(epoch, {name: value for name, value in record.items() if name.endswith("_loss")})
            member.model.history_.append({"epoch": epoch, **record})
            member.model.epochs_ = epoch
        reached = [member for member in batch.members if epoch in member.counts]
        if not reached:
            continue
        batch.together.write_back()
        for member in reached:
            model = member.model
            model.set_training(False)
            model.posteriors_ = model.encode(member.records)
            # An equal share of what all models together took so far.
            model.seconds_ = round((time.monotonic() - started) / len(members), 1)
            yield member.place
        if any(member.counts[-1] == epoch for member in reached) and epoch < max(m.counts[-1] for m in batch.members):
            batch = batch.without_ended(epoch)
