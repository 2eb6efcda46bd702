"""Any job outside Snakemake, for a debugger or a test: its ``snakemake`` object, made by Snakemake itself.

    >>> from _debug import job_of                                                                  # doctest: +SKIP
    >>> job = job_of("results/covid_gans/simulated-smoke/models/cart/seed1", studies="covid_gans", scale="smoke")
    >>> import train_generator
    >>> train_generator.main(job)

What the job needs must have been made: ``snakemake --until`` the rule before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _job import Job

ROOT = Path(__file__).resolve().parent.parent


def job_of(target: str, **config: Any) -> Job:
    """Make the object that Snakemake would give the script of a job.

    Parameters
    ----------
    target : str
        A file or folder that the job makes, below the working folder.
    **config
        Overrides of config/config.yaml, as on Snakemake's command line.

    Returns
    -------
    snakemake.script.Snakemake
        With input, output, params, wildcards, threads, log; folders of the outputs exist.
    """
    from snakemake.api import DAGSettings, OutputSettings, ResourceSettings, SnakemakeApi
    from snakemake.script import Snakemake
    from snakemake.settings.enums import Quietness
    from snakemake.settings.types import ConfigSettings

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        plan = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=config),
            snakefile=ROOT / "Snakefile",
            workdir=Path.cwd(),
        )
        workflow = plan.dag(DAGSettings(targets={target}, force_incomplete=True)).workflow_api._workflow
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        (job,) = [job for job in workflow.dag.jobs if target in map(str, job.output)]
        for path in (*job.output, *job.log):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return Snakemake(
            job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log,
            workflow.globals["config"], job.rule.name, None, str(ROOT / "scripts"),
        )  # fmt: skip
