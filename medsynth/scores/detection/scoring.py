"""Whether detectors tell a table from real rows, and real rows from real rows."""

from __future__ import annotations

from collections.abc import Iterator

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.scores.detection.compute import CURVE_ROWS, c2st, c2st_null


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family; the null is that of the study, with the upper reference's."""
    if not judged.has_table:
        return
    compared = judged.compared
    found = c2st(
        compared.judged, compared.against, judged.encoder, seed=judged.seed, persons=compared.against_persons,
        synthetic_persons=compared.judged_persons, curve=CURVE_ROWS,
    )  # fmt: skip
    yield from (("detection", score) for score in found)
    if judged.name == "holdout":
        rows = len(compared.judged)
        null = c2st_null(judged.test, judged.persons, judged.encoder, rows=rows, seed=judged.seed)
        yield from (("detection", score) for score in null)
