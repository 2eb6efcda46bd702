"""What analysts of synthetic tables would conclude: the table of coefficients, its summary, and the forest plot."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from medsynth.errors import InputError
from medsynth.evaluation.inference import INTERCEPT, Combined, combine, combine_plug_in, interval_overlap
from medsynth.reporting.canvas import in_style, with_note
from medsynth.reporting.display import NOTHING
from medsynth.reporting.failures import showing_failures
from medsynth.reporting.styles import Styles, colour_of, in_display_order, title_of

REFERENCES = {"real": "Held-out real rows (ceiling)", "independent": "Independent columns (floor)"}
REAL_COLUMNS = ["real", "real_se", "real_low", "real_high"]
COLUMNS = [
    "generator", "epochs", "term", "tables", "estimate", "se", "df", "low", "high", "plug_in_low", "plug_in_high",
    *REAL_COLUMNS, "overlap", "bias", "covers", "plug_in_covers", "same_sign",
    "same_conclusion",
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
        One row per generator, epoch count and term: generator (``real``: the held-out real rows, one table),
        epochs, term, tables (in which it can be estimated), estimate, se, df, low, high (log odds ratio and 95 %
        interval by `combine`), plug_in_low, plug_in_high (by `combine_plug_in`), real, real_se, real_low, real_high (of
        the training rows), overlap (`interval_overlap` of low to high with the real one), bias ((estimate - real) /
        real_se), and 1 or 0 for covers, plug_in_covers (the interval holds `real`), same_sign and same_conclusion
        (significant at 5 % with the same sign, or not significant, in both). A term that fewer than half of the tables
        can estimate has no estimate, overlap 0, and neither covers nor agrees.
    """
    found = scores[scores["family"] == "inference"]
    n_rows = found[found["metric"] == "rows"]
    found = found[found["metric"] != "rows"]
    found = found.join(found["detail"].astype(str).str.extract(r"^(?P<table>[^|]*)\|(?P<term>.*)$"))
    of_train = found[found["table"] == "train"].pivot(index="term", columns="metric", values="value")
    n_train = n_rows.loc[n_rows["detail"] == "train", "value"].max()
    rows = []
    for (generator, epochs), group in found[found["table"] != "train"].groupby(["generator", "epochs"]):
        own_rows = n_rows[(n_rows["generator"] == generator) & (n_rows["detail"] != "train")]
        ratio = own_rows["value"].max() / n_train
        for term, of_term in group.groupby("term"):
            values = of_term.pivot(index="table", columns="metric", values="value")
            real = of_train.loc[term, "estimate"], of_train.loc[term, "variance"]
            row = {"generator": generator, "epochs": epochs, "term": term}
            rows.append(row | _compared(values, ratio, *real, alone=generator == "real"))
    # In the order of the model, which the real training rows' scores have lost: intercept, numbers, levels.
    table = pd.DataFrame(rows, columns=COLUMNS)
    order = table["term"].map(lambda term: (term != INTERCEPT, ": " in term, term))
    return table.assign(order=order).sort_values(["generator", "epochs", "order"], ignore_index=True)[COLUMNS]


def _compared(values: pd.DataFrame, ratio: float, real: float, real_variance: float, *, alone: bool) -> dict:
    """Combine the tables' estimates of one term and compare them with the real one."""
    known = values.dropna()
    facts = {"tables": len(known), "real": real, "real_se": np.sqrt(real_variance)}
    real_interval = combine_plug_in(np.array([real]), np.array([real_variance]), ratio=0)
    facts |= {"real_low": real_interval.low, "real_high": real_interval.high}
    failed = dict.fromkeys(["overlap", "covers", "plug_in_covers", "same_sign", "same_conclusion"], 0.0)
    if np.isnan(real):
        return facts
    if len(known) < max(len(values) / 2, 1 if alone else 2):
        return facts | failed
    estimates, variances = known["estimate"].to_numpy(), known["variance"].to_numpy()
    plug_in = combine_plug_in(estimates, variances, ratio=0 if alone else ratio)
    combined = plug_in if alone else combine(estimates, variances, ratio=ratio)
    same_sign = np.sign(combined.estimate) == np.sign(real)
    significant = [_significant(combined), _significant(real_interval)]
    return facts | {
        "estimate": combined.estimate,
        "se": np.sqrt(combined.variance),
        "df": combined.df,
        "low": combined.low,
        "high": combined.high,
        "plug_in_low": plug_in.low,
        "plug_in_high": plug_in.high,
        "overlap": interval_overlap((combined.low, combined.high), (real_interval.low, real_interval.high)),
        "bias": (combined.estimate - real) / facts["real_se"],
        "covers": float(combined.low <= real <= combined.high),
        "plug_in_covers": float(plug_in.low <= real <= plug_in.high),
        "same_sign": float(same_sign),
        "same_conclusion": float((significant == [True, True] and same_sign) or significant == [False, False]),
    }


