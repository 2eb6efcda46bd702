"""Dates in drafts: what each is counted from, and which rows have one.

A row has an origin: the earliest of those dates that no row lacks and that vary little. Others are counted from the
nearest date that comes always before or always after them, or else from the origin if they vary less so. Where rows
lack a date, a flag says so, if no other column does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pandas as pd

from medsynth.data.dates import recognise_dates
from medsynth.data.proposals import Proposal
from medsynth.preparation.date_columns import as_numbers, has_year, read_moments, unit_of

# Rows with and without a date, at least, before a flag says which have one; and the least share of either.
LEAST_ROWS, LEAST_SHARE = 20, 0.05
# A date may vary a little more around another one than in the calendar: the order of the two is worth it.
MOST_SPREAD = 1.1
# A form by which moments are counted in seconds.
_SECONDS = "%Y%S"


def propose_dates(proposals: list[Proposal], table: pd.DataFrame) -> None:
    """Keep dates as numbers where all cells have one form and come back as they were.

    Parameters
    ----------
    proposals : list of Proposal
        Changed in place: a date becomes an integer that counts days, minutes or seconds.
    table : DataFrame
        Text, under the file's headers.
    """
    moments: dict[str, pd.Series] = {}
    forms: dict[str, str] = {}
    made = {one.name: one for one in proposals if one.facts["type"] == "date" and "drop" not in one.facts}
    for name, proposal in made.items():
        cells = table[proposal.header]
        cells = cells.mask(cells.isin(["", *proposal.facts.get("missing", [])]))
        form = _form(proposal, cells)
        found = read_moments(cells, form) if form else None
        if found is None or (found.isna() & cells.notna()).any():
            proposal.facts["drop"] = "dates in several forms, or with time zones"
            continue
        if any(moment.microsecond for moment in found.dropna()):
            proposal.facts["drop"] = "times with fractions of a second"
            continue
        moments[name], forms[name] = found, _as_fine(_written(cells, found, form), found.dropna())
    for name in [name for name in moments if not has_year(forms[name])]:
        _propose(made[name], forms[name], None)
        del moments[name]
    seconds = {name: as_numbers(found, _SECONDS) for name, found in moments.items()}
    middles = {name: float(found.median()) for name, found in seconds.items()}
    origin = _origin(seconds, middles)
    # What others are counted from comes before them: those with fewer gaps first, then as they lie in time.
    placed: list[str] = []
    for name in sorted(seconds, key=lambda n: (n != origin, int(seconds[n].isna().sum()), middles[n])):
        since = _counted_from(name, seconds, placed, origin)
        placed.append(name)
        _propose(made[name], forms[name], since)


def flag_dates(proposals: list[Proposal], table: pd.DataFrame, free: Callable[[str], str]) -> None:
    """Put a flag behind each date that many rows lack and of which no other column says which rows those are.

    Parameters
    ----------
    proposals : list of Proposal
        Changed in place: the date has no value where the flag says "no". Dates of the same rows share a flag.
    table : DataFrame
        Text, under the file's headers.
    free : callable
        Makes a name that no column has of one.
    """
    flags: dict[bytes, str] = {}
    for made in list(proposals):
        if made.facts["type"] != "integer" or "date" not in made.facts.get("notation", {}):
            continue
        missing = made.facts.get("missing", [])
        empty = table[made.header].isin(["", *missing]).to_numpy()
        fewest = min(int(empty.sum()), int((~empty).sum()))
        if "not_applicable" in made.facts or fewest < max(LEAST_ROWS, LEAST_SHARE * len(table)):
            continue
        if empty.tobytes() not in flags:
            flag = Proposal(free(f"{made.name}_given"), made.header, {"raw": made.header, "type": "binary"})
            flag.facts |= {"categories": ["no", "yes"], "transform": "dated", "missing_category": "no"}
            flag.facts |= {"missing": list(missing)} if missing else {}
            flag.comments["type"] = f"whether the row has the date {made.name}"
            proposals.insert(proposals.index(made) + 1, flag)
            flags[empty.tobytes()] = flag.name
        made.facts["not_applicable"] = {"when": {flags[empty.tobytes()]: "no"}}


def _form(made: Proposal, cells: pd.Series) -> str:
    """The form of a column's dates; "" if they have none together."""
    known = made.facts.get("notation", {}).get("date")
    if known is None:
        forms, others = recognise_dates(list(cells.dropna().unique()))
        known = forms[0] if forms and not others else ""
    form = str(known)
    # A file whose moments are all of Greenwich needs no zones.
    form = form.replace("%z", "Z") if cells.dropna().str.endswith("Z").all() else form
    return "" if "%z" in form else form


