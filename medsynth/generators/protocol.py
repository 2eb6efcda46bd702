"""What every generator promises."""

from __future__ import annotations

import inspect
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from medsynth.codebook import CODED, Codebook
from medsynth.errors import InputError
from medsynth.generators.gaps import asked_for, filled_where_not_asked

log = logging.getLogger(__name__)

# Rows of a part that is drawn at once.
ROWS_AT_ONCE = 65_536


class Generator(ABC):
    """A generator of synthetic tables.

    A subclass stores its settings in ``__init__``, learns in `fit_checkpoints` and keeps what it learned in attributes
    that end in ``_``. Same table, settings and seeds: identical rows (unless it is not `repeatable`); another seed:
    other rows.

    Attributes
    ----------
    has_epochs : bool
        Whether training goes through epochs; a generator without them has epoch count 0 everywhere.
    default_epochs : int
        Epochs that `fit` trains for unless it is given others; 0 for a generator without epochs.
    meets_conditions : bool
        Whether `sample` takes conditions.
    has_visit_sequence : bool
        Whether it samples column after column (sequential synthesis), so that `first` and `last` matter to `fit`.
    keeps_gaps : bool
        Whether it learns and samples missing numbers of columns whose `gaps` are kept.
    has_losses, has_architecture : bool
        Whether the card has a ``history`` of losses by epoch, and an ``architecture`` of networks to draw.
    trains_together : bool
        Whether `fit_together` trains several seeds in a fraction of the time.
    quick : bool
        Whether a few thousand rows are fitted in seconds, so that an attacker's shadow models cost little.
    fits_at_random : bool
        Whether the seed of `fit` matters. Without, models of the same rows are equal, and their tables differ by
        drawing alone.
    learns : bool
        Whether `fit` learns from the rows that it is given, so that other rows give another model.
    file_settings : tuple of str
        Settings that are paths of files which `fit` reads; when one changes, the workflow fits again.
    environment : str or None
        Python environment with packages that `fit` needs and that cannot live beside the others: ``envs/<name>.txt``.
    codebook_ : Codebook
        Describes the table that was learned.
    epochs_ : int
        Epochs that this model was trained for.
    """

    has_epochs: bool = True
    default_epochs: int = 0
    meets_conditions: bool = False
    has_visit_sequence: bool = False
    keeps_gaps: bool = False
    has_losses: bool = False
    has_architecture: bool = False
    quick: bool = False
    trains_together: bool = False
    fits_at_random: bool = True
    learns: bool = True
    file_settings: tuple[str, ...] = ()
    environment: str | None = None
    codebook_: Codebook
    epochs_: int

    @property
    def private(self) -> bool:
        """Whether a guarantee of differential privacy holds for what `fit` learns."""
        return False

    @property
    def repeatable(self) -> bool:
        """Whether the seed decides everything in `fit`; noise of the operating system's making is never the same."""
        return True

    def fit(
        self,
        table: pd.DataFrame,
        codebook: Codebook | None = None,
        *,
        epochs: int | None = None,
        seed: int = 0,
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> Self:
        """Learn a table.

        Parameters
        ----------
        table : DataFrame
            Numbers, text, booleans or categories. Complete, but for numbers that the codebook lets be missing.
        codebook : Codebook, optional
            Describes `table`, whose other columns are left out. By default `Codebook.infer` guesses it.
        epochs : int, optional
            Default: `default_epochs`.
        seed : int, default 0
        first, last : sequence of str
            See `fit_checkpoints`.

        Returns
        -------
        Self
            The generator itself.

        Raises
        ------
        InputError
            The table has missing cells, no rows, or a column that cannot be learned; epochs are given to a generator
            that has none; or a guarantee is asked for without a codebook.
        """
        if epochs is not None and not self.has_epochs:
            raise InputError(
                f"'fit' sets no number of epochs for {type(self).__name__}; leave 'epochs' out, or set it among the "
                "generator's settings if it has one."
            )
        if codebook is None and self.private:
            raise InputError(
                f"{type(self).__name__} gives a guarantee, and categories and ranges taken from the rows would break "
                "it; give 'fit' a codebook that declares them."
            )
        codebook = Codebook.infer(table) if codebook is None else codebook
        table = complete(table, codebook, self) if self.learns else table
        count = self.default_epochs if epochs is None else epochs
        for _ in self.fit_checkpoints(table, codebook, epochs=[count], seed=seed, first=first, last=last):
            pass
        return self

    @abstractmethod
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
        """Learn a table and yield the fitted model at each of the epoch counts, in ascending order.

        It is one object that is yielded again and again, trained further: use or save it before the next.

        Parameters
        ----------
        table : DataFrame
            Clean table in the codebook's types and categories. Complete, but for numbers that the codebook lets be
            missing (`Column.may_be_missing`).
        codebook : Codebook
            Describes `table`.
        epochs : sequence of int
            Epoch counts at which a model is wanted; one training run passes through all of them where its schedule does
            not depend on the last. Ignored by generators without epochs, which yield one model of epoch count 0.
        seed : int, default 0
        first, last : sequence of str
            For generators that draw column after column: columns to begin with (conditions are met best there) and to
            end with (what will be predicted, given everything else). The others ignore them.
        """

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
        """Learn a table with several seeds, and yield each seed and its fitted model at each of the epoch counts.

        The models are those that `fit_checkpoints` gives of each seed, on a CPU to the last bit. By default they are
        trained one after another; where `trains_together` says so, side by side in a fraction of the time.

        Parameters are those of `fit_checkpoints`, but for ``seeds``, a sequence of int. Use or save a model before the
        next.
        """
        for seed in seeds:
            for model in self.fit_checkpoints(table, codebook, epochs=epochs, seed=seed, first=first, last=last):
                yield seed, model

    def training_runs(self, epochs: Sequence[int]) -> list[list[int]]:
        """Split epoch counts into training runs, each of which passes through all of its own.

        One run serves them all, unless what it does in its first epochs depends on how many it will have. A generator
        without epochs trains once, for epoch count 0.
        """
        return [sorted(set(epochs))] if self.has_epochs else [[0]]

    def sample(self, n: int, *, seed: int = 0, conditions: dict[str, Any] | None = None) -> pd.DataFrame:
        """Draw `n` synthetic rows in the learned table's columns, types and categories.

        Parameters
        ----------
        n : int
        seed : int, default 0
        conditions : dict, optional
            Column -> what its values must be, as `medsynth.conditions.Conditions.parse` reads it.

        Returns
        -------
        DataFrame
            No cell is missing, but for numbers that the codebook lets be missing. If the codebook was inferred, columns
            have the learned table's own pandas types.

        Raises
        ------
        InputError
            The generator is not fitted, cannot meet conditions, or cannot meet these.
        """
        return pd.concat(self.sample_in_parts(n, seed=seed, conditions=conditions), ignore_index=True)

    def sample_in_parts(
        self, n: int, *, seed: int = 0, conditions: dict[str, Any] | None = None
    ) -> Iterator[pd.DataFrame]:
        """Draw the rows that `sample` gives, part after part, so that few of them are in memory at once.

        Parameters are those of `sample`.
        """
        if not hasattr(self, "codebook_"):
            raise InputError(f"This {type(self).__name__} has learned no table yet; call 'fit' first.")
        if n < 0:
            raise InputError(f"{n} rows cannot be sampled; ask for 0 or more.")
        for part in self._sample_parts(n, seed=seed, conditions=asked_for(conditions, self.codebook_)):
            yield self.codebook_.in_pandas_types(self.codebook_.without_values(part))

    @abstractmethod
    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw `n` rows in the codebook's types and categories: `ROWS_AT_ONCE` at a time, or fewer.

        Generators whose rows depend on each other draw all of them at once.
        """

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the fitted model into a folder of its own."""

    @classmethod
    @abstractmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that `save` wrote."""

    def get_params(self) -> dict[str, Any]:
        """Settings by name, also those at their defaults; ``type(generator)(**generator.get_params())`` is its twin."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        """Class and settings that are not at their defaults."""
        defaults = {name: p.default for name, p in inspect.signature(type(self)).parameters.items()}
        changed = {name: value for name, value in self.get_params().items() if not _same(value, defaults[name])}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def card(self) -> dict[str, Any]:
        """Report what training came to, in plain values for the model card.

        ``history`` is a list of dicts, one an epoch: ``epoch``, and losses under ``train_<name>`` and
        ``validation_<name>``. ``architecture`` maps each network to its stages from input to output, a stage being a
        list of modules that stand side by side.
        """
        return {}


def complete(table: pd.DataFrame, codebook: Codebook, generator: Generator) -> pd.DataFrame:
    """Give a table the codebook's types and categories, so that category numbers mean the same everywhere.

    Numbers whose question does not arise are there in what is returned, unless the generator keeps gaps.

    Parameters
    ----------
    table : DataFrame
    codebook : Codebook
    generator : Generator
        What is to learn the table.

    Raises
    ------
    InputError
        The table is empty, lacks a column, has one that cannot be learned, or has missing cells or categories that the
        codebook lacks; or it has gaps that are kept, and the generator keeps none.
    """
    refuse_gaps(generator, codebook)
    for name, column in codebook.columns.items():
        if name not in table:
            raise InputError(
                f"The table to learn has no column '{name}', which the codebook {codebook.name} describes."
            )
        if not column.numeric and column.type not in CODED:
            raise InputError(
                f"The table to learn has '{name}' of the type {column.type}, which generators do not learn; leave the "
                "column out, or make it numeric or categorical."
            )
        if column.numeric and not pd.api.types.is_numeric_dtype(table[name].dtype):
            garbled = int((pd.to_numeric(table[name], errors="coerce").isna() & table[name].notna()).sum())
            if garbled:
                raise InputError(
                    f"The table to learn has {garbled} cells in '{name}' that are not numbers; correct them, or give "
                    "the column another type in the codebook."
                )
    conformed = codebook.conform(table)
    if not generator.keeps_gaps:
        conformed = filled_where_not_asked(conformed, codebook, private=generator.private)
    missing = pd.Series({name: missing_cells(conformed, name, codebook) for name in conformed})
    if missing.any():
        name = missing.idxmax()
        raise InputError(
            f"The table to learn has {missing[name]} missing cells (or categories that the codebook lacks) in "
            f"'{name}'; impute them with medsynth.preparation.imputation, or drop these rows with table.dropna()."
        )
    if not len(conformed):
        raise InputError("The table to learn has no rows.")
    return conformed


def missing_cells(table: pd.DataFrame, name: str, codebook: Codebook) -> int:
    """Count the cells of a column that are missing and may not be."""
    return 0 if codebook.columns[name].gaps else int(codebook.unanswered(name, table).sum())


def refuse_gaps(generator: Generator, codebook: Codebook) -> None:
    """Say that a generator does not learn gaps that are kept."""
    kept = [name for name, column in codebook.columns.items() if column.gaps]
    if kept and not generator.keeps_gaps:
        raise InputError(
            f"{type(generator).__name__} learns no gaps, and the gaps of '{kept[0]}' are kept; impute them, or take "
            "another generator."
        )


def visit_sequence(codebook: Codebook, first: Sequence[str], last: Sequence[str]) -> list[str]:
    """Visit sequence of the columns: `first`, those that neither names, `last`; `InputError` for an unknown one."""
    for name in (*first, *last):
        codebook.column(name)
    # Whether a question arises is known before its number is sampled.
    first = [before for name in first for before in (*_deciding(codebook, name), name)]
    last = [name for name in dict.fromkeys(last) if name not in first]
    between = [name for name in codebook.columns if name not in {*first, *last}]
    sequence = [*dict.fromkeys(first), *between, *last]
    return list(dict.fromkeys(before for name in sequence for before in (*_deciding(codebook, name), name)))


def _deciding(codebook: Codebook, name: str) -> list[str]:
    """Columns that decide whether the question of a number arises."""
    rule = codebook.columns[name].no_value_when
    return list(rule.when) if rule else []


def sizes_of_parts(n: int, at_once: int = ROWS_AT_ONCE) -> list[int]:
    """Cut `n` rows into parts of at most `at_once`: the rows of each; one part of 0 rows if `n` is 0."""
    return [min(at_once, n - done) for done in range(0, n, at_once)] or [0]


def _same(value: Any, other: Any) -> bool:
    """Whether two settings are equal; a list and a tuple of the same items are."""
    first, second = (tuple(v) if isinstance(v, list) else v for v in (value, other))
    return first == second


def refuse_conditions(generator: Generator, conditions: dict[str, Any] | None) -> None:
    """Say that a generator samples unconditionally only."""
    if conditions:
        raise InputError(f"{type(generator).__name__} cannot meet conditions; it samples unconditionally only.")


class Progress:
    """Log of a training run: epoch, losses and time left, about twenty lines a run.

    Parameters
    ----------
    total : int
        Epochs of the run.
    trained : str
        What messages call it.
    unit : str, default "epoch"
        What is counted.
    """

    def __init__(self, total: int, trained: str = "the generator", *, unit: str = "epoch") -> None:
        self.total, self.trained, self.unit = total, trained, unit
        self.started = time.monotonic()

    def epoch(self, done: int, losses: dict[str, float]) -> None:
        """Report that `done` epochs are behind us; `InputError` if a loss is no finite number any more."""
        for name, value in losses.items():
            if not math.isfinite(value):
                raise self.diverged(done, f"its {name} is {value}")
        if done % max(1, self.total // 20) and done != self.total:
            return
        left = (time.monotonic() - self.started) / done * (self.total - done)
        shown = "".join(f", {name} {value:.4g}" for name, value in losses.items())
        log.info("%s %d of %d%s, %.0f s left", self.unit, done, self.total, shown, left)

    def diverged(self, epoch: int, what: str) -> InputError:
        """Make the error that says that training came to nothing."""
        return InputError(
            f"The training of {self.trained} diverged in {self.unit} {epoch} of {self.total}: {what}; try a smaller "
            "learning rate or a larger batch size, or remove extreme values."
        )
