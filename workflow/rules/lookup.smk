"""Where a rule finds what the configuration says of its wildcards.

Needs: RUNS (Snakefile). Yields: functions of wildcards for the rules' input, params and resources.
"""


def of_run(what):
    """Make a params function that reads an attribute path of the run, such as "study.seed"."""

    def look_up(wildcards):
        value = RUNS[wildcards.study]
        for attribute in what.split("."):
            value = getattr(value, attribute)
        return value

    return look_up


def of_run_as_dict(what):
    """Make a params function that gives a settings model of the run as plain values."""

    def look_up(wildcards):
        value = of_run(what)(wildcards)
        many = isinstance(value, list)
        plain = [v.model_dump(exclude_none=True) for v in (value if many else [value])]
        return plain if many else plain[0]

    return look_up


def of_generator(what):
    """Make a params function that reads an attribute of the generator's entry; None for a reference row."""

    def look_up(wildcards):
        generators = RUNS[wildcards.study].generators
        return getattr(generators.get(wildcards.get("generator")), what, None)

    return look_up


def generator_code(script):
    """Make a params function that hashes what a script and the generator's class rest on."""

    def look_up(wildcards):
        generator = wildcards.get("generator")
        if not generator:
            return code_hash(script)
        entry = RUNS[wildcards.study].generators[generator]
        return code_hash(script, generator_class(entry.class_path).__module__)

    return look_up


def growing(amount):
    """Make a resources function: the amount at the first attempt, twice and three times as much at the next two."""

    def look_up(wildcards, attempt):
        return amount * attempt

    return look_up


def training_of(wildcards):
    """Training rows that a generator's model of a seed learns from, and their codebook."""
    run = RUNS[wildcards.study]
    seed = int(wildcards.seed)
    imputation = run.imputation_of(wildcards.generator, seed)
    return run.training(wildcards.generator, imputation, seed)


def partitions_of(wildcards):
    """Partitions of a seed: training and test rows, whose they are, and the codebook that describes them."""
    folder = RUNS[wildcards.study].data_of(int(wildcards.seed))
    names = {name: f"{folder}/{name}.parquet" for name in ("train", "test", "persons")}
    return {**names, "codebook": f"{folder}/codebook.json"}


def learned_of(wildcards):
    """Training rows of a seed, for their number, and their codebook."""
    found = partitions_of(wildcards)
    return {name: found[name] for name in ("train", "codebook")}


def fitted_of(wildcards):
    """Training rows of a generator and their codebook, beside those of the study, and what else `fit` needs."""
    run = RUNS[wildcards.study]
    found = run.training(wildcards.generator, seed=int(wildcards.seed))
    return {
        "fitted": found.pop("train"),
        "fitted_codebook": found.pop("codebook"),
        **found,
    }


def anonymeter_of(wildcards):
    """Environment of Anonymeter; nothing if the study does not ask for it."""
    wanted = RUNS[wildcards.study].study.anonymeter
    return {"anonymeter": str(stamp_of("anonymeter"))} if wanted else {}


def imputation_of(wildcards):
    """How training rows are imputed: those of a generator its own way, the study's as the study says."""
    run, generator = RUNS[wildcards.study], wildcards.get("generator")
    how = run.generators[generator].imputation if generator else run.study.imputation
    return how.model_dump(exclude_none=True, exclude={"tables"})


def drawn_of(end):
    """Make a params function: columns that a generator draws first or last; none for one without an order."""

    def look_up(wildcards):
        return RUNS[wildcards.study].drawn(wildcards.get("generator"), end)

    return look_up


def asked_cohorts_of(wildcards):
    """Cohorts as a generator is asked for them, without the words that only tables and figures need."""
    return [
        cohort.model_dump(exclude={"title"})
        for cohort in RUNS[wildcards.study].study.cohorts
    ]


def deliverable_inputs_of(wildcards):
    """What a study's deliverable is made of: the raw tables it looks like, and the model that it is drawn from."""
    run = RUNS[wildcards.study]
    seed = run.scale.seeds[0]
    return {
        "raw": run.raw,
        "models": f"{run.folder}/models/{run.deliverable.generator}/seed{seed}",
    }


