"""Fit a generator on half of the training rows and see whether its rows are nearer to them than to the other half."""

import numpy as np
from _job import log, order_of_drawing, read_tables, run, write_scores

from medsynth.codebook import Codebook
from medsynth.evaluation.memorisation import nearer_to_members
from medsynth.evaluation.references import draw_rows
from medsynth.generators import generator_class
from medsynth.preparation.partitions import halve
from medsynth.randomness import derive_seed


def main(job):
    """Split the training rows into members and nonmembers, fit, sample, score."""
    (train,) = read_tables(job, "train")
    codebook, params = Codebook.from_json(job.input.codebook), job.params
    generator = job.wildcards.get("generator") or job.wildcards.reference
    seed = derive_seed(params.study_seed, generator, job.wildcards.seed, "memorisation")
    members, nonmembers = halve(train, seed=derive_seed(params.study_seed, job.wildcards.seed, "members"))
    if generator == "holdout":
        # Rows that nobody was fitted on: what "nothing is copied" looks like.
        rng = np.random.default_rng(seed)
        drawn = draw_rows(read_tables(job, "test")[0], params.rows, rng)
    else:
        model = generator_class(params.class_path)(**params.settings)
        order = order_of_drawing(job, train)
        (fitted,) = model.fit(members, codebook, epochs=[int(job.wildcards.epochs)], seed=seed, **order)
        drawn = fitted.sample(params.rows, seed=seed)
    log.info("%d rows drawn, %d members and as many nonmembers", len(drawn), len(members))
    scores = nearer_to_members(drawn, members, nonmembers, codebook)
    write_scores(job, generator, [("privacy", *score) for score in scores])


run(snakemake, main)
