"""Tables as codes: every column in a limited number of categories, numeric ones in bins."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import MAX_DECIMALS, Codebook, decimals_of
from medsynth.conditions import Condition, Conditions, ends_written

# Inside a bin the distribution is kept by its quartiles, between which values are sampled uniformly.
GRID = np.array([0.0, 0.25, 0.5, 0.75, 1.0])


class TableCoder:
    """Number what each column holds: categories as they are, numbers by bins learned on training rows.

    A value that many rows share (a spike at zero, say) has a bin of its own; the others are cut so that bins hold
    about as many rows each, in the tails ever fewer down to `min_rows`. Values are sampled smoothly inside a bin,
    rounded as the training values are.

    Parameters
    ----------
    max_bins : int, default 64
        A column with no more distinct values gets a bin for each that `min_rows` rows have; with more, about this many.
    min_rows : int, default 10
        Training rows that a bin rests on at least, if there are as many. Fewer join the bin beside them; between two
        spikes they are taken for the lower one. (Bins begin and end at training values all the same.)
    gaps : bool, default False
        Whether "missing" is a code, the last one, of numeric columns whose cells may be missing.

    Attributes
    ----------
    sizes_ : list of int
        Codes of each column, in the codebook's order.
    knots_ : dict of ndarray
        Numeric column -> quartiles of each bin, (bins, 5), ascending.
    decimals_ : dict of int
        Numeric column -> decimals that its values have, at most 6.
    """

    def __init__(self, max_bins: int = 64, min_rows: int = 10, *, gaps: bool = False) -> None:
        self.max_bins = max_bins
        self.min_rows = min_rows
        self.gaps = gaps

    def fit(self, table: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn the bins of every numeric column."""
        self.codebook_ = codebook
        self.knots_, self.decimals_ = {}, {}
        for name, column in codebook.columns.items():
            if column.numeric:
                values = np.sort(table[name].dropna().to_numpy("float64"))
                if not len(values):
                    # Nobody has a number: what stands here is never sampled.
                    values = np.zeros(1)
                self.decimals_[name] = 0 if column.type == "integer" else decimals_of(values)
                self.knots_[name] = self._knots(values)
        return self

    @property
    def sizes_(self) -> list[int]:
        """Codes of each column."""
        columns = self.codebook_.columns.items()
        return [len(self.knots_[n]) + self.has_gap_code(n) if c.numeric else len(c.all_categories) for n, c in columns]

    def has_gap_code(self, name: str) -> bool:
        """Whether the last code of a numeric column stands for missing."""
        return self.gaps and self.codebook_.columns[name].may_be_missing

    def _knots(self, values: np.ndarray) -> np.ndarray:
        """Cut sorted values into bins and keep the quartiles of each."""
        n = len(values)
        last = np.flatnonzero(np.append(np.diff(values) > 0, True)) + 1
        first = np.concatenate([[0], last[:-1]])
        target = max(n / self.max_bins, self.min_rows)
        alone = last - first >= (self.min_rows if len(last) <= self.max_bins else target)
        bins, i = [], 0
        while i < len(last):
            begin = first[i]
            # Toward both tails bins hold half of what lies beyond them.
            wanted = np.clip(min(begin, n - begin) / 2, self.min_rows, target)
            j = i if alone[i] else max(i, np.searchsorted(last, begin + wanted))
            if not alone[i] and alone[i : j + 1].any():
                j = i + int(np.argmax(alone[i : j + 1])) - 1
            j = min(j, len(last) - 1)
            bins.append((begin, last[j], bool(alone[i])))
            i = j + 1
        return np.stack([np.quantile(values[begin:end], GRID) for begin, end in self._without_small(bins)])

    def _without_small(self, bins: list[tuple[int, int, bool]]) -> list[tuple[int, int]]:
        """Let bins of too few rows join a neighbour that is no spike; bins are (first row, row after, spike)."""
        kept: list[tuple[int, int, bool]] = []
        begin_next = None
        for i, (begin, end, spike) in enumerate(bins):
            begin, begin_next = begin if begin_next is None else begin_next, None
            if end - begin >= self.min_rows or len(bins) == 1:
                kept.append((begin, end, spike))
            elif kept and not kept[-1][2]:
                kept[-1] = (kept[-1][0], end, False)
            elif i + 1 < len(bins) and not bins[i + 1][2]:
                begin_next = begin
        return [(begin, end) for begin, end, _ in kept] or [(bins[0][0], bins[-1][1])]

    def encode(self, table: pd.DataFrame) -> np.ndarray:
        """Number a table: int32 of shape (rows, columns); a number between two bins goes to the lower one."""
        codes = np.empty((len(table), len(self.codebook_.columns)), dtype="int32")
        for i, (name, column) in enumerate(self.codebook_.columns.items()):
            codes[:, i] = (
                self.codes_of(name, table[name].to_numpy("float64"), gap=np.nan)
                if column.numeric
                else (table[name].cat.codes)
            )
        return codes

    def codes_of(self, name: str, values: np.ndarray, *, gap: float) -> np.ndarray:
        """Number the values of one column, (rows,): numbers, of which `gap` is a missing one, or categories by number.

        A number between two bins goes to the lower one.
        """
        if not self.codebook_.columns[name].numeric:
            return values.astype("int64")
        lows = self.knots_[name][:, 0]
        codes = np.clip(np.searchsorted(lows, values, side="right") - 1, 0, None)
        if self.has_gap_code(name):
            codes[np.isnan(values) if np.isnan(gap) else values == gap] = len(lows)
        return codes

    def shares(self, name: str, condition: Condition) -> np.ndarray:
        """Share of each code's values that meets a condition: float, shape (codes,)."""
        column = self.codebook_.columns[name]
        if not column.numeric:
            return np.isin(column.all_categories, condition.categories).astype(float)
        condition = self._on_grid(name, condition)
        low, high = self._positions(name, condition)
        knots = self.knots_[name]
        single = knots[:, 0] == knots[:, -1]
        held = (knots[:, 0] >= condition.low) & (knots[:, 0] <= condition.high)
        shares = np.where(single, held, high - low)
        # A gap meets no condition.
        return np.append(shares, 0.0) if self.has_gap_code(name) else shares

    def _positions(self, name: str, condition: Condition) -> tuple[np.ndarray, np.ndarray]:
        """Where inside each bin, in [0, 1], a range begins and ends."""
        half = self._half(name)
        ends = []
        for end, step in ((condition.low, -half), (condition.high, half)):
            # A rounded value stands for all that is rounded to it.
            edge = end + step if np.isfinite(end) else end
            ends.append([np.interp(edge, knots, GRID) for knots in self._widened(name)])
        return np.array(ends[0]), np.maximum(ends[0], ends[1])

    def _on_grid(self, name: str, condition: Condition) -> Condition:
        """The range between values that have the column's decimals; as it is, if it holds none."""
        decimals = self.decimals_[name]
        if decimals > MAX_DECIMALS:
            return condition
        low, high = ends_written(condition.low, condition.high, decimals)
        return Condition(low=low, high=high) if low <= high else condition

    def _half(self, name: str) -> float:
        """Half a unit of the last decimal, up to which rounding moves a value."""
        return 0.5 * 10.0 ** -self.decimals_[name] if self.decimals_[name] <= MAX_DECIMALS else 0.0

    def _widened(self, name: str) -> np.ndarray:
        """Knots from half a unit below the first value to half a unit above the last, strictly ascending."""
        knots = self.knots_[name].copy()
        knots[:, 0] -= self._half(name)
        knots[:, -1] += self._half(name)
        # At least so much that the slopes inside a bin of zeros are finite.
        tie = np.maximum(np.spacing(np.abs(knots).max(1, keepdims=True)) * 4, 1e-300)
        return np.maximum.accumulate(knots, axis=1) + tie * np.arange(len(GRID))

    def decode(self, codes: np.ndarray, rng: np.random.Generator, conditions: Conditions) -> pd.DataFrame:
        """Turn codes (rows, columns) into a table of the codebook's columns, types and categories.

        Values of a conditioned numeric column are sampled from that part of their bin that meets the condition.
        """
        columns: dict[str, Any] = {}
        for i, (name, column) in enumerate(self.codebook_.columns.items()):
            code = codes[:, i]
            if not column.numeric:
                columns[name] = pd.Categorical.from_codes(code, column.all_categories, ordered=column.type == "ordinal")
                continue
            columns[name] = self.values_of(name, code, rng, conditions.get(name, Condition()), gap=np.nan)
        return self.codebook_.conform(pd.DataFrame(columns))

    def values_of(
        self, name: str, code: np.ndarray, rng: np.random.Generator, condition: Condition, *, gap: float
    ) -> np.ndarray:
        """Sample the values of one column's codes, (rows,): numbers, `gap` for a missing one, or categories by number.

        Numbers come from that part of their bin that meets the condition.
        """
        if not self.codebook_.columns[name].numeric:
            return code
        condition = self._on_grid(name, condition)
        low, high = self._positions(name, condition)
        missing = code >= len(low)
        code = np.where(missing, 0, code)
        where = low[code] + rng.random(len(code)) * (high - low)[code]
        values = self._values(name, code, where, condition)
        return np.where(missing, gap, values) if missing.any() else values

    def _values(self, name: str, code: np.ndarray, where: np.ndarray, condition: Condition) -> np.ndarray:
        """Values at positions inside bins, rounded, inside bin and condition."""
        knots, widened = self.knots_[name][code], self._widened(name)[code]
        piece = np.minimum((where * (len(GRID) - 1)).astype(int), len(GRID) - 2)[:, None]
        left, right = (np.take_along_axis(widened, piece + step, 1)[:, 0] for step in (0, 1))
        values = left + (where * (len(GRID) - 1) - piece[:, 0]) * (right - left)
        decimals = self.decimals_[name]
        values = np.round(values, decimals) if decimals <= MAX_DECIMALS else values
        # Rounding may step over an edge by one unit; a bin of one value holds that value.
        return np.clip(np.clip(values, knots[:, 0], knots[:, -1]), condition.low, condition.high)
