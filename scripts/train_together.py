"""Fit a generator with several seeds side by side, and keep the models of every seed and epoch count."""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends

share_imports(__name__)

import shutil
from pathlib import Path

from _training import Kept

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.generators import generator_class


def main(job: Job) -> None:
    """Train, save the models, and write beside them what made them.

    Where one seed cannot be trained, none is kept: each is trained alone then, so that the others have their models.
    """
    folder = Path(job.output.models)
    folder.mkdir(parents=True, exist_ok=True)
    (train,) = read_tables(job, "train")
    generator = generator_class(job.params.class_path)(**job.params.settings)
    kept = Kept(job, generator, train)
    numbers = {kept.seed(number): number for number in job.params.seeds}
    models = generator.fit_together(
        train,
        Codebook.from_json(job.input.codebook),
        epochs=job.params.epochs,
        seeds=list(numbers),
        **visit_sequence_ends(job, train),
    )
    try:
        for seed, model in models:
            kept.keep(model, numbers[seed], folder / f"seed{numbers[seed]}")
    except InputError as error:
        log.warning("%s Each seed is trained alone.", error)
        for place in folder.iterdir():
            shutil.rmtree(place)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
