"""What things cost: measured, fitted, predicted, added up."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from medsynth.errors import InputError
from medsynth.plan.estimate import FURTHER_MODEL, Calibration, Cost, Line, jobs_of
from medsynth.plan.loading import load_runs
from medsynth.scores.cost.compute import exponent, peak_memory, predict, resized
from medsynth.scores.cost.scaling_benchmark import (
    display_exponents,
    display_scaling_benchmark,
    exponents_table,
    scaling_benchmark_figure,
    scaling_benchmark_table,
)
from medsynth.scores.cost.table import runtime_table

STYLES = {"cart": {"title": "CART", "colour": "#56b4e9"}}
KEYS = ["what", "axis", "generator", "rows", "columns", "epochs", "seed", "seconds", "peak_mb", "start_mb", "predicted"]


def test_the_exponent_of_a_power_law_is_found_and_noise_widens_its_interval():
    sizes = np.array([1e3, 1e4, 1e5, 1e6])
    exact = exponent(sizes, 3e-5 * sizes**1.2)
    assert exact[1:] == pytest.approx((1.2, 1.2, 1.2))
    noisy = exponent(sizes, 3e-5 * sizes**1.2 * np.array([1.0, 1.1, 0.9, 1.0]))
    assert noisy.low < 1.2 < noisy.high and noisy.high - noisy.low > 0.05
    assert math.isnan(exponent([10, 100], [1, 2]).low) and math.isnan(exponent([10], [1]).value)


def test_a_prediction_goes_on_as_the_largest_sizes_grew_and_never_below_linearly():
    assert predict([10, 100, 1000], [5, 1, 100], 10_000) == pytest.approx(10_000)
    assert predict([10, 100], [5, 6], 1000) == pytest.approx(60)
    assert math.isnan(predict([], [], 1000))


@pytest.mark.slow
def test_peak_memory_grows_with_what_is_held_and_does_not_shrink():
    before = peak_memory()
    held = np.ones(int(before + 200) * 1024**2 // 8)
    assert peak_memory() > before + 100
    del held
    assert peak_memory() > before + 100


def test_peak_memory_of_programs_is_theirs():
    subprocess.run([sys.executable, "-c", "held = bytes(300 * 1024**2)"], check=True)
    assert peak_memory(programs=True) > 300


def test_further_columns_are_the_tables_own_in_another_order(partitions):
    train, _, codebook = partitions
    n, width = len(train), train.shape[1]
    table, described = resized(train, codebook, rows=n, columns=2 * width + 1, seed=1)
    assert list(table) == list(described.columns) and table.shape == (n, 2 * width + 1)
    assert sorted(table["crp_2"]) == sorted(train["crp"]) and not (table["crp_2"] == table["crp"]).all()
    # Within a block rows stay together.
    pairs = [set(zip(table[f"age{end}"], table[f"crp{end}"], strict=True)) for end in ("", "_2")]
    assert pairs[0] == pairs[1]
    narrow, described = resized(train, codebook, rows=20, columns=3, seed=1)
    assert narrow.shape == (20, 3) and described.from_text(described.to_json()) == described
    with pytest.raises(InputError, match="there are"):
        resized(train, codebook, rows=n + 1, columns=3, seed=1)


def test_a_cell_that_was_skipped_says_so_in_table_and_figure():
    nan = math.nan
    cells = [("fit", 100, 1.0, nan), ("fit", 1000, 10.0, nan), ("fit", 10_000, nan, 700.0)]
    cells += [("sample", 100, 0.1, nan), ("sample", 1000, 1.0, nan), ("sample", 10_000, nan, nan)]
    rows = [(what, "rows", "cart", n, 5, 0, 1, s, 300 + n / 100, 290, p) for what, n, s, p in cells]
    rows += [(what, "columns", "cart", 100, 5, 0, 1, 1.0, 300, 290, nan) for what in ("fit", "sample")]
    table = scaling_benchmark_table(pd.DataFrame(rows, columns=KEYS))
    assert table["rows_per_second"].dropna().round().tolist() == [100, 1000, 1000]
    shown = display_scaling_benchmark(table, STYLES)
    assert shown["Fit (core s)"].tolist() == ["1", "10", "skipped (700 predicted)", "1"]
    exponents = exponents_table(table).set_index(["axis", "what"])
    assert exponents.loc[("rows", "fit"), "exponent"] == pytest.approx(1)
    assert exponents.loc[("rows", "fit"), "mb_per_row_or_column"] == pytest.approx(0.01)
    assert display_exponents(exponents_table(table), STYLES)["Fit: MB a step"].tolist() == ["10.00", "–"]
    axes = scaling_benchmark_figure(table, STYLES, note="none").axes
    (crosses,) = axes[0].collections
    assert crosses.get_offsets().tolist() == [[10_000, 700]]


def test_an_estimate_adds_up_every_job_of_a_generator():
    """Epochs once for all counts, but for Med-VAE, whose KL weight grows over a run: then the sum of the counts."""
    names = ["ctgan", "med_vae", "cart"]
    config = {"studies": ["covid_gans"], "scale": "laptop", "generators": names, "epochs": [10, 30], "seeds": [1, 2, 3]}
    run = load_runs(config)["covid_gans"]
    constant = Line(0.0, 0.0)
    costs = Calibration(0.0, constant, 1e-3, 0.0, constant, Line.through([100, 200], [1.0, 2.0]))
    scored = {job[:2]: Cost() for job in run.scored}
    found = {name: jobs_of(run, name, costs, scored, 1000, 0.0) for name in names}
    # Med-VAE's six runs are trained side by side: four at a time on average, as the shorter ones end first.
    side_by_side = FURTHER_MODEL + (1 - FURTHER_MODEL) / 4
    # And once more on half of the rows, for the attacks, which laptop scale makes on one seed.
    expected = [3 * 30 + 15, 3 * 40 * side_by_side + 15]
    assert [found[name].seconds for name in ("ctgan", "med_vae")] == pytest.approx(expected)
    # Training, two tables a seed of 1000 x 0.01 MB models each.
    assert found["ctgan"].disk_mb == pytest.approx(3 * 2 * 10)
    with_scores = {key: Cost(1, 2.0, 50.0) for key in scored}
    more = jobs_of(run, "cart", costs, with_scores, 1000, 0.0)
    kinds = [job.stage for job in run.scored if job.generator == "cart"]
    assert more.jobs == 3 + 3 + len(kinds) and more.peak_mb == 50
    # No reference row is fitted to samples of the real rows: that job costs its own fits and draws.
    assert more.seconds == pytest.approx(2.0 * (len(kinds) - kinds.count("coverage")))


def test_runtime_adds_up_jobs_and_keeps_rules_without_generator():
    jobs = pd.DataFrame(
        {
            "rule": ["train", "train", "clean"],
            "generator": ["tvae", "tvae", np.nan],
            "seconds": [10.0, 20.0, 3.0],
            "max_rss_mb": [500.0, 700.0, 100.0],
            "cpu_seconds": [9.0, 19.0, 3.0],
        }
    )
    assert runtime_table(jobs).to_dict("list") == {
        "rule": ["clean", "train"],
        "generator": ["", "tvae"],
        "jobs": [1, 2],
        "total_seconds": [3.0, 30.0],
        "mean_seconds": [3.0, 15.0],
        "max_rss_mb": [100.0, 700.0],
    }
