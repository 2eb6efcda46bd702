"""What `medsynth.synthesize` says of a table and of its model, laid out as one screen."""

from __future__ import annotations

import dataclasses
import textwrap

import numpy as np
import pandas as pd

from medsynth.errors import printable

# What the lines of the screen are as wide as.
WIDTH = 100

TITLES = {
    "quality": "quality (SDMetrics)",
    "c2st_auc": "C2ST AUC",
    "dcr_share": "DCR share",
    "near_copies": "near copies of a training row",
}


@dataclasses.dataclass(frozen=True)
class Report:
    """What `synthesize` did and how good the model is; printed, it is one screen.

    Attributes
    ----------
    file, out : str
        The real table, and the synthetic one ("" if none was written).
    rows, columns : int
        Of the real table.
    written : tuple of int
        Rows and columns of the synthetic table.
    generator : str
    train_rows, test_rows : int
        Real rows that the model was fitted on, and held-out ones that it was judged on.
    described : DataFrame
        What each column was taken for; see `medsynth.commands.columns.describe_columns`.
    left_out : dict of str
        Header that is not in the synthetic table -> why.
    scores : DataFrame
        One row a score (``quality``, ``c2st_auc``, ``dcr_share``, ``near_copies``): ``mean``, ``low``, ``high`` of
        rows of the model, and ``real`` of real training rows, or of held-out rows for near copies. NaN where the rows
        do not suffice.
    to_confirm : list of str
        What the draft asks a person to confirm; empty with a codebook.
    notes : list of str
        Sentences on what the numbers and the table are.
    """

    file: str
    out: str
    rows: int
    columns: int
    written: tuple[int, int]
    generator: str
    train_rows: int
    test_rows: int
    described: pd.DataFrame
    left_out: dict[str, str]
    scores: pd.DataFrame
    to_confirm: list[str]
    notes: list[str]

    def __str__(self) -> str:
        """One screen."""
        where = f"{self.out}: " if self.out else ""
        lines = [
            f"{where}{self.written[0]:,} synthetic rows, {self.written[1]:,} columns, of {self.file} ({self.rows:,} "
            f"rows, {self.columns:,} columns)",
            "",
            "Columns",
            *_grouped(self.described),
        ]
        if self.left_out:
            lines += ["", "Left out", *(_wrapped(f"{header}: {why}") for header, why in self.left_out.items())]
        if self.to_confirm:
            lines += ["", "Please confirm (medsynth draft writes a codebook to edit; give it back with --codebook)"]
            lines += [_wrapped(sentence) for sentence in self.to_confirm]
        lines += [
            "",
            f"{self.generator}, fitted on {self.train_rows:,} rows, judged on {self.test_rows:,} rows of other persons",
            *_judgement(self.scores),
            "",
            *(_wrapped(sentence) for sentence in self.notes),
        ]
        return "\n".join(lines)


def _grouped(described: pd.DataFrame) -> list[str]:
    """Name the columns by what they were taken for, categories with their number of values."""
    titles = {
        "numbers": ("continuous", "integer"),
        "categories": ("categorical", "ordinal", "binary"),
        "dates": ("date",),
    }
    lines = []
    for title, types in titles.items():
        rows = described[described["type"].isin(types)]
        if len(rows):
            names = [
                f"{row.column} ({row.gaps:.0%} gaps)" if row.gaps >= 0.005 else row.column for row in rows.itertuples()
            ]
            lines.append(_wrapped(f"{title} ({len(rows):,}): {', '.join(names)}"))
    return lines


def _judgement(scores: pd.DataFrame) -> list[str]:
    """The scores with their intervals and what real rows have."""
    from tabulate import tabulate

    best = {"quality": "1", "c2st_auc": "0.5", "dcr_share": "0.5", "near_copies": "as held-out rows"}
    of_real = {"near_copies": "of a held-out row: {}"}
    rows = []
    for metric, title in TITLES.items():
        score = scores.loc[metric]
        share = "{:.1%}" if metric == "near_copies" else "{:.3f}"
        shown = ["–" if np.isnan(score[key]) else share.format(score[key]) for key in ("mean", "low", "high", "real")]
        value = shown[0] if shown[1] == "–" else f"{shown[0]} ({shown[1]}, {shown[2]})"
        rows.append([title, value, of_real.get(metric, "{}").format(shown[3]), best[metric]])
    text = tabulate(rows, ["", "synthetic (95 % interval)", "real training rows", "best"], disable_numparse=True)
    return textwrap.indent(text, "  ").split("\n")


def _wrapped(text: str) -> str:
    """An indented paragraph."""
    return textwrap.fill(printable(text), WIDTH, initial_indent="  ", subsequent_indent="    ")
