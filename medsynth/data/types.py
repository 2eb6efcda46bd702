"""What a column of text is: decided from all of its values, and never so that a value is lost unsaid."""

from __future__ import annotations

import re

import pandas as pd

from medsynth.codebook import MAX_DECIMALS, Notation
from medsynth.data.dates import fits_form, recognise_dates
from medsynth.data.identifiers import (
    MOST_DIGITS,
    identifies,
    is_row_number,
    must_be_codes,
    names_a_code,
    names_a_person,
    names_people,
    words_of,
)
from medsynth.data.notation import PLAIN, bare, censored, recognise_notation
from medsynth.data.proposals import Column, Proposal
from medsynth.data.sentinels import FLOAT32_END, numbers_for_missing, words_for_missing
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.errors import printable

# The word for no of each pair.
_YES_NO = [
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("0", "1"), ("nein", "ja"), ("non", "oui"), ("no", "si"),
    ("no", "sí"), ("nee", "ja"), ("nej", "ja"), ("absent", "present"), ("negative", "positive"), ("neg", "pos"),
    ("alive", "dead"), ("unchecked", "checked"), ("0.0", "1.0"),
]  # fmt: skip
MOST_CATEGORIES = 30
# Numbers with fewer distinct values are codes; words among numbers are named up to so many.
_FEW_NUMBERS, _MOST_WORDS = 10, 60
# So many values that no generator can hold may be codes for missing.
_MOST_HUGE = 5
_PAIR = re.compile(r"\d+(\.\d+)?\s*/\s*\d+(\.\d+)?")
_SIGN_OF_ZERO = r"^[-+](?=[0.]+$)"
_LEADING_ZERO = re.compile(r"[-+]?0\d")
# Text that is longer on average, and seldom said twice, is prose.
_PROSE = 40
_DECIMALS_KEPT = 4
# Of many categories so many stay.
_KEPT = 20
# Categories of so many words, each seen in fewer rows than this, are notes.
_WORDS_OF_A_NOTE, _OF_FEW = 4, 3
_EXACT = 2**53
# What is said of every range of a draft.
AS_SEEN = "as seen; what is possible?"


def propose(column: Column) -> list[Proposal]:
    """Propose what a raw column is: one column of the codebook, or two (120/80; a number and whether it is censored).

    Parameters
    ----------
    column : Column

    Returns
    -------
    list of Proposal
    """
    proposals = _propose(column)
    gaps = float((column.values == "").mean())
    for made in proposals:
        made.comments.setdefault("", f"{gaps:.1%} empty, {len(column.counts):,} distinct values")
        if made.header != made.name:
            made.facts = {"raw": made.header, **made.facts}
    return proposals


def _propose(column: Column) -> list[Proposal]:
    """Try what a column may be, from what excludes most to what excludes least."""
    if column.codes:
        return [_labelled(column)]
    words = words_for_missing(column.kept, among_numbers=True)
    rest = column.kept.drop(words)
    if rest.empty:
        return [_without_value(column)]
    if is_row_number(column.values):
        made = column.proposal("identifier", drop="it numbers the rows")
        made.decisions.append(f"{made.name}: left out, it numbers the rows.")
        return [made]
    for attempt in (_flag, _pair, _dates):
        found = attempt(column, rest, words)
        if found:
            return found
    return _numbers(column, rest, words) or [_text(column)]


def _without_value(column: Column) -> Proposal:
    """A column of gaps."""
    return column.proposal("categorical", drop="it holds no value")


def _missing(column: Column, made: Proposal, codes: list[str], why: str = "codes for missing?") -> None:
    """Add codes for missing to a proposal, with how often each is seen."""
    if not codes:
        return
    made.facts["missing"] = list(dict.fromkeys([*made.facts.get("missing", []), *codes]))
    seen = ", ".join(f"{_shown(code)} in {column.counts.get(code, 0):,} rows" for code in codes[:8])
    more = f", {len(codes) - 8} more" if len(codes) > 8 else ""
    made.comments["missing"] = f"{why} {seen}{more}"
    made.decisions.append(f"{made.name}: {why.rstrip('?:')}: {seen}{more}.")


