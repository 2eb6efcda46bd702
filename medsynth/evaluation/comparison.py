"""Which rows of a table are compared with which held-out real rows: the same for every score of a study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from medsynth.evaluation.references import Pair, draw_positions
from medsynth.evaluation.resampling import Persons
from medsynth.preparation.partitions import halve_evenly
from medsynth.randomness import derive_seed


@dataclass(frozen=True)
class Compared:
    """Rows of one comparison.

    Attributes
    ----------
    equal_information : DataFrame
        Rows that classifiers are trained on, as many as there are training rows: what the generator saw, in numbers.
    protocol : DataFrame
        The same at the number of rows of the paper's protocol.
    tested : DataFrame
        Held-out real rows that classifiers are tested on (TSTR).
    judged, against : DataFrame
        Rows whose fidelity is judged and real rows that they are judged against: as many.
    tested_persons, against_persons, judged_persons : Persons
        Those behind the real rows; None for judged rows that are no test rows.
    """

    equal_information: pd.DataFrame
    protocol: pd.DataFrame
    tested: pd.DataFrame
    judged: pd.DataFrame
    against: pd.DataFrame
    tested_persons: Persons
    against_persons: Persons
    judged_persons: Persons | None


def persons_of_test(person: np.ndarray, study_seed: int) -> Persons:
    """Persons of the test partition, drawn in the same way for every table of a study."""
    return Persons.draw(person, seed=derive_seed(study_seed, "persons of test rows"))


def compared_rows(person: np.ndarray, fidelity_rows: int) -> int:
    """Rows a side of every comparison of tables.

    Scores depend on their number, so every table gets as many as the upper reference, which has half of the test rows.

    Parameters
    ----------
    person : ndarray, shape (test rows,)
    fidelity_rows : int
        The most that the study wants.
    """
    return min(fidelity_rows, len(halve_evenly(person, np.random.default_rng(0))[1]))


def draw_compared(
    pair: Pair,
    test: pd.DataFrame,
    persons: Persons,
    rng: np.random.Generator,
    *,
    study_seed: int,
    n_train: int,
    utility_rows: int,
    test_rows: int,
    fidelity_rows: int,
) -> Compared:
    """Draw the rows that are compared.

    Parameters
    ----------
    pair : Pair
        What is judged.
    test : DataFrame
        The test partition.
    persons : Persons
        Of the test partition.
    rng : Generator
        Draws from `pair.table`.
    study_seed : int
        Decides which real rows are drawn: the same for every table of the study, whose seeds then differ by training
        alone.
    n_train : int
        Training rows, which the generator learned from.
    utility_rows, test_rows, fidelity_rows : int
        Most rows that classifiers of the paper's protocol are trained on, that classifiers are tested on, and that
        fidelity compares from each side.
    """

    def of_study(purpose: str) -> np.random.Generator:
        return np.random.default_rng(derive_seed(study_seed, purpose))

    def take(table: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
        return table if len(rows) == len(table) else table.iloc[rows].reset_index(drop=True)

    table = pair.table
    tested = pair.against[draw_positions(len(pair.against), test_rows, of_study("test rows"))]
    rows = compared_rows(persons.person, fidelity_rows)
    judged = draw_positions(len(table), rows, rng)
    against = pair.against[draw_positions(len(pair.against), rows, of_study("fidelity rows"))]
    of_test = None if pair.table_rows is None else pair.table_rows[judged]
    equal = take(table, draw_positions(len(table), n_train, rng))
    return Compared(
        equal_information=equal,
        protocol=take(equal, draw_positions(len(equal), utility_rows, rng)),
        tested=take(test, tested),
        judged=take(table, judged),
        against=take(test, against),
        tested_persons=persons.take(tested),
        against_persons=persons.take(against),
        judged_persons=None if of_test is None else persons.take(of_test),
    )