def epochs_of(wildcards):
    """Epoch counts at which a generator's models are kept."""
    return RUNS[wildcards.study].epochs_of(wildcards.generator)


def shown_of(wildcards):
    """Epoch count at which a generator is shown."""
    return RUNS[wildcards.study].shown(wildcards.generator)


def scores_of(wildcards):
    """Score files of every model and reference row of a run."""
    run = RUNS[wildcards.study]
    return [
        f"{run.folder}/scores/{kind}{name}/epochs{e}/seed{s}.csv"
        for kind, name, e, s in run.scored
    ]


def replicates_of(wildcards):
    """Replicates of the scores, one file beside each file of these."""
    run = RUNS[wildcards.study]
    return [
        f"{run.folder}/replicates/{kind}{name}/epochs{e}/seed{s}.parquet"
        for kind, name, e, s in run.scored
    ]


def evidence_of(wildcards):
    """Evidence files of a generator's models at the epoch count that is shown, one a seed."""
    run = RUNS[wildcards.study]
    last = run.shown(wildcards.generator)
    seeds = run.shown_seeds("", wildcards.generator)
    # One partition has one set of bins.
    return [
        f"{run.folder}/evidence/{wildcards.generator}/epochs{last}/seed{s}.json"
        for s in seeds
        if run.split_of(s) == run.split_of(seeds[0])
    ]


def explained_of(wildcards):
    """Targets whose forests are explained: of reference rows that stand beside, and at the epoch count that is shown."""
    run = RUNS[wildcards.study]
    if wildcards.get("reference"):
        shown = wildcards.reference in IMPORTANCE_REFERENCES
    else:
        shown = int(wildcards.epochs) == run.shown(wildcards.generator)
    return run.study.importance if shown else []


def importances_of(wildcards):
    """What figures of importances need besides a generator's evidence; nothing if the study explains no forest."""
    run = RUNS[wildcards.study]
    if not run.importance:
        return {}
    seed = run.shown_seeds("", "real")[0]
    real = f"{run.folder}/evidence/real/epochs0/seed{seed}.json"
    return {
        "scores": f"{run.folder}/scores.csv",
        "replicates": f"{run.folder}/replicates.parquet",
        "real": real,
    }


def models_of(wildcards):
    """Models of a generator, one folder a seed."""
    run = RUNS[wildcards.study]
    return [
        f"{run.folder}/models/{wildcards.generator}/seed{s}"
        for s in run.compared_seeds(wildcards.generator)
    ]


def refitted_of(wildcards):
    """What a generator is refitted on for its table of coefficients; nothing where the study does not ask for it."""
    run = RUNS[wildcards.study]
    if wildcards.generator not in run.study.inference.proper:
        return {}
    own_way = run.generators[wildcards.generator].imputation
    fitted = fitted_of(wildcards)
    return fitted | {"fitted": [fitted["fitted"]] if own_way else run.imputations}


def imputations_of(wildcards):
    """The study's training rows, one table an imputation."""
    return RUNS[wildcards.study].imputations


def learned_from(wildcards):
    """Number of the imputation that each model of a generator learned from; of a reference row, one a seed."""
    generator = wildcards.get("generator") or wildcards.reference
    return RUNS[wildcards.study].learned_from(generator)


def proper_of(wildcards):
    """Whether a generator is also refitted to bootstrap resamples of the training persons."""
    return wildcards.get("generator") in RUNS[wildcards.study].study.inference.proper


def cards_of(wildcards):
    """Model cards of a run's last models, by generator, one a seed."""
    run = RUNS[wildcards.study]
    return {
        g: [
            f"{run.folder}/models/{g}/seed{s}/epochs{run.epochs_of(g)[-1]}/model_card.json"
            for s in run.trained_seeds(g)
        ]
        for g in run.generators
    }