def _shown(code: str) -> str:
    """A code in a comment, on one line."""
    text = printable(code)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _labelled(column: Column) -> Proposal:
    """A column whose file labels codes: categories, or numbers of which some codes say why they are missing."""
    unlabelled = [cell for cell in column.kept.index if cell not in column.codes]
    labelled = [code for code in column.codes if code in column.kept.index]
    if column.kept.empty:
        return _without_value(column)
    if unlabelled and len(unlabelled) > _FEW_NUMBERS:
        codes = labelled
        plain = Column(column.name, column.header, column.values, {}, [*column.missing, *codes], column.decimal)
        made = _propose(plain)[0]
        says = ", ".join(f"{code} = {_shown(column.codes[code])}" for code in codes)
        if codes:
            made.comments["missing"] = f"codes with a label among numbers: {says}"
            made.decisions.append(f"{made.name}: codes with a label among numbers are taken for missing: {says}.")
        return made
    categories: dict[str, str] = {}
    for code in [*labelled, *unlabelled]:
        category = column.codes.get(code, code)
        categories[code] = f"{category} ({code})" if category in categories.values() else category
    made = column.proposal("binary" if len(categories) == 2 else "categorical", codes=categories)
    if unlabelled:
        made.comments["codes"] = f"without a label in the file: {', '.join(map(_shown, unlabelled))}"
    absent = [code for code in column.codes if code not in column.counts.index]
    if absent:
        made.comments["type"] = f"{len(absent)} labelled codes are seen in no row"
    return made


def _flag(column: Column, rest: pd.Series, words: list[str]) -> list[Proposal]:
    """A column of two values."""
    if len(rest) != 2:
        return []
    cells = list(rest.index)
    lower = {cell.lower(): cell for cell in cells}
    pair = next((pair for pair in _YES_NO if set(pair) == set(lower)), None)
    if pair:
        made = column.proposal("binary", categories=[lower[word] for word in pair])
        made.comments["categories"] = "first = no"
    elif set(cells) == {"1", "2"}:
        made = column.proposal("binary", categories=["1", "2"])
        made.comments["categories"] = "which is which? 1 and 2 do not say"
        made.decisions.append(f"{made.name}: 1 and 2 stand for what? Say it with 'codes'.")
    else:
        return []
    _missing(column, made, words)
    return [made]


def _pair(column: Column, rest: pd.Series, words: list[str]) -> list[Proposal]:
    """Two numbers in one cell: 120/80."""
    fitting = [cell for cell in rest.index if _PAIR.fullmatch(cell)]
    if rest[fitting].sum() < 0.9 * rest.sum() or len(fitting) < 5 or recognise_dates(fitting)[0]:
        return []
    others = [cell for cell in rest.index if cell not in fitting]
    named = words_of(column.header) & {"bp", "rr", "blood", "pressure", "nibp", "blutdruck"}
    ends = ("systolic", "diastolic") if named else ("first", "second")
    proposals = []
    for position, end in enumerate(ends):
        numbers = pd.Series([float(cell.split("/")[position]) for cell in fitting])
        whole = bool((numbers % 1 == 0).all())
        made = column.proposal(
            "integer" if whole else "continuous",
            transform=f"{('first', 'second')[position]}_of_two",
            range=[numbers.min(), numbers.max()],
            unit="",
        )
        made.name = f"{column.name}_{end}"
        made.comments["range"] = AS_SEEN
        _missing(column, made, [*words, *others])
        proposals.append(made)
    proposals[0].restored = ("two_of", [made.name for made in proposals])
    proposals[0].decisions.append(
        f"{column.name}: cells such as 120/80 become {' and '.join(m.name for m in proposals)}."
    )
    return proposals


