"""Scores against epsilon: what a guarantee of differential privacy costs, and what attacks find that it allows."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.display.aggregation import tabulated
from medsynth.display.canvas import INTERVAL, in_style, with_ends, with_note
from medsynth.display.styles import Styles, colour_of, title_of
from medsynth.errors import InputError
from medsynth.scores.captions import COVERS
from medsynth.scores.privacy.table import RATES, most_found, of_chosen, privacy_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Metric -> its family, the model where several share it, and the panel's title.
PANELS = {
    "accuracy": ("utility", "xgboost", "TSTR accuracy"),
    "roc_auc": ("utility", "xgboost", "TSTR ROC AUC"),
    "quality": ("fidelity", "", "Quality (SDMetrics)"),
    "c2st_auc": ("detection", "xgboost", "C2ST AUC (0.5 is best)"),
}
# How the lines of reference rows are drawn.
LINES = {"real": "-", "independent": ":"}
# False positive rates that have a panel.
CURVE_RATES = {metric: rate for metric, rate in RATES.items() if rate >= 0.01}
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
        none), n_seeds, mean, ci_low, ci_high, ascending in epsilon.

    Raises
    ------
    InputError
        There is no score of any of the generators.
    """
    epsilons = {name: np.inf if epsilon is None else float(epsilon) for name, epsilon in budgets.items()}
    epsilons |= dict.fromkeys(LINES, np.nan)
    found = []
    for metric, (family, model, _) in PANELS.items():
        chosen = scores[(scores["family"] == family) & (scores["metric"] == metric) & (scores["model"] == model)]
        chosen = chosen[chosen["target"] == target] if family == "utility" else chosen
        found.append(tabulated(chosen[chosen["generator"].isin(epsilons)], ["metric", "generator"]))
    table = pd.concat(found, ignore_index=True)
    table.insert(2, "epsilon", table["generator"].map(epsilons).astype("float64"))
    if not table["generator"].isin(budgets).any():
        raise InputError("There are no scores of generators with an epsilon; name such generators in the study.")
    return table.sort_values(["metric", "epsilon"], kind="stable", ignore_index=True)


def attacked_table(scores: pd.DataFrame, guarantees: dict[str, float | None]) -> pd.DataFrame:
    """Shares of members that the chosen attack finds under each budget.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``privacy``.
    guarantees : dict
        Generator -> epsilon of a guarantee of all its training rows; None for none.

    Returns
    -------
    DataFrame
        As from `privacy_curve_table`, of the attack that was chosen on other persons. Empty where nothing was
        attacked.
    """
    found = privacy_table(scores).dropna(subset="mean")
    best = of_chosen(found, CURVE_RATES)
    best = best[best["generator"].isin(guarantees)].copy()
    epsilons = {name: np.inf if epsilon is None else float(epsilon) for name, epsilon in guarantees.items()}
    best["epsilon"] = best["generator"].map(epsilons)
    columns = ["metric", "generator", "epsilon", "n_seeds", "mean", "ci_low", "ci_high"]
    return best[columns].sort_values(["metric", "epsilon"], kind="stable", ignore_index=True)


