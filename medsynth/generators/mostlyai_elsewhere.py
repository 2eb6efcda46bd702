"""TabularARGN, as `medsynth.generators.peer_programs` runs it: needs mostlyai-engine 2.7.3, and not this project."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd


def fit(table: pd.DataFrame, sizes: dict[str, int], folder: Path, seed: int, settings: dict[str, Any]) -> None:
    """Train, and keep no rows."""
    from mostlyai.engine import TabularARGN

    kinds = {name: "TABULAR_NUMERIC_AUTO" if size < 0 else "TABULAR_CATEGORICAL" for name, size in sizes.items()}
    coded = [name for name, size in sizes.items() if size >= 0]
    model = TabularARGN(
        workspace_dir=folder, random_state=seed, tgt_encoding_types=kinds, device="cpu", verbose=1, **settings
    )
    model.fit(table.astype(dict.fromkeys(coded, str)))
    for rows in ("tgt-data", "encoded-data"):
        shutil.rmtree(folder / "OriginalData" / rows, ignore_errors=True)


def sample(n: int, folder: Path, seed: int) -> pd.DataFrame:
    """Sample rows; the engine writes them as parquet."""
    from mostlyai.engine import generate, set_random_state

    set_random_state(seed)
    # Of a rare category, only "_RARE_" would come by default, which no real row has.
    generate(sample_size=n, device="cpu", rare_category_replacement_method="SAMPLE", workspace_dir=folder)
    return pd.read_parquet(folder / "SyntheticData")
