"""How well importances of synthetic-trained forests agree with those of real-trained ones."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd

from medsynth.display.aggregation import at_last_epochs, replicates_of
from medsynth.display.cells import NOTHING, epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of
from medsynth.evaluation.intervals import bounds_of, interval

# Rank correlations take their time.
AGREEMENT_REPLICATES = 50
IMPORTANCE_COLUMNS = {
    "rank_correlation": "Rank correlation",
    "top5_overlap": "Top-5 overlap",
}


@showing_failures("table", ["target"])
def importance_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How well importances of synthetic-trained forests agree with those of real-trained ones.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``importance`` is used, whose column is the predictor.

    Returns
    -------
    DataFrame
        One row per target, generator and epoch count: target, generator, epochs, n_seeds, mean, ``_low`` and ``_high``
        of rank_correlation (Spearman's, over predictors) and top5_overlap (share of the
        real-trained forest's five most important predictors that are among this one's five), and top5, the names of
        the five by mean importance. Each seed is compared with real rows of the same seed; the row ``real``, each
        seed with the next one's, the last with the first's: the upper reference (two seeds are one pair, without
        interval). A forest that learned nothing agrees with nothing: 0.
    """
    importance = scores[(scores["family"] == "importance") & (scores["metric"] == "mean_abs_shap")]
    rows = []
    for target, of_target in importance.groupby("target"):
        real = _by_seed(of_target[of_target["generator"] == "real"])
        for (generator, epochs), group in of_target.groupby(["generator", "epochs"]):
            own = _by_seed(group)
            pairs = [(own[seed], real[seed]) for seed in own if seed in real]
            if generator == "real":
                pairs = [(own[seed], own[following]) for seed, following in _neighbours(list(own))]
            row = {"target": target, "generator": generator, "epochs": epochs, "n_seeds": len(own)}
            for name, agreement in AGREEMENT.items():
                found = interval(*_agreements(agreement, pairs), bounds=bounds_of(name))
                row |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
            mean = pd.concat([one["value"] for one in own.values()], axis=1).mean(axis=1)
            rows.append(row | {"top5": "; ".join(_most_important(mean))})
    columns = [f"{name}{end}" for name in AGREEMENT for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["target", "generator", "epochs", "n_seeds", *columns, "top5"])
    return table.astype(dict.fromkeys(columns, "float64"))


def _by_seed(importance: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """Importances of each seed, one row a predictor, in the order of their names."""
    return {seed: group.set_index("column").sort_index() for seed, group in importance.groupby("seed")}


def _agreements(agreement: Callable, pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[list, list]:
    """How well each pair of importances agrees, and its variance over the explained persons."""
    values, variances = [], []
    for pair in pairs:
        values.append(agreement(*(one["value"] for one in pair)))
        replicates = [[known for known in replicates_of(one) if known is not None] for one in pair]
        if any(len(known) < len(one) for known, one in zip(replicates, pair, strict=True)):
            variances.append(np.nan)
            continue
        tables = [
            pd.DataFrame(np.vstack(known)[:, :AGREEMENT_REPLICATES], index=one.index)
            for known, one in zip(replicates, pair, strict=True)
        ]
        varied = [agreement(tables[0][i], tables[1][i]) for i in tables[0]]
        variances.append(float(np.nanvar(varied, ddof=1)))
    return values, variances


def _neighbours(seeds: list[int]) -> list[tuple[int, int]]:
    """Each seed with the next, the last with the first; of two seeds the one pair."""
    return list(zip(seeds, seeds[1:] + seeds[:1], strict=True)) if len(seeds) > 2 else list(pairwise(seeds))


def _most_important(importance: pd.Series, n: int = 5) -> list[str]:
    """Names of the predictors with the largest importances, of those that have any."""
    return list(importance[importance > 0].sort_values(ascending=False, kind="stable").index[:n])


def rank_correlation(other: pd.Series, real: pd.Series) -> float:
    """Spearman's correlation of importances: 0 for a forest without any, NaN if the real-trained one has none."""
    if real.nunique() < 2:
        return float("nan")
    return float(other.corr(real, method="spearman")) if other.nunique() > 1 else 0.0


def top5_overlap(other: pd.Series, real: pd.Series) -> float:
    """Share of the real-trained forest's five most important predictors among the other's; NaN if it has none."""
    wanted = _most_important(real)
    return len(set(wanted) & set(_most_important(other))) / len(wanted) if wanted else float("nan")


def display_importance(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the importances out, one block a target: real rows, generators at their last epoch count, lower reference.

    Parameters
    ----------
    table : DataFrame
        From `importance_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the target.
    """
    table = at_last_epochs(table)
    rows, blocks = [], []
    for target, block in table.groupby("target", sort=False):
        block = block.set_index("generator")
        for generator in ["real", *in_display_order(block.index, styles), "independent"]:
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": title_of(generator, styles, "importance")}
            row |= {"Epochs": epochs_text(found["epochs"]), "Seeds": str(found["n_seeds"])}
            for metric, column in IMPORTANCE_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row | {"Five most important": found["top5"].replace("; ", ", ") or NOTHING})
            blocks.append(target)
    columns = ["Model", "Epochs", "Seeds", *IMPORTANCE_COLUMNS.values(), "Five most important"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Target"))


AGREEMENT = {"rank_correlation": rank_correlation, "top5_overlap": top5_overlap}
