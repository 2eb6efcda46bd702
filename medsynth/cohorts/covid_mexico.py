"""A simulated cohort with the raw schema of the public table "COVID-19 Mexico".

Rows are drawn by a chain of conditional models: each column is a logistic or multinomial-logistic model of
the columns drawn before it (see ``CHAIN``). The coefficients lie in ``covid_mexico.json`` beside this module.
They are aggregates of the real table: no record is stored, every stored frequency covers at least ``LEAST``
persons, and so does the predictor of every stored effect; a ridge penalty smooths what rests on thin cells.

Recalibrate with ``python -m medsynth.cohorts.covid_mexico RAW_FILE_OR_ZIP``.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

COEFFICIENTS = Path(__file__).with_suffix(".json")
RAW_COLUMNS = [
    "USMER", "MEDICAL_UNIT", "SEX", "PATIENT_TYPE", "DATE_DIED", "INTUBED", "PNEUMONIA", "AGE", "PREGNANT",
    "DIABETES", "COPD", "ASTHMA", "INMSUPR", "HIPERTENSION", "OTHER_DISEASE", "CARDIOVASCULAR", "OBESITY",
    "RENAL_CHRONIC", "TOBACCO", "CLASIFFICATION_FINAL", "ICU",
]  # fmt: skip
ALIVE = "9999-99-99"
FIRST_DAY, N_DAYS = np.datetime64("2020-01-01"), 488  # deaths fall in 2020-01-01 .. 2021-05-02
LEAST = 11  # no stored frequency covers fewer persons; smaller cells are pooled with their neighbours
CHUNK = 100_000  # rows drawn at once, which bounds the memory of the design matrices

# In the order in which they are drawn: the strongest sources of dependence first.
COMORBIDITIES = [
    "DIABETES", "HIPERTENSION", "OBESITY", "RENAL_CHRONIC", "CARDIOVASCULAR", "COPD", "ASTHMA", "INMSUPR",
    "OTHER_DISEASE", "TOBACCO",
]  # fmt: skip
BAND_STARTS = [0, 1, *range(5, 95, 5), 122]
# Age enters as a linear spline, max(AGE - knot, 0) / 10; interactions use fewer knots than main effects.
KNOTS = {
    "AGE": (0, 1, 3, 12, 15, 18, 21, 25, 30, 35, 40, 45, 50, 60, 70, 80),
    "AGE_COARSE": (0, 18, 35, 50, 65, 80),
}
# Indicators of the coded columns; the category left out is the reference. Units 1, 2, 7 and 13 have so few
# patients that they are told apart in USMER and SEX only; elsewhere they share category 0 of UNIT_GROUP.
CATEGORIES = {
    "MEDICAL_UNIT": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13), "UNIT_GROUP": (0, 3, 4, 5, 6, 8, 9, 10, 11),
    "USMER": (1,), "SEX": (1,), "PATIENT_TYPE": (2,), "PREGNANT": (1, 98), "PNEUMONIA": (1, 99),
    "CLASIFFICATION_FINAL": (1, 2, 3, 4, 5, 6), "CARE": (101, 102, 199, 201, 202, 299, 9999),
    "INTUBED": (1, 99), "ICU": (1, 99),
    **dict.fromkeys(COMORBIDITIES, (1, 98)), **{f"UNKNOWN_{i}": (1, 2, 3, 4) * (i > 1) for i in range(11)},
}  # fmt: skip

_BACKGROUND = "UNIT_GROUP USMER SEX AGE AGE_COARSE:SEX"
_HISTORY = _BACKGROUND + " UNIT_GROUP:USMER PREGNANT UNKNOWN_10 " + " ".join(COMORBIDITIES)


def _with_each(pattern: str, columns: list[str] = COMORBIDITIES) -> str:
    return " ".join(pattern.format(column) for column in columns)


# Column -> terms of its model, in the order of drawing. UNKNOWN_i is how many of the first i comorbidities
# are coded 98 (see _add_derived), for these codes come together; CARE is 100 * INTUBED + ICU, drawn as one
# variable since the two are coded unknown together; DIED is 1 or 2 like the other codes.
CHAIN = {
    "MEDICAL_UNIT": "",
    "USMER": "MEDICAL_UNIT",
    "SEX": "MEDICAL_UNIT USMER UNIT_GROUP:USMER",
    "AGE_BAND": "UNIT_GROUP USMER SEX UNIT_GROUP:USMER UNIT_GROUP:SEX",
    **{
        name: f"{_BACKGROUND} UNKNOWN_{i} {_with_each('{0} AGE_COARSE:{0}=1', COMORBIDITIES[:i])}"
        for i, name in enumerate(COMORBIDITIES)
    },
    "PREGNANT": f"{_BACKGROUND} UNKNOWN_10 {' '.join(COMORBIDITIES)}",
    "PATIENT_TYPE": f"{_HISTORY} AGE_COARSE:UNIT_GROUP {_with_each('AGE_COARSE:{0}=1 UNIT_GROUP:{0}=1')}",
    "PNEUMONIA": f"{_HISTORY} PATIENT_TYPE AGE_COARSE:PATIENT_TYPE UNIT_GROUP:PATIENT_TYPE USMER:PATIENT_TYPE"
    f" SEX:PATIENT_TYPE {_with_each('PATIENT_TYPE:{0}=1')}",
    "CLASIFFICATION_FINAL": f"{_HISTORY} PATIENT_TYPE PNEUMONIA AGE_COARSE:PATIENT_TYPE AGE_COARSE:PNEUMONIA"
    " UNIT_GROUP:PATIENT_TYPE UNIT_GROUP:PNEUMONIA PATIENT_TYPE:PNEUMONIA USMER:PATIENT_TYPE",
    "CARE": f"{_HISTORY} PNEUMONIA CLASIFFICATION_FINAL AGE_COARSE:PNEUMONIA UNIT_GROUP:PNEUMONIA"
    " CLASIFFICATION_FINAL:PNEUMONIA",
    "DIED": f"{_HISTORY} PATIENT_TYPE PNEUMONIA CLASIFFICATION_FINAL CARE AGE_COARSE:PATIENT_TYPE"
    " AGE_COARSE:PNEUMONIA AGE_COARSE:INTUBED AGE_COARSE:ICU AGE_COARSE:CLASIFFICATION_FINAL"
    " UNIT_GROUP:PATIENT_TYPE UNIT_GROUP:PNEUMONIA UNIT_GROUP:INTUBED PATIENT_TYPE:PNEUMONIA"
    " PATIENT_TYPE:CLASIFFICATION_FINAL PNEUMONIA:CLASIFFICATION_FINAL CARE:PNEUMONIA"
    f" INTUBED:CLASIFFICATION_FINAL PATIENT_TYPE:UNKNOWN_10 {_with_each('PATIENT_TYPE:{0}=1')}",
}
# What a column holds in the rows of which its model does not speak (see _applies).
NOT_APPLICABLE = {"PREGNANT": 97, "CARE": 9797, "DIED": 1}


def _applies(column: str, cols: dict) -> np.ndarray | slice:
    """Rows of which the model of ``column`` speaks; the others hold the code in ``NOT_APPLICABLE``."""
    if column == "PREGNANT":
        return cols["SEX"] == 1
    if column == "CARE":
        return cols["PATIENT_TYPE"] == 2
    if column == "DIED":  # classification 2 is a death by the verdict of a committee
        return cols["CLASIFFICATION_FINAL"] != 2
    return slice(None)


def _add_derived(cols: dict, column: str) -> None:
    """Add the columns that serve as predictors only, once the column they come from is known."""
    if column == "MEDICAL_UNIT":
        unit = cols["MEDICAL_UNIT"]
        cols["UNIT_GROUP"] = np.where(np.isin(unit, (1, 2, 7, 13)), 0, unit)
    elif column == "CARE":
        cols["INTUBED"], cols["ICU"] = np.divmod(cols["CARE"], 100)
    elif column in COMORBIDITIES[1:]:
        # 0 none of those drawn so far is coded 98, 1 one, 2 fewer than half, 3 half or more, 4 all
        n = COMORBIDITIES.index(column) + 1
        count = sum((cols[name] == 98).astype(int) for name in COMORBIDITIES[:n])
        cols[f"UNKNOWN_{n}"] = np.select([count < 2, count == n, 2 * count >= n], [count, 4, 3], 2)


def _column_names(terms: str) -> list[str]:
    """Names of the design columns of a formula, such as ``AGE>18:SEX=1``."""
    expanded = []
    for term in terms.split():
        names = [""]
        for factor in term.split(":"):
            own = [f"{factor}={category}" for category in CATEGORIES.get(factor, ())]
            own = own or [f"AGE>{knot}" for knot in KNOTS.get(factor, ())] or [factor] * ("=" in factor)
            names = [f"{left}:{right}".lstrip(":") for left in names for right in own]
        expanded += names
    return expanded


def _design(names: list[str], cols: dict, n: int) -> np.ndarray:
    """Design matrix, shape (n, len(names)); each name says how its column is computed."""
    factors: dict[str, np.ndarray] = {}
    design = np.ones((n, len(names)), dtype=np.float32)
    for j, name in enumerate(names):
        for factor in name.split(":"):
            if factor not in factors:
                column, sign, value = re.split("([=>])", factor)
                known, value = cols[column], int(value)
                spline = sign == ">"  # ages over 100 count as 100: too few to bear a slope
                factors[factor] = np.clip(known - value, 0, 100 - value) / 10 if spline else known == value
            design[:, j] *= factors[factor]
    return design


def _draw(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions drawn with the relative frequencies in each row of ``shares``, shape (n, k)."""
    edges = np.cumsum(shares, axis=1)
    return (edges < rng.random((len(shares), 1)) * edges[:, -1:]).sum(axis=1)


