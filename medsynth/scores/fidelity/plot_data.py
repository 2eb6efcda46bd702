"""What figures need of a table and no score shows: distributions of its columns and their associations."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.disclosure import MINIMUM_CELL_SIZE, inner_range, is_small, pools, shown_categories, shown_cells
from medsynth.evaluation.crosstabs import Crosstabs
from medsynth.evaluation.resampling import Persons, Score

# Joint histograms have no fewer bins a column.
LEAST_BINS = 6
# Cross tables with known margins and no more free cells than this can be solved from one number of two decimals.
SOLVABLE = 2


def histogram_edges(values: pd.Series, integer: bool, bins: int = 40, least: int = MINIMUM_CELL_SIZE) -> np.ndarray:
    """Bin edges for a numeric column, from real rows.

    Integers get a bin for each value that occurs (ten-year midpoints lie ten apart) or, where those are many, for
    several at once; other numbers get bins of equal width. The central 99 % of the rows decide the span, but `least`
    rows or more lie at or beyond either end; both tables' outer rows fall into the outer bins.
    """
    values = values.dropna()
    if values.empty:
        return np.array([-0.5, 0.5])
    low, high = inner_range(values.astype("int64") if integer else values, least, share=0.005)
    if low == high:
        return np.array([low - 0.5, low + 0.5])
    if not integer:
        return np.linspace(low, high, bins + 1)
    spacing = np.gcd.reduce(np.diff(np.unique(values)).astype("int64"))
    step = spacing * max(1, round((high - low) / spacing / bins))
    return np.arange(low, high + 2 * step, step) - spacing / 2


def distributions(
    tables: dict[str, pd.DataFrame],
    codebook: Codebook,
    *,
    edges_from: str,
    drawn_from: pd.DataFrame | None = None,
    least: int = MINIMUM_CELL_SIZE,
) -> dict[str, dict]:
    """Histograms of numeric and category shares of coded columns, on the same bins for every table.

    Parameters
    ----------
    tables : dict of DataFrame
    codebook : Codebook
    edges_from : str
        The (real) table whose values decide the bins.
    drawn_from : DataFrame, optional
        All rows of the partition, from which those of `edges_from` were drawn without replacement. Other tables count
        categories among them, which tells what the rest has: it must not be few either.
    least : int, default 10
        Neighbouring bins are one where fewer of its rows are in them, and categories of fewer are one category with the
        next smallest; see `medsynth.disclosure`.

    Returns
    -------
    dict
        Column -> ``edges`` (numeric) or ``categories`` (coded), and per table a list of densities (1 / unit) or shares.
        A binary column of which few real rows have a category has no categories and no shares.
    """
    found, real = {}, tables[edges_from]
    for name, column in codebook.columns.items():
        if column.numeric:
            edges = histogram_edges(real[name], column.type == "integer", least=least)
            counts, _ = np.histogram(real[name].clip(edges[0], edges[-1]), bins=edges)
            edges = edges[[0, *pools(counts, least)]]
            found[name] = {"edges": edges.tolist()}
            for key, table in tables.items():
                counts, _ = np.histogram(table[name].clip(edges[0], edges[-1]), bins=edges)
                found[name][key] = (counts / max(counts.sum(), 1) / np.diff(edges)).tolist()
        else:
            names = shown_categories(real[name], column, least, None if drawn_from is None else drawn_from[name])
            categories = list(dict.fromkeys(names))
            found[name] = {"categories": categories}
            for key, table in tables.items():
                counts = table[name].astype(object).map(names).value_counts().reindex(categories, fill_value=0)
                found[name][key] = (counts / max(len(table), 1)).tolist()
    return found


def pair_columns(codebook: Codebook, seed: int, n: int = 5) -> list[str]:
    """Choose at most `n` numeric columns at random, in the codebook's order (Med-VAE paper, Figure 4)."""
    numeric = codebook.named(*NUMERIC)
    chosen = np.random.default_rng(seed).choice(len(numeric), size=min(n, len(numeric)), replace=False)
    return [numeric[i] for i in sorted(chosen)]


