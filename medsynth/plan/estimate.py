"""Say what a run will take, in core hours, memory and disk, before it is started.

    medsynth estimate studies=[covid_gans] scale=paper

A few minutes of calibration on this machine come first, in a temporary folder: the workflow itself makes the study's
data and scores its reference rows for one seed, at the scale's own sizes; each generator is fitted on a few thousand of
the training rows, on two numbers of them and for two epoch counts, in a process of its own. Every job that `load_runs`
lists is then given what that says; a score of a generator is taken to cost what it costs of the reference row whose job
is most like it. Tables and figures, some seconds each, are left out.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Self

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.evaluation.references import REFERENCE_ROWS
from medsynth.generators import generator_class
from medsynth.generators.protocol import Generator
from medsynth.plan.loading import ROOT, configuration, import_from_checkout, load_runs
from medsynth.plan.runs import Run, ScoreJob
from medsynth.plan.sharing import can_share
from medsynth.scores import registry
from medsynth.scores.cost.compute import peak_memory, seconds_of

# A generator is fitted on so many rows at most, and on half of them.
CALIBRATION_ROWS = 12_000
CALIBRATION_EPOCHS = (1, 3)
# So few rows first, so that imports are not measured with a fit.
WARM_UP_ROWS = 200
# What a job takes to start that finds its imports made already (`medsynth/plan/sharing.py`).
FORKED_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Cost:
    """What jobs take: how many, core seconds together, MB of the largest, MB that they leave on disk."""

    jobs: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    disk_mb: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        peak = max(self.peak_mb, other.peak_mb)
        return Cost(self.jobs + other.jobs, self.seconds + other.seconds, peak, self.disk_mb + other.disk_mb)

    def times(self, jobs: int) -> Cost:
        """So many jobs of the kind."""
        return Cost(self.jobs * jobs, self.seconds * jobs, self.peak_mb, self.disk_mb * jobs)


@dataclasses.dataclass(frozen=True)
class Line:
    """A quantity that grows linearly."""

    at_0: float
    slope: float

    @classmethod
    def through(cls, sizes: Sequence[float], values: Sequence[float]) -> Self:
        """The line through two points, or a constant if they are one or it would fall."""
        (x, further), (y, last) = sizes, values
        slope = max((last - y) / (further - x), 0.0) if further > x else 0.0
        return cls(max(last - slope * further, 0.0), slope)

    def __call__(self, size: float) -> float:
        return self.at_0 + self.slope * size


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What a generator costs on this machine.

    Parameters
    ----------
    start : float
        Core seconds of a job before its work, which all jobs of a generator pay once together where they share imports.
    fit : Line
        Seconds of a fit without its epochs, by rows.
    epoch : float
        Seconds an epoch and row.
    sample : float
        Seconds a sampled row.
    peak_mb, disk_mb : Line
        Memory of a fit and size of a model, by rows.
    """

    start: float
    fit: Line
    epoch: float
    sample: float
    peak_mb: Line
    disk_mb: Line

    def fit_seconds(self, rows: int, runs: list[list[int]]) -> float:
        """Seconds of the training runs that epoch counts take."""
        return sum(self.fit(rows) + self.epoch * rows * run[-1] for run in runs)


