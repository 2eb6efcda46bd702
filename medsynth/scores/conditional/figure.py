"""Success matrices of conditional generation (Med-VAE paper, Figures 8 and 9)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from medsynth.display.canvas import in_style, with_note
from medsynth.scores.conditional.compute import UNCONDITIONAL, Cohort

# Cells beside each other, so that a figure is no wider than a screen.
CELLS_OF_A_LINE = 20


@in_style
def success_matrices(scores: pd.DataFrame, cohorts: list[Cohort], *, generator: str, title: str, note: str) -> Figure:
    """Draw what share of the rows sampled for one cohort meets the conditions of each.

    One panel for each group of cohorts. The first row is drawn without conditions; a cohort that the generator refused
    to draw is a row of grey cells.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``conditional``.
    cohorts : list of Cohort
    generator, title : str
        Whose matrices, and what they are called.
    note : str
        Where the data come from, printed at the bottom.
    """
    shares = scores[
        (scores["family"] == "conditional") & (scores["metric"] == "share") & (scores["generator"] == generator)
    ]
    means = shares.groupby(["cohort", "held"])["value"].mean()
    groups = list(dict.fromkeys(cohort.group for cohort in cohorts))
    members = {group: [cohort for cohort in cohorts if cohort.group == group] for group in groups}
    lines = _lines({group: len(members[group]) + 2 for group in groups})
    heights = [max(len(members[group]) for group in line) + 1 for line in lines]
    # Beside and below its cells each panel has room for the names of its cohorts.
    figure = Figure(
        figsize=(0.72 * (CELLS_OF_A_LINE + 2), 0.6 + 0.42 * sum(heights) + 1.7 * len(lines)), layout="constrained"
    )
    parts = figure.subfigures(len(lines), 1, height_ratios=[height + 4 for height in heights], squeeze=False)[:, 0]
    for part, line in zip(parts, lines, strict=True):
        widths = [len(members[group]) + 2 for group in line]
        axes = part.subplots(1, len(line), width_ratios=widths, squeeze=False)[0]
        for ax, group in zip(axes, line, strict=True):
            sns.heatmap(
                _matrix(means, members[group]), vmin=0, vmax=1, cmap="Blues", annot=True, fmt=".2f", linewidths=0.5,
                cbar=False, ax=ax, annot_kws={"fontsize": 8},
            )  # fmt: skip
            ax.tick_params(length=0)
            ax.set_facecolor("#dddddd")
            ax.set_title(group)
            ax.set_xlabel("share of the rows sampled that are …")
            ax.set_xticks(ax.get_xticks(), ax.get_xticklabels(), rotation=60, ha="right", rotation_mode="anchor")
            ax.tick_params(axis="y", rotation=0)
        axes[0].set_ylabel("sampled for …")
    n_seeds = shares["seed"].nunique()
    figure.suptitle(f"{title}: conditional generation, mean of {n_seeds} seed{'s' * (n_seeds > 1)}")
    return with_note(figure, note)


def _lines(widths: dict[str, int]) -> list[list[str]]:
    """Panels side by side, in order, as many as have room in a line; a wider one has a line of its own."""
    lines: list[list[str]] = []
    for group, width in widths.items():
        if lines and sum(widths[one] for one in lines[-1]) + width <= CELLS_OF_A_LINE:
            lines[-1].append(group)
        else:
            lines.append([group])
    return lines


def _matrix(means: pd.Series, cohorts: list[Cohort]) -> pd.DataFrame:
    """Shares, cohorts asked for by cohorts held, the first row unconditional."""
    titles = {UNCONDITIONAL: UNCONDITIONAL, **{cohort.name: cohort.title or cohort.name for cohort in cohorts}}
    rows = [[means.get((asked, cohort.name), np.nan) for cohort in cohorts] for asked in titles]
    return pd.DataFrame(rows, index=list(titles.values()), columns=[cohort.title or cohort.name for cohort in cohorts])
