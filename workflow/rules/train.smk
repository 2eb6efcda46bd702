"""Stage 3: one training run a generator and seed; it passes through the models of all epoch counts.

Needs: data/train.parquet and data/codebook.json, or a generator's own in data/imputed/; files that its settings name;
the environment of its class in .environments/.
Yields: models/<generator>/seed<S>/epochs<E>/, with a model card (settings, data checksum, versions,
losses of every epoch) in each.
"""


rule train_generator:
    """Fit a generator on the training rows and keep its model at every epoch count."""
    input:
        unpack(training_of),
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
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        settings=of_generator("settings"),
        epochs=epochs_of,
        drawn_first=drawn_of("first"),
        drawn_last=drawn_of("last"),
        code=generator_code("scripts/train_generator.py"),
    message:
        "train {wildcards.generator}, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/train_generator.py"
