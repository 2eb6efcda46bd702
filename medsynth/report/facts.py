"""A finished run, as its summary page sees it: its tables and figures, and what the plan gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from medsynth.display.styles import Styles


@dataclass
class Finished:
    """A run whose tables and figures are written.

    Attributes
    ----------
    tables, figures : Path
        Folders.
    names : list of str
        Names of its tables.
    shown : list of (kind, generator, target)
        Its figures.
    facts : dict
        See `medsynth.scores.registry.Facts`; files and scores are not among them.
    study : dict
        name, title, paper, source, scale, seeds, attacked_seeds, commands.
    """

    tables: Path
    figures: Path
    names: list[str]
    shown: list[tuple[str, str, str]]
    facts: Mapping[str, Any]
    study: Mapping[str, Any]
    _read: dict[str, pd.DataFrame] = field(default_factory=dict, repr=False)

    def table(self, name: str) -> pd.DataFrame | None:
        """Read the numbers of a table as text; None where the study has no such table."""
        if name not in self.names:
            return None
        if name not in self._read:
            import pandas as pd

            self._read[name] = pd.read_csv(self.tables / f"{name}.csv", dtype=str, keep_default_na=False)
        return self._read[name]

    def written(self, name: str) -> pd.DataFrame:
        """Read the numbers of a table that the study has."""
        found = self.table(name)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def note(self) -> str:
        """What tables and figures say of the data."""
        return self.facts["note"]

    @property
    def simulated(self) -> bool:
        """Whether no row is a patient's."""
        return self.study["source"] == "simulated"

    @property
    def main_target(self) -> str:
        """Name of the study's main target."""
        return self.facts["run"]["target"]

    @property
    def styles(self) -> Styles:
        """Generator -> title and colour, in order of display."""
        return self.facts["styles"]

    @property
    def least(self) -> int:
        """Fewer real patients are not counted."""
        return self.facts["minimum_cell_size"]

    @cached_property
    def headlines(self) -> set[str]:
        """Items of the paper that come first."""
        items = (self.facts["publication"] or {}).get("items", [])
        return {item["item"] for item in items if item.get("headline")}

    def titles(self, generators: Iterable[str]) -> str:
        """Titles of generators, for a sentence."""
        return in_words([self.styles.get(name, {}).get("title", name) for name in generators])


def in_words(names: list[str]) -> str:
    """Join names as a sentence does; a name with a comma in it needs a stronger sign between them."""
    between = "; " if any("," in name for name in names) else ", "
    return " and ".join(filter(None, [between.join(names[:-1]), names[-1] if names else ""]))


def counted(number: int, one: str, more: str | None = None) -> str:
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
