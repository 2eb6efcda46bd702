"""Does a cohort drawn under conditions meet them, and does it resemble the real patients who do?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook, Strict
from medsynth.conditions import Conditions
from medsynth.disclosure import MINIMUM_CELL_SIZE, shown_groups, shown_sets
from medsynth.errors import InputError
from medsynth.evaluation.references import draw_positions
from medsynth.evaluation.resampling import About, Persons, Score, share_score
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.fairness.compute import Subgroups
from medsynth.scores.fidelity.compute import common_bin_pair_trends, quality

log = logging.getLogger(__name__)

# Fewer real patients than this say little about how faithful a cohort is.
LEAST_COHORT = 200
UNCONDITIONAL = "unconditional"
# How often a generator that misses conditions is asked again.
ROUNDS = 10
FIDELITY = ("quality", "common_bin_pair_trends", "c2st_auc")


class Cohort(Strict):
    """Patients that a study asks generators for."""

    name: str = Field(description="for paths and scores", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field("", description="for tables and figures; default: the name")
    group: str = Field(description="cohorts of one group share a panel of the success matrix")
    where: dict[str, str | float | list[str | float | None]] = Field(
        min_length=1,
        description="column -> condition, and a row must meet all: a category, a list of categories, a number, [low, "
        "high] (null: open), 'prescribed' or 'not prescribed'",
    )

    def conditions(self, codebook: Codebook) -> Conditions:
        """Check the cohort against a codebook; `InputError` says what does not fit."""
        try:
            return Conditions.parse(self.where, codebook)
        except InputError as error:
            raise InputError(f"The cohort '{self.name}': {error}") from None


Draw = Callable[[int, dict | None, int], pd.DataFrame]


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
    least: int = MINIMUM_CELL_SIZE,
    persons: Persons | None = None,
    subgroups: Sequence[Subgroups] = (),
) -> Iterator[Score]:
    """Score every cohort that a generator samples (Med-VAE paper, Figures 8 and 9, and what it left as future work).

    Parameters
    ----------
    draw : callable
        ``draw(rows, conditions, i)`` returns the i-th table, without conditions for None; `InputError` if it cannot.
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
    least : int, default 10
        Fewer real rows are not shown.
    persons : Persons, optional
        Of `test`.
    subgroups : sequence of Subgroups, optional
        Groups of patients whose numbers other tables show.

    Yields
    ------
    Score
        ``share``: share of the rows sampled for a cohort (or ``unconditional``) that meet the conditions of `held`, for
        cohorts of one group; ``success``: the same for the cohort itself; both 0 where the generator refused.
        ``n_train`` and ``n_test``: real rows of the cohort, NaN if they would reveal some but fewer than `least`; see
        `shown_counts`.
        ``quality``, ``common_bin_pair_trends`` and ``c2st_auc``: rows that meet the conditions against real ones of
        `test`, where these are `LEAST_COHORT` or more, always on min(`rows`, ``n_test``) rows a side,
        since the scores depend on their number; NaN for a generator that has not as many to show after drawing `ROUNDS`
        times.
    """
    wanted = {}
    for cohort in cohorts:
        try:
            wanted[cohort.name] = cohort.conditions(codebook)
        except InputError as error:
            # Cleaning may drop a column or a category, at small scales above all.
            log.warning("left out: %s", error)
    groups = {cohort.name: cohort.group for cohort in cohorts}
    anything = draw(rows, None, 0)
    for held, conditions in wanted.items():
        yield _share("share", conditions, anything, cohort=UNCONDITIONAL, held=held)
    n_train, n_test = (shown_counts(wanted, rows, codebook, subgroups, least) for rows in (train, test))
    for cohort in (cohort for cohort in cohorts if cohort.name in wanted):
        name, conditions = cohort.name, wanted[cohort.name]
        in_test = np.flatnonzero(conditions.holds(test))
        real = test.iloc[in_test].reset_index(drop=True)
        yield Score("n_train", n_train[name]).of(cohort=name)
        yield Score("n_test", n_test[name]).of(cohort=name)
        try:
            drawn = draw(rows, cohort.where, 0)
        except InputError as error:
            log.info("%s was refused: %s", name, error)
            drawn = anything.iloc[:0]
        yield _share("success", conditions, drawn, cohort=name)
        for other, its in wanted.items():
            if groups[other] == cohort.group:
                yield _share("share", its, drawn, cohort=name, held=other)
        n = min(rows, len(real))
        if n >= LEAST_COHORT:
            enough = _enough(drawn, partial(draw, rows, cohort.where), conditions, n, seed)
            yield from _fidelity(enough, real, n, name, codebook, encoder, seed, persons and persons.take(in_test))


def _share(metric: str, conditions: Conditions, drawn: pd.DataFrame, **about: str) -> Score:
    """Share of the rows sampled that meet conditions; 0 where none were."""
    if not len(drawn):
        return Score(metric, 0.0).of(**about)
    share, seed = float(conditions.holds(drawn).mean()), derive_seed(metric, "|".join(about.values()))
    return share_score(metric, share, len(drawn), seed=seed).of(**about)


def shown_counts(
    cohorts: dict[str, Conditions],
    table: pd.DataFrame,
    codebook: Codebook,
    subgroups: Sequence[Subgroups],
    least: int,
) -> dict[str, float]:
    """Numbers of real rows of cohorts, NaN where they would reveal few (`medsynth.disclosure.shown_sets`).

    Parameters
    ----------
    cohorts : dict of Conditions
        By name.
    table : DataFrame
        One real partition, whose number of rows is known.
    codebook : Codebook
    subgroups : sequence of Subgroups
        Their groups may be counted elsewhere, and so may the categories of the columns that cohorts are made of.
    least : int
        Fewer rows are not shown.
    """
    asked = {name for conditions in cohorts.values() for name in conditions if not codebook.columns[name].numeric}
    counted = [one for one in subgroups if one.column in table]
    counted += [Subgroups(column=name) for name in sorted(asked - {one.column for one in counted})]
    partitions = []
    for one in counted:
        groups = one.of(table)
        members = np.array([groups == group for group in groups.cat.categories])
        partitions.append(members[shown_groups(members.sum(axis=1), least)])
    if not cohorts:
        return {}
    held = np.array([conditions.holds(table) for conditions in cohorts.values()])
    shown = shown_sets(held, least, partitions)
    return {
        name: float(rows.sum()) if known else float("nan")
        for name, rows, known in zip(cohorts, held, shown, strict=True)
    }


def _enough(
    drawn: pd.DataFrame, draw: Callable[[int], pd.DataFrame], conditions: Conditions, n: int, seed: int
) -> pd.DataFrame | None:
    """Rows that meet the conditions, drawn again while there are fewer than `n`; None if they stay fewer."""
    held = drawn[conditions.holds(drawn)]
    for i in range(1, ROUNDS):
        if len(held) >= n or not len(held):
            break
        more = draw(i)
        held = pd.concat([held, more[conditions.holds(more)]])
    # At random: real rows stand in the order in which patients came. Not with the detector's own seed, which would put
    # blocks of that order into its folds.
    return held.sample(n, random_state=derive_seed(seed, "drawn")).reset_index(drop=True) if len(held) >= n else None


def _fidelity(
    drawn: pd.DataFrame | None,
    real: pd.DataFrame,
    n: int,
    name: str,
    codebook: Codebook,
    encoder: TableEncoder,
    seed: int,
    persons: Persons | None,
) -> Iterator[Score]:
    """Quality and detection on `n` rows a side."""
    if drawn is None:
        yield from (Score(metric, float("nan")).of(cohort=name) for metric in FIDELITY)
        return
    rows = draw_positions(len(real), n, np.random.default_rng(derive_seed(seed, "real")))
    real, persons = real.iloc[rows].reset_index(drop=True), persons and persons.take(rows)
    first_detector = dict(list(DETECTORS.items())[:1])
    scores = [*quality(drawn, real, codebook, persons), *common_bin_pair_trends(drawn, real, codebook, persons)]
    scores += c2st(drawn, real, encoder, seed=seed, persons=persons, detectors=first_detector)
    yield from (score._replace(about=About(cohort=name)) for score in scores if score.metric in FIDELITY)
