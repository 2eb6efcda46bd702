"""A table that somebody else synthesised stands in as a generator, so that it is scored beside the others."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC, Codebook, Column
from medsynth.errors import InputError, nearest
from medsynth.generators.protocol import Generator, refuse_conditions
from medsynth.generators.storage import write_card
from medsynth.randomness import derive_seed

TABLE = "table.parquet"
FACTS = "facts.json"
# Raised when what is stored changes its meaning.
FORMAT = 2

log = logging.getLogger(__name__)


class External(Generator):
    """Hands out rows of a file; it learns nothing of the rows that it is given.

    Seeds differ in the rows sampled, not in training: intervals over them say nothing of how the table was made, and
    with as many rows asked for as the file has they differ in their order alone.

    Parameters
    ----------
    path : str
        A csv, csv.gz or parquet, in the clean table's columns (in any order; others are ignored) and categories.
        Numbers beyond the codebook's ranges are clipped and integers rounded, as every generator's are; the log and the
        model card say how many.

    Attributes
    ----------
    table_ : DataFrame
        The file's rows, in the codebook's types and categories.
    sha256_ : str
        Of the file.
    adjusted_ : dict of int
        Column -> numbers that were clipped or rounded, where there are any.
    """

    has_epochs = False
    learns = False
    keeps_gaps = True
    file_settings = ("path",)

    def __init__(self, *, path: str) -> None:
        self.path = path

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
        """Read the file and check it against the codebook; `table` and `seed` do not matter.

        See `Generator.fit_checkpoints`.

        Raises
        ------
        InputError
            The file is absent, unreadable or empty, lacks a column, or has cells that the codebook does not allow.
        """
        self.codebook_, self.epochs_ = codebook, 0
        self.table_, self.adjusted_ = read_clean_table(self.path, codebook)
        self.sha256_ = hashlib.sha256(Path(self.path).read_bytes()).hexdigest()
        yield self

    def _sample_parts(self, n: int, *, seed: int, conditions: dict[str, Any] | None) -> Iterator[pd.DataFrame]:
        """Draw rows without replacement, in random order, all at once; see `Generator._sample_parts`.

        If more are asked for than there are, every row is given as often as it fits in whole, and the rest is drawn
        without replacement: shares stay the table's own, but rows repeat, which a detector may notice.
        """
        refuse_conditions(self, conditions)
        rng = np.random.default_rng(derive_seed(seed, "sample"))
        whole, rest = divmod(n, len(self.table_))
        if whole and n > len(self.table_):
            log.warning("%s has %d rows; to give %d, rows are repeated", self.path, len(self.table_), n)
        rows = np.concatenate([np.tile(np.arange(len(self.table_)), whole), rng.permutation(len(self.table_))[:rest]])
        yield self.codebook_.conform(self.table_.take(rng.permutation(rows)))

    def save(self, folder: str | Path) -> None:
        """Write the table as parquet, and where it came from."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.table_.to_parquet(folder / TABLE, index=False)
        facts = {"class": type(self).__name__, "format": FORMAT, "path": self.path, **self.card()}
        text = json.dumps({**facts, "codebook": self.codebook_.to_json()}, indent=1, ensure_ascii=False) + "\n"
        (folder / FACTS).write_text(text, encoding="utf-8", newline="\n")
        write_card(folder, {"class": type(self).__name__, "settings": {"path": self.path}, **self.card()})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote; `InputError` if it is not complete."""
        folder = Path(folder)
        try:
            facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
            if (facts["class"], facts["format"]) != (cls.__name__, FORMAT):
                raise ValueError(f"{FACTS} is one of {facts['class']} in format {facts['format']}")
            model = cls(path=facts["path"])
            model.codebook_, model.epochs_ = Codebook.from_text(facts["codebook"]), 0
            model.sha256_, model.adjusted_ = facts["sha256"], facts["adjusted"]
            model.table_ = model.codebook_.conform(pd.read_parquet(folder / TABLE))
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise InputError(f"{folder} holds no complete {cls.__name__} model ({reason}); train it again.") from None
        return model

    def card(self) -> dict[str, Any]:
        """Say which file it is and what was adjusted."""
        return {"rows": len(self.table_), "sha256": self.sha256_, "adjusted": self.adjusted_}


def read_clean_table(path: str, codebook: Codebook) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read a file as a table of the codebook's columns, types and categories.

    Parameters
    ----------
    path : str
        See `External`.
    codebook : Codebook

    Returns
    -------
    table : DataFrame
    adjusted : dict of int
        Column -> numbers that were clipped or rounded, where there are any.

    Raises
    ------
    InputError
        See `External.fit`.
    """
    made = _read(Path(path))
    _check(made, codebook, path)
    numeric = codebook.named(*NUMERIC)
    # A parquet may have categories such as 1 and 2 as numbers.
    table = codebook.conform(made.astype({n: str for n in codebook.columns if n not in numeric}))
    differs = {name: int(((pd.to_numeric(made[name]) != table[name]) & made[name].notna()).sum()) for name in numeric}
    adjusted = {name: count for name, count in differs.items() if count}
    for name, count in adjusted.items():
        log.warning("%s: %d numbers of '%s' were clipped to its range or rounded", path, count, name)
    if ignored := [name for name in made.columns if name not in codebook.columns]:
        log.warning("%s: columns that the codebook lacks are ignored: %s", path, ", ".join(map(str, ignored)))
    return table, adjusted


def _read(path: Path) -> pd.DataFrame:
    """Read a table; of a csv every cell as text, as it is written."""
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        elif path.name.endswith((".csv", ".csv.gz")):
            # "None" and "NA" may be categories: an empty cell alone is missing.
            table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
        else:
            raise InputError(f"{path} must be a csv, csv.gz or parquet.")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: put the table there, or correct the generator's setting.") from None
    except InputError:
        raise
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table ({' '.join(str(error).split())}).") from None
    if not len(table):
        raise InputError(f"{path} has no rows.")
    return table


def _check(table: pd.DataFrame, codebook: Codebook, path: str) -> None:
    """Check columns and cells; `InputError` names the first column that does not fit, what is wrong and how often."""
    for name in codebook.columns:
        if name not in table:
            known = nearest(name, [column for column in table.columns if column not in codebook.columns])
            raise InputError(f"{path} has no column '{name}', which the clean table of {codebook.name} has{known}")
    for name, column in codebook.columns.items():
        missing = int(table[name].isna().sum())
        if missing and not (column.numeric and column.may_be_missing):
            raise InputError(f"{path}: column '{name}' has {missing:,} missing cells; the clean table has none.")
        values = table[name].astype(str)
        unfit = values[~_fits(table[name], column) & table[name].notna()]
        if len(unfit):
            worst = unfit.value_counts().index[0]
            count = f"'{worst}' in {(unfit == worst).sum():,} of {len(table):,} rows"
            if column.numeric:
                raise InputError(f"{path}: column '{name}' has {count}, which is not a number.")
            raise InputError(
                f"{path}: column '{name}' has the category {count}, which the clean table of {codebook.name} lacks"
                f"{nearest(worst, column.all_categories)}"
            )


def _fits(values: pd.Series, column: Column) -> pd.Series:
    """Say which cells are finite numbers, or categories of the column."""
    if column.numeric:
        return np.isfinite(pd.to_numeric(values, errors="coerce").astype("float64"))
    return values.astype(str).isin(column.all_categories)
