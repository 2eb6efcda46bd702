"""Which of the usual forms a column's dates and times have."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from functools import cache
from itertools import islice

_DAYS = [
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%m-%d-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y",
    "%B %d, %Y", "%d%b%Y", "%Y%m%d", "%Y-%m", "%m/%Y", "%b %Y", "%b-%y", "%y-%b", "%d-%b",
]  # fmt: skip
_TIMES = [
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%H:%M:%S%z",
    "%H:%M:%S.%f%z",
    "%H:%M%z",
    "%Hh%M",
]
_FORMS = [*_DAYS, *_TIMES, *(f"{day}{gap}{time}" for day in _DAYS[:21] for gap in (" ", "T") for time in _TIMES)]
# Distinct cells that all forms are tried on, and the share of distinct cells that must have a form.
_TRIED, _LEAST = 60, 0.8
_YEARS = (1000, 2999)
_MOST_FORMS = 3


def recognise_dates(cells: list[str]) -> tuple[list[str], list[str]]:
    """Find the forms that fit a column's distinct cells, and the cells that they do not fit.

    Parameters
    ----------
    cells : list of str
        Distinct.

    Returns
    -------
    forms : list of str
        As ``strptime`` has them; several if day and month can be told by none. Empty if the cells are no dates.
    others : list of str
        Cells that are no dates.
    """
    some = list(islice((cell for cell in cells if any(c.isdigit() for c in cell)), _TRIED))
    if not some or not any(len(cell) > 3 for cell in some):
        return [], cells
    fitting: list[tuple[int, str, set[str]]] = []
    for form in _FORMS:
        if sum(fits_form(cell, form) for cell in some) >= _LEAST * len(some):
            fits = {cell for cell in cells if fits_form(cell, form)}
            fitting.append((len(fits), form, fits))
    if not fitting:
        return _several(cells, some)
    most = max(count for count, _, _ in fitting)
    if most < _LEAST * len(cells):
        return [], cells
    best = [(form, fits) for count, form, fits in fitting if count == most]
    return [form for form, _ in best], [cell for cell in cells if cell not in best[0][1]]


def _several(cells: list[str], some: list[str]) -> tuple[list[str], list[str]]:
    """Forms that fit a column's cells together, the commonest first, where no one form does."""
    forms, left = [], list(cells)
    for _ in range(_MOST_FORMS):
        counts = {form: sum(fits_form(cell, form) for cell in some) for form in _FORMS}
        form = max(counts, key=counts.__getitem__)
        if counts[form] < 0.1 * len(cells[:_TRIED]):
            break
        forms.append(form)
        left = [cell for cell in left if not fits_form(cell, form)]
        some = [cell for cell in some if not fits_form(cell, form)]
    return (forms, left) if len(left) <= (1 - _LEAST) * len(cells) else ([], cells)


@cache
def _marks(form: str) -> list[tuple[str, int]]:
    """What stands between the parts of a form, blanks left out, in small letters, and how often."""
    return list(Counter(re.sub(r"%.|\s", "", form).casefold()).items())


def fits_form(cell: str, form: str) -> bool:
    """Whether a cell is a date of a form, in a year that patients live in."""
    # strptime, which is slow, would refuse it.
    if not all(cell.casefold().count(mark) >= number for mark, number in _marks(form)):
        return False
    # strptime takes 1 to 4 digits for %Y.
    if form == "%Y%m%d" and len(cell) != 8:
        return False
    try:
        moment = datetime.strptime(cell, form)
    except ValueError:
        return False
    return "%Y" not in form or _YEARS[0] <= moment.year <= _YEARS[1]
