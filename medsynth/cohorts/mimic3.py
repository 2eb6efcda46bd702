"""A simulated cohort with the raw schema of MIMIC-III 1.4, tables ADMISSIONS and PATIENTS.

MIMIC-III needs credentials, so nothing here is fitted to its rows, nor to those of the open demo: patients are drawn
from published aggregates and from plausible guesses about what depends on what. The constants and their sources stand
in `medsynth.cohorts.mimic3_constants`; the few in this module are choices of ours unless a comment names a source.

The unit in which a patient lies decides age, sex, diagnosis, type, stay and risk, but stands in neither table. The
order of drawing: patients; their admissions, each with type, place, diagnosis, death and stay, up to the first death;
times; what the tables say of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from medsynth.cohorts.mimic3_constants import (
    ADDED,
    ADDITIONS,
    COMPOSED,
    DIAGNOSES,
    DISCHARGES,
    DONOR,
    DONORS,
    ETHNICITIES,
    FIRST_DAY,
    INSURANCES,
    JOINTS,
    LANGUAGES,
    LOCATIONS,
    MARITAL_STATUSES,
    MEDIAN_OVER_89,
    MOST,
    N_DAYS,
    NEWBORNS,
    NO_CHART,
    NO_LANGUAGE,
    OVER_89,
    READMITTED,
    READMITTED_AGAIN,
    RELIGIONS,
    SPOKEN,
    TRIPLE,
    UNITS,
)

ADMISSIONS = [
    "ROW_ID", "SUBJECT_ID", "HADM_ID", "ADMITTIME", "DISCHTIME", "DEATHTIME", "ADMISSION_TYPE", "ADMISSION_LOCATION",
    "DISCHARGE_LOCATION", "INSURANCE", "LANGUAGE", "RELIGION", "MARITAL_STATUS", "ETHNICITY", "EDREGTIME", "EDOUTTIME",
    "DIAGNOSIS", "HOSPITAL_EXPIRE_FLAG", "HAS_CHARTEVENTS_DATA",
]  # fmt: skip
PATIENTS = ["ROW_ID", "SUBJECT_ID", "GENDER", "DOB", "DOD", "DOD_HOSP", "DOD_SSN", "EXPIRE_FLAG"]


def _draw(shares: Mapping[Any, float], n: int, rng: np.random.Generator) -> np.ndarray:
    """Categories drawn with the given relative frequencies, shape (n,), dtype object."""
    weights = np.array(list(shares.values()), dtype=float)
    return np.array(list(shares), dtype=object)[rng.choice(len(weights), size=n, p=weights / weights.sum())]


def _draw_by(groups: np.ndarray, shares: Mapping[str, Mapping[Any, float]], rng: np.random.Generator) -> np.ndarray:
    """Categories drawn with the relative frequencies of each row's group, shape (n,), dtype object."""
    drawn = np.empty(len(groups), dtype=object)
    for group, categories in shares.items():
        rows = np.flatnonzero(groups == group)
        drawn[rows] = _draw(categories, rows.size, rng)
    return drawn


def _days(values: pd.Series | np.ndarray) -> np.ndarray:
    """Turn days into whole minutes."""
    return np.round(np.asarray(values) * 1440).astype("timedelta64[m]")


def _of(unit: np.ndarray, field: str) -> np.ndarray:
    """What is known of each row's unit, shape (n,) or (n, 3) for quartiles."""
    return np.array([getattr(known, field) for known in UNITS.values()])[pd.Index(UNITS).get_indexer(unit)]


