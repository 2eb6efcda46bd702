"""Configuration, studies, codebooks and generators read, checked and resolved into runs."""

from __future__ import annotations

import dataclasses
import inspect
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from medsynth.codebook import NUMERIC, Codebook
from medsynth.errors import InputError, load_yaml, nearest, plain_yaml, read_yaml, validate
from medsynth.evaluation.references import BOUNDS, REFERENCE_ROWS
from medsynth.generators import generator_class
from medsynth.generators.guarantee import refuse_seeded
from medsynth.plan.failures import read_failed
from medsynth.plan.runs import BENCHMARK, Run
from medsynth.plan.settings import Benchmark, Config, GeneratorEntry, Scale, Study
from medsynth.scores.violations.compute import check_constraints

# The checkout, whose configuration is the default.
ROOT = Path(__file__).resolve().parents[2]
# Relative to the working directory, as every path in the workflow is.
CONFIG = Path("config")


def configured(kind: str) -> dict[str, Path]:
    """Files of ``config/<kind>`` by name: the working folder's own, and the checkout's for names that it lacks."""
    found = [path for root in (ROOT / CONFIG, CONFIG) for path in (root / kind).glob("*.yaml")]
    own = {path.stem: path for path in found}
    return dict(sorted(own.items()))


def lock_file(environment: str) -> str:
    """The packages of an environment: the working folder's own list, and the checkout's where it has none."""
    own = Path("envs") / f"{environment}.txt"
    return str(own if own.exists() else ROOT / own)


COMMAND_LINE = "config/config.yaml (or --config)"


class NoRawTableError(InputError):
    """A study's raw table cannot be had from where the study takes it."""


class Runs(dict[str, Run]):
    """The configuration's runs by study; the benchmark, which is no study, is resolved when it is asked for.

    Parameters
    ----------
    config : dict
        Content of config.yaml, overridden by the command line.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(load_runs(config))
        self._config = dict(config)
        settings = validate(config, Config, where=COMMAND_LINE)
        self.raw_dir, self.share_imports = settings.raw_dir.rstrip("/"), settings.share_imports

    def __missing__(self, name: str) -> Run:
        if name != BENCHMARK:
            raise KeyError(name)
        return self._benchmark

    @cached_property
    def _benchmark(self) -> Run:
        return load_benchmark(self._config)


def import_from_checkout() -> None:
    """Let jobs import the library from the checkout, whether or not it is installed, and know whose jobs they are."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    os.environ["MEDSYNTH_WORKFLOW"] = str(os.getpid())


def configuration(words: Iterable[str] = ()) -> dict[str, Any]:
    """Read config/config.yaml, overridden by KEY=VALUE as on Snakemake's command line."""
    given = {key: plain_yaml(value) for key, _, value in (word.partition("=") for word in words)}
    return {**read_yaml(CONFIG / "config.yaml"), **given}


def load_runs(config: dict[str, Any], where: str = COMMAND_LINE) -> dict[str, Run]:
    """Check the whole configuration and resolve it.

    Parameters
    ----------
    config : dict
        Content of config.yaml, overridden by the command line.
    where : str
        What messages call it.

    Returns
    -------
    dict of Run
        By study.

    Raises
    ------
    InputError
        One sentence for the first thing that is wrong, with its name, its place and what to do.
    """
    settings = validate(config, Config, where=where)
    catalogue = load_generators()
    return {name: _resolve(_load_study(name), settings, catalogue) for name in settings.studies}


def load_benchmark(config: dict[str, Any], where: str = COMMAND_LINE) -> Run:
    """Resolve config/benchmark.yaml: a run with a study's table, and the sizes at which cost is measured.

    Of the configuration the scale, the source, the raw tables' folder, generators and seeds count; see `load_runs`.
    """
    settings = validate(config, Config, where=where).model_copy(update={"epochs": None, "rows": None})
    path = CONFIG / "benchmark.yaml"
    path = path if path.is_file() else ROOT / path
    plan = load_yaml(path, Benchmark)
    if settings.scale not in plan.scales:
        raise InputError(f"{path} has no scale '{settings.scale}'{nearest(settings.scale, plan.scales)}")
    sizes = plan.scales[settings.scale]
    cohort_rows = math.ceil(max(*sizes.rows, sizes.rows_of_columns) / (1 - plan.test_share)) + 1
    scale = Scale(rows="all", cohort_rows=cohort_rows, epochs=[sizes.epochs], seeds=sizes.seeds)
    changes = {"name": BENCHMARK, "test_share": plan.test_share, "generators": plan.generators}
    changes |= {"scales": {settings.scale: scale}, "published": None, "export": None, "attacks": []}
    run = _resolve(_load_study(plan.study).model_copy(update=changes), settings, load_generators())
    generators = {
        name: entry.model_copy(update={"settings": {**entry.settings, **plan.settings.get(name, {})}})
        for name, entry in run.generators.items()
    }
    for entry in generators.values():
        _check_settings(entry, path)
    return dataclasses.replace(run, generators=generators, scaling_benchmark=sizes)


