"""Sequential classification and regression trees, the method of R's synthpop.

Nowok, Raab and Dibben (2016), "synthpop: Bespoke creation of synthetic data in R", Journal of Statistical Software
74(11); trees as donors: Reiter (2005), "Using CART to generate partially synthetic public use microdata".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from medsynth.codebook import MAX_DECIMALS, Codebook, Column, decimals_of
from medsynth.conditions import Condition, Conditions
from medsynth.generators.gaps import not_asked
from medsynth.generators.protocol import Generator, complete, sizes_of_parts, visit_sequence
from medsynth.generators.sequential import draw_sequentially, sound_rows
from medsynth.generators.storage import read_model, write_model
from medsynth.preparation.relations import Relations
from medsynth.randomness import derive_seed

# A tree that decides among more categories than this is grown on a score of the categories instead.
MOST_CLASSES = 32
# How often a donor is drawn again whose values a row has already.
DONOR_TRIES = 8
# Values that a larger share of the rows have are spikes, which smoothing leaves alone.
SPIKE = 0.01

# A missing number among the values of trees: it lies below all others, so that one threshold tells it from them.
GAP = -np.inf
# What it is as a predictor, for which there is no infinity.
_GAP_SEEN = np.finfo("float32").min / 2

Arrays = dict[str, np.ndarray]


class Followed(NamedTuple):
    """What a column is by those before it.

    Attributes
    ----------
    numbers : ndarray of float, shape (rows,)
        NaN where nothing follows.
    sound : ndarray of bool, shape (rows,)
        Whether the number may stand beside the columns before; also where nothing follows.
    """

    numbers: np.ndarray
    sound: np.ndarray


class CART(Generator):
    """Samples each column from the training rows that a tree on the columns before it finds alike.

    A saved model holds the training values, leaf by leaf: it is as confidential as they are. Every row that it samples
    meets every condition: donors are those training rows that meet a range; where there is none in it, there is nothing
    to smooth. A gap is donated as a number is. Rows in which a question does not arise donate nothing.

    Parameters
    ----------
    min_leaf : int, default 20
        Training rows in a leaf, at least. Fewer is more faithful and copies more.
    smoothing : int, default 1
        A drawn number is moved at most halfway to the value that lies this many distinct training values away, on
        either side; values that more than 1 % of the rows share stay. 0: training values as they are.

    Attributes
    ----------
    order_ : list of str
        Columns in the visit sequence.
    trees_ : list of dict of ndarray
        For each of them the tree's nodes and the donors of its leaves.
    """

    has_epochs = False
    meets_conditions = True
    has_visit_sequence = True
    keeps_gaps = True
    quick = True
    # A split chooses from all columns before; a forest's from a share of them.
    max_features: float | None = None
    # Whether a row takes values from as many different training rows as it can.
    spreads_donors = False

    def __init__(self, *, min_leaf: int = 20, smoothing: int = 1) -> None:
        self.min_leaf = min_leaf
        self.smoothing = smoothing

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
        """Grow a tree a column; see `Generator.fit_checkpoints`."""
        table = complete(table, codebook, self)
        # A single tree on all other columns predicts less well than many trees that each have the column before them:
        # a visit sequence with `last` at its end would cost utility (docs/conditions.md).
        order = visit_sequence(codebook, first, ())
        yield self.learn({name: _values(table[name], codebook) for name in order}, codebook, order, seed)

    def learn(self, values: Arrays, codebook: Codebook, order: list[str], seed: int) -> Self:
        """Learn from values as trees see them, in a visit sequence."""
        self.codebook_, self.epochs_, self.order_ = codebook, 0, order
        self._grow_all(values, seed)
        self.neighbours_ = {
            name: _neighbours(values[name][values[name] > GAP], self.smoothing, self._least_shared(len(values[name])))
            for name in self.order_
            if codebook.columns[name].numeric
        }
        return self

    def _grow_all(self, values: Arrays, seed: int) -> None:
        """Find what rows must keep, and grow what each column is sampled from."""
        self.relations_ = Relations()
        self.trees_ = [
            self._grow(values, self.order_[:i], name, derive_seed(seed, "tree", name))
            for i, name in enumerate(self.order_)
        ]

    def trees_of(self, position: int) -> list[Arrays]:
        """Trees of the column at a position of the visit sequence: a row takes one of them, each as probably."""
        return [self.trees_[position]]

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
        """Draw values again that may not stand beside those before: values, and whether they may now; here all may."""
        return drawn, np.ones(len(drawn), dtype=bool)

    def follows(self, name: str, values: Arrays) -> Followed | None:
        """Compute a column from those before it; None where trees draw it in every row, as here."""
        return None

    def donors_that_follow(self, name: str, values: Arrays) -> np.ndarray | None:
        """Say which training rows have the number that follows: bool, (rows,).

        A row with such a donor has the number that follows there. None where trees always draw, and where they never do
        if all columns before are known.
        """
        return None

    def _least_shared(self, rows: int) -> int:
        """Rows that share a value which smoothing does not move, at least."""
        return int(max(SPIKE * rows, 1)) + 1

    def _least_in_leaf(self, name: str) -> int:
        """Training rows in a leaf of a column's trees, at least."""
        return self.min_leaf

    def _categories(self, name: str) -> int:
        """Number of categories of a coded column; 0 for a numeric one."""
        return _size(self.codebook_.columns[name])

    def further(self, name: str, before: Arrays) -> np.ndarray | None:
        """What trees of a column may split on beside the columns before it: float32, (rows, predictors)."""
        return None

    def _grow(
        self,
        values: Arrays,
        before: list[str],
        name: str,
        seed: int,
        times: np.ndarray | None = None,
        further: np.ndarray | None = None,
    ) -> Arrays:
        """Grow a tree of one column and put the training values into its nodes.

        Parameters
        ----------
        times : ndarray of int, shape (rows,), optional
            How often each row is in the sample that the tree grows on; by default once. Donors are all rows.
        further : ndarray of float, shape (rows, predictors), optional
            See `further`.

        Returns
        -------
        dict of ndarray
            ``feature``, ``threshold``, ``left``, ``right`` of each node; ``donors``, sorted by leaf, of which those
            from ``starts`` to ``ends`` are the node's; ``scores <column>`` of the categories of each nominal predictor;
            ``rows``, the donors' row numbers, where donors are spread; ``follows``, see `donors_that_follow`.
        """
        without = not_asked(self.codebook_, name, lambda other: values[other])
        numbers = np.arange(len(values[name]))
        if without is not None and not without.all():
            numbers = numbers[~without]
            values = {b: values[b][~without] for b in (*before, name)}
            times = None if times is None else times[~without]
            further = None if further is None else further[~without]
        target, categories = values[name], self._categories(name)
        follows = self.donors_that_follow(name, values)
        tree: Arrays = {
            "feature": np.array([-1]),
            "threshold": np.zeros(1),
            "left": np.array([-1]),
            "right": np.array([-1]),
        }
        scores: dict[str, np.ndarray] = {}
        leaf = np.zeros(len(target), dtype=int)
        if times is not None and not times.any():
            # None of the few rows with such a number is in the sample.
            times = None
        if before and (target != target[0]).any():
            from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

            times = np.ones(len(target), dtype=int) if times is None else times
            learned, repeated = np.flatnonzero(times), np.repeat(np.arange(len(target)), times)
            several = 0 < categories <= MOST_CLASSES
            grown_on = self._grown_on(target, categories, [values[b] for b in before], seed)
            marks = [rows for rows in (target == GAP, follows) if rows is not None and rows.any()]
            if marks and not categories:
                grown_on = _beside_marks(grown_on, marks)
            indicators = _indicators(grown_on[repeated], categories if several else 0)
            scores = {
                b: _score_categories(values[b][repeated], self._categories(b), indicators)
                for b in before
                if self._categories(b) > 2
            }
            x = _beside(_predictors(values, before, scores), further)
            kind = DecisionTreeClassifier if several else DecisionTreeRegressor
            grown = kind(min_samples_leaf=self._least_in_leaf(name), max_features=self.max_features, random_state=seed)
            # Weights, and not rows several times: the least rows of a leaf are rows of different patients.
            grown.fit(x[learned], grown_on[learned], sample_weight=times[learned])
            nodes = grown.tree_
            # Copies: sklearn's arrays are views, each of which would be saved with all that is known of the nodes.
            tree = {"feature": nodes.feature.copy(), "threshold": nodes.threshold.copy()}
            tree |= {"left": nodes.children_left.copy(), "right": nodes.children_right.copy()}
            leaf = grown.apply(x)
        order = np.argsort(leaf, kind="stable")
        tree["donors"] = target[order].astype(np.min_scalar_type(categories) if categories else "float64")
        if self.spreads_donors:
            tree["rows"] = numbers[order].astype("int32")
        if follows is not None:
            tree["follows"] = follows[order]
        after = _after_descendants(tree["right"])
        tree["starts"], tree["ends"] = (np.searchsorted(leaf[order], n) for n in (np.arange(len(after)), after))
        return {**tree, **{f"scores {b}": s for b, s in scores.items()}}

    def _grown_on(self, target: np.ndarray, categories: int, before: list[np.ndarray], seed: int) -> np.ndarray:
        """What the tree of a column predicts: its values, or a score of its categories where they are very many."""
        return _score_by_predictors(target, categories, before)[target] if categories > MOST_CLASSES else target

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw donors from leaves; see `Generator._sample_parts`."""
        wanted = Conditions.parse(conditions, self.codebook_)
        rng = np.random.default_rng(derive_seed(seed, "sample"))
        for size in sizes_of_parts(n):
            yield self.drawn(size, wanted, rng)

    def drawn(self, n: int, wanted: Conditions, rng: np.random.Generator) -> pd.DataFrame:
        """Draw rows that meet conditions."""
        # A donor is allowed or is not; what is handed to `draw` is the condition itself.
        allowed = {i: wanted[name] for i, name in enumerate(self.order_) if name in wanted}

        def draw(n: int) -> _PartialRows:
            return draw_sequentially(lambda rows: _PartialRows(self, rows, rng), n, self.order_, allowed, rng)

        return self._decode(sound_rows(draw, n).values, wanted, rng)

    def _decode(self, values: Arrays, wanted: Conditions, rng: np.random.Generator) -> pd.DataFrame:
        """Turn drawn donors into rows."""
        columns: dict[str, Any] = {}
        for name in self.order_:
            column = self.codebook_.columns[name]
            if column.numeric:
                known = values[name] > GAP
                columns[name] = np.full(len(known), np.nan)
                columns[name][known] = self._smooth(name, values[name][known], wanted.get(name), rng)
            else:
                columns[name] = pd.Categorical.from_codes(values[name].astype(int), column.all_categories)
        return self.codebook_.conform(pd.DataFrame(columns))

    def _smooth(
        self, name: str, values: np.ndarray, condition: Condition | None, rng: np.random.Generator
    ) -> np.ndarray:
        """Move numbers within the neighbourhood of their donor, in the steps that the training values have.

        A number that would leave the condition stays where its donor is.
        """
        distinct, low, high = self.neighbours_[name]
        place = np.minimum(np.searchsorted(distinct, values), len(distinct) - 1)
        moved = low[place] + rng.random(len(values)) * (high - low)[place]
        decimals = 0 if self.codebook_.columns[name].type == "integer" else decimals_of(distinct)
        if decimals <= MAX_DECIMALS:
            step = _step(distinct, decimals)
            stepped = np.round(distinct[0] + step * np.round((moved - distinct[0]) / step), decimals)
            # Within half a step on either side nothing moves.
            moved = np.where(high[place] - low[place] <= step, values, stepped)
        # What is no training value has no neighbours: it stays.
        moved = np.where(distinct[place] == values, moved, values)
        return np.where(condition.holds(pd.Series(moved)), moved, values) if condition else moved

    def card(self) -> dict[str, Any]:
        """Report what was learned; see `Generator.card`."""
        leaves = [int((tree["left"] == tree["right"]).sum()) for tree in self.trees_]
        return {"leaves": dict(zip(self.order_, leaves, strict=True)), "holds_training_records": True}

    def save(self, folder: str | Path) -> None:
        """Write the trees and their donors; see `Generator.save`."""
        write_model(folder, type(self).__name__, self.codebook_, self.content(), self.card())

    def content(self) -> dict[str, Any]:
        """All of the model but its codebook: settings, tensors, names."""
        import torch

        return {
            "settings": self.get_params(),
            "order": self.order_,
            "trees": [{key: torch.as_tensor(array) for key, array in tree.items()} for tree in self.trees_],
            "neighbours": {name: [torch.as_tensor(a) for a in arrays] for name, arrays in self.neighbours_.items()},
            "relations": _as_tensors(self.relations_.content()),
        }

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model; see `Generator.load`."""
        return cls.of_content(*read_model(folder, cls.__name__))

    @classmethod
    def of_content(cls, codebook: Codebook, content: dict[str, Any]) -> Self:
        """Make a model of what `content` gave."""
        model = cls(**content["settings"])
        model.codebook_, model.epochs_, model.order_ = codebook, 0, content["order"]
        model.trees_ = [{key: tensor.numpy() for key, tensor in tree.items()} for tree in content["trees"]]
        model.neighbours_ = {name: tuple(t.numpy() for t in parts) for name, parts in content["neighbours"].items()}
        model.relations_ = Relations.of_content(_as_arrays(content["relations"]))
        return model


