"""The table of coverage: do intervals from synthetic tables hold the truth as often as they say?"""

from __future__ import annotations

import pandas as pd
from scipy import stats

from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of
from medsynth.scores.coverage.compute import NULL_TERM, RULES

RULE_TITLES = {
    "sample": "the sample's own rows (upper reference)",
    "plug_in": "plug-in, independently fitted models",
    "proper": "bootstrap refits (proper synthesis)",
}


@showing_failures("coverage", ["rule", "term"], count="samples")
def coverage_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How often intervals hold the population's coefficient, term by term.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``coverage``.

    Returns
    -------
    DataFrame
        Columns generator, epochs, rule (``sample``, ``plug_in``, ``proper``), term, samples, covered (share of
        them), low, high (its exact 95 % interval, Clopper and Pearson 1934), width (median, against the sample's own).
    """
    found = scores[scores["family"] == "coverage"]
    n = found[found["metric"] == "samples"].groupby("generator")["value"].first()
    found = found[found["metric"] != "samples"]
    rows = []
    for (generator, epochs, rule, term), group in found.groupby(["generator", "epochs", "rule", "term"]):
        values = group.set_index("metric")["value"]
        samples = int(n[generator])
        interval = stats.binomtest(round(values["covered"] * samples), samples).proportion_ci()
        row = {"generator": generator, "epochs": epochs, "rule": rule, "term": term, "samples": samples}
        row |= {"covered": values["covered"], "low": interval.low, "high": interval.high, "width": values["width"]}
        rows.append(row)
    columns = ["generator", "epochs", "rule", "term", "samples", "covered", "low", "high", "width"]
    return pd.DataFrame(rows, columns=columns)


def display_coverage(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Sum coverage up, one row a generator and rule; the samples' own intervals first, which are the same for all.

    Parameters
    ----------
    table : DataFrame
        From `coverage_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    """
    rows: list[dict[str, str]] = []
    lacking: list[dict[str, str]] = []
    for generator in in_display_order(table["generator"], styles):
        for rule in RULES:
            own = table[(table["generator"] == generator) & (table["rule"] == rule)].set_index("term")
            if own.empty or (rule == "sample" and rows):
                continue
            if own["covered"].isna().all():
                lacking.append({"Model": title_of(generator, styles), "Samples": own["samples"].iloc[0]})
                break
            terms, null = own.drop(index=NULL_TERM), own.loc[NULL_TERM]
            rows.append(
                {
                    "Model": "Real samples" if rule == "sample" else title_of(generator, styles),
                    "Interval": RULE_TITLES[rule],
                    "Samples": str(null["samples"]),
                    "Coverage, mean of terms": f"{terms['covered'].mean():.3f}" if len(terms) else NOTHING,
                    "Coverage, least of terms": f"{terms['covered'].min():.3f}" if len(terms) else NOTHING,
                    "Type I error": interval_text(1 - null["covered"], 1 - null["high"], 1 - null["low"]),
                    "Width": f"{own['width'].median():.2f}" if own["width"].notna().any() else NOTHING,
                }
            )
    return pd.DataFrame([*rows, *lacking]).fillna(NOTHING)
