"""Score one synthetic table, or one reference row: utility, fidelity, detection, importance, and figures' evidence."""

from _job import log, read_tables, run, write_scores, write_text

import json

import numpy as np

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import draw_compared
from medsynth.evaluation.detection import c2st
from medsynth.evaluation.evidence import (
    association_difference,
    associations,
    distributions,
    pair_columns,
    pairs,
    shown_associations,
)
from medsynth.evaluation.fairness import Subgroups, group_performance, representation
from medsynth.evaluation.fidelity import common_bin_pair_trends, moments, quality
from medsynth.evaluation.importance import explain
from medsynth.evaluation.references import REFERENCES, draw_rows
from medsynth.evaluation.targets import Target
from medsynth.evaluation.utility import CLASSIFIERS, majority, predict, utility_scores
from medsynth.evaluation.violations import violations
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed


def main(job):
    """Compare the table with held-out real rows."""
    train, test = read_tables(job, "train", "test")
    codebook = Codebook.from_json(job.input.codebook)
    generator = job.wildcards.get("generator") or job.wildcards.reference
    params = job.params
    rng = np.random.default_rng(derive_seed(params.study_seed, generator, job.wildcards.seed, "score"))
    if generator in REFERENCES:
        rows = max(params.utility_rows, params.fidelity_rows)
        table, real = REFERENCES[generator](train, test, rows, rng)
    elif generator == "majority":
        table, real = train, test
    else:
        (table,), real = read_tables(job, "synthetic"), test
    seed = derive_seed(params.study_seed, job.wildcards.seed, "detector and classifiers")
    # SDMetrics draws from the global generator where it subsamples.
    np.random.seed(seed)
    encoder = TableEncoder().fit(train)
    targets = [Target(**target) for target in params.targets]
    subgroups = [Subgroups(**one) for one in params.subgroups]
    # The same rows for every table of the study: importances then differ by training alone.
    rng_explained = np.random.default_rng(derive_seed(params.study_seed, "explained rows"))
    explained = draw_rows(real, params.importance_rows, rng_explained)
    scores, evidence = [], {"importance": {}}

    def add(family, found):
        scores.extend((family, *score[:3]) for score in found)
        log.info("%s scored", family)

    trained, tested, judged, against = draw_compared(
        table, real, rng, study_seed=params.study_seed, n_held_out=len(test), utility_rows=params.utility_rows,
        test_rows=params.test_rows, fidelity_rows=params.fidelity_rows,
    )  # fmt: skip
    classifiers = {"majority": majority} if generator == "majority" else CLASSIFIERS
    if generator != "holdout":  # half of the test rows is no ceiling of what training rows can teach
        for target in targets:
            predicted = predict(trained, tested, target, encoder, seed=seed, classifiers=classifiers)
            add("utility", utility_scores(predicted, tested, target))
            if target is targets[0] and generator != "majority":
                # By the first classifier alone: what is asked is whether groups differ.
                first = next(iter(predicted.values()))
                add(
                    "fairness",
                    group_performance(first.probability, tested, target, subgroups, least=params.least_patients),
                )
            if target.name in params.explained:
                forest = predicted["random_forest"]
                explanation = explain(trained, explained, target, encoder, seed=seed, trained=forest)
                add("importance", explanation.scores())
                evidence["importance"][target.name] = explanation.evidence(params.least_patients)
    if generator != "majority":
        least, of_patients = params.least_patients, generator in ("real", "holdout")
        held_out = test if of_patients else None
        add("fairness", representation(table, real, subgroups, least=least, held_out=held_out))
        add("fidelity", quality(judged, against, codebook))
        add("fidelity", common_bin_pair_trends(judged, against, codebook))
        add("fidelity", moments(judged, against, codebook))
        # A rate needs nothing to be compared with, so every row counts.
        add("fidelity", violations(table, codebook, least=least if of_patients else None))
        matrices = {key: associations(rows, codebook) for key, rows in (("synthetic", judged), ("real", against))}
        add("fidelity", [("association_difference", "", association_difference(**matrices))])
        add("detection", c2st(table, real, encoder, seed=seed, max_rows=params.fidelity_rows))
        if not job.wildcards.get("reference"):
            # The same columns for every generator of the study; of all rows, since joint histograms need many.
            chosen = pair_columns(codebook, derive_seed(params.study_seed, "pair plot"))
            shown = {"edges_from": "real", "least": least}
            compared = {"synthetic": judged, "real": against}
            evidence |= {
                "distributions": distributions(compared, codebook, **shown, drawn_from=real),
                "associations": shown_associations(matrices, against, codebook, least=least),
                "pairs": pairs({"synthetic": table, "real": real}, codebook, chosen, **shown),
            }
    write_scores(job, generator, scores)
    write_text(job.output.evidence, json.dumps(evidence))


run(snakemake, main)
