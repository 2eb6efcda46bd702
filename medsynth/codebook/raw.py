"""The raw files of a dataset: where to get them, how they are written, which rows count, how exports fill them."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from medsynth.codebook.columns import Code, Strict


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


class Restored(Strict):
    """How an export fills a raw header that cleaning makes columns of, dates above all."""

    made_from: list[str] = Field(min_length=1, description="columns whose values the function gets, in order")
    transform: str = Field(description="function of medsynth.preparation.transforms, clean values -> raw value")
    description: str = Field("", description="what the header is, for the data dictionary")
