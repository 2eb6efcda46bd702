"""Generators of synthetic tables behind one protocol, `medsynth.generators.protocol.Generator`."""

from __future__ import annotations

import importlib

from medsynth.errors import InputError


def generator_class(path: str) -> type:
    """Import a generator class by its dotted path, such as ``"medsynth.generators.sdv.CTGAN"``.

    Raises
    ------
    InputError
        There is no such module or class.
    """
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"The generator class '{path}' cannot be imported ({error}).") from error
