"""Fetch a raw file from its publisher and verify it; nothing stays that is not the table the codebook describes."""

from _job import Job, log, run, share_imports

share_imports(__name__)

import http.client
import shutil
import urllib.request
from pathlib import Path

from medsynth.data.opening import open_raw, sha256
from medsynth.errors import InputError


def main(job: Job) -> None:
    """Download beside the target, unpack where the publisher packs and we do not, verify, and only then rename."""
    url, target = job.params.url, Path(job.output[0])
    packed = target.with_name(f"download{Path(url).suffix}")
    table = target.with_name(f"download{target.suffix}")
    try:
        fetch(url, packed, target)
        if packed != table:
            with open_raw(packed, target.name) as stream, table.open("wb") as file:
                shutil.copyfileobj(stream, file)
        checksum = sha256(table, job.params.member)
        if job.params.sha256 and checksum != job.params.sha256:
            raise InputError(
                f"{url} does not serve the table of the codebook: its sha256 is {checksum}, but {job.params.sha256} "
                "is declared; get the file by hand, or correct 'sha256'."
            )
        table.rename(target)
    finally:
        packed.unlink(missing_ok=True)
        table.unlink(missing_ok=True)
    log.info("%s: %d bytes from %s", target, target.stat().st_size, url)


def fetch(url: str, path: Path, target: Path) -> None:
    """Copy what an address serves to a file."""
    try:
        with urllib.request.urlopen(url, timeout=60) as response, path.open("wb") as file:
            shutil.copyfileobj(response, file)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(
            f"{url} could not be downloaded ({error}); get the file by hand, put it at {target} and run again with "
            "source=file."
        ) from None


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
