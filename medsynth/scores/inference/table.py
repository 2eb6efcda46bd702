"""What analysts of synthetic tables would conclude: the table of coefficients, its summary, and the forest plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from medsynth.display.cells import NOTHING
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of
from medsynth.scores.inference.combining import (
    Combined,
    combine_imputed,
    combine_nested,
    combine_plug_in,
    combine_proper,
    interval_overlap,
)
from medsynth.scores.inference.compute import INTERCEPT

if TYPE_CHECKING:
    pass


# Rule -> what it is called, and what its interval covers.
RULES = {
    "own": "own rows: persons",
    "plug_in": "plug-in: persons, training, sampling",
    "one_model": "plug-in, one model: persons, sampling",
    "nested": "nested: persons, imputation, training, sampling",
    "proper": "bootstrap refits: persons, training, sampling",
}
REAL_COLUMNS = ["real", "real_se", "real_low", "real_high"]
COLUMNS = [
    "generator", "epochs", "rule", "term", "tables", "estimate", "se", "df", "low", "high", *REAL_COLUMNS,
    "overlap", "width", "bias", "covers", "same_sign", "same_conclusion",
]  # fmt: skip


@showing_failures("inference", ["term", *REAL_COLUMNS], count="tables")
def inference_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Coefficients of the study's logistic model from synthetic tables, beside those of the real training rows.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``inference``.

    Returns
    -------
    DataFrame
        One row per generator, epoch count, rule and term: generator (``real``: the held-out real rows, one table),
        epochs, rule (how tables are combined, see `medsynth.scores.inference.combining`: ``plug_in``, ``one_model``,
        which is the same without what training adds, ``nested`` where models learned from several imputations,
        ``proper`` for refits to bootstrap resamples; ``own`` for held-out rows), term, tables (in which it can be
        estimated), estimate, se, df, low, high (log odds ratio and 95 % interval), real, real_se, real_low, real_high
        (of the training rows; several imputations by Rubin's rule), overlap (`interval_overlap` of low to high with the
        real interval), width (of low to high as a multiple of the real interval's), bias ((estimate - real) / real_se),
        and 1 or 0 for covers (the interval holds `real`), same_sign and same_conclusion (significant at 5 % with the
        same sign, or not significant, in both). A term that fewer than half of the tables can estimate has no estimate,
        overlap 0, and neither covers nor agrees.
    """
    found = scores[scores["family"] == "inference"]
    n_rows = found[found["metric"] == "rows"]
    found = found[found["metric"] != "rows"]
    # Held-out rows have neither.
    found = found.fillna({"imputation": 0, "draw": 0})
    keys = ["generator", "epochs", "table", "imputation", "draw", "term"]
    values = found.pivot(index=keys, columns="metric", values="value").reset_index()
    of_train = values["table"] == "train"
    real = {term: _of_real(own) for term, own in values[of_train].groupby("term")}
    n_train = n_rows.loc[n_rows["table"] == "train", "value"].max()
    rows = []
    for (generator, epochs, role), group in values[~of_train].groupby(["generator", "epochs", "table"]):
        own_rows = n_rows[(n_rows["generator"] == generator) & (n_rows["table"] == role)]
        ratio = own_rows["value"].max() / n_train
        for term, of_term in group.groupby("term"):
            row = {"generator": generator, "epochs": epochs, "term": term}
            rows.append(row | _compared(of_term, role, ratio, real[term]))
    # In the order of the model, which the real training rows' scores have lost: intercept, numbers, categories.
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["order"] = table["term"].map(lambda term: (term != INTERCEPT, ": " in term, term))
    rules = table["rule"].map(list(RULES).index)
    return table.assign(rules=rules).sort_values(["generator", "epochs", "rules", "order"], ignore_index=True)[COLUMNS]


def _of_real(values: pd.DataFrame) -> Combined:
    """The real estimate of a term over its imputations; NaN if fewer than half of them have one."""
    known = values.dropna(subset=["estimate", "variance"])
    if len(known) < len(values) / 2:
        return Combined(*[np.nan] * 5)
    return combine_imputed(known["estimate"].to_numpy(), known["variance"].to_numpy())


