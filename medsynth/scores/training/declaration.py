"""What training says of itself: losses by epoch, and the networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from medsynth.scores.captions import beside
from medsynth.scores.registry import Facts, Family, Figure, Shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.plan.runs import Run

SECTION = "6 Training"


def _losses(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.training.figure import loss_curves

    histories = [card["history"] for card in facts.cards_of(shown.generator)]
    return loss_curves(histories, **facts.styles[shown.generator], note=facts.note)


def _architecture(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.training.figure import architecture

    drawn = facts.cards_of(shown.generator)[0]["architecture"]
    return architecture(drawn, title=facts.styles[shown.generator]["title"], note=facts.note)


def _with(trait: str) -> Callable[[Run], list[tuple[str, str]]]:
    return lambda run: [(g, "") for g in run.with_trait(trait) if run.trained_seeds(g)]


FAMILY = Family(
    figures=(
        Figure(
            "losses",
            section=SECTION,
            label="Losses by epoch",
            draw=_losses,
            caption=beside(__file__, "losses"),
            of=_with("has_losses"),
        ),
        Figure(
            "architecture",
            section=SECTION,
            label="Figures 6 and 7: architecture",
            draw=_architecture,
            caption=beside(__file__, "architecture"),
            of=_with("has_architecture"),
        ),
    ),
)
