"""What training a network takes, whichever network it is: batches, epochs, losses, the latent space's health."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from medsynth.generators.protocol import Progress

# A latent dimension is active if its posterior mean varies over records by more than this (Burda, Grosse and
# Salakhutdinov 2016, "Importance weighted autoencoders", section 5.2).
ACTIVE_VARIANCE = 0.01

Losses = dict[str, Tensor]


def device_to_use() -> torch.device:
    """A GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def validation_split(n: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw a validation part of the training rows.

    Parameters
    ----------
    n : int
        Training rows.
    share : float
        Share of them, in [0, 1), at least one row unless it is 0.
    seed : int

    Returns
    -------
    fitted, validated : ndarray of int
        Row numbers, ascending. Without a validation part the second has every row, so that there is a loss to report.
    """
    if share == 0 or n < 2:
        return np.arange(n), np.arange(n)
    order = np.random.default_rng(seed).permutation(n)
    held = max(1, round(share * n))
    return np.sort(order[held:]), np.sort(order[:held])


def train_epochs(
    rows: int,
    step: Callable[[Tensor, float], Losses],
    validate: Callable[[float], dict[str, float]],
    *,
    epochs: int,
    batch_size: int,
    trained: str = "the generator",
) -> Iterator[dict[str, float]]:
    """Go through the epochs of a training run.

    Parameters
    ----------
    rows : int
        Rows to fit; each epoch sees them once, in an order of its own (torch's global generator decides).
    step : callable
        ``step(rows of the batch, share of the run behind us)`` takes one step and returns losses.
    validate : callable
        ``validate(share of the run behind us)`` returns losses on the validation part.
    epochs, batch_size : int
    trained : str
        What messages call the generator.

    Yields
    ------
    dict
        After each epoch: ``epoch``, the mean of each loss over its steps under ``train_<name>``, and what `validate`
        says under ``validation_<name>``.

    Raises
    ------
    InputError
        Training diverged: the loss of an epoch is not finite.
    """
    progress = Progress(epochs, trained)
    batches = batches_of(rows, batch_size)
    for epoch in range(epochs):
        sums = epoch_of_steps(torch.randperm(rows), batches, lambda batch, done: step(batch, done / epochs), epoch)
        record = {f"train_{name}": float(total) / len(batches) for name, total in sums.items()}
        record |= {f"validation_{name}": value for name, value in validate((epoch + 1) / epochs).items()}
        progress.epoch(epoch + 1, {name: value for name, value in record.items() if name.endswith("_loss")})
        yield {"epoch": epoch + 1, **record}


def batches_of(rows: int, batch_size: int, *, multiple: int = 1) -> list[slice]:
    """Cut an epoch's order of rows into batches.

    A last batch of one row is left out: batch normalisation has nothing to normalise there. With `multiple`, batches
    have a multiple of so many rows, and what is left of the order is left out; tables of fewer rows are one batch.
    """
    if rows >= multiple > 1:
        batch_size, rows = max(batch_size // multiple, 1) * multiple, rows // multiple * multiple
    size = min(batch_size, rows)
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size) if rows - start > 1 or rows == 1]


def epoch_of_steps(order: Tensor, batches: list[slice], step: Callable[[Tensor, float], Losses], epoch: int) -> Losses:
    """Take the steps of an epoch; sums of the losses over the steps.

    Parameters
    ----------
    order : Tensor of int
        Rows in the order of the epoch, (rows,), or one order a model, (models, rows).
    batches : list of slice
    step : callable
        ``step(rows of the batch, epochs behind us)`` takes one step and returns losses; 1.5 is half of the second.
    epoch : int
        Whole epochs behind us.
    """
    sums: Losses = {}
    for i, batch in enumerate(batches):
        losses = step(order[..., batch], epoch + i / len(batches))
        sums = {name: sums.get(name, 0) + value for name, value in losses.items()}
    return sums


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence from N(mean, exp(log_variance)) to N(0, 1) in nats, element by element (Kingma and Welling 2014,
    appendix B)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def active_dimensions(mean: Tensor) -> int:
    """Count the latent dimensions that carry something: `mean` is (records, dimensions)."""
    return int((mean.var(0, correction=0) > ACTIVE_VARIANCE).sum())


class CategoryLikelihood:
    """Log-likelihoods of coded columns from one row of logits, all columns in a few operations.

    Columns of similar numbers of categories are padded to one width and normalised together; a loop over columns would
    cost a small batch more in calls than in arithmetic.

    Parameters
    ----------
    sizes : sequence of int
        Categories of each column; their logits stand one after another.
    device : torch.device
        Where logits and codes are.
    """

    def __init__(self, sizes: Sequence[int], device: torch.device) -> None:
        self.sizes = list(sizes)
        self.total = sum(self.sizes)
        starts = np.concatenate([[0], np.cumsum(self.sizes)])[:-1].astype(int)
        # Widths are powers of four: few groups, and at most four times the arithmetic.
        widths = np.array([4 ** math.ceil(math.log(max(size, 2), 4) - 1e-9) for size in self.sizes])
        self.groups = []
        for width in sorted(set(widths.tolist())):
            columns = np.flatnonzero(widths == width)
            sources = np.concatenate([np.arange(starts[c], starts[c] + self.sizes[c]) for c in columns])
            places = np.concatenate([i * width + np.arange(self.sizes[c]) for i, c in enumerate(columns)])
            self.groups.append((width, *(torch.as_tensor(part, device=device) for part in (columns, sources, places))))

    def __call__(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Negative log-likelihoods in nats: logits (rows, sum of sizes), codes (rows, columns) -> (columns,), means
        over the rows, in an order of their own."""
        return torch.cat([nats.mean(0) for nats in self._nats(logits, codes)])

    def nats(self, logits: Tensor, codes: Tensor) -> Tensor:
        """Negative log-likelihoods of every row: as for a call, but (rows, columns)."""
        return torch.cat(self._nats(logits, codes), 1)

    def _nats(self, logits: Tensor, codes: Tensor) -> list[Tensor]:
        """Negative log-likelihoods of every row, (rows, columns) of each width."""
        found = []
        for width, columns, sources, places in self.groups:
            padded = logits.new_full((len(logits), len(columns) * width), -1e9)
            padded = padded.index_copy(1, places, logits.index_select(1, sources))
            chosen = codes.index_select(1, columns).view(-1)
            losses = functional.cross_entropy(padded.view(-1, width), chosen, reduction="none")
            found.append(losses.view(len(logits), -1))
        return found


def one_line(module: nn.Module) -> str:
    """Name a module with its size, such as ``Linear 60 → 32``."""
    kind = type(module).__name__
    weight = getattr(module, "weight", None)
    if isinstance(weight, Tensor) and weight.dim() == 2 and kind != "Embedding":
        return f"{kind} {weight.shape[1]} → {weight.shape[0]}"
    details = {
        "Embedding": lambda m: f" {m.num_embeddings} → {m.embedding_dim}",
        "BatchNorm1d": lambda m: f" ({m.num_features})",
        "LeakyReLU": lambda m: f" ({m.negative_slope:g})",
        "Dropout": lambda m: f" ({m.p:g})",
    }
    return "linear" if kind == "Identity" else kind + details.get(kind, lambda m: "")(module)


def stages_of(module: nn.Module) -> list[list[str]]:
    """List a chain of modules, one a stage, without those that do nothing."""
    leaves = [m for m in module.modules() if not list(m.children()) and not isinstance(m, nn.Identity)]
    return [[one_line(leaf)] for leaf in leaves]
