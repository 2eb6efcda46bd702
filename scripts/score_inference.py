"""Fit the study's logistic model to the tables of one generator, one a fitted model, or to real rows."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends, write_scores

share_imports(__name__)

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.references import REFERENCES
from medsynth.evaluation.resampling import Score
from medsynth.generators import generator_class
from medsynth.generators.protocol import Generator
from medsynth.preparation.partitions import resample
from medsynth.randomness import derive_seed
from medsynth.scores.inference.compute import DRAWS, REFITS, Analysis, Design, inference_scores


def main(job: Job) -> None:
    """Get the tables, fit, write every estimate with its variance."""
    train, test = read_tables(job, "train", "test")
    analysis = Analysis(**job.params.analysis)
    absent = [name for name in analysis.outcome.made_of if name not in train]
    if absent:
        raise InputError(f"'inference' explains '{absent[0]}', which cleaning dropped; cleaning.csv says why.")
    design = Design(analysis.predictors, job.params.minimum_cell_size).fit(train)
    generator = job.wildcards.generator
    if generator == "real":
        tables = real_tables(job, test)
    elif generator in REFERENCES:
        tables = drawn_from_reference(job, generator, test)
    else:
        tables = drawn_from_models(job, generator, len(train))
    scores: list[Score] = []
    for about, table in tables:
        scores += (score.of(**about) for score in inference_scores(table, analysis, design))
        log.info("%s: %d rows, %d terms", about, len(table), len(design.terms_))
    write_scores(job, {job.params.epochs: [("inference", score) for score in scores]})


def real_tables(job: Job, test: pd.DataFrame) -> Iterator[tuple[dict[str, str | int], pd.DataFrame]]:
    """Training rows in every imputation, and held-out rows."""
    for i, path in enumerate(job.input.imputations):
        yield {"table": "train", "imputation": i + 1}, pd.read_parquet(path)
    yield {"table": "held_out"}, test


def of_models(job: Job) -> Iterator[tuple[str, int, dict[str, str | int]]]:
    """Say what is sampled from each model: words of the table's seed, position of the model, what the table is."""
    learned_from = job.params.learned_from
    # Sampling can be told from imputing where there are two tables a model, and needs to be where imputations differ.
    draws = DRAWS if len(set(learned_from)) > 1 else 1
    for k, imputation in enumerate(learned_from):
        for j in range(draws):
            about = {"table": "model", "imputation": imputation, "draw": k * draws + j + 1}
            yield f"model.{imputation}.{k + 1}.{j + 1}", k, about


def drawn_from_reference(
    job: Job, generator: str, test: pd.DataFrame
) -> Iterator[tuple[dict[str, str | int], pd.DataFrame]]:
    """Sample tables of independent marginals, as many as of a generator's models."""
    for name, _, about in of_models(job):
        train = pd.read_parquet(job.input.imputations[int(about["imputation"]) - 1])
        rng = np.random.default_rng(derive_seed(job.params.study_seed, generator, "inference", name))
        # Nobody is judged against them here: all that is wanted is the reference's own table.
        yield about, REFERENCES[generator](train, test.iloc[:0], np.arange(0), rng).table


def drawn_from_models(job: Job, generator: str, n_train: int) -> Iterator[tuple[dict[str, str | int], pd.DataFrame]]:
    """Draw from the models of all seeds and, where the study asks for it, from models refitted to resamples."""
    params = job.params
    codebook = Codebook.from_json(job.input.codebook)
    kind = generator_class(params.class_path)

    def drawn(model: Generator, name: str) -> pd.DataFrame:
        seed = derive_seed(params.study_seed, generator, "inference", name)
        return codebook.conform(model.sample(n_train, seed=seed))

    for name, k, about in of_models(job):
        yield about, drawn(kind.load(Path(job.input.models[k]) / f"epochs{params.epochs}"), name)
    if not params.proper:
        return
    fitted = Codebook.from_json(job.input.fitted_codebook)
    (persons,) = read_tables(job, "persons")
    person = persons.loc[persons["partition"] == "train", "person"].to_numpy()
    for k in range(REFITS):
        imputation = k % len(job.input.fitted) + 1
        name = f"refit.{imputation}.{k + 1}"
        seed = derive_seed(params.study_seed, generator, "inference", name, "fit")
        table = pd.read_parquet(job.input.fitted[imputation - 1])
        table = table.take(resample(person, seed=seed)).reset_index(drop=True)
        order = visit_sequence_ends(job, table)
        model = kind(**params.settings)
        (model,) = model.fit_checkpoints(table, fitted, epochs=[params.epochs], seed=seed, **order)
        log.info("%s: refitted to %d rows", name, len(table))
        yield {"table": "refit", "imputation": imputation, "draw": k + 1}, drawn(model, name)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
