"""Imports paid once a run: jobs fork from a process that keeps what earlier jobs imported.

Python, pandas, scikit-learn and torch take one to three seconds to start, and many a job hardly longer to do its work.
Where jobs run on the workflow's own machine and the key `share_imports` says so, the Snakefile starts a process beside
them (`Imports`). A job that starts hands itself over to it (`hand_over`, the first thing that a script calls): the
process forks, the fork runs the job's script, and what that imported from installed packages the process imports as
well before it forks again. A job finds modules of installed packages loaded and nothing else: data, settings, random
numbers and the project's own code begin anew in each. Jobs that find no such process, as on a cluster, start by
themselves.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import shutil
import signal
import site
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Names the variable of the environment that says which Python the process runs, and its address: "<prefix>:<socket>".
ADDRESS = "MEDSYNTH_IMPORTS"
# What Snakemake sets for a job of one thread; the process takes it for all, since libraries read it when imported.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
# The only thread that any of the imports starts: pyarrow's allocator gives memory back in the background.
NO_BACKGROUND = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}

# Seconds that a job waits for its fork to begin: imports take less, and a process that was stopped takes no more jobs.
PATIENCE = 60.0

# Names the variable that tells a fork what was spent for it elsewhere.
SPENT = "MEDSYNTH_SPENT"
# Processor time that was spent for this job elsewhere: by the process that handed it over, and on shared imports.
spent_before = float(os.environ.get(SPENT, "0 0").split()[0])
# When this job's process was started, as `time.monotonic` has it.
started = float(os.environ.get(SPENT, f"0 {time.monotonic() - time.process_time()}").split()[1])


def can_share() -> bool:
    """Whether jobs on this machine can share imports: macOS has no safe fork and Windows none."""
    return sys.platform == "linux"


def start() -> subprocess.Popen | None:
    """Start the process that keeps imports, for the jobs that this process will start; it ends with this one.

    Where imports can't be shared, or the process does not come up, jobs import for themselves.
    """
    if not can_share():
        return None
    # In a folder that nobody else may enter: whoever connects has code run.
    address = str(Path(tempfile.mkdtemp(prefix="medsynth-"), "imports"))
    environ = {**os.environ, **ONE_THREAD, **NO_BACKGROUND}
    os.environ[ADDRESS] = f"{sys.prefix}:{address}"
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "medsynth.plan.sharing", address, str(os.getpid())]
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL)


def hand_over() -> None:
    """Let a fork of the process that keeps imports run this script, and end as it ends; return if there is none."""
    prefix, _, address = os.environ.get(ADDRESS, "").rpartition(":")
    # Jobs may also run in a Python that Snakemake made for them (--software-deployment-method).
    if prefix != sys.prefix or any(os.environ.get(name) != number for name, number in ONE_THREAD.items()):
        return
    # The fork is the last one that the job is handed to.
    environ = {name: value for name, value in os.environ.items() if name != ADDRESS}
    task: dict[str, Any] = {"argv": sys.argv, "path": sys.path, "environ": environ, "directory": str(Path.cwd())}
    task |= {"started": started, "spent": time.process_time()}
    # Ctrl-C in a terminal reaches the fork as well, whose end is waited for.
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(address)
        _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if user != os.getuid():
            raise PermissionError(f"{address} is somebody else's")
        socket.send_fds(connection, [b"\0"], [0, 1, 2])
        connection.sendall(json.dumps(task).encode() + b"\n")
        with connection.makefile() as answers:
            if fork := answers.readline():
                connection.settimeout(None)
                signal.signal(signal.SIGTERM, lambda *_: _pass_on(signal.SIGTERM, int(fork)))
                os._exit(int(answers.readline() or 128 + signal.SIGKILL))
    signal.signal(signal.SIGINT, on_interrupt)


def _pass_on(number: int, process: int) -> None:
    """Send a signal to a process that may have just ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


