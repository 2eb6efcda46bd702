"""Write what the settings models say into workflow/schemas/*.json and config/README.md (`make schemas`)."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel

from medsynth.codebook import (
    Codebook,
    Column,
    Constraint,
    Joined,
    NotApplicable,
    Notation,
    RareCategories,
    RawFile,
    RawFormat,
    Restored,
    RowRule,
)
from medsynth.evaluation.targets import Outcome, Target
from medsynth.plan.loading import ROOT
from medsynth.plan.settings import (
    Benchmark,
    BenchmarkScale,
    Cleaning,
    Config,
    Export,
    GeneratorEntry,
    Scale,
    Study,
    StudyImputation,
    Variant,
)
from medsynth.scores.conditional.compute import Cohort
from medsynth.scores.fairness.compute import Subgroups
from medsynth.scores.inference.compute import Analysis
from medsynth.scores.published.publication import Item, Publication
from medsynth.scores.regression.compute import RegressionTarget
from medsynth.scores.survival.compute import TimeToEvent

SCHEMAS: dict[str, type[BaseModel]] = {
    "config": Config,
    "study": Study,
    "dataset": Codebook,
    "generator": GeneratorEntry,
    "benchmark": Benchmark,
}

SECTIONS: dict[str, list[tuple[str, type[BaseModel]]]] = {
    "`config.yaml`": [("", Config)],
    "`studies/*.yaml`": [
        ("", Study),
        ("cleaning", Cleaning),
        ("imputation", StudyImputation),
        ("targets", Target),
        ("targets: outcomes", Outcome),
        ("regression", RegressionTarget),
        ("survival", TimeToEvent),
        ("subgroups", Subgroups),
        ("cohorts", Cohort),
        ("inference", Analysis),
        ("published", Publication),
        ("published: items", Item),
        ("export", Export),
        ("scales", Scale),
    ],
    "`datasets/*.yaml` (codebooks)": [
        ("", Codebook),
        ("raw", RawFile),
        ("raw: joined", Joined),
        ("raw: format", RawFormat),
        ("rows", RowRule),
        ("columns", Column),
        ("columns: notation", Notation),
        ("columns: not_applicable", NotApplicable),
        ("columns: rare", RareCategories),
        ("restored", Restored),
        ("constraints", Constraint),
    ],
    "`generators/*.yaml`": [("", GeneratorEntry), ("variants", Variant)],
    "`benchmark.yaml`": [("", Benchmark), ("scales", BenchmarkScale)],
}

HEAD = """# Every key of the configuration

`make schemas` writes this page from the models that check the configuration: `medsynth/plan/settings.py`,
`medsynth/codebook/` and the modules that they import. JSON schemas for editors are in `workflow/schemas/`. An unknown
key is an error that names the nearest known one. In YAML, put `"yes"` and `"no"` in quotes. Without quotes they are
true and false.
"""


def write() -> dict[Path, str]:
    """Make the text of every generated file: path -> text."""
    files = {ROOT / f"workflow/schemas/{name}.schema.json": _schema(model) for name, model in SCHEMAS.items()}
    parts = [HEAD]
    for title, models in SECTIONS.items():
        parts.append(f"## {title}\n")
        for place, model in models:
            parts += [f"### {place}\n"] if place else []
            parts.append(_table(model))
    files[ROOT / "config/README.md"] = "\n".join(parts)
    return files


def _schema(model: type[BaseModel]) -> str:
    """JSON schema of a model."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _table(model: type[BaseModel]) -> str:
    """Tabulate a model's keys."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    for name, field in model.model_fields.items():
        default = "required" if field.is_required() else _plain(field.get_default(call_default_factory=True))
        lines.append(f"| `{field.alias or name}` | {default} | {(field.description or '').replace('<', '&lt;')} |")
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """Say a default in YAML's words."""
    if value is None or value in ("", [], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value)}`"
