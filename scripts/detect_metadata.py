"""Tabulate the column types that SDV detects beside those of the codebook."""

from _job import Job, read_tables, run, share_imports

share_imports(__name__)

from medsynth.codebook import Codebook
from medsynth.generators.metadata import compare_metadata


def main(job: Job) -> None:
    """Read the training rows, let SDV detect, write what it found."""
    (train,) = read_tables(job, "train")
    table = compare_metadata(train, Codebook.from_json(job.input.codebook))
    table.to_csv(job.output.metadata, index=False, lineterminator="\n")


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
