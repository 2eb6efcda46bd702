"""How closely a synthetic table resembles a real one: SDMetrics' reports and the moments of the Med-VAE paper."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook, Column
from medsynth.evaluation.crosstabs import Crosstabs
from medsynth.evaluation.resampling import Persons, Score, least_variance, linear_replicates, weighted_mean
from medsynth.generators.sdv import TABLE, categories_as_text, sdv_columns
from medsynth.preparation.scaling import MOMENTS


def with_gap_columns(table: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, Codebook]:
    """Put beside each number that may be missing a column that says whether it is: SDMetrics leaves gaps out.

    Returns
    -------
    table : DataFrame
        With binary columns ``<name>_missing`` at its end; as it is if no number may be missing.
    codebook : Codebook
        Of it.
    """
    added, flags = {}, {}
    for name, column in codebook.columns.items():
        if column.numeric and column.may_be_missing:
            flag = f"{name}_missing"
            added[flag] = Column(type="binary", categories=["no", "yes"], description=f"'{name}' is missing")
            flags[flag] = pd.Categorical.from_codes(table[name].isna().astype(int), ["no", "yes"])
    return (table.assign(**flags), codebook.with_columns(added)) if added else (table, codebook)


def quality(
    synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, persons: Persons | None = None
) -> Iterator[Score]:
    """SDMetrics' quality and diagnostic reports.

    Parameters
    ----------
    synthetic, real : DataFrame
    codebook : Codebook
    persons : Persons, optional
        Of `real`. Replicates of shapes are linear, those of pair trends are half-sample ones: SDMetrics leaves pairs
        out that are hardly associated, and which these are hangs on the rows, as do its bins.

    Yields
    ------
    Score
        ``quality``, ``column_shapes``, ``pair_trends`` and ``diagnostic``, all in [0, 1], higher is better; and
        ``column_shape`` and ``column_validity`` (of the diagnostic report: numbers within the real range, categories
        that the real table has) of each column. A score that SDMetrics cannot compute (one constant column, say) is
        NaN. Whether a number is missing is a column of its own (`with_gap_columns`).
    """
    from sdmetrics.reports import DiagnosticReport, QualityReport

    synthetic, (real, codebook) = with_gap_columns(synthetic, codebook)[0], with_gap_columns(real, codebook)
    columns = {
        # The diagnostic checks categories against the real table's own; an order is nothing to it.
        name: {"sdtype": "categorical"} if "range_values" in facts else facts
        for name, facts in sdv_columns(codebook).items()
    }
    tables = [{TABLE: categories_as_text(table[list(columns)])} for table in (real, synthetic)]
    metadata = {"tables": {TABLE: {"columns": columns}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = QualityReport()
        report.generate(*tables, metadata, verbose=False)
        diagnostic = DiagnosticReport()
        diagnostic.generate(*tables, metadata, verbose=False)
    properties = report.get_properties().set_index("Property")["Score"]
    least = least_variance(len(real))
    replicates, shapes = {}, {}
    if persons:
        shapes = {
            name: linear_replicates(0.0, influence, persons.weights)
            for name, influence in shape_influences(synthetic, real, codebook).items()
        }
        mean_shape = np.mean(list(shapes.values()), axis=0)
        pairs = _pair_trend_replicates(synthetic, real, codebook, persons, own_bins=True)
        replicates = {"quality": (mean_shape + pairs) / 2, "column_shapes": mean_shape, "pair_trends": pairs}
    values = {
        "quality": report.get_score(),
        "column_shapes": properties["Column Shapes"],
        "pair_trends": properties["Column Pair Trends"],
        "diagnostic": diagnostic.get_score(),
    }
    for metric, value in values.items():
        yield Score(metric, value, value + replicates[metric] if metric in replicates else None, least)
    for metric, found in (
        ("column_shape", report.get_details("Column Shapes")),
        ("column_validity", diagnostic.get_details("Data Validity")),
    ):
        found = found.sort_values("Column")
        for name, score in zip(found["Column"], found["Score"], strict=True):
            own = shapes.get(name) if metric == "column_shape" else None
            yield Score(metric, score, None if own is None else score + own, least).of(column=name)


def shape_influences(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> dict[str, np.ndarray]:
    """What each real row adds to the shape score of each column: column -> (real rows,).

    Of numbers 1 - Kolmogorov and Smirnov's statistic, at the place where it is reached, of categories 1 - the total
    variation distance, as SDMetrics has them.
    """
    found = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            known = [table[name].dropna().to_numpy() for table in (real, synthetic)]
            if not all(map(len, known)):
                found[name] = np.zeros(len(real))
                continue
            places = np.sort(np.concatenate(known))
            shares = [np.searchsorted(np.sort(values), places, side="right") / len(values) for values in known]
            difference = shares[0] - shares[1]
            most = np.abs(difference).argmax()
            below = (real[name].to_numpy() <= places[most]).astype(float)
            if len(known[0]) < len(real):
                # A share of the rows that have a number; the others add nothing.
                below = np.where(real[name].notna(), (below - shares[0][most]) * len(real) / len(known[0]), 0.0)
            found[name] = -np.sign(difference[most]) * below
        else:
            counts = [table[name].value_counts(normalize=True, sort=False) for table in (real, synthetic)]
            signs = np.sign(counts[0].to_numpy() - counts[1].reindex(counts[0].index, fill_value=0).to_numpy())
            found[name] = -signs[real[name].cat.codes.to_numpy()] / 2
    return found


def common_bin_pair_trends(
    synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, persons: Persons | None = None
) -> Iterator[Score]:
    """SDMetrics' pair trends with the same bins for both tables.

    SDMetrics' report cuts each table's numeric columns into ten bins over *that table's* range, so that one extreme
    row shifts every bin and a score of real rows against real rows can fall from 0.95 to 0.80. Here the real table's
    range gives the bins of both; definitions and thresholds are SDMetrics' own (contingency and correlation
    similarity), computed for all pairs at once: cohorts are scored by the dozen. Parameters are those of `quality`.

    Yields
    ------
    Score
        ``common_bin_pair_trends`` in [0, 1], higher is better; NaN if no pair of real columns is associated enough.
    """
    synthetic, (real, codebook) = with_gap_columns(synthetic, codebook)[0], with_gap_columns(real, codebook)
    value = _pair_trends(synthetic, real, codebook)
    replicates = value + _pair_trend_replicates(synthetic, real, codebook, persons) if persons else None
    yield Score("common_bin_pair_trends", value, replicates, least_variance(len(real)))


def _pair_trend_replicates(
    synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, persons: Persons, *, own_bins: bool = False
) -> np.ndarray:
    """Half-sample replicates of the pair trends, around 0."""

    def of_rows(rows: np.ndarray) -> float:
        return _pair_trends(synthetic, real.iloc[rows].reset_index(drop=True), codebook, own_bins=own_bins)

    # A table's own bins end at its most extreme patient, and how far out that one lies is as uncertain in many rows.
    return persons.half_sample(0.0, of_rows, falls=not own_bins)


def _pair_trends(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, *, own_bins: bool = False) -> float:
    """Mean score of the pairs of columns; see `common_bin_pair_trends`. With bins of their own: SDMetrics' score."""
    from sdmetrics.reports.utils import DEFAULT_REAL_ASSOCIATION_THRESHOLD as ASSOCIATED
    from sdmetrics.reports.utils import DEFAULT_REAL_CORRELATION_THRESHOLD as CORRELATED

    binned = [_binned(table, table if own_bins else real, codebook) for table in (real, synthetic)]
    sizes = np.maximum(*(codes.max() + 1 for codes in binned))
    of_real, of_synthetic = (Crosstabs(codes, sizes) for codes in binned)
    scores = np.where(of_real.cramers_v() > ASSOCIATED, 1 - of_real.total_variation(of_synthetic), np.nan)
    numeric = codebook.named(*NUMERIC)
    if len(numeric) > 1:
        # A column that a generator made constant has lost its correlations.
        correlations = [np.nan_to_num(table[numeric].corr().to_numpy()) for table in (real, synthetic)]
        similarity = 1 - np.abs(np.subtract(*correlations)) / 2
        places = np.ix_(*[[list(codebook.columns).index(name) for name in numeric]] * 2)
        scores[places] = np.where(np.abs(correlations[0]) > CORRELATED, similarity, np.nan)
    # Pairs that real rows hardly associate are left out of the mean, as in SDMetrics' report.
    return float(pd.Series(scores[np.triu_indices(len(scores), k=1)]).mean())


