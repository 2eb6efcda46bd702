"""Failed jobs in tables: where their scores would be, and listed."""

import pytest

from medsynth.display.aggregation import at_epochs
from medsynth.display.failures import failures_table
from medsynth.scores.coverage.compute import NULL_TERM
from medsynth.scores.coverage.table import coverage_table, display_coverage
from medsynth.scores.fairness.table import display_fairness, fairness_table
from medsynth.scores.fidelity.columns import columns_table, display_columns
from medsynth.scores.fidelity.table import display_moments, display_quality, moments_table, quality_table
from medsynth.scores.inference.figure import forest
from medsynth.scores.inference.table import display_inference, inference_table
from medsynth.scores.utility.table import display_utility, utility_table
from medsynth.scores.violations.table import display_violations, violations_table
from tests.conftest import table_of_scores

STYLES = {name: {"title": name.upper(), "colour": "#000000"} for name in ("cart", "tvae")}


def long_table():
    """Scores of two seeds; CART lost one of them and TVAE both, whose training diverged."""
    rows = []
    for generator, epochs, seeds in (("real", 0, (1, 2)), ("cart", 0, (1,))):
        for seed in seeds:
            rows.append((generator, epochs, seed, "utility", "accuracy", {"target": "death", "model": "xgboost"}, 0.8))
            rows.append((generator, epochs, seed, "fidelity", "quality", {}, 0.9))
    rows.append(("cart", 0, 2, "failed", "table", {"stage": "sample"}, None))
    for seed in (1, 2):
        for stage, epochs in (("table", 5), ("table", 9), ("cohorts", 9)):
            rows.append(("tvae", epochs, seed, "failed", stage, {"stage": "train"}, None))
    return table_of_scores(rows)


def test_a_generator_that_lost_a_seed_says_so():
    seeds = quality_table(long_table()).set_index("generator")["n_seeds"]
    assert seeds["cart"] == "1 (1 failed)" and seeds["real"] == 2


def test_a_generator_that_lost_all_seeds_has_rows_that_say_so():
    table = utility_table(long_table()).query("generator == 'tvae'")
    assert set(table["n_seeds"]) == {"0 (2 failed)"} and table["mean"].isna().all()
    assert set(table["epochs"]) == {5, 9} and "accuracy" in set(table["metric"])


def test_tables_for_reading_show_it():
    scores = long_table()
    utility = display_utility(at_epochs(utility_table(scores), None), STYLES).set_index("Model")["Seeds"]
    assert utility["1. CART"] == "1 (1 failed)" and utility["TVAE"] == "0 (2 failed)"
    quality = display_quality(quality_table(scores), STYLES).set_index("Model")["Seeds"]
    assert quality["CART"] == "1 (1 failed)" and list(quality["TVAE"]) == ["0 (2 failed)"] * 2


def of_further_tables():
    """Scores of a column, a group, a rule, coefficients and coverage; CART lost one seed and TVAE everything."""
    rows = []
    for generator, seeds in (("real", (1, 2)), ("cart", (1,))):
        for seed in seeds:
            for metric in ("column_shape", "mean", "mean_real"):
                rows.append((generator, 0, seed, "fidelity", metric, {"column": "age"}, 0.5))
            rows.append((generator, 0, seed, "fidelity", "violations", {"rule": "any"}, 0.5))
            group = {"column": "sex", "group": "female"}
            rows.append((generator, 0, seed, "fairness", "log_disparity", group, 0.1))
        drawn = [{"table": "model", "imputation": 1, "draw": i} for i in (1, 2)]
        for about in [{"table": "train", "imputation": 1}, {"table": "held_out"}] if generator == "real" else drawn:
            rows.append((generator, 0, 1, "inference", "rows", about, 9))
            of_term = about | {"term": "age"}
            rows += [(generator, 0, 1, "inference", metric, of_term, 0.5) for metric in ("estimate", "variance")]
    rows.append(("cart", 0, 1, "coverage", "samples", {}, 10))
    for rule in ("sample", "plug_in", "proper"):
        for term in ("age", NULL_TERM):
            rows += [
                ("cart", 0, 1, "coverage", metric, {"rule": rule, "term": term}, 0.9) for metric in ("covered", "width")
            ]
    rows.append(("cart", 0, 2, "failed", "table", {"stage": "table"}, None))
    for seed, stage in ((1, "table"), (2, "table"), (1, "inference"), (1, "coverage")):
        rows.append(("tvae", 9, seed, "failed", stage, {"stage": "train"}, None))
    return table_of_scores(rows)


@pytest.mark.parametrize("table_of", [columns_table, moments_table, fairness_table, violations_table])
def test_every_table_over_seeds_says_which_failed(table_of):
    table = table_of(of_further_tables()).set_index("generator")
    assert table["n_seeds"].to_dict() == {"real": 2, "cart": "1 (1 failed)", "tvae": "0 (2 failed)"}
    assert table.loc["tvae", "epochs"] == 9


@pytest.mark.parametrize(("table_of", "count"), [(inference_table, "tables"), (coverage_table, "samples")])
def test_what_one_job_makes_together_failed_together(table_of, count):
    counts = table_of(of_further_tables()).set_index("generator")[count].to_dict()
    assert counts["tvae"] == "0 (failed)" and counts["cart"] in (2, 10)


def test_further_tables_for_reading_show_it():
    scores = of_further_tables()
    for shown in (
        display_fairness(fairness_table(scores), STYLES),
        display_violations(violations_table(scores), {}, STYLES),
    ):
        assert shown.set_index("Model")["Seeds"].to_dict() == {
            "Real → Real": "2", "CART": "1 (1 failed)", "TVAE": "0 (2 failed)",
        }  # fmt: skip
    for shown in (display_columns(columns_table(scores), [], STYLES), display_moments(moments_table(scores), STYLES)):
        assert list(shown.columns[-2:]) == ["CART (1 failed)", "TVAE (2 failed)"] and shown.iloc[0, -1] == "–"
    inference = display_inference(inference_table(scores), STYLES).set_index("Model").loc["TVAE"]
    assert inference["Tables"] == "0 (failed)" and set(inference.drop(["Epochs", "Tables"])) == {"–"}
    coverage = display_coverage(coverage_table(scores), STYLES)
    assert coverage["Model"].to_list() == ["Real samples", "CART", "CART", "TVAE"]
    assert coverage["Samples"].to_list() == ["10", "10", "10", "0 (failed)"]


def test_the_forest_plot_has_no_place_for_a_generator_that_failed():
    figure = forest(of_further_tables(), STYLES, outcome="death", note="")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "CART" in labels and "TVAE" not in labels


def test_failures_are_listed_once_each_with_step_and_reason():
    lost = {"generator": "tvae", "epochs": 5, "seed": 1, "step": "train", "reason": "it diverged: nan"}
    table = failures_table([lost | {"stage": stage} for stage in ("table", "cohorts")])
    assert table.to_numpy().tolist() == [["tvae", 5, 1, "train", "it diverged: nan"]]


def test_without_failures_tables_are_what_they_were():
    scores = long_table().query("family != 'failed'")
    assert quality_table(scores)["n_seeds"].dtype == "int64" and failures_table([]).empty
