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
    "item", "where", "generator", "epochs", "published", "published_low", "published_high", "ours", "ci_low",
    "ci_high", "n_seeds", "rule", "data", "verdict", "evidence", "remark",
]  # fmt: skip
DISPLAYED = ["Published", "Where", "Of", "Epochs", "Value", "Ours (95% CI)", "Rule", "Verdict", "Remark"]


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
        raw_rows, rows (that the run used), train_rows, test_rows, columns.
    run : mapping of str
        dataset, title (of the dataset), source, target (the study's main one).

    Returns
    -------
    DataFrame
        Columns item, where, generator, epochs, published, published_low, published_high, ours, ci_low, ci_high (95 % t
        interval over seeds), n_seeds, rule (in words), data, verdict, evidence, remark; one row per item and generator.
        For claims of order `ours` is the smallest (for 'below' the largest) of the mean differences, and the interval
        is its own.

    Notes
    -----
    Verdicts are "agrees", "differs" or, for claims of order whose interval includes 0, "undecided"; on another
    dataset than the paper's "replicates on NAME", "does not replicate on NAME"; else "cannot be tested: <why>".
    """
    always = with_lifts(scores)
    rows = []
    own = run["dataset"] == publication.dataset
    items = publication.items if own else _replicable(publication.items, always, run["target"])
    for item in items:
        for generator, epochs, found, holds in _look_up(item, always, facts, run["target"]):
            verdict = _verdict(item, holds, publication, facts, run)
            numbers = {"ours": found.mean, "ci_low": found.low, "ci_high": found.high, "n_seeds": found.n}
            data = f"{run['title']}, {run['source']}, {facts['rows']:,.0f} rows"
            words = {"rule": item.rule_in_words, "data": data, "verdict": verdict}
            rows.append(
                {
                    "item": item.item,
                    "where": item.where,
                    "generator": generator,
                    "epochs": epochs,
                    "published": item.published,
                    "published_low": item.interval[0] if item.interval else None,
                    "published_high": item.interval[1] if item.interval else None,
                    **numbers,
                    **words,
                    "evidence": item.evidence.replace("{generator}", generator),
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
                "Value": _as_published(row),
                "Ours (95% CI)": ours,
                "Rule": row["rule"],
                "Verdict": row["verdict"],
                "Remark": row["remark"],
            }
        )
    # The header also where a run can speak to none of the claims.
    return pd.DataFrame(rows, columns=DISPLAYED)


def _as_published(row: dict[str, Any]) -> str:
    """The published number with its interval, in the paper's digits."""
    if pd.isna(row["published"]):
        return NOTHING
    interval = f" ({row['published_low']:g}, {row['published_high']:g})" if pd.notna(row["published_low"]) else ""
    return f"{row['published']:,.10g}{interval}"


def _replicable(items: list[Item], scores: pd.DataFrame, target: str) -> Iterator[Item]:
    """Items that another population can speak to: orders and claims, judged at the largest epoch count that was run.

    An accuracy or a mean of other columns of other patients replicates nothing, nor can a cohort be asked for that the
    study does not have.
    """
    details = set(scores["detail"])
    for item in items:
        if item.rule == "equals" or item.family == "data":
            continue
        if item.detail not in ("", "*") and item.detail.replace("{target}", target) not in details:
            continue
        yield item if item.rule == "best_epochs" else item.model_copy(update={"epochs": None})


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
        yield _order(item, scores, detail)
        return
    for generator in item.generators or ["real"]:
        values = _values(known, item.metric, detail, generator)
        epochs, seeds = _at(values, item.epochs)
        if item.minus:
            seeds = (seeds - _at(_values(known, item.metric, detail, item.minus), item.epochs)[1]).dropna()
        found = t_interval(seeds * item.scale)
        if not found.n:
            yield generator, item.epochs, found, _absent(scores, generator)
        elif item.epochs is not None and epochs not in (item.epochs, 0):
            yield generator, epochs, found, f"{item.epochs} epochs were not run"
        elif item.rule == "best_epochs":
            yield generator, epochs, *_best(values, item)
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


def _best(values: pd.DataFrame, item: Item) -> tuple[Any, Any]:
    """Compare one epoch count with every other one, seed by seed: smallest difference, and whether all are above 0."""
    by_epochs = values.pivot(index="seed", columns="epochs", values="value")
    others = [epochs for epochs in by_epochs if epochs != item.epochs]
    if not others:
        return t_interval([]), "one epoch count was run"
    found = [t_interval((by_epochs[item.epochs] - by_epochs[other]).dropna() * item.scale) for other in others]
    return min(found, key=lambda interval: interval.mean), _all([_sign(interval, 1) for interval in found])


def _all(verdicts: list[bool | str | None]) -> bool | str | None:
    """Sum comparisons up: why one cannot be told, lost against one, undecided against one; else won."""
    doubts = [verdict for verdict in verdicts if isinstance(verdict, str)]
    return next((verdict for verdict in (*doubts, False, None) if verdict in verdicts), True)


def _order(item: Item, scores: pd.DataFrame, detail: str) -> tuple[str, Any, Any, Any]:
    """Compare the first generator with each of the others, seed by seed."""
    known = scores[scores["family"] == item.family]
    first, *others = item.generators
    sign = 1 if item.rule == "above" else -1
    name = f"{first} {item.rule} {', '.join(others)}"
    epochs, ours = _at(_values(known, item.metric, detail, first), item.epochs)
    found, verdicts, counts = [], [], {epochs}
    for other in others:
        other_epochs, theirs = _at(_values(known, item.metric, detail, other), item.epochs)
        interval = t_interval((ours - theirs).dropna() * item.scale)
        if not interval.n:
            return name, item.epochs, interval, _absent(scores, first if ours.empty else other)
        counts.add(other_epochs)
        found.append(interval)
        verdicts.append(_sign(interval, sign))
    least = min(found, key=lambda interval: sign * interval.mean)
    if item.epochs is not None and counts - {item.epochs, 0}:
        return name, epochs, least, f"{item.epochs} epochs were not run"
    return name, epochs, least, _all(verdicts)


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
    if on_patients and run["source"] == "simulated":
        return "cannot be tested: simulated data"
    if (own or item.family == "cost") and facts["rows"] < publication.rows / 2:
        return f"cannot be tested: {facts['rows']:,.0f} of {publication.rows:,} rows"
    if isinstance(holds, str):
        return f"cannot be tested: {holds}"
    if holds is None:
        return "undecided"
    if own or not on_patients:
        return "agrees" if holds else "differs"
    return f"replicates on {run['title']}" if holds else f"does not replicate on {run['title']}"
