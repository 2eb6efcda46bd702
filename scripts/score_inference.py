"""Fit the study's logistic model to several tables of one generator, or to real rows."""

from _job import log, read_tables, run, write_scores

from pathlib import Path

import numpy as np

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.inference import TABLES, Analysis, Design, inference_scores
from medsynth.evaluation.references import REFERENCES
from medsynth.generators import generator_class
from medsynth.randomness import derive_seed


def main(job):
    """Draw the tables, fit, write every estimate with its variance."""
    train, test = read_tables(job, "train", "test")
    analysis = Analysis(**job.params.analysis)
    absent = [name for name in analysis.outcome.made_of if name not in train]
    if absent:
        raise InputError(f"'inference' explains '{absent[0]}', which cleaning dropped; cleaning.csv says why.")
    design = Design(analysis.predictors, job.params.least_patients).fit(train)
    generator = job.wildcards.get("generator") or job.wildcards.reference
    if generator == "real":
        tables = {"train": train, "held_out": test}.items()
    elif generator in REFERENCES:
        tables = drawn_from_reference(job, generator, train, test)
    else:
        tables = drawn_from_models(job, generator, len(train))
    scores = []
    for name, table in tables:
        scores += inference_scores(table, analysis, design, name=str(name))
        log.info("%s: %d rows, %d terms", name, len(table), len(design.terms_))
    write_scores(job, generator, [("inference", score) for score in scores])


def seed_of(job, generator, i):
    """Seed of the i-th table."""
    return derive_seed(job.params.study_seed, generator, "inference", i)


def drawn_from_reference(job, generator, train, test):
    """Draw tables whose columns are drawn alone."""
    for i in range(TABLES):
        rng = np.random.default_rng(seed_of(job, generator, i))
        yield i, REFERENCES[generator](train, test.iloc[:0], np.arange(0), rng).table


def drawn_from_models(job, generator, n_train):
    """Draw tables from the models of all seeds in turn, so that they differ by training, too."""
    codebook = Codebook.from_json(job.input.codebook)
    folders = [Path(folder) / f"epochs{job.wildcards.epochs}" for folder in job.input.models]
    models = [generator_class(job.params.class_path).load(folder) for folder in folders]
    for i in range(TABLES):
        drawn = models[i % len(models)].sample(n_train, seed=seed_of(job, generator, i))
        yield i, codebook.conform(drawn)


run(snakemake, main)
