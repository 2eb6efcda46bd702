"""Score one synthetic table, or one reference row: utility, fidelity, detection, and the figures' evidence."""

import json

import numpy as np
from _job import log, read_tables, run, write_scores, write_text

from medsynth.codebook import Codebook
from medsynth.evaluation.detection import c2st
from medsynth.evaluation.evidence import associations, distributions
from medsynth.evaluation.fidelity import common_bin_pair_trends, moments, quality
from medsynth.evaluation.references import REFERENCES, draw_rows
from medsynth.evaluation.targets import Target
from medsynth.evaluation.utility import CLASSIFIERS, majority, train_and_test
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
    scores = []

    def add(family, found):
        scores.extend((family, *score) for score in found)
        log.info("%s scored", family)

    # The same test rows for every table of the study: its seeds then differ by training alone.
    tested = draw_rows(real, params.test_rows, np.random.default_rng(derive_seed(params.study_seed, "test rows")))
    trained = draw_rows(table, params.utility_rows, rng)
    classifiers = {"majority": majority} if generator == "majority" else CLASSIFIERS
    if generator != "holdout":  # half of the test rows is no ceiling of what training rows can teach
        for target in (Target(**t) for t in params.targets):
            add("utility", train_and_test(trained, tested, target, encoder, seed=seed, classifiers=classifiers))
    if generator != "majority":
        # The holdout has half of the test rows a side; scores depend on the rows, so all tables get as many.
        rows = min(params.fidelity_rows, len(test) // 2)
        judged = draw_rows(table, rows, rng)
        against = draw_rows(real, rows, np.random.default_rng(derive_seed(params.study_seed, "fidelity rows")))
        add("fidelity", quality(judged, against, codebook))
        add("fidelity", common_bin_pair_trends(judged, against, codebook))
        add("fidelity", moments(judged, against, codebook))
        add("detection", c2st(table, real, encoder, seed=seed, max_rows=params.fidelity_rows))
        if hasattr(job.output, "evidence"):
            write_evidence(job.output.evidence, judged, against, codebook)
    write_scores(job, generator, scores)


def write_evidence(path, synthetic, real, codebook):
    """Write what figures read."""
    pair = {"synthetic": synthetic, "real": real}
    matrices = {key: associations(table, codebook) for key, table in pair.items()}
    evidence = {
        "distributions": distributions(pair, codebook, edges_from="real"),
        "associations": {
            "columns": list(codebook.columns),
            **{key: matrix.round(6).to_numpy().tolist() for key, matrix in matrices.items()},
        },
    }
    write_text(path, json.dumps(evidence))


run(snakemake, main)
