"""Column types that SDV detects, beside those that the codebook declares."""

import pandas as pd
import pytest

from medsynth.codebook import Column
from medsynth.generators.metadata import ENCODED, PLAIN, compare_metadata, meaning


@pytest.fixture
def table(partitions):
    """Comparison of the ward table's types."""
    train, _, codebook = partitions
    return compare_metadata(train, codebook).set_index(["table", "column"])


def test_every_column_is_listed_in_both_preparations(partitions, table):
    assert list(table.index) == [(where, name) for where in (PLAIN, ENCODED) for name in partitions[2].columns]


def test_declared_types_are_the_codebooks(table):
    declared = table.loc[PLAIN, "declared"]
    assert declared[["age", "stage", "icu"]].tolist() == ["numerical", "ordinal", "categorical"]


def test_an_order_that_text_does_not_show_is_not_detected(table):
    stage = table.loc[(PLAIN, "stage")]
    assert (stage["detected"], stage["differs"]) == ("categorical", "yes")
    assert stage["meaning"] == "the order of the categories is not known"


def test_labels_are_taken_for_ordered_categories(table):
    icu = table.loc[(ENCODED, "icu")]
    assert (icu["detected"], icu["differs"]) == ("ordinal", "yes")
    assert "neighbouring codes count as alike" in icu["meaning"]


def test_what_agrees_means_nothing(table):
    agreed = table[table["differs"] == "no"]
    assert (agreed["declared"] == agreed["detected"]).all() and (agreed["meaning"] == "").all()
    assert (table.loc[table["differs"] == "yes", "meaning"] != "").all()


def test_whole_numbers_that_never_repeat_are_taken_for_identifiers(codebook):
    train = pd.DataFrame({"cost": range(100, 200)})
    described = codebook.model_copy(update={"columns": {"cost": Column(type="integer")}})
    row = compare_metadata(train, described).iloc[0]
    assert row["detected"] == "id" and "what the column shows is lost" in row["meaning"]


@pytest.mark.parametrize("detected", ["city", "phone_number", "unknown"])
def test_names_that_read_like_personal_data_are_said_to(detected):
    assert "personal data" in meaning("categorical", "categorical", detected)
