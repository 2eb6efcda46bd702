"""Tables for reading, in the forms of the Med-VAE paper's Tables 1 to 3: text cells, ranked or with the best in bold.

They are made from the tables of numbers of `medsynth.reporting.tables` and written by `medsynth.reporting.export`.
"""

from __future__ import annotations

from math import inf

import pandas as pd

from medsynth.disclosure import WITHHELD
from medsynth.reporting.styles import CLASSIFIER_TITLES, Styles, classifier_title, in_display_order, title_of
from medsynth.reporting.tables import at_last_epochs

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
PRECISION_RECALL_COLUMNS = {
    "alpha_precision": "Alpha-precision",
    "beta_recall": "Beta-recall",
    "authenticity": "Authenticity",
    "three_way_marginals": "Three-way marginals",
}
CONDITIONAL_COLUMNS = {
    "success": "Meets the conditions",
    "quality": "Quality",
    "common_bin_pair_trends": "Pair Trends, common bins",
    "c2st_auc": "C2ST AUC",
}
COHORT_REFERENCES = {"real": "Real training rows (upper reference)"}
IMPORTANCE_COLUMNS = {
    "rank_correlation": "Rank correlation",
    "top5_overlap": "Top-5 overlap",
}
IMPORTANCE_REFERENCES = {"real": "Real rows, another seed (upper reference)"}
MOMENT_TITLES = {"mean": "Mean", "std": "Standard Deviation", "kurtosis": "Kurtosis", "skewness": "Skewness"}
NOTHING = "–"


class Bold(str):
    """A cell that is written in bold, in the way of each format."""

    __slots__ = ()


