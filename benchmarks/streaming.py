"""Peak memory of sampling a long table at once and part by part, each in a process of its own.

    python benchmarks/streaming.py results/covid_gans/file-laptop/models/med_vae_plus/seed1/epochs0 MedVAEPlus

Prints, for 100,000 and 1,000,000 rows: seconds and largest resident memory (libraries and model included) of
`sample` and of `sample_in_parts`, both written to a parquet.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = (100_000, 1_000_000)


def draw(folder, name, rows, way):
    """Draw and write; print what it took."""
    import torch

    from medsynth import generators
    from medsynth.generators.streaming import write_parts
    from medsynth.scores.cost.compute import peak_memory, seconds_of

    torch.set_num_threads(1)
    model = getattr(generators, name).load(folder)
    model.sample(10, seed=0)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "rows.parquet"
        if way == "at once":
            _, seconds = seconds_of(lambda: model.sample(rows, seed=1).to_parquet(path, index=False))
        else:
            _, seconds = seconds_of(lambda: write_parts(model.sample_in_parts(rows, seed=1), path))
    speed = f"{seconds:6.1f} s, {rows / seconds:7,.0f} rows a second"
    print(f"{name}: {rows:9,} rows {way:13} {speed}, {peak_memory():6,.0f} MB")


if __name__ == "__main__":
    folder, name, *rest = sys.argv[1:]
    if rest:
        draw(folder, name, int(rest[0]), rest[1])
    else:
        for rows in ROWS:
            for way in ("at once", "part by part"):
                subprocess.run([sys.executable, __file__, folder, name, str(rows), way], check=True)
