"""The table of regression models trained on synthetic rows, tested on real ones."""

from __future__ import annotations

import pandas as pd

from medsynth.display.failures import showing_failures
from medsynth.display.models import display_models, models_table
from medsynth.display.styles import Styles

REGRESSION_COLUMNS = {"r2": "R²", "rmse": "RMSE", "mae": "MAE"}


@showing_failures("table", ["target", "model"])
def regression_table(scores: pd.DataFrame) -> pd.DataFrame:
    """See `medsynth.display.models.models_table`; metrics are those of `REGRESSION_COLUMNS`."""
    return models_table(scores, "regression", list(REGRESSION_COLUMNS))


def display_regression(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """See `medsynth.display.models.display_models`."""
    return display_models(table, REGRESSION_COLUMNS, styles, "regression")
