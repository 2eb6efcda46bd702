"""Draw a simulated raw table and write it as csv.gz, codes and all."""

from _job import Job, log, run, share_imports

share_imports(__name__)

import gzip
from pathlib import Path

from medsynth.cohorts import simulate
from medsynth.randomness import derive_seed


def main(job: Job) -> None:
    """Simulate the study's cohort; of several raw tables, which belong together, write the one in the output's name."""
    dataset, rows = job.params.dataset, job.params.rows
    table = simulate(dataset, rows, seed=derive_seed(job.params.seed, dataset, "cohort"))
    if isinstance(table, dict):
        table = table[job.wildcards.table]
    log.info("%s: %d simulated rows, %d columns", dataset, *table.shape)
    # No name and no time in the gzip header: the same seed gives the same bytes.
    with Path(job.output[0]).open("wb") as file, gzip.GzipFile("", "wb", 5, file, mtime=0) as packed:
        table.to_csv(packed, index=False, lineterminator="\n")


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
