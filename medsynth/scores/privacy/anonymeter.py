"""Anonymeter's three risks, measured by the package in an environment of its own, since it needs an older numpy.

Giomi et al. 2023, "A Unified Framework for Quantifying Privacy Risk in Synthetic Data": singling out, linkability and
inference, as the European data protection authorities ask (Article 29 Working Party, Opinion 05/2014).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from scipy import stats

from medsynth.codebook import CODED, Codebook
from medsynth.errors import InputError
from medsynth.evaluation.resampling import REPLICATES, Score
from medsynth.randomness import derive_seed
from medsynth.scores.privacy.parts import Parts

# See `medsynth.plan.closure`.
PROGRAMS = "scripts/anonymeter_risks.py"
SCRIPT = Path(__file__).parents[3] / PROGRAMS
# Anonymeter's own default.
ATTACKS = 500


def anonymeter_risks(
    python: str | Path, released: pd.DataFrame, parts: Parts, codebook: Codebook, secrets: Sequence[str], *, seed: int
) -> Iterator[Score]:
    """Measure singling-out, linkability and inference risks.

    Parameters
    ----------
    python : str or Path
        Interpreter of an environment that has the package ``anonymeter``.
    released : DataFrame
    parts : Parts
        Anonymeter's original rows are the members, its control the nonmembers.
    codebook : Codebook
    secrets : sequence of str
        Columns that inference asks for.
    seed : int

    Yields
    ------
    Score
        ``anonymeter_singling_out`` (attacks ``univariate`` and ``multivariate``), ``anonymeter_linkability`` (of every
        other column with the rest), ``anonymeter_inference`` (by column; ``mean`` for the mean of all): how often the
        attack succeeds on members beyond its success on nonmembers, as a share of what was left to gain. Replicates are
        normal, of the width of Anonymeter's own 95 % interval over its attacks.

    Raises
    ------
    InputError
        Anonymeter failed.
    """
    tables = {"original": parts.members, "synthetic": released, "control": parts.nonmembers}
    with TemporaryDirectory() as name:
        folder = Path(name)
        for part, table in tables.items():
            # A gap is a value, below all others.
            lowest = {n: parts.members[n].min() - 1 for n in table if codebook.columns[n].may_be_missing}
            # Categories as text: another pandas reads them.
            table.fillna(lowest).astype(dict.fromkeys(codebook.named(*CODED), str)).to_parquet(
                folder / f"{part}.parquet", index=False
            )
        settings = {"secrets": list(secrets), "attacks": min(ATTACKS, len(parts.members)), "seed": seed}
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        done = subprocess.run(
            [python, SCRIPT, folder], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": "", "POLARS_MAX_THREADS": "1", "NUMBA_NUM_THREADS": "1"},
        )  # fmt: skip
        if done.returncode:
            raise InputError(f"Anonymeter failed: {' '.join(done.stderr.split())[-300:]}")
        risks = json.loads((folder / "risks.json").read_text(encoding="utf-8"))
    found = [_score(*risk, seed=seed) for risk in risks]
    yield from found
    of_columns = [score for score in found if score.metric == "anonymeter_inference"]
    mean = np.mean([score.value for score in of_columns])
    replicates = [score.replicates for score in of_columns if score.replicates is not None]
    score = Score("anonymeter_inference", float(mean), np.mean(replicates, axis=0))
    yield score.of(column="mean")


def _score(risk: str, about: dict[str, str], value: float, low: float, high: float, *, seed: int) -> Score:
    """Risk with replicates that have the width of its interval."""
    deviations = np.random.default_rng(derive_seed(seed, risk, *(about.values() or [""]))).normal(size=REPLICATES)
    width = 2 * stats.norm.ppf(0.975)
    return Score(f"anonymeter_{risk}", float(value), value + deviations * (high - low) / width).of(**about)
