"""Stage 5: every score of one synthetic table, or of one reference row, in one job.

Needs: the partitions and a synthetic table. Yields: scores/<generator>/epochs<E>/seed<S>.csv and, for what is no
score but what figures need, evidence/<generator>/epochs<E>/seed<S>.json.
"""


rule score_synthetic:
    """Score a synthetic table: utility, fidelity, detection."""
    input:
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
        synthetic="results/{study}/{run}/synthetic/{generator}/epochs{epochs}/seed{seed}.parquet",
    output:
        scores="results/{study}/{run}/scores/{generator}/epochs{epochs}/seed{seed}.csv",
        evidence="results/{study}/{run}/evidence/{generator}/epochs{epochs}/seed{seed}.json",
    log:
        "results/{study}/{run}/logs/score/{generator}-epochs{epochs}-seed{seed}.log",
    benchmark:
        "results/{study}/{run}/benchmarks/score/{generator}-epochs{epochs}-seed{seed}.tsv"
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study_seed=of_run("study.seed"),
        utility_rows=of_run("scale.utility_rows"),
        test_rows=of_run("scale.test_rows"),
        fidelity_rows=of_run("scale.fidelity_rows"),
        targets=of_run_as_dict("study.targets"),
        code=code_hash("scripts/score_table.py"),
    message:
        "score {wildcards.generator}, {wildcards.epochs} epochs, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_table.py"


use rule score_synthetic as score_reference with:
    input:
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        scores="results/{study}/{run}/scores/{reference}/epochs0/seed{seed}.csv",
    log:
        "results/{study}/{run}/logs/score/{reference}-epochs0-seed{seed}.log",
    benchmark:
        "results/{study}/{run}/benchmarks/score/{reference}-epochs0-seed{seed}.tsv"
    message:
        "score the reference row {wildcards.reference}, seed {wildcards.seed} ({wildcards.study})"


ruleorder: score_reference > score_synthetic
