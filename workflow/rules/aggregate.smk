"""Stage 6: one long table of scores, and tables of numbers made from it alone.

Needs: the score files and benchmark files of a run. Yields: scores.csv, where failed jobs are shown as rows without a value.
"""


rule gather_scores:
    """Put the scores of every model and reference row, and what they cost, into one long table."""
    input:
        scores=scores_of,
        replicates=replicates_of,
        benchmarks=benchmarks_of,
    output:
        scores="results/{study}/{run}/scores.csv",
        replicates="results/{study}/{run}/replicates.parquet",
        benchmarks="results/{study}/{run}/benchmarks.csv",
        benchmark="results/{study}/{run}/benchmarks/gather_scores.tsv",
    log:
        "results/{study}/{run}/logs/gather_scores.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        source=of_run("source"),
        scale=of_run("scale_name"),
        failures=of_run("failures"),
        splits=of_run("splits"),
        code=code_hash("scripts/gather_scores.py"),
    message:
        "gather the scores of {wildcards.study}"
    script:
        "../../scripts/gather_scores.py"
