"""The codebook itself: checks that its parts fit together, and what it does to tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from medsynth.codebook.columns import CODED, MAX_DECIMALS, Column, ColumnType, Strict
from medsynth.codebook.constraints import Constraint
from medsynth.codebook.raw import RawFile, Restored, RowRule
from medsynth.codebook.values import as_pandas_type, decimals_of, named_categories
from medsynth.errors import InputError, load_yaml, nearest, validate


class Codebook(Strict):
    """Description of a clinical table.

    Read it with `Codebook.from_yaml`; `columns` maps the clean table's column names to `Column`.
    """

    name: str = Field(description="the dataset's name, as studies call it", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(description="for captions", pattern=r"^[^`\n]*$")
    publisher: str = Field(description="who publishes it")
    licence: str = Field(description="under which terms")
    citation: str = Field("", description="how to cite it")
    raw: RawFile = Field(description="the raw table")
    person: str | None = Field(None, description="column that identifies the person; partitions are by person")
    rows_per_person: int | None = Field(
        None, description="most rows that a person has in the clean table (set by the codebook itself)"
    )
    rows: list[RowRule] = Field([], description="rows left out, in this order")
    constraints: list[Constraint] = Field(
        [], description="edit rules; generators are judged by how many rows violate them"
    )
    columns: dict[str, Column] = Field(description="clean name -> column, in the clean table's order")
    restored: dict[str, Restored] = Field(
        {}, description="raw header -> how exports fill it, where that is not plain from the column's codes"
    )

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        named = [self.person] if self.person else []
        named += [name for rule in self.rows for name in rule.named]
        for column in self.columns.values():
            named += list(column.not_applicable.when) if column.not_applicable else []
        for name in named:
            if name not in self.columns:
                raise ValueError(f"names the column '{name}', which 'columns' lacks{nearest(name, self.columns)}")
        if self.person and (self.columns[self.person].type != "identifier" or self.columns[self.person].drop):
            raise ValueError(f"'person' is '{self.person}', which must be of type identifier and without 'drop'")
        return self

    @model_validator(mode="after")
    def _dates_have_an_origin(self) -> Self:
        for name, column in self.columns.items():
            seen, since = {name}, column.since
            while since:
                origin = self.columns.get(since)
                if origin is None:
                    raise ValueError(f"'columns.{name}.since' names '{since}'{nearest(since, self.columns)}")
                if origin.drop or not origin.counts_dates:
                    raise ValueError(f"'columns.{name}.since' names '{since}', which keeps no dates as numbers")
                if origin.notation.has_year != column.notation.has_year:
                    raise ValueError(f"'columns.{name}.since' names '{since}', and one of the two has no year")
                if since in seen:
                    raise ValueError(f"'columns.{name}.since' leads back to '{since}'")
                seen.add(since)
                since = origin.since
        return self

    @model_validator(mode="after")
    def _restored_headers_exist(self) -> Self:
        headers = [header for name in self.columns for header in self.raw_names(name)]
        for header, rule in self.restored.items():
            if header not in headers:
                raise ValueError(f"'restored' names the raw header '{header}'{nearest(header, headers)}")
            for name in rule.made_from:
                if name not in self.columns:
                    raise ValueError(f"'restored.{header}' names the column '{name}'{nearest(name, self.columns)}")
        return self

    @model_validator(mode="after")
    def _conditions_can_hold(self) -> Self:
        for name, column in self.columns.items():
            deciding_columns = column.not_applicable.deciding() if column.not_applicable else {}
            for other, categories in deciding_columns.items():
                place = f"'columns.{name}.not_applicable.when' names"
                deciding = self.columns[other]
                if (
                    deciding.drop
                    or deciding.type not in CODED
                    or (deciding.not_applicable and deciding.not_applicable.when)
                ):
                    raise ValueError(f"{place} '{other}', which must be a coded column that is kept and unconditional")
                # Of a column of free text the data alone know the categories.
                known = deciding.all_categories
                for category in categories if known else []:
                    if category not in known:
                        raise ValueError(f"{place} the category '{category}' of '{other}'{nearest(category, known)}")
        return self

    @classmethod
    def from_yaml(cls, path: str | Path) -> Codebook:
        """Read a codebook; `InputError` names the file and the key that does not fit."""
        return load_yaml(path, cls)

    @classmethod
    def infer(cls, table: pd.DataFrame, *, types: Mapping[str, ColumnType] | None = None) -> Codebook:
        """Guess what the columns of a table are, from their pandas types and values.

        - Booleans, and what has two values, are binary; ordered categories are ordinal, other categories and text
          categorical. Categories are text here: ``"1"`` and ``"True"``.
        - Numbers are integer if all of them are whole, else continuous; valid is the range that is seen.
        - Text or whole numbers, each in one row alone, are an identifier; text that reads like dates is a date.
          Generators learn neither: leave such columns out, or give their types.

        Parameters
        ----------
        table : DataFrame
            Cells may be missing.
        types : mapping, optional
            Column -> type, where the guess would be wrong: numbers that are codes (``"categorical"``), say.

        Raises
        ------
        InputError
            The table has no rows, a column without a value, or a type is given that its values do not fit.

        Examples
        --------
        >>> import pandas as pd
        >>> from medsynth.codebook import Codebook
        >>> table = pd.DataFrame({"age": [61, 70, 70, 48], "sex": ["f", "m", "f", "f"]})
        >>> {name: column.type for name, column in Codebook.infer(table).columns.items()}
        {'age': 'integer', 'sex': 'binary'}
        """
        from medsynth.inferring import infer_codebook

        return infer_codebook(table, types or {})

    def raw_name(self, column: str) -> str:
        """Header of a clean column in the raw table; several with a plus between if it is made from several."""
        return " + ".join(self.raw_names(column))

    def raw_names(self, column: str) -> list[str]:
        """Headers that a clean column is made from."""
        return self.columns[column].made_from or [self.columns[column].raw or column]

    def counted_from(self, name: str) -> list[str]:
        """Dates that a column is counted from, the nearest first; empty if it is none or has no `since`."""
        since = self.columns[name].since
        return [since, *self.counted_from(since)] if since else []

    def column(self, name: str) -> Column:
        """Return a column; `InputError` names the nearest one if there is no such column."""
        if name not in self.columns:
            raise InputError(f"{self.name} has no column '{name}'{nearest(name, self.columns)}")
        return self.columns[name]

    def named(self, *types: str) -> list[str]:
        """Names of the columns of the given types, in order."""
        return [name for name, column in self.columns.items() if column.type in types]

    def resolved(self, table: pd.DataFrame, *, learn_ranges: bool = True) -> Codebook:
        """Describe a clean table: its columns alone, with the categories and ranges they have there.

        Parameters
        ----------
        table : DataFrame
            Clean table: coded columns categorical, numeric ones float64 or int64. Training rows, if ranges are learned.
        learn_ranges : bool, default True
            Whether a numeric column without a declared range gets the smallest and the largest value in `table`, and a
            continuous one the decimals of its values.

        Returns
        -------
        Codebook
            Its columns are the table's, without what only cleaning needs.
        """
        columns = {}
        for name in table.columns:
            declared = self.columns[name]
            facts: dict[str, Any] = {"raw": declared.raw, "type": declared.type, "description": declared.description}
            facts |= {"pandas_type": declared.pandas_type, "gaps": declared.gaps}
            facts |= {"unit": declared.unit, "not_applicable": declared.settled_not_applicable(table.columns)}
            if declared.numeric:
                facts["range"] = declared.range
                if learn_ranges and not declared.range and table[name].notna().any():
                    facts["range"] = (float(table[name].min()), float(table[name].max()))
                    facts["range_observed"] = True
                if learn_ranges and declared.type == "continuous" and table[name].notna().any():
                    found = decimals_of(table[name].dropna().to_numpy())
                    facts["decimals"] = found if found <= MAX_DECIMALS else None
            elif declared.type in CODED:
                facts["categories"] = [str(category) for category in table[name].cat.categories]
            columns[name] = Column.model_construct(**facts)
        person = self.person if self.person in columns else None
        rows_per_person = int(table[person].value_counts().max()) if person else self.rows_per_person
        known = [one for one in self.constraints if set(one.columns) <= set(columns)]
        settled = {"columns": columns, "person": person, "rows_per_person": rows_per_person, "constraints": known}
        return self.model_copy(update={**settled, "rows": [], "restored": {}})

    def not_asked(self, name: str, table: pd.DataFrame) -> np.ndarray:
        """Say in which rows a numeric column has no value because its question does not arise: bool, shape (rows,)."""
        rule = self.columns[name].no_value_when
        return rule.holds(table) if rule else np.zeros(len(table), dtype=bool)

    def unanswered(self, name: str, table: pd.DataFrame) -> np.ndarray:
        """Say in which rows a column's question arises and its cell is missing: bool, shape (rows,)."""
        return table[name].isna().to_numpy() & ~self.not_asked(name, table)

    def without_values(self, table: pd.DataFrame) -> pd.DataFrame:
        """Take numbers away where their question does not arise."""
        columns = {}
        for name, column in self.columns.items():
            if column.no_value_when:
                empty = self.not_asked(name, table)
                if table[name][empty].notna().any():
                    columns[name] = table[name].mask(empty)
        return table.assign(**columns) if columns else table

    def with_columns(self, added: dict[str, Column]) -> Codebook:
        """Return a codebook with more columns (imputation flags, say) at its end."""
        return self.model_copy(update={"columns": {**self.columns, **added}})

    def to_json(self) -> str:
        """Serialise; `from_json` reads it back."""
        return self.model_dump_json(indent=1, exclude_defaults=True) + "\n"

    @classmethod
    def from_json(cls, path: str | Path) -> Codebook:
        """Read a codebook that `to_json` wrote; `InputError` if the file is damaged."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{path} is damaged ({error}); delete it and run again.") from None
        return validate(content, cls, where=str(path))

    @classmethod
    def from_text(cls, text: str) -> Codebook:
        """Make a codebook of what `to_json` returned."""
        return cls.model_validate_json(text)

    def conform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give a table this codebook's columns, order, types and categories, numeric ones clipped to the valid range.

        Generators end with it, so that a synthetic table differs from a clean one in its values alone. Integers are
        rounded, other numbers too where the codebook knows their decimals: digits that no real row has would tell
        any detector which rows are synthetic. A category the codebook lacks becomes missing.
        """
        conformed = {}
        for name, column in self.columns.items():
            values = table[name]
            if column.numeric:
                values = pd.to_numeric(values)
                values = values.clip(*column.range) if column.range else values
                if column.type == "integer":
                    # The same type in every part of a table: which part has a gap is chance.
                    gaps = column.may_be_missing or values.isna().any()
                    values = values.round().astype("float64" if gaps else "int64")
                else:
                    values = values.astype("float64")
                    values = values if column.decimals is None else values.round(column.decimals)
            elif column.type in CODED:
                kind = pd.CategoricalDtype(column.all_categories, ordered=column.type == "ordinal")
                values = named_categories(values).astype(kind)
            conformed[name] = values.reset_index(drop=True)
        return pd.DataFrame(conformed)

    def in_pandas_types(self, table: pd.DataFrame) -> pd.DataFrame:
        """Give a conformed table, without missing cells, the pandas types that `infer` found; others stay."""
        learned = {name: column.pandas_type for name, column in self.columns.items() if column.pandas_type}
        if not learned:
            return table
        return table.assign(**{name: as_pandas_type(table[name], wanted) for name, wanted in learned.items()})
