"""Names that configuration had in earlier versions, and what they are now.

An old name is refused, never read: `medsynth.errors.nearest` says the new one where that one is known. CHANGELOG.md
has them all, with other names that changed.
"""

from __future__ import annotations

# Old name -> its new names, of which one is known where the old one was.
RENAMED: dict[str, set[str]] = {
    # Keys of studies.
    "memorisation": {"attacks"},
    "sizes": {"learning_curve"},
    "deliverable": {"export"},
    "least_patients": {"minimum_cell_size"},
    "dial": {"sweep"},
    # Of codebooks.
    "levels": {"categories"},
    "level": {"category"},
    "missing_level": {"missing_category"},
    "drop_if_level": {"drop_if_category"},
    "impossible": {"constraints"},
    # Settings of generators.
    "draw_levels": {"sample_categories"},
    # Of the benchmark.
    "most_seconds": {"max_seconds"},
    # Studies.
    "kl_dial": {"kl_sweep"},
    "diabetes130_sizes": {"diabetes130_learning_curve"},
}
