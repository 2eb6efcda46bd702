"""Threads belong to jobs: whatever computes obeys the environment that Snakemake gives a job."""

import json
import os
import subprocess
import sys

import pytest

LOOK = """
import json, numpy, sklearn.ensemble, scipy.linalg, torch, xgboost
from threadpoolctl import threadpool_info
print(json.dumps({"pools": [pool["num_threads"] for pool in threadpool_info()], "torch": torch.get_num_threads()}))
"""


@pytest.mark.slow
def test_libraries_take_as_many_threads_as_the_job_has():
    for threads in (1, 2):
        # The names that Snakemake sets for every job.
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, str(threads))
        done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        assert found["torch"] == threads
        assert found["pools"] and set(found["pools"]) == {threads}
