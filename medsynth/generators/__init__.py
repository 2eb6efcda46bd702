"""Generators of synthetic tables behind one protocol, `medsynth.generators.protocol.Generator`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from pathlib import Path

    from medsynth.generators.protocol import Generator

# Module -> its generators, which are imported when they are asked for: nobody waits for a library that they do not use.
MODULES = {
    "cart": ["CART"],
    "encoded": ["EncodedCTGAN", "EncodedTVAE"],
    "external": ["External"],
    "forest": ["Forest"],
    "med_vae": ["MedVAE"],
    "med_vae_plus": ["MedVAEPlus"],
    "med_vae_private": ["DPMedVAEPlus"],
    "mixture": ["Mixture"],
    "mst": ["MST"],
    "peers": ["ARF", "Synthpop", "TabularARGN"],
    "private_columns": ["PrivateColumns"],
    "sdv": ["CTGAN", "GaussianCopula", "TVAE"],
}
CLASSES = {name: f"{__name__}.{module}" for module, names in MODULES.items() for name in names}

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submod_attrs=MODULES)
__all__ = ["generator_class", "load", *CLASSES]


def generator_class(path: str) -> type[Generator]:
    """Import a generator class by its dotted path, such as ``"medsynth.generators.sdv.CTGAN"``.

    Raises
    ------
    InputError
        There is no such module or class.
    """
    from medsynth.errors import InputError

    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"The generator class '{path}' cannot be imported ({error}).") from error


def load(folder: str | Path, **options: object) -> Generator:
    """Read a model of any of this package's generators, as its ``save`` wrote it.

    Parameters
    ----------
    folder : str or Path
    **options
        Of the class's own ``load``: ``trusted=True`` for models with pickles (SDV's, peers') that were made elsewhere.

    Raises
    ------
    InputError
        There is no complete model, or one of a class that is not this package's: nothing is imported, and no code
        run, because a file says so. Call that class's own ``load``.
    """
    from medsynth.errors import InputError
    from medsynth.generators.storage import CARD, read_card

    written = read_card(folder)["class"]
    module, _, name = written.rpartition(".")
    if name not in CLASSES or module not in ("", CLASSES[name]):
        raise InputError(
            f"{folder} holds a model of the class '{written}' ({CARD}), which medsynth does not have; load it with "
            "the 'load' of that class."
        )
    return generator_class(f"{CLASSES[name]}.{name}").load(folder, **options)
