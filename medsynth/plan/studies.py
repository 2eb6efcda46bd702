"""Which studies there are, what they take their rows from, and who can run them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from medsynth.errors import InputError
from medsynth.plan.loading import NoRawTableError, configuration, configured, load_runs, read_study


def _content(name: str) -> dict[str, Any]:
    """A study file's keys; what is no mapping has none, and loading it says so."""
    content = read_study(name)[1]
    return content if isinstance(content, dict) else {}


def paper_studies() -> list[str]:
    """Studies that judge a paper's numbers and claims (``published``)."""
    return [name for name in configured("studies") if _content(name).get("published")]


def having_data(words: Iterable[str] = ()) -> list[str]:
    """Studies of `paper_studies` whose raw table can be had.

    Parameters
    ----------
    words : iterable of str
        Settings as KEY=VALUE: with ``source=file`` it is looked for in `raw_dir`, with ``source=download`` it has an
        address.

    Raises
    ------
    InputError
        There is none.
    """
    found, why = [], ""
    for name in paper_studies():
        try:
            load_runs(configuration([*words, f"studies=[{name}]"]))
        except NoRawTableError as error:
            why = str(error)
            continue
        found.append(name)
    if not found:
        raise InputError(f"The studies of papers lack their raw tables; the last one says: {why}")
    return found


def described() -> pd.DataFrame:
    """Every study: name, title, dataset, source, and whose variation it is."""
    keys = ["title", "dataset", "source", "like"]
    rows = [(name, *(_content(name).get(key, "") for key in keys)) for name in configured("studies")]
    return pd.DataFrame(rows, columns=["study", *keys])


def said_of_simulated(words: Iterable[str] = ()) -> str:
    """Say which of the configured studies are simulated, and how to run public ones on patients; empty if none is."""
    names = [name for name, run in load_runs(configuration(words)).items() if run.source == "simulated"]
    if not names:
        return ""
    verb = "was" if len(names) == 1 else "were"
    public = listed(having_data(["source=download"]))
    return f"{listed(names)} {verb} simulated: no row is a patient. 'make real' runs {public} on real patients.\n"


def listed(names: list[str]) -> str:
    """Names as a sentence has them."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
