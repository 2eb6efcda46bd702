"""Alpha-precision, beta-recall, authenticity and three-way marginals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER
from medsynth.scores.registry import Compared, Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.scores.registry import Tables


def _table(facts: Facts) -> Tables:
    from medsynth.scores.precision_recall.table import display_precision_recall, precision_recall_table

    numbers = precision_recall_table(facts.scores)
    return numbers, display_precision_recall(numbers, facts.styles)


FAMILY = Family(
    tables=(
        Table(
            "precision_recall",
            section="3 Fidelity",
            label="Alpha-precision, beta-recall, three-way marginals",
            make=_table,
            caption="Alpha-precision, beta-recall, authenticity and three-way marginals, "
            "as docs/metrics.md explains them. "
            f"{UPPER_AND_LOWER} {OVER_SEEDS}",
            compared=Compared(
                ("generator", "epochs"), ("alpha_precision", "beta_recall", "three_way_marginals"), tolerance=0.03
            ),
        ),
    ),
)
