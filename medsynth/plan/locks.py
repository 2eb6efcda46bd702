"""A working folder before a run: locks that a killed run left there, and whether it can be written to."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import IO

from medsynth.errors import InputError

# Open as long as the process lives: its end, however it comes, gives the lock back.
held: list[IO[str]] = []


def clear_stale_locks(folder: Path = Path(".snakemake")) -> bool:
    """Remove Snakemake's locks of runs that are no more.

    Snakemake locks files by writing down their names, which stay when it is killed. Here every run also holds a lock of
    the operating system's, shared among runs; whoever gets it alone knows that the names are nobody's. They are left
    where the last run was on another machine, which such a lock may not reach (`snakemake --unlock` removes them), and
    where there are no such locks.

    Returns
    -------
    bool
        Whether there was something to remove; it is also said on standard error.
    """
    try:
        import fcntl

        folder.mkdir(exist_ok=True)
        file = (folder / "running").open("a+", encoding="utf-8")
        held.append(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stale = []
        else:
            file.seek(0)
            here = file.read() == socket.gethostname()
            stale = list(folder.glob("locks/*.lock")) if here else []
            for path in stale:
                path.unlink()
            file.truncate(0)
            file.write(socket.gethostname())
            file.flush()
        fcntl.flock(file, fcntl.LOCK_SH)
    except (ImportError, OSError):
        return False
    if stale:
        print("An earlier run here was killed: what it finished is kept, the rest is made again.", file=sys.stderr)
    return bool(stale)


def check_writable(folder: str) -> None:
    """Check that a folder, or the one that it will be made in, can be written to; `InputError` if not."""
    there = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
    if not os.access(there, os.W_OK):
        raise InputError(
            f"{there} is read-only or belongs to somebody else; make it writable, or work in another folder "
            "(snakemake --directory)."
        )