def measure(class_path: str, settings: dict[str, Any], data: Path, training: dict[str, str]) -> dict[str, Any]:
    """Fit, save and sample in this process: seconds and MB of each, as `calibrate` puts them together."""
    # SDV's, on how it trains: the jobs' logs have them.
    warnings.simplefilter("ignore")
    table = pd.read_parquet(data / training["train"])
    codebook = Codebook.from_json(data / training["codebook"])
    generator = generator_class(class_path)(**settings)

    def warm_up() -> None:
        next(generator.fit_checkpoints(table.head(WARM_UP_ROWS), codebook, epochs=[1], seed=0)).sample(10, seed=0)

    def fit(sample: pd.DataFrame, epochs: int) -> Generator:
        return next(generator.fit_checkpoints(sample, codebook, epochs=[epochs], seed=1))

    warm_up()
    begun = time.process_time()
    # What the same takes again, now that everything is imported, is no part of what every job begins with.
    found: dict[str, Any] = {"start": begun - seconds_of(warm_up)[1], "seconds": [], "peak_mb": [], "disk_mb": []}
    large = min(len(table), CALIBRATION_ROWS)
    plan = [(large // 2, CALIBRATION_EPOCHS[0]), (large, CALIBRATION_EPOCHS[0])]
    plan += [(large, CALIBRATION_EPOCHS[1])] if generator.has_epochs else []
    found["rows"] = [rows for rows, _ in plan[:2]]
    for rows, epochs in plan:
        sample = table.sample(rows, random_state=0).reset_index(drop=True)
        model, seconds = seconds_of(partial(fit, sample, epochs))
        found["seconds"].append(seconds)
        found["peak_mb"].append(peak_memory())
        with tempfile.TemporaryDirectory() as folder:
            model.save(folder)
            found["disk_mb"].append(size_mb(Path(folder)))
    found["sample"] = seconds_of(lambda: model.sample(large, seed=1))[1] / large
    return found


def size_mb(folder: Path) -> float:
    """Size of the files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1024**2


def calibrate(run: Run, generator: str, folder: Path) -> Calibration:
    """Measure a generator in a process of its own, on training rows that lie below `folder`."""
    entry = run.generators[generator]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        # Its own imputation, if it has one, changes little of what its fit costs.
        paths = {what: path for what, path in run.training(None).items() if isinstance(path, str)}
        found = pool.submit(measure, entry.class_path, entry.settings, folder, paths).result()
    rows, seconds = found["rows"], found["seconds"]
    once, thrice = CALIBRATION_EPOCHS
    epoch = max(seconds[-1] - seconds[1], 0.0) / (thrice - once) / rows[1] if len(seconds) > 2 else 0.0
    fits = [max(s - epoch * n * once, 0.0) for s, n in zip(seconds, rows, strict=False)]
    peak, disk = (Line.through(rows, found[key][:2]) for key in ("peak_mb", "disk_mb"))
    return Calibration(found["start"], Line.through(rows, fits), epoch, found["sample"], peak, disk)


def run_references(run: Run, folder: Path, words: list[str]) -> None:
    """Let the workflow make the study's data and score its reference rows, for the first seed, below `folder`."""
    shutil.copytree("config", folder / "config")
    if Path("resources").is_dir():
        (folder / "resources").symlink_to(Path("resources").resolve())
    seed = run.scale.seeds[0]
    wanted = [f"{run.folder}/data/train.parquet"]
    wanted += [f"{run.folder}/scores/{job.name}.csv" for job in references(run)]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--workflow-profile", str(ROOT / "profiles/default"), "--cores", "1", *wanted]
    command += ["--config", *words, f"studies=[{run.study.name}]", f"seeds=[{seed}]"]
    command += [f"raw_dir={Path(run.raw_dir).resolve()}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise InputError(f"The calibration of {run.study.name} failed:\n{done.stdout}")


# What a further model adds to a step of models that are trained side by side, as a share of a step of one
# (benchmarks/med_vae_together.py).
FURTHER_MODEL = 0.23


def references(run: Run) -> list[ScoreJob]:
    """Score jobs of reference rows, of the first seed."""
    return [job for job in run.scored if job.generator in REFERENCE_ROWS and job.seed == run.scale.seeds[0]]


def benchmark_of(run: Run, folder: Path, name: str) -> Cost:
    """Read what a job of the calibration took from its benchmark file, and what it takes once imports are made."""
    row = pd.read_csv(folder / run.folder / f"benchmarks/{name}.tsv", sep="\t").iloc[0]
    starting = min(FORKED_SECONDS, row["starting_seconds"]) if can_share() else row["starting_seconds"]
    return Cost(1, row["cpu_seconds"] - row["starting_seconds"] + starting, row["max_rss_mb"])


def estimate(run: Run, words: list[str]) -> dict[str, Cost]:
    """Estimate a run: its data, its reference rows and each generator with all that is sampled and scored of it."""
    from pyarrow.parquet import read_metadata

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        run_references(run, folder, words)
        seed = run.scale.seeds[0]
        data = sum(
            (benchmark_of(run, folder, path.stem) for path in (folder / run.folder / "benchmarks").glob("*.tsv")),
            Cost(),
        )
        disk = sum(size_mb(folder / run.folder / name) for name in ("data", "raw"))
        found = {"data": dataclasses.replace(data, disk_mb=disk)}
        scored = {
            job[:2]: benchmark_of(run, folder, f"{job.stage}/{job.generator}-seed{seed}") for job in references(run)
        }
        found["reference rows"] = sum(
            (cost.times(sum(job[:2] == name for job in run.scored)) for name, cost in scored.items()), Cost()
        )
        train = folder / run.folder / "data/train.parquet"
        n_train = read_metadata(train).num_rows
        row_mb = train.stat().st_size / 1024**2 / n_train
        for generator in run.generators:
            costs = calibrate(run, generator, folder)
            found[generator] = jobs_of(run, generator, costs, scored, n_train, row_mb)
    return found


def jobs_of(
    run: Run, generator: str, costs: Calibration, scored: dict[tuple[str, str], Cost], n_train: int, row_mb: float
) -> Cost:
    """Add up every job of a generator: training, sampling, and each kind of score."""
    entry = run.generators[generator]
    made = generator_class(entry.class_path)(**entry.settings)
    runs, shown = (made.training_runs(counts) for counts in (run.epochs_of(generator), [run.shown(generator)]))
    models_mb = len(run.epochs_of(generator)) * costs.disk_mb(n_train)
    once, each = (costs.start, min(FORKED_SECONDS, costs.start)) if can_share() else (0.0, costs.start)
    seeds = len(run.scale.seeds)
    fits = costs.fit_seconds(n_train, runs)
    if made.trains_together:
        # Models that are trained side by side, on average over the epochs: epoch counts of a seed, or of all seeds.
        beside = (
            (seeds if run.together(generator) else 1)
            * sum(counts[-1] for counts in runs)
            / max(counts[-1] for counts in runs)
        )
        fits *= FURTHER_MODEL + (1 - FURTHER_MODEL) / beside
    train = Cost(1, each + fits, costs.peak_mb(n_train), models_mb)
    # A model is read and few rows are in memory at once.
    sample = Cost(1, each + costs.sample * n_train, costs.peak_mb(0), row_mb * n_train)
    drawn = [model for model in run.models if model[0] == generator]
    total = Cost(seconds=once) + train.times(seeds) + sample.times(len(drawn))
    work = registry.Work(
        generator, fit=lambda rows: costs.fit_seconds(rows, shown), sample=lambda rows: costs.sample * rows
    )
    for job in run.scored:
        if job.generator != generator:
            continue
        stage = registry.stages()[job.stage]
        like = scored[job.stage, stage.like] if stage.like else Cost(1, each, costs.peak_mb(n_train))
        seconds = like.seconds + stage.more_seconds(run, work, n_train)
        if stage.unexplained:
            # At the epoch counts that are not shown, less is scored.
            seconds += (len(job.epochs) - 1) * scored[job.stage, stage.unexplained].seconds
        total += dataclasses.replace(like, seconds=seconds)
    return total


def tabulated(found: dict[str, Cost], run: Run) -> str:
    """Lay an estimate out."""
    from tabulate import tabulate

    titles = {name: entry.title for name, entry in run.generators.items()}
    rows = [
        (titles.get(name, name), f"{c.jobs:,}", f"{c.seconds:,.0f}", f"{c.seconds / 3600:.2f}", f"{c.peak_mb:,.0f}",
         f"{c.disk_mb:,.0f}")
        for name, c in {**found, "together": sum(found.values(), Cost())}.items()
    ]  # fmt: skip
    header = ["", "jobs", "core seconds", "core hours", "memory of a job (MB)", "disk (MB)"]
    return tabulate(rows, header, tablefmt="pipe", disable_numparse=True, colalign=["left", *["right"] * 5])


def main(words: list[str]) -> None:
    """Read the configuration as snakemake does, estimate every study, print."""
    import_from_checkout()
    # Threads of a job, also of those that are measured here.
    os.environ |= {"OMP_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1"}
    config = configuration(words)
    kept = [word for word in words if word.partition("=")[0] not in ("studies", "seeds", "raw_dir")]
    for run in load_runs(config).values():
        started = time.monotonic()
        found = estimate(run, kept)
        took = time.monotonic() - started
        print(f"{run.study.name}, scale {run.scale_name}, {run.source}: calibrated in {took:.0f} s\n")
        print(tabulated(found, run), end="\n\n", flush=True)
