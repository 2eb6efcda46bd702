"""README's table of results, from a kept run on real patients.

    python benchmarks/headline.py results/reference/support2/file-paper

Prints Markdown. Rows are the upper reference, generators from the most faithful on, the other references, and a control
that attacks must find. Models are those of the scale's ``shown_epochs``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from medsynth.evaluation.references import REFERENCE_ROWS
from medsynth.plan.loading import load_generators, read_study

# Score -> its column in quality.csv.
FIDELITY = {
    "quality": "overall",
    "column shapes": "column_shapes",
    "pair trends": "pair_trends",
    "C2ST AUC": "c2st_auc",
}
# Score -> its metric in utility.csv.
UTILITY = {"accuracy": "accuracy", "normalised AUC gain": "normalised_auc_gain"}
MEMBERSHIP = "membership AUC above the holdout's"
REFERENCES = {
    "real": "real training rows (upper reference)",
    "holdout": "held-out patients (upper reference)",
    "independent": "independent marginals (lower reference)",
}
CONTROL = "copied_10"


def shown(row: pd.Series | None, value: str, low: str, high: str) -> str:
    """Write a score with its interval, or a dash."""
    if row is None or pd.isna(row[value]):
        return "–"
    end = "" if pd.isna(row[low]) else f" ({row[low]:.3f}, {row[high]:.3f})"
    return f"{row[value]:.3f}{end}"


def chosen(table: pd.DataFrame, generator: str, epochs: int | None) -> pd.Series | None:
    """The row of a generator at an epoch count, else at its last one."""
    own = table[table["generator"] == generator].sort_values("epochs")
    at = own[own["epochs"] == epochs]
    return None if own.empty else (at if len(at) else own).iloc[-1]


def headline(folder: Path) -> str:
    """Lay out the main scores of a kept run.

    Parameters
    ----------
    folder : Path
        ``results/reference/<study>/<source>-<scale>``.
    """
    _, study = read_study(folder.resolve().parent.name)
    epochs = study["scales"][folder.resolve().name.partition("-")[2]].get("shown_epochs")
    quality, utility, privacy = (pd.read_csv(folder / f"tables/{n}.csv") for n in ("quality", "utility", "privacy"))
    utility = utility[(utility["comparison"] == "equal_information") & (utility["classifier"] == "xgboost")]
    attacked = privacy[(privacy["metric"] == "membership_auc") & (privacy["group"] == "everyone")]
    attacked = attacked[attacked["attack"] == "chosen"]
    titles = {name: entry.title for name, entry in load_generators().items()} | REFERENCES
    titles[CONTROL] = f"{REFERENCE_ROWS[CONTROL].title} (control)"
    judged = {name: chosen(quality, name, epochs) for name in quality["generator"].unique()}
    generators = sorted((name for name in judged if name not in REFERENCES), key=lambda name: judged[name]["c2st_auc"])
    rows = []
    for name in ["real", *generators, "holdout", "independent", CONTROL]:
        useful = [chosen(utility[utility["metric"] == metric], name, epochs) for metric in UTILITY.values()]
        attack = chosen(attacked, name, epochs)
        rows.append(
            [
                titles[name],
                *(shown(judged.get(name), score, f"{score}_low", f"{score}_high") for score in FIDELITY.values()),
                *(shown(row, "mean", "ci_low", "ci_high") for row in useful),
                shown(attack, "over_holdout", "over_holdout_low", "over_holdout_high"),
            ]
        )
    columns = [*FIDELITY, *UTILITY, MEMBERSHIP]
    # Not padded, which would make lines longer than a screen.
    lines = [["", *columns], ["---"] * (len(columns) + 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results/reference/<study>/<run>")
    print(headline(parser.parse_args().folder))
