"""CTGAN, TVAE and GaussianCopula of the Synthetic Data Vault (SDV 2.0), used as they are.

SDV, RDT, CTGAN and Copulas are under the Business Source License 1.1: this module calls them and holds none of
their code. Sources: Xu et al. (2019), "Modeling tabular data using conditional GAN" (CTGAN, TVAE); Patki et al.
(2016), "The Synthetic Data Vault" (Gaussian copula).
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.generators.gaps import filled_where_not_asked
from medsynth.generators.protocol import Generator, Progress, refuse_conditions, sizes_of_parts
from medsynth.generators.signing import sign, signed_here
from medsynth.generators.storage import CARD, read_card, write_card
from medsynth.randomness import derive_seed, seed_everything

TABLE = "table"


def sdv_columns(codebook: Codebook) -> dict[str, dict[str, Any]]:
    """Describe columns in SDV's terms, declared instead of detected: numerical, ordinal (with order), categorical."""
    columns: dict[str, dict[str, Any]] = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            columns[name] = {"sdtype": "numerical"}
        elif column.type == "ordinal":
            columns[name] = {"sdtype": "ordinal", "range_values": column.all_categories}
        else:
            columns[name] = {"sdtype": "categorical"}
    return columns


class SDVGenerator(Generator):
    """What the SDV generators share.

    Each takes its SDV synthesizer's keyword arguments, at SDV's factory settings by default (a test compares them).
    Gaps that are kept are left to SDV. It samples as many in each column, wherever they fall.
    """

    keeps_gaps = True

    synthesizer: str
    settings: dict[str, Any]

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
        """Learn a table; see `Generator.fit_checkpoints`."""
        from joblib import parallel_config

        self.codebook_ = codebook
        table = filled_where_not_asked(table, codebook, private=False)
        seed_everything(derive_seed(seed, "fit"))
        # CTGAN's and TVAE's encoders start a process per core of the machine for large tables; a job owns one.
        with parallel_config(backend="sequential"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)
            yield from self._fit({TABLE: self._to_sdv(table)}, sorted(set(epochs)))

    def _columns(self) -> dict[str, dict[str, Any]]:
        """Describe the columns as SDV gets them."""
        return sdv_columns(self.codebook_)

    def _to_sdv(self, table: pd.DataFrame) -> pd.DataFrame:
        """Lay a table out as SDV gets it; a subclass may learn from it how to."""
        return categories_as_text(table)

    def _from_sdv(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Undo `_to_sdv` on rows that SDV drew; types and ranges are seen to afterwards."""
        return rows

    def _fit(self, data: dict[str, pd.DataFrame], epochs: list[int]) -> Iterator[Self]:
        self._synthesizer = self._make()
        self._synthesizer.fit(data)
        self.epochs_ = 0
        yield self

    def _make(self, **settings: Any) -> Any:
        from sdv import single_table
        from sdv.metadata import Metadata

        metadata = Metadata.load_from_dict({"tables": {TABLE: {"columns": self._columns()}}})
        return getattr(single_table, self.synthesizer)(metadata, **self.settings, **settings)

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Let SDV draw rows; see `Generator._sample_parts`."""
        refuse_conditions(self, conditions)
        # SDV seeds its sampling with a constant unless set otherwise; from then on its calls continue each other.
        self._synthesizer.reset_sampling()
        self._synthesizer._set_random_state(derive_seed(seed, "sample"))
        for size in sizes_of_parts(n):
            yield self.codebook_.conform(self._from_sdv(self._synthesizer.sample(size)[TABLE]))

    def save(self, folder: str | Path) -> None:
        """Write SDV's own file and its signature, the codebook, the epoch count and the card."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._synthesizer.save(folder / "synthesizer.pkl")
        sign(folder / "synthesizer.pkl")
        (folder / "codebook.json").write_text(self.codebook_.to_json(), encoding="utf-8")
        (folder / "epochs").write_text(str(self.epochs_))
        write_card(folder, {"class": type(self).__name__, "settings": self.settings, **self.card()})

    def get_params(self) -> dict[str, Any]:
        """Settings by name; see `Generator.get_params`."""
        return dict(self.settings)

    @classmethod
    def load(cls, folder: str | Path, *, trusted: bool = False) -> Self:
        """Read a model.

        SDV's file is a pickle, which runs code when it is read: without the signature of `save`, in the same working
        directory, it is refused with an InputError, unless you say that you trust who made it.
        """
        from sdv.utils import load_synthesizer

        folder = Path(folder)
        try:
            if not trusted and not signed_here(folder / "synthesizer.pkl"):
                raise InputError(
                    f"{folder} holds no complete {cls.__name__} model whose signature fits, and reading "
                    "synthesizer.pkl runs code; train it again, or load it with trusted=True if you trust its source."
                )
            card = read_card(folder)
            if card["class"].rpartition(".")[2] != cls.__name__:
                raise ValueError(f"{CARD} is one of {card['class']}")
            generator = cls(**card["settings"])
            generator._synthesizer = load_synthesizer(folder / "synthesizer.pkl")
            generator.codebook_ = Codebook.from_json(folder / "codebook.json")
            generator.epochs_ = int((folder / "epochs").read_text())
        except InputError:
            raise
        except (OSError, EOFError, ValueError, TypeError, pickle.UnpicklingError) as error:
            raise InputError(f"{folder} holds no complete {cls.__name__} model ({error}); train it again.") from error
        return generator


class GaussianCopula(SDVGenerator):
    """SDV's GaussianCopulaSynthesizer.

    Parameters
    ----------
    enforce_min_max_values, enforce_rounding : bool, default True
    numerical_distributions : dict, optional
        Column -> name of its marginal distribution.
    default_distribution : str, optional
        Marginal distribution of all other columns; SDV's default is the beta distribution.
    """

    synthesizer = "GaussianCopulaSynthesizer"
    has_epochs = False
    quick = True
    fits_at_random = False

    def __init__(
        self,
        *,
        enforce_min_max_values: bool = True,
        enforce_rounding: bool = True,
        numerical_distributions: dict[str, str] | None = None,
        default_distribution: str | None = None,
    ) -> None:
        self.settings = _given(locals())


class EpochGenerator(SDVGenerator):
    """An SDV generator trained over epochs; one run yields the models of all epoch counts."""

    # SDV's own.
    default_epochs = 300
    has_losses = True
    loop_module: str
    network: str

    def _fit(self, data: dict[str, pd.DataFrame], epochs: list[int]) -> Iterator[Self]:
        self._synthesizer = self._make(epochs=epochs[-1])
        snapshots: dict[int, dict] = {}
        progress = Progress(epochs[-1], type(self).__name__)

        def look(done: int) -> None:
            model = self._synthesizer._model
            last = model.loss_values[model.loss_values["Epoch"] == done - 1].filter(like="Loss")
            # One step without a finite loss spoils the epoch, which pandas' own mean would pass over.
            progress.epoch(done, last.dropna(axis="columns", how="all").mean(skipna=False).to_dict())
            if done in epochs:
                snapshots[done] = copy.deepcopy(getattr(model, self.network).state_dict())

        try:
            with after_each_epoch(self.loop_module, look):
                self._synthesizer.fit(data)
        except ValueError as error:
            if isinstance(error, InputError) or "NaN" not in str(error):
                raise
            # CTGAN looks for itself what its generator draws within an epoch.
            raise progress.diverged(len(self._synthesizer._model.loss_values) + 1, str(error).rstrip(".")) from None
        for self.epochs_ in epochs:
            getattr(self._synthesizer._model, self.network).load_state_dict(snapshots[self.epochs_])
            yield self

    def card(self) -> dict[str, Any]:
        """Report the losses of every epoch so far; see `Generator.card`."""
        losses = self._synthesizer._model.loss_values
        means = losses[losses["Epoch"] < self.epochs_].groupby("Epoch").mean(numeric_only=True).filter(like="Loss")
        means.columns = [f"train_{name.lower()}" for name in means]
        return {"history": [{"epoch": int(e) + 1, **row.to_dict()} for e, row in means.iterrows()]}


class CTGAN(EpochGenerator):
    """SDV's CTGANSynthesizer; parameters are its own (Xu et al. 2019, section 4)."""

    synthesizer = "CTGANSynthesizer"
    loop_module = "ctgan.synthesizers.ctgan"
    network = "_generator"

    def __init__(
        self,
        *,
        enforce_min_max_values: bool = True,
        enforce_rounding: bool = True,
        embedding_dim: int = 128,
        generator_dim: Sequence[int] = (256, 256),
        discriminator_dim: Sequence[int] = (256, 256),
        generator_lr: float = 2e-4,
        generator_decay: float = 1e-6,
        discriminator_lr: float = 2e-4,
        discriminator_decay: float = 1e-6,
        batch_size: int = 500,
        discriminator_steps: int = 1,
        log_frequency: bool = True,
        pac: int = 10,
        enable_gpu: bool = True,
    ) -> None:
        self.settings = _given(locals())


class TVAE(EpochGenerator):
    """SDV's TVAESynthesizer; parameters are its own (Xu et al. 2019, section 4.4)."""

    synthesizer = "TVAESynthesizer"
    loop_module = "ctgan.synthesizers.tvae"
    network = "decoder"

    def __init__(
        self,
        *,
        enforce_min_max_values: bool = True,
        enforce_rounding: bool = True,
        embedding_dim: int = 128,
        compress_dims: Sequence[int] = (128, 128),
        decompress_dims: Sequence[int] = (128, 128),
        l2scale: float = 1e-5,
        batch_size: int = 500,
        loss_factor: float = 2,
        enable_gpu: bool = True,
    ) -> None:
        self.settings = _given(locals())


@contextlib.contextmanager
def after_each_epoch(module: str, look: Callable[[int], None]) -> Iterator[None]:
    """Call ``look(epochs done)`` after every epoch of the training loop in one of ctgan's modules.

    The loop iterates over ``tqdm(range(epochs))``; while this context is open, the module's ``tqdm`` is an iterator
    that gets control between two epochs. It draws no random number, so training is what it would be without it.
    """

    def watched(epochs: range, **_: Any) -> Iterator[int]:
        for epoch in epochs:
            yield epoch
            look(epoch + 1)

    loop: Any = importlib.import_module(module)
    original = loop.tqdm
    loop.tqdm = watched
    try:
        yield
    finally:
        loop.tqdm = original


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of a constructor, from its ``locals()``."""
    return {name: value for name, value in arguments.items() if name != "self" and not name.startswith("__")}


def categories_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Give SDV and SDMetrics text for categories; they refuse pandas' categories."""
    coded = table.select_dtypes("category").columns
    return table.astype(dict.fromkeys(coded, object))