def _dates(column: Column, rest: pd.Series, words: list[str]) -> list[Proposal]:
    """Dates or times."""
    forms, others = recognise_dates(list(rest.index))
    if not forms:
        return []
    if forms[0] == "%Y%m%d" and identifies(column.header, rest, len(column.values), whole=True, fractions=False):
        forms = forms if words_of(column.header) & {"date", "day", "datum", "dob", "birth", "visit"} else []
        if not forms:
            return []
    made = column.proposal("date")
    made.facts["notation"] = {"date": forms[0]}
    if len(forms) > 1:
        either = all(fits_form(cell, form) for form in forms[1:4] for cell in rest.index if fits_form(cell, forms[0]))
        made.comments["notation"] = f"{'or' if either else 'and'} {', '.join(forms[1:4])}"
        how = f"as {' or '.join(forms[:4])}; no cell shows it" if either else f"in several forms: {', '.join(forms)}"
        made.decisions.append(f"{made.name}: dates are written {how}.")
    _missing(column, made, [*words, *others], "no dates:")
    return [made]


def _numbers(column: Column, rest: pd.Series, words: list[str]) -> list[Proposal]:
    """Numbers, identifiers and codes that are written with digits."""
    notation, numbers, unsure = recognise_notation(rest, decimal=column.decimal)
    if numbers.empty:
        return []
    limits = [cell for cell in numbers.index if censored(cell)]
    share = rest[numbers.index].sum() / rest.sum()
    others = rest.drop(numbers.index)
    plain = numbers.drop(limits)
    few = len(set(plain)) <= _FEW_NUMBERS
    if few or (others.sum() > 0.05 * rest.sum() and (len(others) > 10 or share < 0.5)) or len(others) > _MOST_WORDS:
        return []
    why_codes = _why_codes(column.header, rest[plain.index], plain, notation)
    whole = bool(plain.str.fullmatch(r"[-+]?\d+").all())
    long = plain[plain.str.fullmatch(rf"[-+]?\d{{{MOST_DIGITS + 1},}}")].index
    why = f"whole numbers of more than {MOST_DIGITS} digits" if rest[long].sum() > 0.5 * rest.sum() else ""
    if not why and not notation.prefix + notation.suffix + notation.thousands:
        fractions = not whole and not why_codes
        # Words among whole numbers do not keep them from identifying.
        digits = rest[plain.index] if whole and not limits else rest
        why = identifies(column.header, digits, len(column.values), whole=whole and not limits, fractions=fractions)
    if why:
        return [_identifier(column, why, words)]
    if why_codes:
        made = _text(column)
        made.comments["type"] = f"codes, not numbers: {why_codes}"
        made.decisions.append(f"{made.name}: codes, not numbers: {why_codes}.")
        return [made]
    values = plain.astype(float)
    likely, doubtful = numbers_for_missing(values, rest[plain.index])
    huge = [cell for cell in values.index if abs(values[cell]) > FLOAT32_END]
    if len(huge) > _MOST_HUGE or rest[huge].sum() > 0.5 * rest.sum():
        made = column.proposal("continuous", drop="it has values beyond what generators compute with (3.4e38)")
        made.decisions.append(f"{made.name}: left out, it has values beyond what generators compute with (3.4e38).")
        return [made]
    likely = list(dict.fromkeys([*likely, *huge]))
    kept = values.drop(likely)
    if kept.empty or len(set(kept)) <= _FEW_NUMBERS:
        return []
    return _numeric(column, rest, notation, numbers, kept, limits, words, list(others.index), likely, doubtful,
                    unsure=unsure)  # fmt: skip


