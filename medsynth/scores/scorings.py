"""Families that are scored with the synthetic table: those whose folder has a module ``scoring``.

Apart from `medsynth.scores.registry`, so that scores do not rest on how tables and figures are made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from medsynth.evaluation.judged import Judged
from medsynth.evaluation.resampling import Score


def scoring_modules() -> list[str]:
    """Dotted modules, by name of the family."""
    found = sorted(path.parent.name for path in Path(__file__).parent.glob("*/scoring.py"))
    return [f"medsynth.scores.{name}.scoring" for name in found]


def scorings() -> dict[str, Callable[[Judged], Iterable[tuple[str, Score]]]]:
    """Family -> what yields its scores of a table, each with the value of the column ``family``."""
    return {name.split(".")[-2]: importlib.import_module(name).scores for name in scoring_modules()}
