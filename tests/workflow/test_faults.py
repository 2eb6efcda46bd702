"""Bad input and failing jobs: one clear sentence, nothing half-written, the rest goes on."""

import functools
import gzip
import http.server
import os
import re
import subprocess
import threading
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.cohorts import simulate
from tests.conftest import ward
from tests.workflow.conftest import write_study

SMALL = {"studies": "covid_gans", "scale": "smoke", "generators": "gaussian_copula", "seeds": "1"}


def edit(path, change):
    """Change a YAML file in place."""
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


@pytest.fixture
def own_file(project):
    """Make covid_mexico's raw file a csv.gz of ours, whose checksum nobody declared; returns a writer of it."""
    codebook = project.folder / "config/datasets/covid_mexico.yaml"
    edit(codebook, lambda content: content.update(raw={"file": "mine.csv.gz", "obtain": "ask"}))

    def write(table):
        folder = project.folder / "resources/raw/covid_mexico"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mine.csv.gz").write_bytes(gzip.compress(table.to_csv(index=False).encode()))

    return write


def test_an_unknown_code_stops_the_study_with_column_code_and_count(project, own_file):
    table = simulate("covid_mexico", 300, seed=1)
    table.loc[:4, "DIABETES"] = 3
    own_file(table)
    done = project.snakemake(**SMALL, source="file")
    assert done.returncode == 1
    assert "DIABETES ('3' in 5 rows) is not a code of the column" in done.stdout
    assert not project.files("covid_gans/file-smoke/data/*")


def test_a_wrong_checksum_names_both(project):
    folder = project.folder / "resources/raw/covid_mexico"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "Covid Data.zip", "w") as archive:
        archive.writestr("Covid Data.csv", "USMER\n1\n")
    done = project.snakemake(**SMALL, source="file")
    assert done.returncode == 1
    assert "its sha256 is" in done.stdout and "but d65681480d2a" in done.stdout


def test_a_target_with_one_class_is_named(project, own_file):
    own_file(simulate("covid_mexico", 300, seed=1).assign(DATE_DIED="9999-99-99"))
    done = project.snakemake(**SMALL, source="file")
    assert done.returncode == 1
    assert "Target 'death' has one class only in the train partition ('no' in all" in done.stdout


def test_a_failing_generator_leaves_nothing_half_written_and_the_rest_finishes(project):
    path = project.folder / "config/generators/tvae.yaml"
    edit(path, lambda entry: entry["settings"].update(batch_size=0))
    edit(project.folder / "config/studies/covid_gans.yaml", lambda study: study.update(attacks=[], importance=[]))
    config = {**SMALL, "generators": "[tvae,gaussian_copula]", "epochs": "1"}
    tables = "results/covid_gans/simulated-smoke/tables"
    done = project.snakemake(tables, **config)
    assert done.returncode == 1
    assert "batch_size should be a positive integer value" in done.stdout
    folder = project.folder / "results/covid_gans/simulated-smoke"
    assert not (folder / "models/tvae/seed1").exists()
    assert (folder / "scores/table/gaussian_copula/seed1.csv").exists()
    # Mended, the run goes on where it stopped.
    edit(path, lambda entry: entry["settings"].update(batch_size=500))
    done = project.snakemake(tables, **config)
    assert done.returncode == 0, done.stdout
    assert "train tvae" in done.stdout and "train gaussian_copula" not in done.stdout
    assert (folder / "tables/utility.html").exists()


def test_a_download_is_verified_and_used(project, tmp_path_factory):
    served = tmp_path_factory.mktemp("publisher")
    table = ward(300).rename(columns=str.upper)
    with zipfile.ZipFile(served / "ward.zip", "w") as archive:
        archive.writestr("ward.csv", table.to_csv(index=False))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        write_study(project, served / "ward.zip")
        address = f"http://127.0.0.1:{server.server_port}"
        codebook = project.folder / "config/datasets/ward.yaml"
        edit(codebook, lambda content: content["raw"].update(url=f"{address}/ward.zip"))
        clean = "results/ward/download-smoke/data/clean.parquet"
        done = project.snakemake(clean, studies="ward", scale="smoke", source="download")
        assert done.returncode == 0, done.stdout
        edit(codebook, lambda content: content["raw"].update(url=f"{address}/nothing.zip", file="nothing.zip"))
        done = project.snakemake("--retries", "0", clean, studies="ward", scale="smoke", source="download")
        server.shutdown()
    assert done.returncode == 1
    assert "could not be downloaded (HTTP Error 404" in done.stdout
    assert sorted(path.name for path in (project.folder / "resources/raw/ward").iterdir()) == ["ward.zip"]


