"""Measure seconds and memory of one fit, and keep the model."""

from pathlib import Path

from _cost import skipped, write_cost
from _job import Job, log, read_tables, run

from medsynth.codebook import Codebook
from medsynth.generators import generator_class
from medsynth.randomness import derive_seed
from medsynth.scores.cost.compute import peak_memory, seconds_of

# So few rows are fitted first, so that imports are not measured.
WARM_UP_ROWS = 200


def main(job: Job) -> None:
    """Fit, unless smaller tables predict that it would take too long."""
    # The folder is declared, whether or not it will hold a model.
    Path(job.output.model).mkdir(parents=True)
    if skipped(job):
        return
    (table,) = read_tables(job, "train")
    codebook = Codebook.from_json(job.input.codebook)
    generator = generator_class(job.params.class_path)(**job.params.settings)
    next(generator.fit_checkpoints(table.head(WARM_UP_ROWS), codebook, epochs=[1], seed=0))
    # Another word than "growth" would give other random numbers.
    seed = derive_seed(job.params.study_seed, job.wildcards.generator, job.wildcards.seed, "growth")
    before = peak_memory()
    model, seconds = seconds_of(
        lambda: next(generator.fit_checkpoints(table, codebook, epochs=job.params.epochs, seed=seed))
    )
    write_cost(job, seconds=seconds, peak_mb=peak_memory(), start_mb=before)
    log.info("%.1f s", seconds)
    model.save(job.output.model)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
