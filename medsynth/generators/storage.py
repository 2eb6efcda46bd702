"""Models on disk: one file of tensors and plain values, which runs no code when it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from medsynth.codebook import Codebook
from medsynth.errors import InputError

FILE = "model.pt"
CARD = "model_card.json"
# Raised when what is stored changes its meaning, so that older files are refused instead of misread.
FORMAT = 4


def write_card(folder: str | Path, facts: dict[str, Any]) -> None:
    """Write a model card: what made a model and what training came to."""
    text = json.dumps(facts, indent=1, ensure_ascii=False) + "\n"
    (Path(folder) / CARD).write_text(text, encoding="utf-8", newline="\n")


def read_card(folder: str | Path) -> dict[str, Any]:
    """Read the card of a saved model: at least its ``class`` (a name, or a dotted path) and its ``settings``.

    Raises
    ------
    InputError
        There is no card, or it is damaged.
    """
    try:
        card = json.loads((Path(folder) / CARD).read_text(encoding="utf-8"))
        return {**card, "class": str(card["class"]), "settings": dict(card["settings"])}
    except FileNotFoundError:
        raise InputError(f"{folder} holds no complete model: {CARD} is missing; train it first.") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder} holds no complete model: {CARD} is damaged ({type(error).__name__}); train it again, or load it "
            "with its own class."
        ) from None


def write_model(
    folder: str | Path, kind: str, codebook: Codebook, content: dict[str, Any], card: dict[str, Any]
) -> None:
    """Write a model into a folder of its own, and its card beside it.

    Parameters
    ----------
    folder : str or Path
        Made if it is absent.
    kind : str
        Name of the generator class.
    codebook : Codebook
    content : dict
        ``settings``, and tensors, numbers, text, lists and dicts of these.
    card : dict
        What training came to.
    """
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE}.partial"
    torch.save({"kind": kind, "format": FORMAT, "codebook": codebook.to_json(), **content}, partial)
    partial.replace(folder / FILE)
    write_card(folder, {"class": kind, "settings": content["settings"], **card})


def read_model(folder: str | Path, kind: str) -> tuple[Codebook, dict[str, Any]]:
    """Read a model that `write_model` wrote, onto the CPU.

    Raises
    ------
    InputError
        The file is absent, truncated, of another generator, or no model at all.
    """
    import torch

    path = Path(folder) / FILE
    lacking = f"{path.parent} holds no complete {kind} model"
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError(f"{lacking}: {FILE} is missing; train it first.") from None
    except Exception as error:  # torch reads foreign bytes as instructions: any error may follow
        reason = f"{type(error).__name__} on reading it"
        raise InputError(f"{lacking}: {FILE} is damaged or another program's ({reason}); train it again.") from None
    if not isinstance(content, dict) or "kind" not in content or "codebook" not in content:
        raise InputError(f"{lacking}: {FILE} is a file of torch's, but not of medsynth's; train it again.")
    if content["kind"] != kind or content.get("format") != FORMAT:
        raise InputError(
            f"{lacking}: {FILE} is one of {content['kind']} in format {content.get('format')}, but format {FORMAT} is "
            "needed; load it with its own class, or train it again."
        )
    return Codebook.from_text(content["codebook"]), content
