"""Stage 5: every score of one synthetic table, or of one reference row, in one job.

Needs: the partitions and a synthetic table. Yields: scores/<generator>/epochs<E>/seed<S>.csv and, for what is no
score but what figures need, evidence/<generator>/epochs<E>/seed<S>.json; for studies that name cohorts, scores of what
generators draw under conditions; for generators that are attacked, what attacks find out about the half of the
training rows that they were fitted on; for studies that name sizes, scores of generators fitted on fewer training rows;
for studies with a logistic model, its estimates from every table and the coverage of intervals over samples of the
real rows.
"""


rule score_synthetic:
    """Score a synthetic table: utility, fidelity, detection, and what forests trained on it look at."""
    input:
        unpack(partitions_of),
        synthetic="results/{study}/{run}/synthetic/{generator}/epochs{epochs}/seed{seed}.parquet",
    output:
        scores="results/{study}/{run}/scores/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/{generator}/epochs{epochs}/seed{seed}.parquet",
        evidence="results/{study}/{run}/evidence/{generator}/epochs{epochs}/seed{seed}.json",
        benchmark="results/{study}/{run}/benchmarks/score/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/score/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        study_seed=of_run("study.seed"),
        utility_rows=of_run("scale.utility_rows"),
        test_rows=of_run("scale.test_rows"),
        fidelity_rows=of_run("scale.fidelity_rows"),
        importance_rows=of_run("scale.importance_rows"),
        targets=of_run_as_dict("study.targets"),
        explained=explained_of,
        subgroups=of_run_as_dict("study.subgroups"),
        least_patients=of_run("study.least_patients"),
        code=code_hash("scripts/score_table.py"),
    message:
        "score {wildcards.generator}, {wildcards.epochs} epochs, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_table.py"


use rule score_synthetic as score_reference with:
    input:
        unpack(partitions_of),
    output:
        scores="results/{study}/{run}/scores/{reference}/epochs0/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/{reference}/epochs0/seed{seed}.parquet",
        evidence="results/{study}/{run}/evidence/{reference}/epochs0/seed{seed}.json",
        benchmark="results/{study}/{run}/benchmarks/score/{reference}-epochs0-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/score/{reference}-epochs0-seed{seed}.log",
    message:
        "score the reference row {wildcards.reference}, seed {wildcards.seed} ({wildcards.study})"


rule score_cohorts:
    """Ask a generator for every cohort of the study: does it meet the conditions, is it like the real cohort?"""
    input:
        unpack(partitions_of),
        models="results/{study}/{run}/models/{generator}/seed{seed}",
    output:
        scores="results/{study}/{run}/scores/cohorts/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/cohorts/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/cohorts/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/cohorts/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        cohorts=asked_cohorts_of,
        rows=of_run("scale.cohort_sample_rows"),
        subgroups=of_run_as_dict("study.subgroups"),
        least_patients=of_run("study.least_patients"),
        code=generator_code("scripts/score_cohorts.py"),
    message:
        "draw and score the cohorts of {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_cohorts.py"


use rule score_cohorts as score_reference_cohorts with:
    input:
        unpack(partitions_of),
    output:
        scores="results/{study}/{run}/scores/cohorts/{reference}/epochs0/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/cohorts/{reference}/epochs0/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/cohorts/{reference}-epochs0-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/cohorts/{reference}-epochs0-seed{seed}.log",
    message:
        "score the cohorts of the reference row {wildcards.reference}, seed {wildcards.seed} ({wildcards.study})"


rule score_attacks:
    """Fit a generator on half of the training rows and attack what it draws."""
    input:
        unpack(fitted_of),
        unpack(anonymeter_of),
        unpack(partitions_of),
    output:
        scores="results/{study}/{run}/scores/attacks/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/attacks/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/attacks/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/attacks/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        settings=of_generator("settings"),
        drawn_first=drawn_of("first"),
        drawn_last=drawn_of("last"),
        sensitive=of_run("sensitive"),
        code=generator_code("scripts/score_attacks.py"),
    message:
        "attack {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_attacks.py"


