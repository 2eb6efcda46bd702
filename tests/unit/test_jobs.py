"""What a job's process imports and what it does not, and how it ends."""

import os
import subprocess
import sys
import time

import psutil

from tests.conftest import ROOT

WAIT = """
import subprocess, sys, types
sys.path.insert(0, "scripts")
import _job
job = types.SimpleNamespace(log=[sys.argv[1]], output=[], threads=1)
_job.run(job, lambda job: subprocess.run(["sleep", "300"]))
"""


def test_a_program_that_a_job_waits_for_ends_with_the_jobs_workflow(tmp_path):
    with subprocess.Popen(["sleep", "300"]) as workflow:
        environment = {**os.environ, "MEDSYNTH_WORKFLOW": str(workflow.pid)}
        command = [sys.executable, "-c", WAIT, str(tmp_path / "log")]
        with subprocess.Popen(command, cwd=ROOT, env=environment) as job:
            deadline = time.monotonic() + 60
            while not (programs := psutil.Process(job.pid).children()) and time.monotonic() < deadline:
                time.sleep(0.1)
            assert [program.name() for program in programs] == ["sleep"]
            workflow.kill()
            workflow.wait()
            assert job.wait(timeout=30) == 1
            assert not psutil.wait_procs(programs, timeout=10)[1]
