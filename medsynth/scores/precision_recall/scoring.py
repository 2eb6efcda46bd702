"""Are rows of a table typical of real ones, are real ones covered, and do three columns agree at a time?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score
from medsynth.randomness import derive_seed
from medsynth.scores.precision_recall.compute import precision_recall
from medsynth.scores.precision_recall.marginals import three_way_marginals


def scores(judged: Judged) -> Iterator[tuple[str, Score]]:
    """Yield every score with its family."""
    if not judged.has_table:
        return
    compared, codebook = judged.compared, judged.codebook
    seed, weights = derive_seed(judged.study_seed, "precision and marginals"), compared.against_persons.weights
    found = chain(
        precision_recall(compared.judged, compared.against, codebook, learned=judged.train, seed=seed, weights=weights),
        three_way_marginals(compared.judged, compared.against, codebook, seed=seed, weights=weights),
    )
    yield from (("fidelity", score) for score in found)
