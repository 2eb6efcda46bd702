"""Edit rules: what no row of a clean table may be."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from medsynth.codebook.columns import Strict


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
