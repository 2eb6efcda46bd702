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
            "Core seconds and peak memory of fitting and of sampling, in processes of one thread. "
            "As many rows are sampled as were learned, and further columns repeat the table's own, shuffled. "
            f"Cells predicted to take longer than {limit} are skipped.",
        ),
        "data_cost": (
            *[data_cost(job.input.data)] * 2,
            "Seconds and peak memory of cleaning, and of splitting and imputing.",
        ),
    }
    exponents = exponents_table(numbers)
    tables["exponents"] = (
        exponents,
        display_exponents(exponents, params.styles),
        "How cost grows: exponent of seconds in rows or columns (1: linear), by least squares of the logarithms. "
        "'Largest two' is the exponent between the two largest sizes, and MB is how much memory grows there. "
        "95 % t intervals cover the sizes.",
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
