"""C2ST AUC against the number of rows, and the p-values of detection."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from medsynth.display.aggregation import at_last_epochs, tabulated
from medsynth.display.cells import NOTHING, epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, between_references, title_of


def detection_p_value(auc: float, null: pd.DataFrame) -> float:
    """One-sided p-value of a C2ST AUC: would real rows be told from real rows as well?

    Parameters
    ----------
    auc : float
        Mean over seeds, which is taken for one draw: all seeds are judged against the same real rows.
    null : DataFrame
        C2ST AUCs of real rows against real rows, as many a side.

    Returns
    -------
    float
        By Student's t of a new draw, from the mean and the standard deviation of the null; NaN without two draws.
    """
    values = null["value"].dropna()
    if len(values) < 2 or np.isnan(auc) or not values.std() > 0:
        return np.nan
    distance = (auc - values.mean()) / (values.std() * np.sqrt(1 + 1 / len(values)))
    return float(stats.t.sf(distance, len(values) - 1))


@showing_failures("table", ["rows"])
def detection_table(scores: pd.DataFrame) -> pd.DataFrame:
    """What detectors say at several numbers of rows: a detector with 300 rows and one with 10,000 differ.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``detection``.

    Returns
    -------
    DataFrame
        One row per generator, epoch count and number of rows a side: generator, epochs, n_seeds, rows, and c2st_auc
        with its interval, of XGBoost.
    """
    curve = scores[(scores["family"] == "detection") & (scores["metric"] == "c2st_auc_by_rows")]
    table = tabulated(curve.astype({"rows": "int64"}), ["generator", "epochs", "rows"])
    table = table.rename(columns={"mean": "c2st_auc", "ci_low": "c2st_auc_low", "ci_high": "c2st_auc_high"})
    return table[["generator", "epochs", "n_seeds", "rows", "c2st_auc", "c2st_auc_low", "c2st_auc_high"]]


def display_detection(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the C2ST AUC out, a row a generator at its largest epoch count, a column a number of rows a side.

    Parameters
    ----------
    table : DataFrame
        From `detection_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    """
    table = at_last_epochs(table)
    sizes = sorted(set(table["rows"].dropna().astype(int)))
    rows = []
    for generator in between_references(table["generator"], styles):
        own = table[table["generator"] == generator].set_index("rows")
        if own.empty:
            continue
        row = {"Model": title_of(generator, styles), "Epochs": epochs_text(own["epochs"].iloc[0])}
        for size in sizes:
            known = size in own.index
            cell = interval_text(*own.loc[size, ["c2st_auc", "c2st_auc_low", "c2st_auc_high"]]) if known else NOTHING
            row[f"{size:,} rows a side"] = cell
        rows.append(row)
    return pd.DataFrame(rows)
