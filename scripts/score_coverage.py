"""Take the real rows for the population, draw samples, synthesise each: do intervals of the logistic model cover?"""

from _job import log, order_of_drawing, read_tables, run, write_scores

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.coverage import coverage_scores
from medsynth.evaluation.inference import TABLES, Analysis
from medsynth.generators import generator_class
from medsynth.randomness import derive_seed


def main(job):
    """Score one generator; samples are the same for all."""
    params, generator = job.params, job.wildcards.generator

    def draw(sample, codebook, seed):
        """Fit once, draw several tables as large as the sample."""
        model = generator_class(params.class_path)(**params.settings)
        order = order_of_drawing(job, sample)
        (fitted,) = model.fit(sample, codebook, epochs=[int(job.wildcards.epochs)], seed=seed, **order)
        log.info("%d rows learned", len(sample))
        return [codebook.conform(fitted.sample(len(sample), seed=derive_seed(seed, i))) for i in range(TABLES)]

    scores = coverage_scores(
        pd.concat(read_tables(job, "train", "test"), ignore_index=True),
        Codebook.from_json(job.input.codebook),
        Analysis(**params.analysis),
        draw,
        samples=params.samples,
        rows=params.rows,
        seed=derive_seed(params.study_seed, "coverage"),
        least=params.least_patients,
    )
    write_scores(job, generator, [("coverage", score) for score in scores])


run(snakemake, main)
