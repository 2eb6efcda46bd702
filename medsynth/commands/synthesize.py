"""A synthetic table of one real table in one call: drafted, cleaned, fitted, judged on held-out rows and written."""

from __future__ import annotations

import dataclasses
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from medsynth.codebook import Codebook, Column, RawFormat
from medsynth.commands import RECOMMENDED, RECOMMENDED_PRIVATE, TEST_SHARE
from medsynth.commands.columns import describe_columns, gaps_of
from medsynth.commands.conditions import asked_of, read_conditions
from medsynth.commands.judging import judge, settled
from medsynth.commands.screen import Report
from medsynth.commands.writing import check_format, in_types_of, write_restored
from medsynth.conditions import PRESCRIBED, Conditions
from medsynth.data.opening import sha256
from medsynth.data.reading import read_raw, read_table
from medsynth.disclosure import MINIMUM_CELL_SIZE, handed_over, without_rare_categories
from medsynth.drafting import make_draft
from medsynth.errors import InputError, nearest
from medsynth.evaluation.feasibility import check_partitions, unknown_columns
from medsynth.generators import MODULES, generator_class
from medsynth.generators.guarantee import refuse_seeded
from medsynth.generators.protocol import Generator
from medsynth.preparation.checks import check_clean
from medsynth.preparation.cleaning import clean
from medsynth.preparation.imputation import make_imputer
from medsynth.preparation.partitions import persons, split, split_rows
from medsynth.preparation.restoring import FLAG, reasons, restore
from medsynth.randomness import derive_seed

log = logging.getLogger(__name__)


def synthesize(
    table: str | Path | pd.DataFrame,
    rows: int = 1_000,
    *,
    out: str | Path | None = None,
    epsilon: float | None = None,
    conditions: Mapping[str, Any] | list[str] | None = None,
    codebook: str | Path | Codebook | None = None,
    member: str | None = None,
    sheet: str | None = None,
    dictionary: str | Path | None = None,
    generator: str | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, Report]:
    """Make a synthetic table that is written as a real one is: headers, their order, codes, decimals, dates and gaps.

    A fifth of the persons is held out. The generator is fitted on the other rows, and the model that gives the table
    is judged on the held-out rows.

    Parameters
    ----------
    table : str, Path or DataFrame
        A file in any format that `medsynth.drafting.draft_codebook` reads, or a table.
    rows : int, default 1000
    out : str or Path, optional
        Where to write the table: csv, tsv or parquet by its ending. Written whole or not at all.
    epsilon : float, optional
        Budget of differential privacy of one training row; takes the recommended generator that has a guarantee.
    conditions : mapping or list of str, optional
        What every row must meet: header or clean name -> code, category, number or ``(low, high)``; or texts as
        ``"sex=female"`` and ``"age=50..60"``.
    codebook : str, Path or Codebook, optional
        An edited draft. By default the table is drafted.
    member, sheet, dictionary : optional
        For drafting; see `medsynth.drafting.draft_codebook`.
    generator : str, optional
        Name of a generator or variant in config/generators. Default: the recommended one, or with an epsilon the
        recommended one that has a budget (`medsynth.commands`).
    seed : int, default 0
        Same table and seed: same rows. Not with an epsilon, whose noise nobody can compute again.

    Returns
    -------
    table : DataFrame
        The cells as they are written; of a DataFrame in its own pandas types where they can hold them.
    report : Report

    Raises
    ------
    InputError
        One sentence: the table cannot be read, an argument does not fit, or there are too few rows. What can be
        checked is checked before anything is fitted, and no file is written.

    Examples
    --------
    >>> import medsynth
    >>> synthetic, report = medsynth.synthesize("my.csv", rows=500)  # doctest: +SKIP
    >>> print(report)  # doctest: +SKIP
    """
    _check_arguments(table, rows, out, epsilon)
    _check_libraries()
    made = _made(generator, epsilon)
    with tempfile.TemporaryDirectory() as folder:
        path = _as_file(table, Path(folder)) if isinstance(table, pd.DataFrame) else Path(table)
        how = {"member": member, "sheet": sheet, "dictionary": dictionary}
        prepared = _prepare(path, codebook, how, frame=isinstance(table, pd.DataFrame), private=made.private)
    wanted = read_conditions(conditions, prepared.codebook)
    return _synthesized(table, rows, out, made, generator or _default(epsilon), prepared, wanted, seed)


