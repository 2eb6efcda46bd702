"""Forest plot of the coefficients of the logistic model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.display.canvas import INTERVAL, in_style, legend_of, with_ends, with_note
from medsynth.display.styles import Styles, in_display_order, palette, title_of
from medsynth.errors import InputError
from medsynth.scores.inference.compute import INTERCEPT

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from medsynth.scores.inference.table import RULES, inference_table


@in_style
def forest(scores: pd.DataFrame, styles: Styles, *, outcome: str, note: str) -> Figure:
    """Draw every coefficient with its interval: real training rows as a band, generators beside each other.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``inference``.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    outcome : str
        What the model explains, for the title.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        Nothing was scored.
    """
    import seaborn as sns
    from matplotlib.figure import Figure

    # What failed has no place in the figure, whose note says so.
    table = inference_table(scores[scores["family"] == "inference"])
    # One interval a model: that of the models that the study's tables come from.
    table = table[(table["term"] != INTERCEPT) & (table["rule"] != "proper")]
    if table.empty:
        raise InputError("There are no coefficients; ask for them with the study's key 'inference'.")
    names = ["real", *in_display_order(table["generator"], styles), "independent"]
    names = [name for name in names if name in set(table["generator"])]
    terms = list(dict.fromkeys(table["term"]))
    figure = Figure(figsize=(7.6, 1.6 + len(terms) * (0.15 + 0.105 * len(names))), layout="constrained")
    ax = figure.subplots()
    # Tables of two seeds can give very wide intervals; the axis shows the real ones and every estimate.
    ends = table[["real_low", "real_high", "estimate"]].to_numpy(dtype=float)
    low, high = np.nanmin(ends), np.nanmax(ends)
    real = table.drop_duplicates("term").set_index("term").loc[terms]
    place = np.arange(len(terms))
    label = "Real training rows"
    ax.barh(
        place, real["real_high"] - real["real_low"], left=real["real_low"], height=0.9, color="#d9dee4", label=label
    )
    ax.vlines(real["real"], place - 0.45, place + 0.45, color="#4d4d4d", linewidth=1.2)
    sns.pointplot(
        with_ends(table, "estimate", "low", "high"), x="estimate", y="term", order=terms, hue="generator",
        hue_order=names, palette=palette(names, styles), dodge=0.8 * (1 - 1 / len(names)), linestyle="none",
        markersize=3.2, err_kws={"linewidth": 1.3}, ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.set_xlim(low - 0.15 * (high - low), high + 0.15 * (high - low))
    ax.axvline(0, color="#777777", linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_ylim(len(terms) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.tick_params("y", length=0)
    ax.set(xlabel=f"log odds ratio of {outcome}, 95% interval", ylabel="")
    legend_of(figure, ax, {name: title_of(name, styles, "inference") for name in names}, ncols=3, fontsize=8)
    rules = [RULES[rule] for rule in dict.fromkeys(table.loc[table["generator"] != "real", "rule"])]
    return with_note(figure, f"{note}\nsynthetic intervals: {'; '.join(rules)}")
