"""Stage 7: tables, figures and their captions in the report.

Needs: scores.csv, benchmarks.csv, evidence/, model cards, data/*.csv. Yields: tables/*.{csv,md,tex,html},
figures/*.{png,pdf}. What a study shows decides the outputs of its rules; a caption lies in workflow/report/<name>.rst.
"""

# Table -> section of the report and label there.
TABLES = {
    "published_vs_reproduced": (
        "0 Published against ours",
        "Published against reproduced",
    ),
    "failures": ("0 Failed jobs", "Failed jobs, left out"),
    "overview": ("1 Data", "What was run"),
    "cleaning": ("1 Data", "Cleaning"),
    "preparation": ("1 Data", "Partitions and imputation"),
    "scaling": ("1 Data", "Moments before and after scaling"),
    "utility": ("2 Utility", "Table 1: train on synthetic, test on real"),
    "importance": ("2 Utility", "Importance: agreement with real-trained forests"),
    "quality": ("3 Fidelity", "Table 2: quality and detection"),
    "detection": ("3 Fidelity", "Detection by number of rows"),
    "precision_recall": (
        "3 Fidelity",
        "Alpha-precision, beta-recall, three-way marginals",
    ),
    "moments": ("3 Fidelity", "Table 3: moments"),
    "inference": ("2 Utility", "Inference: coefficients of a logistic model"),
    "coverage": ("2 Utility", "Inference: coverage and type I error"),
    "fairness": ("2 Utility", "Fairness: subgroups"),
    "columns": ("3 Fidelity", "Scores of each column"),
    "violations": ("3 Fidelity", "Impossible rows"),
    "conditional": ("4 Conditions", "Cohorts drawn under conditions"),
    "privacy": ("5 Privacy", "Attacks"),
    "sizes": ("8 Sizes", "Scores by number of training rows"),
    "runtime": ("7 Cost", "Time and memory of every step"),
}
# Kind of figure -> the same.
FIGURES = {
    "accuracy": ("2 Utility", "Figure 2: accuracy against epochs"),
    "importances": ("2 Utility", "SHAP: what forests look at"),
    "inference": ("2 Utility", "Inference: forest plot"),
    "distributions": ("3 Fidelity", "Figure 3: distributions"),
    "associations": ("3 Fidelity", "Associations"),
    "pairs": ("3 Fidelity", "Figure 4: pairs of numeric columns"),
    "detection": ("3 Fidelity", "Detection by number of rows"),
    "spread": ("3 Fidelity", "Standard deviation against quality"),
    "conditions": ("4 Conditions", "Figures 8 and 9: success matrices"),
    "privacy_trade": ("5 Privacy", "Fidelity against privacy"),
    "privacy_dial": ("5 Privacy", "One setting from copying to collapse"),
    "privacy_curve": ("5 Privacy", "Scores against epsilon"),
    "losses": ("6 Training", "Losses by epoch"),
    "architecture": ("6 Training", "Figures 6 and 7: architecture"),
    "sizes": ("8 Sizes", "Scores against the number of training rows"),
}


def tables_of(run):
    """Names of a run's tables."""
    wanted = {
        "published_vs_reproduced": run.study.published,
        "failures": run.failures,
        "importance": run.importance,
        "inference": run.inferred,
        "coverage": run.covered,
        "fairness": run.study.subgroups,
        "violations": run.row_rules,
        "conditional": run.conditional,
        "privacy": run.attacked,
        "sizes": run.sized,
    }
    return [name for name in TABLES if wanted.get(name, True)]


def figures_of_study(run):
    """Kind of every figure that one job draws for the whole run, and whom it shows: target, generator or nobody."""
    return [
        *(("accuracy", target.name) for target in run.study.targets),
        ("spread", ""),
        ("detection", ""),
        *([("sizes", "")] if run.sized else []),
        *([("inference", "")] if run.inferred else []),
        *([("privacy_trade", "")] if run.attacked else []),
        *([("privacy_dial", "")] if len(run.dialled) > 1 else []),
        *([("privacy_curve", "")] if len(run.budgets) > 1 else []),
        *(("conditions", g) for g in run.conditional if run.shown_seeds("cohorts/", g)),
        *(("losses", g) for g in run.with_trait("has_losses") if run.trained_seeds(g)),
        *(
            ("architecture", g)
            for g in run.with_trait("has_architecture")
            if run.trained_seeds(g)
        ),
    ]


def figures_of_generator(run):
    """Kind of every figure that each generator gets, and the target that it is about, if any."""
    return [
        ("distributions", ""),
        ("associations", ""),
        *([("pairs", "")] if run.in_pairs else []),
        *(("importances", target.name) for target in run.explained),
    ]


def file_name(*words):
    """Put the words of a figure's name together, without empty ones."""
    return "_".join(filter(None, words))


def shown_table(name):
    """A table as HTML, in its section of the report."""
    section, label = TABLES[name]
    return report(
        f"results/{{study}}/{{run}}/tables/{name}.html",
        caption=f"../report/{name}.rst",
        category="{study} ({run})",
        subcategory=section,
        labels={"what": label},
    )


def shown_figure(name, kind, labels):
    """A figure as PNG, in its section of the report; `labels` may be a function of the wildcards."""
    return report(
        f"results/{{study}}/{{run}}/figures/{name}.png",
        caption=f"../report/{kind}.rst",
        category="{study} ({run})",
        subcategory=FIGURES[kind][0],
        labels=labels,
    )


