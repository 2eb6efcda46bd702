"""One program for everything that is done from a terminal: ``medsynth --help``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from medsynth.errors import InputError

app = typer.Typer(
    help="Train, score and compare generators of synthetic patients.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Words = Annotated[
    list[str] | None, typer.Argument(help="settings of config/config.yaml as KEY=VALUE, such as scale=paper")
]
Table = Annotated[
    Path, typer.Argument(help="csv, tsv, xlsx, xls, ods, parquet, SPSS, Stata or SAS; also zip, gz, bz2, xz")
]
Member = Annotated[str | None, typer.Option(help="the table inside a zip that holds several")]
Sheet = Annotated[str | None, typer.Option(help="of a workbook; default: the first large one")]
Dictionary = Annotated[Path | None, typer.Option(help="data dictionary of REDCap, csv")]
RunFolders = Annotated[list[Path] | None, typer.Argument(help="folders results/<study>/<source>-<scale>")]


@app.command()
def plan(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="STUDY...", help="default: the studies of the configuration")
    ] = None,
    config: Annotated[list[str] | None, typer.Option(help="further settings as KEY=VALUE")] = None,
) -> None:
    """List what a study makes: its jobs by kind, its tables, its figures and the folders that they lie in."""
    from medsynth.plan.outputs import described

    for run in _runs([*(config or []), *([f"studies=[{','.join(names)}]"] if names else [])]).values():
        print(described(run))


@app.command()
def studies(
    words: Words = None,
    runnable: Annotated[bool, typer.Option(help="only names of papers' studies whose raw table is there")] = False,
    simulated: Annotated[bool, typer.Option(help="say which of the configured studies are simulated")] = False,
) -> None:
    """List the studies, with what they take their rows from."""
    from tabulate import tabulate

    from medsynth.plan import studies as known

    if runnable:
        print(",".join(known.having_data(words or [])))
    elif simulated:
        print(known.said_of_simulated(words or []), end="")
    else:
        print(tabulate(known.described(), headers="keys", showindex=False))


@app.command()
def estimate(words: Words = None) -> None:
    """Say what a run will take, in core hours, memory and disk, after a few minutes of calibration."""
    from medsynth.plan import estimate as estimates

    estimates.main(words or [])


@app.command()
def compare(runs: RunFolders = None) -> None:
    """Compare runs with the results that the repository keeps; ends with 1 if any mean is beyond its tolerance."""
    from medsynth.plan import reference

    raise typer.Exit(int(reference.compare(runs or []) > 0))


@app.command()
def reference(runs: Annotated[list[Path], typer.Argument(help="folders results/<study>/<source>-<scale>")]) -> None:
    """Keep tables and main figures of runs in results/reference."""
    from medsynth.plan import reference as references

    for run in runs:
        print(f"kept {len(references.keep(run))} files of {run}")


@app.command()
def overheads(runs: Annotated[list[Path], typer.Argument(help="folders results/<study>/<source>-<scale>")]) -> None:
    """Say how much of a run's processor time went into anything but fitting, sampling and scoring."""
    from medsynth.plan import overheads as spending

    spending.main(runs)


@app.command()
def schemas() -> None:
    """Write config/README.md and the schemas of the configuration from the models that check it."""
    from medsynth.plan.documentation import write

    for path, text in write().items():
        path.write_text(text, encoding="utf-8", newline="\n")


@app.command()
def draft(
    table: Table,
    name: Annotated[str | None, typer.Option(help="the dataset's name; default: made of the file's")] = None,
    member: Member = None,
    sheet: Sheet = None,
    dictionary: Dictionary = None,
    out: Annotated[Path | None, typer.Option(help="file for the codebook; default: standard output")] = None,
) -> None:
    """Draft the codebook of a table that is new to the project, and show what was decided of each column."""
    from medsynth.commands.columns import shown_draft
    from medsynth.commands.writing import write_whole
    from medsynth.drafting import make_draft

    made = make_draft(table, name=name, member=member, sheet=sheet, dictionary=dictionary)
    if out:
        write_whole(out, made.text)
    else:
        sys.stdout.buffer.write(made.text.encode("utf-8"))
        sys.stdout.flush()
    # Beside the codebook, which may go into a file.
    print(shown_draft(made, table.name), file=sys.stderr)


