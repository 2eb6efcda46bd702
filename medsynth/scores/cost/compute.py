"""What fitting and sampling cost, and how the cost grows with a table."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook, Column
from medsynth.errors import InputError

STATUS = Path("/proc/self/status")


class Exponent(NamedTuple):
    """Exponent of a power law with its confidence interval; NaN where there are too few points."""

    n: int
    value: float
    low: float
    high: float


def seconds_of(work: Callable[[], Any]) -> tuple[Any, float]:
    """Call a function: what it returns, and the seconds that this process had a core for it.

    What else the machine does leaves little trace in them; of work on one thread they are what an idle core takes.
    """
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def peak_memory(*, programs: bool = False) -> float:
    """Largest resident memory that this process has had so far, in MB (2^20 bytes).

    Parameters
    ----------
    programs : bool, default False
        Instead of it that of the largest of the programs which it ran and waited for; 0 if there was none.
    """
    if STATUS.is_file() and not programs:
        # Unlike what getrusage says on Linux, it does not include what the parent had before this program began; of a
        # fork that runs on without a program of its own, it does.
        (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:  # Windows has none.
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_CHILDREN if programs else resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def exponent(sizes: Sequence[float], costs: Sequence[float], level: float = 0.95) -> Exponent:
    """Fit cost = constant x size^exponent by least squares of the logarithms.

    Parameters
    ----------
    sizes, costs : sequence of float
        Positive.
    level : float, default 0.95
        Of the t interval, which needs three points. Its width says how far from a power law the costs are, as well as
        how noisy.
    """
    from scipy import stats

    n = len(sizes)
    if n < 2 or len(set(sizes)) < 2:
        return Exponent(n, math.nan, math.nan, math.nan)
    line = stats.linregress(np.log(sizes), np.log(costs))
    half = stats.t.ppf((1 + level) / 2, n - 2) * line.stderr if n > 2 else math.nan
    return Exponent(n, float(line.slope), float(line.slope - half), float(line.slope + half))


def predict(sizes: Sequence[float], seconds: Sequence[float], size: float) -> float:
    """Predict the seconds of a larger size from the two largest that were measured; NaN if there is none.

    As a power law through them, of an exponent of at least 1: in small tables what does not grow hides what does.
    """
    known = sorted(zip(sizes, seconds, strict=True))[-2:]
    if not known:
        return math.nan
    slope = exponent([n for n, _ in known], [taken for _, taken in known]).value if len(known) == 2 else 1.0
    return known[-1][1] * (size / known[-1][0]) ** max(slope, 1.0)


def resized(
    table: pd.DataFrame, codebook: Codebook, *, rows: int, columns: int, seed: int
) -> tuple[pd.DataFrame, Codebook]:
    """Make a table of as many rows and columns as wanted of a clean one.

    Rows are drawn at random without replacement. Where more columns are wanted than there are, all of them come again
    under further names, in rows of an order of their own: within such a block columns depend on each other as in the
    table, between blocks not at all.

    Returns
    -------
    DataFrame, Codebook

    Raises
    ------
    InputError
        There are too few rows.
    """
    if rows > len(table):
        raise InputError(
            f"{rows:,} rows of {codebook.name} are asked for and there are {len(table):,} training rows; ask for fewer."
        )
    rng = np.random.default_rng(seed)
    chosen = table.iloc[rng.permutation(len(table))[:rows]]
    blocks = []
    described: dict[str, Column] = {}
    for block in range(math.ceil(columns / len(codebook.columns))):
        names = list(codebook.columns)[: columns - len(described)]
        renamed = {name: f"{name}_{block + 1}" if block else name for name in names}
        order = rng.permutation(rows) if block else np.arange(rows)
        blocks.append(chosen[names].iloc[order].reset_index(drop=True).rename(columns=renamed))
        for name, further in renamed.items():
            column = codebook.columns[name]
            described[further] = Column(type=column.type, categories=column.all_categories, range=column.range)
    return pd.concat(blocks, axis=1), codebook.model_copy(update={"columns": described, "constraints": []})
