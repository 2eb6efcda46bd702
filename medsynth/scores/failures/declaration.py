"""Jobs that failed, and what is left out for it."""

from __future__ import annotations

from medsynth.scores.registry import Facts, Family, Table


def _failures(facts: Facts):
    from medsynth.display.failures import failures_table

    numbers = failures_table(facts.failures)
    return numbers, numbers


FAMILY = Family(
    tables=(
        Table(
            "failures",
            section="0 Failed jobs",
            label="Failed jobs, left out",
            make=_failures,
            caption="Jobs that failed: what they would have given is left out of every other table and figure",
            wanted=lambda run: run.failures,
        ),
    ),
)
