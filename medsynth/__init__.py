"""Train, score and compare generators of synthetic patients. Data frames in, data frames out."""

from importlib.metadata import PackageNotFoundError, version

import lazy_loader

from medsynth.generators import CLASSES

try:
    __version__ = version("medsynth")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"

# Imported when they are asked for: ``import medsynth`` takes no longer than Python's own start.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "codebook": ["Codebook"],
        "commands.study": ["write_study"],
        "commands.synthesize": ["synthesize"],
        "commands.trying": ["try_table"],
        "drafting": ["draft_codebook"],
        "errors": ["InputError"],
        "generators": ["load", *CLASSES],
    },
)