class Job(socketserver.StreamRequestHandler):
    """A script in a fork: with the streams, environment and folder of the process that handed it over."""

    server: Imports

    def handle(self) -> None:
        """Run the script, and say how it ended."""
        # Whoever connects from now on is not to wait for this fork, should the process end.
        self.server.socket.close()
        _, streams, *_ = socket.recv_fds(self.request, 1, 3)
        task = json.loads(self.rfile.readline())
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        # Some imports set variables, of OpenMP for instance.
        added = {name: value for name, value in os.environ.items() if name not in self.server.environ}
        os.environ.clear()
        os.environ.update(added | task["environ"])
        os.chdir(task["directory"])
        sys.argv[:], sys.path[:] = task["argv"], task["path"]
        for number, handler in self.server.handlers.items():
            signal.signal(number, handler)
        if "numpy" in sys.modules:
            # Python's own generator does so by itself.
            sys.modules["numpy"].random.seed()
        os.environ[SPENT] = f"{self.server.spent + task['spent']} {task['started']}"
        threading.Thread(target=self.end_with_client, daemon=True).start()
        self.wfile.write(b"%d\n" % os.getpid())
        code = self.run(sys.argv[0])
        # As Python does at its end.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        if not code:
            with contextlib.suppress(OSError):
                found = self.server.folder / str(os.getpid())
                found.write_text("\n".join(installed_modules()))
                found.rename(found.with_suffix(".imported"))
        self.wfile.write(b"%d\n" % code)
        os._exit(code)

    @staticmethod
    def run(script: str) -> int:
        """Run a script as Python itself would; returns its exit code."""
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as end:
            if end.code is None or isinstance(end.code, int):
                return end.code or 0
            print(end.code, file=sys.stderr)
            return 1
        except BaseException:
            traceback.print_exc()
            return 1
        return 0

    def end_with_client(self) -> None:
        """End the job at once when who handed it over was killed, which Snakemake takes for the job's end."""
        with contextlib.suppress(OSError):
            self.request.recv(1)
        os._exit(1)


class Imports(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """The process that keeps imports: forks a job for everyone who connects, as long as its parent lives."""

    # How many jobs run is Snakemake's to say; by default no more than 40 would.
    max_children = 10_000
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: Path, parent: int) -> None:
        super().__init__(str(address), Job)
        self.folder = address.parent
        self.parent = parent
        self.environ = dict(os.environ)
        self.counted = self.spent = 0.0
        # Ctrl-C in a terminal reaches all its processes: the jobs are Snakemake's to end, and with it this process.
        on_signals: dict[int, Callable[..., object] | signal.Handlers] = {signal.SIGINT: signal.SIG_IGN}
        on_signals |= dict.fromkeys((signal.SIGTERM, signal.SIGHUP), lambda *_: sys.exit())
        self.handlers = {number: signal.signal(number, handler) for number, handler in on_signals.items()}

    def process_request(self, request: Any, client_address: Any) -> None:
        """Import what jobs have imported since the last one, and fork; what it took is counted to the next job."""
        for path in self.folder.glob("*.imported"):
            for name in path.read_text().split("\n"):
                if name not in sys.modules:
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
            path.unlink()
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise SystemExit(
                "Imports are no longer shared, because one of them has started a thread that forbids forking."
            )
        gc.freeze()
        self.spent, self.counted = time.process_time() - self.counted, time.process_time()
        super().process_request(request, client_address)

    def service_actions(self) -> None:
        """End with the parent."""
        super().service_actions()
        if os.getppid() != self.parent:
            raise SystemExit


def installed_modules() -> list[str]:
    """Names of the loaded modules that come from installed packages, but this project's."""
    folders = tuple({*site.getsitepackages(), site.getusersitepackages()})
    return [
        name
        for name, module in list(sys.modules.items())
        if (getattr(module, "__file__", None) or "").startswith(folders) and not name.startswith("medsynth")
    ]


def main(address: str, parent: str) -> None:
    """Keep imports until the parent ends."""
    # Jobs import the project's own code anew.
    for name in [name for name in sys.modules if name.partition(".")[0] == "medsynth"]:
        del sys.modules[name]
    try:
        with Imports(Path(address), int(parent)) as server:
            server.serve_forever()
    except OSError as error:
        raise SystemExit(f"Imports are not shared ({error}): jobs start by themselves.") from None
    finally:
        shutil.rmtree(Path(address).parent, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
