"""Scores by number of training rows."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import side_by_side
from medsynth.display.cells import interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of

# Column of the tables -> what it is called.
LEARNING_CURVE_COLUMNS = {
    "quality": "Quality",
    "common_bin_pair_trends": "Pair Trends, common bins",
    "c2st_auc": "C2ST AUC",
    "accuracy": "Accuracy",
    "roc_auc": "ROC AUC",
    "membership_auc": "Membership AUC",
    "dcr_share": "DCR share",
}


@showing_failures("learning_curve", ["n_rows"])
def learning_curve_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of each generator by number of training rows, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``learning_curve`` is used, whose rows are those learned from.

    Returns
    -------
    DataFrame
        One row per generator, epoch count and size: generator, epochs, n_rows, n_seeds (seeds that have a value), and
        mean, ``_low`` and ``_high`` of each of `LEARNING_CURVE_COLUMNS`. Real rows are not attacked.
    """
    sized = scores[scores["family"] == "learning_curve"]
    sized = sized.assign(n_rows=sized["rows"].astype("int64"))
    return side_by_side(sized, ["generator", "epochs", "n_rows"], list(LEARNING_CURVE_COLUMNS))


def display_learning_curve(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the learning curve out, one block a generator, the real rows first.

    Parameters
    ----------
    table : DataFrame
        From `learning_curve_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the generator and its epochs.
    """
    rows, blocks = [], []
    for generator in _shown(table["generator"], styles):
        for _, found in table[table["generator"] == generator].sort_values(["epochs", "n_rows"]).iterrows():
            row = {"Training rows": f"{found['n_rows']:,}", "Seeds": str(found["n_seeds"])}
            for metric, column in LEARNING_CURVE_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            epochs = f", {found['epochs']} epochs" if found["epochs"] else ""
            blocks.append(title_of(generator, styles, "learning_curve") + epochs)
    columns = ["Training rows", "Seeds", *LEARNING_CURVE_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Generator"))


def _shown(generators: pd.Series, styles: Styles) -> list[str]:
    """Real rows, then generators in the order of display."""
    return [*(["real"] if "real" in set(generators) else []), *in_display_order(generators, styles)]
