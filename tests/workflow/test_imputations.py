"""Several imputations, a model of each; refits to resamples; and the scores of coefficients that come of them."""

import json

import pandas as pd
import pytest

from tests.conftest import ward
from tests.workflow.conftest import write_study

RUN = "results/ward/file-smoke"
CONFIG = {"studies": "ward", "scale": "smoke"}


@pytest.fixture
def folder(project):
    """Folder of a run with two imputations, whose generator is also refitted, and its coverage tested."""
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(400).rename(columns=str.upper).to_csv(raw, index=False)
    outcome = {"name": "admitted", "column": "admitted", "positive": "1"}
    inference = {"outcome": outcome, "predictors": ["age", "crp"], "coverage": ["cart"], "proper": ["cart"]}
    scale = {"rows": "all", "epochs": [1], "seeds": [1, 2], "coverage_samples": 2}
    scales = {"smoke": {**scale, "coverage_rows": 100}}
    imputation = {"method": "iterative", "tables": 2}
    write_study(project, raw, generators=["cart"], inference=inference, imputation=imputation, scales=scales)
    kinds = ("inference/cart", "inference/real", "inference/independent", "coverage/cart")
    done = project.snakemake(*(f"{RUN}/scores/{kind}/seed1.csv" for kind in kinds), **CONFIG)
    assert done.returncode == 0, done.stdout
    return project.folder / RUN


def tables_of(folder, kind):
    """Tables that coefficients were estimated from, and the imputation behind each."""
    scores = pd.read_csv(folder / f"scores/{kind}/seed1.csv").query("metric == 'rows'")
    return list(zip(scores["table"], scores["imputation"], strict=True))


def test_every_seed_learns_from_the_next_imputation_and_intervals_can_count_it(folder):
    first, second = (pd.read_parquet(folder / f"data/{name}.parquet") for name in ("train", "imputations/2"))
    assert list(first) == list(second) and first.dtypes.equals(second.dtypes)
    same = (first == second).mean()
    assert same["age"] == 1 and 0.8 < same["crp"] < 1
    cards = [json.loads((folder / f"models/cart/seed{s}/epochs0/model_card.json").read_text()) for s in (1, 2)]
    assert cards[0]["train_sha256"] != cards[1]["train_sha256"]
    *trained, (held_out, _) = tables_of(folder, "inference/real")
    assert trained == [("train", 1), ("train", 2)] and held_out == "held_out"
    drawn = [("model", 1), ("model", 1), ("model", 2), ("model", 2)]
    assert tables_of(folder, "inference/independent") == drawn
    refits = [("refit", i) for i in (1, 2, 1, 2, 1)]
    assert tables_of(folder, "inference/cart") == drawn + refits
    coverage = pd.read_csv(folder / "scores/coverage/cart/seed1.csv")
    assert set(coverage["rule"].dropna()) == {"sample", "plug_in", "proper"}
