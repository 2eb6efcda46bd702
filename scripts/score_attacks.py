"""Fit a generator on half of the training rows and attack what it samples; or attack a control."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends, write_scores

share_imports(__name__)

from collections.abc import Callable

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.feasibility import can_attack
from medsynth.generators import generator_class
from medsynth.generators.environments import interpreter
from medsynth.preparation.partitions import halve
from medsynth.randomness import derive_seed
from medsynth.scores.privacy.anonymeter import anonymeter_risks
from medsynth.scores.privacy.audit import Attacked, audit
from medsynth.scores.privacy.parts import CONTROLS, Parts


def main(job: Job) -> None:
    """Split by person into members, nonmembers, reference and fresh rows; release a table; attack it."""
    train, test, persons = read_tables(job, "train", "test", "persons")
    codebook, params = Codebook.from_json(job.input.codebook), job.params
    person = {name: found["person"].to_numpy() for name, found in persons.groupby("partition")}
    generator = job.wildcards.generator
    if not can_attack(person):
        log.warning("no score: there are too few persons to attack; preparation.csv says where")
        write_scores(job, {params.epochs: []})
        return
    # The same for every generator and control of a seed.
    rows = {
        name: halve(numbers, seed=derive_seed(params.study_seed, job.wildcards.seed, f"halves of {name} rows"))
        for name, numbers in person.items()
    }
    members, nonmembers = (train.take(half).reset_index(drop=True) for half in rows["train"])
    reference, fresh = (test.take(half).reset_index(drop=True) for half in rows["test"])
    parts = Parts(members, nonmembers, reference, fresh)
    seed = derive_seed(params.study_seed, generator, job.wildcards.seed, "attacks")
    release: Callable[[Parts, int], pd.DataFrame] | None
    if generator in CONTROLS:
        release = CONTROLS[generator]
        released = release(parts, seed)
    else:
        quick = generator_class(params.class_path).quick
        release = (lambda shadows, own: fit_and_draw(job, shadows.members, codebook, own)) if quick else None
        # The generator's own training rows: those of the study, in the same order, perhaps imputed another way.
        learned = read_tables(job, "fitted")[0].take(rows["train"][0]).reset_index(drop=True)
        drawn = fit_and_draw(job, learned, Codebook.from_json(job.input.fitted_codebook), seed)
        released = codebook.conform(drawn)
    log.info("released, members, nonmembers, reference, fresh: %s rows", [len(table) for table in (released, *parts)])
    sensitive = [name for name in params.sensitive if name in train.columns]
    of_members, of_nonmembers = (person["train"][half] for half in rows["train"])
    # One seed for all: the same persons are asked about and drawn again, whatever was released.
    found = audit(
        released, parts, codebook, sensitive, seed=derive_seed(params.study_seed, job.wildcards.seed),
        person=Attacked(of_members, of_nonmembers, person["test"][rows["test"][0]]),
        release=release,
    )  # fmt: skip
    scores = [("privacy", score) for score in found]
    if job.input.get("anonymeter"):
        risks = anonymeter_risks(interpreter("anonymeter"), released, parts, codebook, sensitive, seed=seed)
        scores += [("privacy", score) for score in risks]
    write_scores(job, {params.epochs: scores})


def fit_and_draw(job: Job, learned: pd.DataFrame, codebook: Codebook, seed: int) -> pd.DataFrame:
    """Fit the generator and sample a table of as many rows as it learned from."""
    params = job.params
    model = generator_class(params.class_path)(**params.settings)
    order = visit_sequence_ends(job, learned)
    (fitted,) = model.fit_checkpoints(learned, codebook, epochs=[params.epochs], seed=seed, **order)
    log.info("fitted on %d rows", len(learned))
    return fitted.sample(len(learned), seed=seed)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
