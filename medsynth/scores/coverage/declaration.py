"""Over samples of the real rows: do intervals of the logistic model cover?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.inference.compute import REFITS
from medsynth.scores.registry import Compared, Facts, Family, Stage, Table

if TYPE_CHECKING:
    from medsynth.plan.runs import Run
    from medsynth.scores.registry import Tables, Work


def _table(facts: Facts) -> Tables:
    from medsynth.scores.coverage.table import coverage_table, display_coverage

    numbers = coverage_table(facts.scores)
    return numbers, display_coverage(numbers, facts.styles)


def _seconds(run: Run, work: Work, n_train: int) -> float:
    rows = min(run.scale.coverage_rows, n_train)
    refits = REFITS if run.study.inference and work.generator in run.study.inference.proper else 0
    models = len(run.learned_from(work.generator)) + refits
    return run.scale.coverage_samples * models * (work.fit(rows) + work.sample(rows))


COVERAGE = Stage(
    "coverage",
    needs="impute",
    generators=lambda run: run.covered,
    # One job draws all samples.
    seeds=lambda run: run.scale.seeds[:1],
    # No reference row is fitted to samples of the real rows.
    like=None,
    more_seconds=_seconds,
)

FAMILY = Family(
    stages=(COVERAGE,),
    tables=(
        Table(
            "coverage",
            section="2 Utility",
            label="Inference: coverage and type I error",
            make=_table,
            caption="How often intervals from synthetic tables hold the coefficients of the real rows, which are the "
            "population. "
            "The upper reference is the sample's own fit. Nominal are 0.95 and, for type I errors, 0.05. "
            "95 % intervals are exact and cover the samples.",
            wanted=lambda run: run.covered,
            compared=Compared(("generator", "epochs", "rule", "term"), ("covered",), tolerance=0.2),
        ),
    ),
)