@dataclasses.dataclass(frozen=True)
class _Prepared:
    """A real table, read and cleaned.

    Attributes
    ----------
    codebook : Codebook
        The dataset's own.
    raw : DataFrame
        Cells under the file's headers.
    clean : DataFrame
    dropped : dict of str
        Column -> why cleaning dropped it.
    described : DataFrame
    to_confirm, notes : list of str
    """

    file: str
    codebook: Codebook
    raw: pd.DataFrame
    clean: pd.DataFrame
    dropped: dict[str, str]
    described: pd.DataFrame
    to_confirm: list[str]
    notes: list[str]


def _check_arguments(
    table: str | Path | pd.DataFrame, rows: int, out: str | Path | None, epsilon: float | None
) -> None:
    """Refuse what cannot work, before anything is read."""
    if rows < 1:
        raise InputError(f"'rows' must be 1 or more (given: {rows}).")
    if epsilon is not None and not epsilon > 0:
        raise InputError(f"'epsilon' must be above 0 (given: {epsilon:g}).")
    if out is None:
        return
    check_format(out)
    if not Path(out).resolve().parent.is_dir():
        raise InputError(f"The folder {Path(out).parent} of {Path(out).name} does not exist; make it first.")
    if not isinstance(table, pd.DataFrame) and Path(out).resolve() == Path(table).resolve():
        raise InputError(f"{out} is the real table itself; give the synthetic one another name.")


def _check_libraries() -> None:
    """Say which extra the judgement needs, before minutes of fitting."""
    try:
        import sdmetrics  # noqa: F401
        import xgboost  # noqa: F401
    except ImportError as error:
        raise InputError(f"{error.name} is not installed; run: pip install 'medsynth[evaluation,sdv]'.") from None


def _default(epsilon: float | None) -> str:
    """Name of the recommended generator."""
    return RECOMMENDED if epsilon is None else RECOMMENDED_PRIVATE


def _made(name: str | None, epsilon: float | None) -> Generator:
    """Make a generator by its name in config/generators; without that folder by the name of its module."""
    from medsynth.plan.loading import load_generators

    catalogue = load_generators()
    name = name or _default(epsilon)
    if name in catalogue:
        path, settings = catalogue[name].class_path, dict(catalogue[name].settings)
    elif name in MODULES:
        path, settings = f"medsynth.generators.{name}.{MODULES[name][0]}", {}
    else:
        raise InputError(f"There is no generator '{name}' in config/generators{nearest(name, catalogue or MODULES)}")
    kind = generator_class(path)
    if epsilon is not None:
        if "epsilon" not in _settings_of(kind):
            raise InputError(f"The generator '{name}' has no privacy budget; leave out 'epsilon' or '{name}'.")
        # Noise of the seed's making is for comparisons and never handed out.
        settings |= {"epsilon": epsilon, "seeded_noise": False}
    made = kind(**settings)
    refuse_seeded(made, name)
    if not made.learns:
        raise InputError(f"The generator '{name}' learns from no rows; take another one.")
    return made


def _settings_of(kind: type[Generator]) -> list[str]:
    """Names of a class's settings."""
    import inspect

    return list(inspect.signature(kind).parameters)


def _as_file(table: pd.DataFrame, folder: Path) -> Path:
    """Write a table where it can be read as any other."""
    if table.empty:
        raise InputError("The table has no rows.")
    mixed = [name for name in table if table[name].dtype == object]
    plain = table.assign(**{name: table[name].map(str, na_action="ignore") for name in mixed})
    plain.columns = [str(name) for name in table.columns]
    path = folder / "table.parquet"
    plain.to_parquet(path, index=False)
    return path


def _prepare(
    path: Path,
    codebook: str | Path | Codebook | None,
    how: Mapping[str, Any],
    *,
    frame: bool,
    private: bool,
) -> _Prepared:
    """Draft if there is no codebook, read and clean."""
    notes: list[str] = []
    to_confirm: list[str] = []
    why: dict[str, list[str]] = {}
    log.info("reading %s", "the table" if frame else path)
    if codebook is None:
        draft = make_draft(path, **how)
        own, why, to_confirm = draft.codebook, draft.reasons, draft.decisions
    else:
        own = codebook if isinstance(codebook, Codebook) else Codebook.from_yaml(codebook)
        for key in (key for key, value in how.items() if value is not None):
            raise InputError(f"A codebook and '{key}' are given, which is for drafting; leave out one of them.")
        if frame:
            changes = {"format": RawFormat(kind="parquet"), "member": None, "unnamed_index": False}
            own = own.model_copy(update={"raw": own.raw.model_copy(update=changes)})
        elif own.raw.sha256 and sha256(path, own.raw.member) != own.raw.sha256:
            notes.append("The table is not the one that the codebook was drafted from: its sha256 is another.")
    if own.raw.joined:
        raise InputError(f"The codebook {own.name} joins several tables, which a study alone can do; give one table.")
    if private:
        own = _without_dates(own)
    raw, cells = read_raw(path, own), read_table(path, own)
    described = describe_columns(own, gaps_of(cells, own), why)
    cleaned, report = clean(raw, own)
    file = "the table" if frame else path.name
    if private and codebook is None:
        notes.append(
            "The draft read ranges off the rows, which no guarantee covers. Declare possible ranges in a codebook and "
            "give it with --codebook."
        )
    return _Prepared(file, own, cells, cleaned, reasons(report), described, to_confirm, notes)


