"""Cells of tables for reading: numbers, intervals, p-values, headings."""

from __future__ import annotations

import pandas as pd

from medsynth.display.styles import Styles, title_of

NOTHING = "–"


class Bold(str):
    """A cell that is written in bold, in the way of each format."""

    __slots__ = ()


def heading(generator: str, table: pd.DataFrame, styles: Styles) -> str:
    """Title over a generator's column, which says what its ``n_seeds`` would: ``CART (1 failed)``."""
    failed = str(table.loc[table["generator"] == generator, "n_seeds"].iloc[0]).partition(" ")[2]
    return f"{title_of(generator, styles)} {failed}".rstrip()


def p_text(value: float) -> str:
    """A p-value with three decimals, ``<0.001`` for a smaller one."""
    return "<0.001" if value < 0.001 else plain_text(value)


def plain_text(value: float) -> str:
    return interval_text(value, float("nan"), float("nan"))


def interval_text(mean: float, low: float, high: float, digits: int = 3) -> str:
    """``mean (low, high)``; the mean alone where one seed gives no interval."""
    if pd.isna(mean):
        return NOTHING
    if pd.isna(low):
        return number_text(mean, digits)
    return f"{number_text(mean, digits)} ({number_text(low, digits)}, {number_text(high, digits)})"


def number_text(value: float, digits: int) -> str:
    # "z" writes a negative number that rounds to zero without its sign.
    return f"{value:z.{digits}f}"


def epochs_text(count: int) -> str:
    return str(int(count)) if count else NOTHING
