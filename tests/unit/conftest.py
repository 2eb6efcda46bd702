"""Scores of a small study, for tests of the tables and figures that are made from them."""

import pytest

from tests.conftest import table_of_scores

STYLES = {
    "tvae": {"title": "TVAE", "colour": "#009e73"},
    "ctgan": {"title": "CTGAN", "colour": "#d55e00"},
    "gaussian_copula": {"title": "Gaussian Copula", "colour": "#e69f00"},
}
NOTE = "simulated cohort"


def scores(*rows):
    """Long table of (generator, epochs, family, metric, what it is about, one value a seed)."""
    long = [
        ("med_vae", "simulated", "laptop", generator, epochs, seed, family, metric, about, value)
        for generator, epochs, family, metric, about, values in rows
        for seed, value in enumerate(values)
    ]
    return table_of_scores(long, ["study", "source", "scale", "generator", "epochs", "seed", "family", "metric"])


def accuracy(generator, epochs, values, model="xgboost", target="age"):
    return (generator, epochs, "utility", "accuracy", {"target": target, "model": model}, values)


def quality(generator, epochs, overall, c2st):
    return [
        (generator, epochs, "fidelity", "quality", {}, overall),
        (generator, epochs, "detection", "c2st_auc", {"model": "xgboost"}, c2st),
    ]


@pytest.fixture
def utility_scores():
    return scores(
        accuracy("real", 0, [0.899, 0.901]),
        accuracy("majority", 0, [0.6, 0.6], "majority"),
        accuracy("independent", 0, [0.6, 0.6]),
        accuracy("tvae", 100, [0.80, 0.82]),
        accuracy("tvae", 200, [0.75, 0.75]),
        accuracy("ctgan", 100, [0.84, 0.86]),
        accuracy("ctgan", 200, [0.77, 0.79]),
        accuracy("gaussian_copula", 0, [0.805]),
        ("tvae", 200, "utility", "roc_auc", {"target": "age", "model": "xgboost"}, [0.7, 0.7]),
        ("real", 0, "utility", "roc_auc", {"target": "age", "model": "xgboost"}, [0.9, 0.9]),
    )


@pytest.fixture
def quality_scores():
    return scores(
        *quality("real", 0, [0.99, 0.99], [0.5, 0.5]),
        *quality("tvae", 100, [0.90, 0.92], [0.80, 0.80]),
        *quality("tvae", 200, [0.93, 0.95], [0.45, 0.45]),
        *quality("ctgan", 100, [0.85, float("nan")], [0.60, 0.60]),
    )


def only(table, **wanted):
    """The one row with the wanted values."""
    for name, value in wanted.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]
