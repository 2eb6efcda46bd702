"""Draw the success matrices of one generator's cohorts."""

from pathlib import Path

import pandas as pd
from _job import run

from medsynth.evaluation.conditional import Cohort
from medsynth.reporting.canvas import save_figure
from medsynth.reporting.cohort_figures import success_matrices


def main(job):
    """Read the long table, draw, save as png and pdf."""
    scores = pd.read_csv(job.input.scores, keep_default_na=False, na_values={"value": [""]})
    cohorts = [Cohort(**cohort) for cohort in job.params.cohorts]
    names = {"generator": job.wildcards.generator, "title": job.params.title, "note": job.params.note}
    save_figure(success_matrices(scores, cohorts, **names), Path(job.output.png).with_suffix(""))


run(snakemake, main)
