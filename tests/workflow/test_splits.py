"""A study whose seeds have partitions of their own: intervals cover these, too."""

import pandas as pd
import pytest
import yaml

from medsynth.evaluation.intervals import UNIT, interval

RUN = "results/covid_splits/simulated-smoke"


@pytest.fixture
def split_study(project):
    """covid_gans with a partition for every seed, CART alone."""
    study = {"name": "covid_splits", "like": "covid_gans", "title": "t", "splits": True, "generators": ["cart"]}
    study |= {"published": None, "export": None, "cohorts": [], "importance": [], "attacks": []}
    study["inference"] = {"outcome": {"name": "death", "column": "death", "positive": "yes"}, "predictors": ["age"]}
    (project.folder / "config/studies/covid_splits.yaml").write_text(yaml.safe_dump(study))
    return project


def test_every_seed_learns_from_and_is_judged_on_its_own_partition(split_study):
    done = split_study.snakemake(f"{RUN}/tables", studies="covid_splits", scale="smoke")
    assert done.returncode == 0, done.stdout
    folder = split_study.folder / RUN
    first, second = (pd.read_parquet(folder / f"data/{part}test.parquet") for part in ("", "split2/"))
    assert not first.equals(second)
    scores = pd.read_csv(folder / "scores.csv")
    assert set(zip(scores["seed"], scores["split"], strict=True)) >= {(1, 1), (2, 2)}
    own = scores.query("generator == 'cart' and metric == 'quality' and family == 'fidelity'")
    row = pd.read_csv(folder / "tables/quality.csv").set_index("generator").loc["cart"]
    expected = interval(own["value"], own["variance"], bounds=UNIT, splits=0.2 / 0.8)
    assert [row["overall"], row["overall_low"], row["overall_high"]] == pytest.approx(
        [expected.mean, expected.low, expected.high], abs=1e-6
    )


def test_rows_imputed_another_way_have_no_partition_of_every_seed(split_study):
    path = split_study.folder / "config/generators/cart.yaml"
    entry = yaml.safe_load(path.read_text()) | {"imputation": {"method": "simple"}}
    path.write_text(yaml.safe_dump(entry))
    done = split_study.snakemake("--dry-run", studies="covid_splits", scale="smoke")
    assert (
        "'splits' makes a partition for every seed, but 'cart' imputes the training rows of one partition alone"
        in done.stdout
    )
