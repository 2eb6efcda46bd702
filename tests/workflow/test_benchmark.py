"""What is asked of cost: the scaling benchmark and the estimate of a run, tiny."""

import subprocess
import sys

import pandas as pd
import yaml

FOLDER = "results/benchmark/simulated-smoke"


def test_the_benchmark_has_a_plan_whatever_the_studies_are(project):
    done = project.snakemake("--dry-run", "benchmark", studies="mimic_tvae", scale="laptop")
    assert done.returncode == 0, done.stdout
    assert "measure the fit of med_vae_plus, 1000000 rows, seed 1" in done.stdout
    assert "train ctgan" not in done.stdout


def test_the_benchmark_measures_each_cell_and_skips_what_would_take_too_long(project):
    path = project.folder / "config/benchmark.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["scales"]["smoke"] |= {"rows": [300, 600], "columns": [4], "max_seconds": 1e-6}
    path.write_text(yaml.safe_dump(plan))
    done = project.snakemake("benchmark", scale="smoke", generators="cart")
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(project.folder / FOLDER / "tables/scaling_benchmark.csv").set_index(["axis", "rows", "columns"])
    small, narrow = table.loc[("rows", 300)].iloc[0], table.loc[("columns", 300, 4)]
    assert min(small[["fit_seconds", "sample_seconds", "rows_per_second", "fit_peak_mb", "sample_peak_mb"]]) > 0
    assert narrow["fit_seconds"] > 0
    large = table.loc[("rows", 600)].iloc[0]
    assert pd.isna(large["fit_seconds"]) and large["fit_predicted"] > 1e-6
    # Not for what smaller tables predict of drawing: there is no model.
    drawn = pd.read_csv(project.folder / FOLDER / "scaling_benchmark/rows600/cart-seed1-sample.csv").iloc[0]
    assert pd.isna(drawn["seconds"]) and pd.isna(drawn["predicted"])
    assert "skipped" in (project.folder / FOLDER / "tables/scaling_benchmark.md").read_text(encoding="utf-8")
    for name in (
        "figures/scaling_benchmark.png",
        "figures/scaling_benchmark.pdf",
        "tables/exponents.csv",
        "tables/data_cost.md",
    ):
        assert (project.folder / FOLDER / name).stat().st_size > 100
    # Tables and models of cells are not kept.
    assert not list((project.folder / FOLDER / "scaling_benchmark").glob("*/*.parquet"))


def test_the_estimate_is_a_table_a_study(project):
    study = {"name": "small", "like": "covid_gans", "title": "Small", "cohorts": [], "attacks": []}
    study |= {"importance": [], "published": None, "inference": None}
    (project.folder / "config/studies/small.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, "-m", "medsynth.cli", "estimate"]
    command += ["studies=[small]", "scale=smoke", "generators=[cart]"]
    done = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split("|") for line in done.stdout.splitlines() if line.count("|") == 7]
    rows = {line[1].strip(): line[2:-1] for line in lines}
    # Two seeds: each is trained, drawn from and scored; so are four reference rows; the raw table is made once.
    assert {name: int(cells[0]) for name, cells in rows.items() if name[:1].isalpha()} == {
        "data": 3, "reference rows": 8, "CART (synthpop)": 6, "together": 17,
    }  # fmt: skip
    assert float(rows["together"][1]) > 0 and not (project.folder / "results").exists()