def display_utility(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the utility table out as the Med-VAE paper's Table 1.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.utility_table`.
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
    shown = {}
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
    row = {"Model": title, "Epochs": _epochs(scores["epochs"].iloc[0]), "Seeds": str(scores["n_seeds"].max())}
    for metric, column in UTILITY_COLUMNS.items():
        found = metric in by_metric.index
        row[column] = interval_text(*by_metric.loc[metric, ["mean", "ci_low", "ci_high"]]) if found else NOTHING
        if found and str(by_metric.loc[metric, "remark"]).startswith("withheld"):
            row[column] = "withheld"
    return row


def display_quality(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the quality table out as the Med-VAE paper's Table 2.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.quality_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. Every generator at each of its epoch counts between the reference rows; the best generator's cell of each
        column is `Bold` (highest score, C2ST AUC closest to 0.5), all of them if three decimals tell no difference.
    """
    generators = in_display_order(table["generator"], styles)
    order = ["real", *generators, "holdout", "independent"]
    table = table[table["generator"].isin(order)]
    table = table.sort_values(["generator", "epochs"], key=lambda v: v.map(order.index) if v.name == "generator" else v)
    display = pd.DataFrame(
        {
            "Model": [title_of(name, styles) for name in table["generator"]],
            "Epochs": [_epochs(count) for count in table["epochs"]],
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
        display[title] = [p_text(value) if name.endswith("_p") else _plain(value) for value in table[name]]
    return display


def display_precision_recall(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay precision, recall, authenticity and three-way marginals out, a row a generator at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.precision_recall_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    """
    table = at_last_epochs(table)
    rows = []
    for generator in ["real", *in_display_order(table["generator"], styles), "holdout", "independent"]:
        for _, own in table[table["generator"] == generator].iterrows():
            row = {"Model": title_of(generator, styles), "Epochs": _epochs(own["epochs"]), "Seeds": str(own["n_seeds"])}
            for name, title in PRECISION_RECALL_COLUMNS.items():
                row[title] = interval_text(*own[[name, f"{name}_low", f"{name}_high"]])
            rows.append(row)
    return pd.DataFrame(rows, columns=["Model", "Epochs", "Seeds", *PRECISION_RECALL_COLUMNS.values()])


def display_detection(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the detector's AUC out, a row a generator at its largest epoch count, a column a number of rows a side.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.detection_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    """
    table = at_last_epochs(table)
    sizes = sorted(set(table["rows"].dropna().astype(int)))
    rows = []
    for generator in ["real", *in_display_order(table["generator"], styles), "holdout", "independent"]:
        own = table[table["generator"] == generator].set_index("rows")
        if own.empty:
            continue
        row = {"Model": title_of(generator, styles), "Epochs": _epochs(own["epochs"].iloc[0])}
        for size in sizes:
            known = size in own.index
            cell = interval_text(*own.loc[size, ["c2st_auc", "c2st_auc_low", "c2st_auc_high"]]) if known else NOTHING
            row[f"{size:,} rows a side"] = cell
        rows.append(row)
    return pd.DataFrame(rows)


def display_moments(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the moments table out as the Med-VAE paper's Table 3, one column a generator at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.moments_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. Rows mean, standard deviation, kurtosis and skewness; the first columns are the metric and the test set.
    """
    generators = in_display_order(table["generator"], styles)
    table = at_last_epochs(table[table["generator"].isin(generators)])
    headings = {name: heading(name, table, styles) for name in generators}
    table = table.set_index(["moment", "generator"])
    rows = []
    for moment, title in MOMENT_TITLES.items():
        found = table[table.index.get_level_values("moment") == moment]
        real = found["real"].dropna()
        row = {"Metric": title, "Test set": _number(real.iloc[0], 2) if len(real) else NOTHING}
        for generator in generators:
            known = (moment, generator) in found.index
            values = found.loc[(moment, generator), ["mean", "ci_low", "ci_high"]] if known else [float("nan")] * 3
            row[headings[generator]] = interval_text(*values, digits=2)
        rows.append(row)
    return pd.DataFrame(rows)


def display_conditional(table: pd.DataFrame, cohorts: dict[str, str], styles: Styles) -> pd.DataFrame:
    """Lay the conditional table out, one block a cohort: generators, then real rows and independent columns.

    Each generator is shown at its largest epoch count.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.conditional_table`.
    cohorts : dict
        Name -> title, in order of display.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text, indexed by the cohort with its numbers of real rows.
    """
    table = at_last_epochs(table)
    rows, blocks = [], []
    for name, title in cohorts.items():
        block = table[table["condition"] == name].set_index("generator")
        for generator in [*in_display_order(block.index, styles), "real", "independent"]:
            if generator not in block.index:
                continue
            found = block.loc[generator]
            row = {"Model": COHORT_REFERENCES.get(generator) or title_of(generator, styles)}
            row |= {"Epochs": _epochs(found["epochs"]), "Seeds": str(found["n_seeds"])}
            for metric, column in CONDITIONAL_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row)
            unknown = f"{WITHHELD} number of"
            n_train, n_test = (unknown if pd.isna(found[n]) else f"{found[n]:,}" for n in ("n_train", "n_test"))
            blocks.append(f"{title} ({n_train} training rows, {n_test} test rows)")
    columns = ["Model", "Epochs", "Seeds", *CONDITIONAL_COLUMNS.values()]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Cohort"))


def display_importance(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the importance table out, one block a target: real rows, generators at their largest epoch count, the floor.

    Parameters
    ----------
    table : DataFrame
        From `medsynth.reporting.tables.importance_table`.
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
            row = {"Model": IMPORTANCE_REFERENCES.get(generator) or title_of(generator, styles)}
            row |= {"Epochs": _epochs(found["epochs"]), "Seeds": str(found["n_seeds"])}
            for metric, column in IMPORTANCE_COLUMNS.items():
                row[column] = interval_text(*found[[metric, f"{metric}_low", f"{metric}_high"]])
            rows.append(row | {"Five most important": found["top5"].replace("; ", ", ") or NOTHING})
            blocks.append(target)
    columns = ["Model", "Epochs", "Seeds", *IMPORTANCE_COLUMNS.values(), "Five most important"]
    return pd.DataFrame(rows, columns=columns, index=pd.Index(blocks, name="Target"))


def heading(generator: str, table: pd.DataFrame, styles: Styles) -> str:
    """Title over a generator's column, which says what its ``n_seeds`` would: ``CART (1 failed)``."""
    failed = str(table.loc[table["generator"] == generator, "n_seeds"].iloc[0]).partition(" ")[2]
    return f"{title_of(generator, styles)} {failed}".rstrip()


def p_text(value: float) -> str:
    """A p-value with three decimals, ``<0.001`` for a smaller one."""
    return "<0.001" if value < 0.001 else _plain(value)


def _plain(value: float) -> str:
    return interval_text(value, float("nan"), float("nan"))


def interval_text(mean: float, low: float, high: float, digits: int = 3) -> str:
    """``mean (low, high)``; the mean alone where one seed gives no interval."""
    if pd.isna(mean):
        return NOTHING
    if pd.isna(low):
        return _number(mean, digits)
    return f"{_number(mean, digits)} ({_number(low, digits)}, {_number(high, digits)})"


def _number(value: float, digits: int) -> str:
    # "z" writes a negative number that rounds to zero without its sign.
    return f"{value:z.{digits}f}"


def _epochs(count: int) -> str:
    return str(int(count)) if count else NOTHING
