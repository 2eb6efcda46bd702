"""Tabulate the column types that SDV detects beside those of the codebook."""

from _job import read_tables, run

from pathlib import Path

from medsynth.codebook import Codebook
from medsynth.generators.metadata import compare_metadata
from medsynth.reporting.export import write_table


def main(job):
    """Read the training rows, let SDV detect, write the table."""
    (train,) = read_tables(job, "train")
    table = compare_metadata(train, Codebook.from_json(job.input.codebook))
    # One block a way of preparing the table.
    display = table.set_index("table")
    display.columns = [
        "Column",
        "Type in the codebook",
        "Declared",
        "Detected",
        "Differs",
        "What trusting it would mean",
    ]
    write_table(
        table,
        display,
        Path(job.output[0]).with_suffix(""),
        caption="Column types that SDV detects (Metadata.detect_from_dataframes) beside those declared from the "
        "codebook, which generators are told (label-encoded ones: that every column is numerical)",
        note=job.params.note,
    )


run(snakemake, main)
