"""Words that captions of several families share, and captions that lie beside a declaration."""

from __future__ import annotations

from pathlib import Path

# What every caption says of its intervals.
COVERS = (
    "95% intervals cover the test persons (bootstrap by person) and training (variance over seeds; of one seed the "
    "persons alone; partitions, too, where every seed has its own)"
)
OVER_SEEDS = f"mean over seeds; {COVERS}"
AT_ONE_COUNT = f"{OVER_SEEDS}, at one epoch count a generator"


def beside(declaration: str, kind: str) -> str:
    """Read the caption ``<kind>.rst`` beside a declaration (its ``__file__``)."""
    return Path(declaration).with_name(f"{kind}.rst").read_text(encoding="utf-8").strip()
