"""How every script runs as a job: its log, its threads, and what a failure says."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import psutil

from medsynth.errors import InputError
from medsynth.plan import sharing

if TYPE_CHECKING:
    import pandas as pd

    from medsynth.evaluation.resampling import Score
    from medsynth.scores.registry import Facts

log = logging.getLogger("medsynth")

Entry = TypeVar("Entry", covariant=True)


class Named(Protocol[Entry]):
    """A list of Snakemake's whose entries may have names."""

    def __getattr__(self, name: str, /) -> Entry: ...
    def __getitem__(self, position: int, /) -> Entry: ...
    def __iter__(self) -> Iterator[Entry]: ...
    def get(self, name: str, /) -> Entry | None: ...
    def items(self) -> Iterable[tuple[str, Entry]]: ...


class Job(Protocol):
    """What Snakemake gives a script under the name `snakemake`, as far as scripts use it.

    Attributes
    ----------
    input, output : Named
        Paths, or lists of paths, as the rule has them.
    params : Named
        Whatever the rule gives.
    wildcards, log : Named of str
    threads : int
    """

    input: Named[Any]
    output: Named[Any]
    params: Named[Any]
    wildcards: Named[str]
    log: Named[str]
    threads: int


# A disk with less than this is full: what could not be written has been cut off.
LEAST_BYTES = 2**20


def share_imports(name: str) -> None:
    """Let the process that keeps imports run this script, where there is one; see `medsynth.plan.sharing`.

    Every script calls it before it imports anything that takes its time.

    Parameters
    ----------
    name : str
        The script's ``__name__``: a script that is imported, by a test or a debugger, stays where it is.
    """
    if name == "__main__":
        sharing.hand_over()


def processor_seconds() -> float:
    """Processor time of this job: of this process, of what was done for it before it was forked, of its programs."""
    times = os.times()
    programs = times.children_user + times.children_system
    return time.process_time() + sharing.spent_before + programs


