"""Do detectors tell synthetic from held-out real rows? Classifier two-sample tests (C2ST)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.scores.registry import Tables

SECTION = "3 Fidelity"
LABEL = "Detection by number of rows"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.detection.table import detection_table, display_detection

    numbers = detection_table(facts.scores)
    return numbers, display_detection(numbers, facts.styles)


def _detection(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.detection.figure import detection_by_rows

    return detection_by_rows(facts.scores, facts.styles, note=facts.note)


FAMILY = Family(
    claims=("detection",),
    tables=(
        Table(
            "detection",
            section=SECTION,
            label=LABEL,
            make=_table,
            caption="C2ST AUC of XGBoost against the number of rows a side. "
            f"The upper reference is real rows against real rows. {OVER_SEEDS}",
            compared=Compared(("generator", "epochs", "rows"), ("c2st_auc",), tolerance=0.03),
        ),
    ),
    figures=(
        Figure(
            "detection",
            section=SECTION,
            label=LABEL,
            draw=_detection,
            caption=beside(__file__, "detection"),
            kept="detection.png",
        ),
    ),
)
