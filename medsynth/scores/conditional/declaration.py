"""Cohorts: what a generator gives when it is asked for patients of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.disclosure import WITHHELD
from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.scores.registry import Tables

SECTION = "4 Conditions"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.conditional.table import conditional_table, display_conditional

    numbers = conditional_table(facts.scores)
    titles = {cohort["name"]: cohort.get("title") or cohort["name"] for cohort in facts.cohorts}
    return numbers, display_conditional(numbers, titles, facts.styles)


def _conditions(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.conditional.compute import Cohort
    from medsynth.scores.conditional.figure import success_matrices

    cohorts = [Cohort(**cohort) for cohort in facts.cohorts]
    title = facts.styles[shown.generator]["title"]
    return success_matrices(facts.scores, cohorts, generator=shown.generator, title=title, note=facts.note)


COHORTS = Stage(
    "cohorts",
    needs="train",
    generators=lambda run: run.conditional,
    references=("real", "independent"),
    more_seconds=lambda run, work, n_train: work.sample(run.scale.cohort_sample_rows * len(run.study.cohorts)),
)

FAMILY = Family(
    stages=(COHORTS,),
    claims=("conditional",),
    tables=(
        Table(
            "conditional",
            section=SECTION,
            label="Cohorts sampled under conditions",
            make=_table,
            caption="Rows sampled for a cohort: the share that meets all conditions, and how those rows compare with "
            "real ones. "
            f"{UPPER_AND_LOWER} {OVER_SEEDS} "
            f"{WITHHELD.capitalize()} cells would reveal fewer than {{least}} real rows.",
            wanted=lambda run: run.conditional,
            compared=Compared(("condition", "generator", "epochs"), ("success",), tolerance=0.03),
        ),
    ),
    figures=(
        Figure(
            "conditions",
            section=SECTION,
            label="Figures 8 and 9: success matrices",
            draw=_conditions,
            caption=beside(__file__, "conditions"),
            of=lambda run: [(g, "") for g in run.conditional if run.shown_seeds("cohorts", g)],
        ),
    ),
)
