"""Columns of dates as numbers that generators can learn, and back.

Cleaning leaves dates out unless the codebook makes values of them. Here each becomes a number: days since 1970, or
minutes or seconds where a time is written. A row has an origin, its first date that no row lacks. Dates that lie closer
to another one of their row than to each other are counted from that one, so that stays keep their length; and where all
rows have two dates in the same order (admission, discharge, death), synthetic rows have them, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.preparation.decoding import is_missing, is_not_applicable

_START = datetime(1970, 1, 1)
_DAY = 86_400


@dataclass(frozen=True)
class _Form:
    """How a column is written, and how its numbers are counted."""

    header: str
    form: str
    written: str
    seconds: int
    after: str | None = None

    def number(self, moment: datetime) -> int:
        """Units from the start of 1970."""
        return int((moment - _START).total_seconds() // self.seconds)

    def moment(self, number: float) -> datetime:
        """Moment of a number; dates end where Python's do."""
        seconds = min(max(number * self.seconds, _LOWEST), _HIGHEST)
        return _START + timedelta(seconds=seconds)


_LOWEST = (datetime.min - _START).total_seconds()
_HIGHEST = (datetime.max.replace(microsecond=0) - _START).total_seconds()


class DateColumns:
    """The dates of a raw table as numbers.

    Attributes
    ----------
    left_out : dict of str
        Column of dates -> why it is none of the numbers.
    forms_ : dict
        Column -> how it is written.
    """

    def fit(self, raw: pd.DataFrame, codebook: Codebook) -> Self:
        """Learn how dates are written.

        Parameters
        ----------
        raw : DataFrame
            Text, under clean names, as `medsynth.data.reading.read_raw` gives it.
        codebook : Codebook
            Dates with a form (`notation.date`) are taken, but for those that it restores from other columns.
        """
        self.left_out: dict[str, str] = {}
        self.forms_: dict[str, _Form] = {}
        moments = {}
        for name, column in codebook.columns.items():
            header = codebook.raw_name(name)
            if column.type != "date" or column.drop or header in codebook.restored:
                continue
            if not column.notation.date:
                self.left_out[name] = "a date whose form the codebook does not say"
                continue
            found = _read(raw, name, codebook, column.notation.date)
            if found is None:
                self.left_out[name] = "dates in several forms, or with time zones"
                continue
            form = column.notation.date
            seconds = 1 if "%S" in form else 60 if "%M" in form else _DAY
            self.forms_[name] = _Form(header, form, _written(raw[name], found, form), seconds)
            moments[name] = found
        forms, self.forms_ = self.forms_, {}
        origin = next((name for name, found in moments.items() if found.notna().all()), None)
        # What others are counted from comes before them: those with fewer gaps first, then as they lie in time.
        for name in sorted(
            moments, key=lambda n: (n != origin, moments[n].isna().sum(), _middle(moments[n], forms[n]))
        ):
            self.forms_[name] = replace(
                forms[name], after=_counted_from(name, forms[name], moments, self.forms_, origin)
            )
        return self

    def as_numbers(self, raw: pd.DataFrame, codebook: Codebook) -> tuple[pd.DataFrame, Codebook]:
        """Write numbers for dates in a raw table, and describe them as numbers.

        Parameters
        ----------
        raw : DataFrame
            As for `fit`.
        codebook : Codebook

        Returns
        -------
        raw : DataFrame
        codebook : Codebook
            To clean `raw` by.
        """
        found = {name: _read(raw, name, codebook, form.form) for name, form in self.forms_.items()}
        cells, columns = {}, {}
        for name, form in self.forms_.items():
            numbers = _numbers(found[name], form)
            if form.after:
                numbers -= _numbers(found[form.after], form)
            cells[name] = numbers.map("{:.0f}".format).where(numbers.notna(), "")
            rule = codebook.columns[name].not_applicable
            facts: dict[str, Any] = {"raw": form.header, "missing": [""], "not_applicable": rule}
            columns[name] = Column(type="integer", description="a date, as a number", **facts)
        described = codebook.model_copy(update={"columns": {**codebook.columns, **columns}})
        return raw.assign(**cells), described

    def restore(self, table: pd.DataFrame) -> pd.DataFrame:
        """Write dates for the numbers of a restored table, as the raw table has them; a gap stays one.

        Parameters
        ----------
        table : DataFrame
            Under raw headers, as `medsynth.preparation.restoring.restore` gives it.
        """
        moments: dict[str, pd.Series] = {}
        texts = {}
        for name, form in sorted(self.forms_.items(), key=lambda item: item[1].after is not None):
            own = numbers = pd.to_numeric(table[form.header], errors="coerce").astype("float64")
            if form.after:
                numbers = own + _numbers(moments[form.after], form)
            moments[name] = numbers.astype(object).map(form.moment, na_action="ignore")
            # Where there is no date, the cell is empty or a code.
            without = [str(cell) if gap else "" for cell, gap in zip(table[form.header], own.isna(), strict=True)]
            texts[form.header] = [
                cell if pd.isna(moment) else moment.strftime(form.written)
                for cell, moment in zip(without, moments[name], strict=True)
            ]
        return table.assign(**{header: pd.Series(cells, table.index, dtype=object) for header, cells in texts.items()})


