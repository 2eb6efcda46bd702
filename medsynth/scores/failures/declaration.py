"""Jobs that failed, and what is left out for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.registry import Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables


def _failures(facts: Facts) -> Tables:
    from medsynth.display.failures import failures_table

    numbers = failures_table(facts.failures)
    return numbers, numbers


def _doubts(finished: Finished) -> list[str]:
    """Generators of which something is lacking."""
    failed = finished.table("failures")
    if failed is None or failed.empty:
        return []
    names = list(dict.fromkeys(failed["generator"]))
    return [f"Jobs of {finished.titles(names)} failed. Their scores are left out; see tables/failures."]


FAMILY = Family(
    says={"distrust": _doubts},
    tables=(
        Table(
            "failures",
            section="0 What failed",
            label="Failed jobs, left out",
            make=_failures,
            caption="Jobs that failed. All other tables and figures lack what they would have given.",
            wanted=lambda run: run.failures,
        ),
    ),
)
