"""A study of one table, proposed from its codebook and its rows: ``medsynth study NAME --target COLUMN``.

What is a guess carries a comment, and what is doubtful is a comment itself. Groups of patients are found by the words
of headers; categories, bands and predictors by the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from medsynth.codebook import CODED, Codebook
from medsynth.commands import RECOMMENDED, TEST_SHARE
from medsynth.commands.targets import read_targets, slug
from medsynth.commands.writing import write_whole
from medsynth.data.identifiers import words_of
from medsynth.data.reading import read_raw
from medsynth.errors import InputError, nearest, printable
from medsynth.evaluation.targets import Predicted, Target
from medsynth.plan.loading import CONFIG, configured, load_runs
from medsynth.plan.settings import Cleaning, Config, Scale
from medsynth.preparation.cleaning import clean
from medsynth.preparation.restoring import reasons
from medsynth.scores.regression.compute import RegressionTarget
from medsynth.scores.survival.compute import TimeToEvent

# Compared in a study unless others are named: the recommended one and its usual rivals.
COMPARED = tuple(dict.fromkeys((RECOMMENDED, "med_vae_plus", "cart", "gaussian_copula", "ctgan", "tvae")))
# Words of headers that say what kind of patients a column tells apart.
_SEX = {"sex", "gender", "geschlecht", "sexe", "sexo"}
_AGE = {"age", "alter", "anchor"}
_ETHNICITY = {"race", "ethnicity", "ethnic", "ethnie", "ethnicgroup", "ancestry"}
# Most categories of a column whose categories are groups of patients.
_MOST_GROUPS = 8
# A group has so many rows at least, and this share of them.
_LEAST_ROWS, _LEAST_SHARE = 40, 0.05
_MOST_COHORTS = 8
# Events of the rarer class for each term of a logistic model (Peduzzi et al. 1996), and the most predictors.
_EVENTS, _MOST_PREDICTORS = 10, 8
# A column that tells the target alone this well may be known only afterwards: a remark; and is one: left out.
_TELLS, _GIVES_AWAY = 0.95, 0.99
_BINS = 20


def write_study(
    name: str,
    targets: Sequence[str],
    *,
    generators: Sequence[str] = COMPARED,
    raw_dir: str | Path = Config.model_fields["raw_dir"].default,
    force: bool = False,
) -> Path:
    """Propose a study of a dataset and write it to ``config/studies/<name>.yaml`` of the working folder.

    The study has subgroups, cohorts and a logistic model of this table, scales that fit its rows, and nothing of any
    paper. It is checked as the workflow checks it; a file that does not pass is removed again.

    Parameters
    ----------
    name : str
        Of a codebook in config/datasets; the study's, too.
    targets : sequence of str
        What is predicted, the main one first: ``"died"``, ``"readmitted=<30"`` (a category or code), ``"age>=60"``.
        Beside one of these, ``"stay:regression"`` is a number and ``"time=days,event=died:yes"`` a time to an event.
    generators : sequence of str
        Names in config/generators.
    raw_dir : str or Path, default "resources/raw"
        The raw table lies in ``<raw_dir>/<name>/``.
    force : bool, default False
        Whether a file that is there is replaced.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        One sentence: there is no such codebook, raw table, column or category, the target has one class, or the file
        is there.
    """
    datasets = configured("datasets")
    if name not in datasets:
        raise InputError(
            f"There is no codebook '{name}' in config/datasets; 'medsynth draft' writes one{nearest(name, datasets)}"
        )
    path = CONFIG / "studies" / f"{name}.yaml"
    if path.exists() and not force:
        raise InputError(f"{path} is there already; edit it, remove it, or say --force to replace it.")
    codebook = Codebook.from_yaml(datasets[name])
    table, dropped = _clean_table(codebook, Path(raw_dir))
    read = read_targets(targets, codebook)
    if not any(isinstance(target, Target) for target in read):
        beside = " of classes beside these" if read else ""
        raise InputError(f"A study needs a target{beside}: name what is predicted with --target COLUMN.")
    for target in read:
        _check_target(target, table, dropped)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, propose_study(codebook, table, read, generators))
    try:
        for scale in ("smoke", "laptop", "paper"):
            load_runs({"studies": [name], "scale": scale, "raw_dir": str(raw_dir)}, where="the proposed study")
    except InputError:
        if before is None:
            path.unlink()
        else:
            write_whole(path, before)
        raise
    return path


def _clean_table(codebook: Codebook, raw_dir: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table as studies clean it, and why columns are not in it."""
    files = [raw_dir / codebook.name / file for file in codebook.raw.files]
    files = [path if path.is_file() else Path(f"{path}.gz") for path in files]
    absent = [path for path in files if not path.is_file()]
    if absent:
        raise InputError(
            f"The raw table {str(absent[0]).removesuffix('.gz')} does not exist: put it there, or name its folder with "
            "--raw-dir."
        )
    raw = read_raw(files[0], codebook, joined=files[1:])
    table, report = clean(raw, codebook, max_missing=Cleaning().max_missing)
    return table, reasons(report)


