"""Titles, colours and order of what tables and figures compare."""

from __future__ import annotations

from collections.abc import Iterable

Styles = dict[str, dict[str, str]]

# Greys, so that colour is left to the generators.
REFERENCE_STYLES: Styles = {
    "real": {"title": "Real → Real", "colour": "#4d4d4d"},
    "holdout": {"title": "Holdout (upper reference)", "colour": "#1a1a1a"},
    "independent": {"title": "Independent marginals (lower reference)", "colour": "#999999"},
    "train_copy": {"title": "All members copied", "colour": "#595959"},
    **{f"copied_{n}": {"title": f"{n} % of the members copied", "colour": "#595959"} for n in (1, 2, 5, 10)},
    "majority": {"title": "Majority class", "colour": "#737373"},
}

CLASSIFIER_TITLES = {"xgboost": "XGBoost", "random_forest": "Random forest"}


def title_of(generator: str, styles: Styles) -> str:
    """Title of a generator or reference row; its name if it has none."""
    return _style(generator, styles).get("title", generator)


def colour_of(generator: str, styles: Styles) -> str:
    """Colour of a generator or reference row as ``#rrggbb``; black if it has none."""
    return _style(generator, styles).get("colour", "#000000")


def palette(generators: Iterable[str], styles: Styles) -> dict[str, str]:
    """Colours of generators and reference rows by name, as seaborn's ``palette`` wants them."""
    return {name: colour_of(name, styles) for name in generators}


def in_display_order(generators: Iterable[str], styles: Styles) -> list[str]:
    """Generators without the reference rows, in the order of `styles`; those it does not know come last, by name."""
    found = set(generators) - set(REFERENCE_STYLES)
    return [name for name in styles if name in found] + sorted(found - set(styles))


def classifier_title(name: str) -> str:
    """Title of a classifier."""
    return CLASSIFIER_TITLES.get(name, name.replace("_", " "))


def _style(generator: str, styles: Styles) -> dict[str, str]:
    return styles.get(generator) or REFERENCE_STYLES.get(generator, {})
