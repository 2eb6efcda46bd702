"""From a raw clinical table to confidence-interval tables and figures.

raw table -> clean table -> train / test partitions (imputed) -> models -> synthetic tables -> scores
-> tables and figures -> report. One file of workflow/rules a stage; config/README.md explains every key.
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

ROOT = Path(workflow.basedir)
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from closure import code_hash
from medsynth.errors import InputError
from medsynth.generators import generator_class
from overview import verdicts
from runs import IMPORTANCE_REFERENCES, RESERVED, import_from_checkout, load_runs

import_from_checkout()


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


try:
    RUNS = load_runs(config)
except InputError as error:
    raise WorkflowError(str(error)) from None

# The template of the report's first page sees the configuration and nothing else of the workflow.
config["verdicts"] = verdicts(RUNS)


wildcard_constraints:
    study="|".join(RUNS),
    run="[a-z]+-[a-z0-9_]+",
    generator="[a-z][a-z0-9_]*",
    reference="|".join(RESERVED),
    epochs=r"\d+",
    seed=r"\d+",


include: "workflow/rules/lookup.smk"


rule all:
    """Tables and figures of every study in the configuration."""
    input:
        lambda wildcards: [path for study in RUNS for path in tables_and_figures(study)],
    localrule: True


include: "workflow/rules/acquire.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/report.smk"
