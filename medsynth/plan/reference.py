"""Reference results: keep a run's tables and main figures in the repository, and compare another run with them.

    medsynth reference results/covid_gans/file-laptop
    medsynth compare [results/covid_gans/file-laptop ...]

`keep` copies what the families of scores declare as kept to results/reference/<study>/<run>/. `compare` takes the runs
named, or all that have a reference and were made here, prints every mean that lies further from the kept one than the
table's tolerance allows, and ends with 1 if there is any. The same configuration on the same kind of machine gives the
same bytes; the tolerances are for other machines, where training takes another course in the last digits and seeds
become other seeds.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from medsynth.errors import InputError
from medsynth.scores import registry

REFERENCE = Path("results/reference")
# Shares of a small gain jump when the gain does; what they are made of is compared.
LEFT_OUT = ("normalised_accuracy_gain", "normalised_auc_gain", "calibration_slope")


def files_to_keep(run: Path) -> Iterator[Path]:
    """Small files of a run: tables for reading, numbers that are compared, main figures, where the data come from."""
    yield from sorted(run.glob("tables/*.md"))
    compared = [table.name for table in registry.tables().values() if table.compared]
    paths = [run / f"tables/{name}.csv" for name in (*compared, "published_vs_reproduced")]
    yield from filter(Path.is_file, paths)
    for figure in registry.figures().values():
        yield from sorted(run.glob(f"figures/{figure.kept}")) if figure.kept else []
    yield from run.glob("data/provenance.json")


def keep(run: Path) -> list[Path]:
    """Copy a run's reference files, in place of what was kept of it before."""
    if not (run / "tables/quality.csv").is_file():
        raise InputError(f"{run} is not a finished run, because it has no tables/quality.csv; make the run first.")
    target = REFERENCE / run.parent.name / run.name
    shutil.rmtree(target, ignore_errors=True)
    kept = list(files_to_keep(run))
    for path in kept:
        copy = target / path.relative_to(run)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return kept


def differences(run: Path, reference: Path) -> pd.DataFrame:
    """List the means that differ by more than their tolerance, or are in one of the two alone.

    Returns
    -------
    DataFrame
        Columns table, row, column, reference, run, tolerance.
    """
    found = []
    for name, table in registry.tables().items():
        if not table.compared:
            continue
        keys, columns, tolerance, relative = dataclasses.astuple(table.compared)
        paths = [folder / f"tables/{name}.csv" for folder in (reference, run)]
        if not paths[0].is_file():
            continue
        if not paths[1].is_file():
            raise InputError(f"{paths[1]} does not exist; make the run first.")
        # A key may be empty in all rows of one table, which then is a column of numbers.
        text = dict.fromkeys(keys, object)
        kept, new = (pd.read_csv(path, keep_default_na=False, na_values=[""]).astype(text) for path in paths)
        both = kept.merge(new, on=list(keys), how="outer", suffixes=("_kept", "_new"))
        if "metric" in keys:
            both = both[~both["metric"].isin(LEFT_OUT)]
        for column in columns:
            old, now = both[f"{column}_kept"], both[f"{column}_new"]
            allowed = tolerance * (old.abs() if relative else 1)
            off = both[((old - now).abs() > allowed) | (old.isna() != now.isna())]
            for _, row in off.iterrows():
                words = ", ".join(str(row[key]) for key in keys if pd.notna(row[key]))
                found.append((name, words, column, row[f"{column}_kept"], row[f"{column}_new"], tolerance))
    return pd.DataFrame(found, columns=["table", "row", "column", "reference", "run", "tolerance"])


def compare(runs: list[Path]) -> int:
    """Print how runs differ from their references: all that have one and are here, unless some are named.

    Returns
    -------
    int
        Differences beyond tolerance.
    """
    references = {Path("results") / p.relative_to(REFERENCE): p for p in sorted(REFERENCE.glob("*/*")) if p.is_dir()}
    runs = runs or [run for run in references if run.is_dir()]
    if not runs:
        raise InputError("There is no run here with a reference; name one, or make one (make results).")
    off = 0
    for run in runs:
        if run not in references:
            known = ", ".join(map(str, references)) or "none"
            raise InputError(f"{run} has no reference; there are: {known}.")
        table = differences(run, references[run])
        off += len(table)
        print(f"{run}: {len(table)} differences beyond tolerance")
        if len(table):
            print(table.to_string(index=False))
    return off
