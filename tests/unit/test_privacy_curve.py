"""The figure of scores against epsilon: its numbers, what guarantees allow, and what it says without any."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from medsynth.errors import InputError
from medsynth.scores.privacy.curve import CURVE_RATES, PANELS, attacked_table, privacy_curve, privacy_curve_table
from medsynth.scores.privacy.table import RATES, display_privacy, most_found, privacy_table, with_guarantees
from tests.conftest import table_of_scores

BUDGETS = {"free": None, "loose": 8, "tight": 0.5}
STYLES = {name: {"title": name, "colour": "#336699"} for name in BUDGETS}


@pytest.fixture
def scores():
    """Two seeds of three budgets and of real rows; another target and another generator beside them."""
    rows = [
        (generator, 0, seed, family, metric, {"model": model, "target": target}, 0.6 + i / 10 + seed / 100)
        for i, generator in enumerate([*BUDGETS, "real", "cart"])
        for seed in (1, 2)
        for metric, (family, model, _) in PANELS.items()
        for target in (["t", "other"] if family == "utility" else [""])
    ]
    return table_of_scores(rows)


@pytest.fixture
def attacks():
    """One seed of the chosen attack and of another on each budget and on a control; variances over patients."""
    rows = [
        (generator, 0, 1, "privacy", metric, {"attack": attack, "group": "everyone"}, rate * factor)
        for generator in [*BUDGETS, "holdout"]
        for metric, rate in RATES.items()
        for attack, factor in (("chosen", 1.1), ("neighbours", 0.9))
    ]
    about = {"attack": "chosen", "group": "everyone"}
    rows += [(generator, 0, 1, "privacy", "membership_auc", about, 0.5) for generator in BUDGETS]
    return table_of_scores(rows).assign(variance=1e-6)


def draw(scores, styles=STYLES):
    """Draw the figure."""
    return privacy_curve(scores, BUDGETS, styles, target="t", note="a test", guarantees=BUDGETS, delta=1e-3)


def test_the_table_has_a_row_a_metric_and_budget_in_the_order_of_epsilon(scores):
    table = privacy_curve_table(scores, BUDGETS, target="t")
    quality = table[table["metric"] == "quality"]
    assert quality["generator"].tolist() == ["tight", "loose", "free", "real"]
    assert quality["epsilon"].tolist()[:3] == [0.5, 8.0, np.inf]
    assert quality["mean"].tolist() == pytest.approx([0.815, 0.715, 0.615, 0.915])
    assert (table["n_seeds"] == 2).all() and (table["ci_low"] < table["mean"]).all()


def test_no_guarantee_stands_at_the_right_end(scores):
    ax = draw(scores).axes[-1]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0.5", "8", "∞"]
    assert ax.get_xticks()[-1] > 8


def test_every_method_has_a_line_of_its_own(scores):
    titles = ["A, ε = ∞", "B, ε = 8", "A, ε = 0.5"]
    colours = ["#aaaaaa", "#bb0000", "#00aa00"]
    styles = {
        name: {"title": title, "colour": colour} for name, title, colour in zip(BUDGETS, titles, colours, strict=True)
    }
    ax = draw(scores, styles).axes[0]
    shown = [line for line in ax.lines if line.get_marker() in ("o", "s") and len(line.get_xdata())]
    # In the colour of the tightest budget; a line has a place, without a value, also where another method has one.
    lines = {line.get_color(): line.get_xydata() for line in shown}
    lines = {colour: places[~np.isnan(places[:, 1]), 0].tolist() for colour, places in lines.items()}
    assert lines == {"#00aa00": [0.5, 32.0], "#bb0000": [8.0]}


def test_scores_without_budgets_are_refused(scores):
    with pytest.raises(InputError, match="no scores of generators with an epsilon"):
        privacy_curve_table(scores[scores["generator"] == "cart"], BUDGETS, target="t")


# What attacks find, and what guarantees allow


def test_no_test_of_one_gaussian_mechanism_finds_more_than_its_guarantee_allows_and_one_finds_as_much():
    noise = 0.5
    rate = np.geomspace(1e-4, 0.99, 2000)
    found = norm.cdf(norm.ppf(rate) + 1 / noise)
    for epsilon in (0.5, 2.0, 6.0):
        # Delta of this mechanism, exactly (Balle and Wang 2018, theorem 8).
        a, b = 1 / (2 * noise), epsilon * noise
        delta = norm.cdf(a - b) - np.exp(epsilon) * norm.cdf(-a - b)
        slack = np.array([most_found(one, epsilon, delta) for one in rate]) - found
        assert -1e-9 < slack.min() < 1e-4


@pytest.mark.parametrize(("epsilon", "allowed"), [(0.0, 0.01 + 1e-5), (2.0, np.exp(2) * 0.01 + 1e-5), (1e4, 1.0)])
def test_what_a_guarantee_allows_at_one_percent(epsilon, allowed):
    assert most_found(0.01, epsilon, 1e-5) == pytest.approx(allowed)


def test_the_chosen_attack_of_each_budget_is_shown_with_its_interval(attacks):
    table = attacked_table(attacks, BUDGETS)
    first = table[table["metric"] == "membership_tpr_1"]
    assert first["generator"].tolist() == ["tight", "loose", "free"]
    assert first["mean"].tolist() == pytest.approx([0.011] * 3)
    assert first["ci_low"].tolist() == pytest.approx([0.0092] * 3, abs=1e-4)


def test_the_bound_has_panels_where_attacks_were_scored_and_nowhere_else(scores, attacks):
    assert len(draw(scores).axes) == 4
    panels = draw(pd.concat([scores, attacks])).axes[4:]
    for ax, rate in zip(panels, CURVE_RATES.values(), strict=True):
        lines = {line.get_label(): line for line in ax.lines}
        x, y = lines["most that ε allows any attack"].get_data()
        assert y == pytest.approx([most_found(rate, epsilon, 1e-3) for epsilon in x])
        assert x.min() < 0.5 and x.max() > 8


def test_the_privacy_table_says_what_each_guarantee_allows(attacks):
    table = with_guarantees(privacy_table(attacks), BUDGETS, 1e-3)
    shown = display_privacy(table, STYLES).set_index("Model")["Its guarantee allows at 1 % FPR"]
    assert shown.to_dict() == {"free": "–", "loose": "1.000", "tight": "0.017", "Holdout (negative control)": "–"}


def test_without_guarantees_the_privacy_table_has_no_such_column(attacks):
    table = with_guarantees(privacy_table(attacks), {"free": None}, 1e-3)
    assert not any("guarantee" in column for column in display_privacy(table, STYLES))
