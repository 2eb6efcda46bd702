"""Fetch a raw file from its publisher; what it holds is verified when it is read."""

import shutil
import urllib.request
from pathlib import Path

from _job import log, run

from medsynth.errors import InputError


def main(job):
    """Download to a temporary name first, so that a broken transfer leaves nothing behind."""
    target = Path(job.output[0])
    part = target.with_name(target.name + ".part")
    try:
        with urllib.request.urlopen(job.params.url, timeout=60) as response, part.open("wb") as file:
            shutil.copyfileobj(response, file)
        part.rename(target)
    except OSError as error:
        raise InputError(
            f"{job.params.url} could not be downloaded ({error}). Get the file by hand, put it at {target} and run "
            "again with source=file."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    log.info("%s: %d bytes from %s", target, target.stat().st_size, job.params.url)


run(snakemake, main)
