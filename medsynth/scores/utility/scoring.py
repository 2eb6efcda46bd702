"""Classifiers trained on a table, tested on real rows: at equal information, and by the paper's protocol."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
import pandas as pd

from medsynth.disclosure import is_small
from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.evaluation.targets import Target
from medsynth.scores.utility.compute import majority, train_and_test, utility_scores

log = logging.getLogger("medsynth")


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family: ``utility`` and ``utility_protocol``."""
    if not judged.has_table:
        yield from _majority(judged)
    if not judged.teaches:
        return
    compared, weights = judged.compared, judged.compared.tested_persons.weights
    for target in judged.targets:

        def of_part(part: pd.DataFrame, target: Target = target) -> Iterator[Score]:
            return train_and_test(part, compared.tested, target, judged.encoder, seed=judged.seed)

        found = utility_scores(judged.predicted[target.name], compared.tested, target, weights)
        equal = judged.with_training(found, len(compared.equal_information), of_part)
        yield from (("utility", score) for score in equal)
        fewer = equal
        if len(compared.protocol) != len(compared.equal_information):
            trained = train_and_test(
                compared.protocol, compared.tested, target, judged.encoder, seed=judged.seed, weights=weights
            )
            fewer = judged.with_training(trained, len(compared.protocol), of_part)
        yield from (("utility_protocol", score) for score in fewer)


def _majority(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Always the most frequent class."""
    for target in judged.targets:
        rows = np.bincount(target.labels(judged.compared.tested), minlength=2)
        if is_small(rows, judged.least).any():
            # Its accuracy is the share of a class, and that would be of few patients.
            log.info("%s: the majority class is withheld", target.name)
            continue
        found = train_and_test(
            judged.train, judged.compared.tested, target, judged.encoder, seed=judged.seed,
            classifiers={"majority": majority}, weights=judged.compared.tested_persons.weights,
        )  # fmt: skip
        for score in found:
            yield "utility", score
            yield "utility_protocol", score
