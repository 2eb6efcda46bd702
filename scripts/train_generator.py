"""Fit a generator once and keep its model at every epoch count."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends

share_imports(__name__)

import time
from importlib import metadata
from pathlib import Path

from medsynth.codebook import Codebook
from medsynth.data.opening import sha256
from medsynth.generators import generator_class
from medsynth.generators.storage import write_card
from medsynth.randomness import derive_seed


def main(job: Job) -> None:
    """Train, save the models, and write beside them what made them."""
    (train,) = read_tables(job, "train")
    codebook = Codebook.from_json(job.input.codebook)
    generator = generator_class(job.params.class_path)(**job.params.settings)
    order = visit_sequence_ends(job, train)
    seed = derive_seed(job.params.study_seed, job.wildcards.generator, job.wildcards.seed)
    folder = Path(job.output.models)
    card = {
        "class": job.params.class_path,
        # All of them, also those that the YAML leaves at their defaults.
        "settings": generator.get_params(),
        "train_rows": len(train),
        "versions": {name: metadata.version(name) for name in ("sdv", "ctgan", "torch", "numpy", "pandas")},
    }
    if generator.repeatable:
        # A private model that may be published has no seed, and no checksum: that would confirm a guess of the
        # whole table.
        card |= {"seed": seed, "train_sha256": sha256(job.input.train)}
    log.info("%s: %d rows, %d columns", job.wildcards.generator, *train.shape)
    started = time.monotonic()
    for model in generator.fit_checkpoints(train, codebook, epochs=job.params.epochs, seed=seed, **order):
        seconds = round(time.monotonic() - started, 1)
        model.save(folder / f"epochs{model.epochs_}")
        facts = {**card, "epochs": model.epochs_, "seconds": seconds, **model.card()}
        write_card(folder / f"epochs{model.epochs_}", facts)
        log.info("kept the model of %d epochs after %.1f s", model.epochs_, seconds)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
