"""Stage 1: the raw table, simulated or downloaded (a user's own file is read where it lies).

Needs: the codebook. Yields: results/<study>/<run>/raw/<table>.csv.gz, or <raw_dir>/<dataset>/<file>.
"""


rule simulate_cohort:
    """Draw a cohort with the dataset's raw columns and codes from coefficients; no real patient is in it."""
    output:
        "results/{study}/{run}/raw/{table}.csv.gz",
        benchmark="results/{study}/{run}/benchmarks/simulate_cohort_{table}.tsv",
    log:
        "results/{study}/{run}/logs/simulate_cohort_{table}.log",
    priority: 20
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        rows=of_run("cohort_rows"),
        seed=of_run("study.seed"),
        dataset=of_run("study.dataset"),
        code=lambda wildcards: code_hash(
            "scripts/simulate_cohort.py",
            f"medsynth.cohorts.{RUNS[wildcards.study].study.dataset}",
        ),
    message:
        "simulate the raw table {wildcards.table} for {wildcards.study}"
    script:
        "../../scripts/simulate_cohort.py"


for download in {
    run.raw[0]: run for run in RUNS.values() if run.source == "download"
}.values():

    rule:
        name:
            f"download_{download.study.dataset}"
        output:
            download.raw[0],
        log:
            f"results/logs/download_{download.study.dataset}.log",
        retries: 2
        localrule: True
        conda:
            "../../envs/medsynth.yaml"
        params:
            url=download.codebook.raw.url,
            member=download.codebook.raw.member,
            sha256=download.codebook.raw.sha256,
        script:
            "../../scripts/download_raw.py"
