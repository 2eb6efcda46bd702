"""The table of subgroups: how frequent they are and how well they are predicted."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, between_references, title_of

FAIRNESS_COLUMNS = {
    "log_disparity": "Log disparity",
    "roc_auc": "ROC AUC",
    "brier_score": "Brier score",
    "calibration": "Calibration in the large",
}


@showing_failures("table", ["column", "group"])
def fairness_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How frequent groups are and how well they are predicted, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``fairness``.

    Returns
    -------
    DataFrame
        One row per column, group and generator at its largest epoch count: column, group, generator, epochs, n_seeds,
        rows (real ones of the group that the generator is judged by), and mean, ``_low`` and ``_high`` of
        log_disparity, roc_auc, brier_score and calibration; NaN where a group is too small, for one of the seeds, too:
        what the others tell would be told of it. Groups of which nothing is known have no row. Columns and groups are
        in the order of their names.
    """
    keys = ["column", "group", "generator", "epochs"]
    judged = at_last_epochs(scores[scores["family"] == "fairness"])
    table = side_by_side(judged, keys, list(FAIRNESS_COLUMNS), withheld=True)
    counted = judged[judged["metric"] == "rows"].groupby(keys)["value"].max().rename("rows")
    rows = table.join(counted, on=keys)["rows"].where(table["log_disparity"].notna())
    table.insert(5, "rows", rows.astype("Int64"))
    return table[table[list(FAIRNESS_COLUMNS)].notna().any(axis=1)].reset_index(drop=True)


def display_fairness(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the subgroups out, one block a group: real rows, generators, the holdout, the lower reference.

    Parameters
    ----------
    table : DataFrame
        From `fairness_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the group with its number of held-out real rows, unless that is withheld.
    """
    rows, blocks = [], []
    for (column, group), block in table.groupby(["column", "group"], sort=False):
        block = block.set_index("generator")
        for generator in between_references(block.index, styles):
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": title_of(generator, styles), "Epochs": str(found["epochs"] or NOTHING)}
            row["Seeds"] = str(found["n_seeds"])
            for metric, title in FAIRNESS_COLUMNS.items():
                row[title] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            counted = "" if block["rows"].isna().all() else f" ({block['rows'].max():,} test rows)"
            blocks.append(f"{column}: {group}{counted}")
    columns = ["Model", "Epochs", "Seeds", *FAIRNESS_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Group"))
