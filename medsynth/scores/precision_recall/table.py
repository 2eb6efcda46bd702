"""Alpha-precision, beta-recall, authenticity and three-way marginals."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, measured
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
    rows = []
    judged = scores[(scores["family"] == "fidelity") & scores["metric"].isin(PRECISION_RECALL)]
    for (generator, epochs), group in judged.groupby(["generator", "epochs"]):
        own = {metric: group[group["metric"] == metric] for metric in PRECISION_RECALL}
        n_seeds = max(int(found["value"].notna().sum()) for found in own.values())
        rows.append({"generator": generator, "epochs": epochs, "n_seeds": n_seeds} | measured(own))
    columns = [f"{name}{end}" for name in PRECISION_RECALL for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["generator", "epochs", "n_seeds", *columns])
    return table.astype(dict.fromkeys(columns, "float64"))


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
