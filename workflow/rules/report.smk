"""Stage 6: tables, figures and the summary page. What a study has of them, the families of scores declare.

Needs: scores.csv, replicates.parquet, benchmarks.csv, plot_data/, model cards, data/*.csv. Yields facts.json,
tables/<table>.{csv,md,tex,html}, figures/<figure>.{png,pdf}, summary.html and results/index.html.
"""


rule write_facts:
    """Write what tables, figures and summary need besides files: the report would repeat it beside each of them."""
    output:
        facts="results/{study}/{run}/facts.json",
    log:
        "results/{study}/{run}/logs/write_facts.log",
    localrule: True
    conda:
        "../../envs/medsynth.yaml"
    params:
        facts=of("facts"),
        code=of.code("scripts/write_facts.py"),
    message:
        "write down the facts of {wildcards.study}"
    script:
        "../../scripts/write_facts.py"


rule make_tables:
    """Write every table of a study."""
    input:
        unpack(of("tabled")),
        facts="results/{study}/{run}/facts.json",
    output:
        tables=report(
            directory("results/{study}/{run}/tables"),
            patterns=["{table}.html"],
            caption="../report/table.rst",
            category="{study} ({run})",
            subcategory=of.section,
            labels=of.labels,
        ),
        benchmark="results/{study}/{run}/benchmarks/make_tables.tsv",
    log:
        "results/{study}/{run}/logs/make_tables.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        tables=of("tables"),
        note=of("note"),
        trained=of("trained"),
        test_over_train=of("test_over_train"),
        versions=of("versions"),
        code=of.code("scripts/make_tables.py", *families),
    message:
        "write the tables of {wildcards.study}"
    script:
        "../../scripts/make_tables.py"


rule draw_figures:
    """Draw every figure of a study."""
    input:
        unpack(of("drawn")),
        facts="results/{study}/{run}/facts.json",
    output:
        figures=report(
            directory("results/{study}/{run}/figures"),
            patterns=["{figure}.png"],
            caption="../report/figure.rst",
            category="{study} ({run})",
            subcategory=of.section,
            labels=of.labels,
        ),
        benchmark="results/{study}/{run}/benchmarks/draw_figures.tsv",
    log:
        "results/{study}/{run}/logs/draw_figures.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        figures=of("figures"),
        note=of("note"),
        cards=of("cards"),
        plot_data=of("plot_data"),
        test_over_train=of("test_over_train"),
        code=of.code("scripts/draw_figures.py", *families),
    message:
        "draw the figures of {wildcards.study}"
    script:
        "../../scripts/draw_figures.py"


rule write_summary:
    """Write the page on which a study is read from top to bottom."""
    input:
        tables="results/{study}/{run}/tables",
        figures="results/{study}/{run}/figures",
        facts="results/{study}/{run}/facts.json",
    output:
        summary=report(
            "results/{study}/{run}/summary.html",
            caption="../report/summary.rst",
            category="{study} ({run})",
            subcategory="0 Summary",
            labels={"what": "Summary"},
        ),
        benchmark="results/{study}/{run}/benchmarks/write_summary.tsv",
    log:
        "results/{study}/{run}/logs/write_summary.log",
    conda:
        "../../envs/medsynth.yaml"
    params:
        tables=of("tables"),
        figures=of("figures"),
        note=of("note"),
        summarised=of("summarised"),
        look=of("look"),
        code=of.code("scripts/write_summary.py", *families),
    message:
        "write the summary of {wildcards.study}"
    script:
        "../../scripts/write_summary.py"


rule write_index:
    """Link the summaries of all studies."""
    input:
        [run.summary for run in RUNS.values()],
    output:
        index="results/index.html",
    log:
        "results/logs/write_index.log",
    localrule: True
    conda:
        "../../envs/medsynth.yaml"
    params:
        studies=of.studies,
        code=of.code("scripts/write_index.py"),
    message:
        "link the summaries"
    script:
        "../../scripts/write_index.py"
