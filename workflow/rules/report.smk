"""Stage 7: tables, figures and their captions in the report.

Needs: scores.csv, benchmarks.csv, evidence/, data/*.csv. Yields: tables/*.{csv,md,tex,html}, figures/*.{png,pdf}.
"""


rule make_tables:
    """Write every table: numbers as csv, for reading as Markdown, LaTeX and HTML."""
    input:
        scores="results/{study}/{run}/scores.csv",
        benchmarks="results/{study}/{run}/benchmarks.csv",
        cleaning="results/{study}/{run}/data/cleaning.csv",
        preparation="results/{study}/{run}/data/preparation.csv",
        scaling="results/{study}/{run}/data/scaling.csv",
        provenance="results/{study}/{run}/data/provenance.json",
        lock="envs/requirements.txt",
    output:
        report(
            "results/{study}/{run}/tables/overview.html",
            caption="../report/overview.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "What was run"},
        ),
        report(
            "results/{study}/{run}/tables/cleaning.html",
            caption="../report/cleaning.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "Cleaning"},
        ),
        report(
            "results/{study}/{run}/tables/preparation.html",
            caption="../report/preparation.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "Partitions and imputation"},
        ),
        report(
            "results/{study}/{run}/tables/utility.html",
            caption="../report/utility.rst",
            category="{study} ({run})",
            subcategory="2 Utility",
            labels={"what": "Table 1: train on synthetic, test on real"},
        ),
        report(
            "results/{study}/{run}/tables/quality.html",
            caption="../report/quality.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels={"what": "Table 2: quality and detection"},
        ),
        report(
            "results/{study}/{run}/tables/moments.html",
            caption="../report/moments.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels={"what": "Table 3: moments"},
        ),
        report(
            "results/{study}/{run}/tables/columns.html",
            caption="../report/columns.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels={"what": "Scores of each column"},
        ),
        report(
            "results/{study}/{run}/tables/scaling.html",
            caption="../report/scaling.rst",
            category="{study} ({run})",
            subcategory="1 Data",
            labels={"what": "Moments before and after scaling"},
        ),
        report(
            "results/{study}/{run}/tables/runtime.html",
            caption="../report/runtime.rst",
            category="{study} ({run})",
            subcategory="7 Cost",
            labels={"what": "Time and memory of every step"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/{table}.{kind}"
            for table in TABLES
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_tables.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        shown_epochs=of_run("scale.shown_epochs"),
        columns=of_run("columns"),
        overview=overview_of,
        code=code_hash("scripts/make_tables.py"),
    message:
        "write the tables of {wildcards.study}"
    script:
        "../../scripts/make_tables.py"


rule plot_accuracy:
    """Draw accuracy against epochs, one panel a generator (the Med-VAE paper's Figure 2)."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        png=report(
            "results/{study}/{run}/figures/accuracy_{target}.png",
            caption="../report/accuracy.rst",
            category="{study} ({run})",
            subcategory="2 Utility",
            labels={"what": "Figure 2: accuracy against epochs, {target}"},
        ),
        pdf="results/{study}/{run}/figures/accuracy_{target}.pdf",
    log:
        "results/{study}/{run}/logs/plot_accuracy_{target}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        code=code_hash("scripts/plot_accuracy.py"),
    message:
        "draw accuracy against epochs for {wildcards.target} ({wildcards.study})"
    script:
        "../../scripts/plot_accuracy.py"


rule plot_evidence:
    """Draw one generator's columns and their associations against the real ones (Figure 3)."""
    input:
        evidence=evidence_of,
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        distributions=report(
            "results/{study}/{run}/figures/distributions_{generator}.png",
            caption="../report/distributions.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels=figure_labels("Figure 3: distributions"),
        ),
        associations=report(
            "results/{study}/{run}/figures/associations_{generator}.png",
            caption="../report/associations.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels=figure_labels("Associations"),
        ),
        pdf=[
            "results/{study}/{run}/figures/distributions_{generator}.pdf",
            "results/{study}/{run}/figures/associations_{generator}.pdf",
        ],
    log:
        "results/{study}/{run}/logs/plot_evidence_{generator}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        colour=of_generator("colour"),
        epochs=shown_of,
        code=code_hash("scripts/plot_evidence.py"),
    message:
        "draw distributions and associations of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_evidence.py"


rule make_conditional_table:
    """Write how generators meet conditions, and how faithful their cohorts are."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        report(
            "results/{study}/{run}/tables/conditional.html",
            caption="../report/conditional.rst",
            category="{study} ({run})",
            subcategory="4 Conditions",
            labels={"what": "Cohorts drawn under conditions"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/conditional.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_conditional_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        cohorts=of_run_as_dict("study.cohorts"),
        code=code_hash("scripts/make_conditional_table.py"),
    message:
        "write the conditional table of {wildcards.study}"
    script:
        "../../scripts/make_conditional_table.py"


rule make_privacy_table:
    """Write how much nearer synthetic rows are to the rows that a generator saw."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        report(
            "results/{study}/{run}/tables/privacy.html",
            caption="../report/privacy.rst",
            category="{study} ({run})",
            subcategory="5 Privacy",
            labels={"what": "Memorisation"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/privacy.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_privacy_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        code=code_hash("scripts/make_privacy_table.py"),
    message:
        "write the privacy table of {wildcards.study}"
    script:
        "../../scripts/make_privacy_table.py"


rule make_importance_table:
    """Write how well importances of synthetic-trained forests agree with those of real-trained ones."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        report(
            "results/{study}/{run}/tables/importance.html",
            caption="../report/importance.rst",
            category="{study} ({run})",
            subcategory="2 Utility",
            labels={"what": "Importance: agreement with real-trained forests"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/importance.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_importance_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        code=code_hash("scripts/make_importance_table.py"),
    message:
        "write the importance table of {wildcards.study}"
    script:
        "../../scripts/make_importance_table.py"


rule make_sizes_table:
    """Write how scores depend on the number of training rows."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        report(
            "results/{study}/{run}/tables/sizes.html",
            caption="../report/sizes.rst",
            category="{study} ({run})",
            subcategory="8 Sizes",
            labels={"what": "Scores by number of training rows"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/sizes.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_sizes_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        code=code_hash("scripts/make_sizes_table.py"),
    message:
        "write scores by number of training rows ({wildcards.study})"
    script:
        "../../scripts/make_sizes_table.py"


rule plot_sizes:
    """Draw scores against the number of training rows."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        png=report(
            "results/{study}/{run}/figures/sizes.png",
            caption="../report/sizes.rst",
            category="{study} ({run})",
            subcategory="8 Sizes",
            labels={"what": "Scores against the number of training rows"},
        ),
        pdf="results/{study}/{run}/figures/sizes.pdf",
    log:
        "results/{study}/{run}/logs/plot_sizes.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        target=of_run("main_target"),
        code=code_hash("scripts/plot_sizes.py"),
    message:
        "draw scores against the number of training rows ({wildcards.study})"
    script:
        "../../scripts/plot_sizes.py"


rule plot_importance:
    """Draw what forests trained on real and on one generator's rows look at (SHAP beeswarm and bars)."""
    input:
        scores="results/{study}/{run}/scores.csv",
        real=importance_evidence_of("real"),
        synthetic=importance_evidence_of(None),
    output:
        png=report(
            "results/{study}/{run}/figures/importance_{generator}_{target}.png",
            caption="../report/importance_figure.rst",
            category="{study} ({run})",
            subcategory="2 Utility",
            labels=figure_labels("SHAP: what forests look at, {target}"),
        ),
        pdf="results/{study}/{run}/figures/importance_{generator}_{target}.pdf",
    log:
        "results/{study}/{run}/logs/plot_importance_{generator}_{target}.log",
    # Both names may have underscores: spelt out, they cannot be taken apart in the wrong place.
    wildcard_constraints:
        generator="|".join(sorted({g for run in RUNS.values() for g in run.generators})),
        target="|".join(
            sorted({t.name for r in RUNS.values() for t in r.study.targets})
        ),
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        colour=of_generator("colour"),
        epochs=shown_of,
        code=code_hash("scripts/plot_importance.py"),
    message:
        "draw what forests of {wildcards.generator} look at for {wildcards.target} ({wildcards.study})"
    script:
        "../../scripts/plot_importance.py"


rule make_published_table:
    """Put the paper's numbers and claims beside ours, with a verdict by rule."""
    input:
        scores="results/{study}/{run}/scores.csv",
        preparation="results/{study}/{run}/data/preparation.csv",
        provenance="results/{study}/{run}/data/provenance.json",
    output:
        report(
            "results/{study}/{run}/tables/published_vs_reproduced.html",
            caption="../report/published.rst",
            category="{study} ({run})",
            subcategory="0 Published against ours",
            labels={"what": "Published against reproduced"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/published_vs_reproduced.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_published_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        publication=of_run_as_dict("study.published"),
        run=published_of,
        code=code_hash("scripts/make_published_table.py"),
    message:
        "compare {wildcards.study} with what was published"
    script:
        "../../scripts/make_published_table.py"


rule make_violations_table:
    """Write how often rows break the row rules of the codebook."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        report(
            "results/{study}/{run}/tables/violations.html",
            caption="../report/violations.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels={"what": "Impossible rows"},
        ),
        [
            f"results/{{study}}/{{run}}/tables/violations.{kind}"
            for kind in ("csv", "md", "tex")
        ],
    log:
        "results/{study}/{run}/logs/make_violations_table.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        shown_epochs=of_run("scale.shown_epochs"),
        rules=of_run("row_rules"),
        code=code_hash("scripts/make_violations_table.py"),
    message:
        "write the violations of row rules in {wildcards.study}"
    script:
        "../../scripts/make_violations_table.py"


rule plot_pairs:
    """Draw pairs of numeric columns, real and synthetic (the Med-VAE paper's Figure 4)."""
    input:
        evidence=evidence_of,
        codebook="results/{study}/{run}/data/codebook.json",
    output:
        png=report(
            "results/{study}/{run}/figures/pairs_{generator}.png",
            caption="../report/pairs.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels=figure_labels("Figure 4: pairs of numeric columns"),
        ),
        pdf="results/{study}/{run}/figures/pairs_{generator}.pdf",
    log:
        "results/{study}/{run}/logs/plot_pairs_{generator}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        colour=of_generator("colour"),
        epochs=shown_of,
        code=code_hash("scripts/plot_pairs.py"),
    message:
        "draw pairs of numeric columns of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_pairs.py"


rule plot_cohorts:
    """Draw the success matrices of conditional generation (the Med-VAE paper's Figures 8 and 9)."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        png=report(
            "results/{study}/{run}/figures/conditions_{generator}.png",
            caption="../report/conditions.rst",
            category="{study} ({run})",
            subcategory="4 Conditions",
            labels=figure_labels("Figures 8 and 9: success matrices"),
        ),
        pdf="results/{study}/{run}/figures/conditions_{generator}.pdf",
    log:
        "results/{study}/{run}/logs/plot_cohorts_{generator}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        cohorts=of_run_as_dict("study.cohorts"),
        code=code_hash("scripts/plot_cohorts.py"),
    message:
        "draw the success matrices of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_cohorts.py"


rule plot_training:
    """Draw losses by epoch from the model cards."""
    input:
        models=models_of,
    output:
        png=report(
            "results/{study}/{run}/figures/losses_{generator}.png",
            caption="../report/losses.rst",
            category="{study} ({run})",
            subcategory="6 Training",
            labels=figure_labels("Losses by epoch"),
        ),
        pdf="results/{study}/{run}/figures/losses_{generator}.pdf",
    log:
        "results/{study}/{run}/logs/plot_training_{generator}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        colour=of_generator("colour"),
        epochs=epochs_of,
        code=code_hash("scripts/plot_training.py"),
    message:
        "draw the losses of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_training.py"


rule plot_architecture:
    """Draw a generator's networks (the Med-VAE paper's Figures 6 and 7)."""
    input:
        models=first_models_of,
    output:
        png=report(
            "results/{study}/{run}/figures/architecture_{generator}.png",
            caption="../report/architecture.rst",
            category="{study} ({run})",
            subcategory="6 Training",
            labels=figure_labels("Figures 6 and 7: architecture"),
        ),
        pdf="results/{study}/{run}/figures/architecture_{generator}.pdf",
    log:
        "results/{study}/{run}/logs/plot_architecture_{generator}.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        title=of_generator("title"),
        epochs=shown_of,
        code=code_hash("scripts/plot_architecture.py"),
    message:
        "draw the networks of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_architecture.py"


rule plot_spread:
    """Draw the synthetic standard deviation against quality."""
    input:
        scores="results/{study}/{run}/scores.csv",
    output:
        png=report(
            "results/{study}/{run}/figures/spread.png",
            caption="../report/spread.rst",
            category="{study} ({run})",
            subcategory="3 Fidelity",
            labels={"what": "Standard deviation against quality"},
        ),
        pdf="results/{study}/{run}/figures/spread.pdf",
    log:
        "results/{study}/{run}/logs/plot_spread.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        note=of_run("note"),
        styles=of_run("styles"),
        code=code_hash("scripts/plot_spread.py"),
    message:
        "draw spread against quality ({wildcards.study})"
    script:
        "../../scripts/plot_spread.py"
