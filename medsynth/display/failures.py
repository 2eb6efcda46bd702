"""Failed jobs in tables: said where their scores would be, and listed; never dropped in silence.

They are rows of the family ``failed`` in the long table of scores: metric is the stage whose score is lacking, stage
the step that failed, and there is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import pandas as pd

TableOf = Callable[[pd.DataFrame], pd.DataFrame]


def showing_failures(stage: str, keys: Sequence[str] = (), *, count: str = "n_seeds") -> Callable[[TableOf], TableOf]:
    """Make a function from scores to a table of numbers say what failed.

    Parameters
    ----------
    stage : str
        Whose scores the table is made of.
    keys : sequence of str
        Columns that tell rows of one generator and epoch count apart, and those that say the same of all generators.
    count : str
        Column that counts what the numbers rest on; other than seeds it is what one job makes together.

    Returns
    -------
    callable
        Decorator. Where seeds failed, ``n_seeds`` is text such as ``2 (1 failed)``, another count ``0 (failed)``; a
        generator and epoch count of which nothing is left gets the rows of the reference rows ``real`` and ``holdout``
        (without these, those of all generators), last, without numbers.
    """

    def decorate(table_of: TableOf) -> TableOf:
        @wraps(table_of)
        def shown(scores: pd.DataFrame) -> pd.DataFrame:
            failed = scores[(scores["family"] == "failed") & (scores["metric"] == stage)]
            table = table_of(scores)
            return _with_failures(table, failed, list(keys), count) if len(failed) else table

        return shown

    return decorate


def _with_failures(table: pd.DataFrame, failed: pd.DataFrame, keys: list[str], count: str) -> pd.DataFrame:
    """Add what failed to a table; see `showing_failures`."""
    seeds = failed.groupby(["generator", "epochs"])["seed"].nunique()
    there = set(zip(table["generator"], table["epochs"], strict=True))
    references = table[table["generator"].isin(["real", "holdout"])]
    like = references if len(references) else table
    rows = like[keys].drop_duplicates() if keys else pd.DataFrame(index=[0])
    lacking = [
        rows.assign(generator=generator, epochs=epochs, **{count: 0})
        for generator, epochs in seeds.index
        if (generator, epochs) not in there
    ]
    text = table.select_dtypes(exclude="number").columns
    table = pd.concat([table, *lacking], ignore_index=True).fillna(dict.fromkeys(text, ""))
    failures = [seeds.get(cell, 0) for cell in zip(table["generator"], table["epochs"], strict=True)]
    said = [f"{n} failed" if count == "n_seeds" else "failed" for n in failures]
    table[count] = [
        f"{n} ({words})" if lost else n for n, words, lost in zip(table[count], said, failures, strict=True)
    ]
    return table


def failures_table(failures: list[dict[str, Any]]) -> pd.DataFrame:
    """List what failed.

    Parameters
    ----------
    failures : list of dict
        Scores that failed jobs left without; see `medsynth.plan.runs.Run.failures`.

    Returns
    -------
    DataFrame
        One row per generator, epoch count, seed and failed job: generator, epochs, seed, step (of the job), reason.
    """
    columns = ["generator", "epochs", "seed", "step", "reason"]
    return pd.DataFrame(failures, columns=columns).drop_duplicates(ignore_index=True)