use rule score_attacks as score_control_attacks with:
    input:
        unpack(anonymeter_of),
        unpack(partitions_of),
    output:
        scores="results/{study}/{run}/scores/attacks/{reference}/epochs0/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/attacks/{reference}/epochs0/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/attacks/{reference}-epochs0-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/attacks/{reference}-epochs0-seed{seed}.log",
    message:
        "attack the control {wildcards.reference}, seed {wildcards.seed} ({wildcards.study})"


rule score_sizes:
    """Fit a generator on ever more training rows and score what it draws each time."""
    input:
        unpack(fitted_of),
        unpack(partitions_of),
        synthetic="results/{study}/{run}/synthetic/{generator}/epochs{epochs}/seed{seed}.parquet",
    output:
        scores="results/{study}/{run}/scores/sizes/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/sizes/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/sizes/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/sizes/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        settings=of_generator("settings"),
        drawn_first=drawn_of("first"),
        drawn_last=drawn_of("last"),
        sizes=of_run("study.sizes"),
        utility_rows=of_run("scale.utility_rows"),
        test_rows=of_run("scale.test_rows"),
        fidelity_rows=of_run("scale.fidelity_rows"),
        targets=of_run_as_dict("study.targets"),
        code=generator_code("scripts/score_sizes.py"),
    message:
        "fit {wildcards.generator} on fewer rows, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_sizes.py"


use rule score_sizes as score_reference_sizes with:
    input:
        unpack(partitions_of),
    output:
        scores="results/{study}/{run}/scores/sizes/{reference}/epochs0/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/sizes/{reference}/epochs0/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/sizes/{reference}-epochs0-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/sizes/{reference}-epochs0-seed{seed}.log",
    message:
        "score fewer rows of the reference row {wildcards.reference}, seed {wildcards.seed} ({wildcards.study})"


rule score_coverage:
    """Fit a generator to many samples of the real rows: do intervals of the logistic model cover?"""
    input:
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        persons="results/{study}/{run}/data/persons.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        scores="results/{study}/{run}/scores/coverage/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/coverage/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/coverage/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/coverage/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(720),
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        settings=of_generator("settings"),
        drawn_first=drawn_of("first"),
        drawn_last=drawn_of("last"),
        analysis=of_run_as_dict("study.inference"),
        seeds=of_run("scale.seeds"),
        proper=proper_of,
        samples=of_run("scale.coverage_samples"),
        rows=of_run("scale.coverage_rows"),
        least_patients=of_run("study.least_patients"),
        code=generator_code("scripts/score_coverage.py"),
    message:
        "test the coverage of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/score_coverage.py"


rule score_inference:
    """Fit the study's logistic model to one table of every model, and of refits to resamples where it asks for them."""
    input:
        unpack(refitted_of),
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        persons="results/{study}/{run}/data/persons.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
        models=models_of,
    output:
        scores="results/{study}/{run}/scores/inference/{generator}/epochs{epochs}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/inference/{generator}/epochs{epochs}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/inference/{generator}-epochs{epochs}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/inference/{generator}-epochs{epochs}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(720),
    params:
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        settings=of_generator("settings"),
        drawn_first=drawn_of("first"),
        drawn_last=drawn_of("last"),
        analysis=of_run_as_dict("study.inference"),
        learned_from=learned_from,
        proper=proper_of,
        least_patients=of_run("study.least_patients"),
        code=generator_code("scripts/score_inference.py"),
    message:
        "fit the logistic model to tables of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/score_inference.py"


use rule score_inference as score_reference_inference with:
    input:
        train="results/{study}/{run}/data/train.parquet",
        test="results/{study}/{run}/data/test.parquet",
        persons="results/{study}/{run}/data/persons.parquet",
        codebook="results/{study}/{run}/data/codebook.json",
        imputations=imputations_of,
    output:
        scores="results/{study}/{run}/scores/inference/{reference}/epochs0/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/inference/{reference}/epochs0/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/inference/{reference}-epochs0-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/inference/{reference}-epochs0-seed{seed}.log",
    message:
        "fit the logistic model to the reference row {wildcards.reference} ({wildcards.study})"


ruleorder: score_reference > score_synthetic
ruleorder: score_reference_cohorts > score_cohorts
ruleorder: score_control_attacks > score_attacks
ruleorder: score_reference_sizes > score_sizes
ruleorder: score_reference_inference > score_inference