def benchmarks_of(wildcards):
    """Benchmark files of every job of a run but those that only write tables and figures."""
    run = RUNS[wildcards.study]
    names = ["clean_table", "prepare_partitions"]
    if run.source == "simulated":
        names += [f"simulate_cohort_{Path(raw).name.split('.')[0]}" for raw in run.raw]
    names += [f"impute_again-{i + 1}" for i in range(1, len(run.imputations))]
    names += [
        f"train/{g}-seed{s}" for g in run.generators for s in run.trained_seeds(g)
    ]
    names += [
        f"sample/{g}-epochs{e}-seed{s}"
        for g, e, s in run.models
        if not run.failure("sample", g, e, s)
    ]
    names += [
        f"{kind or 'score/'}{name}-epochs{e}-seed{s}" for kind, name, e, s in run.scored
    ]
    return [f"{run.folder}/benchmarks/{name}.tsv" for name in names]


def overview_of(wildcards):
    """What was run, in words for the overview table."""
    run = RUNS[wildcards.study]
    study, scale = run.study, run.scale
    return {
        "Study": study.title,
        "Re-makes": study.paper,
        "Data": run.note,
        "Scale": run.scale_name,
        "Rows used": str(scale.rows),
        "Test share": f"{study.test_share:.0%} of the persons",
        "Imputation": study.imputation.method,
        "Generators": ", ".join(entry.title for entry in run.generators.values()),
        "Epochs": ", ".join(map(str, sorted(scale.epochs))),
        "Seeds": ", ".join(map(str, scale.seeds)),
        "Study seed": str(study.seed),
        "Rows drawn from each model": "as many as training rows",
        "Rows that classifiers are trained on": f"all training rows; by the paper's protocol {scale.utility_rows:,}",
        "Rows that classifiers are tested on": f"{scale.test_rows:,} (at most)",
        "Rows a side for quality and detection": f"half of the test rows, at most {scale.fidelity_rows:,}",
    }


def facts_of(wildcards):
    """What tables depend on besides the scores; see `medsynth.reporting.catalogue.Facts`."""
    run = RUNS[wildcards.study]
    published = run.study.published
    return {
        "shown_epochs": run.scale.shown_epochs,
        "columns": run.columns,
        "cohorts": of_run_as_dict("study.cohorts")(wildcards),
        "row_rules": run.row_rules,
        "least_patients": run.study.least_patients,
        "guarantees": run.guarantees,
        "publication": published and published.model_dump(exclude_none=True),
        "run": {
            "dataset": run.study.dataset,
            "title": run.codebook.title,
            "source": run.source,
            "target": run.main_target,
        },
    }


def benchmark_results(wildcards):
    """Tables and figure of the benchmark."""
    try:
        folder = RUNS[BENCHMARK].folder
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return [f"{folder}/tables/growth.md", f"{folder}/figures/growth.png"]


def growth_size(what):
    """Make a params function: rows or columns of a cell; 0 for all columns."""

    def look_up(wildcards):
        if wildcards.axis == what:
            return int(wildcards.size)
        return RUNS[wildcards.study].growth.rows_of_columns if what == "rows" else 0

    return look_up


def smaller_cells(what):
    """Make an input function: costs of the smaller tables of a cell's generator, axis and seed."""

    def look_up(wildcards):
        run, axis = RUNS[wildcards.study], wildcards.axis
        smaller = [s for s in getattr(run.growth, axis) if s < int(wildcards.size)]
        cell = f"{wildcards.generator}-seed{wildcards.seed}-{what}.csv"
        return [f"{run.folder}/growth/{axis}{size}/{cell}" for size in smaller]

    return look_up


def growth_cells(wildcards):
    """Costs of all cells."""
    run = RUNS[wildcards.study]
    return [
        f"{run.folder}/growth/{axis}{size}/{generator}-seed{seed}-{what}.csv"
        for axis in ("rows", "columns")
        for size in getattr(run.growth, axis)
        for generator in run.generators
        for seed in run.scale.seeds
        for what in ("fit", "sample")
    ]
