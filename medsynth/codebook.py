"""The codebook of a clinical table: what each column is, how it is coded, what is missing and what is valid.

A codebook is read from YAML (``config/datasets/*.yaml``). It says how a raw table becomes a clean one, and
after cleaning (`Codebook.resolved`) it describes the clean table's columns, which is what generators and
scores need.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from medsynth.errors import InputError, load_yaml, nearest, validate

ColumnType = Literal["continuous", "integer", "ordinal", "categorical", "binary", "date", "identifier"]


def _as_code(value: object) -> object:
    """Let a YAML number stand for a raw code; ``yes`` and ``no`` without quotes (booleans) stay refused."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Code = Annotated[str, BeforeValidator(_as_code)]

# Continuous columns with more decimals than this are taken for what no instrument rounds.
MAX_DECIMALS = 6

NUMERIC: tuple[str, ...] = ("continuous", "integer")
CODED: tuple[str, ...] = ("ordinal", "categorical", "binary")


class Strict(BaseModel):
    """A model that refuses unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NotApplicable(Strict):
    """What says that a question does not arise, which is not the same as a missing answer."""

    codes: list[Code] = Field([], description="raw codes")
    category: str | None = Field(
        None, description="the category that stands for it in the clean table. Numbers and dates have none: no value"
    )
    when: dict[str, str | list[str]] = Field(
        {},
        description="columns and categories of the rows where the question does not arise. A missing cell there "
        "becomes the category, and a code elsewhere becomes missing. Numbers and dates need it and have no value there",
    )
    shared: bool = Field(False, description="the category is one of the column's own, too (set by the codebook itself)")

    def deciding(self) -> dict[str, list[str]]:
        """Columns that decide, and the categories of the rows where the question does not arise."""
        return {name: [given] if isinstance(given, str) else given for name, given in self.when.items()}

    def holds(self, table: pd.DataFrame | Mapping[str, pd.Series]) -> np.ndarray:
        """Say in which rows the question does not arise by `when`: bool, shape (rows,)."""
        return np.logical_and.reduce([table[name].isin(given) for name, given in self.deciding().items()])


class RareCategories(Strict):
    """Which categories of a categorical column are frequent enough to stay."""

    keep: int | None = Field(None, ge=1, description="keep this many most frequent categories")
    seen_more_than: int | None = Field(None, ge=0, description="keep categories seen more often than this")
    label: str = Field("other", description="the category that the rest becomes")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.keep is None) == (self.seen_more_than is None):
            raise ValueError("needs one of 'keep' and 'seen_more_than'")
        return self


class Notation(Strict):
    """How a raw column writes its numbers or dates, where that is not plain: ``1.234,5``, ``45 %``, ``31.12.1999``."""

    decimal: str = Field(".", min_length=1, max_length=1, description="decimal mark")
    thousands: str = Field("", max_length=1, description="mark between groups of three digits")
    prefix: str = Field("", description="text before every number, such as a currency")
    suffix: str = Field("", description="text after every number, such as %")
    decimals: int | None = Field(
        None, ge=0, description="decimals that exports write; default: the raw table's, 4 at most; 17: all digits"
    )
    fixed: bool = Field(False, description="exports write all 'decimals' of every number (2.00)")
    date: str | None = Field(
        None,
        description="how dates are written, as strptime has it (%d.%m.%Y); a column of type integer keeps them as "
        "days, or as minutes or seconds where a time is written",
    )

    @model_validator(mode="after")
    def _knows_its_decimals(self) -> Self:
        if self.fixed and (self.decimals is None or self.decimals > MAX_DECIMALS):
            raise ValueError(f"has 'fixed', which needs 'decimals' of at most {MAX_DECIMALS}")
        if self.decimal == self.thousands:
            raise ValueError(f"has '{self.decimal}' both as decimal mark and between thousands")
        return self

    @property
    def plain(self) -> bool:
        """Whether numbers are written as any program reads them."""
        return (self.decimal, self.thousands, self.prefix, self.suffix) == (".", "", "", "")


class Column(Strict):
    """One column of the clean table and where it comes from."""

    raw: str | None = Field(None, description="header in the raw table; default: the column's own name")
    made_from: list[str] = Field([], description="several raw headers that 'transform' makes the value of, in order")
    type: ColumnType = Field(description="measurement level")
    notation: Notation = Field(Notation(), description="how the raw table writes its numbers or dates")
    description: str = Field("", description="what it is, for the data dictionary")
    unit: str = Field("", description="unit of measurement, printed on axes")
    codes: dict[Code, str] = Field({}, description="raw code -> category, in the categories' order")
    categories: list[str] = Field(
        [], description="categories, where raw values (or the transform's) are the categories"
    )
    transform: str | None = Field(None, description="function of medsynth.preparation.transforms, raw value -> value")
    since: str | None = Field(
        None, description="column of the date that a date kept as a number is counted from; default: 1970-01-01"
    )
    missing: list[Code] = Field([], description="raw codes for missing, of this column alone")
    missing_category: str | None = Field(None, description="make missing a category of this name")
    not_applicable: NotApplicable | None = Field(None, description="where the question does not arise, see below")
    gaps: bool = Field(
        False, description="cells may be missing, which generators learn and sample as such (set by imputation: keep)"
    )
    floor: float | None = Field(None, description="smaller numbers become it (a negative duration 0, say); counted")
    range: tuple[float, float] | None = Field(None, description="smallest and largest valid value")
    outside: Literal["refuse", "missing", "clip"] = Field(
        "refuse",
        description="numbers outside of the range, and codes that are not declared: 'refuse' the table, make them "
        "'missing', or 'clip' numbers to the range",
    )
    range_observed: bool = Field(
        False, description="the range is that of the training rows, not a declared one (set by the codebook itself)"
    )
    decimals: int | None = Field(
        None, ge=0, description="most decimals of the training rows' numbers (set by the codebook itself)"
    )
    pandas_type: str | None = Field(None, description="pandas type that synthetic values get (set by `Codebook.infer`)")
    rare: RareCategories | None = Field(None, description="grouping of rare categories")
    drop: str | None = Field(None, description="reason why the column is left out of the clean table")
    drop_if_category: dict[str, float] = Field(
        {}, description="category -> share: the column is dropped if more than this share has the category"
    )
    drop_if_zero: float | None = Field(
        None, ge=0, le=1, description="a numeric column is dropped if it is 0 in more than this share of the rows"
    )

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.made_from and (self.raw or not self.transform):
            raise ValueError("has 'made_from', which needs a 'transform' and goes without 'raw'")
        if self.not_applicable and not self.drop:
            self._check_not_applicable(self.not_applicable)
        if self.since and not self.counts_dates:
            raise ValueError("has 'since', which is for type 'integer' with 'notation: {date: FORM}'")
        if self.counts_dates and (self.type != "integer" or self.transform):
            raise ValueError("keeps dates as numbers, which needs type 'integer' and no 'transform'")
        if self.drop or self.type in ("date", "identifier"):
            return self
        if not self.numeric and (self.floor is not None or self.drop_if_zero is not None):
            raise ValueError(f"is {self.type}; only numeric columns can have 'floor' or 'drop_if_zero'")
        if self.outside != "refuse" and not (self.range if self.numeric else self.all_categories):
            raise ValueError(f"has 'outside: {self.outside}', which needs a 'range', 'codes' or 'categories'")
        if self.outside == "clip" and not self.numeric:
            raise ValueError(f"is {self.type}; only numeric columns can have 'outside: clip'")
        if self.type in CODED and not self.all_categories and self.rare is None:
            raise ValueError(f"is {self.type} and needs 'codes' or 'categories'")
        if self.type == "binary" and len(self.all_categories) != 2:
            raise ValueError(f"is binary and has {len(self.all_categories)} categories {self.all_categories}")
        if self.type in NUMERIC and (self.codes or self.categories):
            raise ValueError(f"is {self.type} and cannot have 'codes' or 'categories'")
        both = {*self.codes, *self.categories} & {
            *self.missing,
            *(self.not_applicable.codes if self.not_applicable else []),
        }
        if both:
            raise ValueError(f"has the code '{sorted(both)[0]}' both as a value and as missing or not applicable")
        for category in self.drop_if_category:
            if category not in self.all_categories:
                raise ValueError(
                    f"has no category '{category}' for 'drop_if_category'{nearest(category, self.all_categories)}"
                )
        if self.range and self.range[0] > self.range[1]:
            raise ValueError(f"has the empty range {list(self.range)}")
        return self

    def _check_not_applicable(self, rule: NotApplicable) -> None:
        """Categories need a category for it; numbers and dates have no value there and need to know where."""
        if self.type == "identifier":
            raise ValueError("is an identifier and cannot have 'not_applicable'")
        if self.type in CODED:
            if rule.category is None:
                raise ValueError(f"is {self.type}; its 'not_applicable' needs a 'category'")
        elif rule.category is not None or not rule.when:
            raise ValueError(f"is {self.type}; its 'not_applicable' needs 'when' and goes without 'category'")

    def settled_not_applicable(self, kept: Iterable[str]) -> NotApplicable | None:
        """What stays to be known of "not applicable" in a clean table with the columns `kept`; None if nothing does."""
        rule = self.not_applicable
        if rule is None or not set(rule.when) <= set(kept):
            return None
        if not rule.codes:
            return rule
        own = {*self.codes.values(), *self.categories}
        return rule.model_copy(update={"shared": rule.category in own, "codes": []})

    @property
    def numeric(self) -> bool:
        """Whether the column is numeric rather than coded."""
        return self.type in NUMERIC

    @property
    def counts_dates(self) -> bool:
        """Whether the column's numbers stand for dates."""
        return self.numeric and self.notation.date is not None

    @property
    def no_value_when(self) -> NotApplicable | None:
        """The rule of a numeric column that has no value where its question does not arise; None for all others."""
        return self.not_applicable if self.numeric else None

    @property
    def may_be_missing(self) -> bool:
        """Whether cells of a complete table may be missing: kept gaps, or numbers where the question does not arise."""
        return self.gaps or self.no_value_when is not None

    @property
    def all_categories(self) -> list[str]:
        """Every category the clean column may hold, in order; empty if only the data can tell."""
        named = [*self.codes.values(), *self.categories]
        if named and self.rare and self.rare.label not in named:
            named.append(self.rare.label)
        if self.not_applicable and self.not_applicable.category is not None:
            named.append(self.not_applicable.category)
        if self.missing_category:
            named.append(self.missing_category)
        return list(dict.fromkeys(named))


