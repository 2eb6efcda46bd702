"""Table 1: classifiers trained on synthetic rows, tested on real ones."""

from __future__ import annotations

from math import inf

import numpy as np
import pandas as pd

from medsynth.display.aggregation import GAINS, at_last_epochs, gain, tabulated
from medsynth.display.cells import NOTHING, epochs_text, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import CLASSIFIER_TITLES, Styles, classifier_title, in_display_order, title_of
from medsynth.evaluation.intervals import Interval, Ratio

COMPARISONS = {"utility": "equal_information", "utility_protocol": "paper_protocol"}
UTILITY_COLUMNS = {
    "accuracy": "Accuracy (95% CI)",
    "normalised_accuracy_gain": "Normalised accuracy gain",
    "balanced_accuracy": "Balanced accuracy",
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "brier_score": "Brier score",
    "calibration_slope": "Calibration slope",
}
COMPARISON_TITLES = {"equal_information": "equal information", "paper_protocol": "the paper's protocol"}


@showing_failures("table", ["comparison", "target", "classifier", "metric"])
def utility_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Utility of each generator in two comparisons, and which part of the real rows' gain it reaches.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; families ``utility`` and ``utility_protocol`` are used, whose model is
        the classifier.

    Returns
    -------
    DataFrame
        Columns generator, epochs, n_seeds (seeds that have a value), comparison (``equal_information`` or
        ``paper_protocol``), target, classifier, metric, mean, ci_low, ci_high, remark, sorted by all but the numbers.
        Beside the metrics of the scores, at equal information alone:

        - ``normalised_accuracy_gain``: (accuracy - majority) / (real - majority)
        - ``normalised_auc_gain``: (ROC AUC - 0.5) / (real - 0.5)

        with Fieller's interval. Where the real rows' gain is not clearly above 0 they are withheld, and `remark` says
        what it is. Real rows reach 1 by definition; the row ``majority`` has no gain.
    """
    utility = utility_scores(scores)
    keys = ["generator", "epochs", "comparison", "target", "classifier", "metric"]
    table = pd.concat([tabulated(utility, keys), _gains(utility, keys)], ignore_index=True)
    table = table.fillna({"remark": ""}).sort_values(keys, kind="stable", ignore_index=True)
    table.insert(2, "n_seeds", table.pop("n_seeds"))
    return table


def utility_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of the families of utility, with the comparison; the model is called classifier."""
    utility = scores[scores["family"].isin(COMPARISONS)].rename(columns={"model": "classifier"})
    return utility.assign(comparison=utility["family"].map(COMPARISONS))


def gain_of(utility: pd.DataFrame, own: pd.DataFrame, metric: str) -> tuple[Ratio, Interval]:
    """Normalised gain of one generator's scores of one target and classifier, and the gain of real rows.

    Parameters
    ----------
    utility : DataFrame
        All scores of utility, from `utility_scores`. Those of the comparison of `own` count.
    own : DataFrame
        One row a seed, of one comparison.
    metric : str
        Of `GAINS`.
    """
    comparison, target, classifier = own[["comparison", "target", "classifier"]].iloc[0]
    same = utility[utility["comparison"] == comparison]
    same = same[(same["metric"] == metric) & (same["target"] == target)]
    real = same[(same["generator"] == "real") & (same["classifier"] == classifier)]
    floor = same[same["generator"] == "majority"] if metric == "accuracy" else 0.5
    return gain(own, real, floor)


def gain_in_words(of_real: Interval) -> str:
    """Say what real rows gain, where that is why a normalised gain is withheld."""
    return f"real rows gain {of_real.mean:.3f} ({of_real.low:.3f}, {of_real.high:.3f})"


