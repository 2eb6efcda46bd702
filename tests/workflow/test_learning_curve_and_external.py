"""Generators fitted on fewer rows, and a table made elsewhere, through the whole DAG on the simulated cohort."""

import pandas as pd
import yaml

SMALL = {"studies": "covid_gans", "scale": "smoke", "seeds": "1"}


def test_scores_by_size_end_where_the_other_tables_are(project):
    """The last size is all training rows: the same model and rows that every other score is of."""
    study = {"name": "small", "like": "covid_gans", "title": "Learning curve", "learning_curve": [50, 100_000, "all"]}
    study |= {"cohorts": [], "attacks": [], "importance": [], "published": None}
    (project.folder / "config/studies/small.yaml").write_text(yaml.safe_dump(study))
    folder = "results/small/simulated-smoke"
    done = project.snakemake(**{**SMALL, "studies": "small"}, generators="gaussian_copula")
    assert done.returncode == 0, done.stdout
    assert (project.folder / folder / "figures/learning_curve.png").is_file()
    # A detector that learns from fewer rows tells less: as many are sampled whatever the size.
    log = next((project.folder / folder / "logs/learning_curve").glob("gaussian_copula-seed1.log")).read_text()
    assert "50 training rows: 60 rows scored" in log
    n_train = len(pd.read_parquet(project.folder / folder / "data/train.parquet"))
    sizes = pd.read_csv(project.folder / folder / "tables/learning_curve.csv").set_index(["generator", "n_rows"])
    assert list(sizes.index) == [(name, n) for name in ("gaussian_copula", "real") for n in (50, n_train)]
    quality = pd.read_csv(project.folder / folder / "tables/quality.csv", index_col="generator").loc["gaussian_copula"]
    last = sizes.loc[("gaussian_copula", n_train)]
    for column, name in [("overall", "quality"), ("c2st_auc", "c2st_auc")]:
        assert quality[column] == last[name] != sizes.loc[("gaussian_copula", 50), name]


def test_a_table_made_elsewhere_is_scored_and_read_again_when_it_changes(project):
    folder = "results/covid_gans/simulated-smoke"
    done = project.snakemake(f"{folder}/data/train.parquet", **SMALL, generators="gaussian_copula")
    assert done.returncode == 0, done.stdout
    path = project.folder / "resources/external/table.csv"
    path.parent.mkdir(parents=True)
    table = pd.read_parquet(project.folder / folder / "data/train.parquet")
    table.to_csv(path, index=False)
    scores = f"{folder}/scores/table/external/seed1.csv"
    done = project.snakemake(scores, **SMALL, generators="external")
    assert done.returncode == 0, done.stdout
    found = pd.read_csv(project.folder / scores).set_index("metric")["value"]
    # It is a real table, which no detector can tell well from held-out rows.
    assert found["diagnostic"] > 0.95 and (found["c2st_auc"] < 0.7).all()

    table.head(300).to_csv(path, index=False)
    done = project.snakemake("--dry-run", scores, **SMALL, generators="external")
    assert "train external, seed 1 (covid_gans)" in done.stdout
