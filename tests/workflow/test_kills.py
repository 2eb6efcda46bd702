"""Whatever ends a run, the next one goes on: nothing half-written is used, nothing finished is lost or made again."""

import base64
import os
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from tests.conftest import ward
from tests.workflow.conftest import Project, write_study
from tests.workflow.test_faults import edit

RUN = "ward/file-smoke"
CONFIG = {"studies": "ward", "scale": "smoke", "seeds": "1"}
# Figures are a folder that one job makes, as tables are.
TARGETS = [f"results/{RUN}/tables"]
# Times are in the others.
SAME = ("data/*", "synthetic/**/*.parquet", "scores/**/*.csv", "tables/utility.*", "tables/quality.*")


def ward_study(folder):
    """A working folder with a study of a small raw file."""
    project = Project(folder)
    raw = folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(400).rename(columns=str.upper).to_csv(raw, index=False)
    write_study(project, raw, generators=["gaussian_copula", "cart"])
    return project


@pytest.fixture
def project(tmp_path):
    """A fresh working folder with the study."""
    return ward_study(tmp_path)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What the study gives if nothing happens: path -> bytes."""
    project = ward_study(tmp_path_factory.mktemp("undisturbed"))
    done = project.snakemake(*TARGETS, **CONFIG)
    assert done.returncode == 0, done.stdout
    return results(project)


def results(project):
    """Files of a run that hold no times."""
    return {path: text for pattern in SAME for path, text in project.files(f"{RUN}/{pattern}").items()}


def until(found, process, seconds=120):
    """Wait until a function finds something, and return it; the process must not end before."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if what := found():
            return what
        assert process.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.02)
    raise TimeoutError


def job_of(process, script):
    """A job of a script that a workflow has started, if there is one."""
    children = psutil.Process(process.pid).children(recursive=True)
    return next((job for job in children if job.is_running() and script in " ".join(job.cmdline())), None)


def finished(project):
    """When files were made whose jobs have ended well: path -> time of change."""
    half = {base64.urlsafe_b64decode(path.name).decode() for path in project.folder.glob(".snakemake/incomplete/*")}
    paths = [path for path in (project.folder / "results" / RUN).glob("*/**/*") if path.suffix in (".parquet", ".csv")]
    made = {str(path.relative_to(project.folder)): path.stat().st_mtime_ns for path in paths}
    # What lies in a folder that a job was making is half-written as well.
    return {
        path: when
        for path, when in made.items()
        if "/models/" not in path and not half.intersection(map(str, (Path(path), *Path(path).parents)))
    }


def test_a_workflow_that_is_killed_again_and_again_comes_to_the_same_end(project, undisturbed):
    kept = {}
    moments = [
        ("data/train.parquet", signal.SIGKILL),
        ("models/*/seed1", signal.SIGKILL),
        ("scores/table/*/seed1.csv", signal.SIGTERM),
        ("logs/gather_scores.log", signal.SIGKILL),
        ("logs/make_tables.log", signal.SIGKILL),
    ]
    for pattern, way in moments:
        process = project.start(*TARGETS, **CONFIG)
        until(lambda pattern=pattern: list((project.folder / "results" / RUN).glob(pattern)), process)
        jobs = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(way)
        assert process.wait(timeout=60) != 0
        # Nobody is left who could write into what the next run makes.
        assert not psutil.wait_procs(jobs, timeout=10)[1]
        again = finished(project)
        assert {path: again.get(path) for path in kept} == kept, pattern
        kept = again
    done = project.snakemake(*TARGETS, **CONFIG)
    assert done.returncode == 0, done.stdout
    assert "An earlier run here was killed: what it finished is kept" in done.stdout
    again = finished(project)
    assert {path: again.get(path) for path in kept} == kept
    assert results(project) == undisturbed


