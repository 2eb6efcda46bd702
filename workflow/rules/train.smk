"""Stage 3: one training run a generator and seed; it passes through the models of all epoch counts.

Needs: data/train.parquet and data/codebook.json, or a generator's own in data/imputed/; files that its settings name;
the environment of its class in .environments/ (of packages that cannot live beside the project's own), which is made
from envs/<environment>.txt, Python 3.11 and a package index, for all studies.
Yields: models/<generator>/seed<S>/epochs<E>/, with a model card (settings, data checksum, versions,
losses of every epoch) in each.

Generators whose seeds can be trained side by side in a fraction of the time (Generator.trains_together) are, where
these learn from the same rows; each seed takes its own models from there.
"""


rule train_together:
    """Fit a generator with all its seeds side by side."""
    input:
        unpack(of("trained_together_from")),
    output:
        models=directory("results/{study}/{run}/models/{generator}/together"),
        benchmark="results/{study}/{run}/benchmarks/train_together/{generator}.tsv",
    log:
        "results/{study}/{run}/logs/train_together/{generator}.log",
    priority: 10
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
        seeds=of("together"),
        epochs=of("epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        code=of.code("scripts/train_together.py"),
    message:
        "train {wildcards.generator}, all seeds ({wildcards.study})"
    script:
        "../../scripts/train_together.py"


rule train_generator:
    """Fit a generator on the training rows and keep its model at every epoch count."""
    input:
        unpack(of("trained_from")),
        # A seed that is added later leaves the models of the others as they are.
        together=ancient(of("models_together")),
    output:
        models=directory("results/{study}/{run}/models/{generator}/seed{seed}"),
        benchmark="results/{study}/{run}/benchmarks/train/{generator}-seed{seed}.tsv",
    log:
        "results/{study}/{run}/logs/train/{generator}-seed{seed}.log",
    priority: 10
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
        epochs=of("epochs"),
        visited_first=of("visited_first"),
        visited_last=of("visited_last"),
        code=of.code("scripts/train_generator.py"),
    message:
        "train {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/train_generator.py"


rule make_environment:
    """Install what a lock file names into an environment of its own."""
    input:
        lambda wildcards: lock_file(wildcards.environment),
    output:
        ".environments/{environment}/installed.txt",
    log:
        "results/logs/make_environment_{environment}.log",
    wildcard_constraints:
        environment="[a-z]+",
    localrule: True
    conda:
        "../../envs/medsynth.yaml"
    message:
        "make the environment {wildcards.environment}"
    script:
        "../../scripts/make_environment.py"
