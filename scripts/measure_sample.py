"""Measure seconds and memory of sampling as many rows as a model learned, written to disk part by part."""

import tempfile
from pathlib import Path

import pandas as pd
from _cost import shape_of, skipped, write_cost
from _job import Job, log, run

from medsynth.generators import generator_class
from medsynth.generators.streaming import write_parts
from medsynth.randomness import derive_seed
from medsynth.scores.cost.compute import peak_memory, seconds_of

# So few rows are sampled first, so that imports are not measured.
WARM_UP_ROWS = 10


def main(job: Job) -> None:
    """Sample, unless the fit was skipped, or smaller tables predict that it would take too long."""
    if pd.read_csv(job.input.fit)["seconds"].isna().all():
        write_cost(job)
        return
    if skipped(job):
        return
    rows, _ = shape_of(job.input.train)
    model = generator_class(job.params.class_path).load(job.input.model)
    model.sample(WARM_UP_ROWS, seed=0)
    seed = derive_seed(job.params.study_seed, job.wildcards.generator, job.wildcards.seed, "sample")
    before = peak_memory()
    with tempfile.TemporaryDirectory(dir=Path(job.output.cost).parent) as folder:
        path = Path(folder) / "rows.parquet"
        _, seconds = seconds_of(lambda: write_parts(model.sample_in_parts(rows, seed=seed), path))
    write_cost(job, seconds=seconds, peak_mb=peak_memory(), start_mb=before)
    log.info("%d rows in %.1f s", rows, seconds)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
