"""Survival models trained on a table, tested on held-out real rows; and when events happen in both."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import REFERENCES
from medsynth.evaluation.resampling import Score
from medsynth.scores.regression.compute import design_of
from medsynth.scores.survival.compute import MODELS, HeldOut, TimeToEvent, no_risks, train_and_test
from medsynth.scores.survival.times import curve_data, parts_of, survival_times


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family; of the row ``majority``, forecasts without predictors.

    What figures of a generator need is added to the plot data.
    """
    for target in (TimeToEvent(**one) for one in judged.settings["survival"]):
        if judged.teaches or judged.name == "majority":
            yield from (("survival", score) for score in _forecasts(judged, target))
        if judged.has_table:
            yield from (("survival", score) for score in _times(judged, target))


def _forecasts(judged: Judged, target: TimeToEvent) -> list[Score]:
    """What models that learned from the table forecast of held-out rows."""
    compared = judged.compared
    rows = compared.equal_information
    of_table = partial(
        train_and_test, tested=compared.tested, target=target, test=HeldOut.of(target, judged.train, compared.tested),
        encoder=judged.encoder, design=design_of(target, judged.train, judged.least), seed=judged.seed,
        models=MODELS if judged.teaches else {"majority": no_risks}, weights=compared.tested_persons.weights,
    )  # fmt: skip
    return judged.with_training(of_table(rows), len(rows), of_table)


def _times(judged: Judged, target: TimeToEvent) -> Iterator[Score]:
    """Survival times of the table and of the real rows that it is judged against."""
    table, real, horizon = judged.pair.table, judged.real, target.horizon_in(judged.train)
    followed, of_real = target.followed(table), target.followed(real)
    weights, of_table = judged.persons.take(judged.pair.against).weights, judged.persons_of_table
    held_out = judged.test if judged.of_patients else None
    drawn: dict[str, dict] = {}
    judged.plot_data.setdefault("survival", {})[target.name] = {"time": target.time, "curves": drawn}
    for part in parts_of(target, table, real, least=judged.least, held_out=held_out):
        found = survival_times(
            part, followed, of_real, horizon, weights=weights, table_weights=of_table.weights if of_table else None
        )
        yield from (score.of(target=target.name) for score in found)
        if part.shown and judged.name not in REFERENCES:
            curves = curve_data(part, followed, of_real, horizon, weights, least=judged.least)
            drawn |= {part.title: curves} if curves else {}