def _as_tensors(content: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Arrays within nested dicts as tensors, for a file."""
    import torch

    def of(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: of(value) for key, value in one.items()}
        return torch.as_tensor(one) if isinstance(one, np.ndarray) else one

    return of(content)


def _as_arrays(content: dict[str, Any]) -> dict[str, Any]:
    """Undo `_as_tensors`."""

    def of(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: of(value) for key, value in one.items()}
        return one.numpy() if hasattr(one, "numpy") else one

    return of(content)


class _PartialRows:
    """Rows of which the trees have drawn the first columns; see `medsynth.generators.sequential.PartialRows`.

    Attributes
    ----------
    values : dict of ndarray
        Column -> values, (rows,).
    given : ndarray of int, shape (rows, columns)
        Training row that donated each value, -1 for none; no columns where the model does not spread donors.
    sound : ndarray of bool, shape (rows,)
        Whether values stand beside each other as they do in training rows.
    """

    def __init__(self, model: CART, rows: int, rng: np.random.Generator) -> None:
        self.model, self.rows, self.rng = model, rows, rng
        self.values: Arrays = {}
        self.given = np.full((rows, len(model.order_) if model.spreads_donors else 0), -1, dtype="int32")
        self.sound = np.ones(rows, dtype=bool)

    def draw(self, position: int, allowed: Condition | None, wanted: np.ndarray | None = None) -> np.ndarray | None:
        """Draw the next column from donors in the leaf of each row, or of those that are `wanted`: bool, (rows,)."""
        name, trees = self.model.order_[position], self.model.trees_of(position)
        column = self.model.codebook_.columns[name]
        which = self.rng.integers(len(trees), size=self.rows) if len(trees) > 1 else np.zeros(self.rows, dtype=int)
        drawn = np.zeros(self.rows, dtype="float64" if column.numeric else "int64")
        mass = None if allowed is None else np.zeros(self.rows)
        without = not_asked(self.model.codebook_, name, lambda other: self.values[other])
        if without is not None:
            which[without], drawn[without] = -1, GAP
            if mass is not None:
                mass[without] = 0.0
        if wanted is not None:
            which[~wanted] = -1
        followed = self.model.follows(name, self.values)
        can = computed = np.zeros(self.rows, dtype=bool)
        if followed is not None:
            can = np.isfinite(followed.numbers) & (which >= 0)
            computed = can.copy()
            if "follows" not in trees[0]:
                which[can] = -1
        asked = np.flatnonzero(which >= 0)
        further = self.model.further(name, {b: self.values[b][asked] for b in self.model.order_[:position]})
        for number, tree in enumerate(trees):
            taken = which[asked] == number
            at = asked[taken]
            node = self._leaves(tree, position, at, None if further is None else further[taken])
            good = None if allowed is None else _donors_allowed(tree["donors"], allowed, column)
            if not can[at].any():
                drawn[at], share = self._take(tree, position, at, node, good)
                if mass is not None:
                    mass[at] = share
                continue
            # Whether a row follows is drawn first. If it does not, its donor is one that does not, either.
            computed[at] &= tree["follows"][self.donate(tree, node, None)[0]]
            apart = ~tree["follows"]
            rest = can[at] & ~computed[at]
            for rows, those in ((~can[at], good), (rest, apart if good is None else apart & good)):
                drawn[at[rows]], share = self._take(tree, position, at[rows], node[rows], those)
                if mass is not None:
                    mass[at[rows]] = share
            if mass is not None:
                mass[at[rest]] /= self._share(tree, node[rest], apart)
        if followed is not None:
            drawn[computed] = followed.numbers[computed]
            self.sound &= followed.sound | ~computed
            if self.model.spreads_donors:
                self.given[computed, position] = -1
            if allowed is not None and mass is not None:
                mass[computed] = _donors_allowed(drawn[computed], allowed, column) & followed.sound[computed]
        self.values[name] = drawn
        return mass

    def _take(
        self, tree: Arrays, position: int, at: np.ndarray, node: np.ndarray, good: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw values of some rows from a tree: values, and the share of its donors that is good and fits."""
        donors, share = self.donate(tree, node, good, self.given[at, :position])
        if self.model.spreads_donors:
            self.given[at, position] = tree["rows"][donors]
        name = self.model.order_[position]
        drawn, fits = self.model.corrected(self, name, tree, node, good, tree["donors"][donors], at)
        self.sound[at] &= fits
        return drawn, share * fits

    def _share(self, tree: Arrays, node: np.ndarray, good: np.ndarray) -> np.ndarray:
        """Share of each node's donors that are good, (rows,)."""
        counted = np.concatenate([[0], np.cumsum(good)])
        first, last = tree["starts"][node], tree["ends"][node]
        return (counted[last] - counted[first]) / (last - first)

    def donate(
        self, tree: Arrays, node: np.ndarray, good: np.ndarray | None, given: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a donor of each node and say which share of its donors are good.

        Parameters
        ----------
        tree : dict of ndarray
        node : ndarray of int, shape (rows,)
        good : ndarray of bool, shape (donors,), optional
            Which donors may be drawn; by default all. Where a node has none of them it is any: such a row weighs
            nothing.
        given : ndarray of int, shape (rows, columns), optional
            Training rows that each row has values of: a donor is none of them, if a few tries find another.

        Returns
        -------
        ndarray of int, ndarray of float, shape (rows,)
            Places among the tree's donors; shares.
        """
        first, last = tree["starts"][node], tree["ends"][node]
        counted = None if good is None else np.concatenate([[0], np.cumsum(good)])
        low, high = (first, last) if counted is None else (counted[first], counted[last])

        def choose(low: np.ndarray, high: np.ndarray) -> np.ndarray:
            place = low + (self.rng.random(len(low)) * (high - low)).astype(int)
            if counted is None:
                return place
            # The donor before which there are so many good ones.
            return np.clip(np.searchsorted(counted, place + 1, side="left") - 1, 0, len(counted) - 2)

        donors = choose(low, high)
        if given is not None and given.size:
            again = np.arange(len(node))
            for _ in range(DONOR_TRIES):
                again = again[(given[again] == tree["rows"][donors[again]][:, None]).any(1)]
                donors[again] = choose(low[again], high[again])
        return donors, np.ones(len(node)) if counted is None else (high - low) / (last - first)

    def _leaves(self, tree: Arrays, position: int, at: np.ndarray, further: np.ndarray | None = None) -> np.ndarray:
        """Send some rows down a tree of the column at a position: node numbers, (rows,)."""
        node = np.zeros(len(at), dtype=int)
        if tree["feature"][0] < 0:
            return node
        before = self.model.order_[:position]
        scores = {b: tree[f"scores {b}"] for b in before if f"scores {b}" in tree}
        x = _beside(_predictors({b: self.values[b][at] for b in before}, before, scores), further)
        going = np.arange(len(at))
        while len(going):
            at_node = node[going]
            left = x[going, tree["feature"][at_node]] <= tree["threshold"][at_node]
            node[going] = np.where(left, tree["left"][at_node], tree["right"][at_node])
            going = going[tree["feature"][node[going]] >= 0]
        return node

    def select(self, rows: np.ndarray) -> _PartialRows:
        """Keep rows, some several times."""
        chosen = _PartialRows(self.model, len(rows), self.rng)
        chosen.values = {name: values[rows] for name, values in self.values.items()}
        chosen.given, chosen.sound = self.given[rows], self.sound[rows]
        return chosen

    def join(self, other: _PartialRows) -> _PartialRows:
        """Put another table's rows below these."""
        joined = _PartialRows(self.model, self.rows + other.rows, self.rng)
        joined.values = {name: np.concatenate([values, other.values[name]]) for name, values in self.values.items()}
        joined.given = np.concatenate([self.given, other.given])
        joined.sound = np.concatenate([self.sound, other.sound])
        return joined

    def replace(self, other: _PartialRows, rows: np.ndarray) -> None:
        """Take rows of another table; see `PartialRows.replace`."""
        self.values = {name: np.where(rows, other.values[name], values) for name, values in self.values.items()}
        self.given = np.where(rows[:, None], other.given, self.given)
        self.sound = np.where(rows, other.sound, self.sound)


def _after_descendants(right: np.ndarray) -> np.ndarray:
    """Number of the first node after a node's descendants, (nodes,): sklearn numbers nodes depth first."""
    after = np.arange(1, len(right) + 1)
    # A child's number is larger than its parent's.
    for node in np.flatnonzero(right >= 0)[::-1]:
        after[node] = after[right[node]]
    return after


def _values(column: pd.Series, codebook: Codebook) -> np.ndarray:
    """Numbers as they are, gaps among them as `GAP`; categories by number."""
    if codebook.columns[column.name].numeric:
        return column.fillna(GAP).to_numpy("float64")
    return column.cat.codes.to_numpy("int64")


def _size(column: Column) -> int:
    """Number of categories of a coded column; 0 for a numeric one."""
    return 0 if column.numeric else len(column.all_categories)


def sizes_of(codebook: Codebook) -> dict[str, int]:
    """Number of categories of each coded column; 0 for a numeric one."""
    return {name: _size(column) for name, column in codebook.columns.items()}


def _donors_allowed(donors: np.ndarray, condition: Condition, column: Any) -> np.ndarray:
    """Say which training values meet a condition."""
    if column.numeric:
        return (donors >= condition.low) & (donors <= condition.high) & (donors > GAP)
    return np.isin(column.all_categories, condition.categories)[donors]


def _predictors(values: Arrays, before: list[str], scores: Arrays) -> np.ndarray:
    """Columns that a tree splits on, float32 (rows, columns): nominal ones by their categories' scores.

    A column's values lie side by side, since a tree looks at one column after another.
    """
    columns = np.stack([scores[b][values[b]] if b in scores else values[b] for b in before])
    return np.maximum(columns, _GAP_SEEN).astype("float32").T


def _beside(predictors: np.ndarray, further: np.ndarray | None) -> np.ndarray:
    """Put further predictors beside others, a column's values side by side."""
    return predictors if further is None else np.concatenate([predictors.T, further.T]).T


def _beside_marks(grown_on: np.ndarray, marks: list[np.ndarray]) -> np.ndarray:
    """What the tree of a column predicts that has more than numbers, gaps say: numbers, and where each mark is.

    Standardised, so that none drowns the others: numbers have the variance 1, a mark on half of the rows, too. A row
    with a mark has no number.
    """
    known = ~np.logical_or.reduce(marks)
    standardised = np.zeros(len(known))
    if known.any():
        numbers = grown_on[known].astype("float64")
        standardised[known] = (numbers - numbers.mean()) / (numbers.std() or 1.0)
    return np.column_stack([standardised, *(2.0 * mark for mark in marks)])


def _indicators(target: np.ndarray, classes: int) -> np.ndarray:
    """What categories of predictors are ordered by: the target itself, or an indicator a class; (rows, values)."""
    if classes:
        return np.eye(classes, dtype="float32")[target]
    return target.astype("float64").reshape(len(target), -1)


def _score_categories(codes: np.ndarray, categories: int, indicators: np.ndarray) -> np.ndarray:
    """Rank a predictor's categories so that one threshold splits them well.

    By the target's mean in each category (Breiman et al. 1984, theorem 4.5: optimal for a number or two classes); for
    more classes by the first principal component of the class shares (Coppersmith, Hong and Hosking 1999).
    """
    counts = np.bincount(codes, minlength=categories)
    sums = np.stack([np.bincount(codes, weights=part, minlength=categories) for part in indicators.T], 1)
    means = sums / np.maximum(counts, 1)[:, None]
    if means.shape[1] > 1:
        centred = means - indicators.mean(0)
        weighted = centred * np.sqrt(counts)[:, None]
        _, _, axes = np.linalg.svd(weighted, full_matrices=False)
        # The sign of a component is arbitrary; fix it.
        means = centred @ (axes[0] * np.sign(axes[0][np.abs(axes[0]).argmax()] or 1.0))[:, None]
    return np.argsort(np.argsort(means[:, 0], kind="stable"), kind="stable").astype("float32")


def _score_by_predictors(codes: np.ndarray, categories: int, predictors: list[np.ndarray]) -> np.ndarray:
    """Score the categories of a target with very many by how they differ in the columns before: (categories,)."""
    whole = [np.where(p > GAP, p, p[p > GAP].mean() if (p > GAP).any() else 0.0) for p in predictors]
    standardised = [(p - p.mean()) / (p.std() or 1.0) for p in whole]
    counts = np.maximum(np.bincount(codes, minlength=categories), 1)
    means = np.stack([np.bincount(codes, weights=p, minlength=categories) / counts for p in standardised], 1)
    weighted = means * np.sqrt(counts)[:, None]
    _, _, axes = np.linalg.svd(weighted, full_matrices=False)
    return means @ (axes[0] * np.sign(axes[0][np.abs(axes[0]).argmax()] or 1.0))


def _step(distinct: np.ndarray, decimals: int) -> float:
    """The largest step in which all numbers lie: 15 for clocks of quarters, 10 for ages of decades."""
    units = np.round((distinct - distinct[0]) * 10.0**decimals)
    # Larger whole numbers are not told apart.
    found = int(np.gcd.reduce(units.astype("int64"))) if units[-1] < 2**53 else 1
    return max(found, 1) / 10.0**decimals


def _neighbours(values: np.ndarray, reach: int, shared: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find how far each distinct training value may move: distinct values, lower and upper ends.

    What `shared` rows or more have stays.
    """
    distinct, counts = np.unique(values, return_counts=True)
    if reach == 0:
        return distinct, distinct, distinct
    places = np.arange(len(distinct))
    low = (distinct + distinct[np.maximum(places - reach, 0)]) / 2
    high = (distinct + distinct[np.minimum(places + reach, len(distinct) - 1)]) / 2
    spike = counts >= shared
    return distinct, np.where(spike, distinct, low), np.where(spike, distinct, high)
