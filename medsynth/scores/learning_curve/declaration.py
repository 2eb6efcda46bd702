"""Scores against the number of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.plan.runs import Run
    from medsynth.scores.registry import Tables, Work

SECTION = "8 Learning curve"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.learning_curve.table import display_learning_curve, learning_curve_table

    numbers = learning_curve_table(facts.scores)
    return numbers, display_learning_curve(numbers, facts.styles)


def _curves(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.learning_curve.figure import learning_curves

    return learning_curves(facts.scores, facts.styles, target=facts.main_target, note=facts.note)


def _seconds(run: Run, work: Work, n_train: int) -> float:
    rows = [n_train if size == "all" else min(int(size), n_train) for size in run.study.learning_curve]
    return sum(work.fit(n) + work.sample(n) for n in rows)


LEARNING_CURVE = Stage(
    "learning_curve",
    needs="sample",
    generators=lambda run: run.on_learning_curve,
    references=("real",),
    like="real",
    more_seconds=_seconds,
)

FAMILY = Family(
    stages=(LEARNING_CURVE,),
    tables=(
        Table(
            "learning_curve",
            section=SECTION,
            label="Scores by number of training rows",
            make=_table,
            caption="Scores of generators that learned from fewer training rows (TSTR: XGBoost, the main target). "
            "Real rows are the training rows themselves, judged as if they were synthetic. Membership AUC is of one "
            "attack, and DCR share of as many training rows as held-out ones. "
            f"{OVER_SEEDS}",
            wanted=lambda run: run.on_learning_curve,
            compared=Compared(
                ("generator", "n_rows"),
                ("quality", "c2st_auc", "accuracy", "roc_auc", "membership_auc", "dcr_share"),
                tolerance=0.03,
            ),
        ),
    ),
    figures=(
        Figure(
            "learning_curve",
            section=SECTION,
            label="Scores against the number of training rows",
            draw=_curves,
            caption=beside(__file__, "learning_curve"),
            of=lambda run: [("", "")] if run.on_learning_curve else [],
            kept="learning_curve.png",
            summary="Scores of generators that learned from fewer rows. Bars are 95 % intervals.",
        ),
    ),
)
