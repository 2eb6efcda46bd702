"""Names of earlier versions: none is left in the configuration, and each is refused with its new name."""

import inspect

import pytest
import yaml
from pydantic import BaseModel

from medsynth.errors import InputError, nearest, validate
from medsynth.generators import generator_class
from medsynth.plan.documentation import SECTIONS
from medsynth.plan.loading import configured, load_generators
from medsynth.renamed import RENAMED
from tests.conftest import ROOT

MODELS = [model for models in SECTIONS.values() for _, model in models]
CLASSES = {entry.class_path for entry in load_generators().values()}
STUDIES = {old for old, new in RENAMED.items() if new & set(configured("studies"))}


def settings(old: str) -> set[str]:
    """Settings of the generators that have the new name of an old one."""
    found = [set(inspect.signature(generator_class(path)).parameters) for path in CLASSES]
    return set().union(*(names for names in found if RENAMED[old] & names and old not in names))


SETTINGS = {old for old in RENAMED if settings(old)}


def known(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def keys(content):
    """Every key of a YAML file, at any depth."""
    if isinstance(content, dict):
        return set(map(str, content)).union(*map(keys, content.values()))
    return set().union(*map(keys, content)) if isinstance(content, list) else set()


@pytest.mark.parametrize(("old", "new"), sorted((old, new) for old in RENAMED for new in RENAMED[old]))
def test_an_old_name_is_refused_with_its_new_one(old, new):
    if old in STUDIES | SETTINGS:
        names = configured("studies") if old in STUDIES else settings(old)
        assert nearest(old, names) == f"; '{old}' is now '{new}'."
        return
    having = [model for model in MODELS if new in known(model) and old not in known(model)]
    assert having
    for model in having:
        with pytest.raises(InputError, match=f"mine.yaml: unknown key '{old}'; '{old}' is now '{new}'"):
            validate({old: 1}, model, where="mine.yaml")


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.yaml")), ids=lambda path: path.name)
def test_no_old_name_is_left_in_the_configuration(path):
    # Names of columns and settings are nobody's keys.
    assert keys(yaml.safe_load(path.read_text(encoding="utf-8"))) & (set(RENAMED) - STUDIES) == set()
    assert path.stem not in STUDIES


def test_a_name_is_old_or_new_but_not_both():
    for old, new in RENAMED.items():
        assert not any(old in known(model) and new & known(model) for model in MODELS)
