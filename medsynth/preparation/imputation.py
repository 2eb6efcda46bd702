"""Imputation, learned on the training partition alone.

Every imputer follows one protocol: ``fit(train, codebook)``, then ``transform(table)``; same seed, same values.
Imputed values are categories of the column, integers where the column is one, and inside the codebook's range; "not
applicable" is never imputed where the codebook says that it cannot be, and numbers have no value where their question
does not arise.
"""

from __future__ import annotations

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import CODED, GAP_CATEGORY, Codebook, Column, NotApplicable
from medsynth.errors import InputError, nearest
from medsynth.randomness import derive_seed


class Imputer(ABC):
    """What the imputers share.

    Parameters
    ----------
    rounds : int, default 3
        Rounds of chained equations, where the method has them.
    max_fit_rows : int, default 20000
        The models are fitted on at most this many training rows, drawn at random.
    seed : int, default 0

    Attributes
    ----------
    codebook_ : Codebook
        Describes the imputed table (some methods add columns or categories).
    """

    def __init__(self, *, rounds: int = 3, max_fit_rows: int = 20_000, seed: int = 0) -> None:
        self.rounds = rounds
        self.max_fit_rows = max_fit_rows
        self.seed = seed

    def fit(self, train: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn from the training partition (a clean table, described by `codebook`)."""
        self.codebook_ = codebook
        self._kept: list[str] = []
        self._fallback = {
            name: train[name].median() if codebook.columns[name].numeric else _mode(train[name])
            for name in train.columns
        }
        self._legitimate = {}
        for name, column in codebook.columns.items():
            rule = column.not_applicable
            # "Not pregnant" of a man is a category that women have too: nothing to withdraw.
            if rule and rule.category is not None and rule.when and not rule.shared:
                counts = train[name].value_counts()
                counts[rule.category] = 0
                self._legitimate[name] = counts / max(counts.sum(), 1)
        sample = train
        if len(train) > self.max_fit_rows:
            sample = train.sample(self.max_fit_rows, random_state=derive_seed(self.seed, "fit rows"))
        self._learn(sample.reset_index(drop=True))
        return self

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Fill every gap of a table with the columns of the training partition, but for gaps that are kept."""
        filled = self._fill(table.reset_index(drop=True))
        for name in filled.columns[filled.isna().any()].difference(self._kept, sort=False):
            filled[name] = filled[name].fillna(self._fallback[name])
        for name, shares in self._legitimate.items():
            rule = self.codebook_.columns[name].not_applicable
            if rule:
                self._withdraw_not_applicable(filled, table[name].isna().to_numpy(), name, rule, shares)
        return self.codebook_.conform(self.codebook_.without_values(filled))

    def _withdraw_not_applicable(
        self, filled: pd.DataFrame, imputed: np.ndarray, name: str, rule: NotApplicable, shares: pd.Series
    ) -> None:
        """Redraw imputed "not applicable" where the question does arise, from the training partition's categories."""
        arises = np.zeros(len(filled), dtype=bool)
        for other, categories in rule.deciding().items():
            arises |= ~filled[other].isin(categories).to_numpy()
        wrong = imputed & arises & (filled[name] == rule.category).to_numpy()
        if wrong.any() and shares.sum() > 0:
            rng = np.random.default_rng(derive_seed(self.seed, name, "not applicable"))
            filled.loc[wrong, name] = rng.choice(shares.index.to_numpy(), size=int(wrong.sum()), p=shares.to_numpy())

    def _learn(self, train: pd.DataFrame) -> None:  # noqa: B027 (filling by the mode needs no model)
        """Fit the method's models, if it has any."""

    @abstractmethod
    def _fill(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a copy with the gaps filled; what stays missing gets the training rows' mode or median."""


class ForestImputer(Imputer):
    """Chained random forests (miceforest): categories drawn as categories, numbers by predictive mean matching.

    A category is drawn with the forest's class probabilities; a number is that of one of the five training rows with
    the nearest predictions, as in van Buuren (2018), "Flexible Imputation of Missing Data", section 3.4.
    """

    def _learn(self, train: pd.DataFrame) -> None:
        import miceforest

        self._kernel = None
        # A column that shows fewer than two values has nothing to learn; `transform` falls back to its mode.
        incomplete = list(train.columns[train.isna().any() & (train.nunique() > 1)])
        if not incomplete:
            return
        self._kernel = miceforest.ImputationKernel(
            self._for_trees(train),
            variable_schema=incomplete,
            # Matching on log-odds fails where a forest is certain; drawing from the class probabilities does not.
            mean_match_strategy={
                name: "normal" if self.codebook_.columns[name].numeric else "fast" for name in incomplete
            },
            random_state=derive_seed(self.seed, "forest"),
        )
        self._kernel.mice(self.rounds, verbose=False, num_threads=1, deterministic=True, force_row_wise=True)

    def _fill(self, table: pd.DataFrame) -> pd.DataFrame:
        if self._kernel is None or not table[self._kernel.modeled_variables].isna().any().any():
            return table.copy()
        prepared = self._for_trees(table)
        others = [name for name in table.columns if name not in self._kernel.modeled_variables]
        prepared[others] = prepared[others].fillna({name: self._fallback[name] for name in others})
        # Draws come from the kernel's own stream; a fresh one makes a table's values its own.
        stream = self._kernel._random_state = np.random.RandomState(derive_seed(self.seed, "fill"))
        with _advancing_iterations():
            imputed = self._kernel.impute_new_data(prepared, random_state=stream, verbose=False)
        return imputed.complete_data(dataset=0)

    @staticmethod
    def _for_trees(table: pd.DataFrame) -> pd.DataFrame:
        """Lay a table out as miceforest wants it: unordered categories, floats."""
        return table.apply(
            lambda values: (
                values.astype(pd.CategoricalDtype(values.cat.categories))
                if isinstance(values.dtype, pd.CategoricalDtype)
                else values.astype("float64")
            )
        )


@contextlib.contextmanager
def _advancing_iterations() -> Iterator[None]:
    """Let miceforest's new data keep what each round imputed.

    In miceforest 6.0.5 `impute_new_data` stores every round's values but never counts the rounds, so that the next
    round, and the caller, get the random initial fill instead. A test shows both.
    """
    from miceforest import imputation_kernel

    class Counting(imputation_kernel.ImputedData):
        def __setitem__(self, key: tuple[int, int, int], values: np.ndarray) -> None:
            super().__setitem__(key, values)
            variable, iteration, dataset = key
            self.iteration_tab[variable, dataset] = iteration

    original, imputation_kernel.ImputedData = imputation_kernel.ImputedData, Counting
    try:
        yield
    finally:
        imputation_kernel.ImputedData = original


class IterativeImputer(Imputer):
    """MICE as in the Med-VAE paper: scikit-learn's IterativeImputer with draws from the posterior.

    Categories are numbered, imputed as numbers, rounded and clipped; one Bayesian ridge regression a column.
    """

    def _learn(self, train: pd.DataFrame) -> None:
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer as SklearnImputer

        numbers = self._numbers(train)
        bounds = np.array([_bounds(self.codebook_.columns[name], train[name]) for name in train.columns])
        self._model = SklearnImputer(
            sample_posterior=True,
            max_iter=self.rounds,
            min_value=bounds[:, 0],
            max_value=bounds[:, 1],
            keep_empty_features=True,
            random_state=derive_seed(self.seed, "iterative"),
        )
        import warnings

        with warnings.catch_warnings():
            # Posterior draws do not converge to a point, so scikit-learn's warning says nothing here.
            warnings.filterwarnings("ignore", message=".*Early stopping criterion not reached.*")
            self._model.fit(numbers)

    def _fill(self, table: pd.DataFrame) -> pd.DataFrame:
        numbers = self._numbers(table)
        # The model goes on drawing from its own stream; a fresh one makes a table's values its own.
        self._model.random_state_ = np.random.RandomState(derive_seed(self.seed, "fill"))
        imputed = self._model.transform(numbers)
        filled = table.copy()
        for position, name in enumerate(table.columns):
            gaps = table[name].isna().to_numpy()
            if not gaps.any():
                continue
            if self.codebook_.columns[name].numeric:
                filled.loc[gaps, name] = imputed[gaps, position]
            else:
                categories = table[name].cat.categories
                codes = np.clip(np.rint(imputed[gaps, position]), 0, len(categories) - 1).astype(int)
                filled.loc[gaps, name] = categories[codes]
        return filled

    def _numbers(self, table: pd.DataFrame) -> np.ndarray:
        """Number the categories; gaps are NaN."""
        columns = []
        for name in table.columns:
            if self.codebook_.columns[name].numeric:
                columns.append(table[name].to_numpy("float64"))
            else:
                codes = table[name].cat.codes.to_numpy("float64")
                columns.append(np.where(codes < 0, np.nan, codes))
        return np.column_stack(columns)


class SimpleImputer(Imputer):
    """The most frequent category for coded columns, the median (or mean) for numeric ones.

    Parameters
    ----------
    statistic : {"median", "mean"}, default "median"
    flags : bool, default False
        Add a binary column ``<column>_missing`` for every column with gaps in the training partition.
    **shared
        See `Imputer`.
    """

    def __init__(self, *, statistic: str = "median", flags: bool = False, **shared: Any) -> None:
        super().__init__(**shared)
        self.statistic = statistic
        self.flags = flags

    def fit(self, train: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn from the training partition (a clean table, described by `codebook`)."""
        super().fit(train, codebook)
        if self.statistic == "mean":
            self._fallback |= {n: train[n].mean() for n in train.columns if codebook.columns[n].numeric}
        self._flagged = self._gaps_to_flag(train, codebook) if self.flags else []
        own = [name for name in self._flagged if f"{name}_missing" in codebook.columns]
        if own:
            raise InputError(
                f"The flag '{own[0]}_missing' of imputation would overwrite the table's own column; rename that "
                "column in the codebook ('raw' keeps its header)."
            )
        self.codebook_ = codebook.with_columns(
            {
                f"{name}_missing": Column(
                    type="binary", categories=["no", "yes"], description=f"'{name}' was missing and is imputed"
                )
                for name in self._flagged
            }
        )
        return self

    def _gaps_to_flag(self, train: pd.DataFrame, codebook: Codebook) -> list[str]:
        """Columns with gaps, which get a flag."""
        return [name for name in train if codebook.unanswered(name, train).any()]

    def _fill(self, table: pd.DataFrame) -> pd.DataFrame:
        filled = table.copy()
        for name in self._flagged:
            filled[f"{name}_missing"] = np.where(self.codebook_.unanswered(name, table), "yes", "no")
        return filled


class CategoryImputer(SimpleImputer):
    """Missing as a category: coded columns with gaps get the category ``missing``.

    Numbers cannot say "missing" themselves: numeric columns get the median and a flag column.
    """

    def __init__(self, **shared: Any) -> None:
        super().__init__(statistic="median", flags=True, **shared)

    def fit(self, train: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn from the training partition (a clean table, described by `codebook`)."""
        super().fit(train, codebook)
        columns = dict(self.codebook_.columns)
        for name in super()._gaps_to_flag(train, codebook):
            if codebook.columns[name].type not in CODED:
                continue
            # A binary column with a third category is a categorical one.
            kind = "ordinal" if columns[name].type == "ordinal" else "categorical"
            categories = [*columns[name].all_categories, GAP_CATEGORY]
            # It has the name of a category that no pandas type but text holds.
            changes = {"type": kind, "categories": categories, "pandas_type": None}
            columns[name] = columns[name].model_copy(update=changes)
            self._fallback[name] = GAP_CATEGORY
        self.codebook_ = self.codebook_.model_copy(update={"columns": columns})
        return self

    def _gaps_to_flag(self, train: pd.DataFrame, codebook: Codebook) -> list[str]:
        """Columns with gaps that cannot say so themselves."""
        return [name for name in super()._gaps_to_flag(train, codebook) if codebook.columns[name].type not in CODED]

    def _fill(self, table: pd.DataFrame) -> pd.DataFrame:
        filled = super()._fill(table)
        for name, column in self.codebook_.columns.items():
            if column.type in CODED and name in table.columns:
                filled[name] = filled[name].cat.set_categories(column.all_categories)
        return filled


class Keeper(CategoryImputer):
    """Gaps as they are: coded columns with gaps get the category ``missing``, numeric ones stay missing.

    For generators that learn and sample gaps. A column without gaps in the training partition is filled as
    `SimpleImputer` does.
    """

    def fit(self, train: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn from the training partition (a clean table, described by `codebook`)."""
        super().fit(train, codebook)
        self._kept = [
            name for name in train if codebook.columns[name].numeric and codebook.unanswered(name, train).any()
        ]
        columns = dict(self.codebook_.columns)
        columns |= {name: columns[name].model_copy(update={"gaps": True}) for name in self._kept}
        self.codebook_ = self.codebook_.model_copy(update={"columns": columns})
        return self

    def _gaps_to_flag(self, train: pd.DataFrame, codebook: Codebook) -> list[str]:
        """None: a number that is missing says so itself."""
        return []


IMPUTERS: dict[str, type[Imputer]] = {
    "forest": ForestImputer,
    "iterative": IterativeImputer,
    "simple": SimpleImputer,
    "category": CategoryImputer,
    "keep": Keeper,
}


def make_imputer(method: str, **settings: Any) -> Imputer:
    """Make the imputer of a name in `IMPUTERS`; `InputError` names the nearest one for an unknown name."""
    if method not in IMPUTERS:
        raise InputError(f"There is no imputation method '{method}'{nearest(method, IMPUTERS)}")
    return IMPUTERS[method](**settings)


def impute_blind(
    imputer: Imputer, train: pd.DataFrame, test: pd.DataFrame, codebook: Codebook, hidden: Iterable[str]
) -> pd.DataFrame:
    """Impute test rows without looking at what classifiers are to predict from them.

    An imputer that sees a test row's own label writes it into the row's predictors, and accuracies rise by what
    nobody knows at the bedside. So the predictors are filled by an imputer of the same kind that was never shown the
    hidden columns; those columns' own gaps are filled by `imputer`.

    Parameters
    ----------
    imputer : Imputer
        Fitted on all columns of `train`.
    train, test : DataFrame
        Clean tables with gaps.
    codebook : Codebook
        Describes both.
    hidden : iterable of str
        Targets, and columns that would give them away.

    Returns
    -------
    DataFrame
        `test`, complete, in the form of ``imputer.transform``.
    """
    complete = imputer.transform(test)
    seen = [name for name in test.columns if name not in set(hidden)]
    if test[seen].isna().any().any():
        blind = copy.copy(imputer).fit(train[seen], codebook.resolved(train[seen]))
        filled = blind.transform(test[seen])
        complete[filled.columns] = filled
    # Whether a question arises may hang on a column that the blind imputer never saw.
    return imputer.codebook_.without_values(complete)


def _mode(values: pd.Series) -> object:
    """Most frequent value; the first in the categories' order among equals; None if there is none."""
    counts = values.value_counts(sort=False)
    return counts.idxmax() if counts.sum() else values.cat.categories[0]


def _bounds(column: Column, values: pd.Series) -> tuple[float, float]:
    """Smallest and largest number that an imputed value may take."""
    if not column.numeric:
        return (-0.5, len(values.cat.categories) - 0.5)
    low, high = column.range or (values.min(), values.max())
    # The regression needs room between the bounds, also for a constant column.
    return (low, high) if low < high else (low - 0.5, high + 0.5)
