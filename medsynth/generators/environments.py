"""Packages that cannot live beside the project's own, each in a Python environment below the working folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from medsynth.errors import InputError

FOLDER = Path(".environments")
# Written last, with what was installed.
STAMP = "installed.txt"


def stamp_of(name: str) -> Path:
    """Name the file that an environment has once it is complete."""
    return FOLDER / name / STAMP


def interpreter(name: str) -> Path:
    """Find the Python of an environment.

    Raises
    ------
    InputError
        It has not been made.
    """
    stamp = stamp_of(name)
    if not stamp.is_file():
        raise InputError(f"The environment {stamp.parent} is not there or not complete; make it: snakemake {stamp}")
    return stamp.with_name("bin") / "python"


def make_environment(folder: Path, lock: Path) -> None:
    """Make an environment with the packages of a lock file, by the Python that runs this.

    Raises
    ------
    InputError
        A package cannot be had; nothing is left.
    """
    shutil.rmtree(folder, ignore_errors=True)
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(lock)]
    for command in ([sys.executable, "-m", "venv", str(folder)], [str(folder / "bin/python"), *pip]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("ERROR", "Error"))]
            raise InputError(
                f"The environment {folder} cannot be made ({said[-1] if said else 'no reason given'}); {lock} needs "
                "Python 3.11 and a package index, so make it where both are, or leave out what needs it."
            )
    (folder / STAMP).write_text(lock.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
