"""Functions that codebooks name: one raw value in, one value out; and their inverses, for exports.

Each is applied to a column's distinct values, missing ones left out, and raises ValueError at what it does not
understand. An inverse ('restored' in a codebook) gets clean values, numbers as numbers, and returns raw text.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from medsynth.data.dates import recognise_dates
from medsynth.data.notation import censored, with_sign


def dated(value: str) -> str:
    """Flag an event that has a date, in any usual form: ``"yes"``; what is no date is refused."""
    if not recognise_dates([value])[0]:
        raise ValueError("no date")
    return "yes"


def bracket_midpoint(value: str) -> str:
    """Midpoint of a half-open bracket: ``"[50-60)"`` becomes ``"55"``."""
    low, high = value.strip("[]()").split("-")
    return f"{(float(low) + float(high)) / 2:g}"


def ten_year_bracket(age: float) -> str:
    """Bracket of ten years that an age lies in, inverse to `bracket_midpoint`: ``55`` becomes ``"[50-60)"``."""
    low = int(age // 10) * 10
    return f"[{low}-{low + 10})"


_TRUTH = {"true": "1", "false": "0"}


def whole_number(value: str) -> str:
    """Write a whole number or a truth value as digits: ``"1.0"`` and ``"True"`` become ``"1"``."""
    value = _TRUTH.get(value.casefold(), value)
    number = int(float(value))
    if number != float(value):
        raise ValueError("no whole number")
    return str(number)


def position_of_one(*cells: str) -> str:
    """Position of the one cell of a one-hot block that is 1; ``""`` if none is, and more than one is refused."""
    flags = [whole_number(cell) for cell in cells]
    ones = [position for position, flag in enumerate(flags) if flag == "1"]
    if len(ones) > 1 or set(flags) - {"0", "1"}:
        raise ValueError("a one-hot block has cells 0 and at most one 1")
    return str(ones[0]) if ones else ""


# MIMIC-III shifts the dates of birth of patients older than 89 by about 300 years; 91.4 is their median age (Johnson
# et al. 2016, MIMIC-III, "Data Records").
_OLDEST, _MEDIAN_OF_OLDER = 89, 91.4


def age_at(moment: str, born: str) -> str:
    """Age in years at a moment, from ISO dates; above 89 the published median of those patients, 91.4."""
    # Not a difference of timestamps: a shift by 300 years is more than nanoseconds can count.
    years = (datetime.fromisoformat(moment) - datetime.fromisoformat(born)).days / 365.25
    if years < 0:
        raise ValueError("born after it")
    return f"{years if years <= _OLDEST else _MEDIAN_OF_OLDER:.2f}"


def days_between(start: str, end: str) -> str:
    """Days from one moment to another, negative if the second comes first."""
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    return f"{seconds / 86_400:.4f}"


def days_since_2100(moment: str) -> str:
    """Days since 2100-01-01, where the shifted calendar of MIMIC-III begins."""
    return days_between("2100-01-01", moment)


def date_of_day(day: float) -> str:
    """Moment that is so many days after 2100-01-01, to the minute; inverse to `days_since_2100`."""
    minutes = timedelta(minutes=round(day * 1440))
    return (datetime(2100, 1, 1) + minutes).isoformat(sep=" ")


def date_after(day: float, days: float) -> str:
    """Moment that comes so many days after a day; inverse to `days_between`."""
    return date_of_day(day + days)


def date_if_died(day: float, days: float, died: str) -> str:
    """Moment of a death at the end of a stay: `date_after` if it is ``"yes"``, else empty."""
    return date_after(day, days) if died == "yes" else ""


def born_before(day: float, age: float) -> str:
    """Date of birth that makes a patient so old on a day, inverse to `age_at`; above 89 shifted by 300 years."""
    years = age if age <= _OLDEST else 300
    midnight = datetime.fromisoformat(date_of_day(day)).replace(hour=0, minute=0)
    return (midnight - timedelta(days=round(years * 365.25))).isoformat(sep=" ")


def months_since_2017(month: str) -> str:
    """Months since January 2017: ``"17-Apr"`` and ``"Apr-17"`` become ``"3"``."""
    found = datetime.strptime(month, "%y-%b" if month[:1].isdigit() else "%b-%y")
    return str((found.year - 2017) * 12 + found.month - 1)


def month_and_year(months: float) -> str:
    """Month that is so many months after January 2017, inverse to `months_since_2017`: ``3`` becomes ``"17-Apr"``."""
    years, month = divmod(int(months), 12)
    return datetime(2017 + years, month + 1, 1).strftime("%y-%b")


def first_of_two(cell: str) -> str:
    """First number of two in a cell: ``"120/80"`` becomes ``"120"``."""
    return _two(cell)[0]


def second_of_two(cell: str) -> str:
    """Second number of two in a cell: ``"120/80"`` becomes ``"80"``."""
    return _two(cell)[1]


def _two(cell: str) -> tuple[str, str]:
    """Two numbers with a slash between."""
    first, second = (part.strip() for part in cell.split("/"))
    return f"{float(first):.12g}", f"{float(second):.12g}"


def two_of(first: float, second: float) -> str:
    """Cell of two numbers, inverse to `first_of_two` and `second_of_two`."""
    return f"{first:.12g}/{second:.12g}"


def limit_or_number(cell: str) -> str:
    """Number, or the limit that it is known to be below or above: ``"<0.05"`` becomes ``"0.05"``."""
    return (censored(cell) or ("", cell))[1]


def censoring(cell: str) -> str:
    """Sign of a number of which a limit alone is known: ``"<0.05"`` becomes ``"<"``, ``"0.07"`` ``"measured"``."""
    return (censored(cell) or ("measured", ""))[0]


def with_censoring(number: float, sign: str) -> str:
    """Cell of a number and its sign, inverse to `limit_or_number` and `censoring`."""
    text = str(int(number)) if number == int(number) else repr(float(number))
    return text if sign == "measured" else with_sign(sign, text)


# Strack et al. (2014), Table 2: "Impact of HbA1c measurement on hospital readmission rates".
_ICD9_GROUPS = (
    ("circulatory", 390, 459),
    ("respiratory", 460, 519),
    ("digestive", 520, 579),
    ("injury", 800, 999),
    ("musculoskeletal", 710, 739),
    ("genitourinary", 580, 629),
    ("neoplasms", 140, 239),
)
_ICD9_SYMPTOMS = {785: "circulatory", 786: "respiratory", 787: "digestive", 788: "genitourinary"}


def icd9_group(code: str) -> str:
    """Group an ICD-9 diagnosis as Strack et al. (2014, Table 2) do: nine groups, diabetes (250.xx) its own.

    Symptoms 785-788 go to the organ system they speak of; E and V codes and all else are ``"other"``.
    """
    if code[0] in "EV":
        return "other"
    number = int(float(code))
    if number == 250:
        return "diabetes"
    if number in _ICD9_SYMPTOMS:
        return _ICD9_SYMPTOMS[number]
    return next((name for name, low, high in _ICD9_GROUPS if low <= number <= high), "other")
