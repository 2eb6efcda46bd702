"""Failed jobs: tried again, or shown in every table; never dropped in silence."""

import dataclasses

import pandas as pd
import pytest

from medsynth.plan.loading import load_runs
from tests.conftest import ward
from tests.workflow.conftest import write_study
from tests.workflow.test_faults import edit

RUN = "ward/file-smoke"
CONFIG = {"studies": "ward", "scale": "smoke"}


@pytest.fixture
def folder(project):
    """Folder of a run of which one training fails whatever the seed, and one synthetic table is damaged."""
    raw = project.folder / "resources/raw/ward/ward.csv"
    raw.parent.mkdir(parents=True)
    ward(400).rename(columns=str.upper).to_csv(raw, index=False)
    further = {"importance": ["admitted"], "attacks": ["cart"], "subgroups": [{"column": "sex"}]}
    outcome = {"name": "admitted", "column": "admitted", "positive": "1"}
    further["inference"] = {"outcome": outcome, "predictors": ["age"]}
    write_study(project, raw, generators=["gaussian_copula", "cart"], **further)
    copula = project.folder / "config/generators/gaussian_copula.yaml"
    edit(copula, lambda entry: entry["settings"].update(default_distribution="bell"))
    synthetic = f"results/{RUN}/synthetic/cart/epochs0/seed2.parquet"
    done = project.snakemake(synthetic, **CONFIG)
    assert done.returncode == 0, done.stdout
    (project.folder / synthetic).write_bytes(b"PAR1 and no more")
    return project.folder / "results" / RUN


def test_failed_jobs_are_shown_if_asked_for_and_else_tried_again(project, folder):
    done = project.snakemake(**CONFIG)
    assert done.returncode == 1
    assert "with the setting failed=show, tables are made without them" in done.stdout
    assert not (folder / "scores.csv").exists()
    notes = {str(path.relative_to(folder / "failed")) for path in folder.glob("failed/*/*")}
    trainings = {"train/gaussian_copula-seed1.txt", "train/gaussian_copula-seed2.txt"}
    assert notes == {*trainings, "table/cart-seed2.txt"}

    done = project.snakemake(**CONFIG, failed="show")
    assert done.returncode == 0, done.stdout
    assert "train gaussian_copula" not in done.stdout
    failures = pd.read_csv(folder / "tables/failures.csv")
    assert set(failures["step"]) == {"train", "table"}
    # What another program says may quote a cell: the log has it, and no table.
    reasons = failures["reason"]
    assert reasons.str.contains("cannot be read as parquet|^[A-Za-z.]+; the log says more$").all()
    assert not reasons.str.contains("bell").any()
    assert "bell" in (folder / "logs/train/gaussian_copula-seed1.log").read_text()
    seeds = pd.read_csv(folder / "tables/utility.csv").groupby("generator")["n_seeds"].first()
    assert seeds["gaussian_copula"] == "0 (2 failed)" and seeds["cart"] == "1 (1 failed)" and seeds["real"] == "2"
    for name in ("quality", "moments", "columns", "importance", "fairness"):
        table = pd.read_csv(folder / f"tables/{name}.csv")
        assert set(table.loc[table["generator"] == "gaussian_copula", "n_seeds"]) == {"0 (2 failed)"}, name
    inference = pd.read_csv(folder / "tables/inference.csv")
    assert set(inference.loc[inference["generator"] == "gaussian_copula", "tables"]) == {"0 (failed)"}
    # Of what did not fail, nothing is missing.
    # (Each seed chooses an attack of its own, so that one of them may have been chosen by one seed.)
    privacy = pd.read_csv(folder / "tables/privacy.csv").query("generator == 'cart' and metric != 'chosen_attack'")
    assert set(privacy["n_seeds"]) == {2}
    for table in folder.glob("tables/*.html"):
        assert "what they would have given is left out, of" in table.read_text(), table
    assert (folder / "figures/distributions_cart.png").exists()
    assert not (folder / "figures/distributions_gaussian_copula.png").exists()

    # Mended and without the option, what failed is made, and nothing says otherwise any more.
    edit(project.folder / "config/generators/gaussian_copula.yaml", lambda e: e["settings"].pop("default_distribution"))
    (folder / "synthetic/cart/epochs0/seed2.parquet").unlink()
    done = project.snakemake(f"results/{RUN}/tables", **CONFIG)
    assert done.returncode == 0, done.stdout
    assert "train cart" not in done.stdout
    assert not list(folder.glob("failed/*/*")) and not list(folder.glob("tables/failures.*"))
    # (One prediction for all, the majority class, has no calibration slope.)
    utility = pd.read_csv(folder / "tables/utility.csv")
    utility = utility.query("generator != 'majority' or metric != 'calibration_slope'")
    assert set(utility["n_seeds"]) == {2}


def test_what_follows_from_a_failed_job_is_left_out_and_nothing_else():
    run = load_runs({"studies": ["covid_gans"], "scale": "smoke", "seeds": [1, 2]})["covid_gans"]
    assert not run.failures and run.scored == run.wanted
    notes = {"train/tvae-seed1": "it diverged", "sample/ctgan-epochs1-seed2": "no rows"}
    run = dataclasses.replace(run, failed=notes)
    scored = {job[:3]: job.epochs for job in run.scored}
    assert ("table", "tvae", 1) not in scored and scored["table", "ctgan", 2] == (2,)
    assert not {job[:3] for job in run.wanted if job.generator in ("gaussian_copula", "real")} - set(scored)
    assert run.trained_seeds("tvae") == [2] and run.trained_seeds("ctgan") == [1, 2]
    assert {(f["step"], f["reason"]) for f in run.failures} == {("train", "it diverged"), ("sample", "no rows")}
