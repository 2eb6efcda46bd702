"""Which rows of a synthetic table are compared with which held-out real rows: the same for every score of a study."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from medsynth.evaluation.references import draw_rows
from medsynth.randomness import derive_seed


class Compared(NamedTuple):
    """Rows of one comparison.

    Attributes
    ----------
    trained, tested : DataFrame
        Rows that classifiers are trained on and real rows that they are tested on (TSTR).
    judged, against : DataFrame
        Rows whose fidelity is judged and real rows that they are judged against.
    """

    trained: pd.DataFrame
    tested: pd.DataFrame
    judged: pd.DataFrame
    against: pd.DataFrame


def draw_compared(
    table: pd.DataFrame,
    real: pd.DataFrame,
    rng: np.random.Generator,
    *,
    study_seed: int,
    n_held_out: int,
    utility_rows: int,
    test_rows: int,
    fidelity_rows: int,
) -> Compared:
    """Draw the rows that are compared.

    Parameters
    ----------
    table : DataFrame
        What is judged: synthetic rows, or those of a reference row.
    real : DataFrame
        What it is judged against: the test partition, or a half of it.
    rng : Generator
        Draws from `table`.
    study_seed : int
        Decides which real rows are drawn: the same for every table of the study, whose seeds then differ by training
        alone.
    n_held_out : int
        Rows of the test partition.
    utility_rows, test_rows, fidelity_rows : int
        Most rows that classifiers are trained on, tested on, and that fidelity compares from each side.
    """
    tested = draw_rows(real, test_rows, np.random.default_rng(derive_seed(study_seed, "test rows")))
    trained = draw_rows(table, utility_rows, rng)
    # The holdout has half of the test rows a side; scores depend on the rows, so all tables get as many.
    rows = min(fidelity_rows, n_held_out // 2)
    judged = draw_rows(table, rows, rng)
    against = draw_rows(real, rows, np.random.default_rng(derive_seed(study_seed, "fidelity rows")))
    return Compared(trained, tested, judged, against)
