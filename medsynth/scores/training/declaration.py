"""What training says of itself: losses by epoch, and the networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from medsynth.scores.captions import beside
from medsynth.scores.registry import Facts, Family, Figure, Shown, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.plan.runs import Run
    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables

SECTION = "6 Training"


def _losses(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.training.figure import loss_curves

    histories = [card["history"] for card in facts.cards_of(shown.generator)]
    return loss_curves(histories, **facts.styles[shown.generator], note=facts.note)


def _architecture(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.training.figure import architecture

    drawn = facts.cards_of(shown.generator)[0]["architecture"]
    return architecture(drawn, title=facts.styles[shown.generator]["title"], note=facts.note)


def _table(facts: Facts) -> Tables:
    from medsynth.scores.training.table import display_training, training_table

    numbers = training_table(facts.histories)
    return numbers, display_training(numbers, facts.styles)


def _with(trait: str) -> Callable[[Run], list[tuple[str, str]]]:
    return lambda run: [(g, "") for g in run.with_trait(trait) if run.trained_seeds(g)]


def _doubts(finished: Finished) -> list[str]:
    from medsynth.scores.training.table import unsettled

    table = finished.table("training")
    moving = set() if table is None else unsettled(table)
    if not moving:
        return []
    styles = finished.facts["styles"]
    titled = [f"{styles[name]['title']} at {epochs} epochs" for name, epochs in sorted(moving) if epochs]
    return [f"Training ended before the loss settled: {', '.join(titled)}."] if titled else []


FAMILY = Family(
    says={"distrust": _doubts},
    tables=(
        Table(
            "training",
            section=SECTION,
            label="Whether losses settled",
            make=_table,
            caption="Losses of training runs, means over seeds. A loss has settled if it changes by at most 0.02 of "
            "its whole way between the last two fifths of the epochs. Tables mark others with a star.",
            wanted=lambda run: run.with_trait("has_losses"),
        ),
    ),
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
