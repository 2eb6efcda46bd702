"""Attacks: what a released table reveals of the persons that its generator learned from."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.privacy.parts import CONTROLS, PLANTED
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, SummaryColumn, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

    from medsynth.plan.runs import Run
    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables

SECTION = "5 Privacy"


def _table(facts: Facts) -> Tables:
    from medsynth.scores.privacy.table import display_privacy, largest_delta, privacy_table, with_guarantees

    found = privacy_table(facts.at_shown_epochs)
    numbers = with_guarantees(found, facts.guarantees, largest_delta(facts.file("preparation")))
    return numbers, display_privacy(numbers, facts.styles)


def _trade(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.privacy.figure import privacy_trade

    return privacy_trade(facts.scores, facts.styles, note=facts.note)


def _sweep(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.privacy.figure import privacy_sweep

    assert facts.sweep is not None, "a study without a sweep has no such figure"
    return privacy_sweep(facts.scores, facts.swept, sweep=facts.sweep, note=facts.note)


def _curve(facts: Facts, shown: Shown) -> Drawing:
    from medsynth.scores.privacy.curve import privacy_curve
    from medsynth.scores.privacy.table import largest_delta

    return privacy_curve(
        facts.scores,
        facts.budgets,
        facts.styles,
        target=facts.main_target,
        guarantees=facts.guarantees,
        delta=largest_delta(facts.file("preparation")),
        note=facts.note,
    )


# Of the summary page: rows below the generators.
CONTROL_ROWS = {
    "Positive control: all members copied": "train_copy",
    "Negative control: holdout": "holdout",
    "Lower reference: independent marginals": "independent",
}


def _column(source: str, reading: str, **more: Any) -> SummaryColumn:
    """A column of the summary page that shows what a column of the table for reading does."""

    def where(finished: Finished) -> dict[str, str]:
        from medsynth.scores.privacy.table import GUARANTEE_COLUMNS, KEYS, MEMBERSHIP_COLUMNS, OTHER_COLUMNS

        columns = MEMBERSHIP_COLUMNS | GUARANTEE_COLUMNS | OTHER_COLUMNS
        return dict(zip(KEYS[2:], columns[source], strict=True))

    usual = {"title": source, "cells": ("mean", "ci_low", "ci_high"), "references": CONTROL_ROWS, "part": "privacy"}
    return SummaryColumn(reading=reading, where=where, **(usual | more))


SUMMARY = (
    _column(
        "Membership AUC",
        "The best attack's AUC, minus that of real rows that no generator saw. 0: members cannot be told from others.",
        title="Membership AUC over holdout",
        cells=("over_holdout", "over_holdout_low", "over_holdout_high"),
        references={"Lower reference: independent marginals": "independent"},
        part="headline",
        place=4,
    ),
    _column(
        "Equal to a member",
        "Share of synthetic rows that equal a training row. The upper reference: how often real patients are alike.",
        title="Copies of training rows",
        references={"Upper reference: real data": "holdout", "Lower reference: independent marginals": "independent"},
        part="headline",
        place=5,
    ),
    _column("Membership AUC", "How well the best attack tells members from others. 0.5: it cannot.", place=1),
    _column("TPR at 1 % FPR", "Share of members found when 1 % of the others are taken for members.", place=2),
    _column(
        "Its guarantee allows at 1 % FPR",
        "The most members that any attack finds under the generator's epsilon.",
        place=3,
    ),
    _column(
        "Attribute-inference advantage",
        "How much more often a member's sensitive column is guessed than another person's. 0: no more often.",
        place=4,
    ),
    _column(
        "DCR share",
        "Share of synthetic rows closer to training than to holdout rows. 0.5: nothing is copied.",
        place=5,
    ),
)


def _says(finished: Finished) -> list[str]:
    """Guarantees, and how small a leak the attack notices."""
    rows = finished.table("privacy")
    if rows is None:
        return []
    held = {name: epsilon for name, epsilon in finished.facts["guarantees"].items() if epsilon is not None}
    found = [
        "Attacks give no guarantee: a better attack may find more. "
        + (
            f"Differential privacy does. It is given by {finished.titles(held)}, for one training row."
            if held
            else "Only differential privacy does, and no generator here has it for all its training rows."
        )
    ]
    column = next(one for one in SUMMARY if one.part == "privacy")
    for name, value in column.where(finished).items():
        rows = rows[rows[name] == value]
    leaks = {text for text in rows["smallest_leak"] if text}
    if rows["generator"].isin(PLANTED).any():
        least = min(map(float, leaks), default=math.inf)
        if least < 100:
            found.append(f"The attack notices a leak when copies of {least:g} % of the members are released.")
        else:
            found.append(
                "The attack notices a leak only when all members are copied: it would miss a smaller one."
                if leaks
                else "The attack would miss even a table that copies all members: it says little here."
            )
    return found


def _doubts(finished: Finished) -> list[str]:
    """Attacks on one model a generator."""
    if finished.table("privacy") is None:
        return ["No attack was run. Nothing here says that the tables are safe to share."]
    if finished.study["attacked_seeds"] == 1:
        return ["Attacks ran with one seed. Their intervals do not cover another training run."]
    return []


def _figure(
    kind: str, label: str, draw: Callable[[Facts, Shown], Drawing], wanted: Callable[[Run], Any], summary: str
) -> Figure:
    return Figure(
        kind,
        section=SECTION,
        label=label,
        draw=draw,
        caption=beside(__file__, kind),
        of=lambda run: [("", "")] if wanted(run) else [],
        kept=f"{kind}.png",
        summary=summary,
        part="privacy",
    )


ATTACKS = Stage(
    "attacks",
    needs="impute",
    generators=lambda run: run.attacked,
    references=tuple(CONTROLS),
    seeds=lambda run: run.scale.seeds[: run.scale.attacked_seeds],
    more_seconds=lambda run, work, n_train: work.fit(n_train // 2) + work.sample(n_train // 2),
)

FAMILY = Family(
    stages=(ATTACKS,),
    claims=("privacy",),
    says={"privacy": _says, "distrust": _doubts},
    tables=(
        Table(
            "privacy",
            section=SECTION,
            label="Attacks",
            make=_table,
            caption="What attacks find of a generator's training rows, the members (columns: docs/privacy.md). "
            "Copied members must be found (positive control), held-out patients must not (negative control). "
            f"{OVER_SEEDS.replace('test persons', 'attacked persons')}",
            wanted=lambda run: run.attacked,
            compared=Compared(
                ("generator", "epochs", "metric", "attack", "group", "column"), ("mean",), tolerance=0.03
            ),
            summary=SUMMARY,
        ),
    ),
    figures=(
        _figure(
            "privacy_trade",
            "Fidelity against privacy",
            _trade,
            lambda run: run.attacked,
            summary="Best is the bottom left: neither members nor synthetic rows can be told apart. Copies of training "
            "rows are at the bottom right. Bars are 95 % intervals.",
        ),
        _figure(
            "privacy_sweep",
            "Hyperparameter sweep, from copying to collapse",
            _sweep,
            lambda run: len(run.swept) > 1,
            summary="The same generator at several values of one setting. Bars are 95 % intervals.",
        ),
        _figure(
            "privacy_curve",
            "Scores against epsilon",
            _curve,
            lambda run: len(run.budgets) > 1,
            summary="A smaller epsilon is a stronger guarantee. Bars are 95 % intervals.",
        ),
    ),
)
