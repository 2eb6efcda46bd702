"""Writing tables: numbers as CSV; for reading Markdown, LaTeX and a self-contained HTML page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from medsynth.codebook import Codebook
from medsynth.display.cells import NOTHING, Bold
from medsynth.errors import InputError, nearest
from medsynth.preparation.restoring import holds_numbers

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

# A number or a sign alone (codes such as -9) is no formula.
FORMULA = re.compile(r"(?![-+]?(\d+\.?\d*)?\Z)[=+\-@\t\r]")
# A formula that does something.
CALL = re.compile(r"[=+\-@\t\r].*[(!|\[]", flags=re.DOTALL)

# Text beyond this many characters is wrapped.
LONG = 60

# A hyphen before a digit is a minus, for which LaTeX has a longer stroke.
MINUS = re.compile(r"(?<![\w-])-(?=\d)")

# What pandas begins a page with, and what ours begin with instead.
STYLER_HEAD = '<html>\n<head>\n<meta charset="utf-8">'
HEAD = """\
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>\
"""
# The look of a page, by selectors inside the table; "" is the table itself.
LOOK = {
    "": 'margin: 1.5rem; font: 13px/1.45 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #1f2328; '
    "border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums",
    "caption": "caption-side: top; text-align: left; padding-bottom: .9rem; max-width: 60rem; color: #424a53",
    "th, td": "padding: .33rem .5rem; white-space: nowrap",
    "thead th": "position: sticky; top: 0; background: #fff; border: solid #1f2328; border-width: 2px 0 1px",
    "tbody tr:nth-child(even) td": "background: #f4f6f8",
    "tbody tr:last-child td": "border-bottom: 2px solid #1f2328",
    # The label of a block stands in the first cell of a row of its own, takes no width and runs over the empty ones.
    "tbody tr td.block": "background: #fff; border-bottom: 1px solid #c8ced5; padding-top: 1.1rem",
    "tbody tr td.block.col0": "font-weight: bold; text-align: left; white-space: nowrap; max-width: 0; min-width: 0",
}
ALIGNED = {
    "left": "text-align: left",
    "right": "text-align: right",
    "long": "text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 20rem; max-width: 45rem",
}

Rows = list[list[str]]


def write_table(
    numbers: pd.DataFrame,
    display: pd.DataFrame,
    stem: Path,
    *,
    caption: str,
    note: str,
    formats: tuple[str, ...] = ("csv", "md", "tex", "html"),
) -> list[Path]:
    """Write a table in several formats.

    Parameters
    ----------
    numbers : DataFrame
        Written as csv, without its index: numbers with six significant digits, LF line ends. A text that a spreadsheet
        would take for a formula (it starts with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, and is neither
        a number nor a sign alone) gets a leading apostrophe.
    display : DataFrame
        Written as md, tex (booktabs) and html. Text cells as they are, `Bold` ones in bold, numbers with three
        decimals, NaN as a dash; special characters of the format are escaped. If the index has a name, equal labels in
        it make a block under that label. `numbers` itself will do.
    stem : Path
        Path without suffix; its folder is made.
    caption : str
    note : str
        Where the data come from, "simulated cohort" say; becomes part of the caption.
    formats : tuple of str

    Returns
    -------
    list of Path
        The files, in the order of `formats`.

    Raises
    ------
    InputError
        A format is unknown.
    """
    writers = {"md": _markdown, "tex": _latex, "html": _html}
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    caption = f"{caption.rstrip('. ')}. Data: {note}."
    paths = []
    for kind in formats:
        if kind == "csv":
            text = _csv(numbers)
        elif kind in writers:
            text = writers[kind](display, caption)
        else:
            raise InputError(f"Tables cannot be written as '{kind}'{nearest(kind, ['csv', *writers])}")
        # Not with_suffix, which would cut a stem that has a dot in it.
        paths.append(stem.parent / f"{stem.name}.{kind}")
        paths[-1].write_text(text, encoding="utf-8", newline="\n")
    return paths


def without_formulas(table: pd.DataFrame, formula: re.Pattern[str] = FORMULA) -> pd.DataFrame:
    """Put an apostrophe before every text that a spreadsheet would take for a formula; see `write_table`."""

    def harmless(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and formula.match(value) else value

    safe = table.rename(columns=harmless)
    for position, kind in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            safe.isetitem(position, safe.iloc[:, position].astype(object).map(harmless))
    return safe


def text_of_restored(table: pd.DataFrame, codebook: Codebook, *, delimiter: str | None = None) -> str:
    """Write a restored table as text, without formulas; an index that the raw header does not name is there, too.

    Codes of the raw table such as ``+ve`` and ``=>5`` stay as they are: a spreadsheet shows them, or an error. What
    calls a function, another file or another program gets an apostrophe, as in `write_table`.

    Parameters
    ----------
    table : DataFrame
        As `medsynth.preparation.restoring.restore` gives it.
    codebook : Codebook
        The dataset's own.
    delimiter : str, optional
        Default: the raw table's. Its numbers may have decimal commas.
    """
    safe = without_formulas(table, CALL)
    for position, header in enumerate(table.columns):
        if holds_numbers(header, list(table.columns), codebook):
            safe.isetitem(position, table[header])
    safe.index = table.index + 1
    unnamed = codebook.raw.unnamed_index
    text = safe.to_csv(
        index=unnamed, index_label=False, lineterminator="\n", sep=delimiter or codebook.raw.format.delimiter
    )
    return str(text)


def _csv(numbers: pd.DataFrame) -> str:
    """CSV text without formulas."""
    return without_formulas(numbers).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _markdown(display: pd.DataFrame, caption: str) -> str:
    """Render as GitHub's Markdown: one table a block, the caption above."""
    from tabulate import tabulate

    def escaped(text: str) -> str:
        return re.sub(r"([\\|*`<[])", r"\\\1", " ".join(text.split()))

    parts = [escaped(caption)]
    for label, rows in _blocks(display):
        if label:
            parts.append(f"**{escaped(label)}**")
        cells = [[f"**{escaped(c)}**" if isinstance(c, Bold) else escaped(c) for c in row] for row in rows]
        header = [escaped(str(name)) for name in display.columns]
        align = ["right" if kind == "right" else "left" for kind in _kinds(display)]
        parts.append(tabulate(cells, header, tablefmt="pipe", disable_numparse=True, colalign=align))
    return "\n\n".join(parts) + "\n"


