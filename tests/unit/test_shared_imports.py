"""Jobs fork from a process that keeps imports: they find those, nothing else, and end as processes of their own do."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from medsynth.plan import sharing
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(not sharing.can_share(), reason="jobs share imports on Linux alone")

HAND_OVER = f"""
import sys
sys.path.append({str(ROOT)!r})
from medsynth.plan import sharing
sharing.hand_over()
"""


@pytest.fixture
def keeper(monkeypatch):
    """The process that keeps imports."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv(sharing.ADDRESS, "")
    for name, number in sharing.ONE_THREAD.items():
        monkeypatch.setenv(name, number)
    process = sharing.start()
    address = Path(os.environ[sharing.ADDRESS].split(":")[1])
    while not address.exists():
        assert process.poll() is None
        time.sleep(0.02)
    yield psutil.Process(process.pid)
    process.terminate()
    process.wait()
    shutil.rmtree(address.parent, ignore_errors=True)


@pytest.fixture
def job(tmp_path):
    """Start a script that hands itself over first; what it says is captured."""

    def start(code, **options):
        script = tmp_path / "script.py"
        script.write_text(HAND_OVER + code)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([sys.executable, str(script)], **pipes, **options)

    return start


def said(process):
    """Wait for a job: its exit code and what it said on both streams."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out.strip(), err.strip()


DRAW = "import numpy; print(numpy.random.random())"


def test_jobs_share_no_random_numbers(keeper, job):
    said(job("import numpy"))
    first, second = (said(job(DRAW))[1] for _ in range(2))
    assert first and first != second


LOOK = (
    "print('tabulate' in sys.modules, end=' '); import tabulate; print(vars(tabulate).get('mine')); tabulate.mine = 1"
)


def test_a_job_finds_what_an_earlier_one_imported_and_nothing_that_it_did(keeper, job):
    assert said(job(LOOK)) == (0, "False None", "")
    assert said(job(LOOK)) == (0, "True None", "")


def test_a_job_runs_in_a_fork_once_with_its_own_folder_environment_and_cost(keeper, job, tmp_path):
    code = "import os; print(os.getppid(), os.getcwd(), os.environ['MINE'], sharing.spent_before > 0)"
    environ = {**os.environ, "MINE": "me"}
    expected = (0, f"{keeper.pid} {tmp_path} me True", "")
    assert said(job(code, cwd=tmp_path, env=environ)) == expected


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("sys.exit(3)", (3, "")),
        ("sys.exit('why')", (1, "why")),
        ("raise ValueError('why')", (1, "ValueError: why")),
        ("import os; os.kill(os.getpid(), 9)", (128 + 9, "")),
    ],
)
def test_a_job_that_fails_ends_as_a_process_of_its_own_does(keeper, job, code, ended):
    returned, _, error = said(job(code))
    assert (returned, error.split("\n")[-1]) == ended


def test_a_job_ends_with_the_process_that_handed_it_over(keeper, job):
    process = job("import time; print('here', flush=True); time.sleep(300)")
    assert process.stdout.readline() == "here\n"
    (fork,) = keeper.children()
    process.kill()
    process.communicate()
    assert not psutil.wait_procs([fork], timeout=10)[1]


def test_a_job_gets_the_signal_to_end(keeper, job):
    code = "import signal, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit('told to'))\n"
    process = job(code + "print('here', flush=True); time.sleep(300)")
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGTERM)
    assert said(process) == (1, "", "told to")


def test_a_job_that_is_interrupted_tidies_up(keeper, job):
    code = "import time\ntry:\n    print('here', flush=True)\n    time.sleep(300)\nfinally:\n    print('tidy')"
    process = job(code)
    assert process.stdout.readline() == "here\n"
    # As a terminal does.
    for one in (process, *keeper.children()):
        one.send_signal(signal.SIGINT)
    returned, out, error = said(process)
    assert (returned, out) == (1, "tidy") and "KeyboardInterrupt" in error


def test_a_job_ends_as_python_does(keeper, job):
    code = "import atexit, threading, time\natexit.register(print, 'exit')\n"
    code += "threading.Thread(target=lambda: time.sleep(0.5) or print('thread')).start()"
    assert said(job(code)) == (0, "thread\nexit", "")


@pytest.mark.parametrize("change", [{"OMP_NUM_THREADS": "2"}, {"MEDSYNTH_IMPORTS": "/another/python:/address"}])
def test_a_job_of_more_threads_or_of_another_python_runs_by_itself(keeper, job, change):
    process = job("import os; print(os.getpid())", env={**os.environ, **change})
    assert said(process) == (0, str(process.pid), "")


def test_a_job_runs_by_itself_where_nobody_keeps_imports_any_more(keeper, job):
    earlier = job("import time; print('here', flush=True); time.sleep(300)")
    assert earlier.stdout.readline() == "here\n"
    keeper.kill()
    keeper.wait()
    process = job("import os; print(os.getpid())")
    assert said(process) == (0, str(process.pid), "")
    earlier.kill()
    earlier.communicate()


def test_what_a_job_did_is_not_lost_with_the_folder_of_those_who_keep_imports(keeper, job):
    folder = Path(os.environ[sharing.ADDRESS].split(":")[1]).parent
    assert said(job(f"import shutil; shutil.rmtree({str(folder)!r}); print('done')")) == (0, "done", "")


@pytest.mark.slow
@pytest.mark.parametrize("alive", [0, 2])
def test_whoever_keeps_imports_ends_with_its_workflow_and_leaves_nothing(tmp_path, alive):
    code = "from medsynth.plan import sharing; import os, time; print(sharing.start().pid, os.environ[sharing.ADDRESS])"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "scripts")])}
    command = [sys.executable, "-c", f"{code}; time.sleep({alive})"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, cwd=tmp_path)
    number, address = done.stdout.replace(":", " ").split()[::2]
    deadline = time.monotonic() + 20
    while psutil.pid_exists(int(number)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not psutil.pid_exists(int(number)) and not Path(address).parent.exists()
