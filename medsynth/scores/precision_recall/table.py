"""Alpha-precision, beta-recall, authenticity and three-way marginals."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of

PRECISION_RECALL = ("alpha_precision", "beta_recall", "authenticity", "three_way_marginals")
PRECISION_RECALL_COLUMNS = {
    "alpha_precision": "Alpha-precision",
    "beta_recall": "Beta-recall",
    "authenticity": "Authenticity",
    "three_way_marginals": "Three-way marginals",
}


@showing_failures("table")
def precision_recall_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Alpha-precision, beta-recall, authenticity and three-way marginals (docs/metrics.md), with intervals.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``fidelity``.

    Returns
    -------
    DataFrame
        One row per generator and epoch count: generator, epochs, n_seeds, and mean, ``_low`` and ``_high`` of the
        scores of `PRECISION_RECALL`.
    """
    return side_by_side(scores[scores["family"] == "fidelity"], ["generator", "epochs"], PRECISION_RECALL)


def display_precision_recall(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay precision, recall, authenticity and three-way marginals out, a row a generator at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `precision_recall_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    """
    table = at_last_epochs(table)
    rows = []
    for generator in ["real", *in_display_order(table["generator"], styles), "holdout", "independent"]:
        for _, own in table[table["generator"] == generator].iterrows():
            row = {
                "Model": title_of(generator, styles),
                "Epochs": epochs_text(own["epochs"]),
                "Seeds": str(own["n_seeds"]),
            }
            for name, title in PRECISION_RECALL_COLUMNS.items():
                row[title] = interval_text(*own[[name, f"{name}_low", f"{name}_high"]])
            rows.append(row)
    return pd.DataFrame(rows, columns=["Model", "Epochs", "Seeds", *PRECISION_RECALL_COLUMNS.values()])
