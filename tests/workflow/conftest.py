"""Running the workflow in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from medsynth.drafting import draft_codebook
from tests.conftest import ROOT

# The study's own generators and, for the sake of its many files, Med-VAE.
SMOKE = {
    "studies": "covid_gans",
    "scale": "smoke",
    "generators": "[ctgan,gaussian_copula,med_vae,med_vae_plus,cart]",
}


class Project:
    """A working folder with its own copy of the configuration; code is the checkout's.

    Parameters
    ----------
    folder : Path
        Where configuration, results and Snakemake's own files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "config", folder / "config")
        shutil.copytree(ROOT / "envs", folder / "envs")

    def snakemake(self, *arguments: str, **config: object) -> subprocess.CompletedProcess:
        """Run snakemake with the default profile on two cores; standard output and error come together."""
        call = self._call("default", "--cores", "2", *arguments, **config)
        return subprocess.run(**call, stdout=subprocess.PIPE, text=True, check=False)

    def start(self, *arguments: str, **config: object) -> subprocess.Popen:
        """Start what `snakemake` runs, and don't wait for it; what it says is in console.txt."""
        with (self.folder / "console.txt").open("w") as console:
            return subprocess.Popen(**self._call("default", "--cores", "2", *arguments, **config), stdout=console)

    def _call(self, profile: str, *arguments: str, **config: object) -> dict:
        command = self.command(profile, *arguments, **config)
        return {"args": command, "stderr": subprocess.STDOUT, "cwd": self.folder, "env": self.environment()}

    def command(self, profile: str, *arguments: str, **config: object) -> list[str]:
        """Words of the command that runs snakemake with a profile."""
        words = [f"{key}={value}" for key, value in config.items()]
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(self.folder),
            "--workflow-profile", str(ROOT / "profiles" / profile), *arguments,
        ]  # fmt: skip
        return [*command, *(["--config", *words] if words else [])]

    @staticmethod
    def environment() -> dict[str, str]:
        """Environment variables of a user, whose library is the checkout's."""
        return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}

    def files(self, pattern: str) -> dict[str, bytes]:
        """Read the files of a pattern below results/: relative path -> bytes."""
        found = sorted((self.folder / "results").glob(pattern))
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found if path.is_file()}


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh working folder."""
    return Project(tmp_path)


@pytest.fixture(scope="session")
def report(smoke) -> str:
    """The smoke run's report."""
    done = smoke.snakemake("--report", "results/report.html", **SMOKE)
    assert done.returncode == 0, done.stdout
    return smoke.files("report.html")["results/report.html"].decode()


@pytest.fixture(scope="session")
def smoke(tmp_path_factory) -> Project:
    """covid_gans at smoke scale on the simulated cohort, run to the end."""
    project = Project(tmp_path_factory.mktemp("smoke"))
    done = project.snakemake(**SMOKE)
    assert done.returncode == 0, done.stdout
    return project


def assert_same_bytes(first: Project, second: Project, run: str) -> None:
    """Compare partitions, synthetic tables, scores and tables of two projects; what they cost may differ."""
    folders = ("data/*.parquet", "data/*.csv", "data/*.json", "synthetic/**/*.parquet", "scores/**/*.csv", "tables/*")
    for pattern in folders:
        ours, theirs = (project.files(f"{run}/{pattern}") for project in (first, second))
        assert ours and list(ours) == list(theirs), pattern
        assert not [path for path in ours if ours[path] != theirs[path] and "tables/runtime." not in path]
    tables = [pd.read_csv(p.folder / "results" / run / "scores.csv").query("family != 'cost'") for p in (first, second)]
    pd.testing.assert_frame_equal(*tables)


def write_study(project: Project, table: Path, **keys: object) -> None:
    """Draft the ward's codebook and write a study file; nothing is attacked that `keys` do not name."""
    (project.folder / "config/datasets/ward.yaml").write_text(draft_codebook(table, name="ward"))
    study = {
        "name": "ward",
        "title": "My ward",
        "dataset": "ward",
        "source": "file",
        "seed": 1,
        "generators": ["gaussian_copula"],
        "targets": [{"name": "admitted", "column": "admitted", "positive": "1"}],
        "attacks": [],
        "scales": {"smoke": {"rows": "all", "epochs": [1], "seeds": [1, 2]}},
        **keys,
    }
    (project.folder / "config/studies/ward.yaml").write_text(yaml.safe_dump(study))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, so that quick runs can leave them out, and run them before all others.

    They are the long ones. Were they last, one worker would wait for the other at the end.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("workflow")
    items.sort(key=lambda item: item.get_closest_marker("workflow") is None)
