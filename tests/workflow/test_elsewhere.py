"""The workflow used from elsewhere: as a module of another Snakefile, and one job alone in a debugger."""

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import medsynth
from tests.conftest import ROOT, ward
from tests.workflow.conftest import SMOKE, Project, write_study

SNAKEFILE = """
configfile: "mine.yaml"

module medsynth:
    snakefile: {snakefile!r}
    config: config["medsynth"]

use rule * from medsynth as medsynth_*

rule count:
    input: "results/ward/file-smoke/tables"
    output: "count.txt"
    shell: "ls {{input}} | wc -l > {{output}}"
"""


@pytest.fixture
def installed(tmp_path):
    """A copy of the checkout, as somebody has installed it."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    folder = tmp_path / "installed"
    for name in filter(None, listed):
        if name.startswith(("results/", "tests/")) or not (ROOT / name).is_file():
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    return folder


def test_another_snakefile_uses_it_as_a_module_and_changes_nothing_of_it(installed, tmp_path):
    project = Project(tmp_path / "mine")
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(300).rename(columns=str.upper).to_csv(raw, index=False)
    write_study(project, raw, attacks=[])
    # Its own dataset and study; generators are those of the installation.
    for name in ("generators", "config.yaml", "benchmark.yaml"):
        path = project.folder / "config" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (project.folder / "Snakefile").write_text(SNAKEFILE.format(snakefile=str(installed / "Snakefile")))
    settings = {"medsynth": {"studies": ["ward"], "scale": "smoke"}}
    (project.folder / "mine.yaml").write_text(yaml.safe_dump(settings))
    before = {path: path.read_bytes() for path in sorted(installed.rglob("*")) if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "count"], cwd=project.folder, text=True, check=False,
        env=project.environment() | {"PYTHONDONTWRITEBYTECODE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert int((project.folder / "count.txt").read_text()) > 10
    assert {path: path.read_bytes() for path in sorted(installed.rglob("*")) if path.is_file()} == before


def test_a_checkout_in_a_folder_with_braces_is_refused_in_one_sentence(installed, tmp_path):
    folder = installed.rename(tmp_path / "{mine}")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--cores", "1"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode and "move the checkout to another folder." in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_job_runs_without_snakemake(smoke, tmp_path, monkeypatch):
    import score_table
    from _debug import job_of

    monkeypatch.chdir(smoke.folder)
    made = "results/covid_gans/simulated-smoke/scores/table/cart/seed1.csv"
    job = job_of(made, studies="covid_gans", scale="smoke")
    job.output.scores, job.output.plot_data = str(tmp_path / "scores.csv"), str(tmp_path / "plot_data.json")
    job.output.replicates = str(tmp_path / "replicates.parquet")
    score_table.main(job)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "scores.csv"), pd.read_csv(made))


def test_seeds_that_cannot_be_trained_together_are_trained_alone(smoke, tmp_path, monkeypatch):
    import train_generator
    import train_together
    from _debug import job_of

    monkeypatch.chdir(smoke.folder)
    models = "results/covid_gans/simulated-smoke/models/med_vae"
    told = {**SMOKE, "generators": ["med_vae"], "studies": ["covid_gans"]}
    job = job_of(f"{models}/together", **told)
    job.output.models = str(tmp_path / "together")
    job.params.settings["numeric_weight"] = 1e39
    train_together.main(job)
    assert not list((tmp_path / "together").iterdir())
    job = job_of(f"{models}/seed1", **told)
    job.input.together, job.output.models = [str(tmp_path / "together")], str(tmp_path / "seed1")
    train_generator.main(job)
    alone, together = (medsynth.load(folder / "epochs2") for folder in (tmp_path / "seed1", Path(models, "seed1")))
    pd.testing.assert_frame_equal(alone.sample(50, seed=1), together.sample(50, seed=1))


TOY = {
    "__init__": '"""Rows of a table."""\n',
    "scoring": """
from medsynth.evaluation.resampling import Score

def scores(judged):
    yield "toy", Score("toy_rows", float(len(judged.pair.table)))
""",
    "declaration": """
from medsynth.scores.registry import Family, Table

def made(facts):
    numbers = facts.scores[facts.scores["family"] == "toy"][["generator", "epochs", "seed", "value"]]
    return numbers, numbers

FAMILY = Family(tables=(Table("toy", section="3 Fidelity", label="Toy", make=made, caption="Rows"),))
""",
}


def test_a_family_of_scores_is_one_folder(installed, tmp_path):
    folder = installed / "medsynth/scores/toy"
    folder.mkdir()
    for name, text in TOY.items():
        (folder / f"{name}.py").write_text(text)
    project = Project(tmp_path / "mine")
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(300).rename(columns=str.upper).to_csv(raw, index=False)
    write_study(project, raw, attacks=[])
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(installed / "Snakefile"), "--cores", "2"]
    command += ["results/ward/file-smoke/tables", "--config", "studies=ward", "scale=smoke"]
    done = subprocess.run(
        command, cwd=project.folder, env=project.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    toy = pd.read_csv(project.folder / "results/ward/file-smoke/tables/toy.csv").set_index("generator")
    train = pd.read_parquet(project.folder / "results/ward/file-smoke/data/train.parquet")
    assert toy.loc["real", "value"].tolist() == [len(train)] * 2
