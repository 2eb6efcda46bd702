"""What a job's process imports, and what it does not."""

import subprocess
import sys

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


def test_a_job_trains_without_torchs_compiler():
    """It takes longer to import than many a table to score."""
    subprocess.run([sys.executable, "-c", TRAIN], cwd=ROOT, check=True, timeout=120)