def pairs(
    tables: dict[str, pd.DataFrame],
    codebook: Codebook,
    columns: list[str],
    *,
    edges_from: str,
    bins: int = 24,
    least: int = MINIMUM_CELL_SIZE,
) -> dict:
    """Joint histograms of every pair of the named numeric columns, on the same bins for every table.

    A cell that fewer than `least` rows of the (real) table `edges_from` fall into is written as 0 for that table, and
    so are those that would reveal it by difference (`medsynth.disclosure.shown_cells`): pairs share their margins.
    Outer rows fall into the outer bins, as in `distributions`.

    Parameters
    ----------
    tables : dict of DataFrame
    codebook : Codebook
    columns : list of str
        Numeric columns.
    edges_from : str
        The (real) table whose values decide the bins.
    bins : int, default 24
        Bins a column, at most; fewer where the real rows are too few to fill that many by that many cells.
    least : int, default 10
        Fewer real rows are not shown.

    Returns
    -------
    dict
        ``columns``; ``least``; ``edges``, a list for each column; ``rows``, their number in each table; ``counts``, per
        pair ``x`` and ``y`` (the earlier column is x) and for each table the rows in each cell, shape (bins of x, bins
        of y).
    """
    real = tables[edges_from]
    # On average a cell should have enough rows to be shown.
    bins = int(np.clip(np.sqrt(len(real) / least), LEAST_BINS, bins))
    integers = {name: codebook.columns[name].type == "integer" for name in columns}
    edges = {name: histogram_edges(real[name], integers[name], bins, least) for name in columns}
    inside = {
        key: {name: table[name].clip(edges[name][0], edges[name][-1]) for name in columns}
        for key, table in tables.items()
    }
    found = []
    for x, y in itertools.combinations(columns, 2):
        pair = {"x": x, "y": y}
        for key in tables:
            counts, _, _ = np.histogram2d(inside[key][x], inside[key][y], bins=[edges[x], edges[y]])
            if key == edges_from:
                counts[~shown_cells(counts, least)] = 0
            pair[key] = counts.astype("int64").tolist()
        found.append(pair)
    return {
        "columns": columns,
        "least": least,
        "edges": {name: values.tolist() for name, values in edges.items()},
        "rows": {key: len(table) for key, table in tables.items()},
        "counts": found,
    }


