"""Do 95 % intervals from synthetic tables cover 95 % of the time, and find what is not there 5 % of the time?"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.evaluation.resampling import Score
from medsynth.randomness import derive_seed
from medsynth.scores.inference.combining import combine_imputed, combine_plug_in, combine_proper
from medsynth.scores.inference.compute import INTERCEPT, Analysis, Design, Fit, fit_logistic

# A predictor without influence, drawn anew for every sample.
NULL = "nothing"
NULL_TERM = f"{NULL} (per SD)"
# Rule -> how it combines tables, and how many it needs at least.
SYNTHETIC_RULES = {"plug_in": (combine_plug_in, 1), "proper": (combine_proper, 2)}
RULES = ("sample", *SYNTHETIC_RULES)

Draw = Callable[[pd.DataFrame, Codebook, int], dict[str, list[pd.DataFrame]]]


def coverage_scores(
    population: pd.DataFrame,
    codebook: Codebook,
    analysis: Analysis,
    draw: Draw,
    *,
    samples: int,
    rows: int,
    seed: int,
    least: int = MINIMUM_CELL_SIZE,
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
        ``draw(sample, codebook, seed)`` returns synthetic tables by rule: ``plug_in``, of models that were fitted
        independently to the sample; if wanted ``proper``, of models that were fitted to bootstrap resamples of it.
    samples, rows : int
        How many samples, of how many rows.
    seed : int
        Of the samples; the same for all generators, which then see the same samples.
    least : int, default 10
        See `Design`.

    Yields
    ------
    Score
        By rule and term, without the intercept; rules are ``sample`` (the sample's own estimate and
        interval) and those of `draw` (see `medsynth.scores.inference.combining`). ``covered``: share of the samples
        whose interval holds the population's coefficient; of the predictor without influence, 0, so that the rest is
        the type I error. ``width``: median width of the interval as a multiple of the sample's own. A term that cannot
        be estimated is not covered and has no width. ``samples``: their number.
    """
    columns = dict.fromkeys([*analysis.predictors, *analysis.outcome.made_of])
    population = population[[name for name in columns if name in population]]
    population = population.assign(**{NULL: np.random.default_rng(seed).normal(size=len(population))})
    codebook = codebook.with_columns({NULL: Column(type="continuous")})
    design = Design([*analysis.predictors, NULL], least).fit(population)
    truth = fit_logistic(design.matrix(population), analysis.outcome.labels(population)).estimates
    truth[design.terms_.index(NULL_TERM)] = 0
    intervals: dict[str, list[np.ndarray]] = {}
    for i in range(samples):
        rng = np.random.default_rng(derive_seed(seed, i))
        sample = population.take(rng.integers(len(population), size=rows)).reset_index(drop=True)
        sample[NULL] = rng.normal(size=rows)
        tables = draw(sample, codebook.resolved(sample), derive_seed(seed, i, "synthesis"))
        for rule, found in _intervals(sample, tables, design, analysis).items():
            intervals.setdefault(rule, []).append(found)
    yield Score("samples", float(samples))
    own = np.diff(intervals["sample"], axis=2)
    for rule, of_samples in intervals.items():
        low, high = np.moveaxis(np.array(of_samples), 2, 0)
        covered, widths = ((low <= truth) & (truth <= high)).mean(axis=0), (high - low) / own[..., 0]
        for term, share, ratios in zip(design.terms_, covered, widths.T, strict=True):
            if term != INTERCEPT:
                known = ratios[np.isfinite(ratios)]
                width = float(np.median(known)) if len(known) else float("nan")
                for score in (Score("covered", float(share)), Score("width", width)):
                    yield score.of(rule=rule, term=term)


def _intervals(
    sample: pd.DataFrame, tables: dict[str, list[pd.DataFrame]], design: Design, analysis: Analysis
) -> dict[str, np.ndarray]:
    """Intervals of every term by each rule, float of shape (terms, 2); NaN if half of the tables cannot estimate it."""

    def fit(table: pd.DataFrame) -> Fit:
        return fit_logistic(design.matrix(table), analysis.outcome.labels(table))

    own = np.array(fit(sample)).T[..., None]
    found = {"sample": np.array([combine_imputed(*of_term)[3:] for of_term in own])}
    for rule, of_rule in tables.items():
        combine, least = SYNTHETIC_RULES[rule]
        fits = np.array([fit(table) for table in of_rule])
        found[rule] = np.full((len(design.terms_), 2), np.nan)
        for i, (estimates, variances) in enumerate(fits.transpose(2, 1, 0)):
            known = ~np.isnan(estimates)
            if known.sum() >= max(len(of_rule) / 2, least):
                ratio = len(of_rule[0]) / len(sample)
                found[rule][i] = combine(estimates[known], variances[known], ratio=ratio)[3:]
    return found
