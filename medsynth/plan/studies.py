"""Which studies there are, what they take their rows from, and who can run them."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from medsynth.errors import read_yaml
from medsynth.plan.loading import NoRawTableError, configuration, configured, load_runs


def paper_studies() -> list[str]:
    """Studies of a paper or its protocol, without those that vary another one (``like``)."""
    return [name for name, path in configured("studies").items() if "like" not in read_yaml(path)]


def having_data(words: Iterable[str] = ()) -> list[str]:
    """Studies of `paper_studies` whose raw table can be had.

    Parameters
    ----------
    words : iterable of str
        Settings as KEY=VALUE: with ``source=file`` it is looked for in `raw_dir`, with ``source=download`` it has an
        address.
    """
    found = []
    for name in paper_studies():
        try:
            load_runs(configuration([*words, f"studies=[{name}]"]))
        except NoRawTableError:
            continue
        found.append(name)
    return found


def described() -> pd.DataFrame:
    """Every study: name, title, dataset, source, and whose variation it is."""
    rows = []
    for name, path in configured("studies").items():
        own = read_yaml(path)
        whole = {**read_yaml(configured("studies")[own["like"]]), **own} if "like" in own else own
        rows.append((name, own["title"], whole["dataset"], whole["source"], own.get("like", "")))
    return pd.DataFrame(rows, columns=["study", "title", "dataset", "source", "like"])


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