@in_style
def privacy_curve(
    scores: pd.DataFrame,
    budgets: dict[str, float | None],
    styles: Styles,
    *,
    target: str,
    note: str,
    guarantees: dict[str, float | None],
    delta: float,
) -> Figure:
    """Draw accuracy, ROC AUC, quality and detection against epsilon, a line a method, no guarantee at the right end.

    Where attacks were scored, two panels more: members found by the chosen attack, and the most that epsilon allows.

    Parameters
    ----------
    scores, budgets, target
        See `privacy_curve_table`.
    styles : dict
        Generator -> title and colour.
    note : str
        What data this is, printed at the bottom.
    guarantees
        See `attacked_table`.
    delta : float
        Of the guarantees when their generators are attacked; see `largest_delta`.
    """
    from matplotlib.figure import Figure

    table = privacy_curve_table(scores, budgets, target=target)
    attacked = attacked_table(scores, guarantees)
    figure = Figure(figsize=(6.4, 7.4 if len(attacked) else 5.2), layout="constrained")
    axes = figure.subplots(3 if len(attacked) else 2, 2, sharex=True)
    finite = table.loc[np.isfinite(table["epsilon"]), "epsilon"]
    end = BEYOND * (finite.max() if len(finite) else 1.0)
    for ax, (metric, (_, _, title)) in zip(axes.flat, PANELS.items(), strict=False):
        _panel(ax, table[table["metric"] == metric], styles, end)
        ax.set_title(title, fontweight="bold")
    if len(attacked):
        for ax, (metric, rate) in zip(axes[-1], CURVE_RATES.items(), strict=True):
            _attack_panel(ax, attacked[attacked["metric"] == metric], styles, end, rate)
            _draw_bound(ax, finite, rate, delta)
    ticks = sorted(set(finite))
    axes[0, 0].set_xscale("log")
    axes[0, 0].minorticks_off()
    axes[0, 0].set_xticks([*ticks, end], [*(f"{tick:g}" for tick in ticks), "∞"])
    for ax in axes[-1]:
        ax.set_xlabel("ε (log scale; ∞: no guarantee)")
    shown = [dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True)) for ax in (axes[0, 0], axes[-1, 0])]
    # In the order of the first panel and with its colours, then what the last one has besides.
    labelled = shown[0] | shown[1] | shown[0]
    figure.legend(labelled.values(), labelled.keys(), loc="outside upper center", ncols=2)
    return with_note(figure, "\n".join([*wrap(note, 90), *wrap(f"bars: {COVERS}", 90)]))


def _attack_panel(ax: Axes, table: pd.DataFrame, styles: Styles, end: float, rate: float) -> None:
    """Share of members found over epsilon."""
    bottom = rate / 3
    ends = ["mean", "ci_low", "ci_high"]
    _panel(ax, table.assign(**table[ends].clip(lower=bottom)), styles, end)
    ax.axhline(rate, color="#999999", linestyle="-.", linewidth=1.0, zorder=1, label="chance")
    ticks = [tick for tick in (0.01, 0.03, 0.1, 0.3, 1.0) if tick >= bottom]
    ax.set(yscale="log", ylim=(bottom, 1.3))
    ax.minorticks_off()
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.set_title(f"TPR at {rate:.0%} FPR".replace("%", " %"), fontweight="bold")


def _draw_bound(ax: Axes, epsilons: pd.Series, rate: float, delta: float) -> None:
    """Draw the line above which no attack can come, from the smallest epsilon to the largest."""
    if not len(epsilons):
        return
    line = np.geomspace(epsilons.min() / 1.3, epsilons.max() * 1.3, 200)
    allowed = [most_found(rate, epsilon, delta) for epsilon in line]
    ax.plot(line, allowed, color="#222222", linestyle="--", linewidth=1.2, label="most that ε allows any attack")
    ax.fill_between(line, allowed, 1.3, color="#222222", alpha=0.08, linewidth=0)


def _panel(ax: Axes, table: pd.DataFrame, styles: Styles, end: float) -> None:
    """One metric over epsilon, a line a method, with real rows and independent marginals as lines across."""
    import seaborn as sns

    for name, line in LINES.items():
        for mean in table.loc[table["generator"] == name, "mean"]:
            ax.axhline(mean, color=colour_of(name, styles), linestyle=line, linewidth=1.2, label=title_of(name, styles))
    curve = table[table["epsilon"].notna()]
    curve = curve.assign(epsilon=curve["epsilon"].replace(np.inf, end))
    # The same method under several budgets has one title up to its epsilon, and the colour of the tightest.
    curve["method"] = curve["generator"].map(lambda name: title_of(name, styles).partition(", ε")[0])
    tightest = curve.drop_duplicates("method").set_index("method")["generator"]
    sns.pointplot(
        with_ends(curve, "mean", "ci_low", "ci_high"), x="epsilon", y="mean", hue="method", native_scale=True,
        palette={method: colour_of(name, styles) for method, name in tightest.items()},
        markers=["os^Dv"[i % 5] for i in range(len(tightest))], markersize=4.5, linewidth=1.2, ax=ax, **INTERVAL,
    )  # fmt: skip
    if legend := ax.get_legend():
        legend.remove()
    ax.set(xlabel="", ylabel="")
    ax.set_xmargin(0.07)
    ax.locator_params(axis="y", nbins=5)
