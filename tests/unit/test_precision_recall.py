"""Alpha-precision, beta-recall and authenticity against their definitions, and on tables whose scores are known."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from medsynth.evaluation.resampling import person_weights
from medsynth.scores.precision_recall.compute import precision_recall
from tests.unit.test_marginals import columns_alone, described, support2


def scores(synthetic, real, codebook, **settings):
    """Metric -> score."""
    return {s.metric: s for s in precision_recall(synthetic, real, codebook, **{"seed": 1} | settings)}


def values(*tables_and_codebook, **settings):
    """Metric -> value."""
    return {metric: score.value for metric, score in scores(*tables_and_codebook, **settings).items()}


def normal(rows, seed, *, columns=3, shift=0.0):
    """Standard normal numbers, and their codebook."""
    drawn = np.random.default_rng(seed).normal(shift, size=(columns, rows))
    return described(**{f"x{i}": column for i, column in enumerate(drawn)})


@pytest.mark.parametrize(
    "columns",
    [
        {"a": ["n", "y"] * 10, "b": ["n", "n", "y", "y"] * 5},
        {"a": range(20), "b": [0] * 18 + [1, 2]},
        {"a": range(20), "b": ["n", "y"] * 10},
        {"a": [7] * 20, "b": ["y"] * 20},
        {"a": [str(i) for i in range(300)]},
    ],
    ids=["categories", "numbers", "both", "constants", "300 categories"],
)
def test_a_table_agrees_with_itself(columns):
    table, codebook = described(**columns)
    assert values(table, table, codebook) == pytest.approx({"alpha_precision": 1, "beta_recall": 1})


def test_scores_are_the_integrals_of_their_definitions():
    """Both curves at many alphas, numbers and categories, no ties."""
    rng = np.random.default_rng(1)
    real, codebook = described(a=rng.normal(size=300), b=rng.normal(size=300), c=rng.choice(list("pqr"), 300).tolist())
    synthetic = real.assign(a=rng.normal(0.3, size=300), b=rng.normal(size=300), c=real["c"].to_numpy()[::-1])
    numbers, low, high = ["a", "b"], real[["a", "b"]].min(), real[["a", "b"]].max()
    x, s = (
        np.hstack([(table[numbers] - low) / (high - low), np.array(table["c"])[:, None] == np.array(list("pqr"))])
        for table in (real, synthetic)
    )
    alphas = (np.arange(3000) + 0.5) / 3000
    to_centre = np.linalg.norm(x - x.mean(axis=0), axis=1)
    radii = np.quantile(to_centre, alphas, method="inverted_cdf")
    precision = [(np.linalg.norm(s - x.mean(axis=0), axis=1) <= radius).mean() for radius in radii]
    reach = NearestNeighbors(n_neighbors=2).fit(x).kneighbors(x)[0][:, 1]
    distance, nearest = (part[:, 0] for part in NearestNeighbors(n_neighbors=1).fit(s).kneighbors(x))
    places = np.linalg.norm(s[nearest] - s.mean(axis=0), axis=1)
    radii = np.quantile(places, alphas, method="inverted_cdf")
    recall = [((distance <= reach) & (places <= radius)).mean() for radius in radii]
    expected = {
        name: 1 - 2 * np.mean(np.abs(np.array(curve) - alphas))
        for name, curve in (("alpha_precision", precision), ("beta_recall", recall))
    }
    assert values(synthetic, real, codebook) == pytest.approx(expected, abs=0.01)


def test_fresh_real_rows_are_precise_and_recall_half():
    (real, codebook), (fresh, _) = normal(2000, 1), normal(2000, 2)
    found = values(fresh, real, codebook)
    assert found["alpha_precision"] > 0.95
    assert found["beta_recall"] == pytest.approx(0.5, abs=0.05)


def test_a_mode_that_is_missing_costs_recall_and_no_precision():
    sides = np.repeat([-10.0, 10.0], 300)
    both, codebook = normal(600, 1)
    (fresh, _), (one, _) = normal(600, 2), normal(600, 3)
    both, fresh, one = both.assign(x0=both["x0"] + sides), fresh.assign(x0=fresh["x0"] + sides), one.assign(x0=10.0)
    one["x0"] += np.random.default_rng(4).normal(size=600)
    complete, dropped = values(fresh, both, codebook), values(one, both, codebook)
    # One mode lies as far from the middle of both as the other.
    assert dropped["alpha_precision"] > complete["alpha_precision"] - 0.05
    assert dropped["beta_recall"] < complete["beta_recall"] - 0.1


def test_rows_far_away_have_no_precision_and_no_recall():
    (real, codebook), (far, _) = normal(300, 1), normal(300, 2, shift=100.0)
    assert values(far, real, codebook) == pytest.approx({"alpha_precision": 0, "beta_recall": 0}, abs=0.01)


def test_copies_of_learned_rows_are_not_authentic():
    (learned, codebook), (real, _) = normal(400, 1), normal(400, 2)
    copies = learned.sample(frac=1, random_state=1).reset_index(drop=True)
    assert values(copies, real, codebook, learned=learned)["authenticity"] == 0
    assert values(real, real, codebook, learned=learned)["authenticity"] > 0.3
    assert "authenticity" not in values(copies, real, codebook)


def test_fresh_rows_of_one_number_are_authentic_in_a_third():
    """A new point on a line and its nearest neighbour are each other's nearest in 2/3 (Clark and Evans 1955)."""
    (learned, codebook), (fresh, _) = normal(4000, 1, columns=1), normal(4000, 2, columns=1)
    assert values(fresh, fresh, codebook, learned=learned)["authenticity"] == pytest.approx(1 / 3, abs=0.03)


