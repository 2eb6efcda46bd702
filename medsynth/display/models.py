"""Scores of models that were trained on each table and tested on the same real rows, one block a target and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import epochs_text, interval_text
from medsynth.display.styles import Styles, between_references, classifier_title, title_of

KEYS = ["target", "model", "generator", "epochs"]
# The row of a model without predictors, which has no block of its own.
LOWEST = "majority"


def models_table(scores: pd.DataFrame, family: str, metrics: Sequence[str]) -> pd.DataFrame:
    """Scores of models with intervals over persons and seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    family : str
        Whose model is no empty text.
    metrics : sequence of str

    Returns
    -------
    DataFrame
        One row per target, model, generator and epoch count: these, n_seeds, and mean, ``_low`` and ``_high`` of each
        metric.
    """
    own = scores[(scores["family"] == family) & (scores["model"] != "")]
    return side_by_side(own, KEYS, metrics)


def display_models(table: pd.DataFrame, metrics: Mapping[str, str], styles: Styles, family: str) -> pd.DataFrame:
    """Lay out scores of models: real rows, generators, lower references.

    Parameters
    ----------
    table : DataFrame
        From `models_table`.
    metrics : mapping
        Metric -> title.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    family : str
        Of scores; reference rows may have titles of their own there.

    Returns
    -------
    DataFrame
        Text, indexed by target and model.
    """
    table = at_last_epochs(table)
    rows, blocks = [], []
    lowest = table[table["model"] == LOWEST]
    for (target, model), block in table[table["model"] != LOWEST].groupby(["target", "model"]):
        block = pd.concat([block, lowest[lowest["target"] == target]]).set_index("generator")
        for generator in (*between_references(block.index, styles), LOWEST):
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": title_of(generator, styles, family), "Epochs": epochs_text(found["epochs"])}
            row["Seeds"] = str(found["n_seeds"])
            for metric, title in metrics.items():
                row[title] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            blocks.append(f"{target}, {classifier_title(model)}")
    columns = ["Model", "Epochs", "Seeds", *metrics.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Target and model"))
