"""Score the synthetic tables of a generator and seed, or a reference row, for families that need no other job."""

from _job import Job, log, read_table, read_tables, run, share_imports, write_scores, write_text

share_imports(__name__)

import json
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import draw_compared, persons_of_test
from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import REFERENCES, Pair
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed
from medsynth.scores.scorings import scorings


def main(job: Job) -> None:
    """Compare the table of every epoch count with held-out real rows."""
    found: dict[int, list[tuple[str, Score]]] = {}
    plot_data: dict[str, Any] = {}
    partitions = read_tables(job, "train", "test", "persons")
    for i, epochs in enumerate(job.params.scored_epochs):
        judged = judged_table(job, i, *partitions)
        # SDMetrics draws from the global generator where it subsamples.
        np.random.seed(judged.seed)
        found[epochs] = []
        for name, scores in scorings().items():
            found[epochs] += scores(judged)
            log.info("%s scored (%d epochs)", name, epochs)
        if epochs == job.params.shown_epochs:
            plot_data = judged.plot_data
    write_scores(job, found)
    write_text(job.output.plot_data, json.dumps(plot_data))


def judged_table(job: Job, i: int, train: pd.DataFrame, test: pd.DataFrame, whose: pd.DataFrame) -> Judged:
    """Read one table and put beside it what it is compared with."""
    params, name = job.params, job.wildcards.generator
    person = {part: found["person"].to_numpy() for part, found in whose.groupby("partition")}
    persons = persons_of_test(person["test"], params.study_seed)
    rng = np.random.default_rng(derive_seed(params.study_seed, name, job.wildcards.seed, "score"))
    if name in REFERENCES:
        pair = REFERENCES[name](train, test, person["test"], rng)
    else:
        table = train if name == "majority" else read_table(job.input.synthetic[i])
        pair = Pair(table, np.arange(len(test)))
    compared = draw_compared(
        pair, test, persons, rng, study_seed=params.study_seed, n_train=len(train), utility_rows=params.utility_rows,
        test_rows=params.test_rows, fidelity_rows=params.fidelity_rows,
    )  # fmt: skip
    return Judged(
        name=name,
        train=train,
        test=test,
        person=person,
        persons=persons,
        codebook=Codebook.from_json(job.input.codebook),
        encoder=TableEncoder().fit(train),
        pair=pair,
        compared=compared,
        targets=[Target(**target) for target in params.targets],
        # Forests are explained at the epoch count that is shown alone.
        explained=params.explained if params.scored_epochs[i] == params.shown_epochs else [],
        settings=params.settings,
        study_seed=params.study_seed,
        seed=derive_seed(params.study_seed, job.wildcards.seed, "detector and classifiers"),
        least=params.minimum_cell_size,
    )


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
