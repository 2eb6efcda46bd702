"""What `medsynth.generators.peers` runs in another environment: it reads the rows, and hands them to a peer's program.

    python -P peer_programs.py PROGRAM fit|sample FOLDER

PROGRAM has ``fit(table, sizes, folder, seed, settings)`` and ``sample(n, folder, seed)``, which returns a table; the
folder holds its files. Columns are named by their position; categories are whole numbers. Needs numpy and pandas and
nothing of this project.
"""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

ASKED, SETTINGS, ANSWERED = "asked.npz", "settings.json", "answered.npz"


def main(program: str, task: str, name: str) -> None:
    """Fit to rows, or sample some."""
    import numpy as np
    import pandas as pd

    folder = Path(name)
    asked = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    # numpy's and torch's generators take 32 bits.
    seed = int(asked["seed"]) % 2**32
    with np.load(folder / ASKED) as arrays:
        given = dict(arrays)
    peer = _module(program)
    if task == "fit":
        sizes = {f"c{i}": size for i, size in enumerate(given["sizes"].tolist())}
        whole = {f"c{i}": "int64" for i, is_whole in enumerate(given["whole"]) if is_whole}
        table = pd.DataFrame(given["rows"], columns=list(sizes)).astype(whole)
        peer.fit(table, sizes, folder / "model", seed, asked["settings"])
    else:
        rows = peer.sample(int(given["n"]), folder / "model", seed)
        np.savez(folder / ANSWERED, rows=rows[[f"c{i}" for i in range(rows.shape[1])]].to_numpy("float64"))


def _module(path: str) -> Any:
    """Import a file that is not on the path of modules."""
    spec = importlib.util.spec_from_file_location("peer", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(*sys.argv[1:])
