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
            "results/{study}/{run}/tables/runtime.html",
            caption="../report/runtime.rst",
            category="{study} ({run})",
            subcategory="4 Cost",
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
    """Draw one generator's columns and their associations against the real ones (Figures 3 and 4)."""
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
        epochs=epochs_of,
        code=code_hash("scripts/plot_evidence.py"),
    message:
        "draw distributions and associations of {wildcards.generator} ({wildcards.study})"
    script:
        "../../scripts/plot_evidence.py"