def _check_target(target: Predicted, table: pd.DataFrame, dropped: dict[str, str]) -> None:
    """Refuse a target that the clean table does not have, or that is the same in all rows."""
    for name in target.made_of:
        if name not in table:
            raise InputError(f"The target '{target.name}' needs {name}, which studies leave out: {dropped[name]}.")
    known = table[table[target.made_of].notna().all(axis=1)]
    if lacking := target.lacks(known):
        raise InputError(f"The target '{target.name}' has {lacking[0]} in the {len(known):,} rows that have it.")


@dataclass(frozen=True)
class _Group:
    """Patients whom a column tells apart: an item of `subgroups`, a comment, and conditions of cohorts."""

    column: str
    bands: list[float]
    doubt: str
    cohorts: list[tuple[str, Any]]


def propose_study(
    codebook: Codebook, table: pd.DataFrame, targets: Sequence[Predicted], generators: Sequence[str] = COMPARED
) -> str:
    """Propose a study of a clean table.

    Parameters
    ----------
    codebook : Codebook
        The dataset's own.
    table : DataFrame
        Cleaned by it; cells may be missing.
    targets : sequence of Predicted
        The main one first, which has classes.
    generators : sequence of str

    Returns
    -------
    str
        YAML with comments.
    """
    groups = list(_groups(codebook, table))
    classes = [target for target in targets if isinstance(target, Target)]
    # A day of the calendar tells when a patient was seen, and not what for.
    calendar = [name for name in table if codebook.columns[name].counts_dates and not codebook.columns[name].since]
    alone = [_alone(target, table.drop(columns=calendar)) for target in classes]
    rows = len(table)
    lines = [
        f"# Study of {_plain(codebook.title)} ({rows:,} rows), proposed from its codebook. Keys: config/README.md",
        "# Groups, cohorts and the logistic model are guesses: please check them, and every line that has a comment.",
        f"name: {codebook.name}",
        f"title: {_flow(codebook.title)}",
        f"dataset: {codebook.name}",
        "source: file",
        "seed: 1",
        f"test_share: {TEST_SHARE}",
        "",
        "imputation:",
        "  method: forest",
        "  max_fit_rows: 4000",
        "",
        f"generators: {_flow(list(generators))}",
        "",
        "targets:",
    ]
    for target, found in zip(classes, alone, strict=True):
        lines += _target_lines(target, found, _follow_ups(target, targets))
    lines += [*_other_lines("regression", RegressionTarget, targets), *_other_lines("survival", TimeToEvent, targets)]
    lines += ["", *_subgroup_lines(groups), "", *_cohort_lines(groups, classes, table)]
    lines += ["", *_model_lines(classes, alone, groups, table), "", "scales:"]
    for name, numbers in scales_for(rows).items():
        lines.append(f"  {name}:")
        lines += [f"    {key}: {_flow(value)}" for key, value in numbers.items()]
    return "\n".join(lines) + "\n"


