"""Draw the success matrices of one generator's cohorts."""

from pathlib import Path

from _job import read_scores, run

from medsynth.evaluation.conditional import Cohort
from medsynth.reporting.canvas import save_figure
from medsynth.reporting.cohort_figures import success_matrices


def main(job):
    """Read the long table, draw, save as png and pdf."""
    scores = read_scores(job)
    cohorts = [Cohort(**cohort) for cohort in job.params.cohorts]
    names = {"generator": job.wildcards.generator, "title": job.params.title, "note": job.params.note}
    save_figure(success_matrices(scores, cohorts, **names), Path(job.output.png).with_suffix(""))


run(snakemake, main)
