"""Make the Python environment of packages that cannot live beside the project's own."""

from _job import Job, log, run, share_imports

share_imports(__name__)

from pathlib import Path

from medsynth.generators.environments import make_environment


def main(job: Job) -> None:
    """Install what the lock file names."""
    folder = Path(job.output[0]).parent
    make_environment(folder, Path(job.input[0]))
    log.info("made %s of %s", folder, job.input[0])


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
