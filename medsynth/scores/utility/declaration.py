"""Train on synthetic, test on real: classifiers' scores on held-out real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.evaluation.references import BOUNDS
from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.registry import REFERENCES as SHOWN_REFERENCES
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, SummaryColumn, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.scores.registry import Tables

SECTION = "2 Utility"


def _table(facts: Facts) -> Tables:
    from medsynth.display.aggregation import at_epochs
    from medsynth.scores.utility.table import display_utility, utility_table

    numbers = utility_table(facts.scores)
    return numbers, display_utility(at_epochs(numbers, facts.shown_epochs), facts.styles)


def _accuracy(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.utility.figure import accuracy_by_epochs

    return accuracy_by_epochs(facts.scores, facts.styles, target=shown.target, note=facts.note)


# Every synthetic table, and every reference row, for this family and those that need no job of their own.
TABLE = Stage(
    "table",
    needs="sample",
    generators=lambda run: list(run.generators),
    references=BOUNDS,
    every_epoch=True,
    # Forests are explained at the epoch count that is shown, and so are those of `independent`, but not of `holdout`.
    like="independent",
    unexplained="holdout",
)

FAMILY = Family(
    stages=(TABLE,),
    claims=("utility", "utility_protocol"),
    tables=(
        Table(
            "utility",
            section=SECTION,
            label="Table 1: train on synthetic, test on real",
            make=_table,
            caption="Train on synthetic, test on real (TSTR): scores on held-out rows at one epoch count. "
            "Real rows are the upper reference. Independent marginals and the majority class are lower ones. "
            f"{OVER_SEEDS}",
            compared=Compared(
                ("generator", "epochs", "comparison", "target", "classifier", "metric"), ("mean",), tolerance=0.03
            ),
            summary=(
                SummaryColumn(
                    "TSTR AUC",
                    "Train on synthetic, test on real: ROC AUC of XGBoost for the study's main target. Synthetic "
                    "tables have as many rows as the training rows. The upper reference is trained on the real rows.",
                    cells=("mean", "ci_low", "ci_high"),
                    where=lambda finished: {
                        "comparison": "equal_information",
                        "target": finished.main_target,
                        "classifier": "xgboost",
                        "metric": "roc_auc",
                    },
                    # Real rows of the test set train no classifier that is tested on them.
                    references=dict(zip(SHOWN_REFERENCES, ("real", "independent"), strict=True)),
                    place=3,
                ),
            ),
        ),
    ),
    figures=(
        Figure(
            "accuracy",
            section=SECTION,
            label="Figure 2: accuracy against epochs",
            draw=_accuracy,
            caption=beside(__file__, "accuracy"),
            of=lambda run: [("", target.name) for target in run.study.targets],
            kept="accuracy_*.png",
            summary="Accuracy of XGBoost trained on synthetic rows and tested on held-out real rows. The solid line is "
            "training on real rows, the dashed one the majority class. Bars are 95 % intervals.",
        ),
    ),
)
