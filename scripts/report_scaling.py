"""Tabulate and draw what fitting and sampling cost as tables grow."""

from _job import Job, run, share_imports

share_imports(__name__)

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from medsynth.display.canvas import save_figure
from medsynth.display.export import write_table
from medsynth.scores.cost.scaling_benchmark import (
    display_exponents,
    display_scaling_benchmark,
    exponents_table,
    scaling_benchmark_figure,
    scaling_benchmark_table,
)

HOW = (
    "core seconds of one thread, a process of its own for every fit and every sample; as many rows are sampled as were "
    "learned, and written to disk; imports are not in the seconds; memory is the largest resident memory of the "
    "process, libraries included"
)


def main(job: Job) -> None:
    """Read the cells, write tables and the figure."""
    params = job.params
    costs = pd.concat([pd.read_csv(path) for path in job.input.cells], ignore_index=True)
    folder = Path(job.output.png).parent.parent
    limit = f"{params.max_seconds:g} s"
    numbers = scaling_benchmark_table(costs)
    tables = {
        "scaling_benchmark": (
            numbers,
            display_scaling_benchmark(numbers, params.styles),
            f"Seconds and memory of fitting and sampling: {HOW}; further columns are the table's own again, in rows of "
            f"an order of their own; cells predicted to take longer than {limit} are skipped",
        ),
        "data_cost": (
            *[data_cost(job.input.data)] * 2,
            "Seconds and peak memory of cleaning, and of splitting and imputing",
        ),
    }
    exponents = exponents_table(numbers)
    tables["exponents"] = (
        exponents,
        display_exponents(exponents, params.styles),
        "How cost grows: exponent of the seconds' power law in rows or columns (1: linear), by least squares of the "
        "logarithms, with its 95% t interval over the sizes; 'largest two': the exponent between the two largest, "
        "where fixed costs weigh least; MB: what peak memory grows by between them, a step",
    )
    for name, (table, display, caption) in tables.items():
        write_table(table, display, folder / "tables" / name, caption=caption, note=params.note, formats=("csv", "md"))
    figure = scaling_benchmark_figure(
        numbers, params.styles, note=f"{params.note}; crosses: skipped, predicted over {limit}"
    )
    save_figure(figure, Path(job.output.png).with_suffix(""))


def data_cost(paths: Iterable[str]) -> pd.DataFrame:
    """What making the table took, from the benchmark files of its jobs."""
    rows = [(Path(path).stem, pd.read_csv(path, sep="\t").iloc[0]) for path in paths]
    found = [(job, row["seconds"], row["max_rss_mb"]) for job, row in rows]
    return pd.DataFrame(found, columns=["job", "seconds", "peak_mb"])


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