class Joined(Strict):
    """A further raw table, whose columns are joined onto the rows of the first."""

    file: str = Field(description="file name beside the first; csv or csv.gz")
    key: str = Field(description="header that both tables have, unique in this one")


class RawFormat(Strict):
    """How a raw file is written, as drafting recognised it. Without this section a file is csv in UTF-8."""

    kind: Literal["text", "excel", "parquet", "spss", "stata", "sas", "xport"] = Field(
        "text", description="text (csv, tsv and the like), excel (xlsx, xls, ods), or of which statistics program"
    )
    encoding: str = Field("utf-8", description="of text, by Python's name (cp1252, utf-16)")
    delimiter: str = Field(",", min_length=1, max_length=1, description="between the fields of a text row")
    quote: str = Field('"', max_length=1, description='around fields that hold a delimiter; "" if quotes are letters')
    escape: str = Field("", max_length=1, description="before a quote inside quotes, where it is not doubled")
    skip_blanks: bool = Field(False, description="blanks after a delimiter are no part of the field")
    comment: str = Field("", max_length=1, description="rows whose first field starts with it are left out")
    sheet: str | None = Field(None, description="of a workbook; default: the first")
    skipped_rows: int = Field(0, ge=0, description="rows before the header, such as titles")
    header_rows: int = Field(1, ge=0, description="rows of headers; those after the first (labels, units) are left out")
    footer_rows: int = Field(0, ge=0, description="rows after the last row of data, such as totals")
    surplus_fields: int = Field(0, ge=0, description="empty fields that rows have more than the header, at their end")
    short_rows: bool = Field(False, description="rows may end early: the fields that they lack are empty")

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"'{name}' is not an encoding that Python knows") from None
        return name


