"""What papers say beside what a run gives, with a verdict by rule.

A study lists the paper's numbers and claims (`medsynth.scores.published.publication`); each is looked up among the
run's scores and judged by the rule that the study states, never by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from medsynth.display.aggregation import GAINS, averaged, mean_interval, paired, replicates_of
from medsynth.display.cells import NOTHING, interval_text
from medsynth.display.styles import Styles, title_of
from medsynth.evaluation.intervals import Interval, holm, interval
from medsynth.evaluation.resampling import ABOUT, About
from medsynth.scores.published.publication import EVERY, Item, Publication
from medsynth.scores.utility.table import gain_in_words, gain_of, utility_scores

SIGNIFICANT = 0.05

COLUMNS = [
    "item", "where", "generator", "epochs", "published", "published_low", "published_high", "ours", "ci_low",
    "ci_high", "n_seeds", "p_value", "rule", "decides", "data", "verdict", "evidence", "remark",
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
        Columns item, where, generator, epochs, published, published_low, published_high, ours, ci_low, ci_high,
        n_seeds, p_value (of a claim, after Holm's correction for all claims of the paper that this run can speak to),
        rule (in words), decides, data, verdict, evidence, remark; one row per item and generator. Of several rivals
        `ours`, its interval and the p-value are those of the one that `decides`: of the clearest rival that is on the
        other side, and where there is none of the least clear one. A claim that a rival refutes has had a chance with
        each, so that its p-value is multiplied by their number before Holm's correction.

    Notes
    -----
    A published number agrees if ours lies within a margin, and differs if it does not. A claim agrees or differs only
    where that is significant at 5 %, else it is "undecided". On another dataset than the paper's, "replicates on NAME"
    or "does not replicate on NAME"; else "cannot be tested: <why>".
    """
    own = run["dataset"] == publication.dataset
    items = list(publication.items if own else _replicable(publication.items, scores, run["target"]))
    found = [(item, one) for item in items for one in _look_up(item, scores, facts, run["target"])]
    # Claims that this data can speak to are one family; what cannot be tested takes nothing from the others.
    spoken = [not (one.doubt or _untestable(item, publication, facts, run)) for item, one in found]
    adjusted = holm([one.p_value if tested else np.nan for (_, one), tested in zip(found, spoken, strict=True)])
    rows = []
    for (item, one), p_value in zip(found, adjusted, strict=True):
        rows.append(
            {
                "item": item.item,
                "where": item.where,
                "generator": one.name,
                "epochs": one.epochs,
                "published": item.published,
                "published_low": item.interval[0] if item.interval else None,
                "published_high": item.interval[1] if item.interval else None,
                "ours": one.ours.mean,
                "ci_low": one.ours.low,
                "ci_high": one.ours.high,
                "n_seeds": one.ours.n,
                "p_value": p_value,
                "rule": item.rule_in_words,
                "decides": one.decides,
                "data": f"{run['title']}, {run['source']}, {facts['rows']:,.0f} rows",
                "verdict": _verdict(item, one, p_value, publication, facts, run),
                "evidence": item.evidence.replace("{generator}", one.name),
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
        if row["decides"]:
            ours = f"{ours}, from {title_of(row['decides'], styles)}"
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
    """Items that another population speaks to, at the paper's epoch count, or at the largest that was run.

    A cohort cannot be asked for that the study does not have. Numbers stand beside the published ones without a
    verdict: an accuracy on other patients replicates nothing.
    """
    run = set(scores["epochs"])
    for item in items:
        if item.family == "data":
            continue
        about = _filled(item, target)
        if set(item.about.values()) - {EVERY} and not _is_about(scores, about).any():
            continue
        yield item if item.rule == "best_epochs" or item.epochs in run else item.model_copy(update={"epochs": None})


@dataclass(frozen=True)
class Found:
    """What a run says of one item.

    Attributes
    ----------
    name : str
        Generator, or the comparison in words.
    epochs : int or None
    ours : Interval
    holds : bool or None
        Whether the rule holds, for rules about a number; whether the direction does, for claims; None if that is open.
    p_value : float
        Of the claim's direction being chance; NaN for rules about a number.
    doubt : str
        Why nothing can be said; empty if something can.
    decides : str
        Of several rivals, the one whose difference `ours` and `p_value` are.
    """

    name: str
    epochs: int | None
    ours: Interval
    holds: bool | None = None
    p_value: float = np.nan
    doubt: str = ""
    decides: str = ""


def _look_up(item: Item, scores: pd.DataFrame, facts: Mapping, target: str) -> Iterator[Found]:
    """Find our number, and whether the rule holds."""
    if item.family == "data":
        value = float(facts[item.metric])
        # A count of rows or columns has no error: it is on the right side of its limit or it is not.
        match item.rule:
            case "at_least":
                holds = value >= _limit(item)
            case "at_most":
                holds = value <= _limit(item)
            case _:
                holds = _within(item, value)
        yield Found("", None, interval([value]), holds)
        return
    about = _filled(item, target)
    known = scores[scores["family"] == item.family]
    if item.rule in ("above", "below"):
        yield _order(item, scores, about)
        return
    for generator in item.generators or ["real"]:
        if item.metric in GAINS.values():
            yield _gain(item, scores, about, generator)
            continue
        values = _values(known, item.metric, about, generator)
        epochs, own = _at(values, item.epochs)
        if item.minus:
            found = paired(own, _at(_values(known, item.metric, about, item.minus), item.epochs)[1], item.scale)
        else:
            found = _scaled(mean_interval(own, item.metric), item.scale)
        if not found.n:
            yield Found(generator, item.epochs, found, doubt=_absent(scores, generator))
        elif item.epochs is not None and epochs not in (item.epochs, 0):
            yield Found(generator, epochs, found, doubt=f"{item.epochs} epochs were not run")
        elif item.rule == "best_epochs":
            yield _best(values, item, generator)
        elif item.rule == "among_top":
            lead = _lead(item, known, about, generator, epochs)
            yield Found(generator, epochs, lead, lead.mean > 0, lead.p_value, _doubt(lead))
        elif item.rule == "below_real":
            found = paired(own, _at(_values(known, item.metric, about, "real"), None)[1], item.scale)
            doubt = _doubt(found) if found.n else _absent(scores, "real")
            yield Found(generator, epochs, found, found.mean < 0, found.p_value, doubt)
        elif item.rule == "equals":
            yield Found(generator, epochs, found, _within(item, found.mean))
        else:
            yield _limited(item, generator, epochs, found)


def _scaled(found: Interval, scale: float) -> Interval:
    """An interval in other units."""
    return found._replace(
        mean=found.mean * scale, low=found.low * scale, high=found.high * scale, variance=found.variance * scale**2
    )


def _absent(scores: pd.DataFrame, generator: str) -> str:
    """Say why there is no score of a generator."""
    return "this run has no such score" if generator in set(scores["generator"]) else f"{generator} was not run"


def _filled(item: Item, target: str) -> About:
    """What the scores of an item are about, with the study's main target filled in."""
    # Only fields that are words: `Item` accepts no other.
    fields: dict[str, Any] = {key: value.replace("{target}", target) for key, value in item.about.items()}
    return About(**fields)


def _is_about(scores: pd.DataFrame, about: About) -> pd.Series:
    """Which scores are about this and nothing else; ``*`` stands for whatever there is."""
    wanted = {key: value for key, value in about._asdict().items() if value != EVERY}
    same = [scores[key].isna() if value is None else scores[key] == value for key, value in wanted.items()]
    some = [scores[key] != "" for key in set(ABOUT) - set(wanted)]
    return pd.concat([*same, *some], axis=1).all(axis=1)


def _values(known: pd.DataFrame, metric: str, about: About, generator: str) -> pd.DataFrame:
    """Scores of one generator: epochs, seed, value, variance, replicates; the mean over all for '*'."""
    found = known[(known["metric"] == metric) & (known["generator"] == generator)]
    found = found[_is_about(found, about)]
    return averaged(found, ["epochs", "seed"]) if EVERY in about else found


def _at(values: pd.DataFrame, epochs: int | None) -> tuple[int | None, pd.DataFrame]:
    """Scores at an epoch count; at the largest if there is none such."""
    present = set(values["epochs"])
    chosen = epochs if epochs in present else max(present, default=None)
    return chosen, values[values["epochs"] == chosen]


def _gain(item: Item, scores: pd.DataFrame, about: About, generator: str) -> Found:
    """A normalised gain, with Fieller's interval."""
    metric = next(metric for metric, name in GAINS.items() if name == item.metric)
    known = scores[scores["family"] == item.family]
    epochs, own = _at(utility_scores(_values(known, metric, about, generator)), item.epochs)
    if own.empty:
        return Found(generator, item.epochs, interval([]), doubt=_absent(scores, generator))
    ratio, of_real = gain_of(utility_scores(known), own, metric)
    n = int(own["value"].notna().sum())
    if np.isnan(ratio.value):
        return Found(generator, epochs, interval([]), doubt=f"{gain_in_words(of_real)}, not clearly above 0")
    # The standard error that Fieller's interval is as wide as, for the p-value of the limit.
    variance = ((ratio.high - ratio.low) / (2 * stats.norm.ppf(0.975))) ** 2
    ours = Interval(n, ratio.value * item.scale, ratio.low * item.scale, ratio.high * item.scale, variance)
    return _limited(item, generator, epochs, ours)


def _limited(item: Item, generator: str, epochs: int | None, found: Interval) -> Found:
    """Judge a number by its limit: on which side is it, and could that be chance?"""
    at_least = item.rule == "at_least"
    distance = found._replace(mean=found.mean - _limit(item))
    holds = bool(distance.mean >= 0 if at_least else distance.mean <= 0)
    return Found(generator, epochs, found, holds, distance.p_value, _doubt(found))


def _limit(item: Item) -> float:
    """The limit of an item whose rule needs one, and which has it for that."""
    assert item.limit is not None, f"'{item.item}' has the rule '{item.rule}'"
    return item.limit


def _doubt(found: Interval) -> str:
    """Why an interval cannot be judged, if it has no ends."""
    return "" if not np.isnan(found.low) else "two or more seeds are needed"


def _best(values: pd.DataFrame, item: Item, generator: str) -> Found:
    """Compare one epoch count with every other one."""
    by_epochs = dict(list(values.groupby("epochs")))
    others = [epochs for epochs in by_epochs if epochs != item.epochs]
    if not others:
        return Found(generator, item.epochs, interval([]), doubt="one epoch count was run")
    found = {f"{other} epochs": paired(by_epochs[item.epochs], by_epochs[other], item.scale) for other in others}
    if doubt := next((doubt for one in found.values() if (doubt := _doubt(one))), ""):
        return Found(generator, item.epochs, next(iter(found.values())), doubt=doubt)
    return _all(Found(generator, item.epochs, interval([])), found, 1)


def _order(item: Item, scores: pd.DataFrame, about: About) -> Found:
    """Compare the first generator with each of the others, by seed and by person."""
    known = scores[scores["family"] == item.family]
    first, *others = item.generators
    sign = 1 if item.rule == "above" else -1
    name = f"{first} {item.rule} {', '.join(others)}"
    epochs, ours = _at(_values(known, item.metric, about, first), item.epochs)
    found, counts = {}, {epochs}
    for other in others:
        other_epochs, theirs = _at(_values(known, item.metric, about, other), item.epochs)
        difference = paired(ours, theirs, item.scale)
        if not difference.n:
            return Found(name, item.epochs, difference, doubt=_absent(scores, first if ours.empty else other))
        if doubt := _doubt(difference):
            return Found(name, epochs, difference, doubt=doubt)
        counts.add(other_epochs)
        found[other] = difference
    doubt = f"{item.epochs} epochs were not run" if item.epochs is not None and counts - {item.epochs, 0} else ""
    return _all(Found(name, epochs, interval([]), doubt=doubt), found, sign)


def _all(about: Found, rivals: Mapping[str, Interval], sign: int) -> Found:
    """Sum comparisons up: a claim holds where all of them do, and fails where one does.

    That all have their direction is as improbable by chance as the least clear of them; that one has the other
    direction, as the clearest of those that have it, for each of which there was a chance.
    """
    against = {rival: found for rival, found in rivals.items() if sign * found.mean <= 0}
    if against:
        decides = min(against, key=lambda rival: against[rival].p_value)
        p_value = min(1.0, against[decides].p_value * len(rivals))
    else:
        decides = max(rivals, key=lambda rival: rivals[rival].p_value)
        p_value = rivals[decides].p_value
    named = decides if len(rivals) > 1 else ""
    return replace(about, ours=rivals[decides], holds=not against, p_value=p_value, decides=named)


def _lead(item: Item, known: pd.DataFrame, about: About, generator: str, epochs: Any) -> Interval:
    """How far one column is ahead of the one that would keep it from the first `limit` of its target.

    Ranks would not do: where every seed has the same, they seem to be free of chance.
    """
    own = known[(known["metric"] == item.metric) & (known["generator"] == generator) & (known["epochs"] == epochs)]
    own = own[_is_about(own, about._replace(column=EVERY))]
    values, variances = [], []
    for _, of_seed in own.groupby("seed"):
        itself = (of_seed["column"] == about.column).to_numpy()
        replicates = [one for one in replicates_of(of_seed) if one is not None]
        found = [of_seed[["value"]].to_numpy(), *([np.vstack(replicates)] if len(replicates) == len(of_seed) else [])]
        ahead = [(one[itself] - _largest(one[~itself], round(_limit(item))))[0] for one in found]
        values.append(ahead[0][0])
        variances.append(np.nanvar(ahead[1], ddof=1) if len(ahead) > 1 else np.nan)
    return interval(values, variances)


def _largest(values: np.ndarray, n: int) -> np.ndarray | float:
    """The n-th largest of each column of numbers; 0, the least importance, where there are fewer."""
    return np.sort(values, axis=0)[-n] if len(values) >= n else 0.0


def _within(item: Item, value: float) -> bool:
    """Judge our mean by the item's margin, a decimal number: 0.86 is within 0.01 of 0.85."""
    assert item.published is not None and item.margin is not None, f"'{item.item}' has the rule '{item.rule}'"
    return bool(abs(value - item.published) <= item.margin + 1e-9)


def _verdict(item: Item, found: Found, adjusted: float, publication: Publication, facts: Mapping, run: Mapping) -> str:
    """Say what the comparison comes to on this data."""
    doubt = _untestable(item, publication, facts, run) or found.doubt
    if doubt:
        return f"cannot be tested: {doubt}"
    if found.holds is None or (not np.isnan(found.p_value) and adjusted >= SIGNIFICANT):
        return "undecided"
    own = run["dataset"] == publication.dataset
    on_patients = item.depends_on == "patients" and item.family != "cost"
    if own or not on_patients:
        return "agrees" if found.holds else "differs"
    return f"replicates on {run['title']}" if found.holds else f"does not replicate on {run['title']}"


def _untestable(item: Item, publication: Publication, facts: Mapping, run: Mapping[str, str]) -> str:
    """Say why this data cannot test an item; empty if it can."""
    if item.depends_on == "patients" and item.family != "cost" and run["source"] == "simulated":
        return "simulated data"
    own = run["dataset"] == publication.dataset
    if not own and item.rule == "equals" and item.family != "cost":
        return "a number of other patients"
    if (own or item.family == "cost") and facts["rows"] < publication.rows / 2:
        return f"{facts['rows']:,.0f} of {publication.rows:,} rows"
    return ""
