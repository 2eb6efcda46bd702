"""Drafts offer relations that hold in every row as constraints."""

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw
from medsynth.drafting import make_draft
from medsynth.preparation.cleaning import clean
from medsynth.scores.violations.compute import breaks, check_constraints

ROWS = 600


@pytest.fixture
def stays(tmp_path):
    """Stays in which a group follows from a diagnosis, intensive care is part of the stay, and costs add up."""
    rng = np.random.default_rng(5)
    diagnosis = rng.choice(["pneumonia", "asthma", "stroke"], ROWS)
    stay = rng.gamma(2, 5, ROWS).round(1) + 1
    drugs, care = rng.gamma(3, 50, ROWS).round(0), rng.gamma(3, 90, ROWS).round(0)
    table = pd.DataFrame(
        {
            "diagnosis": diagnosis,
            "group": np.where(diagnosis == "stroke", "brain", "lung"),
            "sex": rng.choice(["f", "m"], ROWS),
            "stay": stay,
            "intensive": (stay * rng.random(ROWS)).round(1),
            "drugs": drugs,
            "care": care,
            "total": drugs + care,
        }
    )
    path = tmp_path / "stays.csv"
    table.to_csv(path, index=False)
    return path, table


def uncommented(draft):
    """The draft with what it offers as comments."""
    lines = draft.text.splitlines()
    start = lines.index("# constraints:")
    text = "\n".join([*lines[:start], *(line.removeprefix("# ").replace("#   ", "  ", 1) for line in lines[start:])])
    return Codebook.model_validate(yaml.safe_load(text))


def test_what_is_offered_is_a_valid_codebook_that_no_row_breaks(stays):
    path, _ = stays
    codebook = uncommented(make_draft(path))
    check_constraints(codebook)
    cleaned = clean(read_raw(path, codebook), codebook)[0]
    resolved = codebook.resolved(cleaned)
    assert {frozenset(one.columns) for one in resolved.constraints} >= {
        frozenset({"diagnosis", "group"}),
        frozenset({"intensive", "stay"}),
    }
    assert not any(breaks(one, cleaned, resolved).any() for one in resolved.constraints)


def test_a_shuffled_column_breaks_what_is_offered(stays):
    path, _ = stays
    codebook = uncommented(make_draft(path))
    cleaned = clean(read_raw(path, codebook), codebook)[0]
    resolved = codebook.resolved(cleaned)
    shuffled = cleaned.assign(group=cleaned["group"].sample(frac=1, random_state=1).to_numpy())
    rules = [one for one in resolved.constraints if "group" in one.columns]
    assert rules and all(breaks(one, shuffled, resolved).any() for one in rules)


def test_sums_and_laws_are_said_and_chance_is_not(stays):
    path, _ = stays
    said = make_draft(path).decisions[-1]
    assert "total is drugs plus care" in said and "group follows from diagnosis" in said
    assert "sex" not in make_draft(path).text.split("# constraints:")[1]


def test_missing_cells_say_nothing(stays, tmp_path):
    _, table = stays
    table.loc[::3, "stay"] = np.nan
    table.loc[1::3, "intensive"] = np.nan
    table.to_csv(tmp_path / "gaps.csv", index=False)
    assert "intensive_below_stay" not in make_draft(tmp_path / "gaps.csv").text
    assert "stay_below_intensive" in make_draft(tmp_path / "gaps.csv").text


def test_one_row_against_it_and_nothing_is_offered(stays, tmp_path):
    _, table = stays
    table.loc[7, "intensive"] = table.loc[7, "stay"] + 1
    table.to_csv(tmp_path / "odd.csv", index=False)
    assert "stay_below_intensive" not in make_draft(tmp_path / "odd.csv").text


def test_a_table_without_relations_offers_none(tmp_path):
    rng = np.random.default_rng(0)
    pd.DataFrame({"a": rng.normal(size=300).round(2), "b": rng.normal(size=300).round(2)}).to_csv(
        tmp_path / "noise.csv", index=False
    )
    assert "# constraints:" not in make_draft(tmp_path / "noise.csv").text
