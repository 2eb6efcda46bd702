"""Draft the codebook of a table that is new to the project: ``medsynth draft my.csv``.

The draft is a start, not a truth: every guess that a person must confirm is a comment in it. It is proven before it is
given: by it the table is read, cleaned and restored to the cells that it has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.data.asking import propose_not_applicable
from medsynth.data.date_proposals import flag_dates, propose_dates
from medsynth.data.notation import decimal_mark
from medsynth.data.proof import prove
from medsynth.data.proposals import Column, ColumnFacts, Proposal
from medsynth.data.reading import Recognised, recognise
from medsynth.data.redcap import Dictionary, read_dictionary
from medsynth.data.rules import Rule, rules_of
from medsynth.data.types import person_of, propose
from medsynth.errors import InputError, plain_yaml, printable, validate

# Relations that are said in one sentence.
MOST_SAID = 3
_YAML_WORDS = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}


@dataclass(frozen=True)
class Draft:
    """A drafted codebook and what led to it.

    Attributes
    ----------
    text : str
        YAML with comments, as `draft_codebook` returns it.
    codebook : Codebook
        What the YAML says.
    table : DataFrame
        The file's cells as text, under its own headers.
    decisions : list of str
        Sentences that a person should confirm.
    reasons : dict of list
        Column -> its comments, but for that which counts cells.
    """

    text: str
    codebook: Codebook
    table: pd.DataFrame
    decisions: list[str]
    reasons: dict[str, list[str]]


def draft_codebook(
    path: str | Path,
    *,
    name: str | None = None,
    member: str | None = None,
    sheet: str | None = None,
    dictionary: str | Path | None = None,
) -> str:
    """Draft a codebook from a table in any usual format.

    Parameters
    ----------
    path : str or Path
        csv, tsv, xlsx, xls, ods, parquet, SPSS, Stata or SAS; also packed.
    name : str, optional
        The dataset's name; by default made of the file's.
    member : str, optional
        The table inside a zip that holds several.
    sheet : str, optional
        Of a workbook; by default the first large one.
    dictionary : str or Path, optional
        The data dictionary of REDCap, as it exports it in csv: types, choices, validation and branching are its.

    Returns
    -------
    str
        YAML that is valid as it stands, and proven: it cleans and restores the table. Comments give each column's
        missing share and why it was taken for what; those at the top say what a person should confirm.

    Raises
    ------
    InputError
        The file cannot be read, or has no column with a value.
    """
    return make_draft(path, name=name, member=member, sheet=sheet, dictionary=dictionary).text


def make_draft(
    path: str | Path,
    *,
    name: str | None = None,
    member: str | None = None,
    sheet: str | None = None,
    dictionary: str | Path | None = None,
) -> Draft:
    """Draft a codebook and keep what led to it; parameters and errors are those of `draft_codebook`."""
    path = Path(path)
    found = recognise(path, member=member, sheet=sheet)
    known = read_dictionary(dictionary) if dictionary else None
    proposals = _proposals(found, known)
    name = name or dataset_name(path)
    # Whatever does not come back as it was is left out, with the reason; then the rest is proven again.
    for _ in range(3):
        text = _written(path, name, found, proposals)
        codebook = validate(plain_yaml(text), Codebook, where=f"the draft of {path}")
        failed, cleaned = prove(path, codebook, found.table)
        if cleaned is not None and not failed:
            rules = rules_of(cleaned, codebook)
            text = _written(path, name, found, proposals, rules)
            reasons = {made.name: [why for key, why in made.comments.items() if key] for made in proposals}
            return Draft(text, codebook, found.table, _said(found, proposals, rules), reasons)
        for made in proposals:
            if made.name in failed:
                kept: ColumnFacts = {"raw": made.facts["raw"]} if "raw" in made.facts else {}
                made.facts = {
                    **kept,
                    "type": "categorical",
                    "drop": f"it does not come back as it was: {failed[made.name]}",
                }
                made.restored, made.identifies = None, False
                made.decisions.append(f"{made.name}: left out, for {failed[made.name]}.")
        dropped = {made.name for made in proposals if "drop" in made.facts}
        for made in proposals:
            if made.restored and dropped & set(made.restored[1]):
                made.restored = None
    raise InputError(f"{path}: no draft gives the table back ({'; '.join(sorted(failed.values()))}).")


def _proposals(found: Recognised, known: Dictionary | None) -> list[Proposal]:
    """Propose every column, under names that are its own."""
    counts = {header: found.table[header].value_counts().drop("", errors="ignore") for header in found.table}
    mark = decimal_mark(list(counts.values()))
    if mark == ",":
        found.notes.append("Decimals are marked by commas.")
    taken: set[str] = set()
    proposals = []
    for header in found.table.columns:
        name = _free_name(_clean_name(header), taken, set(map(_clean_name, found.table.columns)))
        codes, missing = found.codes.get(header, {}), found.missing.get(header, [])
        column = Column(name, header, found.table[header], dict(codes), list(missing), mark)
        made = (known.propose(column) if known else None) or propose(column)
        for proposal in made:
            if proposal.name != name:
                new = _free_name(proposal.name, taken, set(map(_clean_name, found.table.columns)))
                for other in made:
                    if other.restored:
                        named = [new if n == proposal.name else n for n in other.restored[1]]
                        other.restored = (other.restored[0], named)
                proposal.name = new
            label = found.labels.get(header)
            if label and "description" not in proposal.facts:
                proposal.facts["description"] = label
            taken.add(proposal.name)
        taken.add(name)
        proposals += made
    if known:
        known.branch(proposals, found.table)
    propose_dates(proposals, found.table)
    propose_not_applicable(proposals, found.table)
    headers = set(map(_clean_name, found.table.columns))
    flag_dates(proposals, found.table, lambda name: _free_name(name, taken | headers, headers))
    if not any(_has_values(made) or "date" in made.facts.get("notation", {}) for made in proposals):
        raise InputError("The table has no column to synthesize: all are empty, identifiers or free text.")
    person = person_of(proposals, counts, len(found.table))
    if person:
        person.decisions = [f"{person.name}: taken for the person, whom rows share; partitions are by person."]
        person.facts["_person"] = True
    return proposals


def _has_values(made: Proposal) -> bool:
    """Whether a column says something of patients other than when they were seen."""
    counted = "date" in made.facts.get("notation", {})
    return "drop" not in made.facts and made.facts["type"] not in ("date", "identifier") and not counted


def _free_name(name: str, taken: set[str], headers: set[str]) -> str:
    """A name that no column has, and no flag of imputation will get: bmi_missing beside bmi is bmi_missing_2."""
    number, free = 2, name
    clashes = name.endswith("_missing") and name.removesuffix("_missing") in headers
    while free in taken or clashes:
        free, clashes = f"{name}_{number}", False
        number += 1
    return free


def _written(path: Path, name: str, found: Recognised, proposals: list[Proposal], rules: Sequence[Rule] = ()) -> str:
    """Write the draft."""
    from medsynth.data.opening import sha256

    person = next((made.name for made in proposals if made.facts.get("_person")), None)
    said = _said(found, proposals, rules)
    lines = [
        f"# Draft made from {_comment(path.name)} ({len(found.table):,} rows). Check every line that has a comment.",
        *(["# Please confirm:"] if said else []),
        *(f"# - {_comment(sentence)}" for sentence in said),
        f"name: {name}",
        f"title: {name}",
        "publisher: unknown  # who publishes it?",
        "licence: unknown  # under which terms?",
        "raw:",
        f"  file: {_text(path.name)}",
        *([f"  member: {_text(found.member)}"] if found.member else []),
        f"  sha256: {sha256(path, found.member)}",
        "  obtain: ask whoever wrote this codebook  # how does a person get the file?",
        *(["  unnamed_index: true"] if found.unnamed_index else []),
    ]
    written = found.written.model_dump(exclude_defaults=True)
    if written:
        lines.append("  format:")
        lines += [f"    {key}: {_value(value)}" for key, value in written.items()]
    lines.append(
        f"person: {_text(person) if person else 'null'}  # the column that identifies a person, if rows can share one"
    )
    lines.append("columns:")
    for made in proposals:
        lines.append(f"  {_text(made.name)}:{_aside(made, '')}")
        lines += [
            f"    {key}: {_value(value)}{_aside(made, key)}"
            for key, value in made.facts.items()
            if not key.startswith("_")
        ]
    restored = [(made.header, *made.restored) for made in proposals if made.restored]
    if restored:
        lines.append("restored:")
        for header, transform, columns in restored:
            lines += [f"  {_text(header)}:", f"    made_from: {_value(columns)}", f"    transform: {transform}"]
    if constraints := [constraint for rule in rules for constraint in rule.constraints]:
        lines += ["# Nothing in the rows breaks these. Uncomment those that no patient can break.", "# constraints:"]
        lines += [f"#   - {_value(one.model_dump(exclude_defaults=True))}" for one in constraints]
    return "\n".join(lines) + "\n"


def _said(found: Recognised, proposals: list[Proposal], rules: Sequence[Rule] = ()) -> list[str]:
    """Sentences at the top of the draft."""
    said = [*found.notes, *_gathered([decision for made in proposals for decision in made.decisions])]
    kept = [made for made in proposals if _has_values(made)]
    if len(kept) == 1:
        said.append(f"{kept[0].name} is the only column with values: nothing can predict it.")
    if rules:
        further = f", and {len(rules) - MOST_SAID} more" if len(rules) > MOST_SAID else ""
        said.append(f"In every row: {', '.join(rule.said for rule in rules[:MOST_SAID])}{further}. Is that a law?")
    return said


def _gathered(decisions: list[str]) -> list[str]:
    """Say once what is said of several columns."""
    of: dict[str, list[str]] = {}
    for decision in decisions:
        column, sentence = decision.split(": ", 1)
        of.setdefault(sentence, []).append(column)
    return [f"{', '.join(dict.fromkeys(columns))}: {sentence}" for sentence, columns in of.items()]


def _aside(made: Proposal, key: str) -> str:
    """The comment behind a line."""
    return f"  # {_comment(made.comments[key])}" if key in made.comments else ""


def _comment(text: str) -> str:
    """Text that stays on its line."""
    return printable(text, " ")


def dataset_name(path: str | Path) -> str:
    """Make a dataset's name of a file's."""
    return _clean_name(Path(path).name.split(".")[0])


def _clean_name(header: str) -> str:
    """Make a column or dataset name: lower case, digits and underscores, a letter first."""
    name = re.sub(r"\W+", "_", header.strip().lower(), flags=re.ASCII).strip("_")
    return name if name[:1].isalpha() else f"x_{name}".rstrip("_")


def _value(value: object) -> str:
    """Write a fact for YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(str(key))}: {_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        whole = float(value).is_integer() and abs(value) < 1e15 if math.isfinite(value) else False
        return str(int(value)) if whole else repr(float(value))
    return _text(str(value))


def _text(value: str) -> str:
    """Write text for YAML on one line, quoted where YAML would read something else into it; controls escaped."""
    if re.fullmatch(r"[A-Za-z][A-Za-z_0-9]*( [A-Za-z_]+)*", value) and value.lower() not in _YAML_WORDS:
        return value
    return '"' + "".join(map(_character, value)) + '"'


def _character(c: str) -> str:
    """Write a character inside double quotes of YAML."""
    if c in '"\\':
        return f"\\{c}"
    if c in "\t\n":
        return {"\t": "\\t", "\n": "\\n"}[c]
    if c.isprintable():
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
