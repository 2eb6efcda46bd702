"""From a file to a page of results in one command."""

import subprocess
import sys

import pandas as pd

from tests.conftest import ROOT, ward
from tests.workflow.conftest import Project


def call(project: Project, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "medsynth.cli", "try", "my clinic.csv", "--target", "admitted", *words]
    environment = {**project.environment(), "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip


def test_a_file_becomes_a_page_of_results_and_again_costs_nothing(project):
    table = ward(160)
    table["patient"] = [f"P{number:04d}" for number in range(len(table))]
    table.to_csv(project.folder / "my clinic.csv", index=False)
    done = call(project, "--generator", "gaussian_copula", "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert "Look at results/my_clinic/file-smoke/summary.html" in done.stdout
    files = project.files("my_clinic/file-smoke/summary.html")
    assert b"admitted" in files["results/my_clinic/file-smoke/summary.html"]
    assert (project.folder / "resources/raw/my_clinic/my clinic.csv").is_file()
    quality = pd.read_csv(project.folder / "results/my_clinic/file-smoke/tables/quality.csv")
    assert "gaussian_copula" in set(quality["generator"])
    # What is there is kept, edited as it may be.
    again = call(project, "--generator", "gaussian_copula", "--cores", "2")
    assert again.returncode == 0, again.stdout
    assert "Nothing to be done" in again.stdout and "Kept config/studies/my_clinic.yaml" in again.stdout
    refused = call(project, "--target", "age>=60")
    assert refused.returncode == 1
    assert "has other targets" in refused.stdout and "Traceback" not in refused.stdout
