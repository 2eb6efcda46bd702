"""How much of a run's processor time went into anything but fitting, sampling and scoring.

    medsynth overheads results/<study>/<run> ...

Every job of a study leaves in benchmarks/ what it spent, and how much of that on starting Python and on imports.
Those, and all that is spent on data, tables and figures, count as overhead.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

from medsynth.errors import InputError
from medsynth.plan.runs import NEEDED
from medsynth.scores import registry


def does_work(kind: str) -> bool:
    """Whether jobs of a folder of benchmarks/ fit, sample or score; what the others do is overhead altogether."""
    return kind in {*NEEDED, "train_together"} or kind in registry.stages()


def spent(folder: Path) -> dict[str, tuple[int, float, float]]:
    """Add up what the jobs of a run spent.

    Parameters
    ----------
    folder : Path
        ``results/<study>/<run>``.

    Returns
    -------
    dict
        Kind of job -> jobs, processor seconds, and of these seconds of starting and imports.
    """
    found: dict[str, tuple[int, float, float]] = defaultdict(lambda: (0, 0.0, 0.0))
    for path in sorted((folder / "benchmarks").rglob("*.tsv")):
        kind = path.relative_to(folder / "benchmarks").parts[0].removesuffix(".tsv")
        with path.open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file, delimiter="\t")
        if "cpu_seconds" not in row:
            raise InputError(f"{path} is of an earlier version: run the study again.")
        jobs, seconds, starting = found[kind]
        found[kind] = (jobs + 1, seconds + float(row["cpu_seconds"]), starting + float(row["starting_seconds"]))
    return dict(found)


def main(folders: list[Path]) -> None:
    """Print a line a kind of job, and the share of overhead in all folders together."""
    total = overhead = 0.0
    for folder in folders:
        print(f"{folder}\n{'':4}{'jobs of':32}{'number':>7}{'seconds':>10}{'starting, imports':>19}")
        for kind, (jobs, seconds, starting) in sorted(spent(folder).items(), key=lambda item: -item[1][1]):
            print(f"{'':4}{kind:32}{jobs:7}{seconds:10.1f}{starting:19.1f}")
            total += seconds
            overhead += starting if does_work(kind) else seconds
    if not total:
        raise InputError(
            "The folders hold no benchmark of a finished job; name folders results/<study>/<run> of finished runs."
        )
    print(
        f"{total:.0f} s of processor time, {overhead:.0f} s ({overhead / total:.1%}) outside fitting, sampling, scoring"
    )
