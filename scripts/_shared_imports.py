"""Imports paid once a run: jobs fork from a process that keeps what earlier jobs imported.

Python, pandas, scikit-learn and torch take one to three seconds to start, and many a job hardly longer to do its work.
Where jobs run on the workflow's own machine, the Snakefile starts a process beside them (`_keep_imports.py`). A job
that starts hands itself over to it (`hand_over`, which `_job.py` calls before anything heavy is imported): the process
forks, the fork runs the job's script, and what that imported from installed packages the process imports as well before
it forks again. A job finds modules of installed packages loaded and nothing else: data, settings, random numbers and
the project's own code begin anew in each. Jobs that find no such process, as on a cluster, start by themselves.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Names the variable of the environment that says which Python the process runs, and its address: "<prefix>:<socket>".
ADDRESS = "MEDSYNTH_IMPORTS"
# What Snakemake sets for a job of one thread; the process takes it for all, since libraries read it when imported.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
# The only thread that any of the imports starts: pyarrow's allocator gives memory back in the background.
NO_BACKGROUND = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}

# Seconds that a job waits for its fork to begin: imports take less, and a process that was stopped takes no more jobs.
PATIENCE = 60.0

# Processor time that was spent for this job elsewhere: by the process that handed it over, and on shared imports.
spent_before = 0.0
# When this job's process was started, as `time.monotonic` has it.
started = time.monotonic() - time.process_time()


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
    command = [sys.executable, str(Path(__file__).with_name("_keep_imports.py")), address, str(os.getpid())]
    return subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL)


def hand_over() -> None:
    """Let a fork of the process that keeps imports run this script, and end as it ends; return if there is none."""
    prefix, _, address = os.environ.get(ADDRESS, "").rpartition(":")
    # Jobs may also run in a Python that Snakemake made for them (--software-deployment-method).
    if prefix != sys.prefix or any(os.environ.get(name) != number for name, number in ONE_THREAD.items()):
        return
    # The fork is the last one that the job is handed to.
    environ = {name: value for name, value in os.environ.items() if name != ADDRESS}
    task = {"argv": sys.argv, "path": sys.path, "environ": environ, "directory": str(Path.cwd())}
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
