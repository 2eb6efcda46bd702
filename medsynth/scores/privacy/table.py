"""What attacks find, and what guarantees say they can find: tables, and figures of privacy against fidelity."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from medsynth.display.aggregation import mean_interval, paired
from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of
from medsynth.evaluation.intervals import Interval
from medsynth.scores.privacy.audit import CHOSEN
from medsynth.scores.privacy.membership import FALSE_POSITIVES, rate_metric
from medsynth.scores.privacy.parts import CONTROLS, PLANTED

ATTACK_TITLES = {"neighbours": "neighbours", "trees": "trees", "shadow": "shadow models"}
# Metric of a membership attack -> share of the others that is taken for members.
RATES = {rate_metric(rate): rate for rate in FALSE_POSITIVES}
# What tells the scores of a table apart.
WHAT = ["metric", "attack", "group", "column"]
KEYS = ["generator", "epochs", *WHAT]
# Column for reading -> its score, as in `WHAT`.
MEMBERSHIP_COLUMNS = {
    "Membership AUC": ("membership_auc", CHOSEN, "everyone", ""),
    **{f"TPR at {100 * rate:g} % FPR": (metric, CHOSEN, "everyone", "") for metric, rate in RATES.items()},
    "AUC of outliers": ("membership_auc", CHOSEN, "outliers", ""),
}
# The column that has the paired difference to the holdout beside it.
COMPARED_COLUMN = "Membership AUC"
# Where a generator has a guarantee of all rows.
GUARANTEE_COLUMNS = {
    f"Its guarantee allows at {100 * rate:g} % FPR": (f"{metric}_allowed", "", "everyone", "")
    for metric, rate in RATES.items()
}
OTHER_COLUMNS = {
    "Attribute-inference advantage": ("attribute_advantage", "", "", "mean"),
    "DCR share": ("dcr_share", "", "", ""),
    "Equal to a member": ("copies_member", "", "", ""),
    "Equal to a nonmember": ("copies_nonmember", "", "", ""),
}
# Where a study asks for them.
ANONYMETER_COLUMNS = {
    "Singling out (Anonymeter)": ("anonymeter_singling_out", "multivariate", "", ""),
    "Linkability (Anonymeter)": ("anonymeter_linkability", "", "", ""),
    "Inference (Anonymeter)": ("anonymeter_inference", "", "", "mean"),
}
# Metric that names the attack which was chosen; no score.
CHOSEN_ATTACK = "chosen_attack"


@showing_failures("attacks", WHAT)
def privacy_table(scores: pd.DataFrame) -> pd.DataFrame:
    """What attacks find out, with intervals, beside what they find where there is nothing to find.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; family ``privacy``.

    Returns
    -------
    DataFrame
        One row per generator or control, epoch count and score: generator, epochs, n_seeds (that have a value), metric,
        attack, group, column, mean, ci_low, ci_high; over_holdout, over_holdout_low, over_holdout_high: the difference
        to the same score of the holdout, paired by seed and by attacked person; smallest_leak: of how many members, in
        per cent, a table must hold copies for this score to be significantly above the holdout's, NaN if all of them
        are not enough. For ``chosen_attack`` the mean is the share of the seeds in which this attack was chosen.
    """
    privacy = scores[scores["family"] == "privacy"]
    seeds = privacy.groupby(["generator", "epochs"])["seed"].nunique()
    held = dict(list(privacy[privacy["generator"] == "holdout"].groupby(WHAT)))
    rows = []
    for key, group in privacy.groupby(KEYS):
        if key[2] == CHOSEN_ATTACK:
            # The seeds in which another attack was chosen have no row.
            share = len(group) / seeds[key[:2]]
            rows.append((*key, len(group), share, *[math.nan] * 5))
            continue
        found, over = mean_interval(group), Interval(0, *[math.nan] * 3)
        if key[0] != "holdout" and key[2:] in held:
            over = paired(group, held[key[2:]])
        rows.append((*key, *found[:4], *over[1:4]))
    columns = ["n_seeds", "mean", "ci_low", "ci_high", "over_holdout", "over_holdout_low", "over_holdout_high"]
    table = pd.DataFrame(rows, columns=[*KEYS, *columns])
    table.insert(2, "n_seeds", table.pop("n_seeds"))
    return table.assign(smallest_leak=_smallest_leaks(table).astype("float64"))


def _smallest_leaks(table: pd.DataFrame) -> pd.Series:
    """Smallest plant from which on all larger ones are noticed, for the score of each row."""
    noticed = table[table["generator"].isin(PLANTED)].assign(found=lambda rows: rows["over_holdout_low"] > 0)
    leaks = {}
    for key, group in noticed.groupby(WHAT):
        found = dict(zip(group["generator"].map(PLANTED), group["found"], strict=True))
        for percent in sorted(found, reverse=True):
            if not found[percent]:
                break
            leaks[key] = percent
    return pd.Series([leaks.get(key, math.nan) for key in table[WHAT].itertuples(index=False, name=None)])


def of_chosen(table: pd.DataFrame, metrics: Iterable[str]) -> pd.DataFrame:
    """Rows of `privacy_table` that say what the chosen attack finds among everyone, by some metrics."""
    everyone = (table["attack"] == CHOSEN) & (table["group"] == "everyone")
    return table[table["metric"].isin(metrics) & everyone]


def most_found(false_positives: float, epsilon: float, delta: float) -> float:
    """Largest share of members that any attack finds under a guarantee of differential privacy.

    Both directions of the definition, for the test of whether a row was there (Wasserman and Zhou 2010, "A statistical
    framework for differential privacy"; Kairouz, Oh and Viswanath 2015, "The composition theorem for differential
    privacy").

    Parameters
    ----------
    false_positives : float
        Share of the others that is taken for members.
    epsilon, delta : float

    Returns
    -------
    float
        In [false_positives, 1]: the smallest of 1, e^epsilon false_positives + delta, and
        1 - e^-epsilon (1 - delta - false_positives).
    """
    # Beyond this epsilon the second is above 1 at any rate of interest.
    linear = math.exp(min(epsilon, 100.0)) * false_positives + delta
    return min(1.0, linear, 1 - math.exp(-epsilon) * (1 - delta - false_positives))


def largest_delta(preparation: pd.DataFrame) -> float:
    """Largest delta that a generator's guarantee may have when it is attacked: 1 / members, half of the training rows.

    `preparation` is the table of partitions, with ``partition`` and ``rows``.
    """
    return 1 / (preparation.loc[preparation["partition"] == "train", "rows"].astype(int).max() // 2)


def with_guarantees(table: pd.DataFrame, guarantees: Mapping[str, float | None], delta: float) -> pd.DataFrame:
    """Add what guarantees allow to what attacks found.

    Parameters
    ----------
    table : DataFrame
        From `privacy_table`.
    guarantees : mapping
        Generator -> epsilon of a guarantee of all its training rows; None for none.
    delta : float

    Returns
    -------
    DataFrame
        With rows ``membership_tpr_<rate>_allowed`` of the group ``everyone`` for each generator that has a guarantee
        and was attacked.
    """
    attacked = of_chosen(table, RATES)
    held = {name: epsilon for name, epsilon in guarantees.items() if epsilon is not None}
    first = (
        attacked[attacked["generator"].isin(list(held))]
        .groupby(["generator", "epochs", "metric"], as_index=False)
        .first()
    )
    if first.empty:
        return table
    found = zip(first["generator"], first["metric"], strict=True)
    allowed = first.assign(
        metric=first["metric"] + "_allowed",
        attack="",
        mean=[most_found(RATES[metric], held[name], delta) for name, metric in found],
        **dict.fromkeys([name for name in table if name not in (*KEYS, "n_seeds", "mean")], math.nan),
    )
    return pd.concat([table, allowed[table.columns]], ignore_index=True)


def chosen_attacks(table: pd.DataFrame) -> dict[str, str]:
    """Name the membership attack that was chosen for each generator and control, several where seeds differ.

    Parameters
    ----------
    table : DataFrame
        From `privacy_table`, of one epoch count a generator.
    """
    chosen = table[table["metric"] == CHOSEN_ATTACK].sort_values(["mean", "attack"], ascending=[False, True])
    titles = chosen["attack"].map(lambda attack: ATTACK_TITLES.get(attack, attack))
    return titles.groupby(chosen["generator"], sort=False).agg(", ".join).to_dict()


def display_privacy(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the privacy table out: generators, then the controls, and the smallest leak that each column notices.

    Parameters
    ----------
    table : DataFrame
        From `privacy_table`, of one epoch count a generator, perhaps `with_guarantees`.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text.
    """
    attacks = chosen_attacks(table)
    measured = table["metric"].str.startswith("anonymeter_").any()
    guaranteed = table["metric"].str.endswith("_allowed").any()
    columns = MEMBERSHIP_COLUMNS | (GUARANTEE_COLUMNS if guaranteed else {}) | OTHER_COLUMNS
    columns |= ANONYMETER_COLUMNS if measured else {}
    beside = f"{COMPARED_COLUMN} above the holdout's"
    rows = []
    for generator in _shown(table["generator"], styles):
        found = table[table["generator"] == generator].set_index(WHAT)
        epochs = found["epochs"].iloc[0]
        row = {"Model": title_of(generator, styles, "privacy"), "Epochs": str(epochs) if epochs else NOTHING}
        row |= {"Seeds": str(found["n_seeds"].max()), "Chosen attack": attacks.get(generator, NOTHING)}
        for column, key in columns.items():
            known = key in found.index
            row[column] = interval_text(*found.loc[key, ["mean", "ci_low", "ci_high"]]) if known else NOTHING
            if column == COMPARED_COLUMN:
                over = ["over_holdout", "over_holdout_low", "over_holdout_high"]
                row[beside] = interval_text(*found.loc[key, over]) if known else NOTHING
        rows.append(row)
    leaks = table.drop_duplicates(WHAT).set_index(WHAT)["smallest_leak"]
    if table["generator"].isin(PLANTED).any():
        last = {"Model": "Smallest leak noticed", "Epochs": NOTHING, "Seeds": NOTHING, "Chosen attack": NOTHING}
        for column, key in columns.items():
            leak = leaks.get(key, math.nan)
            noticed = key[0].endswith(("_allowed", "_nonmember"))
            last[column] = NOTHING if noticed else "none" if math.isnan(leak) else f"{leak:g} % copied"
        rows.append(last | {beside: last[COMPARED_COLUMN]})
    return pd.DataFrame(rows)


def _shown(generators: Iterable[str], styles: Styles) -> list[str]:
    """Generators in the order of display, then the controls."""
    return [*in_display_order(generators, styles), *(name for name in CONTROLS if name in set(generators))]
