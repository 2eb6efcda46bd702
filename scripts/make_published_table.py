"""Put what a paper publishes beside what the run gives, with a verdict by rule."""

import json
from pathlib import Path

import pandas as pd
from _job import read_scores, run

from medsynth.reporting.export import write_table
from medsynth.reporting.publication import Publication
from medsynth.reporting.published import display_published, published_table


def main(job):
    """Read the long table and what is known of the data, write numbers and the table for reading."""
    provenance = json.loads(Path(job.input.provenance).read_text(encoding="utf-8"))
    preparation = pd.read_csv(job.input.preparation, keep_default_na=False)
    columns = preparation[preparation["column"] != "(rows)"]
    rows = columns.groupby("partition")["rows"].first()
    facts = {
        "raw_rows": provenance["raw_rows"],
        "rows": int(rows.sum()),
        "train_rows": int(rows["train"]),
        "test_rows": int(rows["test"]),
        "columns": int((columns["partition"] == "train").sum()),
    }
    publication = Publication(**job.params.publication)
    numbers = published_table(read_scores(job), publication, facts, run=job.params.run)
    write_table(
        numbers,
        display_published(numbers, job.params.styles),
        Path(job.output[0]).with_suffix(""),
        caption="What the paper publishes beside what this run gives: mean and 95% t interval over seeds, and a "
        "verdict by the rule in its column. Out of scope: " + ("; ".join(publication.out_of_scope) or "nothing"),
        note=job.params.note,
    )


run(snakemake, main)
