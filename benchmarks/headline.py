"""README's table of results, from a kept run on real patients.

    python benchmarks/headline.py results/reference/diabetes130/file-laptop

Prints Markdown. Rows are the upper reference, generators from the most faithful on, and the other references.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from medsynth.plan.loading import load_generators

COLUMNS = [
    "quality",
    "C2ST AUC",
    "p",
    "accuracy",
    "normalised AUC gain",
    "membership AUC above the holdout's",
]
REFERENCES = {
    "real": "real training rows (upper reference)",
    "holdout": "held-out patients (upper reference)",
    "independent": "independent marginals (lower reference)",
}


def shown(row: pd.Series | None, value: str, low: str, high: str) -> str:
    """Write a score with its interval, or a dash."""
    if row is None or pd.isna(row[value]):
        return "–"
    end = "" if pd.isna(row[low]) else f" ({row[low]:.3f}, {row[high]:.3f})"
    return f"{row[value]:.3f}{end}"


def last(table: pd.DataFrame, generator: str) -> pd.Series | None:
    """The row of a generator's last epoch count."""
    own = table[table["generator"] == generator].sort_values("epochs")
    return None if own.empty else own.iloc[-1]


def headline(folder: Path) -> str:
    """Lay out the main scores of a kept run.

    Parameters
    ----------
    folder : Path
        ``results/reference/<study>/<run>``.
    """
    quality, utility, privacy = (pd.read_csv(folder / f"tables/{n}.csv") for n in ("quality", "utility", "privacy"))
    utility = utility[(utility["comparison"] == "equal_information") & (utility["classifier"] == "xgboost")]
    attacked = privacy[(privacy["metric"] == "membership_auc") & (privacy["group"] == "everyone")]
    chosen = attacked[attacked["attack"] == "chosen"]
    titles = {name: entry.title for name, entry in load_generators().items()} | REFERENCES
    judged = {name: last(quality, name) for name in quality["generator"].unique()}
    generators = sorted((name for name in judged if name not in REFERENCES), key=lambda name: judged[name]["c2st_auc"])
    rows = []
    for name in ["real", *generators, "holdout", "independent"]:
        found = {metric: last(utility[utility["metric"] == metric], name) for metric in utility["metric"].unique()}
        row, p = judged[name], judged[name]["c2st_auc_p"]
        rows.append(
            [
                titles[name],
                shown(row, "overall", "overall_low", "overall_high"),
                shown(row, "c2st_auc", "c2st_auc_low", "c2st_auc_high"),
                "< 0.001" if p < 0.001 else f"{p:.3f}",
                shown(found.get("accuracy"), "mean", "ci_low", "ci_high"),
                shown(found.get("normalised_auc_gain"), "mean", "ci_low", "ci_high"),
                shown(last(chosen, name), "over_holdout", "over_holdout_low", "over_holdout_high"),
            ]
        )
    # Not padded, which would make lines longer than a screen.
    lines = [["", *COLUMNS], ["---"] * (len(COLUMNS) + 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/reference/<study>/<run>")
    print(headline(parser.parse_args().folder))