def _read(raw: pd.DataFrame, name: str, codebook: Codebook, form: str) -> pd.Series | None:
    """Moments of a column; codes for missing and "not applicable" are gaps."""
    column = codebook.columns[name]
    gaps = is_missing(raw[name], column, codebook) | is_not_applicable(raw[name], column)
    return _moments(raw[name].mask(gaps), form)


def _moments(cells: pd.Series, form: str) -> pd.Series | None:
    """Read dates; None if a cell has another form or a time zone."""
    if "%z" in form:
        return None
    known = {}
    for cell in cells.dropna().unique():
        try:
            known[cell] = datetime.strptime(cell, form)
        except ValueError:
            return None
    # Not as timestamps of pandas, which end in the year 2262.
    return pd.Series([known.get(cell) for cell in cells], cells.index, dtype=object)


def _numbers(moments: pd.Series, form: _Form) -> pd.Series:
    """Count each moment in the column's unit; a gap is NaN."""
    return moments.map(form.number, na_action="ignore").astype("float64")


def _middle(moments: pd.Series, form: _Form) -> float:
    """Median of a column's dates, in seconds."""
    return float(_numbers(moments, form).median()) * form.seconds


def _counted_from(
    name: str, form: _Form, moments: dict[str, pd.Series], placed: Iterable[str], origin: str | None
) -> str | None:
    """Column from whose dates those of another are counted; None if they vary least when they are not.

    Besides the origin it is one that every row with this date has, always before it or always after it.
    """
    numbers = _numbers(moments[name], form)
    spreads: dict[str | None, float] = {None: float(np.nanstd(numbers))}
    for other in placed:
        days = (numbers - _numbers(moments[other], form))[numbers.notna()]
        if other == origin or (days.notna().all() and ((days >= 0).all() or (days <= 0).all())):
            spreads[other] = float(np.nanstd(days))
    return min(spreads, key=spreads.__getitem__)


def _written(cells: pd.Series, moments: pd.Series, form: str) -> str:
    """Form that writes most cells as they are: days, months and hours may lack their leading zero."""
    short = form.replace("%m", "%-m").replace("%d", "%-d")
    candidates = [form, short, short.replace("%H", "%-H").replace("%I", "%-I"), form.replace("%H", "%-H")]
    pairs = pd.DataFrame({"cell": cells, "moment": moments}).dropna().drop_duplicates("cell").head(500)
    if "%f" in form and len(pairs):
        digits = len(str(pairs["cell"].iloc[0]).rpartition(".")[2])
        candidates = [one.replace("%f", "0" * digits) for one in candidates]
    hits = [
        sum(moment.strftime(one) == cell for cell, moment in zip(pairs["cell"], pairs["moment"], strict=True))
        for one in candidates
    ]
    return candidates[int(np.argmax(hits))]