def _binned(table: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Number categories, and numbers by ten equal bins over the real table's range."""
    columns = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            inner_edges = np.histogram_bin_edges(real[name].dropna(), bins=10)[1:-1]
            # A gap counts as a category, as it does to SDMetrics.
            columns[name] = np.where(table[name].isna(), -1, np.digitize(table[name], inner_edges))
        else:
            columns[name] = table[name].cat.codes.astype("int64")
    return pd.DataFrame(columns)


def moments(
    synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook, persons: Persons | None = None
) -> Iterator[Score]:
    """Mean, standard deviation, skewness and excess kurtosis of every numeric column (Med-VAE paper, Table 3).

    They are those of the numbers that are there. Parameters are those of `quality`.

    Yields
    ------
    Score
        The synthetic table's moments under their names, the real one's as ``<moment>_real``, of each column.
    """
    for name in codebook.named("continuous", "integer"):
        replicates = weighted_moments(real[name].to_numpy("float64"), persons.weights) if persons else {}
        for metric, method in MOMENTS.items():
            yield Score(metric, getattr(synthetic[name], method)()).of(column=name)
            yield Score(f"{metric}_real", getattr(real[name], method)(), replicates.get(metric)).of(column=name)


def weighted_moments(values: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Moments of a column's numbers, gaps left out, under each row of weights: metric -> (replicates,)."""
    known = ~np.isnan(values)
    if not known.any():
        return {}
    if not known.all():
        values, weights = values[known], weights[:, known]
    mean = weighted_mean(values, weights)
    scale = values.std() or 1.0
    # Powers of standardised values, from which central moments follow without a matrix of the weights' size.
    z = (values - values.mean()) / scale
    raw = [weighted_mean(z**power, weights) for power in (1, 2, 3, 4)]
    second = raw[1] - raw[0] ** 2
    third = raw[2] - 3 * raw[0] * raw[1] + 2 * raw[0] ** 3
    fourth = raw[3] - 4 * raw[0] * raw[2] + 6 * raw[0] ** 2 * raw[1] - 3 * raw[0] ** 4
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "mean": mean,
            "std": scale * np.sqrt(second),
            "skewness": third / second**1.5,
            "kurtosis": fourth / second**2 - 3,
        }
