"""Which values of a column may stand for missing ones: words, and numbers that lie apart and come often."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

WORDS = {
    "?", "na", "n/a", "n.a.", "#n/a", "#na", "nan", "null", "(null)", "<na>", "\\n", "unknown", "unk", "missing",
    "not recorded", "not available", "not known", "not done", "nd", "n.d.", ".", "..", "-", "--", "---", "*", "nil",
    "#value!", "#div/0!", "#ref!", "#null!", "#num!", "inf", "-inf", "infinity", "none", "no data", "k.a.", "unbekannt",
    "9999-99-99", "99/99/9999", "0000-00-00",
}  # fmt: skip
# Words that are categories as often as they are codes for missing, where a column holds words.
_CATEGORIES_TOO = {"none", "nil", "nd", "not done", "-"}
# Numbers that people choose for missing.
_CHOSEN = re.compile(r"(-?(9{2,}|8{2,}|7{2,}|9+[678]|9{2,}\.9+)|-[1-9])(\.0+)?")
_OF_PROGRAMS = {"2147483647", "-2147483648", "32767", "-32768"}
# What generators compute with.
FLOAT32_END = float(np.finfo(np.float32).max)


def words_for_missing(counts: pd.Series, *, among_numbers: bool) -> list[str]:
    """Distinct cells that are words for missing.

    Parameters
    ----------
    counts : Series
        Distinct cells -> how often each is seen.
    among_numbers : bool
        The column holds numbers or dates, so that "none" is no category.
    """
    known = WORDS if among_numbers else WORDS - _CATEGORIES_TOO
    # Na is sodium: nobody writes it so for missing.
    return [cell for cell in counts.index if cell.strip().lower() in known and cell.strip() != "Na"]


def numbers_for_missing(numbers: pd.Series, counts: pd.Series) -> tuple[list[str], list[str]]:
    """Numbers that may stand for missing: they lie beyond a gap from all others and come more often than these.

    Parameters
    ----------
    numbers : Series
        Distinct cell -> number.
    counts : Series
        Distinct cell -> how often it is seen.

    Returns
    -------
    likely : list of str
        Cells to be taken for missing until a person says otherwise.
    doubtful : list of str
        Cells to be looked at, such as a 0 that may be a 0.
    """
    chosen = [cell for cell in numbers.index if _is_chosen(cell) or abs(numbers[cell]) > FLOAT32_END]
    order = numbers.drop(chosen).sort_values(kind="stable")
    if order.empty:
        return [], []
    likely = [cell for cell in chosen if _stands_apart(cell, numbers[cell], order, counts)]
    rest = numbers.drop(likely).sort_values(kind="stable")
    doubtful = []
    # From the outside in, so that a second one is judged without the first.
    for _ in range(4):
        apart = [
            cell
            for cell in ((rest.index[-1], rest.index[0]) if len(rest) > 2 else ())
            if not _is_chosen(cell) and _stands_apart(cell, rest[cell], rest.drop(cell), counts)
        ]
        if not apart:
            break
        doubtful.append(apart[0])
        rest = rest.drop(apart[0])
    return likely, doubtful


def _is_chosen(cell: str) -> bool:
    """Whether a number is one that people or programs choose for missing."""
    return bool(_CHOSEN.fullmatch(cell)) or cell in _OF_PROGRAMS


def _stands_apart(cell: str, number: float, others: pd.Series, counts: pd.Series) -> bool:
    """Whether an extreme number lies apart from the others, and is seen too often for an extreme."""
    if abs(number) > FLOAT32_END:
        return bool((others.abs() < FLOAT32_END).any())
    if others.iloc[0] <= number <= others.iloc[-1]:
        return False
    chosen = _is_chosen(cell)
    often = int(counts[cell])
    above = number > others.iloc[-1]
    near = others.iloc[::-1] if above else others
    gap = abs(number - near.iloc[0])
    spread = max(others.iloc[-1] - others.iloc[0], 1.0)
    if len(others) <= 10:
        # A column of codes: how often each comes says nothing. 3 after 1 and 2 is one of them.
        return chosen and (gap > max(5.0, spread) or (number < 0 <= others.iloc[0] and _is_code(others)))
    if number < 0 <= others.iloc[0] and chosen:
        return often >= 2 or gap > 0.2 * spread
    tail = near.iloc[: max(10, len(near) // 10)]
    steps = np.abs(np.diff(tail.to_numpy()))
    usual = float(np.median(counts[tail.index]))
    if number == 0:
        # A zero of a count follows on 1, 2, 3; one of a cholesterol does not.
        lonely = gap > 4 * max(steps.max(), float(np.median(np.abs(np.diff(others.to_numpy())))))
        half = gap > 0.3 * (float(others.median()) - near.iloc[0])
        wide = half and gap > 8 * steps.max()
        return often >= 3 and gap > 1 and (wide or (often > 3 * usual and (lonely or half)))
    if chosen:
        # One such value is an extreme; several are a code.
        return often >= 2 and often > usual and gap > 0.2 * spread and gap > 1.5 * steps.max()
    return often >= max(3, 0.01 * counts.sum()) and often > 3 * usual and gap > spread


def _is_code(others: pd.Series) -> bool:
    """Whether a column's numbers are small whole ones."""
    return bool((others % 1 == 0).all() and others.abs().max() < 100)
