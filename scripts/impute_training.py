"""Impute training rows, learned on them alone: those of one generator its own way, or the study's once more."""

from _job import Job, log, read_tables, run, share_imports, write_text

share_imports(__name__)

from medsynth.codebook import Codebook
from medsynth.evaluation.feasibility import check_partitions
from medsynth.preparation.imputation import make_imputer
from medsynth.preparation.partitions import split, winsorise
from medsynth.randomness import derive_seed


def main(job: Job) -> None:
    """Make the study's training rows again and fill their gaps."""
    (table,) = read_tables(job, "table")
    codebook = Codebook.from_json(job.input.codebook)
    params = job.params
    rows = None if params.rows == "all" else params.rows
    seed = derive_seed(params.seed, codebook.name, "split")
    parts = split(table, codebook, test_share=params.test_share, seed=seed, max_rows=rows)
    if params.winsorise:
        winsorise(parts, params.winsorise)
    check_partitions(parts)
    train = parts["train"]
    settings = dict(params.imputation)
    # The study's first imputation is that of `prepare_partitions`, with a seed without a number.
    number = job.wildcards.get("imputation")
    seed = derive_seed(params.seed, codebook.name, "imputation", *filter(None, [number]))
    imputer = make_imputer(settings.pop("method"), **settings, seed=seed)
    filled = imputer.fit(train, codebook.resolved(train)).transform(train)
    log.info("%d rows, %d columns, %d cells imputed", *filled.shape, train.isna().sum().sum())
    if not number:
        write_text(job.output.codebook, imputer.codebook_.to_json())
    filled.to_parquet(job.output.train, index=False)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
