"""Scores treat a gap as a value."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import Persons
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.compute import DETECTORS, c2st
from medsynth.scores.fidelity.compute import common_bin_pair_trends, moments, quality
from medsynth.scores.fidelity.plot_data import associations, correlation_ratios, distributions
from medsynth.scores.inference.compute import fit_logistic
from medsynth.scores.precision_recall.compute import precision_recall
from medsynth.scores.precision_recall.marginals import three_way_marginals
from medsynth.scores.privacy.attributes import attribute_inference
from medsynth.scores.privacy.copies import copies
from medsynth.scores.privacy.distances import closest


@pytest.fixture(scope="module")
def codebook():
    columns = {
        "age": {"type": "integer", "range": [20, 95]},
        "bilirubin": {"type": "continuous", "range": [0, 50], "gaps": True},
        "sex": {"type": "categorical", "categories": ["f", "m", "missing"]},
    }
    facts = {"name": "clinic", "title": "Clinic", "publisher": "nobody", "licence": "none"}
    return Codebook.model_validate({**facts, "raw": {"file": "c.csv", "obtain": "made here"}, "columns": columns})


def made(codebook, seed, share=0.4, n=400):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": rng.integers(20, 95, n),
            "bilirubin": np.where(rng.random(n) < share, np.nan, np.round(rng.gamma(2, 1, n), 1)),
            "sex": rng.choice(["f", "m", "missing"], n),
        }
    )
    return codebook.conform(table)


@pytest.fixture(scope="module")
def real(codebook):
    return made(codebook, 0)


@pytest.fixture(scope="module")
def alike(codebook):
    return made(codebook, 1)


@pytest.fixture(scope="module")
def without_gaps(codebook):
    return made(codebook, 1, share=0.0)


def of(scores, metric):
    return next(score for score in scores if score.metric == metric)


def test_quality_falls_where_gaps_are_filled(codebook, real, alike, without_gaps):
    good, bad = (of(quality(table, real, codebook), "column_shapes").value for table in (alike, without_gaps))
    # One of four columns, whether there is a number, has a wrong share by 0.4.
    assert good - bad == pytest.approx(0.4 / 4, abs=0.03)


def test_every_score_of_quality_has_replicates(codebook, real, alike):
    persons = Persons.draw(np.arange(len(real)), seed=0)
    for score in quality(alike, real, codebook, persons):
        if score.metric in ("quality", "column_shapes", "pair_trends"):
            assert np.isfinite(score.replicates).all()


def test_replicates_of_a_shape_are_those_of_its_numbers(codebook, real, alike):
    persons = Persons.draw(np.arange(len(real)), seed=0)
    found = [s for s in quality(alike, real, codebook, persons) if s.about.column == "bilirubin"]
    known = real["bilirubin"].notna().to_numpy()
    part = persons.take(np.flatnonzero(known))
    alone = quality(alike, real[known].reset_index(drop=True), codebook, part)
    of_numbers = [s for s in alone if s.about.column == "bilirubin"]
    assert found[0].variance == pytest.approx(of_numbers[0].variance, rel=0.05)


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_detector_sees_filled_gaps(codebook, real, without_gaps, detector):
    encoder, chosen = TableEncoder().fit(real), {detector: DETECTORS[detector]}
    filled = of(c2st(without_gaps, real, encoder, seed=0, detectors=chosen), "c2st_auc").value
    same = of(c2st(made(codebook, 2), real, encoder, seed=0, detectors=chosen), "c2st_auc").value
    assert same < 0.58 < 0.62 < filled


def test_rows_that_equal_each_other_with_their_gaps_are_duplicates(codebook, real):
    once = real.drop_duplicates().head(100)
    twice = pd.concat([once, once], ignore_index=True)
    found = c2st(twice, real.tail(200).reset_index(drop=True), TableEncoder().fit(real), seed=0)
    assert of(found, "duplicates").value == pytest.approx(0.5)


def test_a_gap_is_one_column_away_from_a_number_and_none_from_a_gap(codebook):
    rows = codebook.conform(pd.DataFrame({"age": [50, 50], "bilirubin": [np.nan, 1.0], "sex": ["f", "f"]}))
    gap, number = rows.iloc[[0]], rows.iloc[[1]]
    assert closest(gap, gap, rows, codebook) == 0
    assert closest(gap, number, rows, codebook) == 1
    assert closest(number, gap, rows, codebook) == 1


def test_copies_with_gaps_are_found(codebook, real, alike):
    assert of(copies(real, real, alike, codebook), "copies_member").value == 1


def test_moments_are_those_of_the_numbers_that_are_there(codebook, real, alike):
    persons = Persons.draw(np.arange(len(real)), seed=0)
    found = [s for s in moments(alike, real, codebook, persons) if s.about.column == "bilirubin"]
    assert of(found, "mean").value == alike["bilirubin"].mean()
    assert np.isfinite(of(found, "kurtosis_real").replicates).all()


def test_associations_are_of_rows_that_have_both(codebook, real):
    matrix = associations(real, codebook)
    known = real.dropna()
    assert matrix.loc["age", "bilirubin"] == pytest.approx(known["age"].corr(known["bilirubin"]))
    ratio = correlation_ratios(known["sex"].cat.codes, known[["bilirubin"]])["bilirubin"]
    assert matrix.loc["sex", "bilirubin"] == pytest.approx(ratio)


def test_distributions_leave_gaps_out(codebook, real, without_gaps):
    found = distributions({"real": real, "synthetic": without_gaps}, codebook, edges_from="real")["bilirubin"]
    for key in ("real", "synthetic"):
        assert np.sum(np.array(found[key]) * np.diff(found["edges"])) == pytest.approx(1)


@pytest.mark.parametrize("metric", ["alpha_precision", "beta_recall", "three_way_marginals", "common_bin_pair_trends"])
def test_filled_gaps_cost(codebook, real, alike, without_gaps, metric):
    def score(table):
        found = [*precision_recall(table, real, codebook, seed=0), *three_way_marginals(table, real, codebook, seed=0)]
        return of([*found, *common_bin_pair_trends(table, linked(real), codebook)], metric).value

    def linked(table):
        # Pairs count that are associated: gaps go with a category here.
        return table.assign(sex=table["sex"].mask(table["bilirubin"].isna(), "missing"))

    if metric == "common_bin_pair_trends":
        assert score(linked(alike)) > score(without_gaps) + 0.1
    else:
        assert score(alike) > score(without_gaps) + 0.05


def test_a_gap_is_a_class_of_its_own_to_attribute_inference(codebook, real, alike):
    gap = real["bilirubin"].isna()
    told = real.assign(sex=real["sex"].mask(gap, "m").mask(~gap, "f"), bilirubin=real["bilirubin"].mask(~gap, 1.0))
    found = attribute_inference(told, told, told, alike, ["bilirubin"], seed=0)
    assert of(found, "attribute_members").value == 1


def test_a_logistic_model_leaves_rows_with_a_gap_out(real):
    x = np.column_stack([np.ones(len(real)), real["bilirubin"].to_numpy()])
    y = (real["age"] > 60).to_numpy()
    known = real["bilirubin"].notna().to_numpy()
    np.testing.assert_array_equal(fit_logistic(x, y).estimates, fit_logistic(x[known], y[known]).estimates)


def test_associations_of_few_rows_are_not_told(codebook, real):
    known = real[real["bilirubin"].notna()].head(5).index
    few = real.assign(bilirubin=real["bilirubin"].where(real.index.isin(known)))
    matrix = associations(few, codebook)
    assert matrix.loc["bilirubin", ["age", "sex"]].tolist() == [0, 0]
