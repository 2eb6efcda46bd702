"""Beside the stages: what fitting and sampling cost as tables grow (scaling benchmark). No part of `all`: `snakemake --cores 1 benchmark`.

Needs: data/train.parquet and data/codebook.json of results/benchmark/<run>/, which the rules of stages 1 and 2 make;
config/benchmark.yaml. Yields: tables/{scaling_benchmark,exponents,data_cost}.*, figures/scaling_benchmark.*;
scaling_benchmark/ keeps each cell.
"""


rule benchmark:
    """What fitting and sampling cost, against rows and columns."""
    input:
        lambda wildcards: RUNS[BENCHMARK].benchmark_files,
    localrule: True


rule take_scaling_table:
    """Make a table of as many rows and columns as a cell is measured on."""
    input:
        train="results/{study}/{run}/data/train.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        train=temp("results/{study}/{run}/scaling_benchmark/{axis}{size}/train.parquet"),
        codebook=temp(
            "results/{study}/{run}/scaling_benchmark/{axis}{size}/codebook.json"
        ),
    log:
        "results/{study}/{run}/logs/scaling_benchmark/{axis}{size}.log",
    wildcard_constraints:
        axis="rows|columns",
        size=r"\d+",
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        study_seed=of("study.seed"),
        rows=of("scaling_benchmark_rows"),
        columns=of("scaling_benchmark_columns"),
        code=of.code("scripts/take_scaling_table.py"),
    message:
        "take a table of {wildcards.size} {wildcards.axis}"
    script:
        "../../scripts/take_scaling_table.py"


rule measure_fit:
    """Fit a generator in a process of its own: seconds and peak memory."""
    input:
        train="results/{study}/{run}/scaling_benchmark/{axis}{size}/train.parquet",
        codebook="results/{study}/{run}/scaling_benchmark/{axis}{size}/codebook.json",
        smaller=of("smaller_fits"),
    output:
        model=temp(
            directory(
                "results/{study}/{run}/scaling_benchmark/{axis}{size}/{generator}/seed{seed}"
            )
        ),
        cost="results/{study}/{run}/scaling_benchmark/{axis}{size}/{generator}-seed{seed}-fit.csv",
    log:
        "results/{study}/{run}/logs/scaling_benchmark/{axis}{size}-{generator}-seed{seed}-fit.log",
    wildcard_constraints:
        axis="rows|columns",
        size=r"\d+",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        settings=of("generator.settings"),
        epochs=of("epochs"),
        what="fit",
        own_process=True,
        max_seconds=of("scaling_benchmark.max_seconds"),
        code=of.code("scripts/measure_fit.py"),
    message:
        "measure the fit of {wildcards.generator}, {wildcards.size} {wildcards.axis}, seed {wildcards.seed}"
    script:
        "../../scripts/measure_fit.py"


rule measure_sample:
    """Draw as many rows as were learned, in a process of its own: seconds and peak memory."""
    input:
        train="results/{study}/{run}/scaling_benchmark/{axis}{size}/train.parquet",
        model="results/{study}/{run}/scaling_benchmark/{axis}{size}/{generator}/seed{seed}",
        fit="results/{study}/{run}/scaling_benchmark/{axis}{size}/{generator}-seed{seed}-fit.csv",
        smaller=of("smaller_samples"),
    output:
        cost="results/{study}/{run}/scaling_benchmark/{axis}{size}/{generator}-seed{seed}-sample.csv",
    log:
        "results/{study}/{run}/logs/scaling_benchmark/{axis}{size}-{generator}-seed{seed}-sample.log",
    wildcard_constraints:
        axis="rows|columns",
        size=r"\d+",
    # A model is deleted when its rows are sampled.
    priority: 10
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        epochs=of("epochs"),
        what="sample",
        own_process=True,
        max_seconds=of("scaling_benchmark.max_seconds"),
        code=of.code("scripts/measure_sample.py"),
    message:
        "measure the sampling of {wildcards.generator}, {wildcards.size} {wildcards.axis}, seed {wildcards.seed}"
    script:
        "../../scripts/measure_sample.py"


rule report_scaling:
    """Tabulate and draw every cell, with the exponents."""
    input:
        cells=of("scaling_benchmark_cells"),
        data=[
            f"results/{{study}}/{{run}}/benchmarks/{name}.tsv"
            for name in ("clean_table", "prepare_partitions")
        ],
    output:
        [
            f"results/{{study}}/{{run}}/tables/{table}.{kind}"
            for table in ("scaling_benchmark", "exponents", "data_cost")
            for kind in ("csv", "md")
        ],
        png="results/{study}/{run}/figures/scaling_benchmark.png",
        pdf="results/{study}/{run}/figures/scaling_benchmark.pdf",
    log:
        "results/{study}/{run}/logs/report_scaling.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of("note"),
        styles=of("styles"),
        max_seconds=of("scaling_benchmark.max_seconds"),
        code=of.code("scripts/report_scaling.py"),
    message:
        "tabulate and draw what fitting and sampling cost"
    script:
        "../../scripts/report_scaling.py"
