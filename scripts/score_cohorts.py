"""Ask a generator, or a reference row, for every cohort of the study, and score what comes."""

from _job import Job, log, read_tables, run, share_imports, write_scores

share_imports(__name__)

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.conditions import Conditions
from medsynth.evaluation.comparison import persons_of_test
from medsynth.evaluation.references import REFERENCES, draw_rows
from medsynth.generators import generator_class
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed
from medsynth.scores.conditional.compute import Cohort, Draw, score_cohorts
from medsynth.scores.fairness.compute import Subgroups


def main(job: Job) -> None:
    """Draw and score."""
    train, test, whose = read_tables(job, "train", "test", "persons")
    persons = persons_of_test(whose.loc[whose["partition"] == "test", "person"].to_numpy(), job.params.study_seed)
    codebook = Codebook.from_json(job.input.codebook)
    seed = derive_seed(job.params.study_seed, job.wildcards.seed, "cohorts")
    np.random.seed(seed)
    generator = job.wildcards.generator
    cohorts = [Cohort(**cohort) for cohort in job.params.cohorts]
    draw = draw_from_reference if generator in REFERENCES else draw_from_model
    scores = score_cohorts(
        draw(job, train, codebook, seed),
        cohorts,
        train,
        test,
        codebook,
        TableEncoder().fit(train),
        rows=job.params.rows,
        seed=seed,
        least=job.params.minimum_cell_size,
        persons=persons,
        subgroups=[Subgroups(**one) for one in job.params.subgroups],
    )
    write_scores(job, {job.params.epochs: [("conditional", score) for score in scores]})


def draw_from_model(job: Job, train: pd.DataFrame, codebook: Codebook, seed: int) -> Draw:
    """Draw from the fitted model."""
    folder = Path(job.input.models) / f"epochs{job.params.epochs}"
    model = generator_class(job.params.class_path).load(folder)

    def draw(rows: int, conditions: dict[str, Any] | None, i: int) -> pd.DataFrame:
        log.info("%d rows under %s", rows, conditions)
        return codebook.conform(model.sample(rows, seed=derive_seed(seed, conditions, i), conditions=conditions))

    return draw


def draw_from_reference(job: Job, train: pd.DataFrame, codebook: Codebook, seed: int) -> Draw:
    """Take the training rows of the cohort (upper reference), or their independent marginals (lower reference)."""

    def draw(rows: int, conditions: dict[str, Any] | None, i: int) -> pd.DataFrame:
        rng = np.random.default_rng(derive_seed(seed, conditions, i))
        held = train[Conditions.parse(conditions, codebook).holds(train)].reset_index(drop=True)
        held = draw_rows(held, rows, rng)
        # Nobody is judged against them here: all that is wanted is the reference's own table.
        return REFERENCES[job.wildcards.generator](held, held.iloc[:0], np.arange(0), rng).table

    return draw


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
