"""Regression models trained on a table, tested on held-out real rows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.scores.regression.compute import REGRESSORS, RegressionTarget, design_of, mean, train_and_test


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family; of the row ``majority``, the mean of the real training rows."""
    if not (judged.teaches or judged.name == "majority"):
        return
    compared = judged.compared
    rows = compared.equal_information
    for target in (RegressionTarget(**one) for one in judged.settings["regression"]):
        of_table = partial(
            train_and_test, test=compared.tested, target=target, encoder=judged.encoder,
            design=design_of(target, judged.train, judged.least), seed=judged.seed,
            regressors=REGRESSORS if judged.teaches else {"majority": mean}, weights=compared.tested_persons.weights,
        )  # fmt: skip
        found = judged.with_training(of_table(rows), len(rows), of_table)
        yield from (("regression", score) for score in found)
