"""Words that captions of several families share, and captions that lie beside a declaration.

A caption has three short sentences: what is shown, what the reference rows are, and what the interval covers. What a
reader needs beyond that is in docs/measures.md, docs/figures.md and docs/intervals.md.
"""

from __future__ import annotations

from pathlib import Path

# What every caption says of its intervals; docs/intervals.md says how.
COVERS = "95 % intervals over test persons and, with several seeds, training runs"
OVER_SEEDS = f"Values are means over seeds with {COVERS}."
UPPER_AND_LOWER = "Real rows are the upper reference, and independent marginals are the lower one."


def beside(declaration: str, kind: str) -> str:
    """Read the caption ``<kind>.rst`` beside a declaration (its ``__file__``)."""
    caption = Path(declaration).with_name(f"{kind}.rst").read_text(encoding="utf-8").strip()
    return caption.format(covers=COVERS)
