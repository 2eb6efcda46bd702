"""What tests share: small tables, codebooks, and the folder of real raw tables where there is one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import ABOUT, COUNTED, About

ROOT = Path(__file__).resolve().parent.parent
# Scripts are no package: Snakemake finds what they share the same way.
sys.path.insert(0, str(ROOT / "scripts"))


def pytest_xdist_make_scheduler(config, log):
    """Let one worker run a file, and one all that read the smoke run, which each worker would else make for itself."""
    # Marks for xdist's own groups would do, but pytest 9.2 loses what xdist 3.8 adds to the names of tests.
    from xdist.scheduler import LoadFileScheduling

    reads_smoke = re.compile(r"^def \w+\((.*, )?(smoke|report)\b", flags=re.MULTILINE)
    together = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tests/workflow").glob("test_*.py")
        if reads_smoke.search(path.read_text(encoding="utf-8"))
    }

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = super()._split_scope(nodeid)
            return "smoke" if path in together else path

    return Scheduling(config, log)


def table_of_scores(rows, columns=("generator", "epochs", "seed", "family", "metric")) -> pd.DataFrame:
    """Long table of scores from rows of these columns, a dict of what the score is about, and the value."""
    table = pd.DataFrame(rows, columns=[*columns, "about", "value"])
    about = pd.DataFrame([About(**one) for one in table.pop("about")], columns=ABOUT)
    return table.join(about.astype(dict.fromkeys(COUNTED, "Int64")))


def by_about(scores) -> dict:
    """Index the values of scores by metric and what they are about, without what is empty."""
    found = {}
    for score in scores:
        about = [word for word in score.about if word not in ("", None)]
        found[(score.metric, *about) if about else score.metric] = score.value
    return found


@pytest.fixture
def raw_dir() -> Path:
    """Folder of the real raw tables (environment variable MEDSYNTH_RAW_DIR)."""
    folder = os.environ.get("MEDSYNTH_RAW_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no real tables here: set MEDSYNTH_RAW_DIR to the folder that holds <dataset>/<file>")
    return Path(folder)


def stand_ins(raw_dir: Path) -> Path:
    """Write an empty file for every raw file that a study takes by default: plans ask whether it is there."""
    for path in (ROOT / "config/studies").glob("*.yaml"):
        study = yaml.safe_load(path.read_text(encoding="utf-8"))
        if study.get("source") == "file":
            dataset = Codebook.from_yaml(ROOT / f"config/datasets/{study['dataset']}.yaml")
            for file in dataset.raw.files:
                (raw_dir / dataset.name / file).parent.mkdir(parents=True, exist_ok=True)
                (raw_dir / dataset.name / file).touch()
    return raw_dir


CODEBOOK = {
    "name": "ward",
    "title": "Ward",
    "publisher": "nobody",
    "licence": "none",
    "raw": {"file": "ward.csv", "obtain": "make it up"},
    "person": "patient",
    "columns": {
        "patient": {"raw": "PATIENT", "type": "identifier"},
        "age": {"raw": "AGE", "type": "integer", "unit": "years", "range": [0, 120]},
        "sex": {"raw": "SEX", "type": "binary", "codes": {1: "female", 2: "male"}},
        "admitted": {"raw": "ADMITTED", "type": "binary", "codes": {0: "no", 1: "yes"}},
        "icu": {
            "raw": "ICU",
            "type": "categorical",
            "codes": {2: "no", 1: "yes"},
            "missing": [99],
            "not_applicable": {"codes": [97], "category": "not applicable", "when": {"admitted": "no"}},
        },
        "stage": {"raw": "STAGE", "type": "ordinal", "categories": ["I", "II", "III"], "missing": ["?"]},
        "crp": {"raw": "CRP", "type": "continuous", "unit": "mg/L", "range": [0, 500]},
    },
}


@pytest.fixture
def codebook() -> Codebook:
    """Codebook of the ward table."""
    return Codebook.model_validate(CODEBOOK)


def ward(n: int, seed: int = 0) -> pd.DataFrame:
    """Draw a raw ward table: text, two admissions a patient, codes for missing and "not applicable"."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 100, n)
    admitted = (rng.random(n) < age / 150).astype(int)
    icu = np.where(admitted == 0, 97, rng.choice([1, 2, 99], n, p=[0.3, 0.6, 0.1]))
    crp = np.round(rng.gamma(2, 10 + 30 * admitted), 1).astype(str)
    crp[rng.random(n) < 0.1] = ""
    raw = {
        "patient": np.arange(n) // 2,
        "age": age,
        "sex": rng.integers(1, 3, n),
        "admitted": admitted,
        "icu": icu,
        "stage": rng.choice(["I", "II", "III", "?"], n, p=[0.4, 0.3, 0.2, 0.1]),
        "crp": crp,
    }
    return pd.DataFrame(raw).astype(str)


@pytest.fixture
def raw() -> pd.DataFrame:
    """Raw ward table of 400 rows."""
    return ward(400)


@pytest.fixture
def partitions(raw, codebook):
    """Train and test of the ward table, imputed, and the codebook that describes them."""
    from medsynth.preparation.cleaning import clean
    from medsynth.preparation.imputation import make_imputer
    from medsynth.preparation.partitions import split

    table, _ = clean(raw, codebook)
    parts = split(table, codebook, test_share=0.25, seed=1)
    imputer = make_imputer("simple").fit(parts["train"], codebook.resolved(parts["train"]))
    return imputer.transform(parts["train"]), imputer.transform(parts["test"]), imputer.codebook_
