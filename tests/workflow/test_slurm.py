"""The Slurm profile on a real cluster of one node: a laptop's bytes, and a way back from every loss.

Runs where MEDSYNTH_SLURM=1 asks for it: it needs root and Debian's packages, and listens on a loopback of its own.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.workflow.conftest import Project, assert_same_bytes

SMALL = {"studies": "covid_gans", "scale": "smoke", "generators": "[tvae,cart]", "seeds": "1"}
RUN = "covid_gans/simulated-smoke"
MODEL = f"results/{RUN}/models/tvae/seed1"


def missing() -> str:
    """What keeps these tests from running here; empty if nothing does."""
    if os.environ.get("MEDSYNTH_SLURM") != "1":
        return "a Slurm cluster is started only if MEDSYNTH_SLURM=1"
    if os.geteuid() != 0:
        return "a Slurm cluster needs root"
    programs = [name for name in ("slurmctld", "slurmd", "squeue", "munged", "ip") if not shutil.which(name)]
    if programs:
        return f"no {programs[0]} here: apt-get install slurmctld slurmd slurm-client munge iproute2"
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        return "no executor for Slurm here: pip install -r envs/requirements-slurm.txt"
    return ""


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


class Cluster:
    """A running cluster; it ends with `process`'s standard input."""

    def __init__(self) -> None:
        script = Path(__file__).with_name("slurm_cluster.sh")
        self.process = subprocess.Popen([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        self.inside = ["nsenter", "--mount", "--net", "--pid", "--target", str(child_of(self.process))]

    def ask(self, *command: str) -> str:
        """Run a command on the cluster and return what it prints."""
        return subprocess.run([*self.inside, *command], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def start(self, project: Project, *arguments: str) -> subprocess.Popen:
        """Start snakemake with the profile; what it says goes to the file `said` in the project's folder."""
        command = [*self.inside, "env", f"--chdir={project.folder}", *project.command("slurm", *arguments, **SMALL)]
        with (project.folder / "said").open("w") as said:
            return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=project.environment())

    def running_job(self) -> tuple[str, str]:
        """Wait for a job to run and return its number and memory."""
        for _ in range(240):
            if job := self.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i %m"):
                # Past its start: Snakemake has begun to work there.
                time.sleep(3)
                number, memory = job.split()
                return number, memory
            time.sleep(0.5)
        raise AssertionError("no job came to run")


@pytest.fixture(scope="module")
def cluster():
    """A cluster of one node."""
    cluster = Cluster()
    yield cluster
    cluster.process.communicate()


@pytest.fixture(scope="module")
def finished(cluster, tmp_path_factory):
    """The study, run to the end on the cluster."""
    project = Project(tmp_path_factory.mktemp("slurm"))
    code = cluster.start(project).wait()
    assert code == 0, said(project)
    return project


@pytest.fixture
def untrained(finished):
    """The study with one model to train again."""
    shutil.rmtree(finished.folder / MODEL)
    return finished


def child_of(process: subprocess.Popen) -> int:
    """Number of a process's one child."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def said(project: Project) -> str:
    """What snakemake said."""
    return (project.folder / "said").read_text()


def test_every_job_runs_on_the_cluster_and_gives_a_laptops_bytes(finished, tmp_path_factory):
    log = said(finished)
    steps = int(re.search(r"(\d+) of \1 steps \(100%\) done", log)[1])
    # All but the target `all`, short ones together.
    assert 0 < len(re.findall("has been submitted with SLURM jobid", log)) < steps - 1
    laptop = Project(tmp_path_factory.mktemp("laptop"))
    done = laptop.snakemake(**SMALL)
    assert done.returncode == 0, done.stdout
    assert_same_bytes(finished, laptop, RUN)


def test_a_cancelled_job_is_sent_again_with_more_memory(cluster, untrained):
    run = cluster.start(untrained, MODEL)
    first, memory = cluster.running_job()
    assert memory == "4000M"
    cluster.ask("scancel", first)
    second, memory = cluster.running_job()
    assert second != first and memory == "8000M"
    assert run.wait() == 0, said(untrained)
    assert "SLURM status is: 'CANCELLED'" in said(untrained)
    assert (untrained.folder / MODEL / "epochs2/model_card.json").exists()


def test_a_job_over_its_memory_is_sent_again_with_more(cluster, untrained):
    run = cluster.start(untrained, MODEL, "--set-resources", "train_generator:mem_mb=300*attempt**2")
    assert run.wait() == 0, said(untrained)
    logs = (untrained.folder / ".snakemake/slurm_logs").glob("rule_train_generator/**/*.log")
    assert any("exceeded memory limit" in path.read_text() for path in logs)
    assert (untrained.folder / MODEL / "epochs2/model_card.json").exists()


def test_a_job_of_a_lost_node_runs_again(cluster, untrained):
    run = cluster.start(untrained, MODEL)
    cluster.running_job()
    node = cluster.ask("sinfo", "--noheader", "--format=%N")
    cluster.ask("scontrol", "update", f"nodename={node}", "state=down", "reason=lost")
    cluster.ask("scontrol", "update", f"nodename={node}", "state=resume")
    assert run.wait() == 0, said(untrained)
    assert (untrained.folder / MODEL / "epochs2/model_card.json").exists()


def test_jobs_outlive_a_killed_snakemake_and_are_to_be_cancelled_before_the_next_run(cluster, untrained):
    run = cluster.start(untrained, MODEL)
    job, _ = cluster.running_job()
    os.kill(child_of(run), signal.SIGKILL)
    assert run.wait() != 0
    assert cluster.running_job()[0] == job
    cluster.ask("scancel", job)
    assert cluster.start(untrained, "--unlock").wait() == 0, said(untrained)
    assert cluster.start(untrained, MODEL).wait() == 0, said(untrained)
    assert (untrained.folder / MODEL / "epochs2/model_card.json").exists()