def run(job: Job, main: Callable[[Job], None]) -> None:
    """Run a rule's main function.

    Parameters
    ----------
    job : Job
    main : callable
        Does the work; gets `job`.

    Notes
    -----
    Progress and failures go to the rule's log. Bad input is one sentence there and on the console, without a
    traceback; anything else is a defect of ours and comes with one. Why a job of a generator failed is also kept below
    ``failed/`` until it is tried again: `failed: show` in the configuration reads it. A job that is killed can say
    nothing; the mark that it leaves beside its log does (`medsynth/plan/failures.py`).
    """
    # A log that cannot be written is no reason to fail, and never one to hide the reason.
    logging.raiseExceptions = False
    logging.basicConfig(
        filename=job.log[0], filemode="w", level=logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    log.setLevel(logging.INFO)
    # OMP_NUM_THREADS and its kin were set before the first import, also where that is shared; joblib counts by itself.
    os.environ["LOKY_MAX_CPU_COUNT"] = str(job.threads)
    threading.Thread(target=_end_with_workflow, daemon=True).start()
    signal.signal(
        signal.SIGTERM, lambda *_: _fail("The job was ended from outside (SIGTERM); run again to go on.", job.log[0])
    )
    interrupted = threading.Event()

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
    note = _note(Path(job.log[0]))
    mark = Path(job.log[0]).with_suffix(".running")
    ended = [mark, note] if note else []
    started = time.monotonic()
    # Python and imports, but for those that `main` makes.
    starting = processor_seconds()
    try:
        if note:
            note.unlink(missing_ok=True)
            mark.touch()
        main(job)
        if benchmark := job.output.get("benchmark"):
            _write_benchmark(benchmark, starting)
    except Exception as error:
        # A compiled module that is interrupted while it is imported raises something else.
        if interrupted.is_set():
            raise KeyboardInterrupt from error
        if getattr(error, "errno", None) == errno.ENOSPC or _disk_is_full(job):
            _fail("The disk is full: make room and run again, what is finished is kept.", job.log[0])
        sentence = str(error)
        if not isinstance(error, InputError):
            log.error("%s", traceback.format_exc())
            sentence = f"{type(error).__name__}: {error}"
        if note:
            note.parent.mkdir(parents=True, exist_ok=True)
            # It gets into tables. What other programs say may quote a cell.
            told = sentence if isinstance(error, InputError) else f"{type(error).__name__}; the log says more"
            write_text(note, told + "\n")
            ended.remove(note)
        _fail(sentence, job.log[0])
    finally:
        # Also a note, which a workflow that is interrupted may make before its jobs have come to their end.
        for path in ended:
            path.unlink(missing_ok=True)
    log.info("done in %.1f s", time.monotonic() - started)


def _write_benchmark(path: str, starting: float) -> None:
    """Write what the job took since its process was started, as a row.

    Snakemake's own benchmark would measure the process that handed the job over, and looks at jobs too seldom to say
    anything of one of a second. The memory is that of the job, or of the largest program that it ran, with libraries,
    also those that it shares with other jobs.
    """
    from medsynth.scores.cost.compute import peak_memory

    row = {
        "seconds": f"{time.monotonic() - sharing.started:.2f}",
        "cpu_seconds": f"{processor_seconds():.2f}",
        "starting_seconds": f"{starting:.2f}",
        "max_rss_mb": f"{max(peak_memory(), peak_memory(programs=True)):.0f}",
    }
    write_text(path, "\t".join(row) + "\n" + "\t".join(row.values()) + "\n")


def _fail(sentence: str, log_path: str) -> NoReturn:
    """End the job with one sentence."""
    log.error("%s", sentence)
    print(f"{sentence} (log: {log_path})", file=sys.stderr)
    sys.exit(1)


def _note(path: Path) -> Path | None:
    """Where it is kept why a job failed, for logs/<stage>/<generator>-...log: failed/<stage>/<generator>-...txt."""
    folder = path.parent.parent
    return folder.parent / "failed" / path.parent.name / f"{path.stem}.txt" if folder.name == "logs" else None


def _disk_is_full(job: Job) -> bool:
    """Whether there is no room where the job writes; libraries say so in words of their own, or not at all."""
    return any(shutil.disk_usage(Path(path).parent).free < LEAST_BYTES for path in (*job.output, *job.log))


def _end_with_workflow() -> None:
    """End the job soon after its workflow, however that was killed: the next one makes the same files."""
    if "MEDSYNTH_WORKFLOW" not in os.environ:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        workflow = psutil.Process(int(os.environ["MEDSYNTH_WORKFLOW"]))
        while workflow.is_running() and workflow.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    # Also programs of other environments, which the job waits for.
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os._exit(1)


def write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with Unix line ends, whatever the machine."""
    Path(path).write_text(text, encoding="utf-8", newline="\n")


def read_tables(job: Job, *names: str) -> list[pd.DataFrame]:
    """Read the parquet inputs of the given names."""
    return [read_table(getattr(job.input, name)) for name in names]


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a parquet file that a job of this workflow has written."""
    import pandas as pd

    try:
        return pd.read_parquet(Path(str(path)))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as parquet ({error}); delete it and run again.") from None


def read_scores(job: Job) -> pd.DataFrame:
    """Read the run's long table of scores; only a value and a variance may be missing.

    The column ``replicates`` has the replicates of each score as an array, or None; ``test_over_train`` is NaN unless
    every seed has a partition of its own.
    """
    import pandas as pd

    from medsynth.evaluation.resampling import ABOUT, COUNTED, REPLICATES

    def keys(table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
        named = table[["generator", "epochs", "seed", "family", "metric", *ABOUT]]
        return named.fillna(dict.fromkeys(COUNTED, 0)).itertuples(index=False, name=None)

    scores = read_score_file(job.input.scores)
    table = pd.read_parquet(job.input.replicates)
    values = list(table[[f"r{i}" for i in range(REPLICATES)]].to_numpy("float64"))
    known = dict(zip(keys(table), values, strict=True))
    scores["replicates"] = [known.get(key) for key in keys(scores)]
    ratio = job.params.test_over_train
    return scores.assign(test_over_train=float("nan") if ratio is None else ratio)


def read_score_file(path: str | Path) -> pd.DataFrame:
    """Read a table of scores; numbers may be missing, text is at most empty."""
    import pandas as pd

    from medsynth.evaluation.resampling import ABOUT, COUNTED

    words = dict.fromkeys(["generator", "family", "metric", *ABOUT], str) | dict.fromkeys(COUNTED, "Int64")
    missing = {name: [""] for name in ("value", "variance", *COUNTED)}
    return pd.read_csv(path, dtype=words, keep_default_na=False, na_values=missing)


def write_scores(job: Job, scores: dict[int, list[tuple[str, Score]]]) -> None:
    """Write scores, by epoch count and each with its family, as the job's long table; their replicates beside it."""
    import numpy as np
    import pandas as pd

    from medsynth.evaluation.resampling import ABOUT, COUNTED, REPLICATES

    made = [(epochs, family, score) for epochs, found in scores.items() for family, score in found]
    facts = [(epochs, family, s.metric, *s.about, s.value, s.variance) for epochs, family, s in made]
    table = pd.DataFrame(facts, columns=["epochs", "family", "metric", *ABOUT, "value", "variance"])
    table = table.astype(dict.fromkeys(COUNTED, "Int64"))
    table.insert(0, "generator", job.wildcards.generator)
    table.insert(2, "seed", int(job.wildcards.seed))
    table.to_csv(job.output.scores, index=False, lineterminator="\n", float_format="%.10g")
    known = [i for i, (*_, score) in enumerate(made) if score.replicates is not None]
    values = np.array([made[i][-1].replicates for i in known], dtype="float32").reshape(-1, REPLICATES)
    names = table.drop(columns=["value", "variance"]).iloc[known].reset_index(drop=True)
    replicates = pd.concat([names, pd.DataFrame(values, columns=[f"r{i}" for i in range(REPLICATES)])], axis=1)
    replicates.to_parquet(job.output.replicates, index=False)


def facts_of(job: Job) -> Facts:
    """What tables and figures of a job are made from."""
    from medsynth.scores.registry import Facts

    given: dict[str, Any] = {
        key: job.params.get(key) for key in ("cards", "plot_data", "trained") if job.params.get(key)
    }
    files = dict(job.input.items())
    return Facts(scores=read_scores(job), **read_facts(files.pop("facts")), files=files, **given)


def read_facts(path: str) -> dict[str, Any]:
    """Read what rule ``write_facts`` wrote."""
    read: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return read


def visit_sequence_ends(job: Job, table: pd.DataFrame) -> dict[str, list[str]]:
    """Say which columns are first and last in the visit sequence: those that the study wants and cleaning kept."""
    wanted = {"first": job.params.visited_first, "last": job.params.visited_last}
    return {end: [name for name in names if name in table.columns] for end, names in wanted.items()}
