"""What random forests look at (SHAP), trained on synthetic and on real rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.scores.registry import Tables

SECTION = "2 Utility"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.importance.table import display_importance, importance_table

    numbers = importance_table(facts.scores)
    return numbers, display_importance(numbers, facts.styles)


def _importances(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.importance.figure import importances

    looked_at = {name: facts.plot_data_of(name)[0]["importance"][shown.target] for name in ("real", shown.generator)}
    return importances(
        facts.scores,
        looked_at,
        target=shown.target,
        generator=shown.generator,
        title=facts.titled(shown.generator),
        colour=facts.styles[shown.generator]["colour"],
        note=facts.note,
    )


FAMILY = Family(
    claims=("importance",),
    tables=(
        Table(
            "importance",
            section=SECTION,
            label="Importance: agreement with real-trained forests",
            make=_table,
            caption="How far forests trained on synthetic and on real rows agree on which predictors matter (SHAP). "
            f"{UPPER_AND_LOWER} {OVER_SEEDS}",
            wanted=lambda run: run.importance,
            compared=Compared(("target", "generator", "epochs"), ("rank_correlation", "top5_overlap"), tolerance=0.1),
        ),
    ),
    figures=(
        Figure(
            "importances",
            section=SECTION,
            label="SHAP: what forests look at",
            draw=_importances,
            caption=beside(__file__, "importances"),
            of=lambda run: [(g, target.name) for target in run.explained for g in run.drawable],
            kept="importances_ctgan_death.png",
        ),
    ),
)
