"""The figure of scores against epsilon: its numbers, and what it says without any."""

import numpy as np
import pandas as pd
import pytest

from medsynth.errors import InputError
from medsynth.reporting.privacy_curve import PANELS, privacy_curve, privacy_curve_table

BUDGETS = {"free": None, "loose": 8, "tight": 0.5}
STYLES = {name: {"title": name, "colour": "#336699"} for name in BUDGETS}


@pytest.fixture
def scores():
    """Two seeds of three budgets and of real rows; another target and another generator beside them."""
    rows = [
        (generator, seed, family, metric, detail + target if detail else "", 0.6 + i / 10 + seed / 100)
        for i, generator in enumerate([*BUDGETS, "real", "cart"])
        for seed in (1, 2)
        for metric, (family, detail, _) in PANELS.items()
        for target in (["t", "other"] if detail else [""])
    ]
    return pd.DataFrame(rows, columns=["generator", "seed", "family", "metric", "detail", "value"])


def test_the_table_has_a_row_a_metric_and_budget_in_the_order_of_epsilon(scores):
    table = privacy_curve_table(scores, BUDGETS, target="t")
    quality = table[table["metric"] == "quality"]
    assert quality["generator"].tolist() == ["tight", "loose", "free", "real"]
    assert quality["epsilon"].tolist()[:3] == [0.5, 8.0, np.inf]
    assert quality["mean"].tolist() == pytest.approx([0.815, 0.715, 0.615, 0.915])
    assert (table["n_seeds"] == 2).all() and (table["ci_low"] < table["mean"]).all()


def test_no_guarantee_stands_at_the_right_end(scores):
    figure = privacy_curve(scores, BUDGETS, STYLES, target="t", note="a test")
    ax = figure.axes[-1]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.5", "8", "∞"]
    assert ax.get_xticks()[-1] > 8


def test_every_method_has_a_line_of_its_own(scores):
    titles = ["A, ε = ∞", "B, ε = 8", "A, ε = 0.5"]
    styles = {name: {"title": title, "colour": "#336699"} for name, title in zip(BUDGETS, titles, strict=True)}
    ax = privacy_curve(scores, BUDGETS, styles, target="t", note="a test").axes[0]
    lines = {line.get_label(): list(line.get_xdata()) for line in ax.lines if line.get_label() in "AB"}
    assert lines == {"A": [0.5, 32.0], "B": [8.0]}


def test_scores_without_budgets_are_refused(scores):
    with pytest.raises(InputError, match="No scores of generators with an epsilon"):
        privacy_curve_table(scores[scores["generator"] == "cart"], BUDGETS, target="t")
