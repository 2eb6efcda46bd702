"""REDCap's data dictionary as a codebook: types, choices, validation ranges, branching, identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

import pandas as pd

from medsynth.data.proposals import Column, Proposal
from medsynth.data.reading import recognise
from medsynth.errors import InputError

# Headers of the export of a project, and of its API.
_HEADERS = {
    "field": ("variable / field name", "field_name"),
    "type": ("field type", "field_type"),
    "label": ("field label", "field_label"),
    "choices": ("choices, calculations, or slider labels", "choices or calculations", "select_choices_or_calculations"),
    "validation": ("text validation type or show slider number", "text_validation_type_or_show_slider_number"),
    "low": ("text validation min", "text_validation_min"),
    "high": ("text validation max", "text_validation_max"),
    "identifier": ("identifier?", "identifier"),
    "branching": ("branching logic (show field only if...)", "branching_logic"),
}
_FLAGS = {"yesno": {"0": "no", "1": "yes"}, "truefalse": {"0": "false", "1": "true"}}
_CATEGORY = "not applicable"
_CONDITION = re.compile(r"""\[(\w+)(?:\((\w+)\))?\]\s*(=|<>|!=|<=|>=|<|>)\s*['"]?(-?[\w.]*)['"]?""")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass
class Dictionary:
    """The fields of a data dictionary; `propose` describes a column by it, `branch` adds its branching logic."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)

    def propose(self, column: Column) -> list[Proposal] | None:
        """Describe a raw column; None if the dictionary does not know it, or says less of it than its values do.

        Parameters
        ----------
        column : Column
        """
        header = column.header.strip().lower()
        checkbox = re.fullmatch(r"(\w+?)___(\w+)", header)
        if checkbox and checkbox[1] in self.fields:
            return [self._checkbox(column, self.fields[checkbox[1]], checkbox[2])]
        if header.endswith("_complete") and header not in self.fields:
            return [column.proposal("categorical", drop="REDCap's own state of a form")]
        known = self.fields.get(header)
        if known is None:
            return None
        made = self._described(column, known)
        if made and known["label"]:
            made.facts["description"] = " ".join(re.sub(r"<[^>]*>", " ", known["label"]).split())
            if made.header != made.name:
                made.facts = {"raw": made.header, **made.facts}
            made.comments.setdefault("", f"{(column.values == '').mean():.1%} empty, {len(column.counts):,} values")
        return [made] if made else None

    def _described(self, column: Column, known: dict[str, str]) -> Proposal | None:
        """Describe a column by its field."""
        kind = known["type"].lower()
        first = next(iter(self.fields.values())) is known
        if column.kept.empty:
            return column.proposal("categorical", drop="it holds no value")
        if known["identifier"].lower() in ("y", "yes", "1") or first:
            made = column.proposal("identifier", "REDCap's record" if first else "an identifier by the dictionary")
            if not first:
                made.facts["drop"] = "an identifier by the dictionary"
            made.identifies = first
            return made
        if kind in ("notes", "file", "descriptive", "signature"):
            return column.proposal("categorical", drop=f"REDCap's {kind}")
        if kind in _FLAGS:
            return self._coded(column, _FLAGS[kind])
        if kind in ("radio", "dropdown"):
            return self._coded(column, _choices(known["choices"]))
        validation = known["validation"].lower()
        if kind == "text" and validation.startswith(("date", "time")):
            return column.proposal("date")
        if kind in ("calc", "slider") or validation.startswith(("integer", "number")):
            return self._numeric(column, known)
        return None

    def _coded(self, column: Column, choices: dict[str, str]) -> Proposal | None:
        """Categories by the choices; None where cells are labels, or codes that the dictionary lacks."""
        if set(column.kept.index) <= set(choices):
            seen = choices
            made = column.proposal("binary" if len(seen) == 2 else "categorical", codes=_distinct(seen))
            return made
        if set(column.kept.index) <= set(choices.values()):
            categories = list(dict.fromkeys(choices.values()))
            return column.proposal("binary" if len(categories) == 2 else "categorical", categories=categories)
        return None

    def _numeric(self, column: Column, known: dict[str, str]) -> Proposal | None:
        """Numbers within the range of the validation, widened to what is there; None where cells are words."""
        from medsynth.data.types import propose

        made, *others = propose(column)
        if others or made.facts["type"] not in ("integer", "continuous") or "range" not in made.facts:
            return None
        low, high = made.facts["range"]
        given = (_number(known["low"]), _number(known["high"]))
        bounds = [low if given[0] is None else min(low, given[0]), high if given[1] is None else max(high, given[1])]
        made.facts["range"] = bounds
        outside = (given[0] is not None and low < given[0]) or (given[1] is not None and high > given[1])
        made.comments["range"] = "as validated" if None not in given else "as seen; what is possible?"
        if outside:
            made.comments["range"] = (
                f"REDCap validates {known['low'] or '-'} to {known['high'] or '-'}; some lie outside"
            )
            made.decisions.append(f"{made.name}: some values lie outside of what REDCap validates.")
        made.facts.pop("raw", None)
        return made

    def _checkbox(self, column: Column, known: dict[str, str], code: str) -> Proposal:
        """One choice of a checkbox, which is a column of its own."""
        choice = {key.lower().replace("-", "_"): label for key, label in _choices(known["choices"]).items()}
        label = choice.get(code, code)
        states = {"0": "no", "1": "yes"}
        if set(column.kept.index) <= {"Unchecked", "Checked"}:
            states = {"Unchecked": "no", "Checked": "yes"}
        if column.kept.empty or not set(column.kept.index) <= set(states):
            made = column.proposal("categorical", drop="it holds no state of a checkbox")
        else:
            made = column.proposal("binary", codes=states)
        made.facts["description"] = f"{' '.join(known['label'].split())}: {label}"
        if made.header != made.name:
            made.facts = {"raw": made.header, **made.facts}
        made.comments[""] = f"{(column.values == '').mean():.1%} empty"
        return made

    def branch(self, proposals: list[Proposal], table: pd.DataFrame) -> None:
        """Add "not applicable" where a field is shown under a condition that another column decides.

        Parameters
        ----------
        proposals : list of Proposal
            Changed in place. Conditions that a codebook cannot say stay comments, and those of a number or date that
            rows have all the same.
        table : DataFrame
            Text, under the file's headers.
        """
        by_field = {made.header.strip().lower(): made for made in proposals}
        for header, made in by_field.items():
            own = re.sub(r"___\w+$", "", header)
            logic = self.fields.get(own, {}).get("branching", "").strip()
            if not logic or "drop" in made.facts:
                continue
            when = self._when(logic, by_field)
            has_categories = made.facts["type"] in ("categorical", "binary", "ordinal")
            counted = made.facts["type"] in ("integer", "continuous", "date")
            kept = when and (has_categories or (counted and not _told(made, when, by_field, table).any()))
            if not when or not kept or not self._unconditional(when):
                made.comments["type"] = f"asked only if {' '.join(logic.split())}: say 'not_applicable' if you can"
                continue
            if not has_categories:
                made.facts["not_applicable"] = {"when": when}
                continue
            if made.facts["type"] == "binary":
                made.facts["type"] = "categorical"
            made.facts["not_applicable"] = {"codes": [], "category": _CATEGORY, "when": when}

    def _unconditional(self, when: dict[str, str | list[str]]) -> bool:
        """Whether the columns that decide are always asked."""
        named = {re.sub(r"___\w+$", "", name) for name in when}
        return not any(self.fields.get(name, {}).get("branching", "").strip() for name in named)

    def _when(self, logic: str, by_field: dict[str, Proposal]) -> dict[str, str | list[str]] | None:
        """The categories of columns with which a field is not shown; None if a codebook cannot say them.

        It can say "one of these categories of a column, and one of those of another". So conditions with "or" may be of
        any columns, and those with "and" of one.
        """
        hidden: dict[str, list[str]] = {}
        for part in re.split(r"\s+or\s+", _without_parentheses(logic), flags=re.I):
            ways = [_hiding(one, by_field) for one in re.split(r"\s+and\s+", _without_parentheses(part), flags=re.I)]
            found = [way for way in ways if way is not None]
            if len(found) < len(ways) or len({name for name, _ in found}) > 1:
                return None
            name, among = found[0][0], {category for _, categories in found for category in categories}
            known = hidden.get(name, _categories(by_field, name))
            hidden[name] = [category for category in known if category in among]
        if not all(hidden.values()):
            return None
        return {name: found[0] if len(found) == 1 else found for name, found in hidden.items()}


def _without_parentheses(logic: str) -> str:
    """Take away what surrounds the whole: ``([a] = '1' or [b] = '1')``, and not the pair of ``[a(1)]``."""
    logic = logic.strip()
    while logic.startswith("(") and logic.endswith(")"):
        depths = list(accumulate({"(": 1, ")": -1}.get(letter, 0) for letter in logic))
        if 0 in depths[:-1]:
            break
        logic = logic[1:-1].strip()
    return logic


def _codes(proposal: Proposal) -> dict[str, str]:
    """Raw code -> category of a coded column; empty for others."""
    if "drop" in proposal.facts:
        return {}
    return proposal.facts.get("codes") or {name: name for name in proposal.facts.get("categories", [])}


def _categories(by_field: dict[str, Proposal], name: str) -> list[str]:
    """Categories of the column of a name, in order."""
    return next(list(dict.fromkeys(_codes(one).values())) for one in by_field.values() if one.name == name)


def _hiding(condition: str, by_field: dict[str, Proposal]) -> tuple[str, list[str]] | None:
    """The column that decides a condition, and its categories that do not meet it; None if that is not clear."""
    parsed = _CONDITION.fullmatch(_without_parentheses(condition))
    if not parsed:
        return None
    name, code, sign, value = parsed.groups()
    decides = by_field.get((f"{name}___{code}" if code else name).lower())
    codes = _codes(decides) if decides else {}
    if decides is None or not codes:
        return None
    compared: dict[str, Any] = {one: one for one in codes}
    limit: Any = value
    if sign in ("=", "<>", "!="):
        if value not in codes:
            return None
    else:
        compared, limit = {one: _number(one) for one in codes}, _number(value)
        if limit is None or None in compared.values():
            return None
    met = [codes[one] for one, given in compared.items() if _SIGNS[sign](given, limit)]
    return decides.name, [category for category in dict.fromkeys(codes.values()) if category not in met]


def _told(
    made: Proposal, when: dict[str, str | list[str]], by_field: dict[str, Proposal], table: pd.DataFrame
) -> pd.Series:
    """Rows that have a value though the field is not shown there."""
    told = ~table[made.header].isin(["", *made.facts.get("missing", [])])
    for decides in by_field.values():
        if decides.name in when:
            hidden = when[decides.name]
            told &= table[decides.header].map(_codes(decides)).isin([hidden] if isinstance(hidden, str) else hidden)
    return told


def read_dictionary(path: str | Path) -> Dictionary:
    """Read a data dictionary that REDCap exported.

    Parameters
    ----------
    path : str or Path
        csv.

    Raises
    ------
    InputError
        It lacks the column of fields or that of types.
    """
    table = recognise(path).table
    headers = {header.strip().strip('"').lower(): header for header in table.columns}
    found = {key: next((headers[n] for n in names if n in headers), None) for key, names in _HEADERS.items()}
    absent = [_HEADERS[key][0] for key in ("field", "type") if found[key] is None]
    if absent:
        raise InputError(
            f"{path} lacks the column '{absent[0]}' of a REDCap data dictionary; export it in Project Setup, "
            "'Download the current Data Dictionary'."
        )
    fields = {}
    for row in table.to_dict("records"):
        entry = {key: row[header] if header else "" for key, header in found.items()}
        fields[entry["field"].lower()] = entry
    return Dictionary(fields)


def _choices(text: str) -> dict[str, str]:
    """Choices such as ``1, Female | 2, Male``: code -> label."""
    pairs = (part.split(",", 1) for part in text.split("|") if "," in part)
    return {code.strip(): " ".join(re.sub(r"<[^>]*>", " ", label).split()) for code, label in pairs}


def _distinct(choices: dict[str, str]) -> dict[str, str]:
    """Choices whose labels are all different."""
    labels = list(choices.values())
    return {code: f"{label} ({code})" if labels.count(label) > 1 else label for code, label in choices.items()}


def _number(text: str) -> float | None:
    """A bound of a validation; None if there is none, or it is a date."""
    try:
        return float(text)
    except ValueError:
        return None