def _propose(made: Proposal, form: str, since: str | None) -> None:
    """Write a date's facts."""
    unit = unit_of(form)
    made.facts |= {"type": "integer", "unit": unit, "notation": {"date": form}}
    if since:
        made.facts["since"] = since
    start = f"after {since}" if since else "since 1970-01-01"
    if not has_year(form):
        start = "since 1 January" if unit == "days" else "since midnight"
    # What a dictionary says of the column stays.
    said = [made.comments["type"]] if "type" in made.comments else []
    made.comments["type"] = "; ".join([*said, f"a date, kept as {unit} {start}"])


def _origin(seconds: dict[str, pd.Series], middles: dict[str, float]) -> str | None:
    """The earliest date among those that no row lacks and that vary little."""
    spreads = {name: _spread(found) for name, found in seconds.items() if found.notna().all() and len(found)}
    near = [name for name, spread in spreads.items() if spread <= MOST_SPREAD * min(spreads.values())]
    return min(near, key=middles.__getitem__, default=None)


def _counted_from(name: str, seconds: dict[str, pd.Series], placed: Iterable[str], origin: str | None) -> str | None:
    """Column from whose dates those of another are counted; None if the calendar tells more of them."""
    own = seconds[name].dropna()
    alone = _spread(own)
    after = {other: own - seconds[other][own.index] for other in placed}
    in_order = {
        other: abs(float(gaps.median()))
        for other, gaps in after.items()
        if gaps.notna().all() and ((gaps >= 0).all() or (gaps <= 0).all()) and _spread(gaps) <= MOST_SPREAD * alone
    }
    if in_order:
        return min(in_order, key=in_order.__getitem__)
    return origin if origin in after and _spread(after[origin]) < alone else None


def _spread(numbers: pd.Series) -> float:
    """Standard deviation, 0 of one number."""
    return float(numbers.std(ddof=0))


def _as_fine(form: str, moments: pd.Series) -> str:
    """A form that is no finer than its moments: a date that a program wrote with midnight beside it is a date."""
    if len(moments) < 2 or "%p" in form:
        return form
    for part, finest in (("%S", "second"), ("%M", "minute"), ("%H", "hour")):
        if part in form and any(getattr(moment, finest) for moment in moments):
            return form
        form = form.replace(part, "00")
    return form


def _written(cells: pd.Series, moments: pd.Series, form: str) -> str:
    """Form that writes most cells as they are: days, months and hours may lack their leading zero."""
    short = form.replace("%m", "%-m").replace("%d", "%-d")
    candidates = [form, short, short.replace("%H", "%-H").replace("%I", "%-I"), form.replace("%H", "%-H")]
    pairs = pd.DataFrame({"cell": cells, "moment": moments}).dropna().drop_duplicates("cell").head(500)
    if "%f" in form and len(pairs):
        digits = len(str(pairs["cell"].iloc[0]).rpartition(".")[2])
        candidates = [one.replace("%f", "0" * digits) for one in candidates]
    moments_and_cells = list(zip(pairs["moment"], pairs["cell"], strict=True))

    def hits(candidate: str) -> int:
        return sum(moment.strftime(candidate) == cell for moment, cell in moments_and_cells)

    return max(candidates, key=hits)
