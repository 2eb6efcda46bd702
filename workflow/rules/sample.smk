"""Stage 4: synthetic tables, decoded, in the clean table's columns, types and levels.

Needs: models/<generator>/seed<S>, data/codebook.json, data/train.parquet for the number of its rows. Yields: synthetic/<generator>/epochs<E>/seed<S>.parquet;
deliverable/ in the raw table's headers and codes, with a data dictionary, where a study wants one.
"""


rule sample_table:
    """Draw a synthetic table from a model and check it against the codebook."""
    input:
        unpack(learned_of),
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
        study_seed=of_run("study.seed"),
        class_path=of_generator("class_path"),
        code=generator_code("scripts/sample_table.py"),
    message:
        "draw from {wildcards.generator}, {wildcards.epochs} epochs, seed {wildcards.seed} ({wildcards.study})"
    script:
        "../../scripts/sample_table.py"


for handed_over in [run for run in RUNS.values() if run.deliverable]:

    rule:
        name:
            f"write_deliverable_{handed_over.study.name}"
        input:
            unpack(deliverable_inputs_of),
            codebook=handed_over.codebook_path,
            prepared="results/{study}/{run}/data/codebook.json",
            clean="results/{study}/{run}/data/clean.parquet",
            cleaning="results/{study}/{run}/data/cleaning.csv",
        output:
            tables=[
                f"results/{{study}}/{{run}}/deliverable/{Path(path).name}"
                for path in handed_over.deliverables[:-1]
            ],
            dictionary=report(
                f"results/{{study}}/{{run}}/deliverable/{Path(handed_over.deliverables[-1]).name}",
                caption="../report/deliverable.rst",
                category="{study} ({run})",
                subcategory="1 Data",
                labels={"what": "Dictionary of the synthetic table"},
            ),
            csv=f"results/{{study}}/{{run}}/deliverable/{Path(handed_over.deliverables[-1]).stem}.csv",
            benchmark="results/{study}/{run}/benchmarks/write_deliverable.tsv",
        log:
            "results/{study}/{run}/logs/write_deliverable.log",
        wildcard_constraints:
            study=handed_over.study.name,
        conda:
            "../../envs/medsynth.yaml"
        threads: 1
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            study_seed=of_run("study.seed"),
            least_patients=of_run("study.least_patients"),
            deliverable=of_run_as_dict("deliverable"),
            class_path=handed_over.generators[
                handed_over.deliverable.generator
            ].class_path,
            title=handed_over.generators[handed_over.deliverable.generator].title,
            epochs=handed_over.epochs_of(handed_over.deliverable.generator)[-1],
            seed=handed_over.scale.seeds[0],
            note=of_run("note"),
            code=code_hash(
                "scripts/write_deliverable.py",
                "medsynth.preparation.transforms",
                generator_class(
                    handed_over.generators[
                        handed_over.deliverable.generator
                    ].class_path
                ).__module__,
            ),
        message:
            "write the deliverable of {wildcards.study}"
        script:
            "../../scripts/write_deliverable.py"
