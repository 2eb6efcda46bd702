"""Bad input and failing jobs: one clear sentence, nothing half-written, the rest goes on."""

import functools
import gzip
import http.server
import threading
import zipfile

import pytest
import yaml

from medsynth.cohorts import simulate
from medsynth.drafting import draft_codebook
from tests.conftest import ward

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
    assert "DIABETES ('3' in 5 rows) is no code of the column" in done.stdout
    assert not project.files("covid_gans/file-smoke/data/*")


def test_a_wrong_checksum_names_both(project):
    folder = project.folder / "resources/raw/covid_mexico"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "Covid Data.zip", "w") as archive:
        archive.writestr("Covid Data.csv", "USMER\n1\n")
    done = project.snakemake(**SMALL, source="file")
    assert done.returncode == 1
    assert "its sha256 is" in done.stdout and "declared is d65681480d2a" in done.stdout


def test_a_target_with_one_class_is_named(project, own_file):
    own_file(simulate("covid_mexico", 300, seed=1).assign(DATE_DIED="9999-99-99"))
    done = project.snakemake(**SMALL, source="file")
    assert done.returncode == 1
    assert "Target 'death' has one class only in the train partition ('no' in all" in done.stdout


def test_a_failing_generator_leaves_nothing_half_written_and_the_rest_finishes(project):
    path = project.folder / "config/generators/tvae.yaml"
    edit(path, lambda entry: entry["settings"].update(batch_size=0))
    config = {**SMALL, "generators": "[tvae,gaussian_copula]", "epochs": "1"}
    done = project.snakemake(**config)
    assert done.returncode == 1
    assert "batch_size should be a positive integer value" in done.stdout
    folder = project.folder / "results/covid_gans/simulated-smoke"
    assert not (folder / "models/tvae/seed1").exists()
    assert (folder / "scores/gaussian_copula/epochs0/seed1.csv").exists()
    # Mended, the run goes on where it stopped.
    edit(path, lambda entry: entry["settings"].update(batch_size=500))
    done = project.snakemake(**config)
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


def write_study(project, table):
    """Draft the ward's codebook and write a study file."""
    (project.folder / "config/datasets/ward.yaml").write_text(draft_codebook(table, name="ward"))
    study = {
        "name": "ward",
        "title": "My ward",
        "dataset": "ward",
        "source": "file",
        "seed": 1,
        "generators": ["gaussian_copula"],
        "targets": [{"name": "admitted", "column": "admitted", "positive": "1"}],
        "scales": {"smoke": {"rows": "all", "epochs": [1], "seeds": [1, 2], "sample_rows": 200}},
    }
    (project.folder / "config/studies/ward.yaml").write_text(yaml.safe_dump(study))
