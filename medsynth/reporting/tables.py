"""Tables of numbers, made from the long table of scores alone.

How they are laid out for reading is `medsynth.reporting.display`, how they are written `medsynth.reporting.export`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats

from medsynth.evaluation.intervals import Interval, Ratio, bounds_of, interval
from medsynth.reporting.aggregation import GAINS, gain, measured, replicates_of, tabulated
from medsynth.reporting.failures import showing_failures

CONDITIONAL = ("success", "quality", "common_bin_pair_trends", "c2st_auc")
PRECISION_RECALL = ("alpha_precision", "beta_recall", "authenticity", "three_way_marginals")
MOMENTS = ("mean", "std", "kurtosis", "skewness")

# Column of the quality table -> family, metric and (where several things share a metric) detail of the score.
QUALITY = {
    "overall": ("fidelity", "quality", None),
    "column_shapes": ("fidelity", "column_shapes", None),
    "pair_trends": ("fidelity", "pair_trends", None),
    "common_bin_pair_trends": ("fidelity", "common_bin_pair_trends", None),
    "diagnostic": ("fidelity", "diagnostic", None),
    "c2st_auc": ("detection", "c2st_auc", "xgboost"),
    "c2st_auc_logistic": ("detection", "c2st_auc", "logistic_regression"),
    "duplicates": ("detection", "duplicates", None),
}
# Column of the quality table -> detector.
DETECTED = {"c2st_auc": "xgboost", "c2st_auc_logistic": "logistic_regression"}


def at_epochs(scores: pd.DataFrame, epochs: int | None) -> pd.DataFrame:
    """Rows of generators without epochs and, where they have it, of one epoch count; all for None.

    Each generator is then shown at that epoch count, or at its largest.
    """
    reached = scores.groupby("generator")["epochs"].transform(lambda counts: (counts == epochs).any())
    return scores[~reached | (scores["epochs"] == epochs)]


@showing_failures("table", ["comparison", "target", "classifier", "metric"])
def utility_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Utility of each generator in two comparisons, and which part of the real rows' gain it reaches.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; families ``utility`` and ``utility_protocol`` are used, whose detail is
        ``classifier:target``.

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


# Rank correlations take their time.
AGREEMENT_REPLICATES = 50
COMPARISONS = {"utility": "equal_information", "utility_protocol": "paper_protocol"}


def utility_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of the families of utility, with comparison, classifier and target in columns of their own."""
    utility = scores[scores["family"].isin(COMPARISONS)].drop(columns=["classifier", "target"], errors="ignore")
    parts = utility["detail"].astype(str).str.extract("^(?P<classifier>[^:]*):(?P<target>.*)$")
    return utility.assign(comparison=utility["family"].map(COMPARISONS)).join(parts)


def gain_of(utility: pd.DataFrame, own: pd.DataFrame, metric: str) -> tuple[Ratio, Interval]:
    """Normalised gain of one generator's scores of one target and classifier, and the gain of real rows.

    Parameters
    ----------
    utility : DataFrame
        All scores of the family ``utility``, with classifier and target in columns of their own.
    own : DataFrame
        One row a seed.
    metric : str
        Of `GAINS`.
    """
    target, classifier = own[["target", "classifier"]].iloc[0]
    same = utility[(utility["metric"] == metric) & (utility["target"] == target)]
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


