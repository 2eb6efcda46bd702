"""Failed jobs in tables: where their scores would be, and listed."""

import pandas as pd

from medsynth.reporting.display import display_quality, display_utility
from medsynth.reporting.failures import failures_table
from medsynth.reporting.tables import at_epochs, quality_table, utility_table

STYLES = {name: {"title": name.upper(), "colour": "#000000"} for name in ("cart", "tvae")}


def long_table():
    """Scores of two seeds; CART lost one of them and TVAE both, whose training diverged."""
    rows = []
    for generator, epochs, seeds in (("real", 0, (1, 2)), ("cart", 0, (1,))):
        for seed in seeds:
            rows.append((generator, epochs, seed, "utility", "accuracy", "xgboost:death", 0.8))
            rows.append((generator, epochs, seed, "fidelity", "quality", "", 0.9))
    rows.append(("cart", 0, 2, "failed", "score", "sample: no rows", None))
    for seed in (1, 2):
        for stage, epochs in (("score", 5), ("score", 9), ("importance", 9)):
            rows.append(("tvae", epochs, seed, "failed", stage, "train: it diverged: nan", None))
    return pd.DataFrame(rows, columns=["generator", "epochs", "seed", "family", "metric", "detail", "value"])


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


def test_failures_are_listed_once_each_with_step_and_reason():
    table = failures_table(long_table())
    assert len(table) == 5
    assert table.iloc[0].to_list() == ["cart", 0, 2, "sample", "no rows"]
    assert table.iloc[1].to_list() == ["tvae", 5, 1, "train", "it diverged: nan"]


def test_without_failures_tables_are_what_they_were():
    scores = long_table().query("family != 'failed'")
    assert quality_table(scores)["n_seeds"].dtype == "int64" and failures_table(scores).empty