def _without_dates(codebook: Codebook) -> Codebook:
    """Leave out dates without a declared range, which would be read off the rows, and dates that are counted from them.

    A flag of who has a date stays.
    """
    without = [name for name, column in codebook.columns.items() if column.counts_dates and not column.range]
    without += [name for name in codebook.columns if set(codebook.counted_from(name)) & set(without)]
    dropped = Column(type="date", drop="a date, whose range nobody declared: not under a privacy budget")
    columns = {
        name: dropped.model_copy(update={"raw": column.raw}) if name in without else column
        for name, column in codebook.columns.items()
    }
    return codebook.model_copy(update={"columns": columns})


def _synthesized(
    table: str | Path | pd.DataFrame,
    rows: int,
    out: str | Path | None,
    made: Generator,
    name: str,
    prepared: _Prepared,
    wanted: dict[str, Any],
    seed: int,
) -> tuple[pd.DataFrame, Report]:
    """Split, fit, judge, draw, restore and write."""
    own = prepared.codebook
    _refuse_rare(wanted, prepared)
    splitting = derive_seed(seed, "split")

    def parted() -> tuple[Codebook, dict[str, pd.DataFrame]]:
        whole = own.resolved(prepared.clean, learn_ranges=False)
        return whole, split(prepared.clean, whole, test_share=TEST_SHARE, seed=splitting)

    whole, parts = parted()
    if unknown := [name for name in unknown_columns(parts["train"]) if name not in wanted]:
        left = dict.fromkeys(unknown, "no row that was learned from has a value")
        known = prepared.clean.drop(columns=unknown)
        prepared = dataclasses.replace(prepared, clean=known, dropped={**prepared.dropped, **left})
        whole, parts = parted()
    chosen = split_rows(prepared.clean, whole, test_share=TEST_SHARE, seed=splitting)
    person = {k: persons(prepared.clean, whole)[found] for k, found in chosen.items()}
    check_partitions(parts)
    # Gaps are values of their own. Generators that sample a number given the columns before it sample a gap so, too.
    # For others there is a flag beside a number, from which `restore` makes gaps again: SDV's own gaps fall anywhere.
    method = "keep" if made.keeps_gaps and made.has_visit_sequence else "category"
    imputer = make_imputer(method).fit(parts["train"], whole.resolved(parts["train"]))
    complete = {k: imputer.transform(part) for k, part in parts.items()}
    described = imputer.codebook_
    flags = [name for name in described.columns if name not in parts["train"]]
    wanted = {**wanted, **_without_gaps(wanted, flags)}
    if wanted and not made.meets_conditions:
        raise InputError(f"The generator '{name}' cannot meet conditions; take another one, or leave them out.")
    Conditions.parse(wanted, described)
    log.info("fitting %s to %d rows, %d columns", name, *complete["train"].shape)
    made.fit(complete["train"], described, seed=derive_seed(seed, "fit"), first=list(wanted))
    drawn = made.sample(rows, seed=derive_seed(seed, "rows"), conditions=wanted or None)
    drawn = described.conform(settled(drawn, complete["train"], flags))
    check_clean(drawn, described, what=f"The table that {name} sampled")
    log.info("judging it on %d rows of other persons", len(complete["test"]))
    scores = judge(made, complete, person, described, flags, seed)
    drawn, _ = without_rare_categories(drawn, prepared.clean, own, least=MINIMUM_CELL_SIZE)
    restored, left_out = _restored(drawn, prepared)
    if out is not None:
        write_restored(restored, out, own, table)
    report = Report(
        file=prepared.file,
        out="" if out is None else str(out),
        rows=len(prepared.raw),
        columns=prepared.raw.shape[1],
        written=restored.shape,
        generator=_titled(made, name),
        train_rows=len(complete["train"]),
        test_rows=len(complete["test"]),
        described=prepared.described,
        left_out=left_out,
        scores=scores,
        to_confirm=prepared.to_confirm,
        notes=[*prepared.notes, *_written_otherwise(drawn, prepared), *_notes(made, own, wanted, whole, scores)],
    )
    return (in_types_of(table, restored) if isinstance(table, pd.DataFrame) else restored), report


