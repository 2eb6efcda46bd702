"""Column types that SDV detects, beside those that the codebook declares.

Generators always get the declared ones; the table shows what trusting the detection would change. The MIMIC-TVAE
paper detected its metadata (SDV 1.x's SingleTableMetadata) on a table of labels and standard scores, where nothing
tells a code from an amount.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.generators.encoded import TableScaler
from medsynth.generators.sdv import TABLE, categories_as_text, sdv_columns
from medsynth.randomness import derive_seed

PLAIN, ENCODED = "training rows", "training rows, label-encoded and scaled"

MEANINGS = {
    (
        "numerical",
        "ordinal",
    ): "few whole numbers taken for ordered categories: only those of the training rows can be sampled",
    ("numerical", "categorical"): "numbers taken for categories: their order and distances are not known",
    (
        "categorical",
        "numerical",
    ): "codes taken for amounts: values between two codes, which mean nothing, can be sampled",
    ("categorical", "ordinal"): "codes taken for ordered categories: neighbouring codes count as alike",
    ("ordinal", "categorical"): "the order of the categories is not known",
    ("ordinal", "numerical"): "categories taken for amounts: values between two categories can be sampled",
}
# Whatever was declared.
MEANINGS_DETECTED = {
    "id": "taken for an identifier: fresh ones are made up, and what the column shows is lost",
    "datetime": "text that reads like dates: any date between them can be sampled",
    "boolean": "two values taken for true and false",
}
PERSONAL = "the column's name reads like personal data: values are made up, and what the column shows is lost"


def detected_sdtypes(table: pd.DataFrame) -> dict[str, str]:
    """Let SDV 2.0 detect the sdtype of every column of a table (numbers and text): column -> sdtype."""
    from sdv.metadata import Metadata

    # Of more than 10,000 rows SDV looks at a draw by numpy's global generator.
    np.random.seed(derive_seed("detect metadata"))
    detected = Metadata.detect_from_dataframes({TABLE: table}).to_dict()["tables"][TABLE]["columns"]
    return {name: detected[name]["sdtype"] for name in table.columns}


def compare_metadata(train: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """Compare the sdtypes that SDV detects with those that generators get.

    Parameters
    ----------
    train : DataFrame
        Complete training rows.
    codebook : Codebook
        Describes them.

    Returns
    -------
    DataFrame
        One row a column and way of preparing the table (`PLAIN`; `ENCODED`, as `medsynth.generators.encoded` does):
        table, column, type (in the codebook), declared, detected (sdtypes), differs ("yes", "no"), meaning (of
        trusting the detection; empty where nothing differs).
    """
    numbers = TableScaler().fit(train).transform(train)
    told = sdv_columns(codebook)
    rows = []
    for title, table in {PLAIN: categories_as_text(train), ENCODED: numbers}.items():
        for name, detected in detected_sdtypes(table).items():
            declared, kind = told[name]["sdtype"], codebook.columns[name].type
            rows.append(
                {
                    "table": title,
                    "column": name,
                    "type": kind,
                    "declared": declared,
                    "detected": detected,
                    "differs": "no" if detected == declared else "yes",
                    "meaning": meaning(kind, declared, detected),
                }
            )
    return pd.DataFrame(rows)


def meaning(kind: str, declared: str, detected: str) -> str:
    """Say what a generator would make of a column of this type if it were told the detected sdtype."""
    if declared == detected:
        return ""
    if (kind, detected) == ("binary", "ordinal"):
        return "none: two categories have no order to mistake"
    return MEANINGS.get((declared, detected)) or MEANINGS_DETECTED.get(detected, PERSONAL)
