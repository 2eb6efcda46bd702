"""Rows that break a rule of the codebook, which no patient could have."""

from __future__ import annotations

from medsynth.disclosure import WITHHELD
from medsynth.scores.captions import AT_ONE_COUNT
from medsynth.scores.registry import Compared, Facts, Family, Table


def _table(facts: Facts):
    from medsynth.scores.violations.table import display_violations, violations_table

    numbers = violations_table(facts.at_shown_epochs)
    return numbers, display_violations(numbers, facts.row_rules, facts.styles)


FAMILY = Family(
    tables=(
        Table(
            "violations",
            section="3 Fidelity",
            label="Impossible rows",
            make=_table,
            caption=f"Rows of 1,000 that break a rule of the codebook, {AT_ONE_COUNT}. The lower reference draws every "
            f"column alone. {WITHHELD.capitalize()}: would tell, by itself or by difference, of fewer than {{least}} "
            "real rows. The csv gives shares of rows",
            wanted=lambda run: run.row_rules,
            compared=Compared(("generator", "epochs"), ("any",), tolerance=0.03),
        ),
    ),
)
