"""Cohorts sampled under conditions."""

from __future__ import annotations

import pandas as pd

from medsynth.disclosure import WITHHELD
from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of

CONDITIONAL = ("success", "quality", "common_bin_pair_trends", "c2st_auc")
CONDITIONAL_COLUMNS = {
    "success": "Meets the conditions",
    "quality": "Quality",
    "common_bin_pair_trends": "Pair Trends, common bins",
    "c2st_auc": "C2ST AUC",
}


@showing_failures("cohorts", ["condition", "n_train", "n_test"])
def conditional_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How generators meet conditions and how faithful their cohorts are, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``conditional``.

    Returns
    -------
    DataFrame
        One row per cohort, generator and epoch count: condition (the cohort's name), generator, epochs, n_seeds,
        n_train and n_test (real rows of the cohort, missing where withheld), and mean, ``_low`` and ``_high`` of
        success (share of the rows sampled that meet the conditions), quality and c2st_auc (NaN where too few
        real rows can be compared).
    """
    keys = ["condition", "generator", "epochs"]
    judged = scores[scores["family"] == "conditional"].rename(columns={"cohort": "condition"})
    table = side_by_side(judged, keys, CONDITIONAL)
    for place, name in enumerate(("n_train", "n_test"), start=4):
        # The same for every seed, and missing where withheld: not `first`, which would skip that.
        counted = judged[judged["metric"] == name].drop_duplicates(keys).set_index(keys)["value"].rename(name)
        table.insert(place, name, table.join(counted, on=keys)[name].astype("Int64"))
    return table


def display_conditional(table: pd.DataFrame, cohorts: dict[str, str], styles: Styles) -> pd.DataFrame:
    """Lay the conditional table out, one block a cohort: generators, then real rows and independent marginals.

    Each generator is shown at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `conditional_table`.
    cohorts : dict
        Name -> title, in order of display.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the cohort with its numbers of real rows.
    """
    table = at_last_epochs(table)
    rows, blocks = [], []
    for name, title in cohorts.items():
        block = table[table["condition"] == name].set_index("generator")
        for generator in [*in_display_order(block.index, styles), "real", "independent"]:
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": title_of(generator, styles, "conditional")}
            row |= {"Epochs": epochs_text(found["epochs"]), "Seeds": str(found["n_seeds"])}
            for metric, column in CONDITIONAL_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            unknown = f"{WITHHELD} number of"
            n_train, n_test = (unknown if pd.isna(found[n]) else f"{found[n]:,}" for n in ("n_train", "n_test"))
            blocks.append(f"{title} ({n_train} training rows, {n_test} test rows)")
    columns = ["Model", "Epochs", "Seeds", *CONDITIONAL_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Cohort"))