def _numeric(
    column: Column,
    rest: pd.Series,
    notation: Notation,
    numbers: pd.Series,
    kept: pd.Series,
    limited: list[str],
    words: list[str],
    others: list[str],
    likely: list[str],
    doubtful: list[str],
    *,
    unsure: bool,
) -> list[Proposal]:
    """Propose a column of numbers, and one more that says which are censored."""
    limits = numbers[limited].astype(float)
    valued = pd.concat([kept, limits])
    whole = bool((valued % 1 == 0).all() and valued.abs().max() < _EXACT)
    made = column.proposal("integer" if whole else "continuous", range=[valued.min(), valued.max()])
    made.comments["range"] = AS_SEEN
    made.facts["unit"] = notation.suffix.strip() or notation.prefix.strip()
    decimals = pd.Series([len(number.partition(".")[2]) for number in numbers[kept.index]])
    digits = int(decimals.max())
    scientific = numbers[kept.index].str.contains("[eE]").any()
    written = {name: value for name, value in notation.model_dump().items() if value != getattr(PLAIN, name)}
    fixed = decimals.nunique() == 1 and numbers[kept.index].str.endswith("0").any() and not limited
    # 2.0 is how programs write a whole number among others; 2.00, or 2.0 alone, is a way of writing all.
    if not scientific and fixed and (digits > 1 or (whole and digits)) and digits <= MAX_DECIMALS:
        written |= {"decimals": digits, "fixed": True}
    elif not whole and (scientific or digits > _DECIMALS_KEPT):
        written["decimals"] = 17
    if written:
        made.facts["notation"] = written
    if unsure:
        how = f"'{notation.decimal}' marks decimals" + (
            f", '{notation.thousands}' thousands" if notation.thousands else ""
        )
        made.comments["notation"] = f"{how}: no cell shows it for certain"
        made.decisions.append(f"{made.name}: {how}; no cell shows it for certain.")
    _missing(column, made, [*words, *likely])
    if others:
        n_numbers = int(rest.sum() - rest[others].sum())
        _missing(column, made, others, f"{n_numbers:,} of {int(rest.sum()):,} cells are numbers; the others:")
    for cell in doubtful:
        note = f"{cell} in {rest[cell]:,} rows lies apart from all others: a code for missing?"
        made.comments["range"] += f" {note}"
        made.decisions.append(f"{made.name}: {note}")
    if rest.max() == 1 and whole and notation.plain and len(rest) > 0.9 * len(column.values) and len(rest) > 20:
        made.comments["type"] = "every value is its own: an identifier?"
        made.decisions.append(f"{made.name}: every value is its own; is it an identifier?")
    if not limited:
        return [made]
    return [made, _censoring(column, made, rest, limited)]


def _censoring(column: Column, made: Proposal, rest: pd.Series, limited: list[str]) -> Proposal:
    """Propose the flag beside censored numbers; the number itself becomes the limit."""
    signs = list(dict.fromkeys(sign for sign, _ in filter(None, map(censored, limited))))
    made.facts["transform"] = "limit_or_number"
    categories = ["measured", *signs]
    flag = column.proposal(
        "binary" if len(categories) == 2 else "categorical", categories=categories, transform="censoring"
    )
    flag.name = f"{column.name}_censored"
    flag.facts["missing"] = list(made.facts.get("missing", []))
    if not flag.facts["missing"]:
        del flag.facts["missing"]
    count = int(rest[limited].sum())
    flag.comments["categories"] = f"{count:,} cells such as {limited[0]}: the number is the limit, this its sign"
    made.restored = ("with_censoring", [made.name, flag.name])
    made.decisions.append(
        f"{made.name}: {count:,} cells are below or above a limit ({limited[0]}); {flag.name} says which."
    )
    if "notation" in made.facts:
        flag.facts["notation"] = {k: v for k, v in made.facts["notation"].items() if k != "decimals"}
        if not flag.facts["notation"]:
            del flag.facts["notation"]
    return flag


