"""What the report opens with: every study, a link to its summary, and how often a paper's claims get which verdict."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from medsynth.plan.runs import Run
from medsynth.report.verdicts import counts
from medsynth.scores import registry


def opening(runs: dict[str, Run]) -> list[dict[str, Any]]:
    """Collect what the report's first page says of every study.

    Parameters
    ----------
    runs : dict of Run
        By study; those whose summary is not written yet are left out.

    Returns
    -------
    list of dict
        title, paper, note, summary (path), simulated, and counts: (verdict, how often), empty where nothing is
        published. Texts are safe for reStructuredText.
    """
    finished = [run for run in runs.values() if Path(run.summary).is_file()]
    return [
        {
            **{key: escaped(text) for key, text in _texts(run).items()},
            "summary": run.summary,
            "simulated": run.source == "simulated",
            "counts": list(counts(_verdicts(run)).items()),
        }
        for run in finished
    ]


def _texts(run: Run) -> dict[str, str]:
    return {"title": run.study.title, "paper": run.study.paper or "", "note": run.note}


def _verdicts(run: Run) -> list[str]:
    """Verdicts of a run's tables; none of one that is being written just now."""
    found = []
    for table in registry.tables_of(run):
        path = Path(f"{run.folder}/tables/{table.name}.csv")
        if table.judges and path.is_file():
            with path.open(encoding="utf-8", newline="") as lines:
                found += [row["verdict"] for row in csv.DictReader(lines) if row.get("verdict")]
    return found


def escaped(text: str) -> str:
    """Escape what reStructuredText takes for markup."""
    return re.sub(r"([\\`*_|<>])", r"\\\1", text)