def _latex(display: pd.DataFrame, caption: str) -> str:
    """Render as a LaTeX table with booktabs rules, no wider than the text."""
    from pylatexenc.latexencode import UnicodeToLatexEncoder

    encoder = UnicodeToLatexEncoder(unknown_char_warning=False)

    def escaped(text: str) -> str:
        return encoder.unicode_to_latex(MINUS.sub("\N{MINUS SIGN}", text))

    styler, labels = _styler(display)
    styler.format(escaped).format_index(escaped, axis="columns")
    first = (labels, display.columns[:1])
    styler.format(lambda label: rf"\addlinespace\rlap{{\textit{{{escaped(label)}}}}}", subset=first)
    styler.map(lambda cell: "textbf: --rwrap" if isinstance(cell, Bold) else None)
    layout = "".join({"left": "l", "right": "r", "long": r"p{.6\textwidth}"}[kind] for kind in _kinds(display))
    return "\n".join(
        [
            r"% needs \usepackage{booktabs,adjustbox}",
            r"\begin{table}",
            rf"\caption{{{escaped(caption)}}}",
            r"\begin{adjustbox}{max width=\textwidth}",
            styler.to_latex(column_format=layout, hrules=True) + r"\end{adjustbox}",
            r"\end{table}",
            "",
        ]
    )


def _html(display: pd.DataFrame, caption: str) -> str:
    """Render as an HTML page that needs nothing else."""
    from html import escape

    styler, labels = _styler(display)
    # Identifiers that the same table has again the next time.
    styler.set_uuid("table").set_caption(escape(caption))
    styler.format(escape="html").format_index(escape="html", axis="columns")
    styler.map(lambda cell: "font-weight: bold" if isinstance(cell, Bold) else None)
    styler.set_td_classes(pd.DataFrame("block", labels, display.columns))
    styler.set_table_styles([{"selector": selector, "props": props} for selector, props in LOOK.items()])
    kinds = zip(display.columns, _kinds(display), strict=True)
    columns = {name: [{"selector": "", "props": ALIGNED[kind]}] for name, kind in kinds}
    styler.set_table_styles(columns, overwrite=False)
    page = styler.to_html(doctype_html=True, encoding="utf-8")
    return page.replace(STYLER_HEAD, HEAD.format(title=escape(caption.split(". ")[0])), 1)


def _styler(display: pd.DataFrame) -> tuple[Styler, list[int]]:
    """Texts of a table for pandas to render, with a row for the label of each block; and which rows these are."""
    rows: Rows = []
    labels: list[int] = []
    for label, of_block in _blocks(display):
        if label:
            labels.append(len(rows))
            rows.append([label] + [""] * (len(display.columns) - 1))
        rows += of_block
    from pandas.io.formats.style import Styler

    texts = pd.DataFrame(rows, columns=display.columns, dtype=object)
    lean = Styler.from_custom_template(Path(__file__).parent, html_table="lean_table.jinja")
    styler = lean(texts).hide(axis="index")
    # Every cell has its class, those of a look of their own an identifier as well.
    styler.cell_ids = False
    return styler, labels


def _blocks(display: pd.DataFrame) -> Iterator[tuple[str, Rows]]:
    """Labels and rows of text of a table's blocks; one block without a label if the index has no name."""
    rows = [[_text(value) for value in row] for row in display.itertuples(index=False, name=None)]
    if display.index.name is None:
        yield "", rows
        return
    for label in dict.fromkeys(display.index):
        yield str(label), [row for row, own in zip(rows, display.index, strict=True) if own == label]


def _kinds(display: pd.DataFrame) -> list[str]:
    """Per column ``right`` (numbers), ``left`` (text) or ``long`` (text that must wrap); the first is never right."""
    kinds = []
    for position in range(display.shape[1]):
        cells = [_text(value) for value in display.iloc[:, position]]
        if max(map(len, cells), default=0) > LONG:
            kinds.append("long")
        else:
            numbers = all(re.match(r"[-+<]?\d|–?$", cell) for cell in cells)
            kinds.append("right" if numbers and position else "left")
    return kinds


def _text(value: object) -> str:
    """Write a value for reading."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return NOTHING
    if isinstance(value, float):
        return f"{value:z,.3f}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)
