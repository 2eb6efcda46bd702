"""What a paper publishes beside what this run gives, and a verdict by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.scores.captions import OVER_SEEDS
from medsynth.scores.registry import Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables


def _published(facts: Facts) -> Tables:
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
    assert facts.publication is not None, "a study of no paper has no such table"
    numbers = published_table(facts.scores, Publication(**facts.publication), known, run=facts.run)
    return numbers, display_published(numbers, facts.styles)


def _doubts(finished: Finished) -> list[str]:
    """Claims that the run leaves open."""
    found = finished.table("published_vs_reproduced")
    if found is None:
        return []
    sentences = []
    if undecided := int((found["verdict"] == "undecided").sum()):
        sentences.append(f"{undecided} of {len(found)} verdicts are undecided: the interval allows both answers.")
    if untested := int(found["verdict"].str.startswith("cannot be tested").sum()):
        sentences.append(
            f"{untested} of {len(found)} comparisons cannot be tested in this run. Their reasons are listed above."
        )
    return sentences


FAMILY = Family(
    says={"distrust": _doubts},
    tables=(
        Table(
            "published_vs_reproduced",
            section="0 Verdicts on the paper",
            label="Published against reproduced",
            make=_published,
            caption="What the paper publishes beside what this run gives, with a verdict by the rule in its column. "
            "Claims agree or differ only where that is significant after Holm's correction. "
            f"{OVER_SEEDS} Out of scope: {{out_of_scope}}",
            wanted=lambda run: run.study.published,
            judges=True,
        ),
    ),
)
