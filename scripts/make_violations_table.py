"""Write how often rows of each generator are what no patient can be."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.export import write_table
from medsynth.reporting.tables import at_epochs
from medsynth.reporting.violations import display_violations, violations_table


def main(job):
    """Write the table as csv, md, tex and html."""
    violations = violations_table(at_epochs(read_scores(job), job.params.shown_epochs))
    write_table(
        violations,
        display_violations(violations, job.params.rules, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Rows of 1,000 that break a rule of the codebook, mean and 95% t interval over seeds, at one "
        "epoch count a generator. The floor draws every column alone. The csv gives shares of rows",
        note=job.params.note,
    )


run(snakemake, main)