def load_generators(folder: Path | None = None) -> dict[str, GeneratorEntry]:
    """Read every generator and variant; a variant is an entry of its own, its settings merged."""
    paths = sorted(folder.glob("*.yaml")) if folder else configured("generators").values()
    catalogue: dict[str, GeneratorEntry] = {}
    for path in paths:
        entry = load_yaml(path, GeneratorEntry)
        _same_name(entry.name, path)
        entries = [entry]
        for name, variant in entry.variants.items():
            facts: dict[str, Any] = {"name": name, "title": variant.title, "colour": variant.colour, "variants": {}}
            facts["imputation"] = variant.imputation or entry.imputation
            entries.append(entry.model_copy(update={**facts, "settings": {**entry.settings, **variant.settings}}))
        for one in entries:
            _check_settings(one, path)
            if one.name in catalogue:
                raise InputError(f"{path}: there is another generator or variant called '{one.name}'.")
            catalogue[one.name] = one
    clash = [name for name in REFERENCE_ROWS if name in catalogue]
    if clash:
        raise InputError(
            f"{folder or CONFIG / 'generators'}: '{clash[0]}' is the name of a reference row; call the generator "
            "otherwise."
        )
    return catalogue


def _check_settings(entry: GeneratorEntry, path: Path) -> None:
    """Check that the class exists and knows every setting."""
    with _said_of(path):
        known = list(inspect.signature(generator_class(entry.class_path)).parameters)
    for setting in entry.settings:
        if setting not in known:
            raise InputError(f"{path}: '{entry.name}' has the unknown setting '{setting}'{nearest(setting, known)}")


def read_study(name: str) -> tuple[Path, Any]:
    """Read a study file as it is, with the keys that it has from the study that it is like.

    Raises
    ------
    InputError
        There is no such study, or it is like one that there is not.
    """
    known = configured("studies")
    if name not in known:
        raise InputError(f"There is no study '{name}' in config/studies{nearest(name, known)}")
    path = known[name]
    content = read_yaml(path)
    if isinstance(content, dict) and "like" in content:
        if content["like"] not in known or content["like"] == name:
            raise InputError(f"{path}: 'like' names the study '{content['like']}'{nearest(content['like'], known)}")
        content = {**read_yaml(known[content["like"]]), **content}
    return path, content


def _load_study(name: str) -> Study:
    """Read and check a study file."""
    known = configured("studies")
    path, content = read_study(name)
    if isinstance(content, dict) and isinstance(content.get("published"), str):
        other = content["published"]
        _check_names(path, "published", "study", [other], known)
        content = {**content, "published": read_yaml(known[other]).get("published")}
    study = validate(content, Study, where=str(path))
    _same_name(study.name, path)
    return study


def _resolve(study: Study, settings: Config, catalogue: dict[str, GeneratorEntry]) -> Run:
    """Put a study, a scale and the overrides together."""
    where = f"config/studies/{study.name}.yaml"
    datasets = configured("datasets")
    _check_names(where, "dataset", "dataset", [study.dataset], datasets)
    codebook_path = datasets[study.dataset]
    codebook = Codebook.from_yaml(codebook_path)
    _same_name(codebook.name, codebook_path)
    with _said_of(codebook_path):
        check_constraints(codebook)
    scale = _scale(study, settings, where)
    _check_names(where, "without", "generator", scale.without, catalogue)
    names = settings.generators or [name for name in study.generators if name not in scale.without]
    _check_names(COMMAND_LINE if settings.generators else where, "generators", "generator", names, catalogue)
    _check_study(study, codebook, catalogue, where)
    run = Run(
        study=study,
        codebook=codebook,
        codebook_path=str(codebook_path),
        source=settings.source or study.source,
        scale_name=settings.scale,
        scale=scale,
        generators={name: catalogue[name] for name in names},
        raw_dir=settings.raw_dir.rstrip("/"),
    )
    if settings.failed == "show":
        run = dataclasses.replace(run, failed=read_failed(run.folder))
    _check_source(run)
    _check_generators(run, where)
    _check_gaps(run, where)
    _check_ranges(run)
    _check_splits(run, where)
    return run


def _scale(study: Study, settings: Config, where: str) -> Scale:
    """The scale that the configuration names, with what it overrides."""
    if settings.scale not in study.scales:
        raise InputError(f"{where} has no scale '{settings.scale}'{nearest(settings.scale, study.scales)}")
    scale = study.scales[settings.scale]
    changes = {key: getattr(settings, key) for key in ("epochs", "seeds", "rows") if getattr(settings, key) is not None}
    if not changes:
        return scale
    # A cohort of the scale's own size would not follow the rows asked for.
    changes |= {"cohort_rows": None} if isinstance(changes.get("rows"), int) else {}
    return validate({**scale.model_dump(), **changes}, Scale, where=COMMAND_LINE)