def _draw_states(model: dict, cols: dict, n: int, rng: np.random.Generator) -> np.ndarray:
    """Codes drawn from a multinomial logistic model, shape (n,); its first state has logit 0."""
    logits = np.tile(np.array([0.0, *model["intercepts"]]), (n, 1))
    if names := list(model["coefficients"]):
        coefficients = np.array(list(model["coefficients"].values()), dtype=np.float32)
        logits[:, 1:] += _design(names, cols, n) @ coefficients
    return np.array(model["states"])[_draw(np.exp(logits - logits.max(axis=1, keepdims=True)), rng)]


def _draw_within(groups: np.ndarray, bins_by_group: list, rng: np.random.Generator) -> np.ndarray:
    """Integers from the bins [start, width, share] of each row's group, evenly within a bin; else 0."""
    drawn = np.zeros(len(groups), dtype=np.int64)
    for group, bins in enumerate(bins_by_group):
        rows = np.flatnonzero(groups == group)
        start, width, share = np.array(bins).T
        chosen = rng.choice(len(share), size=rows.size, p=share / share.sum())
        drawn[rows] = start[chosen] + np.floor(rng.random(rows.size) * width[chosen])
    return drawn


def _age_group(cols: dict) -> np.ndarray:
    return 2 * cols["AGE_BAND"] + cols["SEX"] - 1


