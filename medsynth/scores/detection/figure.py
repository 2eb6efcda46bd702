"""C2ST AUC against the number of rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from medsynth.display.aggregation import at_last_epochs
from medsynth.display.canvas import (
    beside_each_other,
    in_style,
    legend_of,
    with_note,
    without_scores,
)
from medsynth.display.styles import Styles, in_display_order, palette, title_of
from medsynth.scores.captions import COVERS
from medsynth.scores.detection.table import detection_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@in_style
def detection_by_rows(scores: pd.DataFrame, styles: Styles, *, note: str) -> Figure:
    """Draw the AUC of XGBoost as detector against the number of rows a side, one line a table.

    Each generator is shown at its largest epoch count. Bars are 95 % intervals, beside each other; the upper
    reference is real rows against real rows.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``detection``.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    note : str
        Where the data come from, printed at the bottom.
    """
    from matplotlib.figure import Figure

    table = at_last_epochs(detection_table(scores[scores["family"] == "detection"])).dropna(subset="c2st_auc")
    if table.empty:
        return without_scores("No table has rows enough for a detector.", note=note)
    table = table.rename(columns={"rows": "n_rows"})
    figure = Figure(figsize=(7.5, 5.4), layout="constrained")
    ax = figure.subplots()
    shown = [*in_display_order(table["generator"], styles), "holdout", "independent"]
    shown = [name for name in shown if name in set(table["generator"])]
    table = table[table["generator"].isin(shown)]
    ends = ("c2st_auc", "c2st_auc_low", "c2st_auc_high")
    beside_each_other(ax, table, "n_rows", ends, palette(shown, styles))
    ax.axhline(0.5, color="#444444", linewidth=0.8, linestyle="--", zorder=1)
    ax.set_ylim(0.4, 1.02)
    ax.set_xlabel("Rows a side")
    ax.set_ylabel("C2ST AUC of XGBoost (0.5: it cannot tell)")
    legend_of(figure, ax, {name: title_of(name, styles) for name in shown}, ncols=2)
    return with_note(figure, f"{note}\nbars: {COVERS}, cut at the panel's edge")
