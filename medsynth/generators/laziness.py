"""Heavy modules imported at first use: the workflow looks at generator classes in every job, and few need torch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import wraps
from typing import Any


class LazyModule:
    """Stands for a module that is imported when one of its names is asked for.

    `lazy_loader.load` would put the unloaded torch into ``sys.modules``. scikit-learn looks there before it asks
    whether an array is a tensor, and so every job that fits a tree would load torch.

    Parameters
    ----------
    name : str
        Dotted name of the module. Import it under ``TYPE_CHECKING`` too, for type checkers and for the hash of what a
        rule's code rests on (``medsynth/plan/closure.py``).
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


def without_gradient(method: Callable) -> Callable:
    """Run a method under ``torch.no_grad()``, whose decorator would import torch with the class."""

    @wraps(method)
    def run(*args: Any, **kwargs: Any) -> Any:
        import torch

        with torch.no_grad():
            return method(*args, **kwargs)

    return run
