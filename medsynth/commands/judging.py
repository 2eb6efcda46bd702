"""Judging a model on held-out rows, for the report of `medsynth.synthesize`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.commands.screen import TITLES
from medsynth.evaluation.intervals import UNIT, Interval, interval
from medsynth.evaluation.references import draw_positions
from medsynth.evaluation.resampling import Persons, Score
from medsynth.generators.protocol import Generator
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.restoring import FLAG
from medsynth.randomness import derive_seed

# Rows a side of the comparisons, at most: more would cost minutes and hardly narrow the intervals.
MOST_JUDGED = 3_000


def settled(table: pd.DataFrame, train: pd.DataFrame, flags: list[str]) -> pd.DataFrame:
    """Give numbers that are flagged as missing the one value that imputation gave real ones.

    Parameters
    ----------
    table : DataFrame
        Sampled; not changed.
    train : DataFrame
        Imputed rows that the generator was fitted on.
    flags : list of str
        Columns that say which numbers were missing.
    """
    table = table.copy()
    for flag in flags:
        name = flag.removesuffix(FLAG)
        filled = train.loc[train[flag].astype(str) == "yes", name]
        table[name] = table[name].mask((table[flag].astype(str) == "yes").to_numpy(), filled.iloc[0])
    return table


def judge(
    made: Generator,
    complete: dict[str, pd.DataFrame],
    person: dict[str, np.ndarray],
    codebook: Codebook,
    flags: list[str],
    seed: int,
) -> pd.DataFrame:
    """Judge rows of the model, and real training rows, against as many held-out rows.

    Parameters
    ----------
    made : Generator
        Fitted.
    complete : dict of DataFrame
        "train" -> the imputed rows that it was fitted on, "test" -> held-out ones.
    person : dict of ndarray
        The persons of these rows.
    codebook : Codebook
        Of the imputed rows.
    flags : list of str
        Columns of it that say which numbers were missing.
    seed : int

    Returns
    -------
    DataFrame
        The `scores` of a `medsynth.commands.screen.Report`.
    """
    rng = np.random.default_rng(derive_seed(seed, "judged rows"))
    n = min(len(complete["test"]), len(complete["train"]), MOST_JUDGED)
    chosen = {k: draw_positions(len(part), n, rng) for k, part in complete.items()}
    real = {k: part.iloc[chosen[k]].reset_index(drop=True) for k, part in complete.items()}
    whose = {k: Persons.draw(person[k][chosen[k]], seed=derive_seed(seed, "persons", k)) for k in real}
    judged = settled(made.sample(n, seed=derive_seed(seed, "judged")), complete["train"], flags)
    judged = codebook.conform(judged)
    encoder = TableEncoder().fit(complete["train"])
    of_model = _compared(judged, real["test"], codebook, encoder, whose["test"], None, seed)
    of_real = _compared(real["train"], real["test"], codebook, encoder, whose["test"], whose["train"], seed)
    from medsynth.scores.privacy.copies import copies

    weights = np.hstack([whose["train"].weights, whose["test"].weights])
    found = {s.metric: s for s in copies(judged, real["train"], real["test"], codebook, weights)}
    of_model |= {"dcr_share": found["dcr_share"], "near_copies": found["near_copies_member"]}
    references = {k: score.value for k, score in of_real.items()}
    references |= {"dcr_share": 0.5, "near_copies": found["near_copies_nonmember"].value}
    rows = {}
    for metric in TITLES:
        known: Interval = interval([of_model[metric].value], [of_model[metric].variance], bounds=UNIT)
        rows[metric] = {"mean": known.mean, "low": known.low, "high": known.high, "real": references[metric]}
    return pd.DataFrame.from_dict(rows, orient="index")


def _compared(
    table: pd.DataFrame,
    real: pd.DataFrame,
    codebook: Codebook,
    encoder: TableEncoder,
    whose: Persons,
    whose_table: Persons | None,
    seed: int,
) -> dict[str, Score]:
    """Quality and C2ST AUC of one table against held-out rows."""
    from medsynth.scores.detection.compute import DETECTORS, c2st
    from medsynth.scores.fidelity.compute import quality

    first = dict(list(DETECTORS.items())[:1])
    told = c2st(
        table, real, encoder, seed=derive_seed(seed, "c2st"), persons=whose, synthetic_persons=whose_table,
        detectors=first,
    )  # fmt: skip
    found = {score.metric: score for score in told}
    return {"quality": next(iter(quality(table, real, codebook, whose))), "c2st_auc": found["c2st_auc"]}
