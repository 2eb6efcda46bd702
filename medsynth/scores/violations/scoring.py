"""Rows of a table that violate a constraint; a rate needs nothing to be compared with, so every row counts."""

from __future__ import annotations

from collections.abc import Iterator

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.scores.violations.compute import violations


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family."""
    if not judged.has_table:
        return
    least = judged.least if judged.of_patients else None
    found = violations(judged.pair.table, judged.codebook, judged.persons_of_table, least=least)
    yield from (("fidelity", score) for score in found)
