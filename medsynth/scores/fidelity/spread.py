"""Standard deviation against quality."""

from __future__ import annotations

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from medsynth.display.canvas import in_style, legend_of, with_note
from medsynth.display.styles import Styles, in_display_order, palette, title_of


@in_style
def spread_and_quality(scores: pd.DataFrame, styles: Styles, *, note: str) -> Figure:
    """Draw how much of the real standard deviation a generator keeps against its quality.

    The Med-VAE paper remarks that the synthetic standard deviation "fell from parity with the real data as the overall
    quality of the data improved" (Discussion) and leaves open why. Each point is one model: the mean over numeric
    columns of the synthetic over the real standard deviation, against SDMetrics' quality; larger points have more
    epochs.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    note : str
        Where the data come from, printed at the bottom.
    """
    points = spread_by_model(scores)
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    ax = figure.subplots()
    names = [*in_display_order(points["generator"], styles), "holdout", "independent"]
    names = [name for name in names if name in set(points["generator"])]
    sns.scatterplot(
        points, x="quality", y="ratio", hue="generator", hue_order=names, palette=palette(names, styles), size="epochs",
        sizes=(30, 90), alpha=0.8, legend="full", ax=ax,
    )  # fmt: skip
    ax.axhline(1, color="#444444", linewidth=1)
    ax.set_xlabel("Quality (SDMetrics, overall)")
    ax.set_ylabel("Synthetic / real standard deviation,\nmean over numeric columns")
    titles = {"generator": "Generator", "epochs": "Epochs", **{name: title_of(name, styles) for name in names}}
    legend_of(figure, ax, titles, loc="outside right upper")
    return with_note(figure, f"{note}; one point a model, larger with more epochs")


def spread_by_model(scores: pd.DataFrame) -> pd.DataFrame:
    """Quality and spread of every model.

    Returns
    -------
    DataFrame
        Columns generator, epochs, seed, quality, ratio (mean over numeric columns of synthetic / real standard
        deviation; columns that are constant in the real rows are left out).
    """
    keys = ["generator", "epochs", "seed"]
    fidelity = scores[scores["family"] == "fidelity"]
    wide = fidelity[fidelity["metric"].isin(["std", "std_real"])].pivot_table(
        index=[*keys, "column"], columns="metric", values="value"
    )
    wide = wide.reindex(columns=["std", "std_real"])
    ratio = (wide["std"] / wide["std_real"].where(wide["std_real"] > 0)).groupby(keys).mean().rename("ratio")
    quality = fidelity[fidelity["metric"] == "quality"].set_index(keys)["value"].rename("quality")
    return pd.concat([quality, ratio], axis=1).dropna().reset_index()
