"""What a job's process imports and what it does not, and how it ends."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from tests.conftest import ROOT

TRAIN = """
import sys
sys.path.insert(0, "scripts")
import _job
import torch
weight = torch.nn.Parameter(torch.ones(2))
for kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD):
    optimiser = kind([weight], lr=0.1)
    weight.sum().backward()
    optimiser.step()
    optimiser.zero_grad()
assert (weight < 1).all()
assert not [name for name in sys.modules if name.startswith("torch._dynamo.")], "the compiler was imported"
"""


@pytest.mark.slow
def test_a_job_trains_without_torchs_compiler():
    """It takes longer to import than many a table to score."""
    subprocess.run([sys.executable, "-c", TRAIN], cwd=ROOT, check=True, timeout=120)


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
