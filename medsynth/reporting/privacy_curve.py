"""Scores against epsilon: what a guarantee of differential privacy costs."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from medsynth.errors import InputError
from medsynth.evaluation.intervals import t_interval
from medsynth.reporting.canvas import in_style, with_note
from medsynth.reporting.styles import Styles, colour_of, title_of

# Metric -> its family, the start of its detail, and the panel's title.
PANELS = {
    "accuracy": ("utility", "xgboost:", "TSTR accuracy"),
    "roc_auc": ("utility", "xgboost:", "TSTR ROC AUC"),
    "quality": ("fidelity", "", "Quality (SDMetrics)"),
    "c2st_auc": ("detection", "", "C2ST AUC (0.5 is best)"),
}
REFERENCES = {"real": "-", "independent": ":"}
# Where no guarantee stands on the axis, as a multiple of the largest epsilon.
BEYOND = 4.0


def privacy_curve_table(scores: pd.DataFrame, budgets: dict[str, float | None], *, target: str) -> pd.DataFrame:
    """Scores of each budget, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    budgets : dict
        Generator -> epsilon; None for no guarantee.
    target : str
        Name of the target of accuracy and ROC AUC, which are XGBoost's.

    Returns
    -------
    DataFrame
        One row per metric and generator (and reference row, whose epsilon is NaN): metric, generator, epsilon (inf for
        none), n_seeds, mean, ci_low, ci_high (95 % t interval; NaN for one seed), ascending in epsilon.

    Raises
    ------
    InputError
        There is no score of any of the generators.
    """
    epsilons = {name: np.inf if epsilon is None else float(epsilon) for name, epsilon in budgets.items()}
    epsilons |= dict.fromkeys(REFERENCES, np.nan)
    rows = []
    for metric, (family, detail, _) in PANELS.items():
        wanted = detail + target if detail == "xgboost:" else None
        chosen = scores[(scores["family"] == family) & (scores["metric"] == metric)]
        chosen = chosen[chosen["detail"] == wanted] if wanted else chosen
        for generator, group in chosen[chosen["generator"].isin(epsilons)].groupby("generator"):
            interval = t_interval(group["value"])
            rows.append((metric, generator, epsilons[generator], *interval))
    columns = ["metric", "generator", "epsilon", "n_seeds", "mean", "ci_low", "ci_high"]
    table = pd.DataFrame(rows, columns=columns)
    if not table["generator"].isin(budgets).any():
        raise InputError("No scores of generators with an epsilon; does the study name any?")
    return table.sort_values(["metric", "epsilon"], kind="stable", ignore_index=True)


@in_style
def privacy_curve(
    scores: pd.DataFrame, budgets: dict[str, float | None], styles: Styles, *, target: str, note: str
) -> Figure:
    """Draw accuracy, ROC AUC, quality and detection against epsilon, a line a method, no guarantee at the right end.

    Parameters
    ----------
    scores, budgets, target
        See `privacy_curve_table`.
    styles : dict
        Generator -> title and colour.
    note : str
        What data this is, printed at the bottom.
    """
    table = privacy_curve_table(scores, budgets, target=target)
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    finite = table.loc[np.isfinite(table["epsilon"]), "epsilon"]
    end = BEYOND * (finite.max() if len(finite) else 1.0)
    for ax, (metric, (_, _, title)) in zip(axes.flat, PANELS.items(), strict=True):
        _panel(ax, table[table["metric"] == metric], styles, end)
        ax.set_title(title, fontweight="bold")
    ticks = sorted(set(finite))
    axes[0, 0].set_xscale("log")
    axes[0, 0].xaxis.set_minor_locator(NullLocator())
    axes[0, 0].set_xticks([*ticks, end], [*(f"{tick:g}" for tick in ticks), "∞"])
    for ax in axes[-1]:
        ax.set_xlabel("ε (log scale; ∞: no guarantee)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(REFERENCES) + 1)
    n_seeds = table.loc[table["generator"].isin(budgets), "n_seeds"].max()
    bars = f"\nbars: 95% t interval over {n_seeds} seeds" if n_seeds > 1 else ""
    return with_note(figure, note + bars)


def _panel(ax: Axes, table: pd.DataFrame, styles: Styles, end: float) -> None:
    """One metric over epsilon, a line a method, with real rows and independent columns as lines across."""
    for name, line in REFERENCES.items():
        for mean in table.loc[table["generator"] == name, "mean"]:
            ax.axhline(mean, color=colour_of(name, styles), linestyle=line, linewidth=1.2, label=title_of(name, styles))
    curve = table[table["epsilon"].notna()]
    x = curve["epsilon"].replace(np.inf, end)
    # The same method under several budgets has one title up to its epsilon.
    method = curve["generator"].map(lambda name: title_of(name, styles).partition(", ε")[0])
    markers = dict(zip(method.unique(), cycle("os^D"), strict=False))
    for name, places in x.groupby(method, sort=False):
        tightest = colour_of(curve.loc[places.index[0], "generator"], styles)
        ax.plot(
            places, curve.loc[places.index, "mean"], color=tightest, linewidth=1.0, marker=markers[name], markersize=4,
            zorder=2, label=name,
        )  # fmt: skip
    for place, marker, row in zip(x, method.map(markers), curve.itertuples(), strict=True):
        ax.errorbar(
            place, row.mean, yerr=[[np.nan_to_num(row.mean - row.ci_low)], [np.nan_to_num(row.ci_high - row.mean)]],
            fmt=marker, markersize=6, color=colour_of(row.generator, styles), markeredgecolor="white",
            markeredgewidth=0.7, elinewidth=1.4, capsize=2.5, zorder=3,
        )  # fmt: skip
    ax.set_xmargin(0.07)
    ax.yaxis.set_major_locator(MaxNLocator(5))
