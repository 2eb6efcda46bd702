"""What can be scored with the rows that there are, found out before anything is trained.

What would make every score pointless is refused in one sentence. What only lacks rows is said, and scored with fewer
folds or left empty by the jobs that come later; they ask the same functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.errors import InputError
from medsynth.evaluation.targets import Predicted

# Classifiers, detectors and networks compute in 32-bit numbers; half of their range holds the difference of any two
# values.
LARGEST = float(np.finfo("float32").max) / 2
# Networks normalise over a batch and hold a row back for validation: fewer training rows than this teach nothing.
LEAST_TRAINED = 5
# Folds of the detector's cross-validation where there are rows for them.
FOLDS = 5
# Fewer persons than this in each group that an attack compares (members, nonmembers, reference and fresh rows; shadow
# models: quarters of the reference rows) say nothing of it.
LEAST_ATTACKED = 5


def folds_for(rows: int) -> int:
    """Folds of a cross-validation of two classes of so many rows each: at most `FOLDS`; 0 if there can be none."""
    return min(FOLDS, rows) if rows > 1 else 0


def can_attack(persons: Mapping[str, np.ndarray]) -> bool:
    """Whether halves of both partitions have persons enough for attacks.

    Parameters
    ----------
    persons : mapping of ndarray of int
        Partition -> whose its rows are.
    """
    return all(len(np.unique(person)) >= 2 * LEAST_ATTACKED for person in persons.values())


def can_shadow(reference: np.ndarray) -> bool:
    """Whether quarters of the reference rows, whose persons are given, have persons enough for shadow models."""
    return len(np.unique(reference)) >= 4 * LEAST_ATTACKED


def check_partitions(parts: Mapping[str, pd.DataFrame]) -> None:
    """Refuse partitions that nothing can be computed from; before imputation, which computes with them, too.

    Parameters
    ----------
    parts : mapping of DataFrame
        ``train`` and ``test``, clean, perhaps with gaps; test rows are those whose label is known.

    Raises
    ------
    InputError
        No test row has a known label, there are hardly any training rows, none of them has a value of a column, or
        there are numbers that 32-bit computations cannot hold: names the columns, how many cells, and what to do.
    """
    if parts["test"].empty:
        raise InputError(
            "The test partition has no row with a known target; use more rows, another 'test_share' or another target."
        )
    if len(parts["train"]) < LEAST_TRAINED:
        raise InputError(
            f"The train partition has {len(parts['train'])} rows, too few to learn from; use {LEAST_TRAINED} or more."
        )
    if empty := unknown_columns(parts["train"]):
        raise InputError(
            f"Columns of which no training row has a value: {', '.join(map(repr, empty))}; leave them out with "
            "'drop: <reason>' in the codebook, or use more rows."
        )
    found = []
    for name in parts["train"].select_dtypes("number"):
        values = pd.concat([part[name] for part in parts.values()]).dropna().to_numpy("float64")
        # Also what is no finite number.
        if beyond := int((~(np.abs(values) <= LARGEST)).sum()):
            found.append(f"'{name}' ({beyond:,} of {len(values):,} values)")
    if found:
        raise InputError(
            f"Numbers beyond {LARGEST:.2g} are in {', '.join(found)}, and 32-bit numbers cannot hold them; declare "
            "them under 'missing' in the codebook, or leave the column out with 'drop: <reason>'."
        )


def unknown_columns(train: pd.DataFrame) -> list[str]:
    """Columns of which no training row has a value, so that nothing can be learned of them."""
    return [str(name) for name in train if train[name].isna().all()]


def check_targets(targets: Sequence[Predicted], parts: Mapping[str, pd.DataFrame]) -> None:
    """Refuse targets from which nothing can be learned.

    Parameters
    ----------
    targets : sequence of Predicted
    parts : mapping of DataFrame
        ``train`` and ``test``, complete; test rows are those whose label is known.

    Raises
    ------
    InputError
        A target's column was dropped by cleaning, it has one class, value or no event only in a partition, or there is
        no column that could predict it.
    """
    for target in targets:
        absent = [name for name in target.made_of if name not in parts["train"].columns]
        if absent:
            raise InputError(
                f"Target '{target.name}' needs the column '{absent[0]}', which cleaning dropped; cleaning.csv says why."
            )
        for name, part in parts.items():
            if lacking := target.lacks(part):
                what, how = lacking
                raise InputError(
                    f"Target '{target.name}' has {what} in the {name} partition ({how}); use more rows or another "
                    "target."
                )
        predictors = target.predictors(parts["train"])
        if not any(parts["train"][name].nunique() > 1 for name in predictors):
            rows = f"{len(parts['train']):,} rows of the train partition"
            only = f"each of the {len(predictors)} other columns has one value" if predictors else "no other column is"
            raise InputError(
                f"Target '{target.name}' has no predictor: {only} in the {rows}; use a table with further columns, or "
                "hide fewer of them ('not_predictors')."
            )


def shortfalls(
    parts: Mapping[str, pd.DataFrame],
    persons: Mapping[str, np.ndarray],
    targets: Sequence[Predicted],
    *,
    least: int = MINIMUM_CELL_SIZE,
) -> Iterator[tuple[str, str]]:
    """Say which scores the rows do not suffice for.

    Parameters
    ----------
    parts : mapping of DataFrame
        ``train`` and ``test``, complete.
    persons : mapping of ndarray of int
        Whose the rows are.
    targets : sequence of Predicted
    least : int, default 10
        Classes and events of fewer rows are remarked on.

    Yields
    ------
    partition, remark
        Without a count of few real rows.
    """
    held_out = len(parts["test"])
    # The smallest comparison is that of the halves of the test rows.
    for who, rows in {"": held_out, " of the reference row 'holdout'": held_out // 2}.items():
        folds = folds_for(rows)
        if folds < FOLDS:
            how = f"{folds} folds instead of {FOLDS}" if folds else "no score"
            yield "test", f"detection{who}: {how}, since there are fewer than {FOLDS} rows a side"
    for name, person in persons.items():
        if len(np.unique(person)) < 2 * LEAST_ATTACKED:
            yield name, f"attacks: no score, since they need {2 * LEAST_ATTACKED} persons or more here"
    if can_attack(persons) and len(np.unique(persons["test"])) < 8 * LEAST_ATTACKED:
        yield "test", f"attack by shadow models: no score, since it needs {8 * LEAST_ATTACKED} persons or more here"
    for target in targets:
        if few := target.varies_widely(parts["test"], least):
            yield "test", f"target '{target.name}': {few} fewer than {least} rows, its scores vary widely"
