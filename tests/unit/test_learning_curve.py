"""Scores by number of training rows: which rows, which scores, the table and the figure."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medsynth.errors import InputError, validate
from medsynth.evaluation.comparison import compared_rows, draw_compared, persons_of_test
from medsynth.evaluation.references import REFERENCES, Pair
from medsynth.evaluation.targets import Target
from medsynth.plan.loading import load_runs
from medsynth.plan.settings import Study
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.figure import detection_by_rows
from medsynth.scores.learning_curve.compute import (
    LEARNING_CURVE_METRICS,
    draw_asked,
    learning_curve_scores,
    memory_scores,
    nested_rows,
)
from medsynth.scores.learning_curve.figure import PANELS, learning_curves
from medsynth.scores.learning_curve.table import display_learning_curve, learning_curve_table
from tests.unit.conftest import scores as long_table

STYLES = {
    "cart": {"title": "CART", "colour": "#56b4e9"},
    "med_vae": {"title": "Med-VAE", "colour": "#009e73"},
}
DRAWN = {"utility_rows": 200, "test_rows": 60, "fidelity_rows": 500}


# Which rows


def test_smaller_sets_lie_inside_larger_ones():
    rows = nested_rows(100, [10, 40, "all"], seed=1)
    assert [len(part) for part in rows.values()] == [10, 40, 100]
    assert set(rows[10]) < set(rows[40]) < set(rows[100])


def test_positions_are_ascending_and_all_is_the_table_itself():
    rows = nested_rows(50, ["all", 20], seed=1)
    assert list(rows) == [20, 50]
    assert (np.diff(rows[20]) > 0).all() and list(rows[50]) == list(range(50))


def test_sizes_beyond_the_rows_are_left_out():
    assert list(nested_rows(480, [200, 500, 1000, "all"], seed=1)) == [200, 480]


def test_a_size_of_all_rows_is_there_once():
    assert list(nested_rows(500, [500, "all"], seed=1)) == [500]


def test_rows_of_one_seed_are_the_same_and_of_another_are_not():
    first, again, other = (nested_rows(300, [50], seed=seed)[50] for seed in (1, 1, 2))
    assert list(first) == list(again) != list(other)


# Which real rows they are compared with


def compare(table, test, seed=1, **changes):
    """Draw rows of a table and of the test partition."""
    rng, persons = np.random.default_rng(seed), persons_of_test(np.arange(len(test)), 7)
    pair = Pair(table, np.arange(len(test)))
    return draw_compared(pair, test, persons, rng, study_seed=7, n_train=300, **{**DRAWN, **changes})


def test_every_table_meets_the_same_real_rows(partitions):
    train, test, _ = partitions
    first, other = compare(train, test), compare(train.head(150), test, seed=2)
    pd.testing.assert_frame_equal(first.tested, other.tested)
    pd.testing.assert_frame_equal(first.against, other.against)


def test_fidelity_is_of_at_most_half_of_the_held_out_rows_from_each_side(partitions):
    train, test, _ = partitions
    compared = compare(train, test)
    assert len(compared.judged) == len(compared.against) == len(test) // 2
    assert len(compare(train, test, fidelity_rows=20).judged) == 20


def test_classifiers_get_all_rows_and_beside_them_those_of_the_protocol(partitions):
    train, test, _ = partitions
    compared = compare(train, test)
    assert (len(compared.equal_information), len(compared.protocol), len(compared.tested)) == (300, 200, 60)
    assert len(compare(train.head(30), test).equal_information) == 30


def test_persons_of_many_rows_leave_all_tables_as_many_rows(partitions):
    _, test, _ = partitions
    person = np.minimum(np.arange(len(test)), 80)
    drawn = [REFERENCES["holdout"](test, test, person, np.random.default_rng(seed)) for seed in (1, 2, 3)]
    assert {len(pair.against) for pair in drawn} == {compared_rows(person, 10**6)}


# Which scores


def score(table, partitions):
    """Scores of a table, by metric."""
    train, test, codebook = partitions
    target, encoder = Target(name="icu", column="icu", positive="yes"), TableEncoder().fit(train)
    found = learning_curve_scores(compare(table, test), target, encoder, codebook, seed=1)
    return {score.metric: score.value for score in found}


def test_every_metric_is_scored_once(partitions):
    assert tuple(score(partitions[0], partitions)) == LEARNING_CURVE_METRICS


def test_real_rows_score_better_than_a_constant_and_columns_drawn_alone(partitions):
    train = partitions[0]
    alone = {name: train[name].sample(frac=1, random_state=i).array for i, name in enumerate(train)}
    real, poor = score(train, partitions), score(pd.DataFrame(alone).assign(age=18), partitions)
    assert real["quality"] > poor["quality"] and real["c2st_auc"] < poor["c2st_auc"]
    assert real["accuracy"] > poor["accuracy"] and real["roc_auc"] > poor["roc_auc"]


def told(released, partitions):
    """What a table tells of 50 training rows of persons of two rows each, by metric."""
    train, test, codebook = partitions
    asked = draw_asked(train.head(50), np.arange(50) // 2, test, 1000 + np.arange(len(test)) // 2, seed=1)
    assert len(asked.members) == len(asked.nonmembers) <= len(asked.reference)
    return {score.metric: score for score in memory_scores(released, asked, codebook, seed=1)}


def test_a_copy_tells_of_its_rows_and_other_rows_tell_nothing(partitions):
    train = partitions[0]
    copied, other = (told(train.iloc[rows], partitions) for rows in (slice(50), slice(50, 100)))
    assert list(copied) == list(other) == ["membership_auc", "dcr_share"]
    assert all(score.value > 0.95 and score.replicates.min() > 0.9 for score in copied.values())
    assert all(score.value == pytest.approx(0.5, abs=0.15) for score in other.values())


# The table


@pytest.fixture
def sized():
    """Two generators, real rows and the majority class; sizes that sort otherwise as text."""

    def of(generator, epochs, **by_size):
        return [
            (generator, epochs, "learning_curve", metric, {"rows": int(size.strip("n"))}, [value, value + 0.02])
            for size, value in by_size.items()
            for metric in LEARNING_CURVE_METRICS + (("membership_auc", "dcr_share") if generator != "real" else ())
        ]

    return long_table(
        *of("real", 0, n500=0.8, n1000=0.85, n56000=0.9),
        *of("cart", 0, n500=0.7, n1000=0.75, n56000=0.8),
        *of("med_vae", 50, n500=0.5, n1000=0.6, n56000=0.7),
        ("majority", 0, "utility", "accuracy", {"target": "death", "model": "majority"}, [0.65, 0.65]),
    )


def test_the_table_has_a_row_a_generator_and_size_in_the_order_of_numbers(sized):
    table = learning_curve_table(sized)
    assert list(table["n_rows"]) == [500, 1000, 56000] * 3
    assert list(table["generator"].unique()) == ["cart", "med_vae", "real"]
    row = table.set_index(["generator", "n_rows"]).loc[("med_vae", 1000)]
    assert (row["epochs"], row["n_seeds"]) == (50, 2)
    assert row["quality"] == pytest.approx(0.61)
    assert row["quality_low"] < 0.6 < 0.62 < row["quality_high"] < 1


def test_the_table_of_no_sizes_has_its_columns():
    table = learning_curve_table(long_table())
    assert len(table) == 0 and {"n_rows", "quality", "roc_auc_high"} <= set(table)


def test_the_table_for_reading_begins_with_real_rows_and_names_epochs(sized):
    display = display_learning_curve(learning_curve_table(sized), STYLES)
    assert list(dict.fromkeys(display.index)) == ["Real training rows", "CART", "Med-VAE, 50 epochs"]
    assert list(display["Training rows"][:3]) == ["500", "1,000", "56,000"]
    assert display["Quality"].iloc[0].startswith("0.810 (")


# The figure


def lines_of(ax):
    """Lines that show something; those of the legend have no points, those between bars are not drawn."""
    return [line for line in ax.get_lines() if len(line.get_xdata()) and line.get_linestyle() != "None"]


def test_the_figure_has_a_panel_a_metric_and_a_line_a_generator(sized):
    figure = learning_curves(sized, STYLES, target="death", note="simulated cohort")
    assert isinstance(figure, Figure)
    assert [ax.get_title() for ax in figure.axes] == list(PANELS.values())
    lines = lines_of(figure.axes[list(PANELS).index("quality")])
    assert [line.get_color() for line in lines] == ["#4d4d4d", "#56b4e9", "#009e73"]
    assert list(lines[1].get_ydata()) == pytest.approx([0.71, 0.76, 0.81])
    assert figure.axes[0].get_xscale() == "log"


def test_the_majority_class_is_a_line_in_the_panel_of_accuracy_alone(sized):
    figure = learning_curves(sized, STYLES, target="death", note="simulated cohort")
    lines = {metric: lines_of(ax) for metric, ax in zip(PANELS, figure.axes, strict=True)}
    assert [len(of_panel) for metric, of_panel in lines.items() if metric != "accuracy"] == [3, 2, 3, 2, 3]
    assert len(lines["accuracy"]) == 4 and lines["accuracy"][-1].get_ydata()[0] == 0.65


def test_where_nobody_could_be_attacked_the_panels_are_empty(sized):
    few = sized[~sized["metric"].isin(["membership_auc", "dcr_share"])]
    figure = learning_curves(few, STYLES, target="death", note="simulated cohort")
    assert not lines_of(figure.axes[list(PANELS).index("membership_auc")])


def test_ticks_that_would_overlap_have_no_label(sized):
    crowded = sized.assign(rows=sized["rows"].replace(56000, 1050))
    figure = learning_curves(crowded, STYLES, target="death", note="simulated cohort")
    labels = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels == ["500", "", "1.05k"]


def test_one_seed_and_one_size_are_drawn(sized):
    one = sized[
        (sized["seed"] == sized["seed"].min()) & ((sized["rows"] == 500).fillna(False) | (sized["model"] == "majority"))
    ]
    figure = learning_curves(one, STYLES, target="death", note="simulated cohort")
    assert len(lines_of(figure.axes[0])) == 3


def test_no_sizes_are_a_clear_error():
    with pytest.raises(
        InputError, match="no scores by number of training rows; name sizes in the study's 'learning_curve'"
    ):
        learning_curves(long_table(), STYLES, target="death", note="simulated cohort")


# Detection by number of rows


def test_detection_is_drawn_against_rows_with_the_upper_reference(tmp_path):
    rows = [
        (name, 0, "detection", "c2st_auc_by_rows", {"model": "xgboost", "rows": size}, [auc, auc + 0.01])
        for name, aucs in {"cart": (0.55, 0.6), "holdout": (0.5, 0.5), "independent": (0.8, 0.95)}.items()
        for size, auc in zip((300, 1000), aucs, strict=True)
    ]
    figure = detection_by_rows(long_table(*rows), STYLES, note="simulated cohort")
    (ax,) = figure.axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["300", "1000"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "CART",
        "Holdout (upper reference)",
        "Independent marginals (lower reference)",
    ]
    means = [line for line in lines_of(ax) if line.get_marker() == "o"]
    assert [list(line.get_ydata()) for line in means] == [
        pytest.approx(values) for values in ([0.555, 0.605], [0.505, 0.505], [0.805, 0.955])
    ]
    assert len({line.get_xdata()[0] for line in means}) == 3
    figure.savefig(tmp_path / "detection.png")


def test_tables_too_small_for_a_detector_have_a_figure_that_says_so():
    figure = detection_by_rows(long_table(), STYLES, note="simulated cohort")
    assert "rows enough" in figure.texts[0].get_text()


# The study


def test_generators_are_scored_by_size_at_their_last_epoch_count_alone():
    run = load_runs({"studies": ["diabetes130_learning_curve"], "scale": "smoke", "generators": ["cart", "tvae"]})
    found = [job for job in run["diabetes130_learning_curve"].scored if job.stage == "learning_curve"]
    assert found == [("learning_curve", g, s, (e,)) for g, e in (("cart", 0), ("tvae", 2), ("real", 0)) for s in (1, 2)]


def test_studies_without_a_learning_curve_have_no_such_scores():
    run = load_runs({"studies": ["diabetes130"], "scale": "smoke"})["diabetes130"]
    assert not run.on_learning_curve and not any(kind == "learning_curve" for kind, *_ in run.scored)


@pytest.mark.parametrize(
    ("sizes", "sentence"),
    [
        ([500, 500], "'learning_curve' names '500' twice"),
        ([0], "must be a positive number or 'all'"),
        (["al"], "given: 'al'"),
    ],
)
def test_wrong_sizes_are_refused(sizes, sentence):
    study = load_runs({"studies": ["diabetes130_learning_curve"], "scale": "smoke"})["diabetes130_learning_curve"].study
    with pytest.raises(InputError, match=sentence):
        validate(study.model_dump(exclude_none=True) | {"learning_curve": sizes}, Study, where="mine.yaml")
