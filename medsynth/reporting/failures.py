"""Failed jobs in tables: said where their scores would be, and listed; never dropped in silence.

They are rows of the family ``failed`` in the long table of scores: metric is the stage whose score is lacking, detail
"<step that failed>: <reason>", and there is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

import pandas as pd

TableOf = Callable[[pd.DataFrame], pd.DataFrame]


def showing_failures(stage: str, keys: Sequence[str] = ()) -> Callable[[TableOf], TableOf]:
    """Make a function from scores to a table of numbers say which seeds failed.

    Parameters
    ----------
    stage : str
        Whose scores the table is made of.
    keys : sequence of str
        Columns that tell rows of one generator and epoch count apart.

    Returns
    -------
    callable
        Decorator. Where seeds failed, ``n_seeds`` is text such as ``2 (1 failed)``; a generator and epoch count of
        which nothing is left gets the rows of the reference row ``real`` or ``holdout``, last, without numbers.
    """

    def decorate(table_of: TableOf) -> TableOf:
        @wraps(table_of)
        def shown(scores: pd.DataFrame) -> pd.DataFrame:
            failed = scores[(scores["family"] == "failed") & (scores["metric"] == stage)]
            table = table_of(scores)
            return _with_failures(table, failed, list(keys)) if len(failed) else table

        return shown

    return decorate


def _with_failures(table: pd.DataFrame, failed: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add the seeds that failed to a table; see `showing_failures`."""
    counts = failed.groupby(["generator", "epochs"])["seed"].nunique()
    there = set(zip(table["generator"], table["epochs"], strict=True))
    references = table[table["generator"].isin(["real", "holdout"])]
    rows = references[keys].drop_duplicates() if keys else pd.DataFrame(index=[0])
    lacking = [
        rows.assign(generator=generator, epochs=epochs, n_seeds=0)
        for generator, epochs in counts.index
        if (generator, epochs) not in there
    ]
    text = table.select_dtypes(exclude="number").columns
    table = pd.concat([table, *lacking], ignore_index=True).fillna(dict.fromkeys(text, ""))
    failures = [counts.get(cell, 0) for cell in zip(table["generator"], table["epochs"], strict=True)]
    table["n_seeds"] = [
        f"{seeds} ({count} failed)" if count else seeds for seeds, count in zip(table["n_seeds"], failures, strict=True)
    ]
    return table


def failures_table(scores: pd.DataFrame) -> pd.DataFrame:
    """List what failed.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``failed`` is used.

    Returns
    -------
    DataFrame
        One row per generator, epoch count, seed and failed job: generator, epochs, seed, step (of the job), reason.
    """
    failed = scores[scores["family"] == "failed"]
    parts = failed["detail"].str.extract("^(?P<step>[^:]*): (?P<reason>.*)$")
    return failed[["generator", "epochs", "seed"]].join(parts).drop_duplicates(ignore_index=True)
