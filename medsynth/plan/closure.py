"""Which of the project's own modules a script rests on, so that changing one re-runs what depends on it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "medsynth"
# Where a module names files that it runs as programs: a pattern below the project's root.
PROGRAMS = "PROGRAMS"


def code_hash(script: str, *modules: str) -> str:
    """Hash the modules of the package that a script imports, directly or not, also inside functions.

    Parameters
    ----------
    script : str
        Path below the project's root. The script itself is left out: Snakemake watches it.
    *modules : str
        Dotted modules that the script imports by a name from the configuration.

    Returns
    -------
    str
        Twelve hexadecimal digits; a parameter of the rule, so that Snakemake sees a change.
    """
    found: set[Path] = set()
    waiting = [*_imported(ROOT / script), *(path for module in modules for path in _files(module))]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend(_imported(path))
    digest = hashlib.sha256()
    for path in sorted(found):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    """Files of the package that a file imports."""
    found: list[Path] = []
    if path.suffix != ".py":
        return ()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Assign) and PROGRAMS in {getattr(target, "id", "") for target in node.targets}:
            # What a module runs in another Python, which no import tells.
            found.extend(sorted(ROOT.glob(ast.literal_eval(node.value))))
            continue
        else:
            continue
        for name in names:
            found.extend(_files(name))
    return tuple(dict.fromkeys(found))


def _files(module: str) -> Iterator[Path]:
    """Files that importing a dotted module of the package runs: its own and its packages'."""
    parts = module.split(".")
    # What scripts share lies beside them.
    if len(parts) == 1 and (shared := ROOT / "scripts" / f"{module}.py").is_file():
        yield shared
    if parts[0] != PACKAGE:
        return
    for length in range(1, len(parts) + 1):
        base = ROOT.joinpath(*parts[:length])
        # A module's data file beside it, such as a cohort's coefficients, is part of it.
        for path in (base / "__init__.py", base.with_suffix(".py"), base.with_suffix(".json")):
            if path.is_file():
                yield path
