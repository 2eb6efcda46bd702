"""From a raw clinical table to confidence-interval tables and figures.

raw table -> clean table -> train / test partitions (imputed) -> models -> synthetic tables -> scores
-> tables and figures -> report. One file of workflow/rules a stage; config/README.md explains every key, and
`medsynth plan STUDY` lists what a study makes. Rules ask the plan for everything that depends on the configuration:
`of("study.seed")` is a function of their wildcards (medsynth/plan/lookup.py).
"""

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

# The checkout's own library, whether or not one is installed.
sys.path.insert(0, str(Path(workflow.current_basedir)))

from medsynth.errors import InputError
from medsynth.plan import sharing
from medsynth.plan.failures import forget_cut_short, note_killed, read_failed
from medsynth.plan.loading import Runs, import_from_checkout, lock_file
from medsynth.plan.locks import check_writable, clear_stale_locks
from medsynth.plan.lookup import Lookup, growing
from medsynth.plan.overview import opening
from medsynth.plan.runs import BENCHMARK
from medsynth.scores.registry import modules
from medsynth.scores.scorings import scoring_modules

if set("{}") & set(str(workflow.current_basedir)):
    raise WorkflowError(
        f"Snakemake takes the braces in {workflow.current_basedir} for wildcards; move the checkout to another folder."
    )
import_from_checkout()
# A job that starts Snakemake for itself (on a cluster) runs under the lock of the run that sent it.
if workflow.is_main_process:
    clear_stale_locks()


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


try:
    RUNS = Runs(config)
    if workflow.is_main_process and not workflow.dryrun:
        for run in RUNS.values():
            check_writable(run.folder)
except InputError as error:
    raise WorkflowError(str(error)) from None

of = Lookup(RUNS)
# Templates of the report see the configuration and nothing else of the workflow.
config["opening"], config["captions"] = opening(RUNS), of.captions
families, scorings = modules(), scoring_modules()
raw_dir = RUNS.raw_dir


wildcard_constraints:
    study="|".join([*RUNS, BENCHMARK]),
    run="[a-z]+-[a-z0-9_]+",
    generator="[a-z][a-z0-9_]*",
    epochs=r"\d+",
    seed=r"\d+",
    imputation=r"\d+",


rule all:
    """Tables, figures and the summary of every study in the configuration."""
    input:
        "results/index.html",
        [path for run in RUNS.values() for path in run.files],
    localrule: True


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/benchmark.smk"


onstart:
    for run in RUNS.values():
        forget_cut_short(run.folder)
    if RUNS.share_imports and workflow.local_exec and not workflow.touch:
        sharing.start()
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