def _why_codes(header: str, counts: pd.Series, plain: pd.Series, notation: Notation) -> str:
    """Say why cells that read as numbers are codes: leading zeros, or two spellings of one number; else nothing."""
    zeros = [cell for cell in plain.index if _LEADING_ZERO.match(bare(cell)[1])]
    if zeros:
        return f"{counts[zeros].sum():,} cells have leading zeros"
    if notation.thousands:
        return ""
    values = plain.astype(float)
    # Rounding writes small negative numbers as -0.0, which is no second spelling.
    spelt = plain.str.replace(_SIGN_OF_ZERO, "", regex=True).groupby(values).nunique()
    twice = int((spelt > 1).sum())
    decimals = plain.str.extract(r"\.(\d*)$", expand=False).fillna("").str.len()
    trailing = plain.str.contains(r"\.\d+0$")
    # Programs write all decimals of a column, or none that end in 0 (but for 1.0).
    mixed = trailing.any() and decimals[decimals > 0].nunique() > 1
    if must_be_codes(header) or ("id" in words_of(header) and plain.str.fullmatch(r"\d+").all()):
        return "the header says so"
    if not twice and not mixed:
        return ""
    # Measurements noted by hand have 37 and 37.0; most of them have decimals that are not 0.
    by_hand = decimals.max() <= 1 and len(spelt) > MOST_CATEGORIES and (values % 1 != 0).mean() > 0.4
    if by_hand:
        return ""
    if twice:
        return f"{twice:,} numbers are spelt in two ways"
    return "some end in 0 behind the point, and not all have the same decimals"


def _identifier(column: Column, why: str, words: list[str]) -> Proposal:
    """Propose an identifier."""
    made = column.proposal("identifier", why)
    made.identifies = True
    if words:
        made.facts["missing"] = list(dict.fromkeys([*made.facts.get("missing", []), *words]))
    made.decisions.append(f"{made.name}: taken for an identifier ({why}); its values are in no synthetic table.")
    return made


