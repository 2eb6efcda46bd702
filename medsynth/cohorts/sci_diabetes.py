"""A simulated cohort with the raw schema of the Med-VAE paper's SCI-Diabetes table.

The register is restricted, so nothing here was fitted to its records. A patient is drawn as a clinician would tell
the story: type of diabetes, ethnicity, age and sex; duration and smoking; the levels about which the measurements
vary (weight, HbA1c, kidneys, blood pressure, albumin); what five years of measuring them show; the drugs that all of
this calls for; the risks of foot and eye. The slopes on age are probably steeper than in clinics: an age of 60 is meant
to be predictable about as well as the paper reports (accuracy 0.88), so that this is so here says nothing about the
paper. Each constant names its source:

- [paper] and [notebook]: the Med-VAE paper; means and class counts readable in its published notebook
- [SDRN] McGurnaghan et al. 2022, BMJ Open 12:e063046, Table 2 (everybody in SCI-Diabetes between 2006 and 2020)
- [Mair] Mair et al. 2019, Diabetologia 62:1375, abstract; [Looker] Looker et al. 2012, Diabetologia 55:2335, abstract
- [Leese] Leese and Stang 2016, Diabetic Foot Journal; [high-risk] PMC6223842, abstract (247,278 people of the register)
- [MDRD] Levey et al. 2006, Ann Intern Med 145:247
- [choice] our own, plausible but without a source: every slope, and every spread and share not marked otherwise
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

N_PAPER = 70_162  # [paper] rows
WINDOW = 5.0  # [paper] years of records

# [notebook] training rows a class: the middle of the range that the counts of batches leave.
TYPES = {
    "Maturity Onset Diabetes of Youth": 48, "Secondary - Drug Induced": 16, "Secondary - Pancreatic Pathology": 112,
    "Type 1 Diabetes Mellitus": 7_025, "Type 2 Diabetes Mellitus": 48_945,
}  # fmt: skip
# [notebook] current, ex and never; the 14 rows that are left are taken for those who declined.
SMOKING = {"Current smoker": 10_320, "Ex-smoker": 17_745, "Never smoked": 28_050, "Patient declined": 14}
# [SDRN] per cent: white 73.1, South Asian 2.3, black 0.4, Chinese 0.3, other 3.4, unknown 20.6 (here 98, 99 and the
# empty blocks). The split within a group is [choice]. The published table has no column for 1A (white Scottish),
# the largest group; whether those rows are all 0 there is not known, so 1B stands for all white British here.
ETHNICITY = {
    "1B": 69.2, "1C": 0.8, "1L": 0.6, "1Z": 2.5, "2A": 0.4, "3F": 1.2, "3G": 0.9, "3H": 0.2, "3J": 0.3, "3Z": 0.5,
    "4D": 0.25, "4Y": 0.05, "5C": 0.05, "5D": 0.05, "6A": 0.3, "6Z": 2.2, "98": 1.0, "99": 16.5,
}  # fmt: skip
EMPTY_BLOCK = {"smoking": 0.02, "ethCode": 0.03}  # [choice] share of rows with nothing recorded
MALE = 0.555  # [SDRN]

# Mean and standard deviation of age at the end of the record, in the order of TYPES. Type 1: near the median 47.1 and
# quartiles 30.3, 61.5 of [SDRN]; type 2: so that the mean over all is 64.13 [notebook]; else [choice].
AGE = ((38, 13), (62, 12), (61, 12), (46.5, 17.5), (66.7, 12.4))
AGE_RANGE = (14, 103)  # [choice]
AGE_UNIT = 12.4  # slopes "age" below are per 12.4 years from the mean age of the type, "years" from the mean of all
AGE_OF_ALL = 64.13  # [notebook]
MINORITY_YEARS = 7  # [choice] years by which people who are not white are younger
# Duration. Type 1: share of life, near the median 18.5 of [SDRN]; others: years, so that the mean over all is 10.47
# [notebook], longer by the rate per year of age; [choice] for the shapes.
TYPE1_SHARE_OF_LIFE = (1.6, 2.0)  # beta distribution
DURATION_MEAN, DURATION_SHAPE, DURATION_PER_YEAR = 8.6, 1.6, 0.025
ADULT_ONSET = 16  # [choice] types other than 1 do not begin earlier
NEGATIVE_DURATION = 0.003  # [choice] share of rows with a diagnosis dated up to half a year after the extract

# Long-term levels, drawn in this order: level for (type 2, type 1, other types) at their mean age, slopes on what is
# known by then (standardised), spread of what is left. On the log scale where the level is in LOG_SCALE.
# HbA1c, type 1: so that median and interquartile range are near 68 and 21 mmol/mol [Mair]; all else [choice].
LEVELS = {
    "bmi": ((31.3, 26.8, 27.0), {"age": -0.085, "male": -0.02}, 0.16),  # kg/m2
    "hba1c": ((54.5, 65.5, 62.0), {"age": -0.07, "duration": 0.05, "bmi": 0.03}, 0.18),  # mmol/mol
    "egfr": ((78.0, 96.0, 80.0), {"age": -13.5, "duration": -2.0, "bmi": -1.5}, 10.5),  # ml/min/1.73 m2, latent
    "sbp": ((134.0, 128.0, 130.0), {"age": 3.8, "bmi": 1.5, "egfr": -1.0}, 8.5),  # mmHg
    "dbp": ((75.5, 76.0, 75.0), {"age": -4.6, "sbp": 3.0, "bmi": 0.8}, 4.3),  # mmHg
    "acr": ((1.5, 1.0, 1.5), {"age": 0.15, "duration": 0.2, "hba1c": 0.2, "sbp": 0.2, "egfr": -0.4}, 1.1),  # mg/mmol
    "plasma_alb": ((40.0, 42.0, 39.5), {"age": -0.9, "acr": -0.4, "egfr": 0.3}, 2.1),  # g/l
}
LOG_SCALE = ("bmi", "hba1c", "acr")
EGFR_RANGE = (7, 140)  # below it people are on dialysis, which creatinine no longer describes
CREATININE_FROM_EGFR = (175, 1.154, 0.203, 0.742)  # [MDRD] factor, powers of creatinine and age, factor for women

# What measuring shows, all [choice]: mean number of measurements in the window, share of people without any, standard
# deviation within a person (share of the level), mean drift a year (share of the level), decimals.
MEASURES = {
    "hba1c": (9, 0.01, 0.09, 0.004, 0), "sbp": (13, 0.01, 0.08, 0.0, 0), "dbp": (13, 0.01, 0.08, -0.003, 0),
    "bmi": (8, 0.03, 0.03, -0.004, 1), "acr": (4, 0.25, 0.55, 0.03, 1), "creat": (10, 0.01, 0.08, 0.008, 0),
    "plasma_alb": (8, 0.15, 0.05, -0.004, 0),
}  # fmt: skip
DRIFT_SPREAD = 0.25  # spread of the drift between people, as a share of the spread within a person
OUTLIERS, OUTLIER_FACTOR = 0.001, (2, 6)  # [choice] share of last values that are slips, and what they multiply by

# Share of (type 2, type 1, other types) who were given the drug, and slopes (log odds a standard deviation); all
# [choice]: guidelines' indications, with metformin falling and loop diuretics rising as the kidneys fail.
DRUGS = {
    "betablockers": ((0.30, 0.10, 0.25), {"age": 0.3, "heart": 1.1}),
    "calcium_channel_blockers": ((0.34, 0.12, 0.25), {"age": 0.55, "sbp": 0.6}),
    "angiotensin_receptor_blockers": ((0.17, 0.09, 0.12), {"age": 0.35, "sbp": 0.4, "acr": 0.2}),
    "ace_inhibitors": ((0.45, 0.28, 0.35), {"age": 0.3, "sbp": 0.3, "acr": 0.5}),
    "thiazide_diuretics": ((0.16, 0.05, 0.10), {"age": 0.6, "sbp": 0.4}),
    "loop_diuretics": ((0.19, 0.06, 0.20), {"age": 0.8, "heart": 0.8, "egfr": -0.6}),
    "potassium_sparing_diuretics": ((0.05, 0.02, 0.05), {"age": 0.5, "heart": 0.8}),
    "other_diuretics": ((0.01, 0.003, 0.01), {"age": 0.4, "heart": 0.4}),
    "other_antihypertensives": ((0.09, 0.03, 0.06), {"age": 0.6, "male": 0.4, "sbp": 0.5}),
    "metformin_preparations": ((0.70, 0.06, 0.30), {"age": -0.4, "hba1c": 0.4, "egfr": 0.9}),
    "sglt2_inhibitors": ((0.21, 0.01, 0.06), {"age": -0.9, "hba1c": 0.5, "bmi": 0.3, "egfr": 0.3}),
    "glp1_receptor_agonists": ((0.14, 0.006, 0.03), {"age": -0.8, "hba1c": 0.5, "bmi": 0.9}),
    "sulfonylureas": ((0.28, 0.005, 0.30), {"age": 0.1, "duration": 0.5, "hba1c": 0.4}),
    "dpp4_inhibitors": ((0.18, 0.003, 0.05), {"age": 0.4, "duration": 0.3, "hba1c": 0.3}),
    "thiazolidinediones": ((0.04, 0.001, 0.01), {"duration": 0.3, "hba1c": 0.3}),
    "long_acting_insulins": ((0.12, 0.88, 0.50), {"duration": 0.8, "hba1c": 0.6}),
    "short_acting_insulins": ((0.07, 0.92, 0.45), {"age": -0.2, "duration": 0.8, "hba1c": 0.5}),
    "intermediate_acting_insulins": ((0.07, 0.06, 0.10), {"age": 0.3, "duration": 0.9, "hba1c": 0.4}),
    "nitrate_drugs": ((0.14, 0.04, 0.12), {"age": 0.6, "heart": 1.4}),
    "statin_drugs": ((0.75, 0.45, 0.55), {"age": 0.9, "heart": 0.6}),
    "digoxin_preparations": ((0.04, 0.01, 0.04), {"age": 1.1, "heart": 0.7}),
    "nicorandil_and_related_drugs": ((0.04, 0.01, 0.03), {"age": 0.6, "heart": 1.4}),
}
HEART = {"age": 0.45, "male": 0.2, "sbp": 0.2, "acr": 0.15}  # slopes of an unseen burden of heart disease
PRESCRIPTIONS, PRESCRIPTIONS_SHAPE = 26, 1.6  # [choice] one in ten weeks over the window, gamma-distributed
MORE_WITH_AGE = 0.25  # [choice] log prescriptions and log measurements per AGE_UNIT years

# Risks: codes, share of each, slopes of the liability, its standard deviation (measured on 300,000 rows of this cohort;
# more than `_spread` as the predictors go together), share missing. Foot: high 7 % [high-risk], graded in 95 %
# [Leese]. Eye: any retinopathy a little above the 19.3 % at diagnosis, 91.4 % screened [Looker]. Else [choice].
RISKS = {
    "foot_risk": ((0, 1, 2, 4), (0.70, 0.22, 0.07, 0.01),
                  {"years": 0.7, "duration": 0.3, "heart": 0.2, "egfr": -0.1, "hba1c": 0.2}, 1.49, 0.05),
    "eye_risk": ((0, 1, 2, 3, 4), (0.73, 0.19, 0.035, 0.02, 0.025),
                 {"duration": 0.8, "hba1c": 0.4, "sbp": 0.15, "bmi": -0.1, "male": 0.1}, 1.43, 0.086),
}  # fmt: skip

SUMMARIES = ("median_value", "last_value", "n_measures", "iqr", "gradient_values")
RAW_COLUMNS = [
    "age", "duration", *(f"{summary}_{measure}" for measure in MEASURES for summary in SUMMARIES),
    *(f"dm_type_{level}" for level in TYPES), *(f"smoking_{level}" for level in SMOKING),
    *(f"ethCode_{code}" for code in ETHNICITY), *RISKS, "sex_Male", *(f"{drug}_prescribed" for drug in DRUGS),
]  # fmt: skip
GROUP = np.array([2, 2, 2, 1, 0])  # of TYPES: position in the triples (type 2, type 1, other types)


def _choose(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One position a row of `weights`, in proportion to them; shape (n, k) -> (n,)."""
    cumulative = np.cumsum(weights, axis=1)
    return (cumulative < rng.random((len(weights), 1)) * cumulative[:, -1:]).sum(axis=1)