def _check_study(study: Study, codebook: Codebook, catalogue: dict[str, GeneratorEntry], where: str) -> None:
    """Check that what a study names is there, and fits the codebook."""
    with _said_of(where):
        for target in study.predicted:
            target.check(codebook)
        for subgroups in study.subgroups:
            subgroups.check(codebook)
        if study.inference:
            study.inference.check(codebook)
        for cohort in study.cohorts:
            cohort.conditions(codebook)
    published = [n for item in study.published.items for n in (*item.generators, item.minus)] if study.published else []
    _check_names(where, "published", "generator", filter(None, published), [*catalogue, *BOUNDS])
    for key in ("coverage", "proper") if study.inference else ():
        _check_names(where, f"inference.{key}", "generator", getattr(study.inference, key), catalogue)
    _check_names(where, "attacks", "generator", study.attacks or [], catalogue)
    exported = [study.export.generator] if study.export else []
    _check_names(where, "export", "generator", exported, study.generators)
    kept = [name for name, column in codebook.columns.items() if not column.drop]
    _check_names(where, "sensitive", "column", study.sensitive, kept)
    _check_names(where, "importance", "target", study.importance, [target.name for target in study.targets])


def _check_generators(run: Run, where: str) -> None:
    """Check that generators' files are there, that attacked ones learn, and that what is handed over may be."""
    for name in run.generators:
        for path in run.files_of(name):
            if not Path(path).is_file():
                raise InputError(
                    f"The generator '{name}' reads {path}, which does not exist: put it there, or set another path in "
                    "config/generators."
                )
    for name in run.study.attacks or []:
        if name in run.generators and name not in run.attacked:
            raise InputError(f"{where}: 'attacks' names the generator '{name}', which learns from no rows.")
    wanted = run.study.export
    if wanted and wanted.generator in run.guaranteed:
        with _said_of(f"{where}: 'export'"):
            refuse_seeded(run.guaranteed[wanted.generator], wanted.generator)


def _check_gaps(run: Run, where: str) -> None:
    """Refuse generators that learn no gaps where gaps are kept, and kept gaps beside a table without any."""
    kept = run.study.imputation.method == "keep"
    learning = run.with_trait("keeps_gaps")
    for name, entry in run.generators.items():
        if kept and not entry.imputation and name not in learning:
            raise InputError(
                f"{where}: 'imputation' keeps gaps, which the generator '{name}' does not learn; leave it out, or give "
                "it an 'imputation' of its own in config/generators."
            )
        if not kept and entry.imputation and entry.imputation.method == "keep":
            raise InputError(
                f"{where}: the generator '{name}' keeps gaps, and the study's own rows have none; set 'method: keep' "
                "under 'imputation' of the study."
            )


def _check_ranges(run: Run) -> None:
    """Refuse private generators of numbers and dates without a declared range: the rows' own would not be private."""
    columns = run.codebook.columns
    open_ended = [
        f"'{name}'" for name in run.codebook.named(*NUMERIC) if not columns[name].drop and columns[name].range is None
    ]
    for name, generator in run.guaranteed.items():
        if generator.private and open_ended:
            raise InputError(
                f"{run.codebook_path}: the private generator '{name}' needs a 'range' of {', '.join(open_ended)}, as "
                "the range that the rows have would not be private; say which values are possible, or set 'drop'."
            )


def _check_splits(run: Run, where: str) -> None:
    """Refuse training rows that are another partition's than those that they are judged on."""
    own = [name for name, entry in run.generators.items() if entry.imputation]
    if run.study.splits and own:
        raise InputError(
            f"{where}: 'splits' makes a partition for every seed, but '{own[0]}' imputes the training rows of one "
            "partition alone; leave out either."
        )


def _check_source(run: Run) -> None:
    """Check that the raw table can be had from where the run takes it; never fall back to another source."""
    raw = run.codebook.raw
    if run.source == "simulated":
        from medsynth.cohorts import SIMULATORS

        if run.study.dataset not in SIMULATORS:
            raise NoRawTableError(
                f"There is no simulated cohort of '{run.study.dataset}' (there is one of: {', '.join(SIMULATORS)}); "
                "set source to 'file' or 'download'."
            )
        if not isinstance(run.cohort_rows, int):
            raise InputError(
                f"Study '{run.study.name}', scale '{run.scale_name}': 'rows' is 'all', so a simulated cohort needs "
                "'cohort_rows'."
            )
    elif run.source == "download" and not raw.url:
        raise NoRawTableError(
            f"'{run.study.dataset}' cannot be downloaded by the workflow; {raw.obtain}, put it at {run.raw[0]} and "
            f"set source=file; its licence is {run.codebook.licence}."
        )
    elif run.source == "file":
        for path in run.raw:
            if not Path(path).is_file():
                raise NoRawTableError(
                    f"The raw file {path} does not exist: {raw.obtain}, and put it there or set its folder with "
                    f"raw_dir; its licence is {run.codebook.licence}."
                )


@contextmanager
def _said_of(where: str | Path) -> Iterator[None]:
    """Put the place before what is said of it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _check_names(where: str | Path, key: str, kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that what a key names is known."""
    for name in names:
        if name not in known:
            raise InputError(f"{where}: '{key}' names the {kind} '{name}'{nearest(name, known)}")


def _same_name(name: str, path: Path) -> None:
    """A file is found by its name, so the two must agree."""
    if name != path.stem:
        raise InputError(f"{path}: 'name' is '{name}' and must be '{path.stem}', as the file is called.")
