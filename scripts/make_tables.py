"""Write the tables of a run: numbers as csv, for reading as Markdown, LaTeX and HTML."""

from _job import log, read_scores, run

from importlib import metadata
from pathlib import Path

from medsynth.reporting.catalogue import TABLES, Facts
from medsynth.reporting.export import write_table

PACKAGES = [
    "snakemake",
    "sdv",
    "sdmetrics",
    "ctgan",
    "torch",
    "scikit-learn",
    "miceforest",
    "pandas",
    "numpy",
]


def main(job):
    """Write every table that the study asks for."""
    params, files = job.params, dict(job.input.items())
    overview = params.overview | {"Versions": ", ".join(versions())}
    facts = Facts(scores=read_scores(job), files=files, **params.facts, styles=params.styles, overview=overview)
    for path in (Path(path) for path in job.output if path.endswith(".html")):
        table = TABLES[path.stem]
        numbers, display = table.make(facts)
        write_table(numbers, display, path.with_suffix(""), caption=facts.caption(table), note=params.note)
        log.info("%s: %d rows", path.stem, len(display))


def versions():
    """Name and version of what results rest on, whichever of its distributions XGBoost is."""
    xgboost = sorted(set(metadata.packages_distributions()["xgboost"]))[0]
    return [f"{name} {metadata.version(name)}" for name in (*PACKAGES, xgboost)]


run(snakemake, main)