def associations(table: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Association of every pair of columns.

    Pearson's correlation where both are numeric, ordinal or binary (categories numbered in their order); Cramér's V
    where both are nominal or one is binary; the correlation ratio (eta) of a numeric or ordinal column given a nominal
    one.

    Parameters
    ----------
    table : DataFrame
    codebook : Codebook

    Returns
    -------
    DataFrame
        Symmetric, columns by columns, values in [-1, 1]; 0 where a column is constant. Of two columns with gaps those
        rows count that have both; 0 if these are few.
    """
    kinds = pd.Series({name: column.type for name, column in codebook.columns.items()})
    names, nominal, tabulated = kinds.index, kinds == "categorical", kinds.isin(["categorical", "binary"])
    numbers = pd.DataFrame({name: table[name] if kinds[name] in NUMERIC else table[name].cat.codes for name in names})
    with np.errstate(invalid="ignore", divide="ignore"):
        gaps = numbers.isna().any(axis=None)
        matrix = (
            numbers.corr(min_periods=MINIMUM_CELL_SIZE).to_numpy()
            if gaps
            else np.corrcoef(numbers.to_numpy("float64"), rowvar=False)
        )
    matrix = pd.DataFrame(np.nan_to_num(matrix), index=names, columns=names)
    if nominal.any():
        coded, ordered = names[tabulated], names[~tabulated]
        crosstabs = Crosstabs(numbers[coded].astype("int64"))
        one_is_nominal = np.logical_or.outer(*[nominal[coded].to_numpy()] * 2)
        matrix.loc[coded, coded] = np.where(one_is_nominal, crosstabs.cramers_v(), matrix.loc[coded, coded])
        for name in names[nominal]:
            ratios = correlation_ratios(numbers[name], numbers[ordered])
            matrix.loc[name, ordered] = matrix.loc[ordered, name] = ratios
    np.fill_diagonal(matrix.to_numpy(), 1.0)
    return matrix


def shown_associations(
    matrices: dict[str, pd.DataFrame], real: pd.DataFrame, codebook: Codebook, *, least: int = MINIMUM_CELL_SIZE
) -> dict[str, list]:
    """Associations as plot data: those of real rows without the ones that reveal few rows.

    The correlation of two binary columns whose shares are known tells how many rows have both categories. So those of
    coded columns are left out that have a small cell in their cross table and too few categories to hide it.

    Parameters
    ----------
    matrices : dict of DataFrame
        From `associations`; ``real`` is that of `real`.
    real : DataFrame
    codebook : Codebook
    least : int, default 10
        Fewer real rows are not shown.

    Returns
    -------
    dict
        ``columns``, and for each table a list of lists: of real rows to two decimals, None where left out, of others to
        six.
    """
    shown = pd.DataFrame(True, matrices["real"].index, matrices["real"].columns)
    coded = [name for name in shown if not codebook.columns[name].numeric]
    codes = {name: np.unique(real[name].cat.codes, return_inverse=True)[1] for name in coded}
    for one, other in itertools.combinations(codes, 2):
        counts = np.zeros((codes[one].max() + 1, codes[other].max() + 1), dtype=int)
        np.add.at(counts, (codes[one], codes[other]), 1)
        if np.prod(np.subtract(counts.shape, 1)) <= SOLVABLE and is_small(counts, least).any():
            shown.loc[one, other] = shown.loc[other, one] = False
    found = {key: matrix.round(6) for key, matrix in matrices.items()}
    found["real"] = matrices["real"].round(2).astype(object).where(shown, None)
    return {"columns": list(shown), **{key: matrix.to_numpy().tolist() for key, matrix in found.items()}}


def association_difference(
    synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, persons: Persons | None = None
) -> Score:
    """Mean absolute difference of two tables' `associations` over all pairs of columns; 0 for one column.

    Parameters
    ----------
    synthetic : DataFrame
        Associations of the synthetic table.
    real : DataFrame
        Real rows.
    codebook : Codebook
    persons : Persons, optional
        Of `real`, for half-sample replicates.
    """
    pairs = np.triu_indices(len(synthetic), k=1)

    def difference(rows: np.ndarray) -> float:
        matrix = associations(real.iloc[rows].reset_index(drop=True), codebook)
        return float(np.abs(synthetic.to_numpy() - matrix.to_numpy())[pairs].mean()) if len(pairs[0]) else 0.0

    value = difference(np.arange(len(real)))
    replicates = persons.half_sample(value, difference, halvings=2) if persons else None
    return Score("association_difference", value, replicates)


def correlation_ratios(groups: pd.Series, values: pd.DataFrame) -> pd.Series:
    """Correlation ratio eta of each column given groups, in [0, 1]: root of the explained share of its variance."""
    gaps = values.isna()
    if gaps.any(axis=None):
        of_each = [
            correlation_ratios(groups[~gap], values.loc[~gap, [name]])
            for name, gap in gaps.items()
            if (~gap).sum() >= MINIMUM_CELL_SIZE
        ]
        return pd.concat([*of_each, pd.Series(dtype=float)]).reindex(values.columns, fill_value=0.0)
    codes = np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(codes)
    deviations = (values - values.mean()).to_numpy("float64")
    sums = np.array([np.bincount(codes, weights=column) for column in deviations.T]).reshape(len(values.columns), -1)
    explained, total = (sums**2 / sizes).sum(axis=1), (deviations**2).sum(axis=0)
    ratios = np.divide(explained, total, out=np.zeros(len(total)), where=total > 0)
    return pd.Series(np.sqrt(ratios), index=values.columns)
