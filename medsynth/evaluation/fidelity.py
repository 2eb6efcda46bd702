"""How closely a synthetic table resembles a real one: SDMetrics' reports and the moments of the Med-VAE paper."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook
from medsynth.evaluation.crosstabs import Crosstabs
from medsynth.evaluation.utility import Score
from medsynth.generators.sdv import TABLE, levels_as_text, sdv_columns
from medsynth.preparation.scaling import MOMENTS


@contextlib.contextmanager
def _without_torch() -> Iterator[None]:
    """Import SDMetrics without torch, which one metric that is not used here wants: half of the import's time."""
    import scipy.stats  # noqa: F401 - looks for torch, too, and takes a hidden one for a broken one

    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None
    try:
        yield
    finally:
        del sys.modules["torch"]


def quality(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> Iterator[Score]:
    """SDMetrics' quality and diagnostic reports.

    Yields
    ------
    metric, detail, value
        ``quality``, ``column_shapes``, ``pair_trends`` and ``diagnostic``, all in [0, 1], higher is better; and
        ``column_shape`` and ``column_validity`` (of the diagnostic report: numbers within the real range, levels that
        the real table has) with the column as detail. A score that SDMetrics cannot compute (one constant column,
        say) is NaN.
    """
    with _without_torch():
        from sdmetrics.reports import DiagnosticReport, QualityReport

    columns = {
        # The diagnostic checks levels against the real table's own; an order is nothing to it.
        name: {"sdtype": "categorical"} if "range_values" in facts else facts
        for name, facts in sdv_columns(codebook).items()
    }
    tables = [{TABLE: levels_as_text(table[list(columns)])} for table in (real, synthetic)]
    metadata = {"tables": {TABLE: {"columns": columns}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = QualityReport()
        report.generate(*tables, metadata, verbose=False)
        diagnostic = DiagnosticReport()
        diagnostic.generate(*tables, metadata, verbose=False)
    properties = report.get_properties().set_index("Property")["Score"]
    yield "quality", "", report.get_score()
    yield "column_shapes", "", properties["Column Shapes"]
    yield "pair_trends", "", properties["Column Pair Trends"]
    yield "diagnostic", "", diagnostic.get_score()
    for metric, found in (
        ("column_shape", report.get_details("Column Shapes")),
        ("column_validity", diagnostic.get_details("Data Validity")),
    ):
        found = found.sort_values("Column")
        for name, score in zip(found["Column"], found["Score"], strict=True):
            yield metric, name, score


def common_bin_pair_trends(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> Iterator[Score]:
    """SDMetrics' pair trends with the same bins for both tables.

    SDMetrics' report cuts each table's numeric columns into ten bins over *that table's* range, so that one extreme
    row shifts every bin and a score of real rows against real rows can fall from 0.95 to 0.80. Here the real table's
    range gives the bins of both; definitions and thresholds are SDMetrics' own (contingency and correlation
    similarity), computed for all pairs at once: cohorts are scored by the dozen.

    Yields
    ------
    metric, detail, value
        ``common_bin_pair_trends`` in [0, 1], higher is better; NaN if no pair of real columns is associated enough.
    """
    with _without_torch():
        from sdmetrics.reports.utils import DEFAULT_REAL_ASSOCIATION_THRESHOLD as ASSOCIATED
        from sdmetrics.reports.utils import DEFAULT_REAL_CORRELATION_THRESHOLD as CORRELATED

    binned = [_binned(table, real, codebook) for table in (real, synthetic)]
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
    found = pd.Series(scores[np.triu_indices(len(scores), k=1)])
    yield "common_bin_pair_trends", "", float(found.mean())


def _binned(table: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Number levels, and numbers by ten equal bins over the real table's range."""
    columns = {}
    for name, column in codebook.columns.items():
        if column.numeric:
            inner_edges = np.histogram_bin_edges(real[name], bins=10)[1:-1]
            columns[name] = np.digitize(table[name], inner_edges)
        else:
            columns[name] = table[name].cat.codes.astype("int64")
    return pd.DataFrame(columns)


def moments(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> Iterator[Score]:
    """Mean, standard deviation, skewness and excess kurtosis of every numeric column (Med-VAE paper, Table 3).

    Yields
    ------
    metric, detail, value
        The synthetic table's moments under their names, the real one's as ``<moment>_real``; the column as detail.
    """
    for name in codebook.named("continuous", "integer"):
        for metric, method in MOMENTS.items():
            yield metric, name, getattr(synthetic[name], method)()
            yield f"{metric}_real", name, getattr(real[name], method)()
