"""Fidelity against privacy, and one setting from copying to collapse."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import pandas as pd

from medsynth.display.aggregation import tabulated
from medsynth.display.canvas import INTERVAL, in_style, legend_of, with_ends, with_note
from medsynth.display.styles import Styles, colour_of, title_of
from medsynth.errors import InputError
from medsynth.scores.captions import COVERS
from medsynth.scores.privacy.parts import CONTROLS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
from medsynth.scores.privacy.table import _shown, of_chosen, privacy_table


def trade_points(scores: pd.DataFrame) -> pd.DataFrame:
    """Membership AUC under the chosen attack and C2ST AUC, with intervals.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; families ``privacy`` and ``detection``.

    Returns
    -------
    DataFrame
        One row per generator and control that has both: generator, epochs, membership and c2st, each with ``_low`` and
        ``_high``. The detector judges the tables of generators that learned from all training rows; copied training
        rows are what is judged as ``real``.
    """
    table = privacy_table(scores)
    detected = scores[(scores["family"] == "detection") & (scores["metric"] == "c2st_auc")]
    detected = detected[detected["model"] == "xgboost"]
    ends = {"mean": "", "ci_low": "_low", "ci_high": "_high"}
    membership, c2st = (
        found[["generator", "epochs", *ends]].rename(columns={key: f"{name}{end}" for key, end in ends.items()})
        for name, found in (
            ("membership", of_chosen(table, ["membership_auc"])),
            ("c2st", tabulated(detected, ["generator", "epochs"])),
        )
    )
    judged = membership["generator"].replace("train_copy", "real")
    points = membership.assign(judged=judged).merge(
        c2st.rename(columns={"generator": "judged"}), on=["judged", "epochs"]
    )
    # A generator whose attacks failed has no point.
    return points.drop(columns="judged").dropna(subset=["membership", "c2st"])


@in_style
def privacy_trade(scores: pd.DataFrame, styles: Styles, *, note: str) -> Figure:
    """Draw how well rows are told from real ones against how well members are told from others, a point a generator.

    Both are ROC AUCs, best at 0.5: private generators are on the left, faithful ones at the bottom. Bars are 95 %
    intervals over persons and seeds, cut at the panel's edge; controls are open squares.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        Nothing was attacked.
    """
    from matplotlib.figure import Figure

    points = trade_points(scores).set_index("generator")
    if points.empty:
        raise InputError(
            "There are no scores of attacks; the study attacks no generator, or it has too few persons (table "
            "'preparation')."
        )
    figure = Figure(figsize=(6.5, 5.2), layout="constrained")
    ax = figure.subplots()
    for name in _shown(points.index, styles):
        control = name in CONTROLS
        _point(ax, points.loc[name], colour_of(name, styles), title_of(name, styles, "privacy"), open_square=control)
    for line in (ax.axhline, ax.axvline):
        line(0.5, color="#444444", linewidth=0.8, linestyle="--", zorder=1)
    for axis, values in (("x", points["membership"]), ("y", points["c2st"])):
        margin = max(0.06 * (values.max() - 0.5), 0.01)
        ax.set(**{f"{axis}lim": (min(values.min(), 0.5) - margin, values.max() + margin)})
    ax.set_xlabel("Membership AUC under the chosen attack\n(0.5: a learned patient cannot be told from another)")
    ax.set_ylabel("C2ST AUC\n(0.5: synthetic rows cannot be told from real ones)")
    figure.legend(loc="outside upper center", ncols=2)
    return with_note(figure, "\n".join([*wrap(note, 90), *wrap(f"bars: {COVERS}, cut at the panel's edge", 90)]))


@in_style
def privacy_sweep(scores: pd.DataFrame, swept: dict[str, float], *, sweep: str, note: str) -> Figure:
    """Draw membership AUC and C2ST AUC over the values of one hyperparameter, from copying to collapse.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    swept : dict
        Generator -> value of the hyperparameter, above 0.
    sweep : str
        What the hyperparameter is called.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        No generator with the hyperparameter was attacked.
    """
    import seaborn as sns
    from matplotlib.figure import Figure

    points = trade_points(scores)
    points = points[points["generator"].isin(swept)]
    if points.empty:
        raise InputError(
            f"There are no scores of attacks on generators with the setting '{sweep}'; name such generators under "
            "'attacks'."
        )
    points = points.assign(value=points["generator"].map(swept)).sort_values("value")
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    ax = figure.subplots()
    lines = {
        "membership": "Membership AUC under the chosen attack (0.5: private)",
        "c2st": "C2ST AUC (0.5: faithful)",
    }
    ends = ["", "_low", "_high"]
    measured = [
        points[["value"]].assign(measure=title, **{f"auc{end}": points[f"{name}{end}"] for end in ends})
        for name, title in lines.items()
    ]
    sns.lineplot(
        with_ends(pd.concat(measured), "auc", "auc_low", "auc_high"), x="value", y="auc", hue="measure",
        style="measure", markers=["o", "s"], dashes=False, palette=["#b2182b", "#2166ac"], ax=ax, **INTERVAL,
    )  # fmt: skip
    ax.axhline(0.5, color="#444444", linewidth=0.8, linestyle="--", zorder=1)
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(points["value"], [f"{value:g}" for value in points["value"]])
    ax.set_ylim(0.45, 1.02)
    ax.set_xlabel(f"{sweep} (log scale)")
    ax.set_ylabel("ROC AUC")
    legend_of(figure, ax)
    return with_note(figure, "\n".join([*wrap(note, 90), *wrap(f"bands: {COVERS}, cut at the panel's edge", 90)]))


def _point(ax: Axes, point: pd.Series, colour: str, label: str, *, open_square: bool) -> None:
    """One generator with its intervals, where there are any; seaborn has none in two directions."""
    across, up = (
        [[point[name] - point[f"{name}_low"]], [point[f"{name}_high"] - point[name]]]
        if pd.notna(point[f"{name}_low"])
        else None
        for name in ("membership", "c2st")
    )
    ax.errorbar(
        point["membership"], point["c2st"], xerr=across, yerr=up, fmt="s" if open_square else "o", markersize=7,
        color=colour, markerfacecolor="white" if open_square else colour, elinewidth=1, label=label, zorder=3,
    )  # fmt: skip
