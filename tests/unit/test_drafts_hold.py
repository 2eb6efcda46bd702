"""Whatever is in a table: its draft gives it back, or one sentence says why there is none."""

import csv

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from medsynth.codebook import Codebook
from medsynth.data.proof import prove
from medsynth.data.reading import recognise
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError

ODD = [
    "see note", "<0.05", ">100", "90+", "NA", "n/a", ".", "-", "none", "999", "-9", "8888", "1e300", "inf", "x,y",
    'a "b"', "Ärzte", "\u2028x", "\x85", "a\x00b", "120/80", "31.12.1999", "2020-01-01", "12:30", "5%", "€5", "1,234",
    "1.234,5", "007", "1.50", "0x1F", "1_000", "٣", "½", "+5", "-0", "=A1", "#1", "9999-99-99", "null", "\\N", "",
]  # fmt: skip
KINDS = {
    "whole": lambda rng, i: str(rng.integers(0, 99)),
    "decimal": lambda rng, i: f"{rng.normal(5, 2):.2f}",
    "comma": lambda rng, i: f"{rng.normal(5, 2):.2f}".replace(".", ","),
    "exact": lambda rng, i: repr(float(rng.normal())),
    "level": lambda rng, i: str(rng.choice(list("abc"))),
    "person": lambda rng, i: f"P{i // 2:04d}",
    "date": lambda rng, i: f"{rng.integers(1, 28)}.{rng.integers(1, 12)}.{rng.integers(1950, 2020)}",
    "pair": lambda rng, i: f"{rng.integers(80, 180)}/{rng.integers(50, 99)}",
    "padded": lambda rng, i: f"{rng.integers(0, 99999):05d}",
    "percent": lambda rng, i: f"{rng.integers(1, 99)}%",
    "long": lambda rng, i: str(rng.integers(10**17, 10**18)),
    "odd": lambda rng, i: str(rng.choice(ODD)),
}
HEADERS = ["age", "sex", "id", "patient_id", "zip", "diag", "bp", "x_missing", "x", "Crea (mg/dl)", "", "null", "a\nb"]


@pytest.mark.slow
@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    kinds=st.lists(st.tuples(st.sampled_from(HEADERS), st.sampled_from(list(KINDS))), min_size=2, max_size=5),
    odd=st.lists(st.sampled_from(ODD), min_size=1, max_size=3),
    share=st.sampled_from([0, 0.02, 0.2]),
    n=st.sampled_from([3, 30, 120]),
    seed=st.integers(0, 1000),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_a_draft_gives_its_table_back(tmp_path_factory, kinds, odd, share, n, seed, delimiter):
    rng = np.random.default_rng(seed)
    columns = [
        [str(rng.choice(odd)) if rng.random() < share else KINDS[kind](rng, i) for i in range(n)] for _, kind in kinds
    ]
    path = tmp_path_factory.mktemp("draft") / "mine.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([[name for name, _ in kinds], *zip(*columns, strict=True)])
    try:
        text = draft_codebook(path)
    except InputError as refusal:
        # As few rows as columns of odd cells may look like anything; a sentence is all that is asked.
        assert str(refusal).endswith((".", "?")) or "; " in str(refusal)
        return
    codebook = Codebook.model_validate(yaml.safe_load(text))
    found = recognise(path)
    assert isinstance(found.table, pd.DataFrame) and prove(path, codebook, found.table)[0] == {}
    assert len(found.table) >= n - 1
