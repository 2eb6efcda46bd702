"""Failed jobs of a run: why, as they wrote it themselves, and which ones could not.

A job of a generator leaves a mark, logs/<stage>/<generator>-...running, while it runs, and says in
failed/<stage>/<generator>-...txt why it failed (`scripts/_job.py`). A mark that stays is that of a job which was killed
(SIGKILL, out of memory, a crash), if its workflow lived on, or of one which ended together with its workflow.
"""

from __future__ import annotations

from pathlib import Path


def read_failed(folder: str) -> dict[str, str]:
    """Read why jobs of a run failed: "<stage>/<generator>-..." -> reason."""
    notes = sorted(Path(folder, "failed").glob("*/*.txt"))
    return {f"{n.parent.name}/{n.stem}": " ".join(n.read_text(encoding="utf-8").split()) for n in notes}


def forget_cut_short(folder: str) -> None:
    """Remove the marks of jobs that ended with their workflow, which are no failures: they are made again."""
    for mark in Path(folder, "logs").glob("*/*.running"):
        mark.unlink(missing_ok=True)


def note_killed(folder: str) -> None:
    """Note as failed the jobs that left their mark, when none is running any more."""
    for mark in Path(folder, "logs").glob("*/*.running"):
        note = Path(folder, "failed", mark.parent.name, f"{mark.stem}.txt")
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("the job ended without a word: it was killed, ran out of memory or crashed\n", encoding="utf-8")
        mark.unlink(missing_ok=True)
