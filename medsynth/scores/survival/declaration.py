"""Time to event: survival models on held-out real rows, survival times and Kaplan-Meier curves of groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER, beside
from medsynth.scores.registry import REFERENCES, Compared, Facts, Family, Figure, Shown, SummaryColumn, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables

SECTION = "2 Utility"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.survival.table import display_survival, survival_table

    numbers = survival_table(facts.at_shown_epochs)
    return numbers, display_survival(numbers, facts.styles)


def _times(facts: Facts) -> Tables:
    from medsynth.scores.survival.table import display_survival_times, survival_times_table

    numbers = survival_times_table(facts.at_shown_epochs)
    return numbers, display_survival_times(numbers, facts.styles)


def _curves(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.survival.figure import kaplan_meier_curves

    seeds = [seed["survival"][shown.target] for seed in facts.plot_data_of(shown.generator)]
    return kaplan_meier_curves(
        [seed["curves"] for seed in seeds],
        target=shown.target.replace("_", " "),
        unit=facts.codebook.column(seeds[0]["time"]).unit,
        title=facts.titled(shown.generator),
        colour=facts.styles[shown.generator]["colour"],
        note=facts.note,
    )


def _first(finished: Finished) -> dict[str, str]:
    """Rows of the summary's column: the first target, by Cox's model."""
    targets = finished.written("survival")["target"]
    return {"target": targets.iloc[0] if len(targets) else "", "model": "cox"}


FAMILY = Family(
    claims=("survival",),
    tables=(
        Table(
            "survival",
            section=SECTION,
            label="Time to event: train on synthetic, test on real",
            make=_table,
            caption="Uno's C and integrated Brier score of survival models on held-out real rows (TSTR). "
            "Real rows are the upper reference; independent marginals and Kaplan-Meier are lower ones. "
            f"{OVER_SEEDS}",
            wanted=lambda run: run.study.survival,
            compared=Compared(
                ("target", "model", "generator", "epochs"), ("uno_c", "integrated_brier_score"), tolerance=0.03
            ),
            summary=(
                SummaryColumn(
                    "Uno's C",
                    "Train on synthetic, test on real: how often Cox's model gives the higher risk to whom the event "
                    "comes first. 0.5 is guessing.",
                    cells=("uno_c", "uno_c_low", "uno_c_high"),
                    where=_first,
                    references=dict(zip(REFERENCES, ("real", "independent"), strict=True)),
                    place=4,
                ),
            ),
        ),
        Table(
            "survival_times",
            section=SECTION,
            label="Time to event: median and restricted mean",
            make=_times,
            caption=f"Median and restricted mean time without the event (–: not reached). {UPPER_AND_LOWER} "
            f"{OVER_SEEDS}",
            wanted=lambda run: run.study.survival,
            compared=Compared(
                ("target", "column", "group", "generator", "epochs"),
                ("restricted_mean_survival",),
                tolerance=0.1,
                relative=True,
            ),
        ),
    ),
    figures=(
        Figure(
            "kaplan_meier",
            section=SECTION,
            label="Kaplan-Meier curves",
            draw=_curves,
            caption=beside(__file__, "kaplan_meier"),
            of=lambda run: [(g, target.name) for target in run.study.survival for g in run.drawable],
        ),
    ),
)
