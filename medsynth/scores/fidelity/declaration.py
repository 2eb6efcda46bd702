"""How closely a synthetic table resembles held-out real rows: SDMetrics' scores, moments, distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS, UPPER_AND_LOWER, beside
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, SummaryColumn, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables

SECTION = "3 Fidelity"


def _quality(facts: Facts) -> Tables:
    from medsynth.scores.fidelity.table import display_quality, quality_table

    numbers = quality_table(facts.scores)
    return numbers, display_quality(numbers, facts.styles)


def _moments(facts: Facts) -> Tables:
    from medsynth.display.aggregation import at_epochs
    from medsynth.scores.fidelity.table import display_moments, moments_table

    numbers = moments_table(facts.scores)
    return numbers, display_moments(at_epochs(numbers, facts.shown_epochs), facts.styles)


def _columns(facts: Facts) -> Tables:
    from medsynth.scores.fidelity.columns import columns_table, display_columns

    numbers = columns_table(facts.at_shown_epochs)
    return numbers, display_columns(numbers, facts.columns, facts.styles)


def _spread(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.fidelity.spread import spread_and_quality

    return spread_and_quality(facts.scores, facts.styles, note=facts.note)


def _of_generator(facts: Facts, shown: Shown) -> dict[str, str]:
    """Arguments of figures of one generator."""
    return {"title": facts.titled(shown.generator), "note": facts.note}


def _colour(facts: Facts, shown: Shown) -> str:
    return facts.styles[shown.generator]["colour"]


def _distributions(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.fidelity.distributions import distributions

    plot_data = facts.plot_data_of(shown.generator)
    return distributions(plot_data, facts.codebook, colour=_colour(facts, shown), **_of_generator(facts, shown))


def _associations(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.fidelity.associations import associations

    return associations(facts.plot_data_of(shown.generator), **_of_generator(facts, shown))


def _pairs(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.fidelity.pairs import pairs

    plot_data = facts.plot_data_of(shown.generator)
    return pairs(plot_data, facts.codebook, colour=_colour(facts, shown), **_of_generator(facts, shown))


def _doubts(finished: Finished) -> list[str]:
    """Generators whose quality is no better than that of independent marginals."""
    numbers = finished.written("quality")
    shown = finished.facts["epochs"]
    quality = {
        row["generator"]: float(row["overall"])
        for row in numbers.to_dict("records")
        if row["overall"] and row["epochs"] == str(shown.get(row["generator"], row["epochs"]))
    }
    floor = quality.get("independent")
    below = [name for name in finished.styles if floor is not None and quality.get(name, 1) <= floor]
    if not below:
        return []
    return [
        f"The quality of {finished.titles(below)} is not above {floor:.3f}, which independent marginals reach. "
        "Independent marginals have no relation between columns."
    ]


FAMILY = Family(
    claims=("fidelity",),
    says={"distrust": _doubts},
    tables=(
        Table(
            "quality",
            section=SECTION,
            label="Table 2: quality and detection",
            make=_quality,
            caption="Quality (SDMetrics) of synthetic against held-out real rows, and the AUC of two detectors (C2ST). "
            f"{UPPER_AND_LOWER} {OVER_SEEDS}",
            compared=Compared(
                ("generator", "epochs"), ("overall", "column_shapes", "pair_trends", "c2st_auc"), tolerance=0.02
            ),
            summary=(
                SummaryColumn(
                    "Quality",
                    "SDMetrics' overall score: column shapes and pair trends. Higher is closer to real rows. "
                    "Independent marginals score high as well.",
                    cells=("overall", "overall_low", "overall_high"),
                    place=1,
                ),
                SummaryColumn(
                    "C2ST AUC",
                    "How well a classifier tells synthetic from held-out real rows. 0.5: it cannot. 1: it always can.",
                    cells=("c2st_auc", "c2st_auc_low", "c2st_auc_high"),
                    place=2,
                ),
            ),
        ),
        Table(
            "moments",
            section=SECTION,
            label="Table 3: moments",
            make=_moments,
            caption="Moments of the numeric columns, averaged over columns, at one epoch count a generator. "
            f"{UPPER_AND_LOWER} {OVER_SEEDS}",
            compared=Compared(("generator", "epochs", "moment"), ("mean",), tolerance=0.1, relative=True),
        ),
        Table(
            "columns",
            section=SECTION,
            label="Scores of each column",
            make=_columns,
            caption="SDMetrics' shape and validity of each column, at one epoch count a generator. "
            f"{UPPER_AND_LOWER} Values are means over seeds.",
            compared=Compared(("column", "generator", "epochs"), ("column_shape", "column_validity"), tolerance=0.03),
        ),
    ),
    figures=(
        Figure(
            "spread",
            section=SECTION,
            label="Standard deviation against quality",
            draw=_spread,
            caption=beside(__file__, "spread"),
        ),
        Figure(
            "distributions",
            section=SECTION,
            label="Figure 3: distributions",
            draw=_distributions,
            caption=beside(__file__, "distributions"),
            of=lambda run: [(g, "") for g in run.drawable],
            kept="distributions_med_vae_plus.png",
        ),
        Figure(
            "associations",
            section=SECTION,
            label="Associations",
            draw=_associations,
            caption=beside(__file__, "associations"),
            of=lambda run: [(g, "") for g in run.drawable],
        ),
        Figure(
            "pairs",
            section=SECTION,
            label="Figure 4: pairs of numeric columns",
            draw=_pairs,
            caption=beside(__file__, "pairs"),
            of=lambda run: [(g, "") for g in run.drawable if run.in_pairs],
            kept="pairs_med_vae_plus.png",
        ),
    ),
)
