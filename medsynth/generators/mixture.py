"""A mixture of the forest and the network of Med-VAE plus: each cell of a row is drawn by one of the two.

The forest knows what hangs together in few rows, and repeats what is chance in them. The network smooths chance away,
and needs many rows. Their mistakes differ, so that a mixture makes fewer (mixture of experts: Jacobs et al. 1991,
"Adaptive mixtures of local experts", Neural Computation 3). Rows that neither of the two has seen decide which share of
the cells the network draws.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Condition, Conditions
from medsynth.errors import InputError
from medsynth.generators.cart import GAP, _PartialRows
from medsynth.generators.forest import Forest, SequentialForest
from medsynth.generators.laziness import LazyModule
from medsynth.generators.med_vae_plus import MedVAEPlus
from medsynth.generators.protocol import Generator, complete, sizes_of_parts
from medsynth.generators.sequential import draw_sequentially, sound_rows
from medsynth.generators.storage import read_model, write_model
from medsynth.randomness import derive_seed

if TYPE_CHECKING:
    import torch

    from medsynth.generators import masked
else:
    torch = LazyModule("torch")
    masked = LazyModule("medsynth.generators.masked")

log = logging.getLogger(__name__)

# Rows that judge the shares, at most.
MOST_HELD_OUT = 4_000
# Of the classifier that tells them from drawn rows.
FOLDS = 5


class Mixture(Generator):
    """Samples each cell from a forest or from a network, whichever a draw takes; a forest alone on few rows.

    Every row meets every condition, and holds what holds in every training row. A saved model holds the training
    values, as that of `Forest`.

    Parameters
    ----------
    least_rows : int, default 20000
        Fewer training rows are the forest's alone, row by row what `Forest` gives: nothing is gained by a network
        there.
    shares : sequence of float, default (0, 0.5, 0.75)
        Shares of the cells that the network may draw. Of those whose rows a classifier tells about as little from
        held-out rows as those of the best one, the largest is taken; see `settled`.
    held_out_share : float, default 0.1
        Part of the training rows that decide, at most `MOST_HELD_OUT`. Where something is to decide, nothing learns
        from them.
    forest : dict, optional
        Settings of `Forest`, where it draws alone.
    trees : int, default 4
        Of the forest that draws beside the network, in the network's visit sequence.
    network : dict, optional
        Settings of `MedVAEPlus`.

    Attributes
    ----------
    forest_ : Forest or SequentialForest
        The first where it draws all cells.
    network_ : MedVAEPlus or None
        None where the forest draws all cells.
    share_ : float
        Share of the cells that the network draws.
    judged_ : dict
        Share -> ROC AUC of the classifier; empty where nothing was to decide.
    """

    forest_: Forest | SequentialForest
    network_: MedVAEPlus | None
    share_: float
    judged_: dict[float, float]

    has_epochs = False
    meets_conditions = True
    has_visit_sequence = True
    keeps_gaps = True
    quick = True

    def __init__(
        self,
        *,
        least_rows: int = 20_000,
        shares: Sequence[float] = (0.0, 0.5, 0.75),
        held_out_share: float = 0.1,
        forest: dict[str, Any] | None = None,
        trees: int = 4,
        network: dict[str, Any] | None = None,
    ) -> None:
        self.least_rows, self.shares, self.held_out_share = least_rows, list(shares), held_out_share
        self.forest, self.trees, self.network = forest, trees, network

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
        """Learn both, and how to mix them; see `Generator.fit_checkpoints`. `epochs` and `last` are ignored."""
        table = complete(table, codebook, self)
        self.codebook_, self.epochs_ = codebook, 0
        self.network_, self.share_, self.judged_ = None, 0.0, {}
        if len(table) >= self.least_rows and any(self.shares):
            self._settle_share(table, seed, first)
        else:
            self.forest_ = Forest(**(self.forest or {})).fit(table, codebook, seed=seed, first=first)
        yield self

    def _beside(self) -> SequentialForest:
        """A forest that draws beside the network, with the settings of the one that draws alone."""
        return Forest(**(self.forest or {})).sequential(trees=self.trees)

    def _settle_share(self, table: pd.DataFrame, seed: int, first: Sequence[str]) -> None:
        """Learn the network and both kinds of forest, and keep the share that held-out rows speak for.

        What is judged is what is kept: smaller forests, or ones that grow on all rows afterwards, would compare
        otherwise (docs/forest.md).
        """
        try:
            import xgboost  # noqa: F401
        except ImportError:
            raise InputError(
                "A mixture needs xgboost, which is not installed; run: pip install 'medsynth[evaluation]'."
            ) from None
        n = min(round(self.held_out_share * len(table)), MOST_HELD_OUT)
        if not FOLDS <= n < len(table):
            raise InputError(
                f"{n} of {len(table)} rows would decide how to mix, but {FOLDS} or more must, and some must be left to "
                "learn from; change 'held_out_share', or raise 'least_rows'."
            )
        order = np.random.default_rng(derive_seed(seed, "held out")).permutation(len(table))
        held_out = table.iloc[np.sort(order[:n])].reset_index(drop=True)
        learned = table.iloc[np.sort(order[n:])].reset_index(drop=True)
        forests: dict[bool, Forest | SequentialForest] = {}
        columns = first
        if any(self.shares):
            beside = self._beside().fit(learned, self.codebook_, seed=seed, first=first)
            # Both draw the same column next: what follows from others comes after them.
            forests[True], columns = beside, beside.order_
        if not all(self.shares):
            forests[False] = Forest(**(self.forest or {})).fit(learned, self.codebook_, seed=seed, first=first)
        network = MedVAEPlus(**(self.network or {})).fit(learned, self.codebook_, seed=seed, first=columns)
        for share in self.shares:
            self._take(float(share), forests, network)
            parts = self._sample_parts(n, seed=derive_seed(seed, "judged"), conditions=None)
            rows = pd.concat(parts, ignore_index=True)
            self.judged_[self.share_] = _told_apart(rows, held_out, derive_seed(seed, "folds"))
        self._take(settled(self.judged_, n), forests, network)
        log.info("the network draws %.0f %% of the cells: %s", 100 * self.share_, self.judged_)

    def _take(self, share: float, forests: dict[bool, Forest | SequentialForest], network: MedVAEPlus) -> None:
        """Have the network draw a share of the cells."""
        self.share_, self.forest_ = share, forests[bool(share)]
        self.network_ = network if share else None

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw cell by cell; see `Generator._sample_parts`."""
        if self.network_ is None:
            yield from self.forest_._sample_parts(n, seed=seed, conditions=conditions)
            return
        network, forest = self.network_, self.forest_
        assert isinstance(forest, SequentialForest)
        wanted = Conditions.parse(conditions, self.codebook_)
        seed = derive_seed(seed, "sample")
        rng, torch_rng = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
        order = forest.order_
        allowed = {i: wanted[name] for i, name in enumerate(order) if name in wanted}

        def start(rows: int) -> _MixedRows:
            drawn = network.partial_table(rows, torch_rng)
            return _MixedRows(forest, network, self.share_, _PartialRows(forest, rows, rng), drawn, rng)

        at_once = network.rows_at_once

        def draw(n: int) -> _MixedRows:
            with torch.no_grad():
                return draw_sequentially(start, n, order, allowed, rng, at_once=at_once)

        for size in sizes_of_parts(n, max(at_once // 4, 1)):
            yield forest._decode(sound_rows(draw, size).donated.values, wanted, rng)

    def card(self) -> dict[str, Any]:
        """Report how the two are mixed and what each learned; see `Generator.card`."""
        return {
            "network_share": self.share_,
            "held_out_auc_by_share": {str(share): auc for share, auc in self.judged_.items()},
            "forest": self.forest_.card(),
            "network": self.network_.card() if self.network_ else None,
            "holds_training_records": True,
        }

    def save(self, folder: str | Path) -> None:
        """Write both models into folders of their own, and how they are mixed; see `Generator.save`."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.forest_.save(folder / "forest")
        if self.network_:
            self.network_.save(folder / "network")
        content = {
            "settings": self.get_params(),
            "share": self.share_,
            "judged": self.judged_,
        }
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        codebook, content = read_model(folder, cls.__name__)
        model = cls(**content["settings"])
        model.codebook_, model.epochs_ = codebook, 0
        model.share_, model.judged_ = content["share"], content["judged"]
        kind = SequentialForest if model.share_ else Forest
        model.forest_ = kind.load(Path(folder) / "forest")
        model.network_ = MedVAEPlus.load(Path(folder) / "network") if model.share_ else None
        return model


class _MixedRows:
    """Rows whose first columns each of the two may have drawn; see `medsynth.generators.sequential.PartialRows`.

    Both go on from the value that was taken.
    """

    def __init__(
        self,
        forest: SequentialForest,
        network: MedVAEPlus,
        share: float,
        donated: _PartialRows,
        decoded: masked.PartialTable,
        rng: np.random.Generator,
    ) -> None:
        self.forest, self.network, self.share, self.rng = forest, network, share, rng
        self.donated, self.decoded = donated, decoded

    @property
    def sound(self) -> np.ndarray:
        """Whether values stand beside each other as they do in training rows, (rows,)."""
        return self.donated.sound

    def draw(self, position: int, allowed: Condition | None) -> np.ndarray | None:
        """Draw the next column from one of the two in each row."""
        if allowed is None:
            values, codes, share, _ = self._of_network(position, None)
            taken = self.rng.random(len(values)) < share
            # Only where its value is taken: a quarter of the time would go into values that nobody sees.
            self.donated.draw(position, None, wanted=~taken)
            self._put(position, taken, values, codes)
            return None
        sound_before = self.sound.copy()
        ours = self.donated.draw(position, allowed)
        values, codes, share, theirs = self._of_network(position, allowed)
        assert ours is not None
        mass = (1 - share) * ours + share * theirs
        with np.errstate(invalid="ignore"):
            share = np.where(mass > 0, share * theirs / mass, 0.0)
        taken = self.rng.random(len(values)) < share
        self.donated.given[taken, position] = -1
        self.donated.sound = np.where(taken, sound_before, self.sound)
        self._put(position, taken, values, codes)
        return mass

    def _of_network(
        self, position: int, allowed: Condition | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """What the network draws: values, codes, with which probability each is taken, and how much was allowed."""
        name, coder = self.forest.order_[position], self.network.coder_
        shares = None if allowed is None else coder.shares(name, allowed)
        possible = shares is None or bool(shares.any())
        mass = self.decoded.draw(position, shares if possible else None)
        codes = self.decoded.codes[:, position].cpu().numpy()
        values = coder.values_of(name, codes, self.rng, allowed or Condition(), gap=GAP)
        # Where the network breaks what holds in every row, the forest draws; it computes what follows from others.
        every = np.arange(len(values))
        sound = possible & self.forest.relations_.holds(name, values, self.donated.values, every)
        followed = self.forest.follows(name, self.donated.values)
        sound &= followed is None or np.isnan(followed.numbers)
        return values, codes, self.share * sound, np.zeros(len(values)) if mass is None else mass

    def _put(self, position: int, taken: np.ndarray, values: np.ndarray, codes: np.ndarray) -> None:
        """Note what was taken of the network, and what of the forest, where both see it."""
        name, coder = self.forest.order_[position], self.network.coder_
        donated = self.donated.values[name]
        self.donated.values[name] = np.where(taken, values, donated).astype(donated.dtype)
        self.decoded.put(position, np.where(taken, codes, coder.codes_of(name, donated, gap=GAP)))

    def select(self, rows: np.ndarray) -> _MixedRows:
        """Keep rows, some several times."""
        return self._like(self.donated.select(rows), self.decoded.select(rows))

    def join(self, other: _MixedRows) -> _MixedRows:
        """Put another table's rows below these."""
        return self._like(self.donated.join(other.donated), self.decoded.join(other.decoded))

    def replace(self, other: _MixedRows, rows: np.ndarray) -> None:
        """Take rows of another table; see `PartialRows.replace`."""
        self.donated.replace(other.donated, rows)
        self.decoded.replace(other.decoded, rows)

    def _like(self, donated: _PartialRows, decoded: masked.PartialTable) -> _MixedRows:
        return _MixedRows(self.forest, self.network, self.share, donated, decoded, self.rng)


def settled(judged: Mapping[float, float], rows: int) -> float:
    """Choose the network's share: the largest whose AUC is at most one standard error above the smallest, or above 0.5.

    The rule of one standard error (Breiman et al. 1984, Classification and Regression Trees, section 3.4.3) takes the
    simplest model that cannot be told from the best. Here that is the one that copies least: a value of the forest is
    a training row's own.

    Parameters
    ----------
    judged : mapping of float to float
        Share -> ROC AUC of a classifier that tells drawn rows from held-out ones. Below 0.5 it tells nothing, by
        chance.
    rows : int
        Held-out rows, and drawn ones.

    Returns
    -------
    float
    """
    # Of the AUC of a classifier that tells nothing (Mann and Whitney 1947).
    standard_error = np.sqrt((2 * rows + 1) / (12 * rows**2))
    limit = max(min(judged.values()), 0.5) + standard_error
    return max(share for share, auc in judged.items() if auc <= limit)


def _told_apart(synthetic: pd.DataFrame, real: pd.DataFrame, seed: int) -> float:
    """ROC AUC, out of `FOLDS` folds, of boosted trees that tell synthetic rows from real ones.

    Simpler than the score of that name: scores stand above generators, which do not import them.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from xgboost import XGBClassifier

    both = pd.concat([real, synthetic], ignore_index=True)
    x = np.column_stack(
        [both[name].cat.codes if isinstance(both[name].dtype, pd.CategoricalDtype) else both[name] for name in both]
    ).astype("float32")
    labels = np.repeat([0, 1], [len(real), len(synthetic)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    detector = XGBClassifier(random_state=seed % 2**32, n_jobs=1)
    found = cross_val_predict(detector, x, labels, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, found))
