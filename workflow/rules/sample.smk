"""Stage 4: synthetic tables, decoded, in the clean table's columns, types and levels.

Needs: models/<generator>/seed<S>, data/codebook.json. Yields: synthetic/<generator>/epochs<E>/seed<S>.parquet.
"""


rule sample_table:
    """Draw a synthetic table from a model and check it against the codebook."""
    input:
        models="results/{study}/{run}/models/{generator}/seed{seed}",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        "results/{study}/{run}/synthetic/{generator}/epochs{epochs}/seed{seed}.parquet",
    log:
        "results/{study}/{run}/logs/sample/{generator}-epochs{epochs}-seed{seed}.log",
    benchmark:
        "results/{study}/{run}/benchmarks/sample/{generator}-epochs{epochs}-seed{seed}.tsv"
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        rows=of_run("scale.sample_rows"),
        code=generator_code("scripts/sample_table.py"),
    message:
        "draw from {wildcards.generator}, {wildcards.epochs} epochs, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/sample_table.py"
