"""Packages that cannot live beside the project's own, each in a Python environment below the working folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from medsynth.errors import InputError

FOLDER = Path(".environments")
# Stands behind a package of a lock file that is installed without what it asks for.
ALONE = "# --no-deps"
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


def installed_version(name: str, package: str) -> str:
    """Version of a package in an environment, as its lock file says."""
    interpreter(name)
    lines = stamp_of(name).read_text(encoding="utf-8").splitlines()
    return next(line.split("#")[0].strip().partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def run_elsewhere(name: str, script: Path, *arguments: str | Path) -> None:
    """Run a script by the Python of an environment; this project's own modules are not to be found there.

    Raises
    ------
    InputError
        The environment has not been made.
    RuntimeError
        The script failed; the message has the end of what it said.
    """
    python = interpreter(name)
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(part) for part in (python, "-P", script, *arguments)]
    done = subprocess.run(command, env=own, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{python} failed on {script.name}: {done.stderr.strip()[-2000:]}")


def make_environment(folder: Path, lock: Path) -> None:
    """Make an environment with the packages of a lock file, by the Python that runs this.

    Raises
    ------
    InputError
        A package cannot be had; nothing is left.
    """
    shutil.rmtree(folder, ignore_errors=True)
    python = str(folder / "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lines = lock.read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    packages = {
        options: [line.split("#")[0].strip() for line in wanted if (ALONE in line) == bool(options)]
        for options in ((), ("--no-deps",))
    }
    commands = [[sys.executable, "-m", "venv", str(folder)]]
    commands += [[*pip, *options, *names] for options, names in packages.items() if names]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("ERROR", "Error"))]
            raise InputError(
                f"The environment {folder} cannot be made ({said[-1] if said else 'no reason given'}); {lock} needs "
                "Python 3.11 and a package index, so make it where both are, or leave out what needs it."
            )
    (folder / STAMP).write_text(lock.read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
