"""Explain the random forests of one synthetic table, or of one reference row: what do they look at?"""

import json

import numpy as np
from _job import log, read_tables, run, write_scores, write_text

from medsynth.evaluation.importance import explain
from medsynth.evaluation.references import REFERENCES, draw_rows
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed


def main(job):
    """Draw the rows that the utility scores are made of, so that the forests are the same, and explain them."""
    train, test = read_tables(job, "train", "test")
    generator = job.wildcards.get("generator") or job.wildcards.reference
    params = job.params
    # As in score_table.py, draw by draw.
    rng = np.random.default_rng(derive_seed(params.study_seed, generator, job.wildcards.seed, "score"))
    if generator in REFERENCES:
        table, test = REFERENCES[generator](train, test, max(params.utility_rows, params.fidelity_rows), rng)
    else:
        (table,) = read_tables(job, "synthetic")
    trained = draw_rows(table, params.utility_rows, rng)
    seed = derive_seed(params.study_seed, job.wildcards.seed, "detector and classifiers")
    # The same rows for every table of the study: importances then differ by training alone.
    explained = draw_rows(test, params.rows, np.random.default_rng(derive_seed(params.study_seed, "explained rows")))
    encoder = TableEncoder().fit(train)
    scores, evidence = [], {}
    for target in (Target(**t) for t in params.targets):
        explanation = explain(trained, explained, target, encoder, seed=seed)
        scores.extend(("importance", *score) for score in explanation.scores())
        evidence[target.name] = explanation.evidence(params.least_patients)
        log.info("%s explained: %d rows of %d, trained on %d", target.name, len(explained), len(test), len(trained))
    write_scores(job, generator, scores)
    write_text(job.output.evidence, json.dumps(evidence))


run(snakemake, main)
