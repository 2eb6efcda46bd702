"""Stages 1 and 2: the raw table, simulated or downloaded (a user's own is read where it lies); cleaned by its codebook;
split by person; imputed. Nothing is learned from test rows.

Needs: the codebook and its raw table. Yields in results/<study>/<run>/: raw/, if it is simulated; data/clean.parquet,
data/{train,test}.parquet, data/persons.parquet (whose rows they are, as numbers), data/codebook.json, data/cleaning.csv,
data/preparation.csv, data/scaling.csv, data/provenance.json. Where a study wants them: data/split<S>/ (partitions of
further seeds), data/imputations/<i>.parquet (the training rows imputed again), data/imputed/<generator>/ (training rows
that a generator has imputed its own way), data/metadata.csv (column types that SDV detects).
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
        rows=of("cohort_rows"),
        seed=of("study.seed"),
        dataset=of("study.dataset"),
        code=of.code("scripts/simulate_cohort.py", "medsynth.cohorts.{dataset}"),
    message:
        "simulate the raw table {wildcards.table} for {wildcards.study}"
    script:
        "../../scripts/simulate_cohort.py"


rule download_raw:
    """Fetch a public raw table from its publisher and verify it."""
    output:
        f"{raw_dir}/{{dataset}}/{{file}}",
    log:
        "results/logs/download_{dataset}_{file}.log",
    wildcard_constraints:
        dataset=of.downloaded_datasets(),
        file="[^/]+",
    retries: 2
    localrule: True
    conda:
        "../../envs/medsynth.yaml"
    params:
        url=of.download("url"),
        member=of.download("member"),
        sha256=of.download("sha256"),
    message:
        "download {wildcards.file} of {wildcards.dataset}"
    script:
        "../../scripts/download_raw.py"


rule clean_table:
    """Clean the raw table by its codebook and count everything that was done."""
    input:
        raw=of("raw"),
        codebook=of("codebook_path"),
    output:
        table="results/{study}/{run}/data/clean.parquet",
        codebook="results/{study}/{run}/data/clean_codebook.json",
        report="results/{study}/{run}/data/cleaning.csv",
        provenance="results/{study}/{run}/data/provenance.json",
        benchmark="results/{study}/{run}/benchmarks/clean_table.tsv",
    log:
        "results/{study}/{run}/logs/clean_table.log",
    priority: 20
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        source=of("source"),
        raw_stamps=of("raw_stamps"),
        max_missing=of("study.cleaning.max_missing"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/clean_table.py", "medsynth.preparation.transforms"),
    message:
        "clean the raw table of {wildcards.study}"
    script:
        "../../scripts/clean_table.py"


rule prepare_partitions:
    """Split by person into train and test, then impute with what the training rows teach."""
    input:
        table="results/{study}/{run}/data/clean.parquet",
        codebook="results/{study}/{run}/data/clean_codebook.json",
    output:
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        persons="results/{study}/{run}/data/persons.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
        report="results/{study}/{run}/data/preparation.csv",
        scaling="results/{study}/{run}/data/scaling.csv",
        benchmark="results/{study}/{run}/benchmarks/prepare_partitions.tsv",
    log:
        "results/{study}/{run}/logs/prepare_partitions.log",
    priority: 20
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        seed=of("study.seed"),
        rows=of("scale.rows"),
        test_share=of("study.test_share"),
        winsorise=of("study.winsorise"),
        imputation=of("imputation"),
        targets=of("study.targets"),
        regression=of("study.regression"),
        survival=of("study.survival"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/prepare_partitions.py"),
    message:
        "split and impute for {wildcards.study}"
    script:
        "../../scripts/prepare_partitions.py"


use rule prepare_partitions as prepare_split with:
    output:
        train="results/{study}/{run}/data/split{split}/train.parquet",
        test="results/{study}/{run}/data/split{split}/test.parquet",
        persons="results/{study}/{run}/data/split{split}/persons.parquet",
        codebook="results/{study}/{run}/data/split{split}/codebook.json",
        report="results/{study}/{run}/data/split{split}/preparation.csv",
        scaling="results/{study}/{run}/data/split{split}/scaling.csv",
        benchmark="results/{study}/{run}/benchmarks/prepare_split-{split}.tsv",
    log:
        "results/{study}/{run}/logs/prepare_split-{split}.log",
    wildcard_constraints:
        split=r"\d+",
    message:
        "split and impute once more: {wildcards.split} ({wildcards.study})"


rule impute_training:
    """Impute the training rows of one generator its own way; the test rows stay the study's."""
    input:
        table="results/{study}/{run}/data/clean.parquet",
        codebook="results/{study}/{run}/data/clean_codebook.json",
    output:
        train="results/{study}/{run}/data/imputed/{generator}/train.parquet",
        codebook="results/{study}/{run}/data/imputed/{generator}/codebook.json",
        benchmark="results/{study}/{run}/benchmarks/impute/{generator}.tsv",
    log:
        "results/{study}/{run}/logs/impute/{generator}.log",
    priority: 20
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        seed=of("study.seed"),
        rows=of("scale.rows"),
        test_share=of("study.test_share"),
        winsorise=of("study.winsorise"),
        imputation=of("imputation"),
        code=of.code("scripts/impute_training.py"),
    message:
        "impute the training rows of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/impute_training.py"


use rule impute_training as impute_again with:
    output:
        train="results/{study}/{run}/data/imputations/{imputation}.parquet",
        benchmark="results/{study}/{run}/benchmarks/impute_again-{imputation}.tsv",
    log:
        "results/{study}/{run}/logs/impute_again-{imputation}.log",
    message:
        "impute the training rows once more: {wildcards.imputation} ({wildcards.study})"


rule detect_metadata:
    """Let SDV detect column types, to be shown beside the codebook's, which are the ones used."""
    input:
        train="results/{study}/{run}/data/train.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        metadata="results/{study}/{run}/data/metadata.csv",
        benchmark="results/{study}/{run}/benchmarks/detect_metadata.tsv",
    log:
        "results/{study}/{run}/logs/detect_metadata.log",
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        code=of.code("scripts/detect_metadata.py"),
    message:
        "detect the metadata of {wildcards.study}"
    script:
        "../../scripts/detect_metadata.py"
