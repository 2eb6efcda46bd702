"""Fit a generator on half of the training rows and attack what it draws; or attack a control."""

import numpy as np
from _job import log, order_of_drawing, read_tables, run, write_scores

from medsynth.codebook import Codebook
from medsynth.evaluation.attacks.audit import CONTROLS, Parts, audit
from medsynth.generators import generator_class
from medsynth.preparation.partitions import halve
from medsynth.randomness import derive_seed


def main(job):
    """Split by person into members, nonmembers, reference and fresh rows; release a table; attack it."""
    train, test, persons = read_tables(job, "train", "test", "persons")
    codebook, params = Codebook.from_json(job.input.codebook), job.params
    person = {name: found["person"].to_numpy() for name, found in persons.groupby("partition")}
    # The same for every generator and control of a seed.
    rows = {
        name: halve(numbers, seed=derive_seed(params.study_seed, job.wildcards.seed, f"halves of {name} rows"))
        for name, numbers in person.items()
    }
    members, nonmembers = (train.take(half).reset_index(drop=True) for half in rows["train"])
    reference, fresh = (test.take(half).reset_index(drop=True) for half in rows["test"])
    parts = Parts(members, nonmembers, reference, fresh)
    generator = job.wildcards.get("generator") or job.wildcards.reference
    seed = derive_seed(params.study_seed, generator, job.wildcards.seed, "attacks")
    if generator in CONTROLS:
        released = CONTROLS[generator](parts, np.random.default_rng(seed))
    else:
        released = codebook.conform(release(job, rows["train"][0], seed))
    log.info("released, members, nonmembers, reference, fresh: %s rows", [len(table) for table in (released, *parts)])
    sensitive = [name for name in params.sensitive if name in train.columns]
    found = audit(released, parts, codebook, sensitive, seed=derive_seed(params.study_seed, job.wildcards.seed))
    write_scores(job, generator, [("privacy", *score) for score in found])


def release(job, members, seed):
    """Fit the generator on the members among its own training rows; draw a table of as many rows."""
    params = job.params
    learned = read_tables(job, "fitted")[0].take(members).reset_index(drop=True)
    model = generator_class(params.class_path)(**params.settings)
    described = Codebook.from_json(job.input.fitted_codebook)
    order = order_of_drawing(job, learned)
    (fitted,) = model.fit(learned, described, epochs=[int(job.wildcards.epochs)], seed=seed, **order)
    log.info("fitted on %d rows", len(learned))
    return fitted.sample(len(learned), seed=seed)


run(snakemake, main)
