"""What forests look at, in the same real rows for every table of a study: they differ by training alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import draw_positions
from medsynth.evaluation.resampling import Score
from medsynth.randomness import derive_seed
from medsynth.scores.importance.compute import explain


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family; what figures need is added to the plot data."""
    explanations = judged.plot_data["importance"] = {}
    if not judged.teaches or not judged.explained:
        return
    rng = np.random.default_rng(derive_seed(judged.study_seed, "explained rows"))
    against = judged.pair.against
    rows = against[draw_positions(len(against), judged.settings["importance_rows"], rng)]
    shown, persons = judged.test.iloc[rows].reset_index(drop=True), judged.persons.take(rows)
    for target in (target for target in judged.targets if target.name in judged.explained):
        explanation = explain(
            judged.compared.equal_information, shown, target, judged.encoder, seed=judged.seed,
            trained=judged.predicted[target.name]["random_forest"],
        )  # fmt: skip
        yield from (("importance", score) for score in explanation.scores(persons))
        explanations[target.name] = explanation.plot_data(judged.least)
