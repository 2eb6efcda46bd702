"""Generators of synthetic tables behind one protocol, `medsynth.generators.protocol.Generator`."""

from __future__ import annotations

import importlib

from medsynth.errors import InputError

# Imported when they are asked for: nobody waits for a library that they do not use.
CLASSES = {
    "CART": "medsynth.generators.cart",
    "CTGAN": "medsynth.generators.sdv",
    "DPMedVAEPlus": "medsynth.generators.med_vae_private",
    "EncodedCTGAN": "medsynth.generators.encoded",
    "EncodedTVAE": "medsynth.generators.encoded",
    "External": "medsynth.generators.external",
    "GaussianCopula": "medsynth.generators.sdv",
    "MST": "medsynth.generators.mst",
    "MedVAE": "medsynth.generators.med_vae",
    "MedVAEPlus": "medsynth.generators.med_vae_plus",
    "PrivateColumns": "medsynth.generators.private_columns",
    "TVAE": "medsynth.generators.sdv",
}
__all__ = ["generator_class", *CLASSES]


def __getattr__(name: str) -> type:
    """Give a generator class by its name."""
    if name not in CLASSES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(CLASSES[name]), name)


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
