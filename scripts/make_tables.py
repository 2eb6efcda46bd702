"""Write the tables of a run: numbers as csv, for reading as Markdown, LaTeX and HTML."""

from _job import Job, facts_of, log, run, share_imports

share_imports(__name__)

from pathlib import Path

from medsynth.display.export import write_table
from medsynth.scores.registry import tables
from medsynth.scores.training.table import MARKED, training_table, unsettled, with_marks


def main(job: Job) -> None:
    """Write every table that the study has."""
    facts = facts_of(job)
    facts.overview["Versions"] = ", ".join(job.params.versions)
    moving = unsettled(training_table(facts.histories))
    for name in job.params.tables:
        table = tables()[name]
        numbers, display = table.make(facts)
        marked = with_marks(display, moving, facts.styles)
        note = facts.note if marked.equals(display) else f"{facts.note}. {MARKED}"
        folder = Path(job.output.tables)
        folder.mkdir(exist_ok=True)
        write_table(numbers, marked, folder / name, caption=facts.caption(table), note=note)
        log.info("%s: %d rows", name, len(display))


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