class RawFile(Strict):
    """Where the raw table is to be had, and how to know it. Headers are found regardless of case."""

    file: str = Field(description="file name under <raw_dir>/<dataset>/, also packed (zip, gz, bz2, xz)")
    member: str | None = Field(None, description="file inside the zip")
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="of the (unpacked) table")
    url: str | None = Field(None, pattern="^https?://", description="where 'source: download' fetches the file")
    obtain: str = Field(description="how a person gets the file")
    joined: list[Joined] = Field([], description="further tables; of a header that two have, the first one's counts")
    unnamed_index: bool = Field(False, description="rows start with an index that the header does not name")
    missing: list[Code] = Field([""], description="raw values that are missing in every column")
    format: RawFormat = Field(RawFormat(), description="how the file is written; default: csv in UTF-8")

    @model_validator(mode="after")
    def _stays_in_its_folder(self) -> Self:
        for name in (*self.files, self.member or ""):
            if name.startswith(("/", "\\")) or ".." in Path(name).parts or "`" in name or "\n" in name:
                raise ValueError(f"names a file outside its folder: {name!r}")
        if self.joined and (self.member or self.sha256 or self.url):
            raise ValueError("has 'joined', which goes without 'member', 'sha256' and 'url'")
        return self

    @property
    def files(self) -> list[str]:
        """Names of all raw files, the main one first."""
        return [self.file, *(other.file for other in self.joined)]


