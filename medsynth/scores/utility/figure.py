"""Figure 2: accuracy against epochs."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from medsynth.display.aggregation import tabulated
from medsynth.display.canvas import beside_each_other, in_style, legend_of, with_note
from medsynth.display.styles import Styles, classifier_title, colour_of, in_display_order, palette, title_of
from medsynth.errors import InputError, nearest
from medsynth.scores.captions import COVERS


@in_style
def accuracy_by_epochs(
    scores: pd.DataFrame, styles: Styles, *, target: str, classifier: str = "xgboost", note: str
) -> Figure:
    """Draw the accuracy of classifiers trained on synthetic rows over epochs (Med-VAE paper, Figure 2).

    Means over seeds with 95 % intervals, generators beside each other, so that no interval hides another; those that
    are not trained over epochs stand on the left with the real rows, from which a line goes across. The majority class
    is a dashed line.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    target, classifier : str
        Whose accuracies are shown.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        The scores have no accuracy for this classifier and target.
    """
    accuracy = _accuracies(scores, target, classifier)
    seeds = accuracy.groupby("generator")["seed"].nunique().to_dict()
    table = tabulated(accuracy, ["generator", "epochs"])
    means = table.set_index("generator")["mean"]
    names = [name for name in ("real", *in_display_order(seeds, styles)) if name in seeds]
    table = table[table["generator"].isin(names)]
    counts = sorted(set(table["epochs"]))
    figure = Figure(figsize=(max(7.5, 1.2 + 0.2 * len(names) * len(counts)), 4.4), layout="constrained")
    ax = figure.subplots()
    beside_each_other(ax, table, "epochs", ("mean", "ci_low", "ci_high"), palette(names, styles))
    for name in sorted({"real", "majority"} & set(seeds)):
        line = ax.axhline(means[name], color=colour_of(name, styles), linewidth=0.9, zorder=0.9)
        if name == "majority":
            line.set(linestyle="--", label=title_of(name, styles))
    ax.set_xticks(range(len(counts)), [str(count or "no epochs") for count in counts])
    ax.set(xlabel="Epochs", ylabel=f"Accuracy ({classifier_title(classifier)}, {target})")
    titles = {name: f"{title_of(name, styles)} ({seeds[name]} seed{'s' * (seeds[name] > 1)})" for name in names}
    legend_of(figure, ax, titles, ncols=3)
    return with_note(figure, f"{note}\nbars: {COVERS}")


def _accuracies(scores: pd.DataFrame, target: str, classifier: str) -> pd.DataFrame:
    """Accuracies of one classifier and target, and those of the majority class."""
    every = scores[(scores["family"] == "utility") & (scores["metric"] == "accuracy")]
    asked = every["model"].isin([classifier, "majority"]) & (every["target"] == target)
    found = every[asked].dropna(subset=["value"])
    if not (found["model"] == classifier).any():
        wanted, known = f"{target}, {classifier}", sorted(set(every["target"] + ", " + every["model"]))
        raise InputError(f"There is no accuracy for '{wanted}'{nearest(wanted, known)}")
    return found
