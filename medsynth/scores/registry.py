"""Every family of scores, as its folder declares it: what is scored in which job, and what is shown of it.

A family is a package of `medsynth.scores` with a module ``declaration`` whose ``FAMILY`` says everything that rules,
plan, estimate, comparison and report need to know of it. There is no other list of families, tables or figures.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure as Drawing

    from medsynth.codebook import Codebook
    from medsynth.display.styles import Styles
    from medsynth.plan.runs import Run
    from medsynth.report.facts import Finished

    Tables = tuple[pd.DataFrame, pd.DataFrame]


def always(run: Run) -> bool:
    """Every study has it."""
    return True


@dataclass(frozen=True)
class Compared:
    """How `medsynth compare` compares a table with the one that the repository keeps.

    Attributes
    ----------
    keys : tuple of str
        Columns that name a row.
    columns : tuple of str
        Columns that are compared.
    tolerance : float
        By how much they may differ on another machine.
    relative : bool
        Whether that is a share of the kept value.
    """

    keys: tuple[str, ...]
    columns: tuple[str, ...]
    tolerance: float
    relative: bool = False


# What the summary page puts below the generators, in this order: what it is called -> reference row.
REFERENCES = {"Upper reference: real data": "holdout", "Lower reference: independent marginals": "independent"}


@dataclass(frozen=True)
class SummaryColumn:
    """A column of a table of the summary page, read from the numbers of a study's table.

    Attributes
    ----------
    title : str
    reading : str
        One sentence: how to read it.
    cells : tuple of str
        Columns of the estimate and of both ends of its interval.
    where : callable
        ``where(finished)`` gives column -> value, which pick one row a generator and epoch count.
    references : mapping
        What a row below the generators is called -> the reference row that it shows.
    part : str
        Part of the page: ``headline`` or ``privacy``.
    place : int
        Where it stands among the columns of its part.
    """

    title: str
    reading: str
    cells: tuple[str, str, str]
    where: Callable[[Finished], Mapping[str, str]] = lambda finished: {}
    references: Mapping[str, str] = field(default_factory=lambda: REFERENCES)
    part: str = "headline"
    place: int = 0


@dataclass(frozen=True)
class Table:
    """One table of a study.

    Attributes
    ----------
    name : str
        Of its files in ``tables/``.
    section, label : str
        Where it stands in the report, and under which title.
    make : callable
        ``make(facts)`` gives the numbers and the table for reading.
    caption : str
        With the field ``{out_of_scope}`` where it says what a paper claims beyond our reach, and ``{least}`` where it
        speaks of few real patients.
    wanted : callable
        ``wanted(run)``: whether a study has it.
    compared : Compared, optional
        Means that another run of the same study should give.
    summary : tuple of SummaryColumn
        Columns that the summary page shows of it.
    facts : mapping
        Part of the summary page, ``data`` or ``made`` -> facts that it shows there, of a table of facts and values.
    judges : bool
        Whether its rows are verdicts on a paper's claims.
    """

    name: str
    section: str
    label: str
    make: Callable[[Facts], Tables]
    caption: str
    wanted: Callable[[Run], Any] = always
    compared: Compared | None = None
    summary: tuple[SummaryColumn, ...] = ()
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    judges: bool = False


class Shown(NamedTuple):
    """One figure of a kind: of whom, and of which target; empty where it is about all."""

    kind: str
    generator: str = ""
    target: str = ""

    @property
    def name(self) -> str:
        """Name of its files in ``figures/``."""
        return "_".join(filter(None, self))


def once(run: Run) -> Iterable[tuple[str, str]]:
    """One figure, of all generators and no target."""
    return [("", "")]


@dataclass(frozen=True)
class Figure:
    """One kind of figure of a study.

    Attributes
    ----------
    kind : str
        How names of its files begin.
    section, label : str
        Where it stands in the report, and under which title.
    draw : callable
        ``draw(facts, shown)`` gives the figure.
    caption : str
        As reStructuredText.
    of : callable
        ``of(run)`` gives (generator, target) of every figure of the kind that a study has.
    kept : str
        Pattern of the files in ``figures/`` that `medsynth reference` keeps in the repository.
    summary : str
        How to read it, in a sentence or two; empty for a figure that the summary page does not show.
    part : str
        Part of the summary page: ``figures`` or ``privacy``.
    """

    kind: str
    section: str
    label: str
    draw: Callable[[Facts, Shown], Drawing]
    caption: str
    of: Callable[[Run], Iterable[tuple[str, str]]] = once
    kept: str = ""
    summary: str = ""
    part: str = "figures"


class Work(NamedTuple):
    """What a generator costs: core seconds of a fit and of a table, by rows."""

    generator: str
    fit: Callable[[int], float]
    sample: Callable[[int], float]


@dataclass(frozen=True)
class Stage:
    """A kind of score job.

    Attributes
    ----------
    name : str
        Of its folders below ``scores/``, ``replicates/``, ``benchmarks/`` and ``logs/``; its rule is ``score_<name>``.
    needs : str
        The stage whose work it needs: ``impute``, ``train`` or ``sample``.
    generators : callable
        ``generators(run)``: those that are scored.
    references : tuple of str
        Reference rows that are scored beside them.
    seeds : callable
        ``seeds(run)``: one job each.
    every_epoch : bool
        Whether models of all epoch counts are scored, not those that are shown alone.
    like : str, optional
        The reference row whose job costs most like a generator's, for the estimate.
    unexplained : str, optional
        The same of what is scored at each further epoch count.
    more_seconds : callable
        ``more_seconds(run, work, n_train)``: core seconds that a generator's job takes beyond that.
    """

    name: str
    needs: str
    generators: Callable[[Run], list[str]]
    references: tuple[str, ...] = ()
    seeds: Callable[[Run], list[int]] = lambda run: run.scale.seeds
    every_epoch: bool = False
    like: str | None = "independent"
    unexplained: str | None = None
    more_seconds: Callable[[Run, Work, int], float] = lambda run, work, n_train: 0.0


@dataclass(frozen=True)
class Family:
    """One family of scores.

    Attributes
    ----------
    stages : tuple of Stage
        Kinds of score jobs of its own. A family that is scored with the synthetic table, in the stage ``table``, has a
        module ``scoring`` instead, whose ``scores(judged)`` yields its scores of a table.
    tables : tuple of Table
    figures : tuple of Figure
    claims : tuple of str
        Values of the column ``family`` of ``scores.csv`` that a paper's claims may name.
    says : mapping
        Part of the summary page, ``data``, ``privacy`` or ``distrust`` -> ``says(finished)``, which gives sentences.
    """

    stages: tuple[Stage, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    claims: tuple[str, ...] = ()
    says: Mapping[str, Callable[[Finished], list[str]]] = field(default_factory=dict)


@cache
def families() -> dict[str, Family]:
    """Every family, by the name of its folder."""
    folder = Path(__file__).parent
    names = sorted(found.name for found in pkgutil.iter_modules([str(folder)]) if found.ispkg)
    return {name: importlib.import_module(f"medsynth.scores.{name}.declaration").FAMILY for name in names}


def _by_name(kind: str, name: str) -> dict[str, Any]:
    """What all families declare of a kind, by name; a name that two have is a mistake of ours."""
    found: dict[str, Any] = {}
    for family, declared in families().items():
        for one in getattr(declared, kind):
            key = getattr(one, name)
            if key in found:
                raise ValueError(f"medsynth.scores.{family} declares '{key}' of {kind}, which is there already")
            found[key] = one
    return found


@cache
def tables() -> dict[str, Table]:
    """Every table, by name."""
    return _by_name("tables", "name")


@cache
def figures() -> dict[str, Figure]:
    """Every kind of figure, by name."""
    return _by_name("figures", "kind")


@cache
def stages() -> dict[str, Stage]:
    """Every kind of score job, by name."""
    return _by_name("stages", "name")


def claimed_families() -> tuple[str, ...]:
    """Families that a paper's claims may name."""
    return tuple(name for family in families().values() for name in family.claims)