def _calendar_group(cols: dict) -> np.ndarray:
    """Groups with a calendar of deaths: classification x unit x admission; pneumonia unknown; -1 alive."""
    by_class = np.array([0, 0, 0, 0, 1, 1, 1, 2])[cols["CLASIFFICATION_FINAL"]]  # positive, open, negative
    by_unit = np.select([cols["MEDICAL_UNIT"] == 4, cols["MEDICAL_UNIT"] == 12], [0, 1], 2)
    groups = 6 * by_class + 2 * by_unit + cols["PATIENT_TYPE"] - 1
    # Pneumonia was coded as unknown in the first months only, and so those deaths all fall there.
    return np.select([cols["DIED"] != 1, cols["PNEUMONIA"] == 99], [-1, 18], groups)


def _simulate_chunk(model: dict, n: int, rng: np.random.Generator) -> pd.DataFrame:
    cols: dict[str, np.ndarray] = {}
    for column in CHAIN:
        rows = _applies(column, cols)
        values = np.full(n, NOT_APPLICABLE.get(column, 0))
        known = {name: already[rows] for name, already in cols.items()}
        values[rows] = _draw_states(model["chain"][column], known, len(values[rows]), rng)
        cols[column] = values
        _add_derived(cols, column)
        if column == "AGE_BAND":
            cols["AGE"] = _draw_within(_age_group(cols), model["ages"], rng)
    days = _draw_within(_calendar_group(cols), model["days_of_death"], rng)
    names = pd.Series(FIRST_DAY + np.arange(N_DAYS)).dt.strftime("%d/%m/%Y").to_numpy(dtype=object)
    cols["DATE_DIED"] = np.where(cols["DIED"] == 1, names[days], ALIVE).astype(object)
    return pd.DataFrame({name: cols[name] for name in RAW_COLUMNS})


def simulate(n_rows: int, *, seed: int) -> pd.DataFrame:
    """Draw a simulated raw table.

    Parameters
    ----------
    n_rows : int
        Number of rows to simulate, at least 0.
    seed : int
        The same seed and number of rows give identical rows.

    Returns
    -------
    pandas.DataFrame
        ``n_rows`` independent rows with the 21 raw columns in their order: int64 codes (97 not applicable, 98
        and 99 unknown; AGE in years), and DATE_DIED as dd/mm/yyyy or 9999-99-99 for the living.

    Raises
    ------
    ValueError
        If ``n_rows`` is negative.
    """
    if n_rows < 0:
        raise ValueError(f"n_rows must be at least 0, not {n_rows}.")
    model = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    rng = np.random.default_rng(seed)
    sizes = [min(CHUNK, n_rows - first) for first in range(0, max(n_rows, 1), CHUNK)]
    return pd.concat([_simulate_chunk(model, n, rng) for n in sizes], ignore_index=True)


