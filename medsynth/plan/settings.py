"""The schema of the configuration: config.yaml, one file a study and one a generator (datasets: medsynth.codebook).

The models below are the schema; ``workflow/schemas/`` and the tables in ``config/README.md`` are made from them
(``make schemas``), and a test keeps them in step.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from medsynth.codebook import Strict
from medsynth.disclosure import MINIMUM_CELL_SIZE
from medsynth.evaluation.targets import Predicted, Target
from medsynth.scores.conditional.compute import Cohort
from medsynth.scores.fairness.compute import Subgroups
from medsynth.scores.inference.compute import Analysis
from medsynth.scores.published.publication import Publication
from medsynth.scores.regression.compute import RegressionTarget
from medsynth.scores.survival.compute import TimeToEvent


def _rows(value: Any) -> Any:
    """Accept a positive number of rows, or the word "all"."""
    if value == "all" or (str(value).isdigit() and int(value) > 0):
        return value if value == "all" else int(value)
    raise ValueError(f"must be a positive number or 'all' (given: {str(value)!r})")


Rows = Annotated[int | str, BeforeValidator(_rows)]
Source = Literal["simulated", "file", "download"]


class Config(Strict):
    """config/config.yaml: which studies, at which scale; every key may also be given with ``--config``."""

    studies: list[str] = Field(min_length=1, description="names of files in config/studies")
    scale: str = Field("laptop", description="one of the scales that the studies define")
    source: Source | None = Field(None, description="overrides every study's own source")
    raw_dir: str = Field("resources/raw", description="raw tables lie in <raw_dir>/<dataset>/")
    generators: list[str] | None = Field(None, description="overrides the studies' generators")
    epochs: list[int] | None = Field(None, description="overrides the scale's epoch counts")
    seeds: list[int] | None = Field(None, description="overrides the scale's seeds")
    rows: Rows | None = Field(None, description="overrides the scale's number of rows")
    share_imports: bool = Field(
        True,
        description="jobs on this machine fork from one process that keeps their imports. Without it each job "
        "imports for itself",
    )
    failed: Literal["retry", "show"] = Field(
        "retry",
        description="jobs of generators that failed in an earlier call. 'retry' tries them again, and makes no "
        "tables while any fails. 'show' makes tables of the rest, and the table `failures` gives the "
        "reasons",
    )

    @model_validator(mode="before")
    @classmethod
    def _words_may_be_lists(cls, content: Any) -> Any:
        # "studies=covid_gans" on the command line is a plain word.
        if isinstance(content, dict):
            for key in ("studies", "generators", "epochs", "seeds"):
                if isinstance(content.get(key), str | int):
                    content = {**content, key: [content[key]]}
        return content


class Cleaning(Strict):
    """How a study cleans beyond what the codebook says."""

    max_missing: float = Field(0.5, ge=0, le=1, description="columns missing in a larger share of the rows are dropped")


class Imputation(Strict):
    """How a study imputes; fitted on training rows alone."""

    method: Literal["forest", "iterative", "simple", "category", "keep"] = Field(
        "forest", description="see docs/imputation.md; 'keep' leaves gaps, which generators then learn and sample"
    )
    rounds: int = Field(3, ge=1, description="rounds of chained equations (forest, iterative)")
    max_fit_rows: int = Field(20_000, ge=10, description="training rows that the models are fitted on, at most")
    statistic: Literal["median", "mean"] | None = Field(None, description="for numeric columns (simple); median")
    flags: bool | None = Field(None, description="add a column '<name>_missing' for every gap (simple); no")

    @model_validator(mode="after")
    def _settings_of_simple(self) -> Self:
        if self.method != "simple" and (self.statistic or self.flags is not None):
            raise ValueError("'statistic' and 'flags' are for the method 'simple' alone")
        return self


class StudyImputation(Imputation):
    """How a study imputes, and how often."""

    tables: int = Field(
        1,
        ge=1,
        description="imputed training tables. The models of the seeds learn from them in turn, and `inference` then "
        "covers imputation",
    )

    @model_validator(mode="after")
    def _tables_differ(self) -> Self:
        if self.tables > 1 and self.method in ("simple", "category", "keep"):
            raise ValueError(f"'tables' above 1 is for methods that draw values; '{self.method}' gives the same again")
        return self


class Scale(Strict):
    """The numbers of one scale; no code asks for its name."""

    rows: Rows = Field(description="rows of the clean table that the study uses")
    cohort_rows: int | None = Field(None, ge=1, description="rows simulated if the source is simulated; default: rows")
    epochs: list[int] = Field(min_length=1, description="epoch counts at which models are compared")
    shown_epochs: int | None = Field(
        None, description="epoch count of tables and figures that show one; default, or if it was not run: the largest"
    )
    seeds: list[int] = Field(min_length=1, description="one training run each; intervals are over them")
    utility_rows: int = Field(
        8_000, ge=1, description="rows that classifiers are trained on by the paper's protocol; beside it all of them"
    )
    test_rows: int = Field(2_000, ge=1, description="held-out real rows that classifiers are tested on")
    fidelity_rows: int = Field(
        10_000, ge=1, description="rows from each side for quality and detection, at most half of the test rows"
    )
    cohort_sample_rows: int = Field(1_000, ge=1, description="rows sampled for each cohort of `cohorts`")
    coverage_samples: int = Field(20, ge=1, description="samples of the real rows for `inference.coverage`")
    coverage_rows: int = Field(2_000, ge=10, description="rows of each of these samples")
    attacked_seeds: int | None = Field(
        None, ge=1, description="attack the tables of the first so many seeds alone; default: of all"
    )
    importance_rows: int = Field(200, ge=2, description="held-out real rows that forests are explained on (SHAP)")
    without: list[str] = Field(
        [], description="generators of the study that take too long at this scale, unless the command line names them"
    )

    @model_validator(mode="after")
    def _positive(self) -> Self:
        for key in ("epochs", "seeds"):
            values = getattr(self, key)
            if len(set(values)) != len(values):
                raise ValueError(f"'{key}' names a number twice: {values}")
        if min(self.epochs) < 1:
            raise ValueError(f"'epochs' must be at least 1: {self.epochs}")
        if min(self.seeds) < 0:
            raise ValueError(f"'seeds' must not be negative: {self.seeds}")
        return self


class Export(Strict):
    """A synthetic table in the raw table's headers and codes, from the model of most epochs and the first seed."""

    generator: str = Field(description="one of the study's generators; the file is not made in runs without it")
    rows: int = Field(1_000, ge=1, description="rows to sample")
    file: str | None = Field(
        None, pattern=r"^\w[\w.-]*\.csv$", description="name of the file in export/; default: <generator>.csv"
    )

    @property
    def file_name(self) -> str:
        """Name of the file."""
        return self.file or f"{self.generator}.csv"


