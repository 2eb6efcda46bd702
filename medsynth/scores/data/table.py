"""Tables of the data: what was run, what cleaning and preparation did, which types SDV detects."""

from __future__ import annotations

from typing import Any

import pandas as pd

from medsynth.disclosure import WITHHELD, few, is_small, shown_groups
from medsynth.scores.fidelity.table import MOMENT_TITLES


def overview_table(overview: dict[str, str], provenance: dict[str, Any]) -> pd.DataFrame:
    """Tabulate what was run, and on whose rows."""
    rows = {
        **overview,
        "Publisher of the real table": provenance["publisher"],
        "Licence of the real table": provenance["licence"],
        "Raw rows": f"{provenance['raw_rows']:,}",
        "Raw table, SHA-256": ", ".join(provenance["sha256"]),
    }
    return pd.DataFrame(rows.items(), columns=["Fact", "Value"])


def cleaning_table(cleaning: pd.DataFrame, raw_rows: int, least: int) -> pd.DataFrame:
    """Say what cleaning did, but for small counts, and for those that reveal small ones by difference."""
    table = cleaning.copy()
    counts = {name: pd.to_numeric(table[name]) for name in ("cells", "missing_before", "missing_after")}
    changed = (counts["missing_after"].fillna(0) - counts["missing_before"]).abs()
    by_rules = is_small(counts["cells"], least).groupby(table["column"]).transform("any")
    for name, found in counts.items():
        table[name] = ["" if pd.isna(n) else few(int(n), least, raw_rows) for n in found]
    tells = (by_rules & (changed > 0)) | is_small(changed, least)
    table.loc[tells & table["missing_before"].str.isdecimal(), "missing_before"] = WITHHELD
    return table


def preparation_table(preparation: pd.DataFrame, least: int) -> pd.DataFrame:
    """Count rows and imputed cells, but for small counts, and those that leave one of what cleaning left missing."""
    table = preparation.copy()
    imputed, table["imputed"] = table["imputed"].astype(int), table["imputed"].astype(str)
    for _, rows in table.groupby("column"):
        cells, totals = imputed[rows.index], rows["rows"].astype(int)
        shown = shown_groups([cells, totals - cells], least)
        for place, n, total, known in zip(rows.index, cells, totals, shown, strict=True):
            text = few(n, least, total)
            # Of those withheld some are few, others only hide them.
            table.loc[place, "imputed"] = text if known or n == 0 or text != str(n) else WITHHELD
    return table


def display_metadata(table: pd.DataFrame) -> pd.DataFrame:
    """Lay detected and declared types out for reading, one block a way of preparing the table."""
    display = table.set_index("table")
    display.columns = [
        "Column",
        "Type in the codebook",
        "Declared",
        "Detected",
        "Differs",
        "What trusting it would mean",
    ]
    return display


def display_scaling(table: pd.DataFrame) -> pd.DataFrame:
    """Lay the check of scaling out: ``before → after`` for each moment of each column.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.preparation.scaling.scaling_table`.
    """
    shown = {"Column": table["column"]}
    for moment, title in MOMENT_TITLES.items():
        pairs = zip(table[f"{moment}_before"], table[f"{moment}_after"], strict=True)
        shown[title] = [f"{before:z,.4g} → {after:z,.4g}" for before, after in pairs]
    return pd.DataFrame(shown | {"Unchanged": table["unchanged"]})
