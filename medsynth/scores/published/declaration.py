"""What a paper publishes beside what this run gives, and a verdict by rule."""

from __future__ import annotations

from medsynth.scores.captions import OVER_SEEDS
from medsynth.scores.registry import Facts, Family, Table


def _published(facts: Facts):
    from medsynth.scores.published.publication import Publication
    from medsynth.scores.published.table import display_published, published_table

    preparation = facts.file("preparation")
    columns = preparation[preparation["column"] != "(rows)"]
    rows = columns.groupby("partition")["rows"].first()
    known = {
        "raw_rows": facts.provenance["raw_rows"],
        "rows": int(rows.sum()),
        "train_rows": int(rows["train"]),
        "test_rows": int(rows["test"]),
        "columns": int((columns["partition"] == "train").sum()),
    }
    numbers = published_table(facts.scores, Publication(**facts.publication), known, run=facts.run)
    return numbers, display_published(numbers, facts.styles)


FAMILY = Family(
    tables=(
        Table(
            "published_vs_reproduced",
            section="0 Published against ours",
            label="Published against reproduced",
            make=_published,
            caption="What the paper publishes beside what this run gives, and a verdict by the rule in its column: "
            "numbers by a margin, claims where they are significant after Holm's correction. Values are the "
            f"{OVER_SEEDS}. Out of scope: {{out_of_scope}}",
            wanted=lambda run: run.study.published,
        ),
    ),
)
