"""How closely a synthetic table resembles a real one: SDMetrics' reports and the moments of the Med-VAE paper."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.utility import Score
from medsynth.generators.sdv import TABLE, sdv_columns

MOMENTS = {"mean": "mean", "std": "std", "skewness": "skew", "kurtosis": "kurt"}


def quality(synthetic: pd.DataFrame, real: pd.DataFrame, codebook: Codebook) -> Iterator[Score]:
    """SDMetrics' quality and diagnostic reports.

    Yields
    ------
    metric, detail, value
        ``quality``, ``column_shapes``, ``pair_trends`` and ``diagnostic``, all in [0, 1], higher is better; and
        ``column_shape`` with the column as detail. A score that SDMetrics cannot compute (one constant column,
        say) is NaN.
    """
    from sdmetrics.reports import DiagnosticReport, QualityReport

    columns = {
        # The diagnostic checks levels against the real table's own; an order is nothing to it.
        name: {"sdtype": "categorical"} if "range_values" in facts else facts
        for name, facts in sdv_columns(codebook).items()
    }
    tables = [{TABLE: _plain(table[list(columns)])} for table in (real, synthetic)]
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
    shapes = report.get_details("Column Shapes").sort_values("Column")
    for name, score in zip(shapes["Column"], shapes["Score"], strict=True):
        yield "column_shape", name, score


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


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Give SDMetrics text for levels."""
    return table.astype(dict.fromkeys(table.select_dtypes("category").columns, object))