def _text(column: Column) -> Proposal:
    """Propose categories, an identifier, or leave prose out."""
    words = words_for_missing(column.kept, among_numbers=False)
    rest = column.kept.drop(words)
    if rest.empty:
        rest, words = column.kept, []
    n_rows = len(column.values)
    if names_people(column.header, len(rest)):
        return _identifier(column, "by its name it holds names or addresses", words)
    if len(rest) > MOST_CATEGORIES:
        coded = all(re.fullmatch(r"[-+]?[\d.,]+", cell) for cell in rest.index) and names_a_code(column.header)
        why = "" if coded else identifies(column.header, rest, n_rows, whole=False, fractions=False)
        if why:
            return _identifier(column, why, words)
        length = sum(len(cell) * int(count) for cell, count in rest.items()) / rest.sum()
        if length > _PROSE and len(rest) > 0.3 * rest.sum():
            made = column.proposal("categorical", drop="free text, which may say who a patient is")
            made.decisions.append(f"{made.name}: left out as free text.")
            return made
        made = column.proposal("categorical", f"{len(rest):,} categories", rare={"keep": _KEPT})
        made.comments["rare"] = "enough? The rest becomes 'other'"
        gone = rest.iloc[_KEPT:].sum() / rest.sum()
        made.decisions.append(
            f"{made.name}: {len(rest) - _KEPT:,} of {len(rest):,} categories, {gone:.0%} of the rows, become 'other'."
        )
    elif (rest >= MINIMUM_CELL_SIZE).any() and any(map(_is_note, rest.index[rest < _OF_FEW])):
        made = column.proposal("categorical", "text among categories", rare={"seen_more_than": MINIMUM_CELL_SIZE - 1})
        made.comments["rare"] = "free text, which may say who a patient is, becomes 'other'"
        rarer = int((rest < MINIMUM_CELL_SIZE).sum())
        made.decisions.append(
            f"{made.name}: free text among categories; {rarer} of them, which fewer than {MINIMUM_CELL_SIZE} rows "
            "have, become 'other'."
        )
    else:
        numbers = pd.to_numeric(pd.Series(rest.index), errors="coerce")
        if numbers.notna().all():
            likely, _ = numbers_for_missing(pd.Series(numbers.to_numpy(), rest.index), rest)
            if len(likely) < len(rest):
                words, rest = [*words, *likely], rest.drop(likely)
        categories = sorted(rest.index, key=_by_number)
        made = column.proposal("binary" if len(categories) == 2 else "categorical", categories=categories)
        if set(categories) == {"1", "2"}:
            made.comments["categories"] = "which is which? 1 and 2 do not say"
            made.decisions.append(f"{made.name}: 1 and 2 stand for what? Say it with 'codes'.")
        elif numbers.notna().all():
            spelt = ", some spelt in two ways" if numbers.duplicated().any() else ""
            made.comments["type"] = f"numbers{spelt}: ordinal, or labels for codes?"
            _lone_code(made, categories)
        elif len(categories) == 1 and len(rest) < n_rows:
            made.comments["categories"] = "or empty: does empty mean no? Say it with 'missing_category'"
            made.decisions.append(f"{made.name}: cells are '{_shown(categories[0])}' or empty; does empty mean no?")
        folded = pd.Series(categories).str.casefold().str.split().str.join(" ")
        # A letter or a number of few patients is a code, a word may be a rare disease.
        if alone := [cell for cell in rest.index[rest == 1] if re.search(r"[^\W\d_]{4}", cell)]:
            made.comments["type"] = f"{len(alone)} in one row alone: 'rare' in place of 'categories' merges them"
            made.decisions.append(f"{made.name}: some categories are in one row alone; may they be shown?")
        if folded.duplicated().any():
            made.comments["categories"] = "some differ in case or blanks alone: one category? Say it with 'codes'"
            made.decisions.append(
                f"{made.name}: some categories differ in case or blanks alone; say with 'codes' which are one."
            )
    _missing(column, made, words)
    asked = [cell for cell in rest.index if cell.lower() in ("none", "nil", "not done", "nd", "-")]
    if asked:
        made.comments["categories" if "categories" in made.facts else "rare"] = (
            f"is {', '.join(asked)} a category, or a code for missing?"
        )
    return made


def _is_note(cell: str) -> bool:
    """Whether a category is a piece of prose, which may speak of one patient."""
    return len(cell.split()) >= _WORDS_OF_A_NOTE or len(cell) > _PROSE


def _lone_code(made: Proposal, categories: list[str]) -> None:
    """Point at a 7, 8 or 9 that lies apart from categories of small numbers."""
    order = sorted(float(category) for category in categories)
    apart = [category for category in categories if float(category) in (7, 8, 9) and float(category) == order[-1]]
    if apart and len(order) > 1 and order[-1] - order[-2] >= 2:
        made.comments["categories"] = f"{apart[0]} lies apart: a code for missing?"
        made.decisions.append(f"{made.name}: {apart[0]} lies apart from the other categories: a code for missing?")


def _by_number(cell: str) -> tuple[bool, float, str]:
    """Order of categories: numbers by size, before words."""
    try:
        return False, float(cell), cell
    except ValueError:
        return True, 0.0, cell


def person_of(proposals: list[Proposal], counts: dict[str, pd.Series], n_rows: int) -> Proposal | None:
    """The identifier that several rows share and every row has: that of persons, if one says so; else the commonest.

    None where a number of persons is another one in every row. Persons can share a name or an address.
    """
    whole = [m for m in proposals if m.identifies and counts[m.header].sum() == n_rows and not m.facts.get("missing")]
    shared = [made for made in whole if counts[made.header].max() > 1 and not names_people(made.header, n_rows)]
    of_persons = [made for made in shared if names_a_person(made.header)]
    if not of_persons and any(names_a_person(made.header) for made in whole if made not in shared):
        return None
    return min(of_persons or shared, key=lambda made: len(counts[made.header]), default=None)
