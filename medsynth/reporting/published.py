"""What papers say beside what a run gives, with a verdict by rule.

A study lists the paper's numbers and claims (`medsynth.reporting.publication`); each is looked up among the run's
scores and judged by the rule that the study states, never by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from medsynth.evaluation.intervals import t_interval
from medsynth.reporting.display import NOTHING, interval_text
from medsynth.reporting.publication import Item, Publication
from medsynth.reporting.styles import Styles, title_of
from medsynth.reporting.tables import with_lifts

COLUMNS = [
    "item", "where", "generator", "epochs", "published", "ours", "ci_low", "ci_high", "n_seeds", "rule", "data",
    "verdict", "evidence", "remark",
]  # fmt: skip


def published_table(
    scores: pd.DataFrame, publication: Publication, facts: Mapping[str, float], *, run: Mapping[str, str]
) -> pd.DataFrame:
    """Put every published number and claim beside ours.

    Parameters
    ----------
    scores : DataFrame
        Long table of scores of one study.
    publication : Publication
    facts : mapping of float
        raw_rows, train_rows, test_rows, columns.
    run : mapping of str
        dataset, title (of the dataset), source, target (the study's main one).

    Returns
    -------
    DataFrame
        Columns item, where, generator, epochs, published, ours, ci_low, ci_high (95 % t interval over seeds), n_seeds,
        rule (in words), data, verdict, evidence, remark; one row per item and generator. For claims of order `ours`
        is the smallest (for 'below' the largest) of the mean differences, and the interval is its own.

    Notes
    -----
    Verdicts are "agrees", "differs" or, for claims of order whose interval includes 0, "undecided"; on another
    dataset than the paper's "replicates on NAME", "does not replicate on NAME"; else "cannot be tested: <why>".
    """
    always = with_lifts(scores)
    rows = []
    for item in publication.items:
        for generator, epochs, found, holds in _look_up(item, always, facts, run["target"]):
            verdict = _verdict(item, holds, publication, facts, run)
            numbers = {"ours": found.mean, "ci_low": found.low, "ci_high": found.high, "n_seeds": found.n}
            words = {"rule": item.rule_in_words, "data": f"{run['title']}, {run['source']}", "verdict": verdict}
            rows.append(
                {
                    "item": item.item,
                    "where": item.where,
                    "generator": generator,
                    "epochs": epochs,
                    "published": item.published,
                    **numbers,
                    **words,
                    "evidence": item.evidence,
                    "remark": item.remark,
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def display_published(table: pd.DataFrame, styles: Styles) -> pd.DataFrame:
    """Lay the table of published against reproduced out for reading.

    Parameters
    ----------
    table : DataFrame
        From `published_table`.
    styles : dict

    Returns
    -------
    DataFrame
        Text: what and where, the generator, published, ours as ``mean (low, high)``, rule, verdict, remark.
    """
    rows = []
    for row in table.to_dict("records"):
        generators = re.sub("[a-z0-9_]+", lambda name: title_of(name[0], styles), row["generator"])
        ours = interval_text(row["ours"], row["ci_low"], row["ci_high"]) if row["n_seeds"] else NOTHING
        if row["n_seeds"] and abs(row["ours"]) >= 1000:
            ours = f"{row['ours']:,.0f}"
        rows.append(
            {
                "Published": row["item"],
                "Where": row["where"],
                "Of": generators or NOTHING,
                "Epochs": str(int(row["epochs"])) if row["epochs"] and pd.notna(row["epochs"]) else NOTHING,
                "Value": f"{row['published']:,g}" if pd.notna(row["published"]) else NOTHING,
                "Ours (95% CI)": ours,
                "Rule": row["rule"],
                "Verdict": row["verdict"],
                "Remark": row["remark"],
            }
        )
    return pd.DataFrame(rows)


def _look_up(item: Item, scores: pd.DataFrame, facts: Mapping, target: str) -> Iterator[tuple[str, Any, Any, Any]]:
    """Find our number: generator, epochs, interval, and whether the rule holds (True, False, None for undecided, or a
    text that says why it cannot be told)."""
    if item.family == "data":
        value = facts[item.metric]
        yield "", None, t_interval([value]), _holds(item, value)
        return
    detail = item.detail.replace("{target}", target)
    known = scores[(scores["family"] == item.family)]
    if item.rule in ("above", "below"):
        yield _order(item, known, detail)
        return
    for generator in item.generators or ["real"]:
        values = _values(known, item.metric, detail, generator)
        epochs, seeds = _at(values, item.epochs)
        found = t_interval(seeds * item.scale)
        if not found.n:
            yield generator, item.epochs, found, _absent(scores, generator)
        elif item.epochs is not None and epochs not in (item.epochs, 0):
            yield generator, epochs, found, f"{item.epochs} epochs were not run"
        elif item.rule == "best_epochs":
            means = values.groupby("epochs")["value"].mean()
            several = len(means) > 1
            yield (
                generator,
                epochs,
                found,
                bool(means.idxmax() == item.epochs) if several else "one epoch count was run",
            )
        elif item.rule == "among_top":
            ranks = _ranks(known, item.metric, detail, generator, epochs)
            found = t_interval(ranks)
            yield generator, epochs, found, _holds(item, found.mean)
        elif item.rule == "below_real":
            _, real = _at(_values(known, f"{item.metric}_real", detail, generator), epochs)
            found = t_interval((seeds - real) * item.scale)
            yield generator, epochs, found, _sign(found, -1)
        else:
            yield generator, epochs, found, _holds(item, found.mean)


def _absent(scores: pd.DataFrame, generator: str) -> str:
    """Say why there is no score of a generator."""
    return "this run has no such score" if generator in set(scores["generator"]) else f"{generator} was not run"


def _values(known: pd.DataFrame, metric: str, detail: str, generator: str) -> pd.DataFrame:
    """Scores of one generator: epochs, seed, value; the mean over details for '*'."""
    found = known[(known["metric"] == metric) & (known["generator"] == generator)]
    if detail == "*":
        return found.groupby(["epochs", "seed"])["value"].mean().reset_index()
    return found[found["detail"] == detail]


def _at(values: pd.DataFrame, epochs: int | None) -> tuple[int | None, pd.Series]:
    """Values by seed at an epoch count; at the largest if there is none such."""
    present = set(values["epochs"])
    chosen = epochs if epochs in present else max(present, default=None)
    return chosen, values[values["epochs"] == chosen].set_index("seed")["value"]


def _order(item: Item, known: pd.DataFrame, detail: str) -> tuple[str, Any, Any, Any]:
    """Compare the first generator with each of the others, seed by seed."""
    first, *others = item.generators
    sign = 1 if item.rule == "above" else -1
    name = f"{first} {item.rule} {', '.join(others)}"
    epochs, ours = _at(_values(known, item.metric, detail, first), item.epochs)
    found, verdicts = [], []
    for other in others:
        _, theirs = _at(_values(known, item.metric, detail, other), item.epochs)
        interval = t_interval((ours - theirs).dropna() * item.scale)
        if not interval.n:
            return name, item.epochs, interval, _absent(known, first if ours.empty else other)
        found.append(interval)
        verdicts.append(_sign(interval, sign))
    least = min(found, key=lambda interval: sign * interval.mean)
    if item.epochs is not None and epochs != item.epochs:
        return name, epochs, least, f"{item.epochs} epochs were not run"
    # The first of these that one of the rivals gives: why it cannot be told, lost, undecided; else won against all.
    doubts = [verdict for verdict in verdicts if isinstance(verdict, str)]
    return name, epochs, least, next((v for v in (*doubts, False, None) if v in verdicts), True)


def _sign(interval: Any, sign: int) -> bool | str | None:
    """Say whether an interval lies on one side of 0; None if it does not."""
    if interval.n < 2:
        return "two or more seeds are needed"
    low, high = sorted((sign * interval.low, sign * interval.high))
    return True if low > 0 else False if high < 0 else None


def _ranks(known: pd.DataFrame, metric: str, detail: str, generator: str, epochs: int) -> pd.Series:
    """Rank of a detail among those of the same target, 1 the highest, by seed."""
    target = detail.split(":")[0]
    scores = known[(known["metric"] == metric) & (known["generator"] == generator) & (known["epochs"] == epochs)]
    scores = scores[scores["detail"].str.startswith(f"{target}:")]
    ranked = scores.assign(rank=scores.groupby("seed")["value"].rank(ascending=False))
    return ranked[ranked["detail"] == detail].set_index("seed")["rank"]


def _holds(item: Item, value: float) -> bool:
    """Judge our mean by the item's rule."""
    if item.rule == "equals":
        # A margin is a decimal number: 0.86 is within 0.01 of 0.85.
        return abs(value - item.published) <= item.margin + 1e-9
    return value >= item.limit if item.rule == "at_least" else value <= item.limit


def _verdict(item: Item, holds: Any, publication: Publication, facts: Mapping, run: Mapping[str, str]) -> str:
    """Say what the comparison comes to on this data."""
    on_patients = item.depends_on == "patients" and item.family != "cost"
    own = run["dataset"] == publication.dataset
    if item.family == "data" and not own:
        return "cannot be tested: another dataset"
    if on_patients and run["source"] == "simulated":
        return "cannot be tested: simulated data"
    if on_patients and own and facts["raw_rows"] < publication.rows / 2:
        return f"cannot be tested: {facts['raw_rows']:,.0f} of {publication.rows:,} rows"
    if isinstance(holds, str):
        return f"cannot be tested: {holds}"
    if holds is None:
        return "undecided"
    if own or not on_patients:
        return "agrees" if holds else "differs"
    return f"replicates on {run['title']}" if holds else f"does not replicate on {run['title']}"
