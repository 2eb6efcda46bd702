"""The codebook of a clinical table: what each column is, how it is coded, what is missing and what is valid.

A codebook is read from YAML (``config/datasets/*.yaml``). It says how a raw table becomes a clean one, and
after cleaning (`Codebook.resolved`) it describes the clean table's columns, which is what generators and
scores need.
"""

from medsynth.codebook.columns import (
    CODED,
    GAP_CATEGORY,
    MAX_DECIMALS,
    NUMERIC,
    Column,
    ColumnType,
    NotApplicable,
    Notation,
    RareCategories,
    Strict,
)
from medsynth.codebook.constraints import Constraint
from medsynth.codebook.model import Codebook
from medsynth.codebook.raw import Joined, RawFile, RawFormat, Restored, RowRule
from medsynth.codebook.values import category_name, decimals_of

__all__ = [
    "CODED",
    "GAP_CATEGORY",
    "MAX_DECIMALS",
    "NUMERIC",
    "Codebook",
    "Column",
    "ColumnType",
    "Constraint",
    "Joined",
    "NotApplicable",
    "Notation",
    "RareCategories",
    "RawFile",
    "RawFormat",
    "Restored",
    "RowRule",
    "Strict",
    "category_name",
    "decimals_of",
]