def _written_otherwise(drawn: pd.DataFrame, prepared: _Prepared) -> list[str]:
    """Say which cells are not written as the table has them: rare categories, and codes for missing."""
    own, notes = prepared.codebook.columns, []
    rules = {name: rule for name in drawn if name in own and (rule := own[name].rare)}
    shares = {name: float((drawn[name] == rule.label).mean()) for name, rule in rules.items()}
    if lost := [f"{name} ({share:.0%})" for name, share in shares.items() if share >= 0.005]:
        notes.append(f"Rare categories are written as one word, in these shares of the rows: {', '.join(lost)}.")
    if coded := [name for name, cells in prepared.clean.items() if own[name].missing and cells.isna().any()]:
        notes.append(f"Gaps are written as empty cells, also where the table has codes for them: {', '.join(coded)}.")
    return notes


def _refuse_rare(wanted: Mapping[str, Any], prepared: _Prepared) -> None:
    """Refuse conditions on categories that no synthetic row may show, because few patients have them."""
    for name, value in wanted.items():
        rule = prepared.codebook.columns[name].rare
        if rule is None or name not in prepared.clean:
            continue
        shown = {*handed_over(prepared.clean, prepared.codebook, name, least=MINIMUM_CELL_SIZE), rule.label}
        if rare := [category for category in map(str, asked_of(value)) if category not in {*shown, *PRESCRIBED}]:
            raise InputError(
                f"'{name}' cannot be asked to be '{rare[0]}': fewer than {MINIMUM_CELL_SIZE} persons have it, and such "
                f"categories are written as '{rule.label}'; ask for another one."
            )


def _without_gaps(wanted: Mapping[str, Any], flags: list[str]) -> dict[str, str]:
    """Ask that a number under a condition is there: flagged as missing it would become a gap."""
    return {flag: "no" for flag in flags if flag.removesuffix(FLAG) in wanted}


def _restored(drawn: pd.DataFrame, prepared: _Prepared) -> tuple[pd.DataFrame, dict[str, str]]:
    """Write rows as the raw table is written; identifiers, which restoring makes up, stay out."""
    own = prepared.codebook
    tables, dictionary = restore(drawn, own, {prepared.file: prepared.raw}, prepared.dropped)
    restored = tables[prepared.file]
    why = dict(zip(dictionary["header"], dictionary["origin"].str.removeprefix("left out: "), strict=True))
    left_out = {}
    for header in prepared.raw:
        names = [name for name, column in own.columns.items() if header in own.raw_names(name)]
        columns = [own.columns[name] for name in names]
        reason = next((column.drop for column in columns if column.drop), None)
        if any(column.type == "identifier" for column in columns):
            left_out[header] = f"an identifier{f' ({reason})' if reason else ''}"
        elif header not in restored:
            dated = any(column.type == "date" for column in columns)
            left_out[header] = reason or ("a date; 'type: integer' in the codebook keeps it" if dated else why[header])
    return restored.drop(columns=list(left_out), errors="ignore"), left_out


def _titled(made: Generator, name: str) -> str:
    """Name of the generator, with its guarantee if it has one."""
    if not made.private:
        return name
    spent = made.card()
    return f"{name} (epsilon {spent['epsilon']:.3g}, delta {spent['delta']:.2g})"


def _notes(made: Generator, own: Codebook, wanted: dict[str, Any], whole: Codebook, scores: pd.DataFrame) -> list[str]:
    """Say what the numbers and the table are, and what they are not."""
    notes = []
    if wanted:
        notes.append("Every row meets the conditions. The scores are of rows that the same model samples without them.")
    else:
        notes.append("The scores are of rows that the same model samples, as many as are held out.")
    notes.append("Intervals cover the held-out persons, and no other training run.")
    if scores.isna().any(axis=None):
        notes.append("An empty score: too few rows are held out.")
    if own.person and (whole.rows_per_person or 1) > 1:
        notes.append("Persons have several rows here. Every synthetic row is a person of its own.")
    if made.private:
        notes.append(
            "The guarantee is of the table and of one training row. It covers neither the scores nor cleaning: which "
            "categories there are, and where gaps are."
        )
    else:
        notes.append("Few near copies are no guarantee of privacy: --epsilon gives one, and a study runs attacks.")
    return notes