def labels_of(run, kind, generator=None, target=None):
    """What a figure shows, of whom, at which epoch count."""
    labels = {"what": ", ".join(filter(None, [FIGURES[kind][1], target]))}
    if generator:
        labels["generator"] = run.generators[generator].title
        labels["epochs"] = str(run.shown(generator) or "–")
    return labels


def labels_of_generator(run, kind, target):
    """Make a labels function for a figure that each generator gets."""
    return lambda wildcards: labels_of(run, kind, wildcards.generator, target)


def tables_and_figures(study):
    """Everything that the report shows of a study."""
    run = RUNS[study]
    tables = [*tables_of(run), *(["metadata"] if run.study.detect_metadata else [])]
    figures = [file_name(*figure) for figure in figures_of_study(run)]
    figures += [
        file_name(kind, generator, target)
        for kind, target in figures_of_generator(run)
        for generator in run.drawable
    ]
    return [
        f"{run.folder}/scores.csv",
        *run.deliverables,
        *(f"{run.folder}/tables/{name}.html" for name in tables),
        *(f"{run.folder}/figures/{name}.png" for name in figures),
    ]


for shown in RUNS.values():

    rule:
        name:
            f"make_tables_{shown.study.name}"
        input:
            scores="results/{study}/{run}/scores.csv",
            replicates="results/{study}/{run}/replicates.parquet",
            benchmarks="results/{study}/{run}/benchmarks.csv",
            cleaning="results/{study}/{run}/data/cleaning.csv",
            preparation="results/{study}/{run}/data/preparation.csv",
            scaling="results/{study}/{run}/data/scaling.csv",
            provenance="results/{study}/{run}/data/provenance.json",
            lock="envs/requirements.txt",
        output:
            [shown_table(name) for name in tables_of(shown)],
            [
                f"results/{{study}}/{{run}}/tables/{name}.{kind}"
                for name in tables_of(shown)
                for kind in ("csv", "md", "tex")
            ],
            benchmark="results/{study}/{run}/benchmarks/make_tables.tsv",
        log:
            "results/{study}/{run}/logs/make_tables.log",
        wildcard_constraints:
            study=shown.study.name,
        conda:
            "../../envs/medsynth.yaml"
        params:
            note=of_run("note"),
            styles=of_run("styles"),
            test_over_train=of_run("test_over_train"),
            overview=overview_of,
            facts=facts_of,
            code=code_hash("scripts/make_tables.py"),
        message:
            "write the tables of {wildcards.study}"
        script:
            "../../scripts/make_tables.py"

    rule:
        name:
            f"draw_study_{shown.study.name}"
        input:
            scores="results/{study}/{run}/scores.csv",
            replicates="results/{study}/{run}/replicates.parquet",
            preparation="results/{study}/{run}/data/preparation.csv",
            models=[
                f"{shown.folder}/models/{generator}/seed{seed}"
                for generator in shown.with_trait("has_losses", "has_architecture")
                for seed in shown.trained_seeds(generator)
            ],
        output:
            png=[
                shown_figure(
                    file_name(kind, of),
                    kind,
                    labels_of(
                        shown,
                        kind,
                        **{"generator" if of in shown.generators else "target": of},
                    ),
                )
                for kind, of in figures_of_study(shown)
            ],
            pdf=[
                f"results/{{study}}/{{run}}/figures/{file_name(*figure)}.pdf"
                for figure in figures_of_study(shown)
            ],
            benchmark="results/{study}/{run}/benchmarks/draw_study.tsv",
        log:
            "results/{study}/{run}/logs/draw_study.log",
        wildcard_constraints:
            study=shown.study.name,
        conda:
            "../../envs/medsynth.yaml"
        params:
            note=of_run("note"),
            styles=of_run("styles"),
            test_over_train=of_run("test_over_train"),
            cohorts=of_run_as_dict("study.cohorts"),
            main_target=of_run("main_target"),
            outcome=of_run("outcome"),
            dial=of_run("study.dial"),
            dialled=of_run("dialled"),
            budgets=of_run("budgets"),
            guarantees=of_run("guarantees"),
            figures=figures_of_study(shown),
            cards=cards_of,
            code=code_hash("scripts/draw_study.py"),
        message:
            "draw the figures of {wildcards.study}"
        script:
            "../../scripts/draw_study.py"

    rule:
        name:
            f"draw_generator_{shown.study.name}"
        input:
            unpack(importances_of),
            evidence=evidence_of,
            codebook="results/{study}/{run}/data/codebook.json",
        output:
            png=[
                shown_figure(
                    file_name(kind, "{generator}", target),
                    kind,
                    labels_of_generator(shown, kind, target),
                )
                for kind, target in figures_of_generator(shown)
            ],
            pdf=[
                f"results/{{study}}/{{run}}/figures/{file_name(kind, '{generator}', target)}.pdf"
                for kind, target in figures_of_generator(shown)
            ],
            benchmark="results/{study}/{run}/benchmarks/draw_generator/{generator}.tsv",
        log:
            "results/{study}/{run}/logs/draw_generator_{generator}.log",
        wildcard_constraints:
            study=shown.study.name,
            generator="|".join(shown.generators),
        conda:
            "../../envs/medsynth.yaml"
        params:
            note=of_run("note"),
            test_over_train=of_run("test_over_train"),
            title=of_generator("title"),
            colour=of_generator("colour"),
            epochs=shown_of,
            code=code_hash("scripts/draw_generator.py"),
        message:
            "draw the figures of {wildcards.generator} ({wildcards.study})"
        script:
            "../../scripts/draw_generator.py"
