"""The table of subgroups: how frequent they are and how well they are predicted."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, known_for_all, measured
from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of

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
    judged = scores[scores["family"] == "fairness"]
    rows = []
    for key, found in at_last_epochs(judged).groupby(["column", "group", "generator", "epochs"]):
        values = {metric: value for metric, value in found.groupby("metric")["value"] if value.notna().all()}
        if "log_disparity" not in values:
            values.pop("rows", None)
        if not values:
            continue
        row = dict(zip(("column", "group", "generator", "epochs"), key, strict=True))
        row |= {"n_seeds": found["seed"].nunique(), "rows": values["rows"].max() if "rows" in values else None}
        rows.append(
            row | measured({metric: known_for_all(found[found["metric"] == metric]) for metric in FAIRNESS_COLUMNS})
        )
    columns = [f"{metric}{end}" for metric in FAIRNESS_COLUMNS for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["column", "group", "generator", "epochs", "n_seeds", "rows", *columns])
    return table.astype(dict.fromkeys(["rows", *columns], "float64")).astype({"rows": "Int64"})


def display_fairness(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the subgroups out, one block a group: real rows, generators, the holdout, the floor.

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
        for generator in ["real", *in_display_order(block.index, styles), "holdout", "independent"]:
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