class Study(Strict):
    """One study: a dataset, how it is prepared, which generators, and what is predicted."""

    name: str = Field(description="the file's name without .yaml", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(description="for captions and the report")
    like: str | None = Field(None, description="another study, whose keys this one has unless it names them itself")
    paper: str = Field("", description="what the study re-makes, with where to find it")
    dataset: str = Field(description="name of a codebook in config/datasets")
    source: Source = Field(description="where the raw table comes from")
    seed: int = Field(description="everything random in the study is decided by it")
    splits: bool = Field(
        False,
        description="every seed has a partition into train and test of its own. Intervals then cover partitions, too "
        "(Nadeau and Bengio 2003). Figures of single tables show the first seed",
    )
    test_share: float = Field(0.2, gt=0, lt=1, description="share of the persons in the test partition")
    cleaning: Cleaning = Field(Cleaning(), description="see below")
    winsorise: float | None = Field(
        None, gt=0.5, lt=1, description="numeric columns are cut at this quantile of the training rows"
    )
    imputation: StudyImputation = Field(StudyImputation(), description="see below")
    generators: list[str] = Field(min_length=1, description="names of files in config/generators, or of their variants")
    targets: list[Target] = Field(min_length=1, description="what classifiers predict; the first is the main one")
    regression: list[RegressionTarget] = Field([], description="numeric columns that regression models predict")
    survival: list[TimeToEvent] = Field([], description="times to an event that survival models predict, see below")
    subgroups: list[Subgroups] = Field(
        [], description="groups whose frequency and predictions are compared with real rows, see below"
    )
    cohorts: list[Cohort] = Field([], description="patients that generators are asked for (conditions), see below")
    attacks: list[str] | None = Field(
        None,
        description="generators to attack, which are also fitted on half of the training rows; default: all that learn",
    )
    sensitive: list[str] = Field(
        [], description="columns that attribute inference asks for; default: those that the targets are made of"
    )
    anonymeter: bool = Field(
        False,
        description="also measure Anonymeter's risks; its own environment is made once from the network",
    )
    sweep: str | None = Field(
        None,
        description="hyperparameter of the figure of membership AUC and C2ST AUC, such as kl_weight",
    )
    importance: list[str] = Field([], description="names of targets whose random forests are explained (SHAP)")
    inference: Analysis | None = Field(
        None, description="a logistic model that is fitted to real and to synthetic rows, to compare conclusions"
    )
    published: Publication | None = Field(
        None, description="numbers and claims of a paper, or the name of the study that has them; see below"
    )
    learning_curve: list[Rows] = Field(
        [], description="numbers of training rows (and 'all') that every generator is also fitted on"
    )
    minimum_cell_size: int = Field(
        MINIMUM_CELL_SIZE,
        ge=1,
        description="smallest number of real patients that tables, figures and plot data show. The export has no "
        "category of free text with fewer (docs/disclosure.md)",
    )
    export: Export | None = Field(None, description="a synthetic table to hand over, see below")
    detect_metadata: bool = Field(
        False, description="make a table of the column types that SDV detects; those of the codebook are used"
    )
    scales: dict[Annotated[str, Field(pattern="^[a-z0-9_]+$")], Scale] = Field(
        description="name of a scale -> its numbers"
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names_of: dict[str, list[Any]] = {"targets": [target.name for target in self.predicted]}
        names_of |= {"cohorts": [cohort.name for cohort in self.cohorts]}
        names_of |= {
            "generators": self.generators,
            "importance": self.importance,
            "learning_curve": self.learning_curve,
        }
        names_of |= {"subgroups": [one.column for one in self.subgroups]}
        for key, names in names_of.items():
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise ValueError(f"'{key}' names '{twice[0]}' twice")
        return self

    @property
    def predicted(self) -> list[Predicted]:
        """All that models predict: targets of classifiers first, then numbers, then times to an event."""
        return [*self.targets, *self.regression, *self.survival]

    @model_validator(mode="after")
    def _splits_have_one_imputation(self) -> Self:
        if self.splits and self.imputation.tables > 1:
            raise ValueError("'splits' goes with one imputation: leave out 'splits' or 'imputation.tables'")
        return self


class BenchmarkScale(Strict):
    """Sizes of tables at which one scale of the scaling benchmark measures time and memory."""

    rows: list[int] = Field(min_length=1, description="training rows, while all columns are there")
    columns: list[int] = Field(min_length=1, description="columns, while `rows_of_columns` training rows are there")
    rows_of_columns: int = Field(ge=2, description="training rows while columns grow")
    epochs: int = Field(ge=1, description="epochs of the generators that go through epochs")
    seeds: list[int] = Field(min_length=1, description="every cell is measured once with each")
    max_seconds: float = Field(
        600, gt=0, description="cells predicted to take more core seconds are skipped and marked"
    )


class Benchmark(Strict):
    """config/benchmark.yaml: what fitting and sampling cost as tables grow (`snakemake benchmark`)."""

    study: str = Field(description="study whose clean and imputed table the rows are sampled from")
    test_share: float = Field(0.04, gt=0, lt=1, description="share of the rows that no generator is measured on")
    generators: list[str] = Field(min_length=1, description="names of files in config/generators, or of their variants")
    settings: dict[str, dict[str, Any]] = Field(
        {}, description="generator -> what differs from its settings, such as the epochs of one that counts its own"
    )
    scales: dict[str, BenchmarkScale] = Field(description="name of a scale -> its sizes")


class Variant(Strict):
    """A generator under other settings, with a name and a row of its own."""

    title: str = Field(description="for tables and figures")
    colour: str = Field(pattern="^#[0-9a-f]{6}$", description="in every figure")
    settings: dict[str, Any] = Field({}, description="what differs from the generator's settings")
    imputation: Imputation | None = Field(None, description="of its training rows, instead of the study's")


class GeneratorEntry(Strict):
    """config/generators: one file a generator."""

    name: str = Field(description="the file's name without .yaml", pattern="^[a-z][a-z0-9_]*$")
    title: str = Field(description="for tables and figures")
    colour: str = Field(pattern="^#[0-9a-f]{6}$", description="in every figure")
    class_path: str = Field(alias="class", description="dotted path of the generator class")
    licence: str = Field("", description="of the library behind it")
    citation: str = Field("", description="how to cite it")
    settings: dict[str, Any] = Field({}, description="keyword arguments of the class")
    imputation: Imputation | None = Field(
        None,
        description="of its training rows, instead of the study's; its samples are compared with the study's own",
    )
    variants: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")], Variant] = Field(
        {}, description="name -> variant"
    )
