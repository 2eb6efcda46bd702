"""Would an analyst of synthetic tables conclude what one of the real rows does? Coefficients of a logistic model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import beside
from medsynth.scores.inference.compute import DRAWS, REFITS
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.plan.runs import Run
    from medsynth.scores.registry import Tables, Work

SECTION = "2 Utility"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.inference.table import display_inference, inference_table

    numbers = inference_table(facts.scores)
    return numbers, display_inference(numbers, facts.styles)


def _forest(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.inference.figure import forest

    return forest(facts.scores, facts.styles, outcome=facts.outcome, note=facts.note)


def _seconds(run: Run, work: Work, n_train: int) -> float:
    learned_from = run.learned_from(work.generator)
    draws = DRAWS if len(set(learned_from)) > 1 else 1
    refits = REFITS if run.study.inference and work.generator in run.study.inference.proper else 0
    return refits * work.fit(n_train) + (len(learned_from) * draws + refits) * work.sample(n_train)


INFERENCE = Stage(
    "inference",
    needs="train",
    generators=lambda run: run.inferred,
    references=("real", "independent"),
    # One job combines what the models of all seeds give.
    seeds=lambda run: run.scale.seeds[:1],
    more_seconds=_seconds,
)

FAMILY = Family(
    stages=(INFERENCE,),
    tables=(
        Table(
            "inference",
            section=SECTION,
            label="Inference: coefficients of a logistic model",
            make=_table,
            caption="Coefficients of a logistic model that is fitted to synthetic tables, one table a trained model. "
            "The reference is the fit to the real training rows. "
            "The column 'Interval: covers' names the rule of each 95 % interval and what it covers.",
            wanted=lambda run: run.inferred,
            compared=Compared(("generator", "epochs", "rule", "term"), ("estimate",), tolerance=0.2),
        ),
    ),
    figures=(
        Figure(
            "inference",
            section=SECTION,
            label="Inference: forest plot",
            draw=_forest,
            caption=beside(__file__, "inference"),
            of=lambda run: [("", "")] if run.inferred else [],
        ),
    ),
)
