"""The process that keeps imports and forks jobs, for `_shared_imports.py`, which says why."""

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
import sys
import threading
import time
import traceback
from pathlib import Path

import _shared_imports


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
        _shared_imports.spent_before = self.server.spent + task["spent"]
        _shared_imports.started = task["started"]
        threading.Thread(target=self.end_with_client, daemon=True).start()
        self.wfile.write(b"%d\n" % os.getpid())
        code = self.run(sys.argv[0])
        # As Python does at its end.
        threading._shutdown()
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
        on_signals = dict.fromkeys((signal.SIGTERM, signal.SIGHUP), lambda *_: sys.exit())
        on_signals[signal.SIGINT] = signal.SIG_IGN
        self.handlers = {number: signal.signal(number, handler) for number, handler in on_signals.items()}

    def process_request(self, request, client_address) -> None:
        """Import what jobs have imported since the last one, and fork; what it took is counted to the next job."""
        for path in self.folder.glob("*.imported"):
            for name in path.read_text().split("\n"):
                if name not in sys.modules:
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
            path.unlink()
        if len(list(Path("/proc/self/task").iterdir())) > 1:
            raise SystemExit("Imports are no longer shared: one has started a thread, with which no process is forked.")
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
    from medsynth.generators.laziness import leave_compiler_out

    leave_compiler_out()
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