def _compared(values: pd.DataFrame, role: str, ratio: float, real: Combined) -> dict:
    """Combine the tables' estimates of one term by the rule that fits how they were made; compare with the real one."""
    known = values.dropna(subset=["estimate", "variance"])
    rule, combined = _combined(values, known, role, ratio)
    facts = {"rule": rule, "tables": len(known), "real": real.estimate, "real_se": np.sqrt(real.variance)}
    facts |= {"real_low": real.low, "real_high": real.high}
    if np.isnan(real.estimate):
        return facts
    if combined is None:
        return facts | dict.fromkeys(["overlap", "covers", "same_sign", "same_conclusion"], 0.0)
    same_sign = np.sign(combined.estimate) == np.sign(real.estimate)
    significant = [_significant(combined), _significant(real)]
    return facts | {
        "estimate": combined.estimate,
        "se": np.sqrt(combined.variance),
        "df": combined.df,
        "low": combined.low,
        "high": combined.high,
        "overlap": interval_overlap((combined.low, combined.high), (real.low, real.high)),
        "width": (combined.high - combined.low) / (real.high - real.low),
        "bias": (combined.estimate - real.estimate) / facts["real_se"],
        "covers": float(combined.low <= real.estimate <= combined.high),
        "same_sign": float(same_sign),
        "same_conclusion": float((significant == [True, True] and same_sign) or significant == [False, False]),
    }


def _combined(values: pd.DataFrame, known: pd.DataFrame, role: str, ratio: float) -> tuple[str, Combined | None]:
    """Choose the rule, and combine by it unless fewer than half of the tables can estimate the term."""
    several = values["imputation"].nunique() > 1
    rule = {"held_out": "own", "refit": "proper"}.get(role)
    rule = rule or ("nested" if several else "plug_in" if len(values) > 1 else "one_model")
    imputations = known["imputation"].to_numpy()
    too_few = {"proper": len(known) < 2, "nested": len(set(imputations)) < 2}.get(rule, known.empty)
    if too_few or len(known) < len(values) / 2:
        return rule, None
    estimates, variances = known["estimate"].to_numpy(), known["variance"].to_numpy()
    if rule == "own":
        return rule, combine_imputed(estimates, variances)
    if rule == "nested":
        return rule, combine_nested(estimates, variances, imputations, ratio=ratio)
    combine = combine_proper if rule == "proper" else combine_plug_in
    return rule, combine(estimates, variances, ratio=ratio)


def _significant(interval: Combined) -> bool:
    """Whether the interval leaves 0 out."""
    return bool(interval.low > 0 or interval.high < 0)


def display_inference(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Sum coefficients up, a row a generator and rule; the intercept, and terms without a real estimate, do not count.

    Parameters
    ----------
    table : DataFrame
        From `inference_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. The held-out real rows first, then generators, then independent marginals.
    """
    rows = []
    judged = table[(table["term"] != INTERCEPT) & table["real"].notna()]
    for generator in ["real", *in_display_order(table["generator"], styles), "independent"]:
        of_generator = judged[judged["generator"] == generator]
        rows += [_summary(own, generator, styles) for _, own in of_generator.groupby("rule", sort=False)]
    return pd.DataFrame(rows).fillna(NOTHING)


def _summary(own: pd.DataFrame, generator: str, styles: Styles) -> dict[str, str]:
    """Sum up the terms of one generator and rule."""
    row = {"Model": title_of(generator, styles, "inference")}
    row |= {"Epochs": str(int(own["epochs"].iloc[0]) or NOTHING)}
    row |= {"Interval: covers": RULES.get(own["rule"].iloc[0], NOTHING), "Tables": str(own["tables"].max())}
    if own["overlap"].isna().all():
        return row
    row |= {"Overlap with the real interval, mean": f"{own['overlap'].mean():.3f}"}
    row |= {"Width / real width, median": f"{own['width'].median():.2f}" if own["width"].notna().any() else NOTHING}
    row |= {"|bias| / SE, median": f"{own['bias'].abs().median():.2f}" if own["bias"].notna().any() else NOTHING}
    shares = {
        "Real estimate within the interval": own["covers"],
        "Same sign": own["same_sign"],
        "Same conclusion": own["same_conclusion"],
    }
    row |= {title: f"{values.sum():.0f} of {len(own)}" for title, values in shares.items()}
    return row | {"Not estimable": f"{own['estimate'].isna().sum()} of {len(own)}"}
