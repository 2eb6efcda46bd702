"""Rows that violate a constraint of the codebook, as no patient's could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.disclosure import WITHHELD
from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER
from medsynth.scores.registry import Compared, Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.scores.registry import Tables


def _table(facts: Facts) -> Tables:
    from medsynth.scores.violations.table import display_violations, violations_table

    numbers = violations_table(facts.at_shown_epochs)
    return numbers, display_violations(numbers, facts.constraints, facts.styles)


FAMILY = Family(
    tables=(
        Table(
            "violations",
            section="3 Fidelity",
            label="Constraint violations",
            make=_table,
            caption="Rows of 1,000 that violate a constraint of the codebook, at one epoch count a generator. "
            f"{UPPER_AND_LOWER} {OVER_SEEDS} "
            f"{WITHHELD.capitalize()} cells would reveal fewer than {{least}} real rows.",
            wanted=lambda run: run.constraints,
            compared=Compared(("generator", "epochs"), ("any",), tolerance=0.03),
        ),
    ),
)
