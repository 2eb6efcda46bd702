"""The tables of time to event: survival models (TSTR), and survival times of groups."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.models import display_models, models_table
from medsynth.display.styles import Styles, between_references, title_of

SURVIVAL_COLUMNS = {"uno_c": "Uno's C", "integrated_brier_score": "Integrated Brier score"}
TIMES_COLUMNS = {
    "median_survival": "Median",
    "median_survival_real": "Median, real",
    "restricted_mean_survival": "Restricted mean",
    "restricted_mean_survival_real": "Restricted mean, real",
    "restricted_mean_difference": "Difference of restricted means",
}


@showing_failures("table", ["target", "model"])
def survival_table(scores: pd.DataFrame) -> pd.DataFrame:
    """See `medsynth.display.models.models_table`; metrics are those of `SURVIVAL_COLUMNS`."""
    return models_table(scores, "survival", list(SURVIVAL_COLUMNS))


def display_survival(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """See `medsynth.display.models.display_models`."""
    return display_models(table, SURVIVAL_COLUMNS, styles, "survival")


@showing_failures("table", ["target", "column", "group"])
def survival_times_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Survival times of all rows and of groups, with intervals over persons and seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``survival``.

    Returns
    -------
    DataFrame
        One row per target, column, group (both empty: all rows), generator and epoch count: these, n_seeds, and mean,
        ``_low`` and ``_high`` of each of `TIMES_COLUMNS`. NaN where one of the seeds has no value: a median that is not
        reached by one table has no mean. Groups of which nothing is known have no row.
    """
    own = scores[(scores["family"] == "survival") & (scores["model"] == "")]
    keys = ["target", "column", "group", "generator", "epochs"]
    table = side_by_side(own, keys, list(TIMES_COLUMNS), withheld=True)
    return table[table[list(TIMES_COLUMNS)].notna().any(axis=1)].reset_index(drop=True)


def _time_text(found: pd.Series, metric: str) -> str:
    """An estimate with its interval; a unit of time has one decimal."""
    mean, low, high = found[[metric, f"{metric}_low", f"{metric}_high"]]
    return interval_text(mean, low, high, digits=1)


def display_survival_times(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay survival times out, one block a group: real training rows, generators, holdout, lower reference.

    Parameters
    ----------
    table : DataFrame
        From `survival_times_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by target and group.
    """
    rows, blocks = [], []
    for (target, column, group), block in at_last_epochs(table).groupby(["target", "column", "group"]):
        block = block.set_index("generator")
        for generator in between_references(block.index, styles):
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": title_of(generator, styles, "survival_times"), "Epochs": epochs_text(found["epochs"])}
            row["Seeds"] = str(found["n_seeds"])
            for metric, title in TIMES_COLUMNS.items():
                row[title] = _time_text(found, metric)
            rows.append(row)
            blocks.append(f"{target}, {column}: {group}" if column else f"{target}, all")
    columns = ["Model", "Epochs", "Seeds", *TIMES_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Target and group"))
