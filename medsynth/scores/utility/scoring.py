"""Classifiers trained on a table, tested on real rows: at equal information, and by the paper's protocol."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import numpy as np

from medsynth.disclosure import is_small
from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import draw_positions
from medsynth.evaluation.resampling import Score, with_training_persons
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
        found = utility_scores(judged.predicted[target.name], compared.tested, target, weights)
        equal = _with_training(judged, found, target, len(compared.equal_information))
        yield from (("utility", score) for score in equal)
        fewer = equal
        if len(compared.protocol) != len(compared.equal_information):
            trained = train_and_test(
                compared.protocol, compared.tested, target, judged.encoder, seed=judged.seed, weights=weights
            )
            fewer = _with_training(judged, trained, target, len(compared.protocol))
        yield from (("utility_protocol", score) for score in fewer)


def _with_training(judged: Judged, found: Iterable[Score], target: Target, rows: int) -> list[Score]:
    """Add what other training persons would change, where classifiers learn from real rows."""
    if judged.name != "real":
        return list(found)

    def of_rows(positions: np.ndarray) -> Iterator[Score]:
        chosen = draw_positions(len(positions), rows // 2, np.random.default_rng(judged.seed))
        part = judged.train.iloc[positions[chosen]].reset_index(drop=True)
        return train_and_test(part, judged.compared.tested, target, judged.encoder, seed=judged.seed)

    return list(with_training_persons(found, of_rows, judged.person["train"], seed=judged.seed))


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
