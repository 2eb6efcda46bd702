"""One column of a clean table: its type, codes, range and gaps, and how the raw table writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from medsynth.errors import nearest

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


# The category of a coded column's gaps, where they are kept as values.
GAP_CATEGORY = "missing"


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
        description="how dates are written, as strptime has it (%d.%m.%Y). An integer column keeps them as days, or as "
        "minutes or seconds where a time is written. A time of day counts from midnight",
    )

    @model_validator(mode="after")
    def _knows_its_decimals(self) -> Self:
        if self.fixed and (self.decimals is None or self.decimals > MAX_DECIMALS):
            raise ValueError(f"has 'fixed', which needs 'decimals' of at most {MAX_DECIMALS}")
        if self.decimal == self.thousands:
            raise ValueError(f"has '{self.decimal}' both as decimal mark and between thousands")
        return self

    @property
    def has_year(self) -> bool:
        """Whether dates lie in a calendar: a time of day does not."""
        return self.date is not None and ("%Y" in self.date or "%y" in self.date)

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
