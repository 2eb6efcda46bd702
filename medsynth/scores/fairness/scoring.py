"""Groups of patients in a table: as frequent, and predicted as well, as in real rows?"""

from __future__ import annotations

from collections.abc import Iterator

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.scores.fairness.compute import Subgroups, group_performance, representation


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family."""
    if not judged.has_table:
        return
    subgroups = [Subgroups(**one) for one in judged.settings["subgroups"]]
    if judged.teaches:
        # By the first classifier alone: what is asked is whether groups differ.
        target = judged.targets[0]
        first = next(iter(judged.predicted[target.name].values()))
        tested, weights = judged.compared.tested, judged.compared.tested_persons.weights
        found = group_performance(first.probability, tested, target, subgroups, least=judged.least, weights=weights)
        yield from (("fairness", score) for score in found)
    of_table = judged.persons_of_table
    found = representation(
        judged.pair.table, judged.real, subgroups, least=judged.least,
        held_out=judged.test if judged.of_patients else None,
        weights=judged.persons.take(judged.pair.against).weights, table_weights=of_table.weights if of_table else None,
    )  # fmt: skip
    yield from (("fairness", score) for score in found)
