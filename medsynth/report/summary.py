"""The summary page of a study: one self-contained page that is read from top to bottom, or printed.

It goes over what families of scores declare for it (`medsynth.scores.registry`): columns of tables, figures, facts,
sentences, verdicts. It is made from the tables and figures of a run alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from medsynth.report.facts import Finished, counted
from medsynth.report.verdicts import claims, counts, number
from medsynth.scores.registry import Shown, SummaryColumn, Table, families, figures, tables

if TYPE_CHECKING:
    import jinja2
    import pandas as pd

# A page is under 3 MB: all of its figures together take at most so many bytes.
FIGURE_BYTES = 2_400_000
NOTHING, WITHHELD, FAILED = "–", "withheld", "failed"
# What claims call reference rows.
CLAIMED_REFERENCES = {"real": "real rows", "independent": "independent marginals", "majority": "the majority class"}
TEMPLATES = ("summary.html.jinja", "index.html.jinja", "look.css")


class Cell(NamedTuple):
    """An estimate and its interval, or why there is none."""

    value: str
    interval: str = ""

    @property
    def unshown(self) -> bool:
        """Whether there is no number."""
        return self.value in (NOTHING, WITHHELD, FAILED)


class Row(NamedTuple):
    """A row of a table of the page."""

    title: str
    detail: str
    cells: list[Cell]
    reference: bool


class Grid(NamedTuple):
    """A table of the page."""

    columns: list[SummaryColumn]
    rows: list[Row]

    @property
    def unshown(self) -> int:
        """Cells of generators without a number."""
        return sum(cell.unshown for row in self.rows if not row.reference for cell in row.cells)


def summary_page(finished: Finished) -> str:
    """Write the summary page of a run.

    Parameters
    ----------
    finished : Finished

    Returns
    -------
    str
        HTML that loads nothing; the same run gives the same text.
    """
    headline, privacy = grid(finished, "headline"), grid(finished, "privacy")
    judged = [row for table in _own(finished) if table.judges for row in _rows(finished.table(table.name))]
    titles = {name: style["title"] for name, style in finished.styles.items()} | CLAIMED_REFERENCES
    return _template("summary.html.jinja").render(
        study=finished.study,
        finished=finished,
        least=finished.least,
        headline=headline,
        privacy=privacy,
        figures=_figures(finished),
        facts={part: _facts(finished, part) for part in ("data", "made")},
        says={part: _says(finished, part) for part in ("data", "privacy")},
        distrust=[*_says(finished, "distrust"), *_doubts(finished, headline, privacy)],
        verdicts=counts(row["verdict"] for row in judged),
        claims=claims(judged, titles, finished.headlines),
        tables=[(table.name, table.label) for table in sorted(_own(finished), key=lambda one: one.section)],
    )


def index_page(studies: Sequence[dict[str, Any]]) -> str:
    """Write the page that links the summaries: of each study title, paper, note, simulated, generators and path."""
    return _template("index.html.jinja").render(studies=studies)


def look() -> str:
    """Hash what the pages look like, which is no Python."""
    digest = hashlib.sha256()
    for name in TEMPLATES:
        digest.update((files("medsynth.report") / name).read_bytes())
    return digest.hexdigest()[:12]


def grid(finished: Finished, part: str) -> Grid:
    """Lay out the columns that are declared for a part of the page, in the order of the report's sections.

    A column of which nothing is known, as of attacks where nobody was attacked, is left out.
    """
    declared = [(table, column) for table in _own(finished) for column in table.summary if column.part == part]
    declared.sort(key=lambda pair: pair[1].place)
    columns: list[SummaryColumn] = []
    found: list[dict[str, dict[str, str]]] = []
    seeds: dict[str, str] = {}
    for table, column in declared:
        rows = _picked(finished, table, column)
        if any(generator in rows for generator in finished.styles):
            columns.append(column)
            found.append(rows)
            seeds = {name: row["n_seeds"] for name, row in rows.items()} | seeds
    body = []
    for name, style in finished.styles.items():
        cells = [_cell(rows.get(name), column) for rows, column in zip(found, columns, strict=True)]
        body.append(Row(style["title"], _trained(finished, name, seeds.get(name, "")), cells, reference=False))
    for title in dict.fromkeys(title for column in columns for title in column.references):
        cells = [
            _cell(rows.get(column.references.get(title, "")), column)
            for rows, column in zip(found, columns, strict=True)
        ]
        if not all(cell.unshown for cell in cells):
            kind, _, what = title.partition(": ")
            body.append(Row(kind, what, cells, reference=True))
    return Grid(columns, body if columns else [])


def _picked(finished: Finished, table: Table, column: SummaryColumn) -> dict[str, dict[str, str]]:
    """Row of each generator, at the epoch count that is shown, and of each reference row."""
    numbers = finished.written(table.name)
    for name, value in column.where(finished).items():
        numbers = numbers[numbers[name] == value]
    epochs = finished.facts["epochs"]
    return {
        row["generator"]: row
        for row in _rows(numbers)
        if row["generator"] not in epochs or row["epochs"] == str(epochs[row["generator"]])
    }


def _cell(row: dict[str, str] | None, column: SummaryColumn) -> Cell:
    """Estimate and interval of a row, or why it has none."""
    if row is None:
        return Cell(NOTHING)
    value, low, high = (row[name] for name in column.cells)
    if value and not _is_number(value):
        return Cell(value)
    if not value:
        failed = "failed" in row["n_seeds"]
        withheld = row.get("remark", "").startswith(WITHHELD)
        return Cell(WITHHELD if withheld else FAILED if failed else NOTHING)
    return Cell(number(value), f"{number(low)} to {number(high)}" if low else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _trained(finished: Finished, generator: str, seeds: str) -> str:
    """How often, and for how many epochs, a generator was trained."""
    epochs = finished.facts["epochs"].get(generator)
    n, _, failed = seeds.partition(" ")
    words = [counted(epochs, "epoch") if epochs else "", counted(int(n), "seed") if n else "", failed.strip("()")]
    return ", ".join(filter(None, words))


def _figures(finished: Finished) -> dict[str, list[dict[str, str]]]:
    """Figures of each part of the page: title, reading and picture."""
    kinds = figures()
    about_all = [Shown(*one) for one in finished.shown if not one[1] and one[2] in ("", finished.main_target)]
    wanted = [one for one in about_all if kinds[one.kind].summary and (finished.figures / f"{one.name}.png").is_file()]
    wanted.sort(key=lambda one: kinds[one.kind].section)
    found: dict[str, list[dict[str, str]]] = {"figures": [], "privacy": []}
    for one in wanted:
        from medsynth.display.images import embedded

        kind = kinds[one.kind]
        picture = embedded(finished.figures / f"{one.name}.png", FIGURE_BYTES // len(wanted))
        found[kind.part].append({"title": kind.label, "reading": kind.summary, "picture": picture})
    return found


def _facts(finished: Finished, part: str) -> list[tuple[str, str]]:
    """Facts that tables give for a part of the page."""
    found = []
    for table in _own(finished):
        if wanted := table.facts.get(part):
            known = dict(finished.written(table.name).itertuples(index=False, name=None))
            found += [(name, known[name]) for name in wanted if known.get(name)]
    return found


def _says(finished: Finished, part: str) -> list[str]:
    """Sentences of all families for a part of the page."""
    return [text for family in families().values() if part in family.says for text in family.says[part](finished)]


def _doubts(finished: Finished, *grids: Grid) -> Iterator[str]:
    """What makes any run doubtful, whatever is scored."""
    seeds = len(finished.study["seeds"])
    if seeds < 3:
        yield (
            f"Each generator was trained with {counted(seeds, 'seed')}. "
            + ("Intervals do not cover another training run." if seeds == 1 else "Two runs say little of a third.")
        )
    if unshown := sum(one.unshown for one in grids):
        yield f"{counted(unshown, 'cell')} of the tables above {'has' if unshown == 1 else 'have'} no number."


def _own(finished: Finished) -> list[Table]:
    """The run's tables, as they are declared."""
    return [table for name, table in tables().items() if name in finished.names]


def _rows(table: pd.DataFrame) -> list[dict[str, str]]:
    return table.to_dict("records")


@cache
def _template(name: str) -> jinja2.Template:
    import jinja2

    loader = jinja2.PackageLoader("medsynth.report", "")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template(name)
