"""A forest of sequential trees: each column from several bagged trees on the columns before it.

Each tree grows on a bootstrap sample (Breiman 1996, "Bagging predictors", Machine Learning 24). A row takes its donor
from a tree taken at random, so that no leaf of one tree decides alone. For imputation: Doove, van Buuren and Dusseldorp
(2014), Computational Statistics and Data Analysis 72.

What ridge regressions predict is a further predictor of each tree: `medsynth.generators.ridge`.

Rows come from several visit sequences. What goes wrong depends on the sequence; where they are mixed, less of it adds
up. The same is done for densities by Uria, Murray and Larochelle (2014), "A deep and tractable density estimator".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Condition, Conditions
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.errors import InputError
from medsynth.generators.cart import (
    CART,
    MOST_CLASSES,
    Arrays,
    Followed,
    _as_arrays,
    _as_tensors,
    _PartialRows,
    _values,
    sizes_of,
)
from medsynth.generators.protocol import Generator, complete, sizes_of_parts, visit_sequence
from medsynth.generators.ridge import LinearScores, Ridge
from medsynth.generators.storage import read_model, write_model
from medsynth.preparation.formulas import Formula, alike, find_formulas, labels, with_sources
from medsynth.preparation.relations import Relations
from medsynth.randomness import derive_seed

# Before all values that there are are looked through: a tree's nodes on the way up, and some more draws from its root.
MOST_TRIES = 30
# With conditions a sequence draws at least so many rows: each needs partial rows of its own.
LEAST_CONDITIONED = 100


class Forest(Generator):
    """Samples each column from the training rows that one of several trees finds alike, another tree for each row.

    What is said of `CART` holds: a saved model holds the training values; every row meets every condition.

    Parameters
    ----------
    orders : int, default 10
        Visit sequences, at random but for `first` of `fit`: each row takes one of them.
    trees : int, default 2
        Trees of a column in each sequence.
    min_leaf : int, default 5
        Training rows of a tree's bootstrap sample in a leaf, at least; all different ones.
    min_leaf_categories : int, default 20
        The same for trees of coded columns. A number needs close donors, since a detector sees numbers that do not
        fit; a category drawn from few rows copies more than it tells.
    max_features : float, default 1
        Share of the columns before that a split chooses from, at random (Breiman 2001). All were better on small
        tables: docs/forest.md.
    smoothing : int, default 1
        As of `CART`, but values that 10 rows share stay: that many persons may be shown, and clinical numbers are often
        rounded, so that values between would be seen to be none.
    linear : bool, default True
        Whether trees may split on what ridge regressions predict.

    Attributes
    ----------
    forests_ : list of SequentialForest
        One for each visit sequence.
    """

    forests_: list[SequentialForest]

    has_epochs = False
    meets_conditions = True
    has_visit_sequence = True
    keeps_gaps = True
    quick = True

    def __init__(
        self,
        *,
        orders: int = 10,
        trees: int = 2,
        min_leaf: int = 5,
        min_leaf_categories: int = 20,
        max_features: float = 1.0,
        smoothing: int = 1,
        linear: bool = True,
    ) -> None:
        self.orders, self.trees = orders, trees
        self.min_leaf, self.min_leaf_categories = min_leaf, min_leaf_categories
        self.max_features, self.smoothing, self.linear = max_features, smoothing, linear

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
        """Grow the trees of each sequence; see `Generator.fit_checkpoints`. `epochs` and `last` are ignored."""
        if self.orders < 1:
            raise InputError(f"A forest needs one visit sequence or more (given: orders={self.orders}).")
        table = complete(table, codebook, self)
        self.codebook_, self.epochs_ = codebook, 0
        sequence, self.forests_ = visit_sequence(codebook, first, ()), []
        fixed = max((sequence.index(name) + 1 for name in first), default=0)
        values = {name: _values(table[name], codebook) for name in sequence}
        formulas = find_formulas(values, _labels(codebook))
        ridge = Ridge(values, sizes_of(codebook), derive_seed(seed, "folds")) if self.linear else None
        for number in range(self.orders):
            own = derive_seed(seed, "visit sequence", str(number))
            shuffled = np.random.default_rng(own).permutation(sequence[fixed:]).tolist()
            # Columns that decide whether a question arises still come before it.
            order = visit_sequence(codebook, [*sequence[:fixed], *shuffled], ())
            self.forests_.append(self.sequential().learn(values, codebook, order, own, ridge, formulas))
        yield self

    def sequential(self, **settings: Any) -> SequentialForest:
        """Make the forest of one visit sequence, with these settings but for those given."""
        own = {name: value for name, value in self.get_params().items() if name != "orders"}
        return SequentialForest(**{**own, **settings})

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw rows of each sequence and shuffle them; see `Generator._sample_parts`.

        Sequences give as many rows each, also under conditions: all learned the same rows, so that conditions are about
        as probable in one as in another. Where a sequence cannot meet them, others give its rows.
        """
        wanted = Conditions.parse(conditions, self.codebook_)
        rng = np.random.default_rng(derive_seed(seed, "visit sequences"))
        for size in sizes_of_parts(n):
            several = min(size // LEAST_CONDITIONED, self.orders) if conditions else self.orders
            sequences, taken = rng.permutation(self.orders), max(several, 1)
            sizes = rng.multinomial(size, np.full(taken, 1 / taken))
            drawn = pd.concat(self._drawn(sequences, sizes, wanted, rng), ignore_index=True)
            yield drawn.iloc[rng.permutation(len(drawn))].reset_index(drop=True)

    def _drawn(
        self, sequences: np.ndarray, sizes: np.ndarray, wanted: Conditions, rng: np.random.Generator
    ) -> list[pd.DataFrame]:
        """Draw so many rows of the first sequences each; of others, too, where these cannot meet the conditions."""
        parts, able, left, refused = [], [], 0, None
        for number, rows in zip(sequences, sizes, strict=False):
            if not rows and sizes.any():
                continue
            try:
                parts.append(self.forests_[number].drawn(int(rows), wanted, rng))
                able.append(number)
            except InputError as error:
                left, refused = left + int(rows), error
        for number in [*able, *sequences[len(sizes) :]]:
            if not left:
                break
            with contextlib.suppress(InputError):
                parts.append(self.forests_[number].drawn(left, wanted, rng))
                left = 0
        if left and refused:
            raise refused
        return parts

    def card(self) -> dict[str, Any]:
        """Report what was learned; see `Generator.card`."""
        leaves = [forest.card()["leaves"] for forest in self.forests_]
        return {
            "leaves": {name: sum(found[name] for found in leaves) for name in self.codebook_.columns},
            "visit_sequences": [forest.order_ for forest in self.forests_],
            "formulas": self.forests_[0].card()["formulas"],
            "holds_training_records": True,
        }

    def save(self, folder: str | Path) -> None:
        """Write all trees and their donors; see `Generator.save`."""
        content = {"settings": self.get_params(), "forests": [forest.content() for forest in self.forests_]}
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        codebook, content = read_model(folder, cls.__name__)
        model = cls(**content["settings"])
        model.codebook_, model.epochs_ = codebook, 0
        model.forests_ = [SequentialForest.of_content(codebook, one) for one in content["forests"]]
        return model


class SequentialForest(CART):
    """The forest of one visit sequence.

    A row takes its values from as many different training rows as it can. Otherwise a training row whose values sent
    the row to a leaf would often be in the leaf itself, and give it yet another value.

    Parameters
    ----------
    trees, min_leaf, min_leaf_categories, max_features, smoothing, linear
        See `Forest`; here 10 trees by default.

    Attributes
    ----------
    order_ : list of str
        Columns in the visit sequence.
    relations_ : Relations
        What never occurs together, and is never sampled together.
    formulas_ : dict of Formula
        Column -> how its numbers follow from columns before it, by which they are computed.
    trees_ : list of dict of ndarray
        `trees` of the first column, as many of the second, and so on.
    linear_ : LinearScores or None
        What trees may split on beside the columns before.
    """

    linear_: LinearScores | None
    spreads_donors = True

    def __init__(
        self,
        *,
        trees: int = 10,
        min_leaf: int = 5,
        min_leaf_categories: int = 20,
        max_features: float = 1.0,
        smoothing: int = 1,
        linear: bool = True,
    ) -> None:
        super().__init__(min_leaf=min_leaf, smoothing=smoothing)
        self.trees, self.min_leaf_categories = trees, min_leaf_categories
        self.max_features, self.linear = max_features, linear

    def learn(
        self,
        values: Arrays,
        codebook: Codebook,
        order: list[str],
        seed: int,
        ridge: Ridge | None = None,
        formulas: Sequence[Formula] | None = None,
    ) -> Self:
        """Learn as `CART` does, but a column that follows from others comes after them.

        What is the same for every sequence may come from outside: formulas, and what regressions need.
        """
        self._ridge = ridge
        if self.linear and ridge is None:
            self._ridge = Ridge(values, sizes_of(codebook), derive_seed(seed, "folds"))
        formulas = find_formulas(values, _labels(codebook)) if formulas is None else formulas
        self.formulas_ = {one.column: one for one in formulas}
        super().learn(values, codebook, visit_sequence(codebook, with_sources(order, formulas), ()), seed)
        del self._ridge
        return self

    def _grow_all(self, values: Arrays, seed: int) -> None:
        """Grow every column's trees, each on a bootstrap sample of its own."""
        self.relations_ = Relations.find(values, self.order_, sizes_of(self.codebook_))
        self.linear_, folds = LinearScores.learn(self._ridge, self.order_) if self._ridge else (None, {})
        self.trees_ = []
        for i, name in enumerate(self.order_):
            before, further = self.order_[:i], None
            if self.linear_ and self._ridge and name in folds:
                further = self.linear_.of_training_rows(self._ridge, before, folds[name])
            for number in range(self.trees):
                own = derive_seed(seed, "tree", name, str(number))
                self.trees_.append(self._grow_on_sample(values, before, name, own, further))

    def _grow_on_sample(
        self, values: Arrays, before: list[str], name: str, seed: int, further: np.ndarray | None
    ) -> Arrays:
        """Grow a tree on a bootstrap sample."""
        rows = len(values[name])
        sample = np.random.default_rng(derive_seed(seed, "bootstrap")).integers(0, rows, rows)
        return self._grow(values, before, name, seed, np.bincount(sample, minlength=rows), further)

    def further(self, name: str, before: Arrays) -> np.ndarray | None:
        """What regressions predict from the columns before; see `CART.further`."""
        return self.linear_.of(name, before) if self.linear_ else None

    def _least_in_leaf(self, name: str) -> int:
        """Fewer for numbers than for categories."""
        return self.min_leaf_categories if self._categories(name) else self.min_leaf

    def _least_shared(self, rows: int) -> int:
        """Rows that share a value which is not moved, at least."""
        return MINIMUM_CELL_SIZE

    def _smooth(
        self, name: str, values: np.ndarray, condition: Condition | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Move numbers as `CART` does, but never onto another value that relations rest on, which far moves could."""
        moved = super()._smooth(name, values, condition, rng)
        return np.where(np.isin(moved, self.relations_.marks_[name]), values, moved)

    def follows(self, name: str, values: Arrays) -> Followed | None:
        """Compute a column by its formula; see `CART.follows`. A row outside the training rows' range is not sound."""
        if name not in self.formulas_:
            return None
        numbers, (distinct, _, _) = self._computed(name, values), self.neighbours_[name]
        known = np.flatnonzero(np.isfinite(numbers))
        sound = np.ones(len(numbers), dtype=bool)
        sound[known] = (numbers[known] >= distinct[0]) & (numbers[known] <= distinct[-1])
        sound[known] &= self.relations_.holds(name, numbers[known], values, known)
        return Followed(numbers, sound)

    def _computed(self, name: str, values: Arrays) -> np.ndarray:
        """What a formula gives, and the training rows' own number where that is the same but for how it is stored."""
        found, distinct = self.formulas_[name].of(values), self.neighbours_[name][0]
        place = np.clip(np.searchsorted(distinct, found), 1, max(len(distinct) - 1, 1))
        nearest = [distinct[np.minimum(place + step, len(distinct) - 1)] for step in (-1, 0)]
        for own in nearest:
            found = np.where(alike(found, own), own, found)
        return found

    def donors_that_follow(self, name: str, values: Arrays) -> np.ndarray | None:
        """See `CART.donors_that_follow`."""
        formula = self.formulas_.get(name)
        return None if formula is None or formula.always else formula.follows(values)

    def _decode(self, values: Arrays, wanted: Conditions, rng: np.random.Generator) -> pd.DataFrame:
        """Turn drawn donors into rows; numbers that moved where relations do not hold stay where their donors are."""
        table = super()._decode(values, wanted, rng)
        orders = {name: before for name in self.order_ if (before := self.relations_.ordered_with(name))}
        parts = {name: list(formula.weights) for name, formula in self.formulas_.items()}
        numbers = {n for related in (orders, parts) for name in related for n in (name, *related[name])}
        moved = {n: table[n].to_numpy() if self._categories(n) == 0 else values[n] for n in numbers}
        computed = {name: alike(self._computed(name, values), values[name]) for name in self.formulas_}
        # A number that goes back can leave what holds to another that moved.
        while True:
            back = {name: np.zeros(len(table), dtype=bool) for name in numbers}
            for name in self.formulas_:
                again = self._computed(name, moved)
                again = np.where(alike(again, values[name]), values[name], again)
                moved[name] = np.where(computed[name], again, moved[name])
                broken = computed[name] & ~self._may_move(name, values[name], moved[name], wanted.get(name))
                for one in parts[name]:
                    back[one] |= broken
            for name, before in orders.items():
                broken = ~self.relations_.in_order(name, moved[name], moved, np.arange(len(table)))
                for one in (name, *before):
                    back[one] |= broken
            for name in reversed(parts):
                for one in parts[name]:
                    back[one] |= back[name] & computed[name]
            back = {
                name: rows & np.isfinite(moved[name]) & (moved[name] != values[name]) for name, rows in back.items()
            }
            if not any(rows.any() for rows in back.values()):
                break
            moved = {name: np.where(back[name], values[name], moved[name]) for name in numbers}
        for name in numbers:
            if self._categories(name) == 0:
                table[name] = moved[name].astype(table[name].dtype)
        return table

    def _may_move(self, name: str, donors: np.ndarray, moved: np.ndarray, condition: Condition | None) -> np.ndarray:
        """Say where a computed number may be another one, because what it follows from moved.

        It may neither be nor become a value that relations rest on: columns after it were drawn by them.
        """
        distinct, marks = self.neighbours_[name][0], self.relations_.marks_[name]
        allowed = (moved >= distinct[0]) & (moved <= distinct[-1]) & ~np.isin(moved, marks) & ~np.isin(donors, marks)
        if condition:
            allowed &= np.asarray(condition.holds(pd.Series(moved)))
        return allowed | (moved == donors)

    def _grown_on(self, target: np.ndarray, categories: int, before: list[np.ndarray], seed: int) -> np.ndarray:
        """Ranks of numbers, so that a few far ones do not decide; a random order of very many categories."""
        if not categories:
            from scipy.stats import rankdata

            return rankdata(target)
        if categories > MOST_CLASSES:
            return np.random.default_rng(seed).permutation(categories)[target].astype("float64")
        return target

    def trees_of(self, position: int) -> list[Arrays]:
        """Trees of the column at a position; see `CART.trees_of`."""
        return self.trees_[position * self.trees : (position + 1) * self.trees]

    def corrected(
        self,
        rows: _PartialRows,
        name: str,
        tree: Arrays,
        node: np.ndarray,
        good: np.ndarray | None,
        drawn: np.ndarray,
        at: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take donors of the nodes above until relations hold; see `CART.corrected`."""
        drawn, node, above = drawn.copy(), node.copy(), _nodes_above(tree)
        fits = self.relations_.holds(name, drawn, rows.values, at)
        for _ in range(MOST_TRIES):
            again = np.flatnonzero(~fits)
            if not len(again):
                return drawn, fits
            node[again] = np.maximum(above[node[again]], 0)
            drawn[again] = tree["donors"][rows.donate(tree, node[again], good)[0]]
            fits[again] = self.relations_.holds(name, drawn[again], rows.values, at[again])
        # What is rare among all rows: look through the values that there are.
        donors = tree["donors"] if good is None else tree["donors"][good]
        distinct, counts = np.unique(donors, return_counts=True)
        for row in np.flatnonzero(~fits):
            may = self.relations_.holds(name, distinct, rows.values, np.full(len(distinct), at[row]))
            if may.any():
                drawn[row], fits[row] = rows.rng.choice(distinct[may], p=counts[may] / counts[may].sum()), True
        return drawn, fits

    def card(self) -> dict[str, Any]:
        """Report what was learned; see `Generator.card`."""
        leaves = {
            name: sum(int((tree["feature"] < 0).sum()) for tree in self.trees_of(i))
            for i, name in enumerate(self.order_)
        }
        formulas = [formula.said(_labels(self.codebook_)) for formula in self.formulas_.values()]
        return {"leaves": leaves, "formulas": formulas, "holds_training_records": True}

    def content(self) -> dict[str, Any]:
        """All of the model but its codebook; see `CART.content`."""
        linear = _as_tensors(self.linear_.content()) if self.linear_ else None
        formulas = _as_tensors({name: formula._asdict() for name, formula in self.formulas_.items()})
        return {**super().content(), "linear": linear, "formulas": formulas}

    @classmethod
    def of_content(cls, codebook: Codebook, content: dict[str, Any]) -> Self:
        """Make a model of what `content` gave."""
        model = super().of_content(codebook, content)
        # Forests of earlier versions have none.
        linear = content.get("linear")
        model.linear_ = LinearScores.of_content(_as_arrays(linear)) if linear else None
        formulas = _as_arrays(content.get("formulas", {}))
        model.formulas_ = {name: Formula(**formula) for name, formula in formulas.items()}
        return model


def _labels(codebook: Codebook) -> dict[str, list[str | None]]:
    """Categories of each coded column; see `find_formulas`."""
    return {
        name: labels(column, () if column.numeric else column.all_categories)
        for name, column in codebook.columns.items()
    }


def _nodes_above(tree: Arrays) -> np.ndarray:
    """Parent of each node, (nodes,); -1 of the root."""
    above = np.full(len(tree["feature"]), -1)
    inner = np.flatnonzero(tree["feature"] >= 0)
    above[tree["left"][inner]] = above[tree["right"][inner]] = inner
    return above
