"""The simulated COVID-19 Mexico cohort: raw conventions, repeatability, and likeness to the real table."""

import json
import os
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from medsynth import cohorts
from medsynth.cohorts import covid_mexico

N_ROWS = 200_000
CODES = {name: [1, 2, 98] for name in covid_mexico.COMORBIDITIES} | {
    "USMER": [1, 2],
    "MEDICAL_UNIT": list(range(1, 14)),
    "SEX": [1, 2],
    "PATIENT_TYPE": [1, 2],
    "INTUBED": [1, 2, 97, 99],
    "PNEUMONIA": [1, 2, 99],
    "PREGNANT": [1, 2, 97, 98],
    "CLASIFFICATION_FINAL": [1, 2, 3, 4, 5, 6, 7],
    "ICU": [1, 2, 97, 99],
}
AGE_BANDS = [0, 1, 5, 12, 18, 25, 35, 45, 55, 65, 75, 85, 122]
BROAD_BANDS = [0, 18, 40, 60, 80, 122]


@pytest.fixture(scope="module")
def simulated():
    return cohorts.simulate("covid_mexico", N_ROWS, seed=1)


@pytest.fixture(scope="module")
def real():
    folder = os.environ.get("MEDSYNTH_RAW_DIR")
    path = Path(folder or ".") / "covid_mexico" / "Covid Data.zip"
    if not folder or not path.exists():
        pytest.skip("needs the real table: set MEDSYNTH_RAW_DIR to a folder with 'covid_mexico/Covid Data.zip'")
    return pd.read_csv(path)


def died(table):
    return table["DATE_DIED"] != "9999-99-99"


def coded(table):
    """The coded columns, with age in bands and death as yes or no."""
    bands = pd.cut(table["AGE"], AGE_BANDS, right=False, labels=False)
    return table.assign(AGE=bands, DIED=died(table)).drop(columns="DATE_DIED")


def cramers_v(table):
    """Cramer's V of all pairs of columns."""
    codes = {name: np.unique(table[name], return_inverse=True)[1] for name in table}
    found = {}
    for a, b in combinations(codes, 2):
        width = codes[b].max() + 1
        counts = np.bincount(codes[a] * width + codes[b], minlength=(codes[a].max() + 1) * width)
        counts = counts.reshape(-1, width)
        expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / len(table)
        chi2 = ((counts - expected) ** 2 / expected).sum()
        found[a, b] = np.sqrt(chi2 / len(table) / (min(counts.shape) - 1))
    return pd.Series(found)


def yes(table):
    """Indicators of "yes", the unknown codes counted as no, with age in years."""
    names = [name for name in CODES if name not in ("MEDICAL_UNIT", "CLASIFFICATION_FINAL")]
    positive = table["CLASIFFICATION_FINAL"] <= 3
    return (table[names] == 1).assign(AGE=table["AGE"], DIED=died(table), POSITIVE=positive).astype(float)


def rates(table, rows, event, *by):
    """Share of rows with the event, by broad age band and the columns named."""
    chosen = table[rows].assign(EVENT=event[rows])
    age = pd.cut(chosen["AGE"], BROAD_BANDS, right=False).rename("AGE_BAND")
    return chosen.groupby([age, *by], observed=True)["EVENT"].mean()


def test_columns_order_and_dtypes_are_those_of_the_raw_file(simulated):
    assert list(simulated.columns) == covid_mexico.RAW_COLUMNS
    assert simulated.shape == (N_ROWS, 21)
    assert (simulated.drop(columns="DATE_DIED").dtypes == np.int64).all()
    assert simulated["DATE_DIED"].map(type).eq(str).all()


@pytest.mark.parametrize("column", CODES)
def test_only_codes_of_the_raw_file_occur_and_each_of_them_does(simulated, column):
    assert sorted(simulated[column].unique()) == CODES[column]


def test_age_is_in_years_with_97_to_99_as_ages(simulated):
    assert simulated["AGE"].between(0, 121).all()
    assert simulated["AGE"].isin([97, 98, 99]).mean() < 0.001


@pytest.mark.parametrize("column", ["INTUBED", "ICU"])
def test_intubation_and_icu_do_not_apply_exactly_to_outpatients(simulated, column):
    assert ((simulated[column] == 97) == (simulated["PATIENT_TYPE"] == 1)).all()


def test_pregnancy_does_not_apply_exactly_to_males(simulated):
    assert ((simulated["PREGNANT"] == 97) == (simulated["SEX"] == 2)).all()


def test_dates_of_death_are_days_of_the_epidemic(simulated):
    days = pd.to_datetime(simulated.loc[died(simulated), "DATE_DIED"], format="%d/%m/%Y")
    assert days.between("2020-01-01", "2021-05-02").all()


def test_death_by_verdict_of_a_committee_means_dead(simulated):
    assert died(simulated)[simulated["CLASIFFICATION_FINAL"] == 2].all()


