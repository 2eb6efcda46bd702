"""Put scores and costs of a run into one long table."""

from _job import Job, log, read_score_file, run, share_imports

share_imports(__name__)

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medsynth.errors import InputError
from medsynth.evaluation.resampling import ABOUT, COUNTED

KEYS = ["study", "source", "scale", "generator", "epochs", "seed", "split", "family", "metric", *ABOUT]


def main(job: Job) -> None:
    """Concatenate what the declared inputs hold; sort, so that the order of jobs leaves no trace."""
    benchmarks = pd.concat([read_benchmark(path) for path in job.input.benchmarks], ignore_index=True)
    tables = [*map(read_score_file, job.input.scores), costs(shared_out(benchmarks)), failed(job.params.failures)]
    scores = pd.concat(tables, ignore_index=True)
    names = {"study": job.wildcards.study, "source": job.params.source, "scale": job.params.scale}
    scores = scores.assign(**names).fillna({name: "" for name in ABOUT if name not in COUNTED})
    # What no seed has made is of no partition's own.
    scores["split"] = scores["seed"].map(job.params.splits).fillna(1).astype(int)
    scores = scores[[*KEYS, "value", "variance"]].sort_values(KEYS, kind="stable")
    log.info("%d scores of %d files", len(scores), len(job.input.scores))
    scores.to_csv(job.output.scores, index=False, lineterminator="\n", float_format="%.10g")
    replicates = pd.concat(map(pd.read_parquet, job.input.replicates), ignore_index=True)
    replicates.to_parquet(job.output.replicates, index=False)
    benchmarks.to_csv(job.output.benchmarks, index=False, lineterminator="\n")


def read_benchmark(name: str) -> pd.DataFrame:
    """Read one benchmark file; its name says the stage, the generator, the epochs and the seed."""
    path = Path(name)
    row = pd.read_csv(path, sep="\t").iloc[0]
    if "cpu_seconds" not in row:
        raise InputError(f"{path} is of an earlier version: delete it and run again.")
    facts = {"rule": path.stem, "generator": "", "epochs": 0, "seed": 0}
    if path.parent.name != "benchmarks":
        generator, *rest = path.stem.split("-")
        facts |= {"rule": path.parent.name, "generator": generator}
        facts |= {word.rstrip("0123456789"): int(word.lstrip("epochsd")) for word in rest}
    return pd.DataFrame([{**facts, **row}])


def shared_out(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """Give each seed its part of what training all seeds of a generator together took."""
    found = benchmarks.copy()
    for row in benchmarks[benchmarks["rule"] == "train_together"].itertuples():
        own = (found["rule"] == "train") & (found["generator"] == row.generator)
        found.loc[own, ["seconds", "cpu_seconds"]] += np.array([row.seconds, row.cpu_seconds]) / own.sum()
        found.loc[own, "max_rss_mb"] = found.loc[own, "max_rss_mb"].clip(lower=row.max_rss_mb)
    return found[found["rule"] != "train_together"]


def costs(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """Make scores of the family cost from what jobs of a generator took."""
    jobs = benchmarks[benchmarks["generator"] != ""]
    long = jobs.melt(
        id_vars=["rule", "generator", "epochs", "seed"],
        value_vars=["seconds", "max_rss_mb", "cpu_seconds"],
        var_name="metric",
    )
    return long.rename(columns={"rule": "stage"}).assign(family="cost")


def failed(failures: list[dict[str, Any]]) -> pd.DataFrame:
    """Make rows of the family failed, without a value: metric is the stage that lacks, stage the step that failed."""
    table = pd.DataFrame(failures, columns=["generator", "epochs", "seed", "stage", "step"])
    return table.rename(columns={"stage": "metric", "step": "stage"}).assign(family="failed")


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
