"""Tables 2 and 3: quality, detection and moments."""

from __future__ import annotations

import pandas as pd

from medsynth.display.aggregation import at_last_epochs, side_by_side, tabulated
from medsynth.display.cells import NOTHING, Bold, epochs_text, heading, interval_text, number_text, p_text, plain_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, between_references, in_display_order, title_of
from medsynth.scores.detection.table import detection_p_value

MOMENTS = ("mean", "std", "kurtosis", "skewness")
# Column of the quality table -> family and metric of the score, and the detector where several share it.
QUALITY = {
    "overall": ("fidelity", "quality", ""),
    "column_shapes": ("fidelity", "column_shapes", ""),
    "pair_trends": ("fidelity", "pair_trends", ""),
    "common_bin_pair_trends": ("fidelity", "common_bin_pair_trends", ""),
    "diagnostic": ("fidelity", "diagnostic", ""),
    "c2st_auc": ("detection", "c2st_auc", "xgboost"),
    "c2st_auc_logistic": ("detection", "c2st_auc", "logistic_regression"),
    "duplicates": ("detection", "duplicates", ""),
}
# Column of the quality table -> detector.
DETECTED = {"c2st_auc": "xgboost", "c2st_auc_logistic": "logistic_regression"}
QUALITY_COLUMNS = {
    "overall": "Overall Score",
    "column_shapes": "Column Shapes",
    "pair_trends": "Pair Trends",
    "common_bin_pair_trends": "Pair Trends, common bins",
    "c2st_auc": "C2ST AUC",
    "c2st_auc_logistic": "C2ST AUC, logistic regression",
    "duplicates": "Duplicates",
}
# Columns without an interval; which generator is best in them is not said.
PLAIN_QUALITY_COLUMNS = {
    "c2st_auc_p": "p against real rows",
    "c2st_auc_score": "C2ST score",
    "c2st_auc_logistic_score": "C2ST score, logistic regression",
}
MOMENT_TITLES = {"mean": "Mean", "std": "Standard Deviation", "kurtosis": "Kurtosis", "skewness": "Skewness"}


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
    judged = scores[scores["family"].isin(["fidelity", "detection"])]
    null = judged[judged["metric"] == "c2st_null"]
    names = {score: name for name, score in QUALITY.items()}
    scored = zip(judged["family"], judged["metric"], judged["model"], strict=True)
    judged = judged.assign(name=[names.get(score) for score in scored])
    table = side_by_side(judged, ["generator", "epochs"], list(QUALITY), of="name")
    for name, detector in DETECTED.items():
        table[f"{name}_score"] = 1 - (2 * table[name] - 1).abs()
        own = null[null["model"] == detector]
        table[f"{name}_p"] = [detection_p_value(auc, own) for auc in table[name]]
    # Also where nothing was scored, so that there are numbers to compare.
    return table.astype({f"{name}_p": "float64" for name in DETECTED})


@showing_failures("table", ["moment"])
def moments_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Moments of the synthetic and the real table, averaged over numeric columns (Med-VAE paper, Table 3).

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; moments of family ``fidelity`` are used.

    Returns
    -------
    DataFrame
        Columns generator, epochs, n_seeds, moment (mean, std, kurtosis, skewness), real, mean, ci_low, ci_high. Each
        seed's moments are averaged over columns, then over seeds; `real` is the average over
        columns and seeds. A column that lacks a moment in one of the two tables counts in neither, so that like is
        compared with like.
    """
    fidelity = scores[scores["family"] == "fidelity"]
    keys = ["generator", "epochs", "metric", "seed", "column"]
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


def display_quality(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the quality table out as the Med-VAE paper's Table 2.

    Parameters
    ----------
    table : DataFrame
        From `quality_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. Every generator at each of its epoch counts between the reference rows; the best generator's cell of each
        column is `Bold` (highest score, C2ST AUC closest to 0.5), all of them if three decimals tell no difference.
    """
    generators = in_display_order(table["generator"], styles)
    order = between_references(generators, styles)
    table = table[table["generator"].isin(order)]
    table = table.sort_values(["generator", "epochs"], key=lambda v: v.map(order.index) if v.name == "generator" else v)
    display = pd.DataFrame(
        {
            "Model": [title_of(name, styles) for name in table["generator"]],
            "Epochs": [epochs_text(count) for count in table["epochs"]],
            "Seeds": table["n_seeds"].astype(str).to_list(),
        }
    )
    for name, title in QUALITY_COLUMNS.items():
        cells = [interval_text(*values) for values in table[[name, f"{name}_low", f"{name}_high"]].to_numpy()]
        ideal = 0.5 if name.startswith("c2st_auc") else 1
        distance = (table[name] - ideal).abs().round(3)
        distance = distance.where(table["generator"].isin(generators) & (name != "duplicates"))
        display[title] = [
            Bold(cell) if best else cell for cell, best in zip(cells, distance == distance.min(), strict=True)
        ]
    for name, title in PLAIN_QUALITY_COLUMNS.items():
        display[title] = [p_text(value) if name.endswith("_p") else plain_text(value) for value in table[name]]
    return display


def display_moments(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the moments table out as the Med-VAE paper's Table 3, one column a generator at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `moments_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. Rows mean, standard deviation, kurtosis and skewness; the first columns are the metric, the test set and
        the real training rows, the last one is of independent marginals. The holdout is judged against other rows.
    """
    generators = [name for name in between_references(table["generator"], styles) if name != "holdout"]
    table = at_last_epochs(table[table["generator"].isin(generators)])
    headings = {name: heading(name, table, styles) for name in generators if name in set(table["generator"])}
    table = table.set_index(["moment", "generator"])
    rows = []
    for moment, title in MOMENT_TITLES.items():
        found = table[table.index.get_level_values("moment") == moment]
        real = found["real"].dropna()
        row = {"Metric": title, "Test set": number_text(real.iloc[0], 2) if len(real) else NOTHING}
        for generator in headings:
            known = (moment, generator) in found.index
            values = found.loc[(moment, generator), ["mean", "ci_low", "ci_high"]] if known else [float("nan")] * 3
            mean, low, high = values
            row[headings[generator]] = interval_text(mean, low, high, digits=2)
        rows.append(row)
    return pd.DataFrame(rows)
