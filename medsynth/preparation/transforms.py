"""Functions that codebooks name: one raw value in, one value out.

Each is applied to a column's distinct values, missing ones left out, and raises ValueError at what it does not
understand.
"""

from __future__ import annotations

from datetime import datetime


def dated(value: str) -> str:
    """Flag an event that has a date (dd/mm/yyyy): ``"yes"``; what is no date is refused."""
    datetime.strptime(value, "%d/%m/%Y")
    return "yes"


def bracket_midpoint(value: str) -> str:
    """Midpoint of a half-open bracket: ``"[50-60)"`` becomes ``"55"``."""
    low, high = value.strip("[]()").split("-")
    return f"{(float(low) + float(high)) / 2:g}"


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