def _encode(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Columns of the chain and their predictors from a raw table."""
    cols = {name: table[name].to_numpy() for name in RAW_COLUMNS if name != "DATE_DIED"}
    # INTUBED unknown with ICU known occurs for two persons only: they join those with both unknown.
    cols["CARE"] = np.where(cols["INTUBED"] == 99, 9999, 100 * cols["INTUBED"] + cols["ICU"])
    cols["DIED"] = np.where(table["DATE_DIED"] == ALIVE, 2, 1)
    cols["AGE_BAND"] = np.searchsorted(BAND_STARTS, cols["AGE"], side="right") - 1
    for column in CHAIN:
        _add_derived(cols, column)
    return cols


def _round(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values]


def _fit_states(column: str, cols: dict) -> dict:
    """Fit the (multinomial) logistic model of a column on the rows of which it speaks."""
    from sklearn.linear_model import LogisticRegression

    names = _column_names(CHAIN[column])
    used = {re.split("[=>]", factor)[0] for name in names for factor in name.split(":")} | {column}
    rows = _applies(column, cols)
    # Equal rows are counted once, with a weight: the table repeats itself, and the fit is much faster.
    counts = pd.DataFrame({name: cols[name][rows] for name in sorted(used)}).value_counts().reset_index()
    weight = counts["count"].to_numpy(dtype=float)
    shares = counts.groupby(column)["count"].sum().sort_values(ascending=False)
    states = [int(state) for state in shares.index]
    if not names:
        intercepts = _round(np.log(shares / shares.iloc[0])[1:])
        return {"states": states, "intercepts": intercepts, "coefficients": {}}
    design = _design(names, {name: counts[name].to_numpy() for name in used}, len(counts))
    # Effects that fewer than LEAST persons carry are left out; the ridge penalty shrinks other rare ones.
    carried = weight @ (design != 0) >= LEAST
    model = LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=50)
    model.fit(design[:, carried].astype(float), counts[column], sample_weight=weight)
    logits = np.vstack([model.intercept_, model.coef_.T])
    logits = np.hstack([np.zeros_like(logits), logits]) if len(states) == 2 else logits
    logits = logits[:, np.searchsorted(model.classes_, states)]
    intercepts, *effects = [_round(row[1:] - row[0]) for row in logits]
    kept = [name for name, keep in zip(names, carried, strict=True) if keep]
    return {"states": states, "intercepts": intercepts, "coefficients": dict(zip(kept, effects, strict=True))}


def _bins(values: np.ndarray, start: int, stop: int) -> list[list]:
    """Bins [start, width, share] of [start, stop): neighbours pooled until each holds LEAST persons."""
    counts = np.bincount(values - start, minlength=stop - start)
    edges, held = [0], 0
    for position, count in enumerate(counts, start=1):
        held += count
        if held >= LEAST:
            edges.append(position)
            held = 0
    edges[max(len(edges) - 1, 1) :] = [len(counts)]  # the last bin also takes what was left over
    shares = _round(np.add.reduceat(counts, edges[:-1]) / counts.sum())
    return [[start + a, b - a, share] for (a, b), share in zip(pairwise(edges), shares, strict=True)]


def calibrate(table: pd.DataFrame) -> dict:
    """Fit the coefficients of the chain on the real raw table; needs scikit-learn.

    Parameters
    ----------
    table : pandas.DataFrame
        The raw table, shape (n, 21), as published.

    Returns
    -------
    dict
        Aggregated coefficients, ready for JSON: ``about`` (what they are, number of rows), ``chain`` (one
        model a column), ``ages`` and ``days_of_death`` (pooled shares of years and days, by group).
    """
    cols = _encode(table)
    ages, calendars = _age_group(cols), _calendar_group(cols)
    dates = pd.to_datetime(table["DATE_DIED"], format="%d/%m/%Y", errors="coerce")
    # The living are in no group of the calendar: any day does for them.
    days = (dates - FIRST_DAY).dt.days.fillna(0).to_numpy(dtype=int)
    years = [limits for limits in pairwise(BAND_STARTS) for _ in (1, 2)]
    return {
        "about": {
            "rows": len(table),
            "source": "COVID-19 Mexico, General Directorate of Epidemiology, as on Kaggle (meirnizri)",
            "what": "Aggregated coefficients for medsynth.cohorts.covid_mexico, no records;"
            f" every stored frequency covers at least {LEAST} persons.",
        },
        "ages": [_bins(cols["AGE"][ages == group], *limits) for group, limits in enumerate(years)],
        "chain": {column: _fit_states(column, cols) for column in CHAIN},
        "days_of_death": [_bins(days[calendars == group], 0, N_DAYS) for group in range(19)],
    }


def main(path: str) -> None:
    """Recalibrate on the raw CSV file, or the zip that holds it, and write the coefficients."""
    text = json.dumps(calibrate(pd.read_csv(path)), indent=1, sort_keys=True)
    # Innermost lists on one line, so that a diff shows one coefficient a line.
    text = re.sub(r"\[[^][{}]*\]", lambda found: "[" + " ".join(found[0][1:-1].split()) + "]", text)
    COEFFICIENTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
