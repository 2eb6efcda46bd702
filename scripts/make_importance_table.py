"""Write the table of how well importances agree with those of real-trained forests."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.display import display_importance
from medsynth.reporting.export import write_table
from medsynth.reporting.tables import importance_table


def main(job):
    """Read the long table, write numbers and the table for reading."""
    numbers = importance_table(read_scores(job))
    write_table(
        numbers,
        display_importance(numbers, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Importance: do random forests trained on synthetic rows look at what those trained on real rows look "
        "at? Spearman's correlation of mean |SHAP| over predictors, and share of the real-trained forest's five most "
        "important predictors that are among the other's five, mean and 95% t interval over seeds",
        note=job.params.note,
    )


run(snakemake, main)
