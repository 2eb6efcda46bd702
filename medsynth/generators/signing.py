"""Signatures of files that run code when they are read: a pickle is believed only if it was written here.

The key lies in the working directory and not with the models: who gets models from elsewhere gets no key with them.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

# Relative to the working directory; readable by its owner alone.
KEY = Path(".medsynth_key")


def sign(path: Path) -> None:
    """Write the signature (HMAC-SHA256, RFC 2104) of a file beside it; none where no key can be kept."""
    try:
        _make_key()
    except PermissionError:
        return
    _signature_of(path).write_text(_hmac(path) + "\n", encoding="utf-8")


def signed_here(path: Path) -> bool:
    """Whether a file was signed with this working directory's key and is what it was then."""
    signature = _signature_of(path)
    if not KEY.is_file() or not signature.is_file():
        return False
    written = signature.read_text(encoding="utf-8", errors="replace").strip()
    return hmac.compare_digest(written.encode(), _hmac(path).encode())


def _signature_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.hmac")


def _hmac(path: Path) -> str:
    return hmac.new(KEY.read_bytes(), path.read_bytes(), hashlib.sha256).hexdigest()


def _make_key() -> None:
    """Make the key at first use: whole or not at all, and of several jobs the first one's stays."""
    if KEY.is_file():
        return
    file, partial = tempfile.mkstemp(prefix=KEY.name, dir=KEY.parent)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            os.link(partial, KEY)
    finally:
        Path(partial).unlink()
