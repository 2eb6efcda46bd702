"""Measure Anonymeter's risks in an environment of its own; run by `medsynth.scores.privacy.anonymeter`.

    python anonymeter_risks.py FOLDER

FOLDER holds original.parquet (members), synthetic.parquet, control.parquet (nonmembers) and settings.json (secrets,
attacks, seed). Writes risks.json, a list of [risk, what it is about, value, low, high].
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

if TYPE_CHECKING:
    Evaluator: TypeAlias = InferenceEvaluator | LinkabilityEvaluator | SinglingOutEvaluator


def main(folder: Path) -> None:
    """Read the tables, attack, write the risks."""
    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    tables = {
        name: pd.read_parquet(folder / f"{part}.parquet")
        for name, part in {"ori": "original", "syn": "synthetic", "control": "control"}.items()
    }
    found = []
    for risk, about, evaluator, how in evaluators(tables, settings):
        # Anonymeter draws its targets from the global generator.
        np.random.seed(settings["seed"])
        value = evaluator.evaluate(**how).risk(confidence_level=0.95)
        found.append([risk, about, value.value, *value.ci])
    (folder / "risks.json").write_text(json.dumps(found), encoding="utf-8")


def evaluators(
    tables: dict[str, pd.DataFrame], settings: dict[str, Any]
) -> Iterator[tuple[str, dict[str, str], Evaluator, dict[str, Any]]]:
    """Yield each risk with what it is about, what measures it, and how that is called."""
    columns, n = list(tables["ori"].columns), settings["attacks"]
    for mode in ("univariate", "multivariate"):
        evaluator = SinglingOutEvaluator(**tables, n_attacks=n, seed=settings["seed"], max_attempts=100_000)
        yield "singling_out", {"attack": mode}, evaluator, {"mode": mode}
    # The two owners whose records are linked know every other column each.
    linked = LinkabilityEvaluator(**tables, aux_cols=(columns[::2], columns[1::2]), n_attacks=n, n_neighbors=10)
    yield "linkability", {}, linked, {"n_jobs": 1}
    for secret in settings["secrets"]:
        known = [column for column in columns if column != secret]
        number = pd.api.types.is_numeric_dtype(tables["ori"][secret])
        evaluator = InferenceEvaluator(**tables, aux_cols=known, secret=secret, regression=number, n_attacks=n)
        yield "inference", {"column": secret}, evaluator, {"n_jobs": 1}


main(Path(sys.argv[1]))
