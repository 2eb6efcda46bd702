"""Make the Python environment of packages that cannot live beside the project's own."""

from _job import log, run, share_imports

share_imports(__name__)

from pathlib import Path

from medsynth.generators.environments import make_environment


def main(job):
    """Install what the lock file names."""
    folder = Path(job.output[0]).parent
    make_environment(folder, Path(job.input[0]))
    log.info("made %s of %s", folder, job.input[0])


if __name__ == "__main__":
    run(snakemake, main)