@showing_failures("table")
def quality_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Quality of each generator at each epoch count (Med-VAE paper, Table 2), with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; families ``fidelity`` and ``detection`` are used.

    Returns
    -------
    DataFrame
        One row per generator and epoch count: generator, epochs, n_seeds (seeds that have a value), and mean,
        ``_low`` and ``_high`` of the columns of `QUALITY`; of each detector also its score 1 - \\|2 AUC - 1\\|
        (``_score``), as public benchmarks print it, and the p-value of `detection_p_value` (``_p``).
    """
    rows = []
    judged = scores[scores["family"].isin(["fidelity", "detection"])]
    null = judged[judged["metric"] == "c2st_null"]
    for (generator, epochs), group in judged.groupby(["generator", "epochs"]):
        own = {
            name: group[
                (group["family"] == family)
                & (group["metric"] == metric)
                & ((group["detail"] == detail) if detail else True)
            ]
            for name, (family, metric, detail) in QUALITY.items()
        }
        n_seeds = max(int(found["value"].notna().sum()) for found in own.values())
        row = {"generator": generator, "epochs": epochs, "n_seeds": n_seeds} | measured(own)
        for name, detector in DETECTED.items():
            row[f"{name}_score"] = 1 - abs(2 * row[name] - 1)
            row[f"{name}_p"] = detection_p_value(row[name], null[null["detail"].str.startswith(f"{detector}:")])
        rows.append(row)
    columns = [f"{name}{end}" for name in QUALITY for end in ("", "_low", "_high")]
    columns += [f"{name}{end}" for name in DETECTED for end in ("_score", "_p")]
    table = pd.DataFrame(rows, columns=["generator", "epochs", "n_seeds", *columns])
    # Also where nothing was scored, so that there are numbers to compare.
    return table.astype(dict.fromkeys(columns, "float64"))


def detection_p_value(auc: float, null: pd.DataFrame) -> float:
    """One-sided p-value of a detector's AUC: would real rows be told from real rows as well?

    Parameters
    ----------
    auc : float
        Mean over seeds, which is taken for one draw: all seeds are judged against the same real rows.
    null : DataFrame
        The detector's AUCs of real rows against real rows, as many a side.

    Returns
    -------
    float
        By Student's t of a new draw, from the mean and the standard deviation of the null; NaN without two draws.
    """
    values = null["value"].dropna()
    if len(values) < 2 or np.isnan(auc) or not values.std() > 0:
        return np.nan
    distance = (auc - values.mean()) / (values.std() * np.sqrt(1 + 1 / len(values)))
    return float(stats.t.sf(distance, len(values) - 1))


@showing_failures("table")
def precision_recall_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Alpha-precision, beta-recall, authenticity and three-way marginals (docs/metrics.md), with intervals.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``fidelity``.

    Returns
    -------
    DataFrame
        One row per generator and epoch count: generator, epochs, n_seeds, and mean, ``_low`` and ``_high`` of the
        scores of `PRECISION_RECALL`.
    """
    rows = []
    judged = scores[(scores["family"] == "fidelity") & scores["metric"].isin(PRECISION_RECALL)]
    for (generator, epochs), group in judged.groupby(["generator", "epochs"]):
        own = {metric: group[group["metric"] == metric] for metric in PRECISION_RECALL}
        n_seeds = max(int(found["value"].notna().sum()) for found in own.values())
        rows.append({"generator": generator, "epochs": epochs, "n_seeds": n_seeds} | measured(own))
    columns = [f"{name}{end}" for name in PRECISION_RECALL for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["generator", "epochs", "n_seeds", *columns])
    return table.astype(dict.fromkeys(columns, "float64"))


@showing_failures("table", ["rows"])
def detection_table(scores: pd.DataFrame) -> pd.DataFrame:
    """What detectors say at several numbers of rows: a detector with 300 rows and one with 10,000 differ.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``detection``.

    Returns
    -------
    DataFrame
        One row per generator, epoch count and number of rows a side: generator, epochs, n_seeds, rows, and c2st_auc
        with its interval, of XGBoost.
    """
    curve = scores[(scores["family"] == "detection") & (scores["metric"] == "c2st_auc_by_rows")]
    table = tabulated(curve.assign(rows=curve["detail"].astype(int)), ["generator", "epochs", "rows"])
    table = table.rename(columns={"mean": "c2st_auc", "ci_low": "c2st_auc_low", "ci_high": "c2st_auc_high"})
    return table[["generator", "epochs", "n_seeds", "rows", "c2st_auc", "c2st_auc_low", "c2st_auc_high"]]