def test_a_job_that_is_killed_leaves_nothing_and_is_run_again(project):
    target = f"results/{RUN}/models/cart/seed1"
    log = project.folder / "results" / RUN / "logs/train/cart-seed1.log"
    ways = {
        signal.SIGKILL: ("SIGKILL", ["cart-seed1.txt"]),
        signal.SIGTERM: ("The job was ended from outside (SIGTERM); run again to go on.", []),
    }
    for way, (said, notes) in ways.items():
        process = project.start(target, **CONFIG)
        until(lambda: log.exists() and log.stat().st_size, process)
        job_of(process, "train_generator").send_signal(way)
        assert process.wait(timeout=60) == 1
        assert said in (project.folder / "console.txt").read_text()
        assert not (project.folder / target).exists()
        assert [path.name for path in (project.folder / "results" / RUN).glob("failed/train/*")] == notes
        log.unlink()
    done = project.snakemake(target, **CONFIG)
    assert done.returncode == 0, done.stdout
    assert (project.folder / target / "epochs0/model_card.json").exists()
    assert not list((project.folder / "results" / RUN).glob("logs/*/*.running"))


def test_a_job_that_is_killed_alone_is_shown_as_failed(project):
    log = project.folder / "results" / RUN / "logs/train/cart-seed1.log"
    process = project.start(*TARGETS, **CONFIG, generators="cart")
    until(lambda: log.exists() and log.stat().st_size, process)
    job_of(process, "train_generator").kill()
    assert process.wait(timeout=300) == 1
    assert "1 jobs failed" in (project.folder / "console.txt").read_text()
    done = project.snakemake(*TARGETS, **CONFIG, generators="cart", failed="show")
    assert done.returncode == 0, done.stdout
    failures = pd.read_csv(project.folder / "results" / RUN / "tables/failures.csv")
    assert failures[["generator", "step"]].to_numpy().tolist() == [["cart", "train"]]
    assert failures["reason"].item() == "the job ended without a word: it was killed, ran out of memory or crashed"


@pytest.mark.parametrize("way", [signal.SIGKILL, signal.SIGINT])
def test_jobs_that_end_with_their_workflow_have_not_failed(project, way):
    log = project.folder / "results" / RUN / "logs/train/cart-seed1.log"
    process = project.start(f"results/{RUN}/models/cart/seed1", **CONFIG)
    until(lambda: log.exists() and log.stat().st_size, process)
    jobs = psutil.Process(process.pid).children(recursive=True)
    # As a terminal does, and as an out-of-memory killer that takes all of a group.
    for one in (process, *jobs):
        one.send_signal(way)
    assert process.wait(timeout=60) != 0
    assert not psutil.wait_procs(jobs, timeout=120)[1]
    # Another run, in which a job fails that has nothing to do with it.
    copula = project.folder / "config/generators/gaussian_copula.yaml"
    edit(copula, lambda entry: entry["settings"].update(default_distribution="bell"))
    done = project.snakemake(f"results/{RUN}/models/gaussian_copula/seed1", **CONFIG)
    assert done.returncode == 1
    notes = [path.name for path in (project.folder / "results" / RUN).glob("failed/*/*")]
    assert notes == ["gaussian_copula-seed1.txt"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(project, undisturbed):
    folder = project.folder / "results"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        done = project.snakemake(f"results/{RUN}/data/train.parquet", **CONFIG)
        assert done.returncode == 0, done.stdout
        # All but a few thousand bytes are taken.
        filler = folder / "filler"
        with filler.open("wb") as file:
            left = os.statvfs(folder)
            file.write(bytes(left.f_bavail * left.f_frsize - 40_000))
        done = project.snakemake(*TARGETS, **CONFIG)
        assert done.returncode == 1
        assert "The disk is full: make room and run again, what is finished is kept." in done.stdout
        assert "Traceback" not in done.stdout
        filler.unlink()
        done = project.snakemake(*TARGETS, **CONFIG)
        assert done.returncode == 0, done.stdout
        assert "clean the raw table" not in done.stdout
        assert results(project) == undisturbed
    finally:
        subprocess.run(["umount", str(folder)], check=True)
