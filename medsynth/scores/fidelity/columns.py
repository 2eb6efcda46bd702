"""Scores of each column."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import Bold, heading, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, between_references, in_display_order

COLUMN_TITLES = {"column_shape": "Column shapes", "column_validity": "Validity"}


@showing_failures("table", ["column"])
def columns_table(scores: pd.DataFrame) -> pd.DataFrame:
    """SDMetrics' scores of each column (Column Shapes, Data Validity), with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; metrics ``column_shape`` and ``column_validity`` of family ``fidelity``,
        of each column.

    Returns
    -------
    DataFrame
        One row per column and generator at its largest epoch count: column, generator, epochs, n_seeds, and mean,
        ``_low`` and ``_high`` of column_shape and column_validity.
    """
    judged = (scores["family"] == "fidelity") & scores["metric"].isin(COLUMN_TITLES)
    return side_by_side(at_last_epochs(scores[judged]), ["column", "generator", "epochs"], list(COLUMN_TITLES))


def display_columns(table: pd.DataFrame, order: list[str], styles: Styles) -> pd.DataFrame:
    """Lay the scores of columns out, one block a score: a row a column, a column a generator, means over seeds.

    Parameters
    ----------
    table : DataFrame
        From `columns_table`.
    order : list of str
        Columns in order of display; those that the table lacks are left out, those it has beyond them come last.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the score. The best generator's cell of a row is `Bold`, all of them if three decimals tell no
        difference, but none where no generator differs from another.
    """
    generators = in_display_order(table["generator"], styles)
    present = set(table["generator"])
    shown = [name for name in between_references(generators, styles) if name in present]
    headings = {name: heading(name, table, styles) for name in shown}
    columns = list(dict.fromkeys([*(name for name in order if name in set(table["column"])), *table["column"]]))
    rows, blocks = [], []
    for metric, title in COLUMN_TITLES.items():
        means = table.pivot(index="column", columns="generator", values=metric).round(3)
        for column in columns:
            values = means.loc[column]
            rivals = values.reindex(generators).dropna()
            best = rivals.max() if rivals.nunique() > 1 else None
            row = {"Column": column}
            for name in shown:
                cell = interval_text(values[name], float("nan"), float("nan"))
                row[headings[name]] = Bold(cell) if name in rivals and values[name] == best else cell
            rows.append(row)
            blocks.append(title)
    return pd.DataFrame(rows, columns=["Column", *headings.values()], index=pd.Index(blocks, name="Score"))
