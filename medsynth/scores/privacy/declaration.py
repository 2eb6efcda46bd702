"""Attacks: what a released table tells of the persons that its generator learned from."""

from __future__ import annotations

from medsynth.scores.captions import OVER_SEEDS, beside
from medsynth.scores.privacy.parts import CONTROLS
from medsynth.scores.registry import Compared, Facts, Family, Figure, Shown, Stage, Table

SECTION = "5 Privacy"


def _table(facts: Facts):
    from medsynth.scores.privacy.table import display_privacy, largest_delta, privacy_table, with_guarantees

    found = privacy_table(facts.at_shown_epochs)
    numbers = with_guarantees(found, facts.guarantees, largest_delta(facts.file("preparation")))
    return numbers, display_privacy(numbers, facts.styles)


def _trade(facts: Facts, shown: Shown):
    from medsynth.scores.privacy.figure import privacy_trade

    return privacy_trade(facts.scores, facts.styles, note=facts.note)


def _dial(facts: Facts, shown: Shown):
    from medsynth.scores.privacy.figure import privacy_dial

    return privacy_dial(facts.scores, facts.dialled, dial=facts.dial, note=facts.note)


def _curve(facts: Facts, shown: Shown):
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


def _figure(kind: str, label: str, draw, wanted) -> Figure:
    return Figure(
        kind,
        section=SECTION,
        label=label,
        draw=draw,
        caption=beside(__file__, kind),
        of=lambda run: [("", "")] if wanted(run) else [],
        kept=f"{kind}.png",
    )


ATTACKS = Stage(
    "attacks",
    needs="impute",
    generators=lambda run: run.attacked,
    references=tuple(CONTROLS),
    seeds=lambda run: run.scale.seeds[: run.scale.attacked_seeds],
    more_seconds=lambda run, work, n_train: work.fit(n_train // 2) + work.draw(n_train // 2),
)

FAMILY = Family(
    stages=(ATTACKS,),
    claims=("privacy",),
    tables=(
        Table(
            "privacy",
            section=SECTION,
            label="Attacks",
            make=_table,
            caption="Attacks on generators fitted on one half of the training rows (members). Membership: is a row a "
            "member's or one of the other half's? AUC (0.5: cannot be told) and true positive rates (TPR) of the "
            "attack that does best on one half of the attacked persons, judged on the other; beside it the paired "
            "difference to the holdout. Attribute-inference advantage: how much more often a member's sensitive "
            "column is guessed than another's. DCR share: rows nearer to a member than to any of the other half (0.5: "
            "nothing is copied). Smallest leak noticed: of how many members copies must be released for a column to be "
            "significantly above the holdout. What a guarantee allows: the most members that any attack finds under "
            f"this epsilon. Values are the {OVER_SEEDS}",
            wanted=lambda run: run.attacked,
            compared=Compared(
                ("generator", "epochs", "metric", "attack", "group", "column"), ("mean",), tolerance=0.03
            ),
        ),
    ),
    figures=(
        _figure("privacy_trade", "Fidelity against privacy", _trade, lambda run: run.attacked),
        _figure("privacy_dial", "One setting from copying to collapse", _dial, lambda run: len(run.dialled) > 1),
        _figure("privacy_curve", "Scores against epsilon", _curve, lambda run: len(run.budgets) > 1),
    ),
)
