"""Titles, colours and order of what tables and figures compare."""

from __future__ import annotations

from collections.abc import Iterable

from medsynth.evaluation.references import REFERENCE_ROWS, REFERENCES

Styles = dict[str, dict[str, str]]

BLACK = "#000000"
CLASSIFIER_TITLES = {"xgboost": "XGBoost", "random_forest": "Random forest", "linear": "Linear", "cox": "Cox"}


def title_of(generator: str, styles: Styles, family: str = "") -> str:
    """Title of a generator or reference row, in tables and figures of a family of scores; its name if it has none."""
    if generator in styles:
        return styles[generator].get("title", generator)
    return REFERENCE_ROWS[generator].title_in(family) if generator in REFERENCE_ROWS else generator


def colour_of(generator: str, styles: Styles) -> str:
    """Colour of a generator or reference row as ``#rrggbb``; black if it has none."""
    if generator in styles:
        return styles[generator].get("colour", BLACK)
    return REFERENCE_ROWS[generator].colour if generator in REFERENCE_ROWS else BLACK


def palette(generators: Iterable[str], styles: Styles) -> dict[str, str]:
    """Colours of generators and reference rows by name, as seaborn's ``palette`` wants them."""
    return {name: colour_of(name, styles) for name in generators}


def in_display_order(generators: Iterable[str], styles: Styles) -> list[str]:
    """Generators without the reference rows, in the order of `styles`; those it does not know come last, by name."""
    found = set(generators) - set(REFERENCE_ROWS)
    return [name for name in styles if name in found] + sorted(found - set(styles))


def between_references(generators: Iterable[str], styles: Styles) -> list[str]:
    """Generators in display order between the reference rows that are tables: real rows above, the others below."""
    above, *below = REFERENCES
    return [above, *in_display_order(generators, styles), *below]


def classifier_title(name: str) -> str:
    """Title of a classifier."""
    return CLASSIFIER_TITLES.get(name, name.replace("_", " "))
