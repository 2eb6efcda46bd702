"""The whole DAG at smoke scale: what it makes, that it makes it again, and what a change re-runs."""

import json
import re

import pandas as pd
import pytest

from medsynth.evaluation.resampling import ABOUT
from medsynth.plan.overheads import spent
from tests.conftest import ROOT
from tests.workflow.conftest import SMOKE, Project, assert_same_bytes

RUN = "covid_gans/simulated-smoke"
WITH_EPOCHS = ("ctgan", "med_vae")
WITHOUT_EPOCHS = ("gaussian_copula", "med_vae_plus", "cart")
CONDITIONAL = ("med_vae", "med_vae_plus", "cart")


@pytest.fixture(scope="module")
def scores(smoke):
    """The long table."""
    return pd.read_csv(
        smoke.folder / "results" / RUN / "scores.csv",
        keep_default_na=False,
        na_values={"value": [""], "variance": [""]},
    )


def test_the_long_table_has_the_agreed_columns_and_families(scores):
    columns = ["study", "source", "scale", "generator", "epochs", "seed", "split", "family", "metric", *ABOUT]
    assert list(scores.columns) == [*columns, "value", "variance"]
    families = {"utility", "utility_protocol", "fidelity", "detection", "conditional", "privacy", "importance", "cost"}
    families |= {"fairness", "inference", "coverage"}
    assert set(scores["family"]) == families
    assert set(scores[["study", "source", "scale"]].agg("/".join, axis=1)) == {"covid_gans/simulated/smoke"}


def test_every_model_and_reference_row_is_scored_for_every_seed(scores):
    utility = scores[scores["metric"] == "accuracy"]
    # The holdout is an upper reference of fidelity. The majority class is withheld: nine of the test rows died.
    judged = pd.concat([utility, scores[scores["metric"] == "quality"]])
    cells = judged.groupby(["generator", "epochs"])["seed"].agg(lambda seeds: sorted(set(seeds)))
    expected = {(name, epochs) for name in WITH_EPOCHS for epochs in (1, 2)}
    expected |= {(name, 0) for name in WITHOUT_EPOCHS}
    expected |= {(name, 0) for name in ("real", "holdout", "independent")}
    assert set(cells.index) == expected
    assert all(seeds == [1, 2] for seeds in cells)
    asked = set(zip(utility["model"], utility["target"], strict=True))
    assert asked >= {("xgboost", "death"), ("random_forest", "death"), ("xgboost", "outcome")}


def test_the_simulated_cohort_violates_no_constraint_and_independent_columns_do(smoke):
    rates = pd.read_csv(smoke.folder / "results" / RUN / "tables/violations.csv", index_col="generator")["any"]
    assert rates["real"] < 0.01 and rates["independent"] > 0.1
    assert set(rates.index) == {*WITH_EPOCHS, *WITHOUT_EPOCHS, "real", "holdout", "independent"}


def test_seeds_differ(scores):
    judged = scores[(scores["metric"] == "quality") & (scores["generator"] != "majority")]
    assert (judged.groupby(["generator", "epochs"])["value"].nunique() == 2).all()


def test_scores_that_are_judged_on_persons_say_how_they_vary_over_them(scores):
    judged = scores["metric"].isin(["accuracy", "roc_auc", "quality", "c2st_auc", "membership_auc", "dcr_share"])
    assert scores.loc[judged & scores["value"].notna(), "variance"].gt(0).all()


def test_intervals_stay_in_bounds_and_have_a_width(smoke):
    for name, metrics in {"quality": ("overall", "column_shapes", "c2st_auc"), "conditional": ("success",)}.items():
        table = pd.read_csv(smoke.folder / "results" / RUN / f"tables/{name}.csv")
        for metric in metrics:
            low, high = table[f"{metric}_low"].dropna(), table[f"{metric}_high"].dropna()
            assert len(low) and (low >= 0).all() and (high <= 1).all() and (low < high).all(), (name, metric)


def test_classifiers_are_compared_at_equal_information_and_by_the_papers_protocol(smoke):
    table = pd.read_csv(smoke.folder / "results" / RUN / "tables/utility.csv")
    assert set(table["comparison"]) == {"equal_information", "paper_protocol"}
    assert len(pd.read_parquet(smoke.folder / "results" / RUN / "synthetic/cart/epochs0/seed1.parquet")) == len(
        pd.read_parquet(smoke.folder / "results" / RUN / "data/train.parquet")
    )


def test_tables_exist_in_every_format_and_name_the_source(smoke):
    names = ("overview", "cleaning", "preparation", "utility", "quality", "moments", "columns", "scaling", "runtime")
    for name in (
        *names,
        "conditional",
        "privacy",
        "importance",
        "violations",
        "fairness",
        "inference",
        "coverage",
        "detection",
        "precision_recall",
    ):
        for kind in ("csv", "md", "tex", "html"):
            (text,) = smoke.files(f"{RUN}/tables/{name}.{kind}").values()
            assert kind == "csv" or b"simulated cohort" in text, (name, kind)


