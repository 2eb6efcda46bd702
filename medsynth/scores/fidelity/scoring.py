"""How closely a table resembles real rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from medsynth.disclosure import is_small, shown_categories
from medsynth.evaluation.judged import Judged
from medsynth.evaluation.references import REFERENCES
from medsynth.evaluation.resampling import Score
from medsynth.randomness import derive_seed
from medsynth.scores.fidelity.compute import common_bin_pair_trends, moments, quality, with_gap_columns
from medsynth.scores.fidelity.plot_data import (
    association_difference,
    associations,
    distributions,
    pair_columns,
    pairs,
    shown_associations,
)


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family; what figures of a generator need is added to the plot data."""
    if not judged.has_table:
        return
    compared, codebook = judged.compared, judged.codebook
    rows, against, persons = compared.judged, compared.against, compared.against_persons
    matrices = {"synthetic": associations(rows, codebook), "real": associations(against, codebook)}
    found = chain(
        _without_rare_shapes(judged, quality(rows, against, codebook, persons)),
        common_bin_pair_trends(rows, against, codebook, persons),
        _without_few_numbers(judged, moments(rows, against, codebook, persons)),
        [association_difference(matrices["synthetic"], against, codebook, persons)],
    )
    yield from (("fidelity", score) for score in found)
    if judged.name in REFERENCES:
        return
    # The same columns for every generator of the study; of all rows where joint.
    chosen = pair_columns(codebook, derive_seed(judged.study_seed, "pair plot"))
    tables = {"synthetic": rows, "real": against}
    whole = {"synthetic": judged.pair.table, "real": judged.real}
    least = judged.least
    judged.plot_data |= {
        "distributions": distributions(tables, codebook, edges_from="real", drawn_from=judged.real, least=least),
        "associations": shown_associations(matrices, against, codebook, least=least),
        "pairs": pairs(whole, codebook, chosen, edges_from="real", least=least),
    }


def _without_rare_shapes(judged: Judged, found: Iterable[Score]) -> Iterator[Score]:
    """Withhold shapes of binary columns with a rare category: who has the synthetic table can solve them for it."""
    against, codebook = with_gap_columns(judged.compared.against, judged.codebook)
    real, _ = with_gap_columns(judged.real, judged.codebook)
    rare = {
        name
        for name in codebook.named("binary")
        if shown_categories(against[name], codebook.columns[name], judged.least, drawn_from=real[name]).empty
    }
    for score in found:
        hidden = score.metric == "column_shape" and score.about.column in rare
        yield Score(score.metric, np.nan, about=score.about) if hidden else score


def _without_few_numbers(judged: Judged, found: Iterable[Score]) -> Iterator[Score]:
    """Withhold moments of columns in which few of the real rows have a number at all."""
    sides = [judged.compared.against, *([judged.compared.judged] if judged.of_patients else [])]
    few = {name for side in sides for name, rows in side.notna().sum().items() if is_small(int(rows), judged.least)}
    for score in found:
        yield Score(score.metric, np.nan, about=score.about) if score.about.column in few else score
