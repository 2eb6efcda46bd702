"""SDV's generators behind label encoding and standard scaling, as the MIMIC-TVAE paper prepares its table.

Elumalai and Singh, "Synthetic Data Generation For Healthcare", III.B: "All categorical columns were label encoded to
convert textual values into integers", and scikit-learn's StandardScaler "to scale all numerical columns". To SDV every
column is then a number: neighbouring labels look alike, and a category that the model does not mean comes out between
two that it does. What that costs, the row of the plain generator beside it shows.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from medsynth.errors import InputError
from medsynth.generators.sdv import CTGAN, TVAE, SDVGenerator

FILE = "encoding.json"


class TableScaler:
    """Label encoding of coded columns and standard scaling of numeric ones, both ways.

    Attributes
    ----------
    categories_ : dict of list of str
        Categories of the training rows per coded column, in the order of their text (scikit-learn's LabelEncoder); a
        category's label is its place.
    means_, scales_ : dict of float
        Mean and standard deviation of the training rows per numeric column (scikit-learn's StandardScaler, which takes
        1 for the standard deviation of a constant).
    """

    def fit(self, table: pd.DataFrame) -> Self:
        """Learn a complete clean table's categories, means and standard deviations."""
        from sklearn.preprocessing import LabelEncoder, StandardScaler

        coded = table.select_dtypes("category").columns
        self.categories_ = {name: LabelEncoder().fit(table[name].astype(str)).classes_.tolist() for name in coded}
        self.means_, self.scales_ = {}, {}
        for name in table.columns.difference(coded, sort=False):
            scaler = StandardScaler().fit(table[[name]].astype("float64"))
            self.means_[name], self.scales_[name] = float(scaler.mean_[0]), float(scaler.scale_[0])
        return self

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Encode a table of the learned columns; a category that the training rows lack becomes -1."""
        encoded = {}
        for name in table.columns:
            if name in self.categories_:
                encoded[name] = pd.Categorical(table[name].astype(str), self.categories_[name]).codes.astype("int64")
            else:
                encoded[name] = (table[name].to_numpy("float64") - self.means_[name]) / self.scales_[name]
        return pd.DataFrame(encoded)

    def inverse(self, numbers: pd.DataFrame) -> pd.DataFrame:
        """Decode: numbers are scaled back, labels rounded and clipped to those that there are."""
        decoded = {}
        for name in numbers.columns:
            values = numbers[name].to_numpy("float64")
            if name in self.categories_:
                categories = np.array(self.categories_[name], dtype=object)
                decoded[name] = categories[np.clip(np.rint(values), 0, len(categories) - 1).astype(int)]
            else:
                decoded[name] = values * self.scales_[name] + self.means_[name]
        return pd.DataFrame(decoded)

    def to_json(self) -> str:
        """Serialise; `from_json` reads it back."""
        return (
            json.dumps({"categories": self.categories_, "means": self.means_, "scales": self.scales_}, indent=1) + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a scaler of what `to_json` returned; ValueError or KeyError if it is something else."""
        scaler, content = cls(), json.loads(text)
        scaler.categories_, scaler.means_, scaler.scales_ = (content[key] for key in ("categories", "means", "scales"))
        return scaler


class Encoded(SDVGenerator):
    """What turns an SDV generator into one that sees numbers alone; list it before the generator's class."""

    scaler_: TableScaler

    def _columns(self) -> dict[str, dict]:
        return {name: {"sdtype": "numerical"} for name in self.codebook_.columns}

    def _to_sdv(self, table: pd.DataFrame) -> pd.DataFrame:
        self.scaler_ = TableScaler().fit(table)
        return self.scaler_.transform(table)

    def _from_sdv(self, rows: pd.DataFrame) -> pd.DataFrame:
        return self.scaler_.inverse(rows)

    def save(self, folder: str | Path) -> None:
        """Write SDV's own file, the codebook, the epoch count, and what the scaler learned as JSON."""
        super().save(folder)
        (Path(folder) / FILE).write_text(self.scaler_.to_json(), encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: str | Path, *, trusted: bool = False) -> Self:
        """Read a model; see `SDVGenerator.load`."""
        generator = super().load(folder, trusted=trusted)
        try:
            generator.scaler_ = TableScaler.from_json((Path(folder) / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{folder} holds no complete {cls.__name__} model ({FILE}: {error}); train it again."
            ) from error
        return generator

    def card(self) -> dict[str, Any]:
        """Report the losses of every epoch so far, and the encoding; see `Generator.card`."""
        return {**super().card(), "encoding": "labels for categories (0, 1, ...), standard scores for numbers"}


class EncodedTVAE(Encoded, TVAE):
    """TVAE on label-encoded categories and standard scores; parameters are those of `TVAE`."""


class EncodedCTGAN(Encoded, CTGAN):
    """CTGAN on label-encoded categories and standard scores; parameters are those of `CTGAN`."""
