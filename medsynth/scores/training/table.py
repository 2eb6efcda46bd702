"""Losses of training runs as a table, and marks on models that ended before their loss settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from medsynth.display.cells import epochs_text, number_text
from medsynth.display.styles import Styles, in_display_order, title_of

# A run is cut into so many parts; its loss has settled if from the last but one to the last part it changes by at most
# this share of how far it moved in the whole run.
PARTS, SETTLED = 5, 0.02
UNSETTLED = "*"
MARKED = f"{UNSETTLED} Training ended before the loss settled"
COLUMNS = ["generator", "epochs", "n_seeds", "loss", "first", "last", "change", "settled"]


def training_table(histories: Mapping[str, Mapping[int, list[list[dict[str, Any]]]]]) -> pd.DataFrame:
    """Say how far losses moved, and whether they had settled when training ended.

    Parameters
    ----------
    histories : mapping
        Generator -> epoch count -> one history a seed: for every epoch losses under ``train_<loss>``.

    Returns
    -------
    DataFrame
        One row per generator, epoch count and loss, means over seeds: generator, epochs, n_seeds, loss, first and last
        (mean of the run's first epoch and last part), change (between its last two parts, as a share of how far the
        loss moved) and settled (bool; of a generator of two losses both have to).
    """
    rows = []
    for generator, counts in histories.items():
        for epochs, runs in counts.items():
            names = [name for name in (runs[0][0] if runs and runs[0] else {}) if _is_loss(name)]
            own = [(name, *np.mean([_moved([e[name] for e in run]) for run in runs], axis=0)) for name in names]
            settled = all(change <= SETTLED for *_, change in own)
            rows += [
                (generator, epochs, len(runs), name.removeprefix("train_"), first, last, change, settled)
                for name, first, last, change in own
            ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _is_loss(name: str) -> bool:
    """Whether an entry of a history is a loss that training minimises, not a part of one or of held-out rows."""
    return name.startswith("train_") and name.endswith("loss")


def _moved(losses: list[float]) -> tuple[float, float, float]:
    """First loss, mean of the last part, and the change between the last two parts as a share of the whole way."""
    if len(losses) < PARTS:
        return losses[0], losses[-1], 1.0
    means = [part.mean() for part in np.array_split(np.asarray(losses, dtype=float), PARTS)]
    way = np.ptp([losses[0], *means])
    return losses[0], means[-1], abs(means[-1] - means[-2]) / way if way else 0.0


def display_training(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay losses out, a row a generator, epoch count and loss."""
    rows = []
    for generator in in_display_order(table["generator"], styles):
        for _, own in table[table["generator"] == generator].iterrows():
            row = {"Model": title_of(generator, styles), "Epochs": epochs_text(own["epochs"])}
            row |= {"Seeds": str(own["n_seeds"]), "Loss": own["loss"]}
            row |= {"First epoch": number_text(own["first"], 2), "Last fifth": number_text(own["last"], 2)}
            row |= {"Change": number_text(own["change"], 3), "Settled": "yes" if own["settled"] else "no"}
            rows.append(row)
    return pd.DataFrame(
        rows, columns=["Model", "Epochs", "Seeds", "Loss", "First epoch", "Last fifth", "Change", "Settled"]
    )


def unsettled(table: pd.DataFrame) -> set[tuple[str, int]]:
    """Generators and epoch counts whose loss had not settled; of numbers as they are or as they were written."""
    moving = table[table["settled"].astype(str) != "True"]
    return set(zip(moving["generator"], moving["epochs"].astype(int), strict=True))


def with_marks(display: pd.DataFrame, moving: Iterable[tuple[str, int]], styles: Styles) -> pd.DataFrame:
    """Mark in a table for reading the epoch counts of models whose loss had not settled.

    Parameters
    ----------
    display : DataFrame
        Text. Tables without the columns Model and Epochs have nothing to mark.
    moving : iterable of (generator, epochs)
        From `unsettled`.
    styles : dict
        Generator -> ``title``.
    """
    if not {"Model", "Epochs"} <= set(display):
        return display
    marked = {(title_of(name, styles), str(epochs)) for name, epochs in moving}
    cells = zip(display["Model"], display["Epochs"], strict=True)
    return display.assign(Epochs=[f"{cell[1]}{UNSETTLED}" if cell in marked else cell[1] for cell in cells])
