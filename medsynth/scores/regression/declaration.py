"""Train on synthetic, test on real where a number is predicted: R2, RMSE and MAE on held-out real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS
from medsynth.scores.registry import Compared, Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.scores.registry import Tables


def _table(facts: Facts) -> Tables:
    from medsynth.scores.regression.table import display_regression, regression_table

    numbers = regression_table(facts.at_shown_epochs)
    return numbers, display_regression(numbers, facts.styles)


FAMILY = Family(
    claims=("regression",),
    tables=(
        Table(
            "regression",
            section="2 Utility",
            label="Regression: train on synthetic, test on real",
            make=_table,
            caption="R², RMSE and MAE, on held-out real rows, of models that learned from synthetic rows (TSTR). "
            "Real rows are the upper reference; independent marginals and the mean are lower ones. "
            f"{OVER_SEEDS}",
            wanted=lambda run: run.study.regression,
            compared=Compared(("target", "model", "generator", "epochs"), ("r2",), tolerance=0.05),
        ),
    ),
)
