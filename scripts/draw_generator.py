"""Draw one generator against the real rows: distributions, associations, pairs of columns, what forests look at."""

from _job import Job, log, read_scores, run, share_imports

share_imports(__name__)

import json
from pathlib import Path
from typing import Any

from medsynth.codebook import Codebook
from medsynth.display.canvas import save_figure
from medsynth.scores.fidelity.associations import associations
from medsynth.scores.fidelity.distributions import distributions
from medsynth.scores.fidelity.pairs import pairs
from medsynth.scores.importance.figure import importances


def main(job: Job) -> None:
    """Read the plot data, draw every figure that the study asks for, save as png and pdf."""
    params, generator = job.params, job.wildcards.generator
    codebook = Codebook.from_json(job.input.codebook)
    plot_data = [read_json(path) for path in job.input.plot_data]
    title = f"{params.title}, {params.epochs} epochs" if params.epochs else params.title
    plain = {"title": title, "note": params.note}
    coloured = plain | {"colour": params.colour}
    for path in (Path(path) for path in job.output.png):
        # A generator's name, and a target's, may have underscores itself.
        kind, _, target = path.stem.partition(f"_{generator}")
        if kind == "distributions":
            figure = distributions(plot_data, codebook, **coloured)
        elif kind == "associations":
            figure = associations(plot_data, **plain)
        elif kind == "pairs":
            figure = pairs(plot_data, codebook, **coloured)
        else:
            target = target.removeprefix("_")
            first = {"real": read_json(job.input.real), generator: plot_data[0]}
            looked_at = {name: one["importance"][target] for name, one in first.items()}
            figure = importances(read_scores(job), looked_at, target=target, generator=generator, **coloured)
        save_figure(figure, path.with_suffix(""))
        log.info("%s drawn", path.stem)


def read_json(path: str) -> dict[str, Any]:
    """Read a file of plot data."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
