"""Write how often rows of each generator are what no patient can be."""

from pathlib import Path

from _job import read_scores, run

from medsynth.reporting.export import write_table
from medsynth.reporting.violations import display_violations, violations_table


def main(job):
    """Write the table as csv, md, tex and html."""
    violations = violations_table(read_scores(job))
    write_table(
        violations,
        display_violations(violations, job.params.rules, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="Rows of 1,000 that break a rule of the codebook, mean and 95% t interval over seeds, at each "
        "generator's largest epoch count. The floor draws every column alone. The csv gives shares of rows",
        note=job.params.note,
    )


run(snakemake, main)
