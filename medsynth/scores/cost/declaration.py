"""What data, training, sampling and scoring took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.registry import Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.scores.registry import Tables


def _runtime(facts: Facts) -> Tables:
    from medsynth.scores.cost.table import runtime_table

    numbers = runtime_table(facts.file("benchmarks"))
    return numbers, numbers


FAMILY = Family(
    claims=("cost",),
    tables=(
        Table(
            "runtime",
            section="7 Cost",
            label="Time and memory of every step",
            make=_runtime,
            caption="Wall-clock seconds of every step, and peak memory of its largest job.",
        ),
    ),
)