def _linear(slopes: dict[str, float], z: dict[str, np.ndarray]) -> np.ndarray:
    return sum((slope * z[name] for name, slope in slopes.items()), start=np.zeros(()))


def _spread(slopes: dict[str, float], rest: float) -> float:
    """Standard deviation of a linear predictor with a rest, were its predictors independent."""
    return float(np.sqrt(rest**2 + sum(slope**2 for slope in slopes.values())))


def _draw_person(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Type, ethnicity, age, sex, duration; and in "z" what later steps predict from, standardised."""
    kind = _choose(np.tile(list(TYPES.values()), (n, 1)), rng)
    ethnicity = _choose(np.tile(list(ETHNICITY.values()), (n, 1)), rng)
    minority = np.array([code[0] in "23456" for code in ETHNICITY])
    share = np.array(list(ETHNICITY.values()))[minority].sum() / sum(ETHNICITY.values())
    # A beta distribution keeps ages within bounds without piling them up there.
    (low, high), (mean, sd) = AGE_RANGE, np.array(AGE, dtype=float).T
    mean, sd = (mean - low) / (high - low), sd / (high - low)
    size = mean * (1 - mean) / sd**2 - 1
    age = low + (high - low) * rng.beta((mean * size)[kind], ((1 - mean) * size)[kind])
    age = np.clip(np.round(age - MINORITY_YEARS * (minority[ethnicity] - share)), low, high)
    male = rng.random(n) < MALE
    type1 = kind == 3
    typical = DURATION_MEAN * np.exp(DURATION_PER_YEAR * (age - AGE[4][0]))
    later = np.minimum(rng.gamma(DURATION_SHAPE, typical / DURATION_SHAPE), np.maximum(age - ADULT_ONSET, 0.1))
    duration = np.where(type1, age * rng.beta(*TYPE1_SHARE_OF_LIFE, n), later)
    z = {
        "age": (age - np.array(AGE)[kind, 0]) / AGE_UNIT,
        "years": (age - AGE_OF_ALL) / AGE_UNIT,
        "male": (male - MALE) / np.sqrt(MALE * (1 - MALE)),
        "duration": (np.log1p(duration) - np.log1p(8.0)) / 0.75,  # of this cohort: a median of about 8 years
    }
    return {"kind": kind, "ethnicity": ethnicity, "age": age, "male": male, "duration": duration, "z": z}


def _draw_smoking(person: dict, rng: np.random.Generator) -> np.ndarray:
    """Position in SMOKING: current smokers are younger, ex-smokers older and more often men [choice]."""
    z = person["z"]
    slopes: tuple[dict[str, float], ...] = ({"age": -0.45}, {"age": 0.25, "male": 0.2}, {}, {})
    # Half the squared slopes off keeps the shares where the table has them.
    tilts = [np.exp(_linear(s, z) - sum(v**2 for v in s.values()) / 2) * np.ones(len(z["age"])) for s in slopes]
    return _choose(np.array(list(SMOKING.values())) * np.column_stack(tilts), rng)


def _draw_levels(person: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Long-term level of each measure; adds them, and the heart's burden, to the standardised predictors."""
    z, group, n, levels = person["z"], GROUP[person["kind"]], len(person["age"]), {}
    for name, (centres, slopes, rest) in LEVELS.items():
        deviation = _linear(slopes, z) + rest * rng.standard_normal(n)
        z[name] = deviation / _spread(slopes, rest)
        centre = np.array(centres)[group]
        levels[name] = centre * np.exp(deviation) if name in LOG_SCALE else centre + deviation
    z["heart"] = (_linear(HEART, z) + rng.standard_normal(n)) / _spread(HEART, 1.0)
    factor, power, power_age, women = CREATININE_FROM_EGFR
    at_unit = factor * person["age"] ** -power_age * np.where(person["male"], 1.0, women)
    levels["creat"] = 88.4 * (at_unit / np.clip(levels.pop("egfr"), *EGFR_RANGE)) ** (1 / power)  # umol/l
    return levels


def _measure(person: dict, levels: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Median, last value, number, interquartile range and gradient (a year) of the measurements in the window."""
    n = len(person["age"])
    raw: dict[str, np.ndarray] = {}
    counts: dict[str, np.ndarray] = {}
    years = np.clip(person["duration"], 1.0, WINDOW)
    contact = years / WINDOW * np.exp(MORE_WITH_AGE * person["z"]["age"] + 0.3 * rng.standard_normal(n))
    for name, (mean_n, without, within, drift, decimals) in MEASURES.items():
        taken = np.where(rng.random(n) < without, 0, 1 + rng.poisson((mean_n - 1) * contact))
        # Both blood pressures come from one reading.
        count = counts[name] = counts["sbp"] if name == "dbp" else taken
        spread = within * np.exp(0.3 * rng.standard_normal(n))
        slope = drift + DRIFT_SPREAD * within * rng.standard_normal(n)
        root = np.sqrt(np.maximum(count, 1))
        middle = levels[name] * np.exp(spread * rng.standard_normal(n) / root)
        last = levels[name] * np.exp(slope * years / 2 + spread * rng.standard_normal(n))
        slips = rng.random(n) < OUTLIERS
        last = np.where(slips, last * rng.uniform(*OUTLIER_FACTOR, n), last)
        last = np.round(np.where(count == 1, middle, last), decimals)
        iqr = 1.35 * spread * levels[name] * np.exp(0.5 * rng.standard_normal(n) / np.sqrt(np.maximum(count - 1, 1)))
        # Measurements close in time make the gradient noisy, so its tails are heavy.
        noise = spread * rng.standard_normal(n) / root / rng.gamma(3.0, years / 6)
        # Medians of an even number lie half way between two values.
        half = 2 * 10**decimals
        middle = np.where(count == 1, last, np.round(middle * half) / half)
        raw[f"median_value_{name}"] = np.where(count == 0, np.nan, middle)
        raw[f"last_value_{name}"] = np.where(count == 0, np.nan, last)
        raw[f"n_measures_{name}"] = count
        raw[f"iqr_{name}"] = np.where(count < 2, np.nan, np.round(iqr * half) / half)
        raw[f"gradient_values_{name}"] = np.where(count < 2, np.nan, np.round(levels[name] * (slope + noise), 3))
    return raw


def _prescribe(person: dict, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Number of prescriptions of each drug in the window; 0 if never given."""
    z, group, n = person["z"], GROUP[person["kind"]], len(person["age"])
    adherence = np.exp(MORE_WITH_AGE * z["age"]) * np.clip(person["duration"], 1.0, WINDOW) / WINDOW
    raw = {}
    for name, (shares, slopes) in DRUGS.items():
        # The logistic curve flattens when averaged over a spread of predictors; the factor makes up for it.
        steeper = np.sqrt(1 + np.pi / 8 * _spread(slopes, 0.0) ** 2)
        log_odds = np.log(np.array(shares) / (1 - np.array(shares)))[group] * steeper + _linear(slopes, z)
        given = rng.random(n) < 1 / (1 + np.exp(-log_odds))
        mean = rng.gamma(PRESCRIPTIONS_SHAPE, PRESCRIPTIONS / PRESCRIPTIONS_SHAPE, n) * adherence
        raw[f"{name}_prescribed"] = np.where(given, 1 + rng.poisson(mean), 0)
    return raw


def _grade_risks(person: dict, rng: np.random.Generator) -> dict[str, pd.Series]:
    """Foot and eye risk: a normal liability cut where the shares say."""
    raw, n = {}, len(person["age"])
    for name, (codes, shares, slopes, spread, missing) in RISKS.items():
        liability = (_linear(slopes, person["z"]) + rng.standard_normal(n)) / spread
        cuts = [NormalDist().inv_cdf(share) for share in np.cumsum(shares)[:-1]]
        # A nullable type, so that a file has 1, not 1.0, beside its empty cells.
        grade = pd.Series(np.array(codes)[np.searchsorted(cuts, liability)], dtype="Int64")
        raw[name] = grade.mask(rng.random(n) < missing)
    return raw


def _one_hot(block: str, levels: dict, chosen: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """0/1 columns of a block; all 0 where nothing was recorded."""
    recorded = rng.random(len(chosen)) >= EMPTY_BLOCK.get(block, 0.0)
    return {f"{block}_{level}": ((chosen == i) & recorded).astype(np.int64) for i, level in enumerate(levels)}


def simulate(n_rows: int, *, seed: int) -> pd.DataFrame:
    """Draw a simulated raw table.

    Parameters
    ----------
    n_rows : int
        Number of rows to simulate, at least 0; the paper has ``N_PAPER``.
    seed : int
        The same seed and number of rows give identical rows.

    Returns
    -------
    pandas.DataFrame
        ``n_rows`` independent rows with ``RAW_COLUMNS``: age and duration (years; some durations are negative),
        summaries of the measurements (empty without measurements; range and gradient need two), one-hot blocks
        (all 0: not recorded), risks (empty: not graded), and numbers of prescriptions.

    Raises
    ------
    ValueError
        If ``n_rows`` is negative.
    """
    if n_rows < 0:
        raise ValueError(f"n_rows must be at least 0, not {n_rows}.")
    rng = np.random.default_rng(seed)
    person = _draw_person(n_rows, rng)
    smoking = _draw_smoking(person, rng)
    levels = _draw_levels(person, rng)
    after_extract = rng.random(n_rows) < NEGATIVE_DURATION
    duration = np.where(after_extract, -rng.uniform(0.01, 0.5, n_rows), person["duration"])
    raw = {"age": person["age"].astype(np.int64), "duration": np.round(duration, 2)}
    raw |= _measure(person, levels, rng) | _prescribe(person, rng) | _grade_risks(person, rng)
    raw |= _one_hot("dm_type", TYPES, person["kind"], rng) | _one_hot("smoking", SMOKING, smoking, rng)
    raw |= _one_hot("ethCode", ETHNICITY, person["ethnicity"], rng) | {"sex_Male": person["male"].astype(np.int64)}
    return pd.DataFrame({name: raw[name] for name in RAW_COLUMNS})
