"""Columns of a codebook as a table that fits a terminal."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pandas as pd
from tabulate import tabulate

from medsynth.codebook import Codebook, Column
from medsynth.data.types import AS_SEEN
from medsynth.drafting import Draft
from medsynth.errors import printable
from medsynth.preparation.decoding import is_missing

# More of a column's categories would fill the screen.
MOST_SHOWN = 4
# Widest columns of the table: name, type, values, gaps. What is left of the line says why.
WIDTHS = (24, 11, 34, 6)


def describe_columns(
    codebook: Codebook, gaps: Mapping[str, float] | None = None, reasons: Mapping[str, list[str]] | None = None
) -> pd.DataFrame:
    """Say of each column what it is taken for.

    Parameters
    ----------
    codebook : Codebook
    gaps : mapping of float, optional
        Column -> share of its cells that are missing.
    reasons : mapping of list, optional
        Column -> why, and what is to be confirmed. What is said of every range is left out.

    Returns
    -------
    DataFrame
        One row a column: ``column``, ``type`` (or "left out"), ``values`` (categories, range or form of dates),
        ``gaps`` (NaN where they are not known) and ``why``.
    """
    rows = []
    for name, column in codebook.columns.items():
        why = [column.drop or "", *(text.removeprefix(AS_SEEN).strip() for text in (reasons or {}).get(name, []))]
        rows.append(
            {
                "column": name,
                "type": _shown_type(name, codebook),
                "values": "" if column.drop else shown_values(column),
                "gaps": (gaps or {}).get(name, float("nan")),
                "why": "; ".join(dict.fromkeys(filter(None, why))),
            }
        )
    return pd.DataFrame(rows, columns=["column", "type", "values", "gaps", "why"])


def _shown_type(name: str, codebook: Codebook) -> str:
    """Name what a column is taken for."""
    column = codebook.columns[name]
    if column.drop:
        return "left out"
    return "person" if name == codebook.person else "date" if column.counts_dates else column.type


def shown_values(column: Column) -> str:
    """Name the values that a column may have, in a few words."""
    if column.type == "date" or column.counts_dates:
        return column.notation.date or ""
    if column.numeric:
        low_high = " to ".join(map(_number, column.range)) if column.range else ""
        return f"{low_high} {column.unit}".strip()
    names = column.all_categories
    if not names:
        keep = column.rare.keep if column.rare else None
        return f"the {keep} most frequent" if keep else ""
    shown = names if len(names) <= MOST_SHOWN + 1 else [*names[:MOST_SHOWN], f"{len(names) - MOST_SHOWN} more"]
    return ", ".join(shown)


def _number(value: float) -> str:
    """A number as a person writes it, of four digits at least."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def gaps_of(raw: pd.DataFrame, codebook: Codebook) -> dict[str, float]:
    """Share of missing cells of each column that is not left out.

    Parameters
    ----------
    raw : DataFrame
        Text, under the file's own headers.
    codebook : Codebook
    """
    found = {}
    for name, column in codebook.columns.items():
        header = codebook.raw_name(name)
        # A flag of what is there has no gaps.
        if not column.drop and column.transform != "dated" and header in raw:
            found[name] = float(is_missing(raw[header], column, codebook).mean())
    return found


def shown_draft(draft: Draft, file: str) -> str:
    """Lay out a draft for a person: what to confirm at the top, then a table of the columns.

    Parameters
    ----------
    draft : Draft
    file : str
        What the table is called.
    """
    described = describe_columns(draft.codebook, gaps_of(draft.table, draft.codebook), draft.reasons)
    lines = [f"{file}: {len(draft.table):,} rows, {draft.table.shape[1]:,} columns", "", "Please confirm:"]
    sentences = [*draft.decisions, "Ranges are those of the rows; which values are possible?"]
    return "\n".join([*lines, *(f"- {printable(sentence)}" for sentence in sentences), "", shown_columns(described)])


def shown_columns(described: pd.DataFrame) -> str:
    """Lay out what `describe_columns` gives, as wide as the terminal."""
    shares = described["gaps"]
    cells = described.assign(gaps=[f"{share:.1%}" if share > 0 else "" for share in shares])
    for name in ("column", "values", "why"):
        cells[name] = cells[name].map(printable)
    width = max(shutil.get_terminal_size((120, 24)).columns, 80)
    rest = max(width - sum(WIDTHS) - 10, 20)
    return tabulate(
        cells.to_numpy().tolist(),
        ["column", "type", "categories or range", "gaps", "why, and what to confirm"],
        maxcolwidths=[*WIDTHS, rest],
        disable_numparse=True,
        colalign=("left", "left", "left", "right", "left"),
    )