def test_figures_exist_as_png_and_pdf(smoke):
    names = ["accuracy_death", "accuracy_outcome", "spread", "detection", "inference", "privacy_trade"]
    generators = (*WITH_EPOCHS, *WITHOUT_EPOCHS)
    names += [f"{kind}_{g}" for kind in ("distributions", "associations") for g in generators]
    names += [f"conditions_{g}" for g in CONDITIONAL]
    names += [f"importances_{g}_{target}" for g in generators for target in ("death", "outcome")]
    names += [f"losses_{g}" for g in (*WITH_EPOCHS, "med_vae_plus")]
    names += [f"architecture_{g}" for g in ("med_vae", "med_vae_plus")]
    for kind in ("png", "pdf"):
        found = smoke.files(f"{RUN}/figures/*.{kind}")
        assert sorted(found) == sorted(f"results/{RUN}/figures/{name}.{kind}" for name in names)
        assert all(len(content) > 5000 for content in found.values())


def test_what_produced_a_model_is_written_beside_it(smoke):
    card = json.loads(smoke.files(f"{RUN}/models/ctgan/seed1/epochs2/model_card.json").popitem()[1])
    assert card["epochs"] == 2 and card["settings"]["batch_size"] == 500
    assert re.fullmatch("[0-9a-f]{64}", card["train_sha256"])
    assert "sdv" in card["versions"]


def test_jobs_say_what_they_spend_and_how_much_of_it_on_imports(smoke):
    found = spent(smoke.folder / "results" / RUN)
    assert {"train", "sample", "table", "cohorts", "attacks", "inference", "make_tables"} <= set(found)
    assert all(jobs > 0 and 0 < starting <= seconds for jobs, seconds, starting in found.values())


def test_a_card_of_a_med_vae_tells_how_its_latent_space_fares(smoke):
    card = json.loads(smoke.files(f"{RUN}/models/med_vae/seed1/epochs2/model_card.json").popitem()[1])
    assert card["latent_dimensions"] == 32 and 0 <= card["active_dimensions"] <= 32
    assert [record["epoch"] for record in card["history"]] == [1, 2]
    assert {"train_loss", "validation_loss"} <= set(card["history"][0])
    assert card["seconds"] >= 0


def test_every_row_of_a_cohort_meets_its_conditions_where_that_is_promised(scores):
    success = scores[(scores["metric"] == "success") & scores["generator"].isin(["med_vae_plus", "cart"])]
    assert success["cohort"].nunique() == 6
    assert (success["value"] == 1).all()


def test_the_example_on_the_files_of_a_run_runs(smoke, monkeypatch):
    page = (ROOT / "docs/python.md").read_text(encoding="utf-8").split("\n## On the files of a run\n")[1]
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    monkeypatch.chdir(smoke.folder)
    names = {}
    exec(example.replace("simulated-laptop", "simulated-smoke"), names)
    assert (names["women"]["sex"] == "female").all() and (names["women"]["age"] >= 70).all()


def test_training_logs_say_epoch_loss_and_time_left(smoke):
    log = smoke.files(f"{RUN}/logs/train/ctgan-seed1.log").popitem()[1].decode()
    assert re.search(r"epoch 2 of 2, Generator Loss .*, 0 s left", log)


def test_the_report_is_one_file_with_every_table_and_figure(report):
    assert "Figure 2: accuracy against epochs, death" in report
    assert "covid_gans (simulated-smoke)" in report
    # Links in the text are fine; nothing is loaded from elsewhere.
    assert not re.search(r'<(script|img|iframe)[^>]+src="https?:', report)
    assert not re.search(r'<link[^>]+href="https?:', report)


def test_the_summary_is_small_loads_nothing_and_says_that_the_data_are_simulated(smoke):
    page = smoke.files(f"{RUN}/summary.html").popitem()[1].decode()
    assert len(page) < 3_000_000
    assert not re.search(r"""<script|<link|(?:src|href)=["'](?!data:)""", page)
    assert page.index("No row is a patient") < page.index("The main results")
    # The accuracy of the main target, and fidelity against privacy.
    assert page.count("<img ") == 2
    index = smoke.files("index.html").popitem()[1].decode()
    assert 'href="covid_gans/simulated-smoke/summary.html"' in index


def test_the_report_opens_with_the_summaries_and_is_small(report):
    assert len(report) < 7_000_000
    assert "results['results/covid_gans/simulated-smoke/summary.html'].data_uri" in report


def test_a_second_run_has_nothing_to_do(smoke):
    done = smoke.snakemake("--dry-run", **SMOKE)
    assert "Nothing to be done" in done.stdout


def test_one_more_seed_runs_that_seed_alone(smoke):
    done = smoke.snakemake("--dry-run", **SMOKE, seeds="[1,2,3]")
    trained = re.findall(r"train (\w+), seed (\d)", done.stdout)
    assert sorted(set(trained)) == sorted((name, "3") for name in (*WITH_EPOCHS, *WITHOUT_EPOCHS))
    assert "clean the raw table" not in done.stdout


def test_the_same_configuration_gives_the_same_bytes(smoke, tmp_path_factory):
    # Without figures: what they show is in the tables and scores.
    again = Project(tmp_path_factory.mktemp("again"))
    done = again.snakemake(f"results/{RUN}/tables", **SMOKE)
    assert done.returncode == 0, done.stdout
    assert_same_bytes(smoke, again, RUN)
