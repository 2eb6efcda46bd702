"""Cohorts drawn under conditions."""

from __future__ import annotations

import pandas as pd

from medsynth.disclosure import WITHHELD
from medsynth.display.aggregation import at_last_epochs, measured
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
        success (share of the rows drawn that meet the conditions), quality and c2st_auc (NaN where too few
        real rows can be compared).
    """
    rows = []
    judged = scores[(scores["family"] == "conditional") & (scores["metric"] != "share")]
    for (cohort, generator, epochs), group in judged.groupby(["cohort", "generator", "epochs"]):
        of = {metric: group[group["metric"] == metric] for metric in (*CONDITIONAL, "n_train", "n_test")}
        row = {"condition": cohort, "generator": generator, "epochs": epochs, "n_seeds": group["seed"].nunique()}
        row |= {name: of[name]["value"].iloc[0] for name in ("n_train", "n_test")}
        rows.append(row | measured({metric: of[metric] for metric in CONDITIONAL}))
    columns = [f"{name}{end}" for name in CONDITIONAL for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["condition", "generator", "epochs", "n_seeds", "n_train", "n_test", *columns])
    return table.astype(dict.fromkeys(columns, "float64") | {"n_train": "Int64", "n_test": "Int64"})


def display_conditional(table: pd.DataFrame, cohorts: dict[str, str], styles: Styles) -> pd.DataFrame:
    """Lay the conditional table out, one block a cohort: generators, then real rows and independent columns.

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
