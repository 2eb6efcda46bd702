"""Subgroups: as frequent, and predicted as well, as in real rows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER
from medsynth.scores.registry import Compared, Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.scores.registry import Tables


def _table(facts: Facts) -> Tables:
    from medsynth.scores.fairness.table import display_fairness, fairness_table

    numbers = fairness_table(facts.at_shown_epochs)
    return numbers, display_fairness(numbers, facts.styles)


FAMILY = Family(
    tables=(
        Table(
            "fairness",
            section="2 Utility",
            label="Fairness: subgroups",
            make=_table,
            caption="How frequent groups of patients are, and how well XGBoost predicts the main target in each "
            f"(TSTR). {UPPER_AND_LOWER} {OVER_SEEDS} Groups and scores of fewer than {{least}} real rows are left out.",
            wanted=lambda run: run.study.subgroups,
            compared=Compared(
                ("column", "group", "generator", "epochs"), ("log_disparity", "roc_auc", "brier_score"), tolerance=0.1
            ),
        ),
    ),
)