def test_a_table_of_ones_own_needs_a_draft_and_a_study_file(project):
    """The walk-through of the README: draft, study, run."""
    folder = project.folder / "resources/raw/ward"
    folder.mkdir(parents=True)
    ward(400).rename(columns=str.upper).to_csv(folder / "ward.csv", index=False)
    write_study(project, folder / "ward.csv")
    done = project.snakemake(studies="ward", scale="smoke", generators="gaussian_copula")
    assert done.returncode == 0, done.stdout
    assert project.files("ward/file-smoke/figures/accuracy_admitted.png")


def ward_study(project, rows=400):
    """Write a study of a small raw file; returns the file."""
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(rows).rename(columns=str.upper).to_csv(raw, index=False)
    write_study(project, raw)
    return raw


WARD = {"studies": "ward", "scale": "smoke", "seeds": "1"}
SYNTHETIC = "results/ward/file-smoke/synthetic/gaussian_copula/epochs0/seed1.parquet"


def test_damaged_files_are_named_one_by_one_and_a_changed_raw_file_is_noticed(project):
    raw = ward_study(project)
    done = project.snakemake(SYNTHETIC, **WARD)
    assert done.returncode == 0, done.stdout
    run = project.folder / "results/ward/file-smoke"
    score = "results/ward/file-smoke/scores/table/gaussian_copula/seed1.csv"
    model = run / "models/gaussian_copula/seed1/epochs0/synthesizer.pkl"
    damages = [
        # What is damaged, what is made anew, what is said.
        (project.folder / SYNTHETIC, score, "seed1.parquet cannot be read as parquet"),
        (project.folder / "config/config.yaml", score, "Config file is not valid JSON or YAML"),
        (project.folder / "config/datasets/ward.yaml", score, "config/datasets/ward.yaml is not valid YAML"),
        (model, SYNTHETIC, "epochs0 holds no complete GaussianCopula model"),
        (run / "data/codebook.json", SYNTHETIC, "data/codebook.json is damaged"),
        (run / "data/train.parquet", score, "data/train.parquet cannot be read as parquet"),
    ]
    for path, target, said in damages:
        whole = path.read_bytes()
        path.write_bytes(b"{[" if path.suffix in (".yaml", ".json") else whole[:100])
        done = project.snakemake(target, "--forcerun", target, **WARD)
        assert done.returncode == 1, (path, done.stdout)
        assert said in done.stdout and "Traceback" not in done.stdout, done.stdout
        path.write_bytes(whole)

    ward(400, seed=2).rename(columns=str.upper).to_csv(raw, index=False)
    done = project.snakemake("--dry-run", SYNTHETIC, **WARD)
    assert "clean the raw table" in done.stdout and "train gaussian_copula" in done.stdout


def test_another_raw_file_is_noticed_although_it_is_older(project):
    raw = ward_study(project)
    done = project.snakemake("results/ward/file-smoke/data/train.parquet", **WARD)
    assert done.returncode == 0, done.stdout
    done = project.snakemake("--dry-run", SYNTHETIC, **WARD)
    assert "clean the raw table" not in done.stdout and "train gaussian_copula" in done.stdout

    raw.write_text(ward(399).rename(columns=str.upper).to_csv(index=False))
    for when in (raw.stat().st_mtime, 1e9):
        os.utime(raw, (when, when))
        done = project.snakemake("--dry-run", SYNTHETIC, **WARD)
        assert "clean the raw table" in done.stdout, when


def test_a_raw_file_that_is_copied_again_is_no_reason_to_run_again(project):
    # Snakemake compares small files by default.
    raw = ward_study(project, rows=60_000)
    assert raw.stat().st_size > 1_000_000
    done = project.snakemake("results/ward/file-smoke/data/train.parquet", **WARD)
    assert done.returncode == 0, done.stdout
    os.utime(raw)
    done = project.snakemake("--dry-run", SYNTHETIC, **WARD)
    assert "clean the raw table" not in done.stdout and "train gaussian_copula" in done.stdout


