"""Fit a generator once and keep its model at every epoch count."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends

share_imports(__name__)

import os
import shutil
from pathlib import Path

from medsynth.codebook import Codebook
from medsynth.generators import generator_class


def main(job: Job) -> None:
    """Train, save the models, and write beside them what made them; or take those that were trained with others."""
    folder = Path(job.output.models)
    for together in job.input.together:
        own = Path(together, f"seed{job.wildcards.seed}")
        if own.is_dir():
            shutil.copytree(own, folder, dirs_exist_ok=True, copy_function=_linked)
            log.info("trained together with other seeds: see logs/train_together/%s.log", job.wildcards.generator)
            return
        log.info("other seeds could not be trained together with this one, which is trained alone")
    from _training import Kept

    (train,) = read_tables(job, "train")
    generator = generator_class(job.params.class_path)(**job.params.settings)
    kept = Kept(job, generator, train)
    models = generator.fit_checkpoints(
        train,
        Codebook.from_json(job.input.codebook),
        epochs=job.params.epochs,
        seed=kept.seed(job.wildcards.seed),
        **visit_sequence_ends(job, train),
    )
    for model in models:
        kept.keep(model, job.wildcards.seed, folder)


def _linked(source: str, target: str) -> None:
    """The same file under another name, which takes no room; a copy on disks that have one name a file."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
