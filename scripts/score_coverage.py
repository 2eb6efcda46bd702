"""Take the real rows for the population, draw samples, synthesise each: do intervals of the logistic model cover?"""

from _job import Job, log, read_tables, run, share_imports, visit_sequence_ends, write_scores

share_imports(__name__)

from collections.abc import Iterable, Iterator

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.generators import generator_class
from medsynth.generators.protocol import Generator
from medsynth.preparation.partitions import resample
from medsynth.randomness import derive_seed
from medsynth.scores.coverage.compute import coverage_scores
from medsynth.scores.inference.compute import REFITS, Analysis


def main(job: Job) -> None:
    """Score one generator; samples are the same for all."""
    params = job.params
    kind = generator_class(params.class_path)

    def fitted(sample: pd.DataFrame, codebook: Codebook, seed: int) -> Generator:
        """Fit a model to a sample."""
        order = visit_sequence_ends(job, sample)
        (model,) = kind(**params.settings).fit_checkpoints(sample, codebook, epochs=[params.epochs], seed=seed, **order)
        return model

    def synthesised(
        models: Iterable[Generator], sample: pd.DataFrame, codebook: Codebook, seed: int
    ) -> Iterator[pd.DataFrame]:
        """Draw one table from each model, as large as the sample."""
        for i, model in enumerate(models):
            yield codebook.conform(model.sample(len(sample), seed=derive_seed(seed, "sample", i)))

    def draw(sample: pd.DataFrame, codebook: Codebook, seed: int) -> dict[str, list[pd.DataFrame]]:
        """Tables of independently fitted models, as the study has them: one a seed, and refits if it asks for them."""
        models: Iterable[Generator]
        if kind.fits_at_random:
            models = (fitted(sample, codebook, derive_seed(seed, i)) for i in range(len(params.seeds)))
        else:
            # Models of the same rows are equal: one of them stands for all.
            models = [fitted(sample, codebook, seed)] * len(params.seeds)
        found = {"plug_in": [*synthesised(models, sample, codebook, seed)]}
        if params.proper:
            # A row is a person here: the population's are drawn row by row.
            seeds = [derive_seed(seed, "refit", i) for i in range(REFITS)]
            samples = (sample.take(resample(sample.index.to_numpy(), seed=one)) for one in seeds)
            pairs = zip(samples, seeds, strict=True)
            refits = (fitted(one.reset_index(drop=True), codebook, s) for one, s in pairs)
            found["proper"] = [*synthesised(refits, sample, codebook, derive_seed(seed, "refits"))]
        log.info("%d rows learned", len(sample))
        return found

    scores = coverage_scores(
        pd.concat(read_tables(job, "train", "test"), ignore_index=True),
        Codebook.from_json(job.input.codebook),
        Analysis(**params.analysis),
        draw,
        samples=params.samples,
        rows=params.rows,
        seed=derive_seed(params.study_seed, "coverage"),
        least=params.minimum_cell_size,
    )
    write_scores(job, {params.epochs: [("coverage", score) for score in scores]})


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
