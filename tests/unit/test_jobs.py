"""What a job's process imports and what it does not, and how it ends."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import psutil
import pytest

from medsynth.evaluation.resampling import ABOUT, REPLICATES, Score
from tests.conftest import ROOT

WAIT = """
import subprocess, sys, types
sys.path.insert(0, "scripts")
import _job
job = types.SimpleNamespace(log=[sys.argv[1]], output=[], threads=1)
_job.run(job, lambda job: subprocess.run(["sleep", "300"]))
"""


@pytest.mark.slow
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


def test_scores_have_columns_for_what_they_are_about_and_come_back_as_they_were(tmp_path):
    import _job

    found = [
        Score("accuracy", 0.8, np.linspace(0, 1, REPLICATES)).of(target="death", model="xgboost"),
        Score("c2st_auc_by_rows", 0.6, np.linspace(1, 2, REPLICATES)).of(model="xgboost", rows=300),
        Score("c2st_auc_by_rows", 0.7, np.linspace(2, 3, REPLICATES)).of(model="xgboost", rows=1000),
        Score("column_shape", float("nan")).of(column="007"),
    ]
    files = SimpleNamespace(scores=tmp_path / "scores.csv", replicates=tmp_path / "replicates.parquet")
    wildcards = SimpleNamespace(generator="cart", seed="1")
    _job.write_scores(SimpleNamespace(output=files, wildcards=wildcards), {0: [("family", score) for score in found]})
    written = list(pd.read_csv(files.scores))
    assert written == ["generator", "epochs", "seed", "family", "metric", *ABOUT, "value", "variance"]
    assert "detail" not in written and "detail" not in pd.read_parquet(files.replicates)
    read = _job.read_scores(SimpleNamespace(input=files, params=SimpleNamespace(test_over_train=None)))
    for (_, row), score in zip(read.iterrows(), found, strict=True):
        about = {name: None if pd.isna(value) else value for name, value in row[list(ABOUT)].items()}
        assert about == score.about._asdict()
        assert (row["replicates"] is None) == (score.replicates is None)
        assert score.replicates is None or (row["replicates"] == np.float32(score.replicates)).all()
