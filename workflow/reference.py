"""Reference results: keep a run's tables and main figures in the repository, and compare another run with them.

    python workflow/reference.py keep results/covid_gans/file-laptop
    python workflow/reference.py compare [results/covid_gans/file-laptop ...]

`keep` copies the small files of `KEPT` to results/reference/<study>/<run>/. `compare` takes the runs named, or all that
have a reference and were made here, prints every mean that lies further from the kept one than `TOLERANCES` allow, and
ends with 1 if there is any. The same configuration on the same kind of machine gives the same bytes; the tolerances are
for other machines, where training takes another course in the last digits and seeds become other seeds.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import pandas as pd

REFERENCE = Path("results/reference")
KEPT = [
    "tables/*.md", "tables/utility.csv", "tables/quality.csv", "tables/moments.csv", "tables/conditional.csv",
    "tables/privacy.csv", "tables/importance.csv", "tables/detection.csv", "tables/precision_recall.csv",
    "tables/inference.csv", "tables/violations.csv", "tables/sizes.csv",
    "tables/published_vs_reproduced.csv", "figures/accuracy_*.png", "figures/distributions_med_vae_plus.png",
    "figures/pairs_med_vae_plus.png", "figures/sizes.png", "figures/detection.png", "figures/privacy_*.png",
    "figures/importances_ctgan_death.png", "data/provenance.json",
]  # fmt: skip
# Table -> what names a row, the columns that are compared, and by how much they may differ.
TOLERANCES = {
    "utility": (["generator", "epochs", "comparison", "target", "classifier", "metric"], ["mean"], 0.03),
    "quality": (["generator", "epochs"], ["overall", "column_shapes", "pair_trends", "c2st_auc"], 0.02),
    "detection": (["generator", "epochs", "rows"], ["c2st_auc"], 0.03),
    "precision_recall": (["generator", "epochs"], ["alpha_precision", "beta_recall", "three_way_marginals"], 0.03),
    "conditional": (["condition", "generator", "epochs"], ["success"], 0.03),
    "privacy": (["generator", "epochs", "metric", "detail"], ["mean"], 0.03),
    "violations": (["generator", "epochs"], ["any"], 0.03),
    "sizes": (["generator", "n_rows"], ["quality", "c2st_auc", "accuracy", "roc_auc"], 0.03),
}
# Shares of a small gain jump when the gain does; what they are made of is compared.
LEFT_OUT = ("normalised_accuracy_gain", "normalised_auc_gain", "calibration_slope")


def keep(run: Path) -> list[Path]:
    """Copy a run's reference files, in place of what was kept of it before."""
    if not (run / "tables/quality.csv").is_file():
        raise SystemExit(f"{run} is no finished run: it has no tables/quality.csv.")
    target = REFERENCE / run.parent.name / run.name
    shutil.rmtree(target, ignore_errors=True)
    kept = [path for pattern in KEPT for path in sorted(run.glob(pattern))]
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
    for name, (keys, columns, tolerance) in TOLERANCES.items():
        paths = [folder / f"tables/{name}.csv" for folder in (reference, run)]
        if not paths[0].is_file():
            continue
        if not paths[1].is_file():
            raise SystemExit(f"{paths[1]} does not exist; make the run first.")
        kept, new = (pd.read_csv(path, keep_default_na=False, na_values=[""]) for path in paths)
        both = kept.merge(new, on=keys, how="outer", suffixes=("_kept", "_new"))
        if "metric" in keys:
            both = both[~both["metric"].isin(LEFT_OUT)]
        for column in columns:
            old, now = both[f"{column}_kept"], both[f"{column}_new"]
            off = both[((old - now).abs() > tolerance) | (old.isna() != now.isna())]
            for _, row in off.iterrows():
                words = ", ".join(str(row[key]) for key in keys)
                found.append((name, words, column, row[f"{column}_kept"], row[f"{column}_new"], tolerance))
    return pd.DataFrame(found, columns=["table", "row", "column", "reference", "run", "tolerance"])


def main() -> int:
    """Keep or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["keep", "compare"])
    parser.add_argument("runs", nargs="*", type=Path, help="folders results/<study>/<source>-<scale>")
    asked = parser.parse_args()
    if asked.what == "keep":
        if not asked.runs:
            raise SystemExit("Say which run is to be kept: RUN=results/<study>/<source>-<scale>.")
        for run in asked.runs:
            print(f"kept {len(keep(run))} files of {run}")
        return 0
    references = {Path("results") / p.relative_to(REFERENCE): p for p in sorted(REFERENCE.glob("*/*")) if p.is_dir()}
    runs = asked.runs or [run for run in references if run.is_dir()]
    if not runs:
        raise SystemExit("No run here has a reference; name one, or make one (make results).")
    off = 0
    for run in runs:
        if run not in references:
            known = ", ".join(map(str, references)) or "none"
            raise SystemExit(f"{run} has no reference; there are: {known}.")
        table = differences(run, references[run])
        off += len(table)
        print(f"{run}: {len(table)} differences beyond tolerance")
        if len(table):
            print(table.to_string(index=False))
    return int(off > 0)


if __name__ == "__main__":
    sys.exit(main())
