"""A forest of sequential trees: each column from several bagged trees on the columns before it.

Each tree grows on a bootstrap sample (Breiman 1996, "Bagging predictors", Machine Learning 24). A row takes its donor
from a tree taken at random, so that no leaf of one tree decides alone. For imputation: Doove, van Buuren and Dusseldorp
(2014), Computational Statistics and Data Analysis 72.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from medsynth.conditions import Condition, Conditions
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.generators.cart import CART, MOST_CLASSES, Arrays, _PartialRows
from medsynth.preparation.relations import Relations
from medsynth.randomness import derive_seed

# Before all values that there are are looked through: a tree's nodes on the way up, and some more draws from its root.
MOST_TRIES = 30


class Forest(CART):
    """Samples each column from the training rows that one of several trees finds alike, another tree for each row.

    What is said of `CART` holds: a saved model holds the training values; every row meets every condition.

    Parameters
    ----------
    trees : int, default 10
        Trees of a column.
    min_leaf : int, default 5
        Training rows of a tree's bootstrap sample in a leaf, at least; all different ones.
    max_features : float, default 1
        Share of the columns before that a split chooses from, at random (Breiman 2001). All were better on small
        tables: docs/forest.md.
    smoothing : int, default 1
        As of `CART`, but values that 10 rows share stay: that many persons may be shown, and clinical numbers are often
        rounded, so that values between would be seen to be none.

    Attributes
    ----------
    order_ : list of str
        Columns in the visit sequence.
    relations_ : Relations
        What never occurs together, and is never sampled together.
    trees_ : list of dict of ndarray
        `trees` of the first column, as many of the second, and so on.
    """

    def __init__(
        self,
        *,
        trees: int = 10,
        min_leaf: int = 5,
        max_features: float = 1.0,
        smoothing: int = 1,
    ) -> None:
        super().__init__(min_leaf=min_leaf, smoothing=smoothing)
        self.trees, self.max_features = trees, max_features

    def _grow_all(self, values: Arrays, seed: int) -> None:
        """Grow every column's trees; trees of one number grow on one bootstrap sample, whatever the column."""
        rows = len(values[self.order_[0]])
        self.relations_ = Relations.find(values, self.order_, {name: self._categories(name) for name in self.order_})
        samples = [
            np.bincount(
                np.random.default_rng(derive_seed(seed, "bootstrap", str(number))).integers(0, rows, rows),
                minlength=rows,
            )
            for number in range(self.trees)
        ]
        self.trees_ = [
            self._grow(values, self.order_[:i], name, derive_seed(seed, "tree", name, str(number)), times)
            for i, name in enumerate(self.order_)
            for number, times in enumerate(samples)
        ]

    def _least_shared(self, rows: int) -> int:
        """Rows that share a value which is not moved, at least."""
        return MINIMUM_CELL_SIZE

    def _smooth(
        self, name: str, values: np.ndarray, condition: Condition | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Move numbers as `CART` does, but never onto another value that relations rest on, which far moves could."""
        moved = super()._smooth(name, values, condition, rng)
        return np.where(np.isin(moved, self.relations_.marks_[name]), values, moved)

    def _decode(self, values: Arrays, wanted: Conditions, rng: np.random.Generator) -> pd.DataFrame:
        """Turn drawn donors into rows; numbers that moved out of an order stay where their donors are."""
        table = super()._decode(values, wanted, rng)
        orders = [(name, b) for name, found in self.relations_.orders_.items() for b, _ in found]
        every = np.arange(len(table))
        # A number that goes back can leave the order to another that moved.
        while True:
            moved = {name: table[name].to_numpy() for name in {n for pair in orders for n in pair}}
            back = {name: np.zeros(len(table), dtype=bool) for name in moved}
            for name in {name for name, _ in orders}:
                broken = ~self.relations_.in_order(name, moved[name], moved, every)
                for one in (name, *(b for b, _ in self.relations_.orders_[name])):
                    back[one] |= broken & np.isfinite(moved[one]) & (moved[one] != values[one])
            if not any(rows.any() for rows in back.values()):
                return table
            for name, rows in back.items():
                table[name] = np.where(rows, values[name], moved[name]).astype(table[name].dtype)

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
            drawn[again] = rows.donate(tree, node[again], good)[0]
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
        return {"leaves": leaves, "holds_training_records": True}


def _nodes_above(tree: Arrays) -> np.ndarray:
    """Parent of each node, (nodes,); -1 of the root."""
    above = np.full(len(tree["feature"]), -1)
    inner = np.flatnonzero(tree["feature"] >= 0)
    above[tree["left"][inner]] = above[tree["right"][inner]] = inner
    return above
