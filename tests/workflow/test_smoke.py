"""The whole DAG at smoke scale: what it makes, that it makes it again, and what a change re-runs."""

import json
import re

import pandas as pd
import pytest

from tests.workflow.conftest import Project

RUN = "covid_gans/simulated-smoke"


@pytest.fixture(scope="module")
def scores(smoke):
    """The long table."""
    return pd.read_csv(smoke.folder / "results" / RUN / "scores.csv", keep_default_na=False, na_values={"value": [""]})


def test_the_long_table_has_the_agreed_columns_and_families(scores):
    columns = ["study", "source", "scale", "generator", "epochs", "seed", "family", "metric", "detail", "value"]
    assert list(scores.columns) == columns
    assert set(scores["family"]) == {"utility", "fidelity", "detection", "cost"}
    assert set(scores[["study", "source", "scale"]].agg("/".join, axis=1)) == {"covid_gans/simulated/smoke"}


def test_every_model_and_reference_row_is_scored_for_every_seed(scores):
    utility = scores[scores["metric"] == "accuracy"]
    # The holdout is a ceiling of fidelity; the majority class is a floor of utility.
    judged = pd.concat([utility, scores[scores["metric"] == "quality"]])
    cells = judged.groupby(["generator", "epochs"])["seed"].agg(lambda seeds: sorted(set(seeds)))
    expected = {("ctgan", 1), ("ctgan", 2), ("tvae", 1), ("tvae", 2), ("gaussian_copula", 0)}
    expected |= {(name, 0) for name in ("real", "holdout", "independent", "majority")}
    assert set(cells.index) == expected
    assert all(seeds == [1, 2] for seeds in cells)
    assert set(utility["detail"]) >= {"xgboost:death", "random_forest:death", "xgboost:outcome", "majority:outcome"}


def test_seeds_differ(scores):
    judged = scores[(scores["metric"] == "quality") & (scores["generator"] != "majority")]
    assert (judged.groupby(["generator", "epochs"])["value"].nunique() == 2).all()


def test_tables_exist_in_every_format_and_name_the_source(smoke):
    for name in ("overview", "cleaning", "preparation", "utility", "quality", "moments", "runtime"):
        for kind in ("csv", "md", "tex", "html"):
            (text,) = smoke.files(f"{RUN}/tables/{name}.{kind}").values()
            assert kind == "csv" or b"simulated cohort" in text, (name, kind)


def test_figures_exist_as_png_and_pdf(smoke):
    names = ["accuracy_death", "accuracy_outcome"]
    names += [f"{kind}_{g}" for kind in ("distributions", "associations") for g in ("ctgan", "tvae", "gaussian_copula")]
    for kind in ("png", "pdf"):
        found = smoke.files(f"{RUN}/figures/*.{kind}")
        assert sorted(found) == sorted(f"results/{RUN}/figures/{name}.{kind}" for name in names)
        assert all(len(content) > 5000 for content in found.values())


def test_what_produced_a_model_is_written_beside_it(smoke):
    card = json.loads(smoke.files(f"{RUN}/models/tvae/seed1/epochs2/model_card.json").popitem()[1])
    assert card["epochs"] == 2 and card["settings"]["batch_size"] == 500
    assert re.fullmatch("[0-9a-f]{64}", card["train_sha256"])
    assert "sdv" in card["versions"]


def test_training_logs_say_epoch_loss_and_time_left(smoke):
    log = smoke.files(f"{RUN}/logs/train/ctgan-seed1.log").popitem()[1].decode()
    assert re.search(r"epoch 2 of 2, Generator Loss .*, 0 s left", log)


def test_the_report_is_one_file_with_every_table_and_figure(smoke):
    done = smoke.snakemake("--report", "results/report.html", scale="smoke")
    assert done.returncode == 0, done.stdout
    report = smoke.files("report.html")["results/report.html"].decode()
    assert "Figure 2: accuracy against epochs, death" in report
    assert "covid_gans (simulated-smoke)" in report
    # Links in the text are fine; nothing is loaded from elsewhere.
    assert not re.search(r'<(script|img|iframe)[^>]+src="https?:', report)
    assert not re.search(r'<link[^>]+href="https?:', report)


def test_a_second_run_has_nothing_to_do(smoke):
    done = smoke.snakemake("--dry-run", scale="smoke")
    assert "Nothing to be done" in done.stdout


def test_one_more_seed_runs_that_seed_alone(smoke):
    done = smoke.snakemake("--dry-run", scale="smoke", seeds="[1,2,3]")
    trained = re.findall(r"train (\w+), seed (\d)", done.stdout)
    assert sorted(set(trained)) == [("ctgan", "3"), ("gaussian_copula", "3"), ("tvae", "3")]
    assert "clean the raw table" not in done.stdout


def test_the_same_configuration_gives_the_same_bytes(smoke, tmp_path_factory):
    again = Project(tmp_path_factory.mktemp("again"))
    done = again.snakemake(scale="smoke")
    assert done.returncode == 0, done.stdout
    for pattern in ("data/*.parquet", "data/*.csv", "data/*.json", "synthetic/**/*.parquet", "scores/**/*.csv"):
        first, second = (project.files(f"{RUN}/{pattern}") for project in (smoke, again))
        assert first, pattern
        assert first == second, pattern
    for name in ("utility", "quality", "moments", "overview", "cleaning", "preparation"):
        for kind in ("csv", "md", "tex", "html"):
            assert smoke.files(f"{RUN}/tables/{name}.{kind}") == again.files(f"{RUN}/tables/{name}.{kind}")
    tables = [pd.read_csv(p.folder / "results" / RUN / "scores.csv").query("family != 'cost'") for p in (smoke, again)]
    pd.testing.assert_frame_equal(*tables)
