"""Cohorts: scores of perfect and of refusing generators, their tables and figures; figures of training."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from medsynth.codebook import Column
from medsynth.display.cells import NOTHING
from medsynth.errors import InputError
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.conditional.compute import LEAST_COHORT, Cohort, score_cohorts, shown_counts
from medsynth.scores.conditional.figure import success_matrices
from medsynth.scores.conditional.table import conditional_table, display_conditional
from medsynth.scores.fairness.compute import Subgroups
from medsynth.scores.fidelity.spread import spread_and_quality, spread_by_model
from medsynth.scores.training.figure import architecture, loss_curves
from tests.conftest import by_about
from tests.unit.conftest import scores as long_table

STYLES = {
    "cart": {"title": "CART", "colour": "#56b4e9"},
    "med_vae": {"title": "Med-VAE", "colour": "#009e73"},
}
NOTE = "simulated cohort"


def cohort(name, group="Sex", **where):
    """A cohort."""
    return Cohort(name=name, title=name.capitalize(), group=group, where=where)


COHORTS = [
    cohort("women", sex="female"),
    cohort("men", sex="male"),
    cohort("old_inpatients", "Course", age=[85, None], admitted="yes"),
]


# Cohorts


@pytest.fixture
def people(partitions):
    """Train, test and codebook; 600 test rows, so that women and men can be compared and old inpatients cannot."""
    train, test, codebook = partitions
    return train, pd.concat([train, test, train], ignore_index=True).head(600), codebook


def judge(people, draw, cohorts=COHORTS):
    """Scores of a generator by metric and what they are about, in order."""
    train, test, codebook = people
    encoder = TableEncoder().fit(train)
    return by_about(score_cohorts(draw, cohorts, train, test, codebook, encoder, rows=400, seed=1))


def exactly(people):
    """A generator that draws real training rows of the cohort."""
    train, _, codebook = people
    titles = {str(cohort.where): cohort.conditions(codebook) for cohort in COHORTS}

    def draw(rows, conditions, i=0):
        found = train if conditions is None else train[titles[str(conditions)].holds(train)]
        return found.sample(rows, replace=True, random_state=1).reset_index(drop=True)

    return draw


def refusing(people):
    """A generator that samples unconditionally only."""

    def draw(rows, conditions, i=0):
        if conditions:
            raise InputError("cannot meet conditions")
        return exactly(people)(rows, None)

    return draw


def ignoring(people):
    """A generator that draws anybody, whatever it is asked for."""
    return lambda rows, conditions, i=0: exactly(people)(rows, None)


def test_a_generator_that_meets_every_condition_succeeds_always(people):
    found = judge(people, exactly(people))
    assert [found["success", c.name] for c in COHORTS] == [1, 1, 1]


def test_a_generator_that_refuses_never_succeeds(people):
    found = judge(people, refusing(people))
    assert [found["success", c.name] for c in COHORTS] == [0, 0, 0]
    shares = [v for (metric, *about), v in found.items() if metric == "share" and "unconditional" not in about]
    assert shares and not any(shares)


def test_a_generator_that_ignores_conditions_succeeds_as_often_as_chance(people):
    found = judge(people, ignoring(people))
    assert found["success", "women"] == found["share", "unconditional", "women"]


def test_shares_of_rows_drawn_without_conditions_come_first(people):
    first = list(judge(people, exactly(people)))[:3]
    assert first == [("share", "unconditional", c.name) for c in COHORTS]


def test_shares_are_of_cohorts_of_one_group(people):
    found = judge(people, exactly(people))
    asked = {"|".join(about) for metric, *about in found if metric == "share" and about[0] != "unconditional"}
    assert asked == {"women|women", "women|men", "men|women", "men|men", "old_inpatients|old_inpatients"}
    assert found["share", "women", "men"] == 0


def test_real_rows_of_a_cohort_are_counted(people):
    train, test, _ = people
    found = judge(people, exactly(people))
    assert found["n_train", "women"] == (train["sex"] == "female").sum()
    assert found["n_test", "old_inpatients"] == ((test["age"] >= 85) & (test["admitted"] == "yes")).sum()


def shown(people, cohorts, subgroups=(), least=10):
    """Numbers of test rows that are shown, by cohort."""
    _, test, codebook = people
    conditions = {cohort.name: cohort.conditions(codebook) for cohort in cohorts}
    counts = shown_counts(conditions, test, codebook, subgroups, least)
    return {name: count for name, count in counts.items() if not np.isnan(count)}


def test_a_cohort_of_few_real_rows_has_no_number_and_neither_has_one_that_tells_of_it(people):
    train, test, codebook = people
    test = test.assign(age=np.where(np.arange(600) < 5, 99, 40), sex=["male"] * 4 + ["female"] * 300 + ["male"] * 296)
    people = train, test.astype({"sex": train["sex"].dtype}), codebook
    old, young = cohort("old", age=[90, None]), cohort("young", age=[None, 89])
    women, young_women = cohort("women", sex="female"), cohort("young_women", sex="female", age=[None, 89])
    assert shown(people, [old]) == {}
    # All but few rows; all but one of the women.
    assert shown(people, [young]) == {}
    assert shown(people, [women, young_women]) == {"women": 300}


def test_a_cohort_tells_of_no_group_that_the_table_of_subgroups_withholds(people):
    train, test, codebook = people
    test = test.assign(stage=pd.Categorical(["I"] * 560 + ["II"] * 35 + ["III"] * 5, test["stage"].cat.categories))
    test["age"] = np.where(np.arange(600) < 550, 40, np.where(np.arange(600) < 592, 70, 85))
    people = train, test, codebook
    assert shown(people, [cohort("first", stage="I"), cohort("second", stage="II")]) == {"first": 560}
    over_70, bands = cohort("over_70", age=[70, 80]), Subgroups(column="age", bands=[50, 80])
    assert shown(people, [over_70]) == {"over_70": 42} and shown(people, [over_70], [bands]) == {}


def test_only_cohorts_of_many_real_patients_are_judged_for_fidelity(people):
    found = judge(people, exactly(people))
    judged = {cohort for metric, cohort, *_ in found if metric in ("quality", "c2st_auc")}
    assert judged == {c.name for c in COHORTS if found["n_test", c.name] >= LEAST_COHORT} == {"women", "men"}


def test_a_cohort_of_real_rows_resembles_real_rows(people):
    found = judge(people, exactly(people))
    assert found["quality", "women"] > 0.9
    assert found["c2st_auc", "women"] < 0.7


def test_fidelity_is_of_the_rows_that_meet_the_conditions(people):
    """Half of the rows sampled for women are men of 120: they cost success, not quality."""

    def draw(rows, conditions, i=0):
        found = exactly(people)(rows * 2, conditions).head(rows * 2)
        wrong = found.iloc[:rows].assign(sex="male", age=120)
        return people[2].conform(pd.concat([found.iloc[rows:], wrong], ignore_index=True))

    found = judge(people, draw, COHORTS[:1])
    assert found["success", "women"] == 0.5
    assert found["quality", "women"] > 0.9


def test_a_generator_with_too_few_rows_of_a_cohort_has_no_fidelity(people):
    found = judge(people, refusing(people))
    assert np.isnan(found["quality", "women"]) and np.isnan(found["c2st_auc", "women"])


def test_a_cohort_that_does_not_fit_the_codebook_is_named(codebook):
    with pytest.raises(InputError, match=r"The cohort 'women': 'sex' has no category 'femal'.*did you mean 'female'"):
        cohort("women", sex="femal").conditions(codebook)


def test_a_cohort_may_name_a_category_by_its_number(codebook):
    """YAML gives a number, pydantic makes it a float, the category is text."""
    described = codebook.with_columns({"ward": Column(type="categorical", categories=["1", "2"])})
    assert cohort("first", ward=1).conditions(described)["ward"].categories == ("1",)
    assert cohort("both", ward=[1, 2]).conditions(described)["ward"].categories == ("1", "2")


def test_a_cohort_that_cleaning_left_no_column_for_is_left_out(people, caplog):
    found = judge(people, exactly(people), [*COHORTS, cohort("gone", dropped="yes")])
    assert "The cohort 'gone'" in caplog.text
    assert not any("gone" in about for _, *about in found)


# Tables of them


@pytest.fixture
def cohort_scores():
    """Two cohorts, two generators, two reference rows."""

    def of(generator, epochs, name, success, quality, rows=(1000, 250)):
        found = [(generator, epochs, "conditional", "success", {"cohort": name}, success)]
        found += [
            (generator, epochs, "conditional", f"n_{part}", {"cohort": name}, [float(n)] * len(success))
            for part, n in zip(("train", "test"), rows, strict=True)
        ]
        if quality:
            about = {"cohort": name}
            found += [(generator, epochs, "conditional", metric, about, quality) for metric in ("quality", "c2st_auc")]
        return found

    shares = [
        (generator, 0, "conditional", "share", {"cohort": asked, "held": held}, [value] * 2)
        for generator, asked, held, value in [
            ("cart", "unconditional", "women", 0.5),
            ("cart", "unconditional", "men", 0.5),
            ("cart", "unconditional", "old_inpatients", 0.1),
            ("cart", "women", "women", 1.0),
            ("cart", "women", "men", 0.0),
            ("cart", "men", "women", 0.0),
            ("cart", "men", "men", 1.0),
        ]
    ]
    return long_table(
        *of("cart", 0, "women", [1.0, 1.0], [0.9, 0.92]),
        *of("med_vae", 200, "women", [0.8, 0.9], [0.7, 0.8]),
        *of("med_vae", 50, "women", [0.3, 0.3], [0.2, 0.2]),
        *of("real", 0, "women", [1.0, 1.0], [0.99, 0.99]),
        *of("independent", 0, "women", [1.0, 1.0], [0.6, 0.6]),
        *of("cart", 0, "old_inpatients", [0.0, 0.0], None, rows=(40, 12)),
        *shares,
    )


def test_the_conditional_table_has_a_row_a_cohort_generator_and_epoch_count(cohort_scores):
    table = conditional_table(cohort_scores)
    assert list(zip(table["condition"], table["generator"], table["epochs"], strict=True)) == [
        ("old_inpatients", "cart", 0),
        ("women", "cart", 0),
        ("women", "independent", 0),
        ("women", "med_vae", 50),
        ("women", "med_vae", 200),
        ("women", "real", 0),
    ]


def test_the_conditional_table_has_means_over_seeds_with_intervals(cohort_scores):
    table = conditional_table(cohort_scores).set_index(["condition", "generator", "epochs"])
    row = table.loc[("women", "med_vae", 200)]
    assert (row["n_seeds"], row["n_train"], row["n_test"]) == (2, 1000, 250)
    assert row["success"] == pytest.approx(0.85)
    assert row["success_low"] < 0.8 < 0.9 < row["success_high"]


def test_a_cohort_of_few_real_patients_has_success_and_no_fidelity(cohort_scores):
    row = conditional_table(cohort_scores).iloc[0]
    assert (row["success"], row["n_test"]) == (0, 12)
    assert np.isnan(row["quality"]) and np.isnan(row["c2st_auc"])


def test_the_conditional_table_of_no_scores_has_its_columns():
    table = conditional_table(long_table())
    assert len(table) == 0
    assert {"condition", "success", "quality_low", "c2st_auc_high"} <= set(table)


def test_the_conditional_table_for_reading_has_a_block_a_cohort(cohort_scores):
    titles = {"women": "Women", "men": "Men", "old_inpatients": "Old inpatients"}
    shown = display_conditional(conditional_table(cohort_scores), titles, STYLES)
    assert shown["Model"].to_list() == [
        "CART",
        "Med-VAE",
        "Real training rows (upper reference)",
        "Independent marginals (lower reference)",
        "CART",
    ]
    assert shown.index[0] == "Women (1,000 training rows, 250 test rows)"
    assert shown.index[-1] == "Old inpatients (40 training rows, 12 test rows)"


def test_the_conditional_table_for_reading_shows_the_largest_epoch_count(cohort_scores):
    shown = display_conditional(conditional_table(cohort_scores), {"women": "Women"}, STYLES).set_index("Model")
    assert shown.loc["Med-VAE", "Epochs"] == "200"
    assert shown.loc["Med-VAE", "Meets the conditions"].startswith("0.850 (")
    assert shown.loc["CART", "Epochs"] == NOTHING


def test_what_was_not_judged_is_a_dash(cohort_scores):
    shown = display_conditional(conditional_table(cohort_scores), {"old_inpatients": "Old"}, STYLES).iloc[0]
    assert (shown["Meets the conditions"], shown["Quality"]) == ("0.000 (0.000, 0.000)", NOTHING)


# Figures of them


def visible(figure):
    return [ax for ax in figure.axes if ax.get_visible()]


def history(epochs, names, offset=0.0):
    """Losses that fall."""
    return [
        {"epoch": e} | {f"{kind}_{name}": 2.0 / e + offset for kind in ("train", "validation") for name in names}
        for e in range(1, epochs + 1)
    ]


def test_the_loss_figure_has_a_panel_a_loss(tmp_path):
    histories = [history(5, ["loss", "kl", "numeric"]), history(5, ["loss", "kl", "numeric"], 0.1)]
    figure = loss_curves(histories, title="Med-VAE", colour="#009e73", note=NOTE)
    assert isinstance(figure, Figure)
    assert [ax.get_title() for ax in visible(figure)] == [
        "Loss",
        "Numeric columns (squared error)",
        "KL divergence (nats a record)",
    ]
    assert figure.get_suptitle() == "Med-VAE: losses by epoch, 2 seeds"
    figure.savefig(tmp_path / "losses.png")


def test_training_rows_are_solid_and_validation_rows_dashed():
    figure = loss_curves([history(5, ["loss"])], title="t", colour="#009e73", note=NOTE)
    (ax,) = visible(figure)
    assert [line.get_linestyle() for line in ax.lines if len(line.get_xdata())] == ["-", "--"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train rows", "validation rows"]


def test_losses_over_orders_of_magnitude_have_a_logarithmic_axis():
    steep = [{"epoch": e, "train_loss": 10.0**-e, "train_kl": 2.0 + e} for e in range(4)]
    figure = loss_curves([steep], title="t", colour="#009e73", note=NOTE)
    assert [ax.get_yscale() for ax in visible(figure)] == ["log", "linear"]


def test_the_architecture_figure_has_a_panel_a_network_and_a_box_a_module(tmp_path):
    networks = {"Encoder": [["numeric (2)", "binary (2)"], ["Linear 4 → 3"]], "Decoder": [["z (3)"], ["Linear 3 → 4"]]}
    figure = architecture(networks, title="Med-VAE", note=NOTE)
    assert [ax.get_title() for ax in visible(figure)] == ["Encoder", "Decoder"]
    boxes = [text.get_text() for text in visible(figure)[0].texts if text.get_text()]
    assert boxes == ["numeric (2)", "binary (2)", "Linear 4 → 3"]
    figure.savefig(tmp_path / "architecture.png")


@pytest.fixture
def spread_scores():
    def of(generator, epochs, quality, std):
        return [
            (generator, epochs, "fidelity", "quality", {}, [quality]),
            (generator, epochs, "fidelity", "std", {"column": "age"}, [std]),
            (generator, epochs, "fidelity", "std_real", {"column": "age"}, [10.0]),
            (generator, epochs, "fidelity", "std", {"column": "constant"}, [1.0]),
            (generator, epochs, "fidelity", "std_real", {"column": "constant"}, [0.0]),
        ]

    return long_table(*of("cart", 0, 0.95, 9.0), *of("med_vae", 50, 0.7, 5.0), *of("med_vae", 200, 0.8, 6.0))


def test_spread_is_synthetic_over_real_and_leaves_constants_out(spread_scores):
    found = spread_by_model(spread_scores).set_index(["generator", "epochs"])
    assert found["ratio"].to_dict() == pytest.approx({("cart", 0): 0.9, ("med_vae", 50): 0.5, ("med_vae", 200): 0.6})


def test_the_spread_figure_has_a_point_a_model(spread_scores, tmp_path):
    figure = spread_and_quality(spread_scores, STYLES, note=NOTE)
    (ax,) = visible(figure)
    (points,) = ax.collections
    assert len(points.get_offsets()) == 3
    titles = [text.get_text() for text in figure.legends[0].get_texts()]
    assert titles[:4] == ["Generator", "CART", "Med-VAE", "Epochs"]
    figure.savefig(tmp_path / "spread.png")


def test_the_success_matrices_have_a_panel_a_group(cohort_scores, tmp_path):
    figure = success_matrices(cohort_scores, COHORTS, generator="cart", title="CART", note=NOTE)
    assert [ax.get_title() for ax in visible(figure)] == ["Sex", "Course"]
    assert figure.get_suptitle() == "CART: conditional generation, mean of 2 seeds"
    figure.savefig(tmp_path / "matrices.png")


def test_the_first_row_of_a_success_matrix_is_unconditional(cohort_scores):
    figure = success_matrices(cohort_scores, COHORTS, generator="cart", title="CART", note=NOTE)
    ax = visible(figure)[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["unconditional", "Women", "Men"]
    assert [text.get_text() for text in ax.texts] == ["0.50", "0.50", "1.00", "0.00", "0.00", "1.00"]


def test_a_cohort_that_was_refused_has_no_number(cohort_scores):
    figure = success_matrices(cohort_scores, COHORTS, generator="cart", title="CART", note=NOTE)
    assert [text.get_text() for text in visible(figure)[1].texts] == ["0.10"]