def _draw_patients(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw patients as they are at their first admission."""
    total = sum(unit.admissions for unit in UNITS.values())
    shares = {name: (1 - NEWBORNS) * unit.admissions / total for name, unit in UNITS.items()}
    unit = _draw(shares | {"NICU": NEWBORNS}, n, rng)
    newborn, quantile, age = unit == "NICU", rng.random(n), np.zeros(n)
    for name, (_, (low, middle, high), *_) in UNITS.items():
        rows = (unit == name) & ~newborn
        knots = [0, 0.05, 0.25, 0.5, 0.75, 1 - OVER_89, 1]
        age[rows] = np.interp(quantile[rows], knots, [16, low - 22, low, middle, high, 89, 89])
    over = age >= 89
    age[over] = np.minimum(89 + rng.exponential((MEDIAN_OVER_89 - 89) / np.log(2), over.sum()), 104)
    band = np.select([newborn, age < 45, age < 70], ["newborn", "under 45", "45 to 70"], "over 70")
    ethnicity = _draw(ETHNICITIES, n, rng)
    language = _draw(LANGUAGES, n, rng)
    for beginning, spoken in SPOKEN.items():
        rows = np.flatnonzero(pd.Series(ethnicity, dtype=object).str.startswith(beginning))
        language[rows] = _draw(spoken, rows.size, rng)
    return pd.DataFrame({
        "SUBJECT_ID": np.sort(rng.choice(max(99_998, n), size=n, replace=False) + 2),
        "UNIT": unit,
        "AGE": age,
        "GENDER": np.where(rng.random(n) < _of(unit, "men"), "M", "F"),
        "FIRST": FIRST_DAY + rng.integers(0, N_DAYS, n),
        "ETHNICITY": ethnicity,
        "LANGUAGE": np.where(rng.random(n) < NO_LANGUAGE, np.array(None), language),
        "RELIGION": _draw(RELIGIONS, n, rng),
        "MARITAL_STATUS": _draw_by(band, MARITAL_STATUSES, rng),
    })  # fmt: skip


def _draw_diagnoses(unit: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw texts of the diagnosis and their log-odds of death; some texts join two, or have a word added."""
    n = len(unit)
    weights = {name: {text: weight for text, weight, _ in rows} for name, rows in DIAGNOSES.items()}
    risks = {text: risk for rows in DIAGNOSES.values() for text, _, risk in rows}
    flat = {name: dict.fromkeys(texts, 1) for name, texts in weights.items()}
    text, second = _draw_by(unit, weights, rng), _draw_by(unit, flat, rng)
    third = _draw({word: 1 for name in UNITS if name != "NICU" for word in flat[name]}, n, rng)
    risk, second_risk = (pd.Series(part, dtype=object).map(risks).to_numpy(dtype=float) for part in (text, second))
    composed = (rng.random(n) < COMPOSED) & (text != second) & (unit != "NICU")
    added = (rng.random(n) < ADDED) & (unit != "NICU")
    triple = composed & (rng.random(n) < TRIPLE) & (third != text) & (third != second)
    text = np.where(composed, text + _draw(JOINTS, n, rng) + second, text)
    text = np.where(triple, text + _draw(JOINTS, n, rng) + third, text)
    text = np.where(added, text + _draw(dict.fromkeys(ADDITIONS, 1), n, rng), text)
    return text, np.where(composed, 0.7 * risk + 0.5 * second_risk, risk)


def _draw_stays(patients: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the admissions of each patient in order, the last of them the one of death in hospital if there is one."""
    n = len(patients)
    again = (rng.random(n) < READMITTED) & (patients["UNIT"] != "NICU")
    counts = np.where(again, np.minimum(1 + rng.geometric(1 - READMITTED_AGAIN, n), MOST), 1)
    stays = patients.loc[np.repeat(patients.index, counts)].reset_index(drop=True)
    n, unit, age, patient = len(stays), stays["UNIT"].to_numpy(), stays["AGE"].to_numpy(), stays["SUBJECT_ID"]
    newborn, kind = unit == "NICU", rng.random(n)
    elective, urgent = _of(unit, "elective"), _of(unit, "urgent")
    kind = np.select(
        [newborn, kind < elective, kind < elective + urgent], ["NEWBORN", "ELECTIVE", "URGENT"], "EMERGENCY"
    )
    stays["ADMISSION_TYPE"] = kind.astype(object)
    stays["ADMISSION_LOCATION"] = _draw_by(kind, LOCATIONS, rng)
    band = np.select([newborn, age < 65], ["newborn", "under 65"], "over 65")
    stays["INSURANCE"] = _draw_by(band, INSURANCES, rng)
    stays["DIAGNOSIS"], risk = _draw_diagnoses(unit, rng)
    died = rng.random(n) < 1 / (1 + np.exp(-_log_odds_of_death(stays, risk + _of(unit, "risk"))))
    stays["LOS"] = _draw_length_of_stay(unit, died & ~newborn, rng)
    stays["HOSPITAL_EXPIRE_FLAG"] = died.astype("int64")
    stays = stays[(stays.groupby(patient)["HOSPITAL_EXPIRE_FLAG"].cumsum() - stays["HOSPITAL_EXPIRE_FLAG"]) == 0]
    return stays.reset_index(drop=True)


def _draw_length_of_stay(unit: np.ndarray, died: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Days in hospital, log-normal with the quartiles of the unit; who dies does so early or after a long stay."""
    low, middle, high = _of(unit, "stay").T
    spread = np.where(died, 1.35, np.log(high / low) / 1.349)  # 1.349 standard deviations lie between the quartiles
    days = middle * np.where(died, 0.8, 1.0) * np.exp(spread * rng.standard_normal(len(unit)))
    return np.clip(days, 0.03, 294)  # the longest of the release is 294.7 days (counts)


def _log_odds_of_death(stays: pd.DataFrame, risk: np.ndarray) -> np.ndarray:
    """Log-odds of death in hospital: risk of unit and diagnosis, and of what else is known. Every slope is a choice."""
    age, newborn = stays["AGE"], stays["UNIT"] == "NICU"
    of_age = np.where(newborn, 0, 0.032 * (age - 65) + 0.02 * np.maximum(age - 80, 0))
    odds = pd.Series(risk + of_age, stays.index)
    odds += stays["ADMISSION_TYPE"].map({"ELECTIVE": -1.1, "URGENT": 0.2}).fillna(0)
    transfer = {"TRANSFER FROM HOSP/EXTRAM": 0.4, "TRANSFER FROM SKILLED NUR": 0.5}
    odds += stays["ADMISSION_LOCATION"].map(transfer).fillna(0)
    odds += stays["INSURANCE"].map({"Self Pay": 0.5, "Medicaid": 0.1}).fillna(0)
    odds += stays["ETHNICITY"].isin(["UNKNOWN/NOT SPECIFIED", "UNABLE TO OBTAIN"]) * 0.6
    odds += (stays["RELIGION"] == "UNOBTAINABLE") * 0.25 - (stays["MARITAL_STATUS"] == "MARRIED") * 0.1
    return odds.to_numpy(dtype=float)


def _add_times(stays: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add the times of admission, discharge and death; a later admission begins after the one before ends."""
    n, patient, died = len(stays), stays["SUBJECT_ID"], stays["HOSPITAL_EXPIRE_FLAG"].to_numpy() == 1
    donor = died & (rng.random(n) < DONORS) & (stays["ADMISSION_TYPE"] == "EMERGENCY")
    stays["DIAGNOSIS"] = np.where(donor, DONOR, stays["DIAGNOSIS"])
    stays["LOS"] = np.where(donor, -rng.random(n), stays["LOS"])
    gap = np.ceil(np.exp(np.log(120) + 1.3 * rng.standard_normal(n))).clip(1, 1000)  # days at home; choice
    first = patient.ne(patient.shift())
    # A day starts anew with each admission: at least a whole day lies between discharge and the next one.
    before = (np.ceil(stays["LOS"]) + 2 + gap).shift(fill_value=0).mask(first, 0)
    day = stays["FIRST"].to_numpy("datetime64[m]") + _days(before.groupby(patient).cumsum())
    hour = np.where(rng.random(n) < 0.6, rng.normal(18, 4, n), 24 * rng.random(n))
    hour = np.where(stays["ADMISSION_TYPE"] == "ELECTIVE", rng.normal(8, 1, n), hour)
    admitted = day + _days(np.clip(hour, 0, 23.9) / 24)
    leaves = (admitted + _days(stays["LOS"])).astype("datetime64[D]")
    leaves = leaves + _days(np.clip(rng.normal(14.5, 2, n), 8, 21) / 24)
    discharged = np.where(died | (leaves <= admitted), admitted + _days(stays["LOS"]), leaves)
    stays["ADMITTIME"], stays["DISCHTIME"] = admitted, discharged
    stays["DEATHTIME"] = np.where(died, discharged, np.datetime64("NaT"))
    return stays


def _add_emergency_times(stays: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add the times of registration in and departure from the emergency room, of those who came through it."""
    n, admitted = len(stays), stays["ADMITTIME"].to_numpy("datetime64[m]")
    # choice: 30,877 admissions with these times (counts).
    place = stays["ADMISSION_LOCATION"].map({"EMERGENCY ROOM ADMIT": 0.99, "CLINIC REFERRAL/PREMATURE": 0.95}).fillna(0)
    seen = (rng.random(n) < place) & (stays["ADMISSION_TYPE"] == "EMERGENCY").to_numpy()
    # demo: registered 3.4 hours before the admission, 5 hours in the emergency room (medians)
    registered = admitted - _days(3.4 / 24 * np.exp(0.7 * rng.standard_normal(n)))
    left = registered + _days(5 / 24 * np.exp(0.5 * rng.standard_normal(n)))
    stays["EDREGTIME"] = np.where(seen, registered, np.datetime64("NaT"))
    stays["EDOUTTIME"] = np.where(seen, left, np.datetime64("NaT"))
    return stays


def _text(times: pd.Series | np.ndarray) -> np.ndarray:
    """Times as the release writes them, missing ones None."""
    times = np.asarray(times).astype("datetime64[s]")
    written = pd.Series(np.datetime_as_string(times, unit="s"), dtype=object).str.replace("T", " ", regex=False)
    return np.where(np.isnat(times), np.array(None), written)


def _admissions(stays: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make the table ADMISSIONS."""
    n, long, newborn = len(stays), stays["LOS"] > 8, stays["UNIT"] == "NICU"
    band = np.where(stays["AGE"] < 70, "under 70", "over 70").astype(object) + np.where(long, ", long", ", short")
    home = _draw_by(np.where(newborn, "newborn", band), DISCHARGES, rng)
    table = stays.assign(
        ROW_ID=np.arange(1, n + 1),
        HADM_ID=100_000 + rng.choice(max(100_000, n), size=n, replace=False),
        DISCHARGE_LOCATION=np.where(stays["HOSPITAL_EXPIRE_FLAG"] == 1, "DEAD/EXPIRED", home),
        HAS_CHARTEVENTS_DATA=(rng.random(n) >= NO_CHART).astype("int64"),
        **{name: _text(stays[name]) for name in ADMISSIONS if name.endswith("TIME")},
    )
    return table[ADMISSIONS]


def _patients(stays: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Make the table PATIENTS of those who have admissions."""
    first, last = (stays.drop_duplicates("SUBJECT_ID", keep=k).reset_index(drop=True) for k in ("first", "last"))
    n, age = len(first), first["AGE"].to_numpy()
    came, left = (t["ADMITTIME"].to_numpy("datetime64[D]") for t in (first, last))
    born = came - np.round(age * 365.2425).astype("timedelta64[D]")
    # docs: born 300 years before the first admission, whoever was older than 89 at any
    shifted = (left - born).astype(int) > 89 * 365.2425
    born = np.where(shifted, came - np.timedelta64(round(300 * 365.2425), "D"), born)
    in_hospital = last["HOSPITAL_EXPIRE_FLAG"].to_numpy() == 1
    # counts: 15,759 patients are known to have died, 9,974 with a date in DOD_HOSP, 13,378 with one in DOD_SSN. The
    # slope with age is a choice; docs: the social security file reaches up to four years after the discharge.
    later = ~in_hospital & (rng.random(n) < np.where(age == 0, 0.005, 1 / (1 + np.exp(0.88 - 0.05 * (age - 65)))))
    after = last["DISCHTIME"].to_numpy("datetime64[D]") + np.ceil(rng.exponential(450, n)).clip(1, 1460).astype("m8[D]")
    died = np.where(in_hospital, last["DEATHTIME"].to_numpy("datetime64[D]"), after)
    in_ssn = rng.random(n) < np.where(in_hospital, 0.70, 0.93)
    in_hosp = in_hospital | ~in_ssn | (rng.random(n) < 0.40)
    known = in_hospital | later
    return pd.DataFrame({
        "ROW_ID": np.arange(1, n + 1), "SUBJECT_ID": first["SUBJECT_ID"], "GENDER": first["GENDER"], "DOB": _text(born),
        "DOD": _text(np.where(known, died, np.datetime64("NaT"))),
        "DOD_HOSP": _text(np.where(known & in_hosp, died, np.datetime64("NaT"))),
        "DOD_SSN": _text(np.where(known & in_ssn, died, np.datetime64("NaT"))),
        "EXPIRE_FLAG": known.astype("int64"),
    })  # fmt: skip


def simulate(n_rows: int, *, seed: int) -> dict[str, pd.DataFrame]:
    """Draw simulated raw tables.

    Parameters
    ----------
    n_rows : int
        Number of admissions to simulate, at least 0.
    seed : int
        The same seed and number of rows give identical tables.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``ADMISSIONS``: ``n_rows`` rows, patient by patient and in order of time, with the release's 19 columns.
        ``PATIENTS``: their patients, about 0.79 an admission, with its 8 columns. Numbers are int64; times are text
        (YYYY-MM-DD hh:mm:ss, shifted to 2100-2200); empty cells are None.

    Raises
    ------
    ValueError
        If ``n_rows`` is negative.
    """
    if n_rows < 0:
        raise ValueError(f"n_rows must be at least 0, not {n_rows}.")
    rng = np.random.default_rng(seed)
    # As many patients as rows are surely enough: each has an admission.
    stays = _draw_stays(_draw_patients(max(n_rows, 1), rng), rng).head(n_rows).reset_index(drop=True)
    stays = _add_emergency_times(_add_times(stays, rng), rng)
    return {"ADMISSIONS": _admissions(stays, rng), "PATIENTS": _patients(stays, rng)}
