"""Peers: generators of other packages as they come, each fitted and sampled in an environment of its own.

Their packages need releases that cannot live beside the project's own. The program of a peer knows the package, and
nothing of this project (``<environment>_elsewhere.py``, which `medsynth.generators.peer_programs` runs). Numbers and
codes of categories go there and come back as arrays; names of columns and categories stay here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import MAX_DECIMALS, NUMERIC, Codebook, decimals_of
from medsynth.errors import InputError
from medsynth.generators import peer_programs
from medsynth.generators.environments import installed_version, run_elsewhere
from medsynth.generators.protocol import Generator, complete, refuse_conditions
from medsynth.generators.signing import sign, signed_here
from medsynth.generators.storage import read_model, write_model
from medsynth.randomness import derive_seed

FILES = "peer.zip"
# Of which code depends; see `medsynth.plan.closure`.
PROGRAMS = "medsynth/generators/*_elsewhere.py"


class Peer(Generator):
    """What the peers share. Fitting and sampling start another Python, that of `environment`.

    Numbers are rounded to the decimals of the learned column, as those of every generator are.

    Attributes
    ----------
    environment : str
        See `Generator`. Sampling needs it, too.
    package : str
        What the environment is there for.
    keeps_records : bool
        Whether a saved model holds training rows or values of them.
    settings : dict
        What the program is given.
    files_ : bytes
        The package's own files, as a zip archive.
    decimals_ : dict of int
        Numeric column -> decimals that its values have.
    package_ : str
        The package and its version.
    """

    has_epochs = False
    environment: str
    package: str
    keeps_records = True
    settings: dict[str, Any]

    @property
    def program(self) -> Path:
        """What runs in the environment; see `medsynth.generators.peer_programs`."""
        return Path(__file__).with_name(f"{self.environment}_elsewhere.py")

    def fit_checkpoints(
        self,
        table: pd.DataFrame,
        codebook: Codebook,
        *,
        epochs: Sequence[int],
        seed: int = 0,
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> Iterator[Self]:
        """Learn a table; see `Generator.fit_checkpoints`."""
        table = complete(table, codebook, self)
        self.codebook_, self.epochs_ = codebook, 0
        self.package_ = f"{self.package} {installed_version(self.environment, self.package)}"
        numeric = codebook.named(*NUMERIC)
        self.decimals_ = {
            name: 0 if codebook.columns[name].type == "integer" else decimals_of(table[name].to_numpy())
            for name in numeric
        }
        columns = [table[name].to_numpy("float64") if name in numeric else table[name].cat.codes for name in table]
        # -1 for numeric columns.
        sizes = [-1 if name in numeric else len(codebook.columns[name].all_categories) for name in table]
        whole = [name not in numeric or self.decimals_[name] == 0 for name in table]
        arrays = {"rows": np.column_stack(columns), "sizes": np.array(sizes), "whole": np.array(whole)}
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "model").mkdir()
            self._run("fit", folder, seed, **arrays)
            self.files_ = Path(shutil.make_archive(str(folder / "files"), "zip", folder / "model")).read_bytes()
        yield self

    def _run(self, task: str, folder: Path, seed: int, **arrays: Any) -> None:
        """Have the program of this peer fit or sample in a folder."""
        np.savez(folder / peer_programs.ASKED, **arrays)
        asked = {"settings": self.settings, "seed": derive_seed(seed, task)}
        (folder / peer_programs.SETTINGS).write_text(json.dumps(asked), encoding="utf-8")
        run_elsewhere(self.environment, Path(peer_programs.__file__), self.program, task, folder)

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw all rows at once: a start of the other Python takes seconds; see `Generator._sample_parts`."""
        refuse_conditions(self, conditions)
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "files.zip").write_bytes(self.files_)
            shutil.unpack_archive(folder / "files.zip", folder / "model")
            self._run("sample", folder, seed, n=n)
            with np.load(folder / peer_programs.ANSWERED) as answered:
                rows = answered["rows"]
        drawn: dict[str, Any] = {}
        for values, (name, column) in zip(rows.T, self.codebook_.columns.items(), strict=True):
            if column.numeric:
                decimals = self.decimals_[name]
                drawn[name] = np.round(values, decimals) if decimals <= MAX_DECIMALS else values
            else:
                drawn[name] = pd.Categorical.from_codes(values.astype(int), column.all_categories)
        yield self.codebook_.conform(pd.DataFrame(drawn))

    def get_params(self) -> dict[str, Any]:
        """Settings by name; see `Generator.get_params`."""
        return dict(self.settings)

    def save(self, folder: str | Path) -> None:
        """Write the package's own files and their signature, and what this project needs to read them."""
        folder = Path(folder)
        content = {"settings": self.get_params(), "decimals": self.decimals_, "package": self.package_}
        write_model(folder, type(self).__name__, self.codebook_, content, self.card())
        (folder / FILES).write_bytes(self.files_)
        sign(folder / FILES)

    @classmethod
    def load(cls, folder: str | Path, *, trusted: bool = False) -> Self:
        """Read a model.

        Packages keep pickles, which run code when they are read: without the signature of `save`, in the same working
        directory, they are refused with an InputError, unless you say that you trust who made them.
        """
        folder = Path(folder)
        codebook, content = read_model(folder, cls.__name__)
        if not (folder / FILES).is_file():
            raise InputError(f"{folder} holds no complete {cls.__name__} model: {FILES} is missing; train it again.")
        if not trusted and not signed_here(folder / FILES):
            raise InputError(
                f"{folder} holds no {cls.__name__} model whose signature fits, and reading {FILES} runs code; train it "
                "again, or load it with trusted=True if you trust its source."
            )
        model = cls(**content["settings"])
        model.codebook_, model.epochs_, model.decimals_ = codebook, 0, content["decimals"]
        model.package_, model.files_ = content["package"], (folder / FILES).read_bytes()
        return model

    def card(self) -> dict[str, Any]:
        """Report what made the model; see `Generator.card`."""
        return {"package": self.package_, "bytes": len(self.files_), "holds_training_records": self.keeps_records}


