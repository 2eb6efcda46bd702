"""Simulated cohorts: stand-ins with the raw schema of a public table, drawn from coefficients we may ship."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from medsynth.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

SIMULATORS = {
    "covid_mexico": "medsynth.cohorts.covid_mexico",
    "sci_diabetes": "medsynth.cohorts.sci_diabetes",
    "mimic3": "medsynth.cohorts.mimic3",
}


def simulate(dataset: str, n_rows: int, *, seed: int) -> pd.DataFrame | dict[str, pd.DataFrame]:
    """Draw a simulated raw table for a dataset.

    Parameters
    ----------
    dataset : str
        A key of ``SIMULATORS``.
    n_rows : int
        Number of rows to simulate.
    seed : int
        The same seed gives identical rows.

    Returns
    -------
    DataFrame, or dict of DataFrame
        ``n_rows`` rows with the columns, dtypes and codes of the raw table; of a dataset with several raw tables all of
        them, by the stem of the file's name (the first has ``n_rows`` rows).

    Raises
    ------
    InputError
        If ``dataset`` has no simulated cohort.
    """
    if dataset not in SIMULATORS:
        raise InputError(f"There is no simulated cohort of '{dataset}'{nearest(dataset, SIMULATORS)}")
    return import_module(SIMULATORS[dataset]).simulate(n_rows, seed=seed)