def _gains(utility: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Normalised gains at equal information."""
    equal = utility[(utility["comparison"] == "equal_information") & (utility["generator"] != "majority")]
    rows = []
    for key, own in equal[equal["metric"].isin(GAINS)].groupby(keys):
        metric = key[-1]
        found, of_real = gain_of(utility, own, metric)
        if own["generator"].iloc[0] == "real" and not np.isnan(found.value):
            found = Ratio(1.0, np.nan, np.nan)
        remark = ""
        if np.isnan(found.value) and of_real.n:
            over = "the majority class" if metric == "accuracy" else "0.5"
            remark = f"withheld: {gain_in_words(of_real)} over {over}"
        rows.append((*key[:-1], GAINS[metric], int(own["value"].notna().sum()), *found, remark))
    return pd.DataFrame(rows, columns=[*keys, "n_seeds", "mean", "ci_low", "ci_high", "remark"])


def display_utility(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the utility table out as the Med-VAE paper's Table 1.

    Parameters
    ----------
    table : DataFrame
        From `utility_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. One block per target, classifier and comparison, named by the index: real rows first, then the generators
        ranked by mean accuracy, then the other references. Cells are ``mean (low, high)``. The paper's protocol has no
        block where it has no fewer rows than there are training rows: it is the same comparison then.
    """
    table = at_last_epochs(table)
    rows, blocks = [], []
    majority = table[table["generator"] == "majority"]
    judged = table[table["generator"] != "majority"]
    keys = judged[["target", "classifier", "comparison"]].drop_duplicates().itertuples(index=False, name=None)
    shown: dict[tuple[str, str], pd.Series] = {}
    for target, classifier, comparison in sorted(keys, key=_block_order):
        block = judged[(judged["target"] == target) & (judged["classifier"] == classifier)]
        block = pd.concat([block, majority[majority["target"] == target]])
        block = block[block["comparison"] == comparison]
        means = block[~block["metric"].str.startswith("normalised")].set_index(["generator", "metric"])["mean"]
        if comparison == "paper_protocol" and means.equals(shown.get((target, classifier))):
            continue
        shown[target, classifier] = means
        for generator, title in _ranked(block, styles):
            rows.append(_utility_row(block[block["generator"] == generator], title))
            blocks.append(f"{target}, {classifier_title(classifier)}, {COMPARISON_TITLES[comparison]}")
    columns = ["Model", "Epochs", "Seeds", *UTILITY_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Target, classifier and comparison"))


def _block_order(block: tuple[str, str, str]) -> tuple[str, int, str, str]:
    """Targets by name, classifiers as they are known, XGBoost first as in the paper, equal information first."""
    target, classifier, comparison = block
    known = list(CLASSIFIER_TITLES)
    return target, known.index(classifier) if classifier in known else len(known), classifier, comparison


def _ranked(block: pd.DataFrame, styles: Styles) -> list[tuple[str, str]]:
    """Names and titles of a block's rows, in order; generators are numbered by mean accuracy."""
    accuracy = block[block["metric"] == "accuracy"].set_index("generator")["mean"]
    present = set(block["generator"])
    # The sort is stable, so that equals keep the order of display; those without accuracy come last, unnumbered.
    ranked = sorted(in_display_order(present, styles), key=lambda name: -accuracy.fillna(-inf).get(name, -inf))
    scored = [name for name in ranked if pd.notna(accuracy.get(name))]
    rows = [("real", title_of("real", styles))] if "real" in present else []
    rows += [(name, f"{rank}. {title_of(name, styles)}") for rank, name in enumerate(scored, start=1)]
    rows += [(name, title_of(name, styles)) for name in ranked if name not in scored]
    return rows + [(n, title_of(n, styles)) for n in ("holdout", "independent", "majority") if n in present]


def _utility_row(scores: pd.DataFrame, title: str) -> dict[str, str]:
    """One generator's row of a block."""
    by_metric = scores.set_index("metric")
    row = {"Model": title, "Epochs": epochs_text(scores["epochs"].iloc[0]), "Seeds": str(scores["n_seeds"].max())}
    for metric, column in UTILITY_COLUMNS.items():
        found = metric in by_metric.index
        row[column] = interval_text(*by_metric.loc[metric, ["mean", "ci_low", "ci_high"]]) if found else NOTHING
        if found and str(by_metric.loc[metric, "remark"]).startswith("withheld"):
            row[column] = "withheld"
    return row