class TabularARGN(Peer):
    """TabularARGN of mostlyai-engine, an autoregressive network (Tiwald et al. 2025, arXiv 2501.12012).

    Parameters
    ----------
    model : str, default "MOSTLY_AI/Medium"
        Size of the network.
    max_epochs : int, default 100
        It stops by itself before, where the validation loss rises.
    value_protection : bool, default False
        Hide rare categories and extreme numbers, as the package does by default. Then rare ones cannot be compared.
    enable_flexible_generation : bool, default True
        Train over random orders of the columns.
    """

    environment = "mostlyai"
    package = "mostlyai-engine"
    keeps_records = False

    def __init__(
        self,
        *,
        model: str = "MOSTLY_AI/Medium",
        max_epochs: int = 100,
        value_protection: bool = False,
        enable_flexible_generation: bool = True,
    ) -> None:
        self.settings = {
            "model": model,
            "max_epochs": max_epochs,
            "value_protection": value_protection,
            "enable_flexible_generation": enable_flexible_generation,
        }


class Synthpop(Peer):
    """Bagged sequential trees: synthpop (Nowok, Raab and Dibben 2016) as the Python package synthyverse has it.

    Parameters
    ----------
    K : int, default 30
        Sequences of trees, each with the columns in another order; the package's own default is 100.
    minibucket : int, default 5
        Rows in a leaf, at least.
    """

    environment = "synthyverse"
    package = "synthyverse"

    def __init__(self, *, K: int = 30, minibucket: int = 5) -> None:
        self.settings = {"K": K, "minibucket": minibucket}


class ARF(Peer):
    """Adversarial random forest (Watson, Blesch, Kapar and Wright 2023) of its authors' Python package.

    Parameters
    ----------
    num_trees : int, default 10
        The package's own default is 30.
    min_node_size : int, default 5
    max_iters : int, default 10
    """

    environment = "arfpy"
    package = "arfpy"

    def __init__(self, *, num_trees: int = 10, min_node_size: int = 5, max_iters: int = 10) -> None:
        self.settings = {"num_trees": num_trees, "min_node_size": min_node_size, "max_iters": max_iters}
