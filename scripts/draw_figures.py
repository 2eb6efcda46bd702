"""Draw every figure of a run, as png and pdf."""

from _job import Job, facts_of, log, run, share_imports

share_imports(__name__)

from pathlib import Path

from medsynth.display.canvas import save_figure, without_scores
from medsynth.errors import InputError
from medsynth.scores.registry import Shown, figures


def main(job: Job) -> None:
    """Draw what the study shows; where there is no score to draw, say why instead."""
    facts = facts_of(job)
    folder = Path(job.output.figures)
    folder.mkdir(exist_ok=True)
    for shown in (Shown(*one) for one in job.params.figures):
        try:
            figure = figures()[shown.kind].draw(facts, shown)
        except InputError as error:  # Small tables leave some scores empty.
            log.warning("%s: %s", shown.name, error)
            figure = without_scores(str(error), note=facts.note)
        save_figure(figure, folder / shown.name)
        log.info("%s drawn", shown.name)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
