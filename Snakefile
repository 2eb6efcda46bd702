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
sys.path[:0] = [str(ROOT), str(ROOT / "workflow"), str(ROOT / "scripts")]

import _shared_imports
from closure import code_hash
from failures import forget_cut_short, note_killed, read_failed
from loading import Runs, import_from_checkout
from locks import check_writable, clear_stale_locks
from medsynth.errors import InputError
from medsynth.generators import generator_class
from medsynth.generators.environments import stamp_of
from overview import verdicts
from runs import BENCHMARK, IMPORTANCE_REFERENCES, RESERVED

import_from_checkout()
# A job that starts Snakemake for itself (on a cluster) runs under the lock of the run that sent it.
if workflow.is_main_process:
    clear_stale_locks()


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


try:
    RUNS = Runs(config)
    for run in (
        RUNS.values() if workflow.is_main_process and not workflow.dryrun else ()
    ):
        check_writable(run.folder)
except InputError as error:
    raise WorkflowError(str(error)) from None

# The template of the report's first page sees the configuration and nothing else of the workflow.
config["verdicts"] = verdicts(RUNS)


wildcard_constraints:
    study="|".join([*RUNS, BENCHMARK]),
    run="[a-z]+-[a-z0-9_]+",
    generator="[a-z][a-z0-9_]*",
    reference="|".join(RESERVED),
    epochs=r"\d+",
    seed=r"\d+",
    imputation=r"\d+",


include: "workflow/rules/lookup.smk"


rule all:
    """Tables and figures of every study in the configuration."""
    input:
        lambda wildcards: [path for study in RUNS for path in tables_and_figures(study)],
    localrule: True


include: "workflow/rules/acquire.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/environments.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/benchmark.smk"


onstart:
    for run in RUNS.values():
        forget_cut_short(run.folder)
    if workflow.local_exec and not workflow.touch:
        _shared_imports.start()
    # Snakemake's default limit on jobs a second sets a timer after each round of scheduling that starts another one, so
    # that rounds grow with the jobs done: a tenth of all processor time in a run of some hundred jobs.
    limit = workflow.scheduling_settings.max_jobs_per_timespan
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


onerror:
    for run in RUNS.values():
        note_killed(run.folder)
    failed = sum(len(read_failed(run.folder)) for run in RUNS.values())
    if failed:
        print(
            f"{failed} jobs failed, each with its reason in results/<study>/<run>/failed. Run again to try them again; "
            "with the setting failed=show, tables are made without them and say so.",
            file=sys.stderr,
        )
