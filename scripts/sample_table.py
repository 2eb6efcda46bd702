"""Draw a synthetic table from a model, of as many rows as there are training rows."""

from _job import Job, log, run, share_imports

share_imports(__name__)

from pathlib import Path

import pandas as pd
from pyarrow.parquet import read_metadata

from medsynth.codebook import Codebook
from medsynth.generators import generator_class
from medsynth.generators.streaming import write_parts
from medsynth.preparation.checks import check_clean
from medsynth.randomness import derive_seed


def main(job: Job) -> None:
    """Sample, check against the codebook and write, part by part."""
    folder = Path(job.input.models) / f"epochs{job.wildcards.epochs}"
    model = generator_class(job.params.class_path).load(folder)
    seed = derive_seed(job.params.study_seed, job.wildcards.generator, job.wildcards.seed, "sample")
    # A generator whose training rows were imputed its own way may know more columns than the study.
    codebook = Codebook.from_json(job.input.codebook)

    def checked(part: pd.DataFrame) -> pd.DataFrame:
        table = codebook.conform(part)
        check_clean(table, codebook, what=f"The table that {job.wildcards.generator} sampled")
        return table

    rows = read_metadata(job.input.train).num_rows
    rows = write_parts(map(checked, model.sample_in_parts(rows, seed=seed)), job.output[0])
    log.info("%d rows, %d columns", rows, len(codebook.columns))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
