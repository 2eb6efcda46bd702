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
RunFolders = Annotated[list[Path] | None, typer.Argument(help="folders results/<study>/<source>-<scale>")]


@app.command()
def plan(
    studies: Annotated[list[str] | None, typer.Argument(help="names of studies; default: those of the configuration")],
    config: Annotated[list[str] | None, typer.Option(help="further settings as KEY=VALUE")] = None,
) -> None:
    """List what a study makes: its jobs by kind, its tables, its figures and the folders that they lie in."""
    from medsynth.plan.outputs import described

    for run in _runs([*(config or []), *([f"studies=[{','.join(studies)}]"] if studies else [])]).values():
        print(described(run))


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
    table: Annotated[
        Path, typer.Argument(help="csv, tsv, xlsx, xls, ods, parquet, SPSS, Stata or SAS; also zip, gz, bz2, xz")
    ],
    name: Annotated[str | None, typer.Option(help="the dataset's name; default: made of the file's")] = None,
    member: Annotated[str | None, typer.Option(help="the table inside a zip that holds several")] = None,
    sheet: Annotated[str | None, typer.Option(help="of a workbook; default: the first that is not empty")] = None,
    dictionary: Annotated[Path | None, typer.Option(help="data dictionary of REDCap, csv")] = None,
) -> None:
    """Draft the codebook of a table that is new to the project."""
    from medsynth.drafting import draft_codebook

    text = draft_codebook(table, name=name, member=member, sheet=sheet, dictionary=dictionary)
    sys.stdout.buffer.write(text.encode("utf-8"))


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