def test_same_seed_gives_identical_rows():
    pd.testing.assert_frame_equal(covid_mexico.simulate(5_000, seed=3), covid_mexico.simulate(5_000, seed=3))


def test_other_seed_gives_other_rows():
    assert not covid_mexico.simulate(5_000, seed=3).equals(covid_mexico.simulate(5_000, seed=4))


@pytest.mark.parametrize("n_rows", [0, 1, pytest.param(100_001, marks=pytest.mark.slow)])
def test_any_number_of_rows_can_be_drawn(n_rows):
    table = covid_mexico.simulate(n_rows, seed=1)
    assert table.shape == (n_rows, 21)
    assert (table.drop(columns="DATE_DIED").dtypes == np.int64).all()


def test_negative_number_of_rows_is_refused():
    with pytest.raises(ValueError, match="at least 0"):
        covid_mexico.simulate(-1, seed=1)


def test_unknown_dataset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'titanic'.*covid_mexico"):
        cohorts.simulate("titanic", 10, seed=1)


def test_coefficients_hold_no_records():
    text = covid_mexico.COEFFICIENTS.read_text()
    model = json.loads(text)
    assert len(text) < 200_000  # 1,048,575 records do not fit into 0.2 bytes each
    assert set(model) == {"about", "ages", "chain", "days_of_death"}
    assert set(model["chain"]) == set(covid_mexico.CHAIN)


def test_every_stored_frequency_covers_at_least_eleven_persons(real):
    model = json.loads(covid_mexico.COEFFICIENTS.read_text())
    cols = covid_mexico._encode(real)
    groups = {"ages": covid_mexico._age_group(cols), "days_of_death": covid_mexico._calendar_group(cols)}
    for part, group in groups.items():
        sizes = np.bincount(group[group >= 0], minlength=len(model[part]))
        for size, bins in zip(sizes, model[part], strict=True):
            # 0.1 person of slack: shares are rounded to 5 digits
            assert all(share * size > covid_mexico.LEAST - 0.1 for _, _, share in bins)


@pytest.mark.parametrize("column", [*CODES, "AGE", "DIED"])
def test_marginals_match_the_real_table(real, simulated, column):
    shares = [coded(table)[column].value_counts(normalize=True) for table in (real, simulated)]
    assert shares[0].sub(shares[1], fill_value=0).abs().sum() / 2 < 0.005  # achieved: 0.003 at most


def test_age_quantiles_match_the_real_table(real, simulated):
    at = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
    assert (real["AGE"].quantile(at) - simulated["AGE"].quantile(at)).abs().max() <= 1  # achieved: 0


def test_months_of_death_match_the_real_table(real, simulated):
    months = [t.loc[died(t), "DATE_DIED"].str[3:].value_counts(normalize=True) for t in (real, simulated)]
    assert months[0].sub(months[1], fill_value=0).abs().sum() / 2 < 0.02  # achieved: 0.012


@pytest.mark.slow
def test_pairwise_associations_match_the_real_table(real, simulated):
    difference = (cramers_v(coded(real)) - cramers_v(coded(simulated))).abs()
    assert difference.max() < 0.03, difference.idxmax()  # achieved: 0.015
    assert difference.mean() < 0.004  # achieved: 0.003


def test_correlations_of_yes_codes_match_the_real_table(real, simulated):
    # Cramer's V between comorbidities is mostly the unknown codes coming together; this is the medicine.
    difference = (yes(real).corr() - yes(simulated).corr()).abs().stack()
    assert difference.max() < 0.02, difference.idxmax()  # achieved: 0.012


EVERYONE, INPATIENTS, INTUBATED = "everyone", "inpatients", "intubated"
RATES = {
    "admission": ("PATIENT_TYPE", 2, EVERYONE, [], 0.02),
    "pneumonia": ("PNEUMONIA", 1, EVERYONE, ["PATIENT_TYPE"], 0.04),
    "death": ("DIED", True, EVERYONE, ["PATIENT_TYPE"], 0.03),
    "intubation": ("INTUBED", 1, INPATIENTS, [], 0.02),
    "ICU": ("ICU", 1, INPATIENTS, [], 0.02),
    "death by intubation": ("DIED", True, INPATIENTS, ["INTUBED"], 0.08),
    "ICU of the intubated": ("ICU", 1, INTUBATED, [], 0.08),
}


@pytest.mark.parametrize("name", RATES)
def test_clinical_rates_by_age_match_the_real_table(real, simulated, name):
    column, code, who, by, tolerance = RATES[name]
    found = []
    for table in (real, simulated):
        rows = {
            EVERYONE: table["AGE"] >= 0,
            INPATIENTS: table["PATIENT_TYPE"] == 2,
            INTUBATED: table["INTUBED"] == 1,
        }[who]
        event = (died(table) if column == "DIED" else table[column]) == code
        # Groups too small at 200,000 rows say nothing: those with INTUBED unknown are left out.
        found.append(rates(table, rows & (table["INTUBED"] != 99), event, *by))
    assert (found[0] - found[1]).abs().max() < tolerance