@app.command()
def synthesize(
    table: Table,
    out: Annotated[Path, typer.Option(help="the synthetic table: csv, tsv or parquet, by its ending")],
    rows: Annotated[int, typer.Option(help="synthetic rows")] = 1_000,
    epsilon: Annotated[float | None, typer.Option(help="privacy budget; default: no guarantee")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="COLUMN=VALUE or COLUMN=LOW..HIGH, which every row meets; several")
    ] = None,
    codebook: Annotated[Path | None, typer.Option(help="an edited draft; default: drafts one")] = None,
    member: Member = None,
    sheet: Sheet = None,
    dictionary: Dictionary = None,
    generator: Annotated[
        str | None, typer.Option(help="name in config/generators; default: the recommended one")
    ] = None,
    seed: Annotated[int, typer.Option(help="same seed: same rows; not with --epsilon")] = 0,
) -> None:
    """Make a synthetic table that is written as a real one, and say how good it is."""
    from medsynth.commands.synthesize import synthesize as whole_way

    _say_progress()
    _, report = whole_way(
        table, rows, out=out, epsilon=epsilon, conditions=condition, codebook=codebook, member=member, sheet=sheet,
        dictionary=dictionary, generator=generator, seed=seed,
    )  # fmt: skip
    print(report)


Targets = Annotated[
    list[str],
    typer.Option(
        "--target",
        help="what is predicted: COLUMN, COLUMN=CATEGORY or COLUMN>=NUMBER; beside one of these also COLUMN:regression "
        "or time=COLUMN,event=COLUMN:CATEGORY; several",
    ),
]
Compared = Annotated[
    list[str] | None, typer.Option("--generator", help="names in config/generators; several; default: the usual ones")
]


@app.command()
def study(
    name: Annotated[str, typer.Argument(help="a codebook in config/datasets; the study is called so, too")],
    target: Targets,
    generator: Compared = None,
    raw_dir: Annotated[str, typer.Option(help="the raw table lies in <raw-dir>/<name>/")] = "resources/raw",
    force: Annotated[bool, typer.Option("--force", help="replace a study that is there")] = False,
) -> None:
    """Propose a study of a table: targets, groups of patients, cohorts, a logistic model and scales that fit it."""
    from medsynth.commands.study import COMPARED, write_study

    path = write_study(name, target, generators=generator or COMPARED, raw_dir=raw_dir, force=force)
    print(f'{path}: read it, then run: make results CONFIG="studies=[{name}] scale=smoke"')


@app.command("try")
def try_(
    table: Table,
    target: Targets,
    name: Annotated[str | None, typer.Option(help="of dataset and study; default: made of the file's")] = None,
    member: Member = None,
    sheet: Sheet = None,
    dictionary: Dictionary = None,
    generator: Compared = None,
    cores: Annotated[str, typer.Option(help="processor cores")] = "all",
    force: Annotated[bool, typer.Option("--force", help="replace a codebook and a study that are there")] = False,
) -> None:
    """Draft, propose a study and run it on a small scale: from a file to a page of results, in a checkout."""
    from medsynth.commands.trying import try_table

    try_table(
        table, target, name=name, member=member, sheet=sheet, dictionary=dictionary, generators=generator, cores=cores,
        force=force,
    )  # fmt: skip


def _say_progress() -> None:
    """Say on standard error what a command that takes minutes is at."""
    import logging

    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("medsynth.commands").setLevel(logging.INFO)


def _runs(words: list[str]) -> dict[str, Any]:
    """Runs of the configuration, overridden as on Snakemake's command line."""
    from medsynth.plan.loading import configuration, load_runs

    return load_runs(configuration(words))


def main() -> None:
    """Run the program; bad input is one sentence, without a traceback."""
    try:
        app()
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
