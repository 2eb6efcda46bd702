"""Stage 5: scores, one job a stage, generator and seed. A stage is declared with its family (medsynth/scores/).

Needs: the partitions; synthetic tables, models, or training rows to fit on. Yields scores/<stage>/<generator>/seed<S>.csv
and replicates/<stage>/<generator>/seed<S>.parquet (the scores for other test persons), where <generator> may be a
reference row; plot_data/<generator>/seed<S>.json for what is no score but what figures need. All of them together are
scores.csv, where failed jobs stand as rows without a value, replicates.parquet and benchmarks.csv.
"""


rule score_table:
    """Score the synthetic tables of all epoch counts: utility, fidelity, detection, and what forests look at."""
    input:
        unpack(of("scored")),
    output:
        scores="results/{study}/{run}/scores/table/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/table/{generator}/seed{seed}.parquet",
        plot_data="results/{study}/{run}/plot_data/{generator}/seed{seed}.json",
        benchmark="results/{study}/{run}/benchmarks/table/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/table/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        study_seed=of("study.seed"),
        utility_rows=of("scale.utility_rows"),
        test_rows=of("scale.test_rows"),
        fidelity_rows=of("scale.fidelity_rows"),
        scored_epochs=of("scored_epochs"),
        shown_epochs=of("shown_epochs"),
        targets=of("study.targets"),
        explained=of("explained"),
        settings=of("score_settings"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/score_table.py", *scorings),
    message:
        "score {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_table.py"


rule score_cohorts:
    """Ask for every cohort of the study: does a generator meet the conditions, is it like the real cohort?"""
    input:
        unpack(of("drawn_from")),
    output:
        scores="results/{study}/{run}/scores/cohorts/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/cohorts/{generator}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/cohorts/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/cohorts/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        epochs=of("shown_epochs"),
        cohorts=of("asked_cohorts"),
        rows=of("scale.cohort_sample_rows"),
        subgroups=of("study.subgroups"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/score_cohorts.py"),
    message:
        "sample and score the cohorts of {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_cohorts.py"


rule score_attacks:
    """Fit a generator on half of the training rows and attack what it samples; or attack a control."""
    input:
        unpack(of("attacked")),
    output:
        scores="results/{study}/{run}/scores/attacks/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/attacks/{generator}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/attacks/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/attacks/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        settings=of("generator.settings"),
        epochs=of("shown_epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        sensitive=of("sensitive"),
        code=of.code("scripts/score_attacks.py"),
    message:
        "attack {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_attacks.py"


rule score_learning_curve:
    """Fit a generator on ever more training rows and score what it samples each time."""
    input:
        unpack(of("learning_curve_from")),
    output:
        scores="results/{study}/{run}/scores/learning_curve/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/learning_curve/{generator}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/learning_curve/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/learning_curve/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        settings=of("generator.settings"),
        epochs=of("shown_epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        learning_curve=of("study.learning_curve"),
        utility_rows=of("scale.utility_rows"),
        test_rows=of("scale.test_rows"),
        fidelity_rows=of("scale.fidelity_rows"),
        targets=of("study.targets"),
        code=of.code("scripts/score_learning_curve.py"),
    message:
        "fit {wildcards.generator} on fewer rows, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/score_learning_curve.py"


rule score_inference:
    """Fit the study's logistic model to one table of every model, and of refits to resamples where it asks for them."""
    input:
        unpack(of("inferred_from")),
    output:
        scores="results/{study}/{run}/scores/inference/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/inference/{generator}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/inference/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/inference/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        settings=of("generator.settings"),
        epochs=of("shown_epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        analysis=of("study.inference"),
        learned_from=of("learned_from"),
        proper=of("proper"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/score_inference.py"),
    message:
        "fit the logistic model to tables of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/score_inference.py"


rule score_coverage:
    """Fit a generator to many samples of the real rows: do intervals of the logistic model cover?"""
    input:
        unpack(of("first_partition")),
    output:
        scores="results/{study}/{run}/scores/coverage/{generator}/seed{seed}.csv",
        replicates="results/{study}/{run}/replicates/coverage/{generator}/seed{seed}.parquet",
        benchmark="results/{study}/{run}/benchmarks/coverage/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/coverage/{generator}-seed{seed}.log",
    conda:
        "../../envs/medsynth.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(720),
    params:
        study_seed=of("study.seed"),
        class_path=of("generator.class_path"),
        settings=of("generator.settings"),
        epochs=of("shown_epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        analysis=of("study.inference"),
        seeds=of("scale.seeds"),
        proper=of("proper"),
        samples=of("scale.coverage_samples"),
        rows=of("scale.coverage_rows"),
        minimum_cell_size=of("study.minimum_cell_size"),
        code=of.code("scripts/score_coverage.py"),
    message:
        "test the coverage of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/score_coverage.py"


rule gather_scores:
    """Put the scores of every model and reference row, and what they cost, into one long table."""
    input:
        unpack(of("gathered")),
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
        source=of("source"),
        scale=of("scale_name"),
        failures=of("failures"),
        splits=of("splits"),
        code=of.code("scripts/gather_scores.py"),
    message:
        "gather the scores of {wildcards.study}"
    script:
        "../../scripts/gather_scores.py"
