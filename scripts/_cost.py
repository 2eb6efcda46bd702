"""What the benchmark's cells share: when one is skipped, and the row that each writes."""

from __future__ import annotations

import math

import pandas as pd
from _job import Job, log

from medsynth.scores.cost.compute import predict


def shape_of(path: str) -> tuple[int, int]:
    """Rows and columns of a parquet, without reading it."""
    from pyarrow.parquet import read_metadata

    found = read_metadata(path)
    return found.num_rows, found.num_columns


def skipped(job: Job) -> bool:
    """Say whether smaller cells predict that this one takes too long; if so, write that it is skipped."""
    smaller = [pd.read_csv(path) for path in job.input.smaller]
    known = pd.concat(smaller).dropna(subset=["seconds"]) if smaller else pd.DataFrame(columns=["seconds"])
    sizes = known[job.wildcards.axis] if len(known) else []
    expected = predict(sizes, known["seconds"], int(job.wildcards.size))
    if not expected > job.params.max_seconds:
        return False
    log.info("skipped: %.0f s predicted", expected)
    write_cost(job, predicted=expected)
    return True


def write_cost(
    job: Job,
    *,
    seconds: float = math.nan,
    peak_mb: float = math.nan,
    start_mb: float = math.nan,
    predicted: float = math.nan,
) -> None:
    """Write a cell: what it cost, or what it was predicted to."""
    rows, columns = shape_of(job.input.train)
    facts = {"axis": job.wildcards.axis, "rows": rows, "columns": columns, "generator": job.wildcards.generator}
    facts |= {"seed": job.wildcards.seed, "epochs": job.params.epochs[-1], "what": job.params.what}
    facts |= {"seconds": seconds, "peak_mb": peak_mb, "start_mb": start_mb, "predicted": predicted}
    pd.DataFrame([facts]).to_csv(job.output.cost, index=False, lineterminator="\n", float_format="%.6g")
