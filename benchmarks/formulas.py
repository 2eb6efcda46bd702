"""Whose synthetic rows still add up: numbers that follow from other columns, and bands of a number.

    python benchmarks/formulas.py cart forest gaussian_copula med_vae_plus
    python benchmarks/formulas.py forest --where bmi=30..

Fits each generator on simulated patients whose computed columns follow exactly from the measured ones, and prints the
share of synthetic rows in which each still does, and in which all do; the C2ST AUC of XGBoost against fresh patients;
seconds of one processor.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse

import numpy as np
import pandas as pd
from small_tables import made, processor_seconds

from medsynth.codebook import Codebook
from medsynth.commands.conditions import read_conditions
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.detection.compute import DETECTORS, c2st

ROWS, FRESH = 1500, 3000
GROUPS = {"young": 1.5, "middle": 4.0, "old": 9.5}
YOUNG, OLD = 40, 65


def patients(rows, seed):
    """Draw measurements, and what a ward computes from them."""
    rng = np.random.default_rng(seed)
    height, pulse = rng.normal(170, 9, rows).round(), rng.gamma(20, 2.4, rows).round()
    weight, diastolic = np.exp(rng.normal(4.35, 0.2, rows)).round(1), rng.normal(78, 10, rows).round()
    hdl, ldl, fat = rng.gamma(12, 4, rows).round(), rng.normal(120, 25, rows).round(), rng.gamma(6, 20, rows).round()
    items = {f"item{i}": rng.integers(0, 4, rows) for i in (1, 2, 3)}
    failure, age = rng.random(rows) < 0.3, rng.integers(20, 95, rows)
    group = np.array(list(GROUPS))[np.searchsorted([YOUNG, OLD], age, "right")]
    total = hdl + ldl
    return pd.DataFrame(
        {
            **{"height": height, "weight": weight, "bmi": (weight / (height / 100) ** 2).round(1)},
            **{"diastolic": diastolic, "pulse": pulse, "systolic": diastolic + pulse},
            **{"mean": (diastolic + pulse / 3).round()},
            **{"hdl": hdl, "fat": fat, "total": total, "ldl": (total - hdl - fat / 5).round(1)},
            **{name: item.astype(str) for name, item in items.items()},
            "score": sum(items.values()) + 2 * failure,
            "failure": np.where(failure, "yes", "no"),
            "age": age,
            "group": group,
            "risk": (pd.Series(group).map(GROUPS) + hdl / 10).round(1),
        }
    )


def described(table):
    """Codebook of the patients."""
    columns = {}
    for name, values in table.items():
        if values.dtype.kind in "if":
            columns[name] = {"type": "continuous" if (values % 1).any() else "integer"}
        else:
            columns[name] = {"type": "categorical", "categories": sorted(values.unique())}
    facts = {"name": "ward", "title": "Ward", "publisher": "nobody", "licence": "none", "columns": columns}
    return Codebook.model_validate({**facts, "raw": {"file": "ward.csv", "obtain": "draw it"}})


def holds(table):
    """Whether each row has what its formulas and its age group say; a missing number says nothing."""
    n = table.astype({name: "float64" for name in table if name not in ("failure", "group")})
    group = np.array(list(GROUPS))[np.searchsorted([YOUNG, OLD], n["age"], "right")]
    score = n[["item1", "item2", "item3"]].sum(axis=1) + 2 * (table["failure"] == "yes")
    off = {
        "bmi": (n["bmi"] - n["weight"] / (n["height"] / 100) ** 2).abs() > 0.0501,
        "systolic": n["systolic"] - n["diastolic"] - n["pulse"] != 0,
        "mean": (n["mean"] - n["diastolic"] - n["pulse"] / 3).abs() > 0.501,
        "ldl": (n["ldl"] - n["total"] + n["hdl"] + n["fat"] / 5).abs() > 0.0501,
        "score": (n["score"] - score).abs() > 0,
        "risk": (n["risk"] - table["group"].astype(str).map(GROUPS) - n["hdl"] / 10).abs() > 0.0501,
        "group": table["group"].astype(str) != group,
    }
    return ~pd.DataFrame(off)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("generators", nargs="+", help="name, or name:setting=value,...")
    parser.add_argument("--rows", type=int, default=ROWS, help="training rows (default: %(default)s)")
    parser.add_argument("--where", nargs="*", default=[], help="conditions, as of medsynth synthesize")
    asked = parser.parse_args()
    train, fresh = patients(asked.rows, seed=1), patients(FRESH, seed=2)
    codebook = described(train)
    train, fresh = codebook.conform(train), codebook.conform(fresh)
    encoder, conditions = TableEncoder().fit(train), read_conditions(asked.where, codebook)
    print("generator", *holds(train), "all", "C2ST", "seconds", sep="\t")
    for name in asked.generators:
        start = processor_seconds()
        model = made(name).fit(train, codebook, seed=1)
        rows = model.sample(FRESH, seed=1, conditions=conditions or None)
        seconds = processor_seconds() - start
        found = holds(rows)
        shares = [f"{share:.3f}" for share in (*found.mean(), found.all(axis=1).mean())]
        auc = "–"
        if not conditions:
            detected = next(iter(c2st(rows, fresh, encoder, seed=1, detectors={"xgboost": DETECTORS["xgboost"]})))
            auc = f"{detected.value:.3f}"
        print(name, *shares, auc, f"{seconds:.0f}", sep="\t", flush=True)


if __name__ == "__main__":
    main()
