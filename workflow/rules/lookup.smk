"""Where a rule finds what the configuration says of its wildcards.

Needs: RUNS (Snakefile). Yields: functions of wildcards for the rules' input and params.
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
    """Make a params function that reads an attribute of the generator's entry."""

    def look_up(wildcards):
        return getattr(RUNS[wildcards.study].generators[wildcards.generator], what)

    return look_up


def generator_code(script):
    """Make a params function that hashes what a script and the generator's class rest on."""

    def look_up(wildcards):
        entry = RUNS[wildcards.study].generators[wildcards.generator]
        return code_hash(script, entry.class_path.rpartition(".")[0])

    return look_up


def epochs_of(wildcards):
    """Epoch counts at which a generator's models are kept."""
    return RUNS[wildcards.study].epochs_of(wildcards.generator)


def scores_of(wildcards):
    """Score files of every model and reference row of a run."""
    run = RUNS[wildcards.study]
    paths = [f"{run.folder}/scores/{g}/epochs{e}/seed{s}.csv" for g, e, s in run.models]
    return paths + [
        f"{run.folder}/scores/{r}/epochs0/seed{s}.csv"
        for r in REFERENCE_ROWS
        for s in run.scale.seeds
    ]


def evidence_of(wildcards):
    """Evidence files of a generator's models at its largest epoch count, one a seed."""
    run = RUNS[wildcards.study]
    last = run.epochs_of(wildcards.generator)[-1]
    return [
        f"{run.folder}/evidence/{wildcards.generator}/epochs{last}/seed{s}.json"
        for s in run.scale.seeds
    ]


def benchmarks_of(wildcards):
    """Benchmark files of every job of a run but those that only write tables and figures."""
    run = RUNS[wildcards.study]
    names = ["clean_table", "prepare_partitions"]
    names += [f"train/{g}-seed{s}" for g in run.generators for s in run.scale.seeds]
    names += [
        f"{stage}/{g}-epochs{e}-seed{s}"
        for stage in ("sample", "score")
        for g, e, s in run.models
    ]
    names += [
        f"score/{r}-epochs0-seed{s}" for r in REFERENCE_ROWS for s in run.scale.seeds
    ]
    return [f"{run.folder}/benchmarks/{name}.tsv" for name in names]


def tables_and_figures(study):
    """Everything that the report shows of a study."""
    folder = RUNS[study].folder
    tables = []
    figures = []

    return [
        f"{folder}/scores.csv",
        *(f"{folder}/tables/{name}.html" for name in tables),
        *(f"{folder}/figures/{name}.png" for name in figures),
    ]
