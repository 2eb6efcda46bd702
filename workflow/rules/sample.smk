"""Stage 4: synthetic tables, decoded, in the clean table's columns, types and categories.

Needs: models/<generator>/seed<S>, data/codebook.json, data/train.parquet for the number of its rows. Yields: synthetic/<generator>/epochs<E>/seed<S>.parquet;
export/ in the raw table's headers and codes, with a data dictionary, where a study wants one.
"""


rule sample_table:
    """Draw a synthetic table from a model and check it against the codebook."""
    input:
        unpack(of("learned")),
        models="results/{study}/{run}/models/{generator}/seed{seed}",
    output:
        "results/{study}/{run}/synthetic/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/sample/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/sample/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        code=of.code("scripts/sample_table.py"),
    message:
        "sample from {wildcards.generator}, {wildcards.epochs} epochs, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/sample_table.py"


rule write_export:
    """Sample rows to hand over, in the raw table's headers and codes, from one model; with their data dictionary."""
    input:
        unpack(of("exported")),
        prepared="results/{study}/{run}/data/codebook.json",
        clean="results/{study}/{run}/data/clean.parquet",
        cleaning="results/{study}/{run}/data/cleaning.csv",
    output:
        export=report(
            directory("results/{study}/{run}/export"),
            patterns=["{table}_dictionary.html"],
            caption="../report/export.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "Dictionary of the synthetic table"},
        ),
        benchmark="results/{study}/{run}/benchmarks/write_export.tsv",
    log:
        "results/{study}/{run}/logs/write_export.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        study_seed=of("study.seed"),
        minimum_cell_size=of("study.minimum_cell_size"),
        export=of("export"),
        note=of("note"),
        code=of.code(
            "scripts/write_export.py",
            "medsynth.preparation.transforms",
            "{exported}",
        ),
    message:
        "write the export of {wildcards.study}"
    script:
        "../../scripts/write_export.py"