def modules() -> list[str]:
    """Dotted modules of all declarations, which import what they declare when it is asked for."""
    return [f"medsynth.scores.{name}.declaration" for name in families()]


def tables_of(run: Run) -> list[Table]:
    """Tables of a study."""
    return [table for table in tables().values() if table.wanted(run)]


def figures_of(run: Run) -> list[Shown]:
    """Figures of a study."""
    return [Shown(figure.kind, *of) for figure in figures().values() for of in figure.of(run)]


@dataclass
class Facts:
    """What tables and figures are made from.

    Attributes
    ----------
    scores : DataFrame
        The run's long table of scores.
    files : mapping
        Name -> path of what else a run has written: benchmarks, cleaning, preparation, scaling, provenance, codebook.
    note : str
        What figures say of the data.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    shown_epochs : int or None
        Epoch count at which generators are shown where one is enough.
    epochs : dict
        Generator -> that epoch count.
    columns : list of str
        Columns of the codebook, in order.
    cohorts : list of dict
        The study's cohorts.
    constraints : dict
        Name -> title of the codebook's constraints.
    budgets, guarantees : dict
        Generator -> epsilon; of a guarantee of all training rows. None for none.
    sweep : str or None
        Hyperparameter whose values attacks are shown against.
    swept : dict
        Generator -> its value.
    outcome : str
        What the study's logistic model explains.
    publication : dict or None
        The study's ``published``.
    run : dict
        What verdicts depend on besides the scores; see `medsynth.scores.published.table.published_table`.
    overview : dict
        Fact -> value, what was run.
    minimum_cell_size : int
        Fewer real rows or cells are not counted.
    failures : list of dict
        Scores that failed jobs left without: generator, epochs, seed, stage, step and reason.
    cards, plot_data : dict
        Generator -> paths, one a seed: cards of its last models, and what figures need besides scores.
    trained : dict
        Generator whose losses are known -> epoch count -> paths of cards, one a seed.
    """

    scores: pd.DataFrame
    files: Mapping[str, str]
    note: str
    styles: Styles
    shown_epochs: int | None
    epochs: dict[str, int]
    columns: list[str]
    cohorts: list[dict[str, Any]]
    constraints: dict[str, str]
    budgets: dict[str, float | None]
    guarantees: dict[str, float | None]
    sweep: str | None
    swept: dict[str, Any]
    outcome: str
    publication: dict[str, Any] | None
    run: dict[str, str]
    overview: dict[str, str]
    minimum_cell_size: int
    failures: list[dict[str, Any]] = field(default_factory=list)
    cards: dict[str, list[str]] = field(default_factory=dict)
    plot_data: dict[str, list[str]] = field(default_factory=dict)
    trained: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    @cached_property
    def at_shown_epochs(self) -> pd.DataFrame:
        """Scores at one epoch count a generator."""
        from medsynth.display.aggregation import at_epochs

        return at_epochs(self.scores, self.shown_epochs)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the rows come from."""
        return _json(self.files["provenance"])

    @cached_property
    def codebook(self) -> Codebook:
        """Codebook of the training rows."""
        from medsynth.codebook import Codebook

        return Codebook.from_json(self.files["codebook"])

    @property
    def main_target(self) -> str:
        """Name of the study's main target."""
        return self.run["target"]

    def file(self, name: str) -> pd.DataFrame:
        """Read a table that a run has written; an empty cell is text."""
        import pandas as pd

        return pd.read_csv(self.files[name], keep_default_na=False)

    def cards_of(self, generator: str) -> list[dict[str, Any]]:
        """Cards of a generator's last models, one a seed."""
        return [_json(path) for path in self.cards[generator]]

    @property
    def histories(self) -> dict[str, dict[int, list[list[dict[str, Any]]]]]:
        """Losses by epoch: generator -> epoch count -> one history a seed."""
        return {
            generator: {epochs: [_json(path)["history"] for path in paths] for epochs, paths in counts.items()}
            for generator, counts in self.trained.items()
        }

    def plot_data_of(self, generator: str) -> list[dict[str, Any]]:
        """Plot data of a generator at the epoch count that is shown, one a seed."""
        return [_json(path) for path in self.plot_data[generator]]

    def titled(self, generator: str) -> str:
        """Title of a generator with the epoch count that is shown."""
        title, epochs = self.styles[generator]["title"], self.epochs.get(generator)
        return f"{title}, {epochs} epochs" if epochs else title

    def caption(self, table: Table) -> str:
        """Caption of a table."""
        return table.caption.format(**caption_fields(self.publication, self.minimum_cell_size))


def caption_fields(publication: dict[str, Any] | None, least: int) -> dict[str, Any]:
    """What captions of tables leave open."""
    return {"out_of_scope": "; ".join((publication or {}).get("out_of_scope", [])) or "nothing", "least": least}


@cache
def _json(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))
