"""What the models of a study predict: a base of all kinds of targets, and classes."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from medsynth.codebook import Codebook, Strict
from medsynth.errors import InputError, nearest


class Predicted(Strict):
    """What a model predicts, made of columns that never are its predictors."""

    name: str = Field(description="what tables and figures call it", pattern="^[a-z0-9_]+$")
    not_predictors: list[str] = Field([], description="further columns that would give the target away")

    @property
    def made_of(self) -> list[str]:
        """Columns that define the target."""
        raise NotImplementedError

    @property
    def hidden(self) -> list[str]:
        """Columns that never predict the target: what it is made of, and what would give it away."""
        return [*self.made_of, *self.not_predictors]

    def predictors(self, table: pd.DataFrame) -> list[str]:
        """Columns that may predict the target."""
        hidden = set(self.hidden)
        # The flag "was missing" of a hidden column would tell on it.
        hidden |= {f"{name}_missing" for name in hidden}
        return [name for name in table.columns if name not in hidden]

    def check(self, codebook: Codebook) -> None:
        """Check that the target's columns exist; `InputError` names the nearest."""
        for name in self.hidden:
            if codebook.column(name).type in ("date", "identifier") or codebook.column(name).drop:
                raise InputError(f"Target '{self.name}': column '{name}' is not in the clean table.")

    def lacks(self, table: pd.DataFrame) -> tuple[str, str] | None:
        """Say what complete rows lack so that nothing can be learned or tested, and in which way; None if nothing."""
        raise NotImplementedError

    def varies_widely(self, test: pd.DataFrame, least: int) -> str:
        """Say what fewer than `least` test rows have, so that scores vary widely; empty if nothing."""
        raise NotImplementedError

    def check_numeric(self, codebook: Codebook, name: str) -> None:
        """Check that a column has numbers."""
        if not codebook.column(name).numeric:
            raise InputError(f"Target '{self.name}': column '{name}' is coded, and a numeric one is needed.")

    def check_category(self, codebook: Codebook, name: str, category: str) -> None:
        """Check that a column has a category; `InputError` names the nearest."""
        categories = codebook.column(name).all_categories
        if category not in categories:
            place = f"Target '{self.name}': column '{name}'"
            raise InputError(f"{place} has no category '{category}'{nearest(category, categories)}")


class Outcome(Strict):
    """One class of a target that several columns define; the first class whose condition holds is the label."""

    label: str = Field(description="name of the class")
    column: str = Field(description="column that decides")
    equals: str = Field(description="its category")


class Target(Predicted):
    """A binary or multi-class target: a coded column, a numeric threshold, or an ordered list of outcomes.

    The columns that make the target are never its predictors.
    """

    column: str | None = Field(None, description="coded column, or numeric one with 'at_least'")
    positive: str | None = Field(None, description="the category that counts as positive, for a binary target")
    at_least: float | None = Field(None, description="positive from this value on, for a numeric column")
    outcomes: list[Outcome] = Field([], description="classes by condition, the first that holds")
    otherwise: str | None = Field(None, description="the class of the rows that meet no condition")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.column) == bool(self.outcomes):
            raise ValueError("needs either 'column' or 'outcomes'")
        if self.at_least is not None and not self.column:
            raise ValueError("has 'at_least' and needs 'column'")
        if self.positive and not self.column:
            raise ValueError("has 'positive' and needs 'column'")
        if self.outcomes and not self.otherwise:
            raise ValueError("has 'outcomes' and needs 'otherwise'")
        return self

    @property
    def made_of(self) -> list[str]:
        """Columns that define the target."""
        return [self.column] if self.column else list(dict.fromkeys(o.column for o in self.outcomes))

    def check(self, codebook: Codebook) -> None:
        """Check that the target's columns and categories exist; `InputError` names the nearest."""
        super().check(codebook)
        wanted = [(o.column, o.equals) for o in self.outcomes]
        if self.column and self.positive:
            wanted.append((self.column, self.positive))
        for name, category in wanted:
            self.check_category(codebook, name, category)
        if not self.column:
            return
        numeric = codebook.column(self.column).numeric
        if numeric and self.at_least is None:
            raise InputError(f"Target '{self.name}': column '{self.column}' is numeric and needs 'at_least'.")
        if self.at_least is not None and not numeric:
            raise InputError(f"Target '{self.name}': 'at_least' needs a numeric column, '{self.column}' is coded.")

    def classes(self, table: pd.DataFrame) -> list[str]:
        """Names of the classes; of two, the second is the positive one."""
        if self.at_least is not None:
            return [f"below {self.at_least:g}", f"{self.at_least:g} or more"]
        if self.outcomes and self.otherwise:
            return [self.otherwise, *dict.fromkeys(o.label for o in self.outcomes)]
        categories = [str(category) for category in table[self.column].cat.categories]
        if self.positive and len(categories) == 2:
            categories.sort(key=lambda category: category == self.positive)
        elif self.positive:
            return [f"not {self.positive}", self.positive]
        return categories

    def labels(self, table: pd.DataFrame) -> np.ndarray:
        """Label the rows: positions in `classes`, int64 of shape (rows,)."""
        classes = self.classes(table)
        if self.at_least is not None:
            return (table[self.column] >= self.at_least).to_numpy("int64")
        if self.outcomes:
            holds = [(table[o.column] == o.equals).to_numpy() for o in self.outcomes]
            return np.select(holds, [classes.index(o.label) for o in self.outcomes], default=0).astype("int64")
        if self.positive and classes[0] == f"not {self.positive}":
            return (table[self.column] == self.positive).to_numpy("int64")
        return table[self.column].map({category: i for i, category in enumerate(classes)}).to_numpy("int64")

    def lacks(self, table: pd.DataFrame) -> tuple[str, str] | None:
        """See `Predicted.lacks`."""
        present = np.unique(self.labels(table))
        if len(present) > 1:
            return None
        return "one class only", f"'{self.classes(table)[present[0]]}' in all {len(table):,} rows"

    def varies_widely(self, test: pd.DataFrame, least: int) -> str:
        """See `Predicted.varies_widely`."""
        counts = np.bincount(self.labels(test), minlength=len(self.classes(test)))
        rare = int((counts < least).sum())
        return "" if not rare else "a class has" if rare == 1 else f"{rare} classes have"
