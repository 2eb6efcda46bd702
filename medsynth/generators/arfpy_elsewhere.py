"""ARF, as `medsynth.generators.peer_programs` runs it: needs arfpy 0.1.1 and nothing of this project."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def fit(table: pd.DataFrame, sizes: dict[str, int], folder: Path, seed: int, settings: dict[str, Any]) -> None:
    """Grow the forest and estimate densities in its leaves."""
    from arfpy import arf

    # It draws rows from numpy's global generator.
    np.random.seed(seed)
    coded = [name for name, size in sizes.items() if size >= 0]
    model = arf.arf(table.astype(dict.fromkeys(coded, "category")), random_state=seed, verbose=False, **settings)
    model.forde()
    (folder / "arf.pkl").write_bytes(pickle.dumps(model))


def sample(n: int, folder: Path, seed: int) -> pd.DataFrame:
    """Sample rows."""
    np.random.seed(seed)
    rows: pd.DataFrame = pickle.loads((folder / "arf.pkl").read_bytes()).forge(n)
    return rows