def test_results_that_cannot_be_written_are_named_before_anything_runs(project):
    ward_study(project)
    folder = project.folder / "results"
    folder.mkdir(mode=0o500)
    # Root may write whatever the permissions say, but not on a read-only disk.
    root = os.geteuid() == 0
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(folder)]
    if root and subprocess.run(mount, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        done = project.snakemake(**WARD)
    finally:
        if root:
            subprocess.run(["umount", str(folder)], check=True)
    assert done.returncode == 1
    assert "results is read-only or belongs to somebody else" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(project):
    ward_study(project)
    first = project.start(SYNTHETIC, **WARD)
    train = project.folder / "results/ward/file-smoke/data/train.parquet"
    while not train.exists():
        assert first.poll() is None
        time.sleep(0.05)
    second = project.snakemake(SYNTHETIC, **WARD)
    assert second.returncode == 1
    assert "Directory cannot be locked" in second.stdout and "Traceback" not in second.stdout
    assert first.wait(timeout=300) == 0
    assert (project.folder / SYNTHETIC).exists()


# Everything that a study can ask for.
ALL_SCORES = {
    "generators": ["cart", "med_vae_plus"],
    "targets": [{"name": "died", "column": "died", "positive": "yes"}],
    "subgroups": [{"column": "sex"}, {"column": "age", "bands": [50, 65]}],
    "cohorts": [{"name": "women", "group": "Patients", "where": {"sex": "female"}}],
    "importance": ["died"],
    "sensitive": ["died", "sbp"],
    "attacks": None,
    "inference": {
        "outcome": {"name": "died", "column": "died", "positive": "yes"},
        "predictors": ["age", "sex", "ward"],
        "coverage": ["cart"],
    },
    "learning_curve": [10, "all", 1000],
    "export": {"generator": "cart", "rows": 20},
}


def small_table(rows):
    """A table of one row a patient."""
    rng = np.random.default_rng(0)
    age = rng.integers(20, 90, rows)
    return pd.DataFrame(
        {
            "age": age,
            "sex": rng.choice(["female", "male"], rows),
            "ward": rng.choice(["A", "B", "C"], rows),
            "sbp": rng.integers(90, 190, rows),
            "crea": rng.gamma(4, 0.5, rows).round(2),
            "died": np.where(rng.random(rows) < age / 150, "yes", "no"),
        }
    )


def study_of(project, table, **keys):
    """Write a table as the ward's raw file, and its study at a small scale with one seed."""
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    table.to_csv(raw, index=False)
    scale = {"rows": "all", "epochs": [1], "seeds": [1], "coverage_samples": 2, "coverage_rows": 24}
    write_study(project, raw, **{**ALL_SCORES, "scales": {"smoke": scale}, **keys})


def test_thirty_rows_run_to_the_end_and_tables_say_what_they_do_not_suffice_for(project):
    study_of(project, small_table(30))
    done = project.snakemake(**WARD)
    assert done.returncode == 0, done.stdout
    run = project.folder / "results/ward/file-smoke"
    assert not [log for log in run.glob("logs/**/*.log") if "Traceback" in log.read_text()]
    said = (run / "tables/preparation.csv").read_text()
    assert "'holdout': 3 folds instead of 5" in said and "attacks: no score" in said
    scores = pd.read_csv(run / "scores.csv")
    assert scores.loc[scores["metric"] == "c2st_auc", "value"].notna().all()
    assert not (scores["family"] == "privacy").any()
    assert (run / "figures/privacy_trade.png").exists()


BAD = {
    "no predictor": (lambda table: table[["died"]], "Target 'died' has no predictor: no other column is"),
    "identifier": (
        lambda table: table[["died"]].assign(number=100_000 + 7 * np.arange(len(table))),
        "Target 'died' has no predictor",
    ),
    "one class": (lambda table: table.assign(died=["yes", *["no"] * (len(table) - 1)]), "has one class only in the"),
    "huge": (
        lambda table: table.assign(crea=table["crea"].where(table.index % 50 > 0, -1e300)),
        "crea ('-1e+300' in 6 rows) is beyond what generators compute with, 3.4e38 (is it a code for missing?)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_makes_scores_pointless_is_one_sentence_before_training(project, case):
    change, said = BAD[case]
    study_of(
        project, change(small_table(300)), subgroups=[], cohorts=[], importance=[], sensitive=[], inference=None,
        learning_curve=[], export=None,
    )  # fmt: skip
    # A draft takes the huge number for a code for missing; whoever wrote this codebook did not.
    codebook = project.folder / "config/datasets/ward.yaml"
    codebook.write_text(re.sub(r' +missing: \["-1e\+300"\].*\n', "", codebook.read_text()))
    done = project.snakemake(**WARD)
    assert done.returncode == 1
    assert said in done.stdout and "Traceback" not in done.stdout, done.stdout
    assert not project.files("ward/file-smoke/models/**/*")