def test_equal_distances_are_half_authentic():
    table, codebook = described(a=["n", "y"] * 10, b=[1] * 20)
    assert values(table, table, codebook, learned=table)["authenticity"] == 0.5


def test_a_copy_of_any_learned_row_is_found():
    """Though fewer rows are judged than were learned."""
    (learned, codebook), (real, _) = normal(500, 1), normal(20, 2)
    assert values(learned.iloc[-20:].reset_index(drop=True), real, codebook, learned=learned)["authenticity"] == 0


def test_the_seed_decides_which_rows_are_judged():
    (real, codebook), (synthetic, _) = normal(200, 1), normal(300, 2)
    found = [values(synthetic, real, codebook, learned=real, seed=seed, max_rows=50) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("rows", [0, 1])
def test_a_row_alone_has_no_score(rows):
    real, codebook = described(a=["n", "y"], b=[1, 2])
    alone = real.iloc[:rows]
    weights = person_weights(np.arange(2), seed=1)
    found = values(alone, real, codebook, weights=weights, learned=real.iloc[:1])
    assert list(found) == ["alpha_precision", "beta_recall", "authenticity"]
    assert np.isnan(list(found.values())).all()


def test_precision_is_that_of_rows_that_are_repeated():
    rng = np.random.default_rng(1)
    real, codebook = described(**{name: rng.choice(list("pqr"), 60, p=[0.6, 0.3, 0.1]) for name in "abcd"})
    synthetic = real.sample(60, replace=True, random_state=2).assign(a="p").astype({"a": real["a"].dtype})
    synthetic = synthetic.reset_index(drop=True)
    weights = person_weights(np.arange(60), seed=1)
    found = scores(synthetic, real, codebook, weights=weights)["alpha_precision"]
    for i in range(10):
        repeated = real.take(np.repeat(np.arange(60), weights[i].astype(int))).reset_index(drop=True)
        expected = values(synthetic, repeated, codebook)["alpha_precision"]
        assert found.replicates[i] == pytest.approx(expected, abs=1e-9)


def test_equal_weights_give_the_scores_themselves():
    (real, codebook), (synthetic, _) = normal(100, 1), normal(150, 2)
    found = scores(synthetic, real, codebook, weights=np.ones((3, 100), dtype="float32"))
    for metric in ("alpha_precision", "beta_recall"):
        assert found[metric].replicates == pytest.approx(found[metric].value)


@pytest.mark.slow
def test_replicates_vary_as_much_as_fresh_real_rows_do():
    synthetic, codebook = normal(150, 0)
    drawn, told = {"alpha_precision": [], "beta_recall": []}, {"alpha_precision": [], "beta_recall": []}
    for seed in range(1, 121):
        real, _ = normal(150, seed)
        weights = person_weights(np.arange(150), seed=seed)
        for metric, score in scores(synthetic, real, codebook, weights=weights).items():
            drawn[metric].append(score.value)
            told[metric].append(score.variance)
    for metric in drawn:
        assert np.sqrt(np.mean(told[metric])) == pytest.approx(np.std(drawn[metric]), rel=0.3)


def test_columns_drawn_alone_recall_less_than_real_rows_and_copies_are_caught(raw_dir):
    table, codebook = support2(raw_dir, 2_000)
    learned, real = (table.iloc[start::2].reset_index(drop=True) for start in (0, 1))
    drawn = columns_alone(learned)
    of_learned, alone = (values(rows, real, codebook, learned=learned) for rows in (learned, drawn))
    assert of_learned["beta_recall"] == pytest.approx(0.5, abs=0.06)
    assert alone["beta_recall"] < 0.2
    # What balls around the mean cannot see.
    assert alone["alpha_precision"] > 0.9
    assert of_learned["authenticity"] < 0.01 < 0.5 < values(real, real, codebook, learned=learned)["authenticity"]


def test_a_draw_without_any_judged_row_has_no_replicate():
    (real, codebook), (synthetic, _) = normal(100, 1), normal(100, 2)
    weights = np.ones((2, 100), dtype="float32")
    weights[1] = 0
    for score in scores(synthetic, real, codebook, weights=weights).values():
        assert np.isfinite(score.replicates[0]) and np.isnan(score.replicates[1])


def test_another_category_is_farther_than_the_range_of_a_number():
    learned, codebook = described(a=[0, 10], b=["n", "y"])
    fresh, learned = learned.assign(a=0.0, b=learned["b"].to_numpy()[1]), learned.assign(b=learned["b"].to_numpy()[0])
    assert values(fresh, learned, codebook, learned=learned)["authenticity"] == 1
