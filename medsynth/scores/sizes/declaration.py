"""Scores against the number of training rows."""

from __future__ import annotations

from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, Table

SECTION = "8 Sizes"


def _table(facts: Facts):
    from medsynth.scores.sizes.table import display_sizes, sizes_table

    numbers = sizes_table(facts.scores)
    return numbers, display_sizes(numbers, facts.styles)


def _curves(facts: Facts, shown: Shown):
    from medsynth.scores.sizes.figure import curves_by_size

    return curves_by_size(facts.scores, facts.styles, target=facts.main_target, note=facts.note)


def _seconds(run, work, n_train: int) -> float:
    rows = [n_train if size == "all" else min(int(size), n_train) for size in run.study.sizes]
    return sum(work.fit(n) + work.draw(n) for n in rows)


SIZES = Stage(
    "sizes",
    needs="sample",
    generators=lambda run: run.sized,
    references=("real",),
    like="real",
    more_seconds=_seconds,
)

FAMILY = Family(
    stages=(SIZES,),
    tables=(
        Table(
            "sizes",
            section=SECTION,
            label="Scores by number of training rows",
            make=_table,
            caption="Number of training rows: every generator fitted on random training rows, and the real rows "
            f"themselves; TSTR with XGBoost for the main target; {OVER_SEEDS}",
            wanted=lambda run: run.sized,
            compared=Compared(("generator", "n_rows"), ("quality", "c2st_auc", "accuracy", "roc_auc"), tolerance=0.03),
        ),
    ),
    figures=(
        Figure(
            "sizes",
            section=SECTION,
            label="Scores against the number of training rows",
            draw=_curves,
            caption=beside(__file__, "sizes"),
            of=lambda run: [("", "")] if run.sized else [],
            kept="sizes.png",
            summary="Scores of generators that learned from fewer rows. Bars are 95 % intervals.",
        ),
    ),
)
