"""Figures of scores and plot data."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
import seaborn as sns

from medsynth.codebook import Codebook, Column
from medsynth.display import canvas
from medsynth.display.aggregation import mean_interval
from medsynth.display.styles import title_of
from medsynth.errors import InputError
from medsynth.scores.fidelity.associations import associations
from medsynth.scores.fidelity.distributions import distributions
from medsynth.scores.utility.figure import accuracy_by_epochs
from tests.unit.conftest import NOTE, STYLES, accuracy, scores

CODEBOOK = Codebook.model_construct(
    columns={
        "age": Column(type="integer", unit="years"),
        "sex": Column(type="binary", categories=["female", "male"]),
        "unit": Column(type="categorical", categories=[f"a very long name of the unit {i}" for i in range(15)]),
    }
)


def plot_data(shift):
    shares = np.linspace(2, 1, 15) / 22.5
    matrix = np.full((3, 3), 0.2) + 0.8 * np.eye(3)
    other = np.full((3, 3), 0.2 + shift) + (0.8 - shift) * np.eye(3)
    return {
        "distributions": {
            "age": {"edges": [0, 10, 20, 40], "synthetic": [0.02, 0.02 + shift / 10, 0.03], "real": [0.02, 0.02, 0.03]},
            "sex": {"categories": ["female", "male"], "synthetic": [0.5 + shift, 0.5 - shift], "real": [0.5, 0.5]},
            "unit": {
                "categories": CODEBOOK.columns["unit"].categories,
                "synthetic": shares[::-1].tolist(),
                "real": shares.tolist(),
            },
        },
        "associations": {"columns": ["age", "sex", "unit"], "synthetic": other.tolist(), "real": matrix.tolist()},
    }


def panels(figure):
    return [ax for ax in figure.axes if ax.get_visible() and ax.get_label() != "<colorbar>"]


def legend_labels(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_accuracy_stands_over_epoch_counts_and_over_none(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["no epochs", "100", "200"]
    assert ax.get_ylabel() == "Accuracy (XGBoost, age)"


def test_accuracy_names_all_that_it_shows(utility_scores):
    figure = accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
    assert legend_labels(figure) == [
        "Real → Real (2 seeds)",
        "TVAE (2 seeds)",
        "CTGAN (2 seeds)",
        "Gaussian Copula (1 seed)",
        "Majority class",
    ]


def test_no_interval_of_an_accuracy_hides_another(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    means = [line for line in ax.get_lines() if line.get_marker() == "o" and len(line.get_xdata())]
    places = [round(float(place), 6) for line in means for place, mean in line.get_xydata() if not np.isnan(mean)]
    # Real rows, the copula, two generators at two epoch counts: each at a place of its own.
    assert len(set(places)) == len(places) == 6


def test_an_accuracy_is_its_mean_over_seeds_with_its_interval(utility_scores):
    own = utility_scores[(utility_scores["generator"] == "tvae") & (utility_scores["epochs"] == 100)]
    expected = mean_interval(own[(own["model"] == "xgboost") & (own["target"] == "age")])
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    drawn = [line.get_ydata() for line in ax.get_lines() if line.get_color() == STYLES["tvae"]["colour"]]
    assert any(np.isclose(np.asarray(values, dtype=float), expected.mean).any() for values in drawn)
    ends = pytest.approx((expected.low, expected.high))
    assert any((min(values), max(values)) == ends for values in drawn if len(values))


def test_accuracy_axis_shows_every_interval(utility_scores):
    (ax,) = panels(accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE))
    low, high = ax.get_ylim()
    # CTGAN: 0.85 at 100 epochs, with two seeds 0.02 apart; majority: 0.6.
    assert low < 0.6
    assert high > 0.95


def test_accuracy_of_one_generator_without_epochs_is_drawn():
    table = scores(accuracy("gaussian_copula", 0, [0.8, 0.81]), accuracy("tvae", 10, [np.nan, np.nan]))
    (ax,) = panels(accuracy_by_epochs(table, STYLES, target="age", note=NOTE))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["no epochs"]


def test_accuracy_of_an_unknown_target_is_refused(utility_scores):
    with pytest.raises(InputError, match="'agee, xgboost'; did you mean 'age, xgboost'"):
        accuracy_by_epochs(utility_scores, STYLES, target="agee", note=NOTE)


def test_distributions_have_a_panel_for_each_column_with_its_unit():
    figure = distributions([plot_data(0), plot_data(0.1)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    assert [ax.get_title() for ax in panels(figure)] == ["age", "sex", "unit"]
    assert panels(figure)[0].get_xlabel() == "years"
    assert legend_labels(figure) == ["Real", "Synthetic: TVAE (mean of 2 seeds, smallest to largest)"]


def test_distributions_show_the_mean_over_seeds():
    figure = distributions([plot_data(0), plot_data(0.1)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    synthetic = panels(figure)[1].containers[1]
    assert [bar.get_width() for bar in synthetic] == pytest.approx([0.55, 0.45])


def test_distributions_put_rare_categories_together_and_cut_long_names():
    figure = distributions([plot_data(0)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE)
    panel = panels(figure)[2]
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert len(labels) == 12
    assert labels[0] == "a very long name of t…"
    assert labels[-1] == "other (4 categories)"
    assert sum(bar.get_width() for bar in panel.containers[0]) == pytest.approx(1)


def test_associations_are_three_heatmaps_with_stated_limits():
    figure = associations([plot_data(0), plot_data(0.14)], title="TVAE", note=NOTE)
    titles = [ax.get_title() for ax in panels(figure)]
    assert titles == ["Real", "Synthetic: TVAE, mean of 2 seeds", "Difference, limits ±0.10; mean absolute 0.070"]
    assert panels(figure)[2].collections[0].get_clim() == pytest.approx((-0.1, 0.1))
    assert [label.get_text() for label in panels(figure)[0].get_yticklabels()] == ["age", "sex", "unit"]


def test_every_figure_says_where_the_data_come_from(utility_scores):
    drawn = [
        accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE),
        distributions([plot_data(0)], CODEBOOK, title="TVAE", colour="#009e73", note=NOTE),
        associations([plot_data(0)], title="TVAE", note=NOTE),
    ]
    assert all(figure.get_supxlabel().startswith(f"Data: {NOTE}") for figure in drawn)


@pytest.mark.slow
def test_saving_twice_gives_the_same_bytes(tmp_path, utility_scores):
    def saved(stem):
        figure = accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
        return [path.read_bytes() for path in canvas.save_figure(figure, tmp_path / "new" / stem)]

    assert saved("v1.2") == saved("v1.3")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "v1.2.pdf",
        "v1.2.png",
        "v1.3.pdf",
        "v1.3.png",
    ]


def test_an_interval_below_its_estimate_is_drawn_as_it_is():
    table = pd.DataFrame({"at": [1, 2], "mean": [0.5, 0.7], "low": [0.1, np.nan], "high": [0.6, np.nan]})
    ax = matplotlib.figure.Figure().subplots()
    sns.lineplot(canvas.with_ends(table, "mean", "low", "high"), x="at", y="mean", ax=ax, **canvas.INTERVAL)
    assert ax.lines[0].get_xydata().tolist() == [[1, 0.5], [2, 0.7]]
    (band,) = ax.collections
    assert {(1.0, 0.1), (1.0, 0.6)} <= set(map(tuple, band.get_paths()[0].vertices.tolist()))


def test_drawing_leaves_matplotlibs_settings_alone(utility_scores):
    before = dict(matplotlib.rcParams)
    accuracy_by_epochs(utility_scores, STYLES, target="age", note=NOTE)
    assert dict(matplotlib.rcParams) == before


def test_a_long_note_stays_within_its_figure():
    figure = canvas.with_note(matplotlib.figure.Figure(figsize=(6.4, 4)), f"{'rows and columns ' * 20}\nlast line")
    figure.canvas.draw()
    box = figure._supxlabel.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert figure.get_supxlabel().splitlines()[-1] == "last line"


def test_a_reference_row_is_called_what_it_is_in_each_family():
    assert title_of("holdout", STYLES) == "Holdout (upper reference)"
    assert title_of("holdout", STYLES, "privacy") == "Holdout (negative control)"
    assert title_of("independent", STYLES, "privacy") == title_of("independent", STYLES)
    assert title_of("tvae", STYLES, "privacy") == "TVAE" and title_of("unknown", STYLES) == "unknown"
