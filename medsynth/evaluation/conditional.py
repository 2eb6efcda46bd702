"""Does a cohort drawn under conditions meet them, and does it resemble the real patients who do?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook, Strict
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.evaluation.detection import c2st
from medsynth.evaluation.fidelity import quality
from medsynth.evaluation.utility import Score
from medsynth.preparation.encoding import TableEncoder

# Fewer real patients than this say little about how faithful a cohort is.
LEAST_COHORT = 200
UNCONDITIONAL = "unconditional"


class Cohort(Strict):
    """Patients that a study asks generators for."""

    name: str = Field(description="for paths and scores", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(description="for tables and figures")
    group: str = Field(description="cohorts of one group share a panel of the success matrix")
    where: dict[str, str | float | list[str | float | None]] = Field(
        min_length=1,
        description="column -> a level, a list of levels, a number, [low, high] (null: open), 'prescribed' or "
        "'not prescribed'; a row must meet all",
    )

    def conditions(self, codebook: Codebook) -> Conditions:
        """Check the cohort against a codebook; `InputError` says what does not fit."""
        try:
            return Conditions.parse(self.where, codebook)
        except InputError as error:
            raise InputError(f"The cohort '{self.name}': {error}") from None


Draw = Callable[[int, dict | None], pd.DataFrame]


def score_cohorts(
    draw: Draw,
    cohorts: list[Cohort],
    train: pd.DataFrame,
    test: pd.DataFrame,
    codebook: Codebook,
    encoder: TableEncoder,
    *,
    rows: int,
    seed: int,
) -> Iterator[Score]:
    """Score every cohort that a generator draws (Med-VAE paper, Figures 8 and 9, and what it left as future work).

    Parameters
    ----------
    draw : callable
        ``draw(rows, conditions)`` returns a table, without conditions for None; `InputError` if it cannot.
    cohorts : list of Cohort
    train, test : DataFrame
        Real partitions; fidelity is judged against `test`.
    codebook : Codebook
    encoder : TableEncoder
        Fitted on `train`.
    rows : int
        Rows to draw for each cohort.
    seed : int
        Of the detector.

    Yields
    ------
    metric, detail, value
        ``share`` with the detail ``asked|held``: share of the rows drawn for the cohort `asked` (or unconditionally)
        that meet the conditions of `held`, for cohorts of one group; ``success`` with the cohort as detail, 0 where the
        generator refused; ``n_train`` and ``n_test``, real rows of the cohort; ``quality`` and ``c2st_auc`` of the rows
        that meet the conditions against the real ones of `test`, where these are `LEAST_COHORT` or more (NaN if the
        generator has fewer than that to show).
    """
    wanted = {cohort.name: cohort.conditions(codebook) for cohort in cohorts}
    groups = {cohort.name: cohort.group for cohort in cohorts}
    anything = draw(rows, None)
    for held, conditions in wanted.items():
        yield "share", f"{UNCONDITIONAL}|{held}", conditions.holds(anything).mean()
    for cohort in cohorts:
        conditions = wanted[cohort.name]
        real = test[conditions.holds(test)].reset_index(drop=True)
        yield "n_train", cohort.name, float(conditions.holds(train).sum())
        yield "n_test", cohort.name, float(len(real))
        try:
            drawn = draw(rows, cohort.where)
        except InputError:
            drawn = anything.iloc[:0]
        held = conditions.holds(drawn)
        yield "success", cohort.name, float(held.mean()) if len(drawn) else 0.0
        for other, its in wanted.items():
            if groups[other] == cohort.group and len(drawn):
                yield "share", f"{cohort.name}|{other}", its.holds(drawn).mean()
        if len(real) >= LEAST_COHORT:
            yield from _fidelity(drawn[held].reset_index(drop=True), real, cohort.name, codebook, encoder, seed)


def _fidelity(
    drawn: pd.DataFrame, real: pd.DataFrame, name: str, codebook: Codebook, encoder: TableEncoder, seed: int
) -> Iterator[Score]:
    """Quality and detection on equal numbers of rows."""
    n = min(len(drawn), len(real))
    if n < LEAST_COHORT:
        yield "quality", name, float("nan")
        yield "c2st_auc", name, float("nan")
        return
    pair = (table.sample(n, random_state=seed).reset_index(drop=True) for table in (drawn, real))
    overall = next(value for metric, _, value in quality(*pair, codebook) if metric == "quality")
    yield "quality", name, overall
    yield "c2st_auc", name, next(value for _, _, value in c2st(drawn, real, encoder, seed=seed))
