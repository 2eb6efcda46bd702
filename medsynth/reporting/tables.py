"""Tables of numbers, made from the long table of scores alone.

How they are laid out for reading is `medsynth.reporting.display`, how they are written `medsynth.reporting.export`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from medsynth.evaluation.intervals import t_interval
from medsynth.reporting.failures import showing_failures

CONDITIONAL = ("success", "quality", "common_bin_pair_trends", "c2st_auc")
MOMENTS = ("mean", "std", "kurtosis", "skewness")

# Column of the quality table -> family, metric and (where several things share a metric) detail of the score.
QUALITY = {
    "overall": ("fidelity", "quality", None),
    "column_shapes": ("fidelity", "column_shapes", None),
    "pair_trends": ("fidelity", "pair_trends", None),
    "common_bin_pair_trends": ("fidelity", "common_bin_pair_trends", None),
    "diagnostic": ("fidelity", "diagnostic", None),
    "c2st_auc": ("detection", "c2st_auc", "xgboost"),
}


def at_epochs(scores: pd.DataFrame, epochs: int | None) -> pd.DataFrame:
    """Rows of generators without epochs and, where they have it, of one epoch count; all for None.

    Each generator is then shown at that epoch count, or at its largest.
    """
    reached = scores.groupby("generator")["epochs"].transform(lambda counts: (counts == epochs).any())
    return scores[~reached | (scores["epochs"] == epochs)]


@showing_failures("score", ["target", "classifier", "metric"])
def utility_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Utility of each generator, with intervals over seeds and the share of the lift.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``utility`` is used, whose detail is ``classifier:target``.

    Returns
    -------
    DataFrame
        Columns generator, epochs, n_seeds (seeds that have a value), target, classifier, metric, mean, ci_low,
        ci_high (95 % t interval), sorted by all but the numbers. Beside the metrics of the scores:

        - ``accuracy_lift``: (accuracy - majority) / (real - majority)
        - ``roc_auc_lift``: (ROC AUC - 0.5) / (real - 0.5)

        with the mean over seeds of the reference rows ``majority`` (of the same target) and ``real`` (of the same
        target and classifier); NaN where these are absent or leave nothing to gain. The row ``majority`` itself,
        which has no classifier in common with ``real``, has no lift.
    """
    utility = _utility(scores)
    always = pd.concat([utility, *_lifts(utility)])
    table = _intervals(always, ["generator", "epochs", "target", "classifier", "metric"])
    table.insert(2, "n_seeds", table.pop("n_seeds"))
    return table


def with_lifts(scores: pd.DataFrame) -> pd.DataFrame:
    """Add the shares of the lift (see `utility_table`) to a long table of scores, as metrics of the family utility."""
    return pd.concat([scores, *_lifts(_utility(scores))], ignore_index=True)[list(scores.columns)]


def _utility(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of the family utility, with classifier and target in columns of their own."""
    utility = scores[scores["family"] == "utility"].drop(columns=["classifier", "target"], errors="ignore")
    return utility.join(utility["detail"].astype(str).str.extract("^(?P<classifier>[^:]*):(?P<target>.*)$"))


def _lifts(utility: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Scores of every seed as shares of what real rows gain over knowing nothing."""
    majority = utility["generator"] == "majority"
    for metric in ("accuracy", "roc_auc"):
        rows = utility["metric"] == metric
        lift = utility[rows & ~majority]
        real = lift[lift["generator"] == "real"].groupby(["target", "classifier"])["value"].mean().rename("real")
        lift = lift.join(real, on=["target", "classifier"])
        floor = 0.5
        if metric == "accuracy":
            floor = lift["target"].map(utility[rows & majority].groupby("target")["value"].mean())
        gain = lift["real"] - floor
        lift["value"] = (lift["value"] - floor) / gain.where(gain > 0)
        yield lift.drop(columns="real").assign(metric=f"{metric}_lift")


@showing_failures("score")
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
        ``_low`` and ``_high`` (95 % t interval) of overall, column_shapes, pair_trends, diagnostic and c2st_auc.
    """
    rows = []
    judged = scores[scores["family"].isin(["fidelity", "detection"])]
    for (generator, epochs), group in judged.groupby(["generator", "epochs"]):
        row = {"generator": generator, "epochs": epochs, "n_seeds": 0}
        for name, (family, metric, detail) in QUALITY.items():
            wanted = (group["family"] == family) & (group["metric"] == metric)
            if detail:
                wanted &= group["detail"] == detail
            interval = t_interval(group.loc[wanted, "value"])
            row["n_seeds"] = max(row["n_seeds"], interval.n)
            row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row)
    measured = [f"{name}{end}" for name in QUALITY for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["generator", "epochs", "n_seeds", *measured])
    # Also where nothing was scored, so that there are numbers to compare.
    return table.astype(dict.fromkeys(measured, "float64"))


@showing_failures("score", ["moment"])
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
        seed's moments are averaged over columns, then over seeds (95 % t interval); `real` is the average over
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
    table = _intervals(by_seed, keys[:3]).rename(columns={"metric": "moment"})
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
        n_train and n_test (real rows of the cohort, missing where withheld), and mean, ``_low`` and ``_high`` (95 % t
        interval) of success (share of the rows drawn that meet the conditions), quality and c2st_auc (NaN where too few
        real rows can be compared).
    """
    rows = []
    judged = scores[(scores["family"] == "conditional") & (scores["metric"] != "share")]
    for (cohort, generator, epochs), group in judged.groupby(["detail", "generator", "epochs"]):
        values = dict(list(group.groupby("metric")["value"]))
        row = {"condition": cohort, "generator": generator, "epochs": epochs, "n_seeds": group["seed"].nunique()}
        row |= {name: values[name].iloc[0] for name in ("n_train", "n_test")}
        for metric in CONDITIONAL:
            interval = t_interval(values.get(metric, []))
            row |= {metric: interval.mean, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
        rows.append(row)
    measured = [f"{name}{end}" for name in CONDITIONAL for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["condition", "generator", "epochs", "n_seeds", "n_train", "n_test", *measured])
    return table.astype(dict.fromkeys(measured, "float64") | {"n_train": "Int64", "n_test": "Int64"})


@showing_failures("score", ["target"])
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
        (95 % t interval over seeds) of rank_correlation (Spearman's, over predictors) and top5_overlap (share of the
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
            row = {"target": target, "generator": generator, "epochs": epochs, "n_seeds": len(own.columns)}
            for name, agreement in AGREEMENT.items():
                interval = t_interval([agreement(*pair) for pair in pairs])
                row |= {name: interval.mean, f"{name}_low": interval.low, f"{name}_high": interval.high}
            rows.append(row | {"top5": "; ".join(_most_important(own.mean(axis=1)))})
    measured = [f"{name}{end}" for name in AGREEMENT for end in ("", "_low", "_high")]
    table = pd.DataFrame(rows, columns=["target", "generator", "epochs", "n_seeds", *measured, "top5"])
    return table.astype(dict.fromkeys(measured, "float64"))


def _by_seed(importance: pd.DataFrame) -> pd.DataFrame:
    """Importance of each predictor (rows, in the order of their names) at each seed (columns)."""
    return importance.pivot(index="predictor", columns="seed", values="value")


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


def _intervals(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean over seeds with its interval, one row per group; sorted by the groups."""
    rows = [(*key, *t_interval(values)) for key, values in scores.groupby(by)["value"]]
    return pd.DataFrame(rows, columns=[*by, "n_seeds", "mean", "ci_low", "ci_high"])
