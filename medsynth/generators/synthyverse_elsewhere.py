"""synthpop, as `medsynth.generators.peer_programs` runs it: needs synthyverse 0.2.7 and nothing of this project."""

from pathlib import Path
from typing import Any

import pandas as pd


def fit(table: pd.DataFrame, sizes: dict[str, int], folder: Path, seed: int, settings: dict[str, Any]) -> None:
    """Grow the trees."""
    from synthyverse.generators import SynthpopGenerator

    generator = SynthpopGenerator(random_state=seed, n_jobs=1, **settings)
    generator.fit(table, [name for name, size in sizes.items() if size >= 0])
    generator.save(folder)


def sample(n: int, folder: Path, seed: int) -> pd.DataFrame:
    """Sample rows."""
    from synthyverse.generators import SynthpopGenerator

    rows: pd.DataFrame = SynthpopGenerator.load(folder).generate(n, random_state=seed)
    return rows
