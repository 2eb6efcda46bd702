"""Subgroups: as frequent, and predicted as well, as in real rows?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import AT_ONE_COUNT
from medsynth.scores.fairness.compute import LEAST_TESTED
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
            caption="Fairness: groups of patients, how frequent they are in synthetic against held-out real rows (log "
            "disparity: logarithm of the ratio of the odds, 0 is equal), and how well XGBoost, trained on synthetic "
            f"rows, predicts the main target in the group's held-out real rows ({LEAST_TESTED} or more; calibration: "
            f"mean predicted minus observed), {AT_ONE_COUNT}. Groups of fewer than {{least}} real rows are left out, "
            "and the next smallest where the others would show how many they are; so are scores of groups in which "
            "fewer have the outcome, or do not",
            wanted=lambda run: run.study.subgroups,
            compared=Compared(
                ("column", "group", "generator", "epochs"), ("log_disparity", "roc_auc", "brier_score"), tolerance=0.1
            ),
        ),
    ),
)