def _significant(interval: Combined) -> bool:
    """Whether the interval leaves 0 out."""
    return bool(interval.low > 0 or interval.high < 0)


def display_inference(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Sum the coefficients up, a row a generator; the intercept, and terms without a real estimate, do not count.

    Parameters
    ----------
    table : DataFrame
        From `inference_table`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. The held-out real rows first, then generators, then independent columns.
    """
    rows = []
    judged = table[(table["term"] != INTERCEPT) & table["real"].notna()]
    for generator in ["real", *in_display_order(table["generator"], styles), "independent"]:
        own = judged[judged["generator"] == generator]
        if own.empty:
            continue
        shares = {
            "Real estimate within the interval": own["covers"],
            "the same, plug-in rule": own["plug_in_covers"],
            "Same sign": own["same_sign"],
            "Same conclusion": own["same_conclusion"],
        }
        row = {"Model": REFERENCES.get(generator) or title_of(generator, styles)}
        row |= {"Epochs": str(int(own["epochs"].iloc[0]) or NOTHING), "Tables": str(own["tables"].max())}
        if own["overlap"].isna().all():
            rows.append(row)
            continue
        row |= {"Interval overlap, mean": f"{own['overlap'].mean():.3f}"}
        row |= {"|bias| / SE, median": f"{own['bias'].abs().median():.2f}" if own["bias"].notna().any() else NOTHING}
        row |= {title: f"{values.sum():.0f} of {len(own)}" for title, values in shares.items()}
        rows.append(row | {"Not estimable": f"{own['estimate'].isna().sum()} of {len(own)}"})
    return pd.DataFrame(rows).fillna(NOTHING)


@in_style
def forest(scores: pd.DataFrame, styles: Styles, *, outcome: str, note: str) -> Figure:
    """Draw every coefficient with its interval: real training rows as a band, generators beside each other.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``inference``.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    outcome : str
        What the model explains, for the title.
    note : str
        Where the data come from, printed at the bottom.

    Raises
    ------
    InputError
        Nothing was scored.
    """
    # What failed has no place in the figure, whose note says so.
    table = inference_table(scores[scores["family"] == "inference"])
    table = table[table["term"] != INTERCEPT]
    if table.empty:
        raise InputError("No coefficients were scored; the study's key 'inference' asks for them.")
    names = ["real", *in_display_order(table["generator"], styles), "independent"]
    names = [name for name in names if name in set(table["generator"])]
    terms = list(dict.fromkeys(table["term"]))
    step = 0.8 / len(names)
    figure = Figure(figsize=(7.6, 1.6 + len(terms) * (0.15 + 0.105 * len(names))), layout="constrained")
    ax = figure.subplots()
    # Two seeds' tables can give endless intervals; the axis shows the real ones and every estimate.
    ends = table[["real_low", "real_high", "estimate"]].to_numpy(dtype=float)
    low, high = np.nanmin(ends), np.nanmax(ends)
    ax.set_xlim(low - 0.15 * (high - low), high + 0.15 * (high - low))
    real = table.drop_duplicates("term").set_index("term").loc[terms]
    place = np.arange(len(terms))
    label = "Real training rows"
    ax.barh(
        place, real["real_high"] - real["real_low"], left=real["real_low"], height=0.9, color="#d9dee4", label=label
    )
    ax.vlines(real["real"], place - 0.45, place + 0.45, color="#4d4d4d", linewidth=1.2)
    for i, name in enumerate(names):
        own = table[table["generator"] == name].set_index("term").loc[terms]
        at, colour = place - 0.4 + (i + 0.5) * step, colour_of(name, styles)
        ax.hlines(at, own["low"], own["high"], color=colour, linewidth=1.3)
        ax.plot(
            own["estimate"], at, "o", color=colour, markersize=3.2, label=REFERENCES.get(name) or title_of(name, styles)
        )
    ax.axvline(0, color="#777777", linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set_yticks(place, terms)
    ax.set_ylim(len(terms) - 0.5, -0.5)
    ax.grid(axis="y", visible=False)
    ax.tick_params("y", length=0)
    ax.set_xlabel(f"log odds ratio of {outcome}, 95% interval")
    figure.legend(loc="outside upper center", ncols=3, fontsize=8)
    return with_note(figure, f"{note}\nsynthetic: {int(table['tables'].max())} tables combined")
