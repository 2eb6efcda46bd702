"""Do 95 % intervals from synthetic tables cover 95 % of the time, and find what is not there 5 % of the time?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.disclosure import LEAST_PATIENTS
from medsynth.evaluation.inference import (
    INTERCEPT,
    Analysis,
    Design,
    combine,
    combine_plug_in,
    fit_logistic,
)
from medsynth.evaluation.resampling import Score
from medsynth.randomness import derive_seed

# A predictor without influence, drawn anew for every sample.
NULL = "nothing"
NULL_TERM = f"{NULL} (per SD)"
RULES = ("sample", "combined", "plug_in")

Draw = Callable[[pd.DataFrame, Codebook, int], list[pd.DataFrame]]


def coverage_scores(
    population: pd.DataFrame,
    codebook: Codebook,
    analysis: Analysis,
    draw: Draw,
    *,
    samples: int,
    rows: int,
    seed: int,
    least: int = LEAST_PATIENTS,
) -> Iterator[Score]:
    """Take a real table for the population, draw samples of it, synthesise each, and see where intervals lie.

    The tables that are learned and drawn have the model's columns alone, and a further predictor of standard normal
    numbers that has nothing to do with the outcome.

    Parameters
    ----------
    population : DataFrame
        Real rows, complete. Samples are drawn with replacement, so that its own coefficients are the true ones.
    codebook : Codebook
        Describes `population`.
    analysis : Analysis
    draw : callable
        ``draw(sample, codebook, seed)`` fits a generator to a sample and returns several synthetic tables.
    samples, rows : int
        How many samples, of how many rows.
    seed : int
        Of the samples; the same for all generators, which then see the same samples.
    least : int, default 10
        See `Design`.

    Yields
    ------
    metric, detail, value
        With the detail ``rule|term``, without the intercept; rules are ``sample`` (the sample's own estimate and
        interval), ``combined`` and ``plug_in`` (see `medsynth.evaluation.inference`). ``covered``: share of the samples
        whose interval holds the population's coefficient; of the predictor without influence, 0, so that the rest is
        the type I error. ``width``: median width of the interval as a multiple of the sample's own. A term that cannot
        be estimated is not covered and has no width. ``samples``: their number, without detail.
    """
    columns = dict.fromkeys([*analysis.predictors, *analysis.outcome.made_of])
    population = population[[name for name in columns if name in population]]
    population = population.assign(**{NULL: np.random.default_rng(seed).normal(size=len(population))})
    codebook = codebook.with_columns({NULL: Column(type="continuous")})
    design = Design([*analysis.predictors, NULL], least).fit(population)
    truth = fit_logistic(design.matrix(population), analysis.outcome.labels(population)).estimates
    truth[design.terms_.index(NULL_TERM)] = 0
    intervals = {rule: [] for rule in RULES}
    for i in range(samples):
        rng = np.random.default_rng(derive_seed(seed, i))
        sample = population.take(rng.integers(len(population), size=rows)).reset_index(drop=True)
        sample[NULL] = rng.normal(size=rows)
        tables = draw(sample, codebook.resolved(sample), derive_seed(seed, i, "synthesis"))
        for rule, found in _intervals(sample, tables, design, analysis).items():
            intervals[rule].append(found)
    yield "samples", "", float(samples)
    own = np.diff(intervals["sample"], axis=2)
    for rule in RULES:
        low, high = np.moveaxis(np.array(intervals[rule]), 2, 0)
        covered, width = ((low <= truth) & (truth <= high)).mean(axis=0), (high - low) / own[..., 0]
        for term, share, ratios in zip(design.terms_, covered, width.T, strict=True):
            if term != INTERCEPT:
                yield "covered", f"{rule}|{term}", float(share)
                known = ratios[np.isfinite(ratios)]
                yield "width", f"{rule}|{term}", float(np.median(known)) if len(known) else float("nan")


def _intervals(
    sample: pd.DataFrame, tables: list[pd.DataFrame], design: Design, analysis: Analysis
) -> dict[str, np.ndarray]:
    """Intervals of every term by each rule, float of shape (terms, 2); NaN if half of the tables cannot estimate it."""
    fits = [fit_logistic(design.matrix(table), analysis.outcome.labels(table)) for table in (sample, *tables)]
    found = {rule: np.full((len(design.terms_), 2), np.nan) for rule in RULES}
    ratio = len(tables[0]) / len(sample)
    for i in range(len(design.terms_)):
        estimates, variances = (np.array([fit[part][i] for fit in fits]) for part in (0, 1))
        known = ~np.isnan(estimates[1:])
        found["sample"][i] = combine_plug_in(estimates[:1], variances[:1], ratio=0)[3:]
        if known.sum() >= max(len(tables) / 2, 2):
            of_tables = estimates[1:][known], variances[1:][known]
            found["combined"][i] = combine(*of_tables, ratio=ratio)[3:]
            found["plug_in"][i] = combine_plug_in(*of_tables, ratio=ratio)[3:]
    return found
