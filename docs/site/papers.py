"""A hook of MkDocs: each table and figure of a paper, as published beside what runs of this project gave.

On a page the line ``<!-- paper: STUDY -->`` is replaced. What the paper says, and by which rule ours is judged, the
study's ``published:`` has. What came out lies in ``results/reference``. Of each dataset the run of the largest scale is
taken.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

Row = dict[str, str]

MARK = re.compile(r"<!-- paper: (\w+) -->")
SCALES = ("paper", "full", "laptop", "smoke")
# Columns of a page; all but Patients and Why are those of the kept table.
COLUMNS = ("Published", "Of", "Epochs", "Value", "Ours (95% CI)", "Patients", "Verdict", "Why")
# What stands in the papers' order: tables and figures first, then the sections.
PLACE = re.compile(r"(?:Table|Figure) S?\d+")
CELL = re.compile(r"(?<!\\)\|")
NOTHING = "–"


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put the comparison into the page of a paper."""
    root = Path(config["docs_dir"]).parent
    return MARK.sub(lambda found: side_by_side(root, found[1]), markdown)


def side_by_side(root: Path, paper: str) -> str:
    """Markdown of one paper: a heading a place in it, with what it says, what came out, and figures.

    Parameters
    ----------
    root : Path
        Of the repository.
    paper : str
        The study that has the paper's numbers and claims.
    """
    runs = kept_runs(root, paper)
    items = list(study(root, paper)["published"]["items"])
    # A study of the paper on other patients may have claims in words of its own.
    for run in runs:
        own = study(root, run.split("/")[0])["published"]
        items += [item for item in own["items"] if key(item) not in map(key, items)]
    blocks = []
    for place in sorted(dict.fromkeys(map(place_of, items)), key=order_of):
        own = [item for item in items if place_of(item) == place]
        rows = list(dict.fromkeys(row for item in own for row in rows_of(item, runs)))
        head = "".join(f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, ["---"] * len(COLUMNS), *rows))
        blocks.append(f"## {place}\n\n{head}\n{pictures(root, own, runs)}")
    return "\n".join(blocks)


@cache
def study(root: Path, name: str) -> dict[str, Any]:
    """A study's file, with what it takes from the one that it is like, and the numbers and claims of its paper."""
    own = yaml.safe_load((root / f"config/studies/{name}.yaml").read_text(encoding="utf-8"))
    whole = study(root, own["like"]) | own if "like" in own else own
    published = whole.get("published")
    return whole | {"published": study(root, published)["published"]} if isinstance(published, str) else whole


def kept_runs(root: Path, paper: str) -> dict[str, list[Row]]:
    """Kept tables of verdicts on a paper: run -> rows, one run a dataset."""
    said = study(root, paper)["published"]
    found: dict[str, tuple[int, str, list[Row]]] = {}
    for path in sorted(root.glob("results/reference/*/*/tables/published_vs_reproduced.csv")):
        name, run = path.parts[-4], path.parts[-3]
        own = study(root, name)
        if not own["published"] or (own["published"] != said and own.get("like") != paper):
            continue
        rank = SCALES.index(run.split("-")[-1])
        if own["dataset"] not in found or rank < found[own["dataset"]][0]:
            found[own["dataset"]] = (rank, f"{name}/{run}", kept_rows(path))
    return {run: rows for _, run, rows in found.values()}


def kept_rows(path: Path) -> list[Row]:
    """Rows of a kept table as its Markdown shows them, with what only its csv has: ``item`` and ``Patients``."""
    with path.open(encoding="utf-8", newline="") as lines:
        numbers = list(csv.DictReader(lines))
    table = [line for line in path.with_suffix(".md").read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *shown = [[cell.strip() for cell in CELL.split(line)[1:-1]] for line in table]
    return [
        {**dict(zip(head, cells, strict=True)), "item": row["item"], "Patients": row["data"]}
        for row, cells in zip(numbers, shown, strict=True)
    ]


def key(item: dict[str, Any]) -> tuple[str, str]:
    """What tells one number or claim from another."""
    return item["item"], item["where"]


def place_of(item: dict[str, Any]) -> str:
    """Table, figure or section of the paper."""
    found = PLACE.search(item["where"])
    return found[0] if found else str(item["where"])


def order_of(place: str) -> tuple[int, int, str]:
    """Tables first, then figures, then sections."""
    number = re.search(r"\d+", place)
    kind = ("Table", "Figure").index(place.split()[0]) if PLACE.fullmatch(place) else 2
    return kind, int(number[0]) if number and kind < 2 else 0, place


def rows_of(item: dict[str, Any], runs: dict[str, list[Row]]) -> list[tuple[str, ...]]:
    """Rows of one number or claim, one a run and generator; one without ours where no run speaks to it."""
    own = [row for rows in runs.values() for row in rows if (row["item"], row["Where"]) == key(item)]
    if not own:
        value = f"{item['published']:,.10g}" if "published" in item else ""
        said = {"Published": item["item"].replace("|", "\\|"), "Value": value, "Remark": item.get("remark", "")}
        own = [{**said, "Verdict": "no kept run"}]
    rows = []
    for row in own:
        verdict, _, why = row["Verdict"].partition(": ")
        why = "; ".join(filter(None, [why or row.get("Rule", ""), row["Remark"]]))
        shown = {**row, "Verdict": verdict.split(" on ")[0], "Why": why}
        rows.append(tuple(shown.get(name) or NOTHING for name in COLUMNS))
    return rows


def pictures(root: Path, items: list[dict[str, Any]], runs: dict[str, list[Row]]) -> str:
    """Kept figures that items name as evidence, of every run."""
    kinds = [item["evidence"].removeprefix("figures/") for item in items if item["evidence"].startswith("figures/")]
    found = []
    for run in runs:
        for kind in dict.fromkeys(kind.split("{")[0].split("_")[0] for kind in kinds):
            for path in sorted((root / "results/reference" / run / "figures").glob(f"{kind}*.png"))[:1]:
                found.append(f"![{path.stem.replace('_', ' ')}, {run}](../{path.relative_to(root).as_posix()})\n")
    return "\n".join(found)
