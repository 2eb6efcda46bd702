"""What the report opens with: papers, their claims and our verdicts, read from the tables that a run has written."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

from medsynth.plan.runs import Run

READ = ("item", "generator", "published", "ours", "ci_low", "ci_high", "verdict", "evidence", "remark")


def verdicts(runs: dict[str, Run]) -> list[dict[str, Any]]:
    """Collect what the report's first page says of every study that a paper stands behind.

    Parameters
    ----------
    runs : dict of Run
        By study; those whose tables are not written yet, or that have nothing published, are left out.

    Returns
    -------
    list of dict
        title, paper, note, table (path), counts (verdict, how often) and claims: the headline items with item, remark,
        label and evidence (the table or figure behind it, and its path), and answers: of, published, ours, verdict.
        Texts are safe for reStructuredText.
    """
    found = []
    for run in runs.values():
        table = Path(f"{run.folder}/tables/published_vs_reproduced.csv")
        if run.study.published is None or not table.is_file():
            continue
        with table.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        if not all(row.get(key) is not None for row in rows for key in READ):
            continue  # Written by an older version, or being written just now.
        wanted = {item.item for item in run.study.published.items if item.headline}
        headlines = [name for name in dict.fromkeys(row["item"] for row in rows) if name in wanted]
        facts = {"title": run.study.title, "paper": run.study.paper, "note": run.note}
        found.append(
            {
                **{key: _plain(text) for key, text in facts.items()},
                "table": str(table.with_suffix(".html")),
                "counts": Counter(row["verdict"].split(":")[0].split(" on ")[0] for row in rows).most_common(),
                "claims": [_claim(item, rows, run) for item in headlines],
            }
        )
    return found


def _claim(item: str, rows: list[dict[str, str]], run: Run) -> dict[str, Any]:
    """One claim and what was found, generator by generator."""
    own = [row for row in rows if row["item"] == item]
    evidence = f"{run.folder}/{own[0]['evidence']}"
    return {
        "item": _plain(item),
        "remark": _plain(own[0]["remark"]),
        "label": own[0]["evidence"],
        "evidence": evidence + (".png" if "/figures/" in evidence else ".html"),
        "answers": [_answer(row, run) for row in own],
    }


def _answer(row: dict[str, str], run: Run) -> dict[str, str]:
    """What one generator, or one comparison, came to."""
    titles = {**{name: style["title"] for name, style in run.styles.items()}, "real": "real rows"}
    interval = f" ({_number(row['ci_low'])}, {_number(row['ci_high'])})" if row["ci_low"] else ""
    return {
        "of": _plain(re.sub("[a-z0-9_]+", lambda name: titles.get(name[0], name[0]), row["generator"])),
        "published": _number(row["published"]),
        "ours": f"{_number(row['ours'])}{interval}" if row["ours"] else "",
        "verdict": _plain(row["verdict"]),
    }


def _number(text: str) -> str:
    """Round a number of the table for reading."""
    if not text:
        return ""
    value = float(text)
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}".rstrip("0").rstrip(".")


def _plain(text: str) -> str:
    """Escape what reStructuredText takes for markup."""
    return re.sub(r"([\\`*_|<>])", r"\\\1", text)
