"""What each rule cost."""

from __future__ import annotations

import pandas as pd


def runtime_table(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """What each rule cost.

    Parameters
    ----------
    benchmarks : DataFrame
        One row a job: rule, generator (empty for rules that have none), seconds, max_rss_mb, cpu_seconds.

    Returns
    -------
    DataFrame
        One row per rule and generator: rule, generator, jobs, total_seconds, mean_seconds and max_rss_mb (the
        largest of the jobs), sorted by rule and generator.
    """
    # A csv gives the empty generator back as NaN, whose rows groupby would lose.
    jobs = benchmarks.assign(generator=benchmarks["generator"].fillna(""))
    return (
        jobs.groupby(["rule", "generator"])
        .agg(
            jobs=("seconds", "size"),
            total_seconds=("seconds", "sum"),
            mean_seconds=("seconds", "mean"),
            max_rss_mb=("max_rss_mb", "max"),
        )
        .reset_index()
    )
