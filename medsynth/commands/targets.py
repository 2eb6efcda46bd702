"""Targets as people write them on a command line: ``died``, ``age>=60``, ``time=days,event=died:yes``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from medsynth.codebook import Codebook
from medsynth.commands.conditions import category_of, column_of
from medsynth.data.notation import to_plain
from medsynth.errors import InputError
from medsynth.evaluation.targets import Predicted, Target
from medsynth.scores.regression.compute import RegressionTarget
from medsynth.scores.survival.compute import TimeToEvent

_TIME_TO_EVENT = re.compile(r"time=(.+?),\s*event=(.+?)(?::(.+))?")


def read_targets(texts: Sequence[str], codebook: Codebook) -> list[Predicted]:
    """Read targets as a person writes them: classes first, then numbers, then times to an event.

    Parameters
    ----------
    texts : sequence of str
        Those of `read_target`; ``stay:regression``; ``time=days,event=died:yes``, where a binary event needs no
        category.
    codebook : Codebook

    Raises
    ------
    InputError
        There is no such column or category, or it does not fit.
    """
    classes, numbers, times = [], [], []
    for text in texts:
        followed = _TIME_TO_EVENT.fullmatch(text.strip())
        word, _, kind = text.strip().rpartition(":")
        if followed:
            times.append(_time_to_event(text, codebook, *followed.groups()))
        elif kind.strip() == "regression" and word:
            name = column_of(word.strip(), codebook)
            numbers.append(RegressionTarget(name=slug(name), column=name))
            numbers[-1].check(codebook)
        else:
            classes.append(read_target(text, codebook))
    return [*classes, *numbers, *times]


def _time_to_event(text: str, codebook: Codebook, time: str, event: str, category: str | None) -> TimeToEvent:
    """A time to an event from the words of a target."""
    names = [column_of(word.strip(), codebook) for word in (time, event)]
    column = codebook.columns[names[1]]
    if category is None and column.type != "binary":
        raise InputError(f"The target '{text}' needs a category: write 'time={time},event={event}:CATEGORY'.")
    positive = column.all_categories[1] if category is None else category_of(category.strip(), column)
    target = TimeToEvent(name=slug(f"time_to_{names[1]}"), time=names[0], event=names[1], positive=positive)
    target.check(codebook)
    return target


def read_target(text: str, codebook: Codebook) -> Target:
    """Read a target as a person writes it: ``died``, ``readmitted=<30``, ``age>=60``.

    Parameters
    ----------
    text : str
        Header or clean name; after ``=`` a category or its code, after ``>=`` a number.
    codebook : Codebook

    Raises
    ------
    InputError
        There is no such column or category, or a numeric column has no number.
    """
    word, sign, value = (part.strip() for part in (text.partition(">=") if ">=" in text else text.partition("=")))
    name = column_of(word, codebook)
    column = codebook.columns[name]
    facts: dict[str, Any] = {"name": slug(name), "column": name}
    if column.counts_dates:
        raise InputError(
            f"The target '{text}' is a date; take a column that says what happened, or 'time=' and 'event='."
        )
    if column.drop or column.type in ("date", "identifier"):
        raise InputError(f"The target '{text}': {name} is not in the clean table ({column.drop or column.type}).")
    if column.numeric:
        if sign != ">=":
            low, high = column.range or (0, 100)
            raise InputError(
                f"The target '{text}' is a column of numbers; say from which number on, such as "
                f"'{word}>={(low + high) / 2:.3g}', or '{word}:regression'."
            )
        plain = to_plain(value, column.notation)
        try:
            number = float(value if plain is None else plain)
        except ValueError:
            raise InputError(f"The target '{text}' needs a number after '>='.") from None
        facts |= {"name": slug(f"{name}_{number:g}_or_more"), "at_least": number}
    elif sign == ">=":
        raise InputError(f"The target '{text}': {name} has categories and no numbers; write '{word}=CATEGORY'.")
    elif sign:
        facts["positive"] = category_of(value, column)
        facts["name"] = slug(name if column.type == "binary" else f"{name}_{value}")
    elif column.type == "binary":
        facts["positive"] = column.all_categories[1]
    target = Target(**facts)
    target.check(codebook)
    return target


def slug(text: str) -> str:
    """A name for paths and scores."""
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9]+", "_", text.lower())).strip("_")
