"""The table of rows that no patient can be."""

from __future__ import annotations

import pandas as pd

from medsynth.disclosure import WITHHELD
from medsynth.display.aggregation import at_last_epochs, side_by_side
from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.failures import showing_failures
from medsynth.display.styles import Styles, in_display_order, title_of


@showing_failures("table")
def violations_table(scores: pd.DataFrame) -> pd.DataFrame:
    """How often rows are what no patient can be, with intervals over seeds.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study; metric ``violations`` of family ``fidelity``.

    Returns
    -------
    DataFrame
        One row per generator at its largest epoch count: generator, epochs, n_seeds, and for each constraint, by name,
        and ``any`` (last) the mean share of rows that violate it, ``_low`` and ``_high``; NaN where the share of one
        seed's rows, which are real ones, is withheld.
    """
    found = at_last_epochs(scores[(scores["family"] == "fidelity") & (scores["metric"] == "violations")])
    rules = sorted(found["rule"].unique(), key=lambda rule: (rule == "any", rule))
    return side_by_side(found, ["generator", "epochs"], rules, of="rule", withheld=True)


def display_violations(table: pd.DataFrame, constraints: dict[str, str], styles: Styles) -> pd.DataFrame:
    """Lay the violations out, a row a generator, a column a constraint: violated by so many of 1,000 rows.

    Parameters
    ----------
    table : DataFrame
        From `violations_table`.
    constraints : dict
        Name -> title, in order of display; those that the table lacks (cleaning dropped a column) are left out.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.

    Returns
    -------
    DataFrame
        Text. Real rows first, then generators, the holdout and the lower reference.
    """
    shown = {rule: title for rule, title in (constraints | {"any": "any constraint"}).items() if rule in table}
    table = table.astype({"n_seeds": str}).set_index("generator")
    rows = []
    for generator in ["real", *in_display_order(table.index, styles), "holdout", "independent"]:
        if generator not in table.index:
            continue
        found = table.loc[generator]
        row = {"Model": title_of(generator, styles), "Epochs": str(found["epochs"] or NOTHING)}
        row["Seeds"] = found["n_seeds"]
        for rule, title in shown.items():
            shares = found[[rule, f"{rule}_low", f"{rule}_high"]].astype("float64")
            # Of all rows alone real ones lack shares though no job failed.
            withheld = generator in ("real", "holdout") and shares.isna().all()
            share, low, high = 1000 * shares
            row[title] = WITHHELD if withheld else interval_text(share, low, high, digits=1)
        rows.append(row)
    return pd.DataFrame(rows, columns=["Model", "Epochs", "Seeds", *shown.values()])