def scales_for(rows: int) -> dict[str, dict[str, Any]]:
    """Numbers of the three scales that fit a table of so many rows."""
    scales: dict[str, dict[str, Any]] = {
        "smoke": {"rows": 600, "epochs": [1, 2], "seeds": [1, 2], "attacked_seeds": 1},
        "laptop": {"rows": 6_000, "epochs": [10, 30], "seeds": [1, 2, 3], "attacked_seeds": 1},
        "paper": {"rows": rows, "epochs": [100, 200, 300], "shown_epochs": 200, "seeds": [1, 2, 3, 4]},
    }
    for numbers in scales.values():
        used = min(rows, numbers["rows"])
        held_out = round(TEST_SHARE * used)
        most = {key: Scale.model_fields[key].default for key in ("utility_rows", "test_rows", "fidelity_rows")}
        numbers["rows"] = "all" if used == rows else used
        numbers["utility_rows"] = max(1, min(most["utility_rows"], used - held_out))
        numbers["test_rows"] = max(1, min(most["test_rows"], held_out))
        numbers["fidelity_rows"] = max(1, min(most["fidelity_rows"], held_out // 2))
    scales["smoke"]["cohort_sample_rows"] = 60
    return scales


def _groups(codebook: Codebook, table: pd.DataFrame) -> Iterator[_Group]:
    """Columns that tell patients apart by sex, ethnicity or age, by the words of their headers; else by anything."""
    found = []
    for words in (_SEX, _ETHNICITY, _AGE):
        name = next((name for name in table if words & _words(name, codebook)), None)
        column = codebook.columns[name] if name else None
        if name is None or column is None:
            continue
        if column.numeric and words is _AGE:
            bands = _bands(table[name].dropna())
            if bands:
                found.append(_Group(name, bands, "", [(f"{name} {bands[-1]:g} or more", [bands[-1], None])]))
        elif column.type in CODED and 2 <= table[name].nunique() <= _MOST_GROUPS:
            found.append(_Group(name, [], "", _frequent(table[name])))
    yield from found
    if found:
        return
    for name in (name for name in table if codebook.columns[name].type in CODED):
        counts = table[name].value_counts()
        if 2 <= len(counts) <= 5 and counts.min() >= 2 * _LEAST_SHARE * len(table):
            yield _Group(name, [], "are these groups of patients?", _frequent(table[name]))
            return


def _words(name: str, codebook: Codebook) -> set[str]:
    """Words of a column's name and headers."""
    return set().union(words_of(name), *(words_of(header) for header in codebook.raw_names(name)))


def _frequent(values: pd.Series) -> list[tuple[str, Any]]:
    """Categories that many rows have, the most frequent first: title, condition."""
    counts = values.value_counts()
    least = max(_LEAST_ROWS, _LEAST_SHARE * len(values))
    return [(f"{values.name}: {category}", str(category)) for category, count in counts.items() if count >= least]


def _bands(values: pd.Series) -> list[float]:
    """Where bands begin: quartiles, rounded to fives, each band with many rows."""
    step = 5.0 if values.max() - values.min() > 20 else 1.0
    starts = sorted({float(step * round(q / step)) for q in values.quantile([0.25, 0.5, 0.75])})
    starts = [start for start in starts if values.min() < start <= values.max()]
    counts = np.histogram(values, [-np.inf, *starts, np.inf])[0]
    least = min(_LEAST_ROWS, _LEAST_SHARE * len(values))
    return starts if len(starts) and counts.min() >= least else []


def _alone(target: Target, table: pd.DataFrame) -> dict[str, float]:
    """How well each other column tells the main class of a target by itself: ROC AUC, highest first."""
    from sklearn.metrics import roc_auc_score

    known = table[table[target.made_of].notna().all(axis=1)].reset_index(drop=True)
    labels = target.labels(known)
    y = labels == (1 if len(target.classes(known)) == 2 else np.bincount(labels).argmax())
    found = {}
    for name in target.predictors(known):
        values = known[name]
        if not isinstance(values.dtype, pd.CategoricalDtype) and not pd.api.types.is_numeric_dtype(values):
            continue
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > _BINS:
            values = pd.qcut(values, _BINS, duplicates="drop")
        group = pd.factorize(values, use_na_sentinel=False)[0]
        shares = pd.Series(y).groupby(group).transform("mean")
        found[name] = float(roc_auc_score(y, shares))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _follow_ups(target: Target, targets: Sequence[Predicted]) -> list[str]:
    """Columns of follow-up until what makes a target."""
    times = [other for other in targets if isinstance(other, TimeToEvent)]
    return [other.time for other in times if other.event in target.made_of]


def _target_lines(target: Target, alone: dict[str, float], follow_ups: Sequence[str] = ()) -> list[str]:
    """A target, with what may give it away."""
    facts = target.model_dump(exclude_defaults=True)
    first, *others = (f"{key}: {_flow(value)}" for key, value in facts.items())
    lines = [f"  - {first}", *(f"    {line}" for line in others)]
    given_away = [name for name, auc in alone.items() if auc >= _GIVES_AWAY and name not in follow_ups]
    doubtful = [name for name, auc in alone.items() if _TELLS <= auc < _GIVES_AWAY and name not in follow_ups]
    if given_away or follow_ups:
        why = [f"each tells it alone, AUC {_GIVES_AWAY} or more"] if given_away else []
        why += ["follow-up"] if follow_ups else []
        lines.append(f"    not_predictors: {_flow([*given_away, *follow_ups])}  # {', or '.join(why)}: right?")
    if doubtful:
        lines.append(f"    # known only afterwards, too? AUC above {_TELLS} alone: {_flow(doubtful)}")
    return lines


def _other_lines(key: str, kind: type[Predicted], targets: Sequence[Predicted]) -> list[str]:
    """Targets of numbers or times, which the columns of the other targets do not predict."""
    lines = []
    for target in (target for target in targets if isinstance(target, kind)):
        others = dict.fromkeys(name for other in targets for name in other.made_of if name not in target.made_of)
        first, *facts = (f"{key}: {_flow(value)}" for key, value in target.model_dump(exclude_defaults=True).items())
        lines += [f"  - {first}", *(f"    {fact}" for fact in facts)]
        hidden = f"    not_predictors: {_flow(list(others))}  # and what else is known only afterwards?"
        lines.append(hidden if others else "    # not_predictors: what is known only afterwards?")
    return ["", f"{key}:", *lines] if lines else []


def _subgroup_lines(groups: list[_Group]) -> list[str]:
    """Groups that should be as frequent, and predicted as well."""
    lines = []
    for group in groups:
        facts: dict[str, Any] = {"column": group.column, **({"bands": group.bands} if group.bands else {})}
        lines.append(f"  - {_flow(facts)}{f'  # {group.doubt}' if group.doubt else ''}")
    return ["subgroups:", *lines] if lines else ["# subgroups: no column is called sex, age or ethnicity"]


def _cohort_lines(groups: list[_Group], targets: Sequence[Target], table: pd.DataFrame) -> list[str]:
    """Patients that generators are asked for: frequent groups, and two at once."""
    wanted = [(title, {group.column: value}) for group in groups for title, value in group.cohorts]
    for target in targets:
        if target.positive and target.column:
            title, asked = f"{target.column}: {target.positive}", {target.column: target.positive}
            if (title, asked) not in wanted and (table[target.column] == target.positive).sum() >= _LEAST_ROWS:
                wanted.insert(0, (title, asked))
    wanted = wanted[: _MOST_COHORTS - 1]
    pair = [one for one in wanted if len(one[1]) == 1]
    if len(pair) > 1:
        other = next((one for one in pair[1:] if one[1].keys() != pair[0][1].keys()), None)
        if other:
            wanted.append((f"{pair[0][0]}, {other[0]}", {**pair[0][1], **other[1]}))
    if not wanted:
        return ["# cohorts: no group has rows enough"]
    lines, taken = ["cohorts:"], set()
    for number, (title, where) in enumerate(wanted, start=1):
        name = slug(title)
        name = name if name[:1].isalpha() and name not in taken else f"cohort_{number}"
        taken.add(name)
        lines.append(f"  - {_flow({'name': name, 'title': title, 'group': 'Patients', 'where': where})}")
    return lines


def _model_lines(
    targets: Sequence[Target], alone: list[dict[str, float]], groups: list[_Group], table: pd.DataFrame
) -> list[str]:
    """The logistic model: groups first, then what tells the outcome best, as many terms as there are events for."""
    place = next((i for i, t in enumerate(targets) if t.positive or t.at_least is not None), None)
    if place is None:
        return ["# inference: needs a target of two classes, such as COLUMN=CATEGORY"]
    outcome, found = targets[place], alone[place]
    known = table[table[outcome.made_of].notna().all(axis=1)]
    left = int(np.bincount(outcome.labels(known), minlength=2).min() * (1 - TEST_SHARE)) // _EVENTS
    chosen: list[str] = []
    for name in dict.fromkeys([*(group.column for group in groups), *found]):
        terms = 1 if pd.api.types.is_numeric_dtype(table[name]) else table[name].nunique() - 1
        if name in found and found[name] < _TELLS and 1 <= terms <= min(left, _MOST_GROUPS):
            chosen.append(name)
            left -= terms
        if len(chosen) == _MOST_PREDICTORS:
            break
    if not chosen:
        return ["# inference: the rarer class has too few rows for a predictor"]
    facts = outcome.model_dump(exclude_defaults=True, exclude={"not_predictors"})
    return [
        "# Groups, then the columns that tell the outcome best alone: is this the model that you would fit?",
        "inference:",
        f"  outcome: {_flow(facts)}",
        f"  predictors: {_flow(chosen)}",
    ]


def _flow(value: Any) -> str:
    """Write a value for YAML on one line; whole numbers without a point."""
    text = yaml.safe_dump(
        _whole(value), default_flow_style=True, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    return str(text).removesuffix("\n...\n").removesuffix("\n")


def _whole(value: Any) -> Any:
    """Whole numbers as such, also inside lists and mappings."""
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(text: str) -> str:
    """Text of a comment, which stays on its line."""
    return printable(text, " ")
