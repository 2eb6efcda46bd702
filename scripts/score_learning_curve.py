"""Fit a generator on training rows of several sizes and score what it samples; or score the real rows themselves."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends, write_scores

share_imports(__name__)

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import compared_rows, draw_compared, persons_of_test
from medsynth.evaluation.feasibility import can_attack
from medsynth.evaluation.references import Pair
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target
from medsynth.generators import generator_class
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed
from medsynth.scores.learning_curve.compute import (
    draw_asked,
    learning_curve_scores,
    memory_scores,
    nested_rows,
)

# Random numbers are derived from it: another word would give other scores.
PURPOSE = "sizes"


def main(job: Job) -> None:
    """Score one table a size; that of all training rows is the one that is scored everywhere else."""
    train, test, whose = read_tables(job, "train", "test", "persons")
    codebook, params = Codebook.from_json(job.input.codebook), job.params
    generator = job.wildcards.generator
    encoder, target = TableEncoder().fit(train), Target(**params.targets[0])
    draw = draw_real if generator == "real" else draw_synthetic
    rows_of = nested_rows(
        len(train), params.learning_curve, seed=derive_seed(params.study_seed, job.wildcards.seed, PURPOSE)
    )
    seed = derive_seed(params.study_seed, job.wildcards.seed, "detector and classifiers")
    person = {name: found["person"].to_numpy() for name, found in whose.groupby("partition")}
    persons = persons_of_test(person["test"], params.study_seed)
    asked_seed = derive_seed(params.study_seed, job.wildcards.seed, "attacked by size")
    scores: list[tuple[str, Score]] = []
    # A detector that learns from fewer rows tells less, so a few training rows would seem to make better tables.
    least = compared_rows(persons.person, params.fidelity_rows)
    for size, rows in rows_of.items():
        table = draw(job, codebook, rows, max(size, least), all_rows=size == len(train))
        compared = draw_compared(
            Pair(table, np.arange(len(test))), test, persons,
            np.random.default_rng(derive_seed(params.study_seed, generator, job.wildcards.seed, "score")),
            study_seed=params.study_seed, n_train=size, utility_rows=params.utility_rows,
            test_rows=params.test_rows, fidelity_rows=params.fidelity_rows,
        )  # fmt: skip
        # SDMetrics draws from the global generator where it subsamples.
        np.random.seed(seed)
        found = [*learning_curve_scores(compared, target, encoder, codebook, seed=seed)]
        of_size = {**person, "train": person["train"][rows]}
        if generator != "real" and can_attack(of_size):
            learned = train.take(rows).reset_index(drop=True)
            asked = draw_asked(learned, of_size["train"], test, of_size["test"], seed=asked_seed)
            # As many as were learned from, as everywhere.
            found += memory_scores(table.head(size), asked, codebook, seed=asked_seed)
        scores.extend(("learning_curve", score.of(rows=size)) for score in found)
        log.info("%d training rows: %d rows scored", size, len(table))
    write_scores(job, {params.epochs: scores})


def draw_real(job: Job, codebook: Codebook, rows: np.ndarray, n: int, *, all_rows: bool) -> pd.DataFrame:
    """Take the training rows themselves, of which there are no more."""
    return read_tables(job, "train")[0].take(rows).reset_index(drop=True)


def draw_synthetic(job: Job, codebook: Codebook, rows: np.ndarray, n: int, *, all_rows: bool) -> pd.DataFrame:
    """Fit the generator on the rows and sample `n` from it; of all rows the study has a table already."""
    if all_rows:
        return read_tables(job, "synthetic")[0]
    params, generator = job.params, job.wildcards.generator
    seed = derive_seed(params.study_seed, generator, job.wildcards.seed, PURPOSE, len(rows))
    # The generator's own training rows: those of the study, in the same order, perhaps imputed another way.
    train = read_tables(job, "fitted")[0].take(rows).reset_index(drop=True)
    model = generator_class(params.class_path)(**params.settings)
    order = visit_sequence_ends(job, train)
    described = Codebook.from_json(job.input.fitted_codebook)
    (fitted,) = model.fit_checkpoints(train, described, epochs=[params.epochs], seed=seed, **order)
    return codebook.conform(fitted.sample(n, seed=seed))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
