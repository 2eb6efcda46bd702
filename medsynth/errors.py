"""Bad input, said in one sentence, and the checks of declarative files that say it."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from medsynth.renamed import RENAMED

Model = typing.TypeVar("Model", bound=BaseModel)


class InputError(ValueError):
    """What the user gave cannot be used: names the thing, where it is and what to do about it."""


def printable(text: str, instead: str = "?") -> str:
    """Replace line ends and control characters, which would break a line or move a terminal's cursor."""
    return "".join(c if c.isprintable() else instead for c in text)


def nearest(word: object, known: typing.Iterable[object]) -> str:
    """Return ``"; did you mean 'x'?"`` for the known word closest to `word`, its new name, or what is known."""
    names = [str(k) for k in known]
    renamed = sorted(RENAMED.get(str(word), set()) & set(names))
    if renamed:
        return f"; '{word}' is now '{renamed[0]}'."
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(names)}"


def load_yaml(path: str | Path, model: type[Model]) -> Model:
    """Read a YAML file into a pydantic model.

    Parameters
    ----------
    path : str or Path
    model : type of BaseModel
        What the file must be. Unknown keys are refused.

    Raises
    ------
    InputError
        The file is absent, is no YAML, or does not fit the model: one sentence that names the file, the
        key and, for an unknown key, the nearest known one.
    """
    return validate(read_yaml(path), model, where=str(path))


def read_yaml(path: str | Path) -> typing.Any:
    """Read a YAML file; `InputError` says in one sentence that it is absent or no YAML."""
    path = Path(path)
    try:
        return plain_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not in UTF-8.") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from None


def plain_yaml(text: str) -> typing.Any:
    """Read YAML by PyYAML's parser in C where it is there: some ten times as fast, and every start reads many files."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def validate(content: object, model: type[Model], *, where: str) -> Model:
    """Fit plain content (dicts, lists, numbers, strings) to a pydantic model; see `load_yaml`."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise InputError(" ".join(_sentence(e, model, where) for e in error.errors())) from None


def _sentence(error: Mapping[str, typing.Any], model: type[BaseModel], where: str) -> str:
    """Say one pydantic error in plain words."""
    place = [str(p) for p in error["loc"]]
    if error["type"] == "extra_forbidden":
        inside = f" in '{'.'.join(place[:-1])}'" if place[:-1] else ""
        return f"{where}: unknown key '{place[-1]}'{inside}{nearest(place[-1], _keys_at(model, error['loc'][:-1]))}"
    key = f"'{'.'.join(place)}' " if place else ""
    if error["type"] == "missing":
        return f"{where}: {key}is required."
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    given = "" if error["type"].startswith("value_error") else f" (given: {str(error['input'])[:60]!r})"
    return f"{where}: {key}{message[0].lower()}{message[1:]}{given}."


def _keys_at(model: type[BaseModel], path: tuple) -> list[str]:
    """List the keys that are known at a place inside a model."""
    inner: type[BaseModel] | None = model
    for step in path:
        field = inner.model_fields.get(step) if inner else None
        if field is not None:
            inner = _model_of(field.annotation)
    return list(inner.model_fields) if inner else []


def _model_of(annotation: object) -> type[BaseModel] | None:
    """Find the pydantic model inside an annotation such as ``dict[str, Column] | None``."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    found = [_model_of(argument) for argument in typing.get_args(annotation)]
    return next((model for model in found if model), None)
