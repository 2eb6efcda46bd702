"""From a file to a page of results: a codebook, a study and its run on a small scale (``medsynth try``)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from medsynth.codebook import Codebook
from medsynth.commands.columns import shown_draft
from medsynth.commands.study import COMPARED, write_study
from medsynth.commands.targets import read_targets
from medsynth.commands.writing import write_whole
from medsynth.data.opening import sha256
from medsynth.drafting import dataset_name, make_draft
from medsynth.errors import InputError, load_yaml
from medsynth.plan.loading import CONFIG, ROOT, configured, load_runs
from medsynth.plan.settings import Config, Study

SCALE = "smoke"


class Trial(NamedTuple):
    """What `try_table` made.

    Attributes
    ----------
    codebook, study : Path
        Files of the configuration, to be edited.
    summary : Path
        The page of results.
    report : Path
        Snakemake's report: every table and figure, and how each was made.
    """

    codebook: Path
    study: Path
    summary: Path
    report: Path


def try_table(
    table: str | Path,
    targets: Sequence[str],
    *,
    name: str | None = None,
    member: str | None = None,
    sheet: str | None = None,
    dictionary: str | Path | None = None,
    generators: Sequence[str] | None = None,
    cores: str = "all",
    force: bool = False,
    say: Callable[[str], None] = print,
) -> Trial:
    """Draft a codebook, propose a study and run it at smoke scale, in a checkout.

    Files go where the workflow looks for them, below the working folder: ``config/datasets/<name>.yaml``,
    ``config/studies/<name>.yaml`` and a link to the table in ``resources/raw/<name>/``. A codebook and a study that
    are there, edited perhaps, are kept if they are of this table and these targets.

    Parameters
    ----------
    table : str or Path
        A file in any format that `medsynth.drafting.draft_codebook` reads.
    targets : sequence of str
        See `medsynth.commands.study.write_study`.
    name : str, optional
        Of dataset and study; by default made of the file's.
    member, sheet, dictionary : optional
        For drafting; see `medsynth.drafting.draft_codebook`.
    generators : sequence of str, optional
        Names in config/generators; default: `medsynth.commands.study.COMPARED`.
    cores : str, default "all"
        As Snakemake's ``--cores``.
    force : bool, default False
        Whether a codebook and a study that are there are replaced.
    say : callable, default print
        Gets what was done, sentence by sentence.

    Returns
    -------
    Trial

    Raises
    ------
    InputError
        One sentence: there is no checkout, the table or a target does not fit, what is there is of another table or
        target, or a job failed.
    """
    _check_checkout()
    table = Path(table)
    name = name or dataset_name(table)
    how = {"member": member, "sheet": sheet, "dictionary": dictionary}
    codebook_path = _drafted(table, name, how, force, say)
    codebook = Codebook.from_yaml(codebook_path)
    raw_dir = str(Config.model_fields["raw_dir"].default)
    _link(table, Path(raw_dir) / name / codebook.raw.file, codebook, force, say)
    study_path = _proposed(name, targets, codebook, generators or COMPARED, force, say)
    settings = {"studies": [name], "scale": SCALE, "source": "file", "raw_dir": raw_dir}
    run = load_runs({**settings, **({"generators": list(generators)} if generators else {})})[name]
    words = [f"studies=[{name}]", f"scale={SCALE}", "source=file", f"raw_dir={raw_dir}"]
    words += [f"generators=[{','.join(generators)}]"] if generators else []
    snakemake = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(Path.cwd()),
        "--workflow-profile", str(ROOT / "profiles/default"), "--cores", cores,
    ]  # fmt: skip
    report = Path(run.summary).with_name("report.html")
    say(f"Running the study at {SCALE} scale, which shows that it runs and not how good a generator is.")
    sys.stdout.flush()
    for step in ([], ["--report", str(report)]):
        if subprocess.run([*snakemake, *step, "--config", *words], check=False).returncode:
            raise InputError("The workflow failed for the reason above; run the same command again to go on.")
    say(f"Look at {run.summary}; {report} has every table and figure.")
    say(f"Then edit {codebook_path} and {study_path}, and run:")
    say(f'make results CONFIG="studies=[{name}]"')
    return Trial(codebook_path, study_path, Path(run.summary), report)


def _check_checkout() -> None:
    """Refuse folders where the workflow cannot run."""
    if not (ROOT / "Snakefile").is_file():
        raise InputError(
            "'try' runs the workflow, which an installed package lacks; clone the repository and run there."
        )
    if not (CONFIG / "config.yaml").is_file():
        raise InputError(f"There is no {CONFIG / 'config.yaml'} here; run it in the folder of the checkout, {ROOT}.")


def _drafted(table: Path, name: str, how: Mapping[str, Any], force: bool, say: Callable[[str], None]) -> Path:
    """Draft a codebook, or keep one of the same table."""
    known = configured("datasets").get(name)
    if known and not force:
        codebook = Codebook.from_yaml(known)
        if codebook.raw.sha256 not in (None, sha256(table, codebook.raw.member)):
            raise InputError(f"{known} is of another table; give another --name, or say --force to replace it.")
        say(f"Kept {known}.")
        return known
    path = CONFIG / "datasets" / f"{name}.yaml"
    draft = make_draft(table, name=name, **how)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, draft.text)
    say(shown_draft(draft, table.name))
    say(f"\nWrote {path}.")
    return path


def _link(table: Path, place: Path, codebook: Codebook, force: bool, say: Callable[[str], None]) -> None:
    """Put a table where the workflow looks for it: a link, or a copy where there can be none."""
    if place.exists() and not (force and place.is_symlink()):
        if sha256(place, codebook.raw.member) != sha256(table, codebook.raw.member):
            raise InputError(f"{place} is another table; remove it, or give another --name.")
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        place.symlink_to(table.resolve())
    except OSError:
        shutil.copyfile(table, place)
    say(f"Put {table.name} at {place}.")


def _proposed(
    name: str,
    targets: Sequence[str],
    codebook: Codebook,
    generators: Sequence[str],
    force: bool,
    say: Callable[[str], None],
) -> Path:
    """Propose a study, or keep one of the same targets."""
    known = configured("studies").get(name)
    if known and not force:
        wanted = [target.name for target in read_targets(targets, codebook)]
        if [target.name for target in load_yaml(known, Study).predicted] != wanted:
            raise InputError(f"{known} has other targets; edit it, give another --name, or say --force to replace it.")
        say(f"Kept {known}.")
        return known
    path = write_study(name, targets, generators=generators, force=force)
    say(f"Wrote {path}.")
    return path