class RowRule(Strict):
    """Which rows are left out before anything else is done, on raw values."""

    reason: str = Field(description="why, for cleaning.csv")
    first_per: str | list[str] | None = Field(
        None, description="keep the first row per value of this column, or of these columns together"
    )
    order_by: str | None = Field(None, description="'first' is by this column's number")
    column: str | None = Field(None, description="drop rows by this column's raw value")
    values: list[Code] = Field([], description="raw values whose rows are dropped")

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if bool(self.first_per) == bool(self.column) or bool(self.column) != bool(self.values):
            raise ValueError("needs either 'first_per', or 'column' and 'values'")
        if self.order_by and not self.first_per:
            raise ValueError("'order_by' goes with 'first_per'")
        return self

    @property
    def keys(self) -> list[str]:
        """Columns of whose values together the first row is kept."""
        return [self.first_per] if isinstance(self.first_per, str) else self.first_per or []

    @property
    def named(self) -> list[str]:
        """Columns that the rule needs."""
        return [*self.keys, *(name for name in (self.order_by, self.column) if name)]


class Constraint(Strict):
    """Conditions that no row may meet all at once, such as a pregnant man."""

    name: str = Field(description="what tables call it", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(description="in words, for tables")
    where: dict[str, Any] = Field(
        {}, description="column -> category, categories or [low, high]; columns that cleaning drops void the constraint"
    )
    less: tuple[str, str] | None = Field(
        None, description="two numeric columns: the first is less than the second (and 'where' holds, if given)"
    )

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if not self.where and not self.less:
            raise ValueError("needs 'where' or 'less'")
        return self

    @property
    def columns(self) -> list[str]:
        """Columns that the rule needs."""
        return list(dict.fromkeys([*self.where, *(self.less or ())]))


class Restored(Strict):
    """How an export fills a raw header that cleaning makes columns of, dates above all."""

    made_from: list[str] = Field(min_length=1, description="columns whose values the function gets, in order")
    transform: str = Field(description="function of medsynth.preparation.transforms, clean values -> raw value")
    description: str = Field("", description="what the header is, for the data dictionary")


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
                if learn_ranges and not declared.range:
                    facts["range"] = (float(table[name].min()), float(table[name].max()))
                    facts["range_observed"] = True
                if learn_ranges and declared.type == "continuous":
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
                    values = values.round().astype("float64" if values.isna().any() else "int64")
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
        return table.assign(**{name: _as_pandas_type(table[name], wanted) for name, wanted in learned.items()})


def category_name(value: object) -> str:
    """Name a category that may be no text in a plain table: a whole number without decimals."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def named_categories(values: pd.Series) -> pd.Series:
    """Name the categories of a column of any pandas type; missing cells stay missing."""
    held = values.cat.categories if isinstance(values.dtype, pd.CategoricalDtype) else values
    if held.dtype == object and pd.api.types.infer_dtype(held, skipna=True) in ("string", "empty"):
        return values
    codes, found = pd.factorize(values.astype(object))
    names = np.array([*map(category_name, found), None], dtype=object)
    return pd.Series(names[codes], values.index, name=values.name)


def _as_pandas_type(values: pd.Series, wanted: str) -> pd.Series:
    """Undo what `Codebook.conform` does to the pandas type of a column without missing cells."""
    category = re.fullmatch(r"category(?:\[(.+)\])?", wanted)
    kind = category[1] or "object" if category else wanted
    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        if pd.api.types.is_bool_dtype(kind):
            values = values.cat.rename_categories(categories == "True")
        elif pd.api.types.is_numeric_dtype(kind):
            values = values.cat.rename_categories(pd.to_numeric(categories).astype(kind))
    return values if category else values.astype(kind)


def decimals_of(values: np.ndarray) -> int:
    """Fewest decimals that write every value exactly; MAX_DECIMALS + 1 if none do."""
    for decimals in range(MAX_DECIMALS + 1):
        # Closer than any number could lie by chance, wider than how a decimal number is stored.
        if np.allclose(values, np.round(values, decimals), rtol=1e-12, atol=1e-15):
            return decimals
    return MAX_DECIMALS + 1
