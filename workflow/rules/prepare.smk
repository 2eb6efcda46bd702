"""Stage 2: clean by the codebook, split by person, impute; nothing is learned from test rows.

Needs: the raw table and its codebook. Yields: data/clean.parquet, data/{train,test}.parquet, data/persons.parquet (whose rows they are, as numbers), data/codebook.json,
data/cleaning.csv, data/preparation.csv, data/scaling.csv, data/provenance.json; data/imputations/<i>.parquet, the training rows
imputed again, where a study wants several tables of them; data/imputed/<generator>/ for a generator that wants its training rows imputed otherwise; tables/metadata.* where a study wants detected types beside the declared ones.
"""


rule clean_table:
    """Clean the raw table by its codebook and count everything that was done."""
    input:
        raw=of_run("raw"),
        codebook=of_run("codebook_path"),
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
        source=of_run("source"),
        raw_stamps=of_run("raw_stamps"),
        max_missing=of_run("study.cleaning.max_missing"),
        code=code_hash("scripts/clean_table.py", "medsynth.preparation.transforms"),
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
        seed=of_run("study.seed"),
        rows=of_run("scale.rows"),
        test_share=of_run("study.test_share"),
        winsorise=of_run("study.winsorise"),
        imputation=imputation_of,
        targets=of_run_as_dict("study.targets"),
        least_patients=of_run("study.least_patients"),
        code=code_hash("scripts/prepare_partitions.py"),
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
        seed=of_run("study.seed"),
        rows=of_run("scale.rows"),
        test_share=of_run("study.test_share"),
        winsorise=of_run("study.winsorise"),
        imputation=imputation_of,
        code=code_hash("scripts/impute_training.py"),
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
    params:
        seed=of_run("study.seed"),
        rows=of_run("scale.rows"),
        test_share=of_run("study.test_share"),
        winsorise=of_run("study.winsorise"),
        imputation=imputation_of,
        code=code_hash("scripts/impute_training.py"),
    message:
        "impute the training rows once more: {wildcards.imputation} ({wildcards.study})"


rule detect_metadata:
    """Let SDV detect column types and tabulate them beside the codebook's, which are the ones used."""
    input:
        train="results/{study}/{run}/data/train.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        report(
            "results/{study}/{run}/tables/metadata.html",
            caption="../report/metadata.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "Metadata: detected and declared"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/metadata.{kind}"
            for kind in ("csv", "md", "tex")
        ],
        benchmark="results/{study}/{run}/benchmarks/detect_metadata.tsv",
    log:
        "results/{study}/{run}/logs/detect_metadata.log",
    conda:
        "../../envs/medsynth.yaml"
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        note=of_run("note"),
        code=code_hash("scripts/detect_metadata.py"),
    message:
        "detect the metadata of {wildcards.study}"
    script:
        "../../scripts/detect_metadata.py"
