"""A hook of MkDocs: each table and figure of a paper, as published beside what runs of this project gave.

On a page the line ``<!-- paper: STUDY -->`` is replaced. What the paper says, and by which rule ours is judged, the
study's ``published:`` has; what came out lies in ``results/reference``. Of each dataset the run of the largest scale is
taken.
"""

from __future__ import annotations

import csv
import re
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
COLUMNS = ("What", "Of", "Epochs", "Published", "Ours", "Patients", "Verdict", "Why")
# What stands in the papers' order: tables and figures first, then the sections.
PLACE = re.compile(r"(?:Table|Figure) S?\d+")
NOTHING = "–"
REFERENCES = {"real": "Real rows", "independent": "Independent marginals", "majority": "Majority class"}


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
    titles = titles_of(root)
    blocks = []
    for place in sorted(dict.fromkeys(map(place_of, items)), key=order_of):
        own = [item for item in items if place_of(item) == place]
        rows = list(dict.fromkeys(row for item in own for row in rows_of(item, runs, titles)))
        head = "".join(f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, ["---"] * len(COLUMNS), *rows))
        blocks.append(f"## {place}\n\n{head}\n{pictures(root, own, runs)}")
    return "\n".join(blocks)


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
        own, like = study(root, name), yaml.safe_load((root / f"config/studies/{name}.yaml").read_text()).get("like")
        if name != paper and own.get("published") != said and not (own.get("published") and like == paper):
            continue
        rank = SCALES.index(run.split("-")[-1])
        if own["dataset"] not in found or rank < found[own["dataset"]][0]:
            with path.open(encoding="utf-8", newline="") as lines:
                found[own["dataset"]] = (rank, f"{name}/{run}", list(csv.DictReader(lines)))
    return {run: rows for _, run, rows in found.values()}


def titles_of(root: Path) -> dict[str, str]:
    """Generators and their variants by name, and reference rows."""
    titles = dict(REFERENCES)
    for path in root.glob("config/generators/*.yaml"):
        own = yaml.safe_load(path.read_text(encoding="utf-8"))
        titles[own["name"]] = own["title"]
        titles |= {name: variant["title"] for name, variant in own.get("variants", {}).items()}
    return titles


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


def rows_of(item: dict[str, Any], runs: dict[str, list[Row]], titles: dict[str, str]) -> list[tuple[str, ...]]:
    """Rows of one number or claim, one a run and generator; one without ours where no run speaks to it."""
    value = f"{item['published']:,.10g}" if "published" in item else ""
    if value and "interval" in item:
        value += " ({:g}, {:g})".format(*item["interval"])
    own = [row for rows in runs.values() for row in rows if (row["item"], row["where"]) == key(item)]
    if not own:
        of = ", ".join(titles.get(name, name) for name in item.get("generators", []))
        return [cells(item["item"], of, "", value, "", "", "no kept run", item.get("remark", ""))]
    rows = []
    for row in own:
        of = re.sub("[a-z0-9_]+", lambda name: titles.get(name[0], name[0]), row["generator"])
        verdict, _, why = row["verdict"].partition(": ")
        why = "; ".join(filter(None, [why or row["rule"], row["remark"]]))
        epochs = row["epochs"].split(".")[0]
        shown = (row["item"], of, "" if epochs == "0" else epochs, value, ours(row), row["data"])
        rows.append(cells(*shown, verdict.split(" on ")[0], why))
    return rows


def ours(row: Row) -> str:
    """Our number with its interval."""
    if row["n_seeds"] in ("", "0") or not row["ours"]:
        return ""
    ends = [float(row[name]) for name in ("ours", "ci_low", "ci_high") if row[name]]
    counted = len(ends) == 1 and ends[0].is_integer()
    digits = 0 if counted or abs(ends[0]) >= 1000 else 3
    texts = [f"{end:z,.{digits}f}" for end in ends]
    return f"{texts[0]} ({texts[1]}, {texts[2]})" if len(texts) == 3 else texts[0]


def cells(*texts: str) -> tuple[str, ...]:
    """Cells of a Markdown table."""
    return tuple(text.replace("|", "\\|") or NOTHING for text in texts)


def pictures(root: Path, items: list[dict[str, Any]], runs: dict[str, list[Row]]) -> str:
    """Kept figures that items name as evidence, of every run."""
    kinds = [item["evidence"].removeprefix("figures/") for item in items if item["evidence"].startswith("figures/")]
    found = []
    for run in runs:
        for kind in dict.fromkeys(kind.split("{")[0].split("_")[0] for kind in kinds):
            for path in sorted((root / "results/reference" / run / "figures").glob(f"{kind}*.png"))[:1]:
                found.append(f"![{path.stem.replace('_', ' ')}, {run}](../{path.relative_to(root).as_posix()})\n")
    return "\n".join(found)