@showing_failures("table", ["moment"])
def moments_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Moments of the synthetic and the real table, averaged over numeric columns (Med-VAE paper, Table 3).

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; moments of family ``fidelity`` are used, whose detail is the column.

    Returns
    -------
    DataFrame
        Columns generator, epochs, n_seeds, moment (mean, std, kurtosis, skewness), real, mean, ci_low, ci_high. Each
        seed's moments are averaged over columns, then over seeds; `real` is the average over
        columns and seeds. A column that lacks a moment in one of the two tables counts in neither, so that like is
        compared with like.
    """
    fidelity = scores[scores["family"] == "fidelity"]
    keys = ["generator", "epochs", "metric", "seed", "detail"]
    synthetic = fidelity.loc[fidelity["metric"].isin(MOMENTS), [*keys, "value"]]
    real = fidelity.loc[fidelity["metric"].isin([f"{moment}_real" for moment in MOMENTS]), [*keys, "value"]]
    real = real.assign(metric=real["metric"].str.removesuffix("_real")).rename(columns={"value": "real"})
    pairs = synthetic.merge(real, on=keys, how="left")
    pairs.loc[pairs[["value", "real"]].isna().any(axis=1), ["value", "real"]] = float("nan")

    by_seed = pairs.groupby(keys[:-1])["value"].mean().reset_index()
    table = tabulated(by_seed, keys[:3]).rename(columns={"metric": "moment"})
    table.insert(2, "n_seeds", table.pop("n_seeds"))
    averages = pairs.groupby(keys[:3])["real"].mean().rename_axis(index={"metric": "moment"})
    table.insert(4, "real", table.join(averages, on=["generator", "epochs", "moment"])["real"])
    order = table["moment"].map(MOMENTS.index)
    return (
        table.assign(order=order).sort_values(["generator", "epochs", "order"], ignore_index=True).drop(columns="order")
    )


@showing_failures("cohorts", ["condition", "n_train", "n_test"])
def conditional_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How generators meet conditions and how faithful their cohorts are, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``conditional``.

    Returns
    -------
    DataFrame
        One row per cohort, generator and epoch count: condition (the cohort's name), generator, epochs, n_seeds,
        n_train and n_test (real rows of the cohort, missing where withheld), and mean, ``_low`` and ``_high`` of
        success (share of the rows drawn that meet the conditions), quality and c2st_auc (NaN where too few
        real rows can be compared).
    """
    rows = []
    judged = scores[(scores["family"] == "conditional") & (scores["metric"] != "share")]
    for (cohort, generator, epochs), group in judged.groupby(["detail", "generator", "epochs"]):
        of = {metric: group[group["metric"] == metric] for metric in (*CONDITIONAL, "n_train", "n_test")}
        row = {"condition": cohort, "generator": generator, "epochs": epochs, "n_seeds": group["seed"].nunique()}
        row |= {name: of[name]["value"].iloc[0] for name in ("n_train", "n_test")}
        rows.append(row | measured({metric: of[metric] for metric in CONDITIONAL}))
    columns = [f"{name}{end}" for name in CONDITIONAL for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["condition", "generator", "epochs", "n_seeds", "n_train", "n_test", *columns])
    return table.astype(dict.fromkeys(columns, "float64") | {"n_train": "Int64", "n_test": "Int64"})


@showing_failures("table", ["target"])
def importance_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How well importances of synthetic-trained forests agree with those of real-trained ones.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``importance`` is used, whose detail is ``target:predictor``.

    Returns
    -------
    DataFrame
        One row per target, generator and epoch count: target, generator, epochs, n_seeds, mean, ``_low`` and ``_high``
        of rank_correlation (Spearman's, over predictors) and top5_overlap (share of the
        real-trained forest's five most important predictors that are among this one's five), and top5, the names of
        the five by mean importance. Each seed is compared with real rows of the same seed; the row ``real``, each
        seed with the next one's, the last with the first's: the ceiling (of two seeds that is one pair, without
        interval). A forest that learned nothing agrees with nothing: 0.
    """
    importance = scores[(scores["family"] == "importance") & (scores["metric"] == "mean_abs_shap")]
    importance = importance.assign(**importance["detail"].str.extract("^(?P<target>[^:]*):(?P<predictor>.*)$"))
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
    return {seed: group.set_index("predictor").sort_index() for seed, group in importance.groupby("seed")}


def _agreements(agreement: Callable, pairs: list[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[list, list]:
    """How well each pair of importances agrees, and its variance over the explained persons."""
    values, variances = [], []
    for pair in pairs:
        values.append(agreement(*(one["value"] for one in pair)))
        replicates = [replicates_of(one) for one in pair]
        if any(values is None for one in replicates for values in one):
            variances.append(np.nan)
            continue
        tables = [
            pd.DataFrame(np.vstack(values)[:, :AGREEMENT_REPLICATES], index=one.index)
            for values, one in zip(replicates, pair, strict=True)
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


AGREEMENT = {"rank_correlation": rank_correlation, "top5_overlap": top5_overlap}


def runtime_table(benchmarks: pd.DataFrame) -> pd.DataFrame:
    """What each rule cost.

    Parameters
    ----------
    benchmarks : DataFrame
        One row a job: rule, generator (empty for rules that have none), seconds, max_rss_mb, cpu_seconds.

    Returns
    -------
    DataFrame
        One row per rule and generator: rule, generator, jobs, total_seconds, mean_seconds and max_rss_mb (the
        largest of the jobs), sorted by rule and generator.
    """
    # A csv gives the empty generator back as NaN, whose rows groupby would lose.
    jobs = benchmarks.assign(generator=benchmarks["generator"].fillna(""))
    return (
        jobs.groupby(["rule", "generator"])
        .agg(
            jobs=("seconds", "size"),
            total_seconds=("seconds", "sum"),
            mean_seconds=("seconds", "mean"),
            max_rss_mb=("max_rss_mb", "max"),
        )
        .reset_index()
    )


def at_last_epochs(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of each generator at its largest epoch count."""
    return scores[scores["epochs"] == scores.groupby("generator")["epochs"].transform("max")]
