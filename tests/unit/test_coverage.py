"""Coverage: synthesis that keeps the truth covers it, synthesis that loses it does not, and the table of both."""

import numpy as np
import pandas as pd
import pytest

from medsynth.randomness import derive_seed
from medsynth.scores.coverage.compute import NULL_TERM, coverage_scores
from medsynth.scores.coverage.table import coverage_table, display_coverage
from medsynth.scores.inference.compute import Analysis
from tests.conftest import by_about, table_of_scores
from tests.unit.conftest import STYLES

ADMITTED = Analysis(outcome={"name": "admitted", "column": "admitted", "positive": "yes"}, predictors=["age", "sex"])
SAMPLES = 60


def rows_of(sample, seed):
    """As many rows of the sample, with replacement: what a generator with the right model would draw."""
    return sample.sample(frac=1, replace=True, random_state=seed, ignore_index=True)


def resampled(sample, codebook, seed):
    """Tables of five models of the sample, and of five of bootstrap resamples of it."""
    seeds = [derive_seed(seed, i) for i in range(5)]
    proper = [rows_of(rows_of(sample, derive_seed(one, "refit")), one) for one in seeds]
    return {"plug_in": [rows_of(sample, one) for one in seeds], "proper": proper}


def shuffled(sample, codebook, seed):
    """The first, but for the outcome, which depends on nothing any more."""
    return {
        "plug_in": [
            table.assign(admitted=table["admitted"].sample(frac=1, random_state=seed, ignore_index=True))
            for table in resampled(sample, codebook, seed)["plug_in"]
        ]
    }


@pytest.fixture
def population(partitions):
    train, test, codebook = partitions
    return pd.concat([train, test], ignore_index=True), codebook


def scored(population, draw, samples=SAMPLES, seed=1):
    return by_about(coverage_scores(*population, ADMITTED, draw, samples=samples, rows=200, seed=seed))


@pytest.mark.slow
def test_both_rules_cover_as_the_samples_themselves_do(population):
    scores = scored(population, resampled)
    covered = {tuple(about): value for (metric, *about), value in scores.items() if metric == "covered"}
    assert len(covered) == 9
    assert all(value > 0.85 for value in covered.values())
    assert scores["width", NULL_TERM, "plug_in"] == pytest.approx(np.sqrt(1.2), rel=0.1)
    assert scores["width", NULL_TERM, "proper"] > scores["width", NULL_TERM, "plug_in"]
    assert scores["width", "age (per SD)", "sample"] == 1


def test_a_synthesis_that_loses_an_influence_does_not_cover_it(population):
    scores = scored(population, shuffled, samples=20)
    assert scores["covered", "age (per SD)", "plug_in"] < 0.3
    assert scores["covered", NULL_TERM, "plug_in"] > 0.8


def test_one_model_a_sample_is_enough_for_the_plug_in_rule(population):
    def one(sample, codebook, seed):
        return {"plug_in": resampled(sample, codebook, seed)["plug_in"][:1]}

    scores = scored(population, one, samples=10)
    assert scores["width", NULL_TERM, "plug_in"] == pytest.approx(np.sqrt(2), rel=0.1)
    assert not [name for name in scores if "proper" in name]


def test_samples_are_the_same_for_all_generators_and_others_for_another_seed(population):
    def own(scores):
        return [value for name, value in scores.items() if "sample" in name]

    samples = own(scored(population, resampled, samples=20))
    assert samples == own(scored(population, shuffled, samples=20))
    assert samples != own(scored(population, shuffled, samples=20, seed=2))


def test_a_generator_learns_the_models_columns_and_the_one_without_influence_alone(population):
    seen = []

    def looked_at(sample, codebook, seed):
        seen.append((list(sample), list(codebook.columns)))
        return resampled(sample, codebook, seed)

    scored(population, looked_at, samples=1)
    assert seen == [(["age", "sex", "admitted", "nothing"],) * 2]


def test_the_table_has_exact_intervals_and_the_display_one_row_of_real_samples(population):
    found = list(coverage_scores(*population, ADMITTED, resampled, samples=10, rows=200, seed=1))
    long = table_of_scores(
        (name, 0, 1, "coverage", score.metric, score.about._asdict(), score.value)
        for name in ("cart", "tvae")
        for score in found
    )
    table = coverage_table(long)
    always = table[table["covered"] == 1].iloc[0]
    assert always["low"] == pytest.approx(0.025 ** (1 / 10)) and always["high"] == 1
    shown = display_coverage(table, STYLES | {"cart": {"title": "CART", "colour": "#000000"}})
    assert list(shown["Model"]).count("Real samples") == 1 and len(shown) == 5
    assert display_coverage(coverage_table(long.iloc[:0]), STYLES).empty
