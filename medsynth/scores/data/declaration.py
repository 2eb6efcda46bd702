"""Where the rows come from and what was done to them before any generator saw one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medsynth.disclosure import WITHHELD
from medsynth.scores.registry import Facts, Family, Table

if TYPE_CHECKING:
    from medsynth.report.facts import Finished
    from medsynth.scores.registry import Tables

SECTION = "1 Data"


def _overview(facts: Facts) -> Tables:
    from medsynth.scores.data.table import overview_table

    table = overview_table(facts.overview, facts.provenance)
    return table, table


def _cleaning(facts: Facts) -> Tables:
    from medsynth.scores.data.table import cleaning_table

    table = cleaning_table(facts.file("cleaning"), facts.provenance["raw_rows"], facts.minimum_cell_size)
    return table, table


def _preparation(facts: Facts) -> Tables:
    from medsynth.scores.data.table import preparation_table

    table = preparation_table(facts.file("preparation"), facts.minimum_cell_size)
    return table, table


def _scaling(facts: Facts) -> Tables:
    import pandas as pd

    from medsynth.scores.data.table import display_scaling

    numbers = pd.read_csv(facts.files["scaling"])
    return numbers, display_scaling(numbers)


def _metadata(facts: Facts) -> Tables:
    from medsynth.scores.data.table import display_metadata

    numbers = facts.file("metadata")
    return numbers, display_metadata(numbers)


# A smaller test set leaves wide intervals.
FEW_TEST_ROWS = 1000
# Of the overview, in the summary page; the rest says how the run was made.
ON_DATA = (
    "Publisher of the real table", "Licence of the real table", "Raw rows", "Test share", "Imputation",
)  # fmt: skip
ON_MAKING = ("Scale", "Generators", "Epochs", "Seeds", "Study seed", "Versions", "Raw table, SHA-256")


def _rows(finished: Finished, partition: str) -> int:
    """Rows of a partition, of the first where every seed has its own."""
    table = finished.written("preparation")
    return int(table.loc[table["partition"] == partition, "rows"].iloc[0])


def _says(finished: Finished) -> list[str]:
    """How many rows there are to learn from, and to test on."""
    return [f"{_rows(finished, 'train'):,} training rows and {_rows(finished, 'test'):,} test rows, split by person."]


def _doubts(finished: Finished) -> list[str]:
    """Simulated rows, a small test set, few cases."""
    found = ["The data are simulated: no score here is of patients."] if finished.simulated else []
    tested = _rows(finished, "test")
    if tested < FEW_TEST_ROWS:
        found.append(f"The test set has {tested:,} rows. Intervals are wide, and small differences cannot be seen.")
    table = finished.written("preparation")
    remarks = table.loc[table["column"] == "(rows)", "remark"]
    found += [f"{text[:1].upper()}{text[1:]}." for text in dict.fromkeys(remarks) if text]
    return found


FAMILY = Family(
    claims=("data",),
    says={"data": _says, "distrust": _doubts},
    tables=(
        Table(
            "overview",
            section=SECTION,
            label="What was run",
            make=_overview,
            caption="What was run.",
            facts={"data": ON_DATA, "made": ON_MAKING},
        ),
        Table(
            "cleaning",
            section=SECTION,
            label="Cleaning",
            make=_cleaning,
            caption="What cleaning did to each column, and how many cells each rule changed. "
            "The sign <{least} stands for some cells, but fewer. "
            f"The word '{WITHHELD}' stands for a count that would reveal fewer by difference.",
        ),
        Table(
            "preparation",
            section=SECTION,
            label="Partitions and imputation",
            make=_preparation,
            caption="Partitions and imputation, which is learned on training rows alone. "
            "The sign <{least} stands for some cells, but fewer. "
            f"The word '{WITHHELD}' stands for a count that would reveal fewer by difference.",
        ),
        Table(
            "scaling",
            section=SECTION,
            label="Moments before and after scaling",
            make=_scaling,
            caption="Moments of the numeric columns of the training rows, before and after scaling to [0, 1]. "
            "Skewness and excess kurtosis should stay, while mean and standard deviation follow the linear map. "
            "Columns are cut where {least} rows or more lie at or beyond.",
        ),
        Table(
            "metadata",
            section=SECTION,
            label="Metadata: detected and declared",
            make=_metadata,
            caption="Column types that SDV detects, beside those that the codebook declares. "
            "Generators get the declared ones, but label-encoded generators get numeric columns alone.",
            wanted=lambda run: run.study.detect_metadata,
        ),
    ),
)
