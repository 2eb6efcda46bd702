"""Make the table that one cell of the scaling benchmark is measured on."""

from _job import Job, log, read_tables, run, share_imports, write_text

share_imports(__name__)

from medsynth.codebook import Codebook
from medsynth.randomness import derive_seed
from medsynth.scores.cost.compute import resized


def main(job: Job) -> None:
    """Sample rows, and take fewer columns or repeat them."""
    (train,) = read_tables(job, "train")
    codebook = Codebook.from_json(job.input.codebook)
    columns = job.params.columns or train.shape[1]
    # Another word than "growth" would give other random numbers.
    seed = derive_seed(job.params.study_seed, "growth", job.params.rows, columns)
    table, described = resized(train, codebook, rows=job.params.rows, columns=columns, seed=seed)
    log.info("%d rows, %d columns", *table.shape)
    table.to_parquet(job.output.train, index=False)
    write_text(job.output.codebook, described.to_json())


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
