"""What a run is: everything that rules need to know of a study at one scale from one source."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

from medsynth.codebook import NUMERIC, Codebook
from medsynth.evaluation.targets import Target
from medsynth.generators import generator_class
from medsynth.generators.environments import stamp_of
from medsynth.generators.guarantee import Guaranteed
from medsynth.plan.settings import BenchmarkScale, Export, GeneratorEntry, Rows, Scale, Source, Study
from medsynth.scores import registry

# Names the benchmark's folder below results/, where studies have theirs.
BENCHMARK = "benchmark"
# Bytes of a raw file whose checksum is looked at, at most: as Snakemake is told in profiles/.
MOST_HASHED = 1_000_000_000

# Stage of a generator's job -> the stage whose work it needs; those of score jobs are declared with their families.
NEEDED = {"train": "impute", "sample": "train"}


class ScoreJob(NamedTuple):
    """One job that scores a generator, or a reference row, with one seed."""

    stage: str
    generator: str
    seed: int
    epochs: tuple[int, ...]

    @property
    def name(self) -> str:
        """Its files below ``scores/`` and ``replicates/``, without the ending."""
        return f"{self.stage}/{self.generator}/seed{self.seed}"


@dataclasses.dataclass(frozen=True)
class Run:
    """One study at one scale from one source: everything that a rule needs to know, resolved."""

    study: Study
    codebook: Codebook
    codebook_path: str
    source: Source
    scale_name: str
    scale: Scale
    generators: dict[str, GeneratorEntry]
    raw_dir: str
    # "<stage>/<generator>-..." of a job -> why it failed; empty where failed jobs are to be tried again.
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    scaling_benchmark: BenchmarkScale | None = None

    @property
    def name(self) -> str:
        """Folder of the run below the study's."""
        return f"{self.source}-{self.scale_name}"

    @property
    def folder(self) -> str:
        """Where everything that the run makes goes."""
        return f"results/{self.study.name}/{self.name}"

    @property
    def raw(self) -> list[str]:
        """Paths of the raw tables, the main one first."""
        files = self.codebook.raw.files
        if self.source == "simulated":
            tables = [file.split(".")[0] for file in files] if len(files) > 1 else [self.study.dataset]
            return [f"{self.folder}/raw/{table}.csv.gz" for table in tables]
        return [self._own_file(f"{self.raw_dir}/{self.study.dataset}/{file}") for file in files]

    @staticmethod
    def _own_file(path: str) -> str:
        """Path of a user's file, which may be packed although the codebook's is not."""
        return f"{path}.gz" if not Path(path).is_file() and Path(f"{path}.gz").is_file() else path

    @property
    def raw_stamps(self) -> list[str | int]:
        """Checksum of each raw file of the user's own; the second of its last change, if it is huge or cannot be read.

        Snakemake notices by itself only files that are newer than what was made of them. The same file copied again is
        no other table.
        """
        return [_stamp(Path(path)) for path in self.raw] if self.source == "file" else []

    @property
    def cohort_rows(self) -> Rows:
        """Rows to simulate."""
        return self.scale.cohort_rows or self.scale.rows

    @cached_property
    def note(self) -> str:
        """What every table and figure says of its data, and of what it lacks."""
        raw = self.codebook.raw
        data = f"{self.codebook.title}, real file {raw.member or ' and '.join(raw.files)}"
        if self.source == "simulated":
            data = f"simulated cohort with the schema of {self.codebook.title} (no real patient)"
        if self.seeded:
            private = [name for name, made in self.guaranteed.items() if made.private]
            whose = "any ε" if self.seeded == private else ", ".join(map(self._title, self.seeded))
            data += f"; noise behind {whose} comes from the seed (for comparison, not for publishing)"
        if not self.failures:
            return data
        generators = ", ".join(dict.fromkeys(self._title(failure["generator"]) for failure in self.failures))
        return f"{data}; jobs failed and what they would have given is left out, of {generators} (see table failures)"

    def _title(self, generator: str) -> str:
        """What tables call a generator or reference row."""
        return self.generators[generator].title if generator in self.generators else generator

    def failure(self, stage: str | None, generator: str, seed: int, epochs: int = 0) -> tuple[str, str] | None:
        """Say why a job has nothing to give: step that failed (its own, or one that it needs) and reason; else None."""
        while stage:
            job = {"impute": generator, "sample": f"{generator}-epochs{epochs}-seed{seed}"}
            name = f"{stage}/{job.get(stage, f'{generator}-seed{seed}')}"
            if name in self.failed:
                return stage, self.failed[name]
            stage = registry.stages()[stage].needs if stage in registry.stages() else NEEDED.get(stage)
        return None

    @cached_property
    def failures(self) -> list[dict[str, Any]]:
        """Scores that failed jobs left without: generator, epochs, seed, stage (of the score), step and reason."""
        found = []
        for stage, generator, seed, counts in self.wanted:
            for epochs in counts:
                if failure := self.failure(stage, generator, seed, epochs):
                    facts = {"generator": generator, "epochs": epochs, "seed": seed, "stage": stage}
                    found.append(facts | dict(zip(("step", "reason"), failure, strict=True)))
        return found

    def shown_seeds(self, stage: str, generator: str) -> list[int]:
        """Seeds of which there is a score of a stage at the epoch count that is shown."""
        shown = self.shown(generator) if generator in self.generators else 0
        return [job.seed for job in self.scored if job[:2] == (stage, generator) and shown in job.epochs]

    @property
    def drawable(self) -> list[str]:
        """Generators that there are plot data of for the figures that each generator gets."""
        return [g for g in self.generators if self.shown_seeds("table", g)]

    def trained_seeds(self, generator: str) -> list[int]:
        """Seeds of which there are models."""
        return [s for s in self.scale.seeds if not self.failure("train", generator, s)]

    def together(self, generator: str) -> list[int]:
        """Seeds of a generator that are trained side by side: all, if they learn from the same rows, or none."""
        seeds = self.scale.seeds
        can = generator_class(self.generators[generator].class_path).trains_together
        same = {(self.split_of(seed), self.imputation_of(generator, seed)) for seed in seeds} == {(1, 1)}
        # What was killed may be too large: each alone, then.
        return seeds if can and same and len(seeds) > 1 and f"train_together/{generator}" not in self.failed else []

    def sampled_epochs(self, generator: str, seed: int) -> list[int]:
        """Epoch counts of which there are synthetic tables."""
        return [e for e in self.epochs_of(generator) if not self.failure("sample", generator, seed, e)]

    def epochs_of(self, generator: str) -> list[int]:
        """Epoch counts at which a generator's models are compared; [0] for one without epochs."""
        return sorted(self.scale.epochs) if generator_class(self.generators[generator].class_path).has_epochs else [0]

    def shown(self, generator: str) -> int:
        """Epoch count at which tables and figures that show one show a generator."""
        counts = self.epochs_of(generator)
        return self.scale.shown_epochs if self.scale.shown_epochs in counts else counts[-1]

    @property
    def imputations(self) -> list[str]:
        """Paths of the study's training rows, one an imputation."""
        further = range(2, self.study.imputation.tables + 1)
        return [f"{self.folder}/data/train.parquet", *(f"{self.folder}/data/imputations/{i}.parquet" for i in further)]

    def imputation_of(self, generator: str, seed: int) -> int:
        """Number of the imputation that a generator's model of a seed learns from: each seed the next one, in turn.

        A generator that has its rows imputed its own way has one table of them.
        """
        entry, seeds = self.generators.get(generator), self.scale.seeds
        if (entry and entry.imputation) or seed not in seeds:
            return 1
        return seeds.index(seed) % self.study.imputation.tables + 1

    def split_of(self, seed: int) -> int:
        """Number of the partition that a seed learns from and is judged on."""
        seeds = self.scale.seeds
        return seeds.index(seed) + 1 if self.study.splits and seed in seeds else 1

    def data_of(self, seed: int) -> str:
        """Folder of a seed's partition."""
        split = self.split_of(seed)
        return f"{self.folder}/data" + (f"/split{split}" if split > 1 else "")

    @property
    def splits(self) -> dict[int, int]:
        """`split_of` every seed."""
        return {seed: self.split_of(seed) for seed in self.scale.seeds}

    @property
    def test_over_train(self) -> float | None:
        """Test rows over training rows, which intervals need where every seed has a partition of its own."""
        return self.study.test_share / (1 - self.study.test_share) if self.study.splits else None

    def compared_seeds(self, generator: str) -> list[int]:
        """Seeds of which there are models, and which learned from the same partition as the first."""
        return [seed for seed in self.trained_seeds(generator) if self.split_of(seed) == 1]

    def learned_from(self, generator: str) -> list[int]:
        """`imputation_of` every model of a generator; of a reference row, as if it had one a seed."""
        return [self.imputation_of(generator, seed) for seed in self.compared_seeds(generator)]

    def training(
        self, generator: str | None, imputation: int = 1, seed: int | None = None
    ) -> dict[str, str | list[str]]:
        """Paths of the training rows of a generator and of their codebook; those of the study if it has none.

        Files that its settings name come with them, so that the workflow notices when they change, and the environment
        that its class needs.
        """
        entry = self.generators.get(generator) if generator else None
        needed = [*self.files_of(generator), *self.environments_of(generator)] if generator and entry else []
        files = {"files": needed} if needed else {}
        if entry and entry.imputation:
            own = f"{self.folder}/data/imputed/{generator}"
            return {"train": f"{own}/train.parquet", "codebook": f"{own}/codebook.json"} | files
        if seed is not None and self.split_of(seed) > 1:
            own = self.data_of(seed)
            return {"train": f"{own}/train.parquet", "codebook": f"{own}/codebook.json"} | files
        return {"train": self.imputations[imputation - 1], "codebook": f"{self.folder}/data/codebook.json"} | files

    def files_of(self, generator: str) -> list[str]:
        """Files that a generator's settings name."""
        entry = self.generators[generator]
        named = generator_class(entry.class_path).file_settings
        return [entry.settings[setting] for setting in named if entry.settings.get(setting)]

    def environments_of(self, generator: str) -> list[str]:
        """What is there when the environment of a generator's class is; nothing for one without."""
        environment = generator_class(self.generators[generator].class_path).environment
        return [str(stamp_of(environment))] if environment else []

    @property
    def models(self) -> list[tuple[str, int, int]]:
        """Every (generator, epochs, seed) of the run."""
        return [(g, e, s) for g in self.generators for e in self.epochs_of(g) for s in self.scale.seeds]

    def with_trait(self, *traits: str) -> list[str]:
        """Generators whose class has one of the traits of `Generator`."""
        classes = {name: generator_class(entry.class_path) for name, entry in self.generators.items()}
        return [name for name, kind in classes.items() if any(getattr(kind, trait) for trait in traits)]

    @property
    def conditional(self) -> list[str]:
        """Generators that are asked for the study's cohorts."""
        return self.with_trait("meets_conditions") if self.study.cohorts else []

    @property
    def attacked(self) -> list[str]:
        """Generators of this run that are attacked: all that learn, unless the study names some."""
        wanted = self.study.attacks
        return [g for g in self.with_trait("learns") if wanted is None or g in wanted]

    @property
    def sensitive(self) -> list[str]:
        """Columns that attribute inference asks for."""
        return self.study.sensitive or list(dict.fromkeys(c for t in self.study.targets for c in t.made_of))

    @property
    def swept(self) -> dict[str, float]:
        """Value of the setting that the study sweeps over, in each attacked generator that has this setting."""
        settings = {g: self.generators[g].settings for g in self.attacked if self.study.sweep}
        return {g: known[self.study.sweep] for g, known in settings.items() if self.study.sweep in known}

    @property
    def importance(self) -> list[str]:
        """Generators whose forests are explained: all, if the study explains any target."""
        return list(self.generators) if self.study.importance else []

    @property
    def on_learning_curve(self) -> list[str]:
        """Generators that are also fitted on fewer training rows: all that learn, if the study asks for it."""
        return self.with_trait("learns") if self.study.learning_curve else []

    @property
    def inferred(self) -> list[str]:
        """Generators whose tables a logistic model is fitted to: all, if the study has one."""
        return list(self.generators) if self.study.inference else []

    @property
    def covered(self) -> list[str]:
        """Generators of this run that are fitted to samples of the real rows, to see whether intervals cover."""
        analysis = self.study.inference
        return [g for g in self.inferred if g in analysis.coverage] if analysis else []

    @property
    def outcome(self) -> str:
        """What the study's logistic model explains, in words."""
        return self.study.inference.outcome.name.replace("_", " ") if self.study.inference else ""

    @cached_property
    def guaranteed(self) -> dict[str, Guaranteed]:
        """Generators that know a budget of differential privacy, as their settings make them, not fitted."""
        classes = {name: generator_class(entry.class_path) for name, entry in self.generators.items()}
        known = {name: kind for name, kind in classes.items() if issubclass(kind, Guaranteed)}
        return {name: kind(**self.generators[name].settings) for name, kind in known.items()}

    @property
    def seeded(self) -> list[str]:
        """Generators with a guarantee whose noise comes from the seed."""
        return [name for name, made in self.guaranteed.items() if made.private and made.repeatable]

    @property
    def budgets(self) -> dict[str, float | None]:
        """Generators that know a budget of differential privacy -> their epsilon; None for no guarantee."""
        return {name: made.epsilon for name, made in self.guaranteed.items()}

    @property
    def guarantees(self) -> dict[str, float | None]:
        """Those of `budgets` whose epsilon is of all training rows: of rows taken as public it says nothing."""
        public = {g for g in self.generators if self.generators[g].settings.get("public_share")}
        return {g: epsilon for g, epsilon in self.budgets.items() if g not in public}

    @property
    def export(self) -> Export | None:
        """What the study hands over; None in runs without its generator, or whose first model failed."""
        wanted = self.study.export
        if not wanted or wanted.generator not in self.generators:
            return None
        return wanted if self.scale.seeds[0] in self.trained_seeds(wanted.generator) else None

    @property
    def main_target(self) -> str:
        """Name of the study's main target."""
        return self.study.targets[0].name

    @property
    def explained(self) -> list[Target]:
        """Targets whose forests are explained, in the order in which the study names them."""
        targets = {target.name: target for target in self.study.targets}
        return [targets[name] for name in self.study.importance]

    @property
    def wanted(self) -> list[ScoreJob]:
        """Every score job of the run."""
        found = []
        for stage in registry.stages().values():
            generators, seeds = stage.generators(self), stage.seeds(self)
            for g in generators:
                counts = tuple(self.epochs_of(g)) if stage.every_epoch else (self.shown(g),)
                found += [ScoreJob(stage.name, g, seed, counts) for seed in seeds]
            found += [ScoreJob(stage.name, r, seed, (0,)) for r in stage.references if generators for seed in seeds]
        return found

    @cached_property
    def scored(self) -> list[ScoreJob]:
        """Those of `wanted` that no failed job stands in the way of, with the epoch counts that are left."""
        left = []
        for job in self.wanted:
            counts = tuple(e for e in job.epochs if not self.failure(job.stage, job.generator, job.seed, e))
            left += [job._replace(epochs=counts)] if counts else []
        return left

    @property
    def benchmarks(self) -> list[str]:
        """Benchmark files of every job but those that only write tables and figures."""
        names = ["clean_table", "prepare_partitions"]
        if self.source == "simulated":
            names += [f"simulate_cohort_{Path(raw).name.split('.')[0]}" for raw in self.raw]
        names += [f"impute_again-{i + 1}" for i in range(1, len(self.imputations))]
        names += [f"train_together/{g}" for g in self.generators if self.together(g)]
        names += [f"train/{g}-seed{s}" for g in self.generators for s in self.trained_seeds(g)]
        names += [f"sample/{g}-epochs{e}-seed{s}" for g, e, s in self.models if not self.failure("sample", g, s, e)]
        names += [f"{job.stage}/{job.generator}-seed{job.seed}" for job in self.scored]
        return [f"{self.folder}/benchmarks/{name}.tsv" for name in names]

    @property
    def files(self) -> list[str]:
        """Every file and folder that a study makes to be looked at; what leads to them follows from the rules."""
        return [
            f"{self.folder}/scores.csv",
            f"{self.folder}/tables",
            f"{self.folder}/figures",
            self.summary,
            *([f"{self.folder}/export"] if self.export else []),
        ]

    @property
    def summary(self) -> str:
        """Page on which the study is read from top to bottom."""
        return f"{self.folder}/summary.html"

    @property
    def benchmark_files(self) -> list[str]:
        """What the benchmark makes to be looked at."""
        return [f"{self.folder}/tables/scaling_benchmark.md", f"{self.folder}/figures/scaling_benchmark.png"]

    def visited(self, generator: str | None, end: str) -> list[str]:
        """Columns that are first or last in the visit sequence of a generator that has one.

        First what conditions are set on, which are met best there; last what is to be predicted, given everything else.
        """
        if not generator or generator not in self.with_trait("has_visit_sequence"):
            return []
        last = list(dict.fromkeys(name for target in self.study.predicted for name in target.made_of))
        conditioned = dict.fromkeys(name for cohort in self.study.cohorts for name in cohort.where)
        return last if end == "last" else [name for name in conditioned if name not in last]

    @property
    def columns(self) -> list[str]:
        """Columns of the codebook, in order."""
        return list(self.codebook.columns)

    @property
    def in_pairs(self) -> list[str]:
        """Generators whose pairs of numeric columns are drawn: all, if the codebook keeps two such columns."""
        kept = [name for name in self.codebook.named(*NUMERIC) if not self.codebook.columns[name].drop]
        return list(self.generators) if len(kept) > 1 else []

    @property
    def constraints(self) -> dict[str, str]:
        """Title of every constraint of the codebook, by name."""
        return {one.name: one.title for one in self.codebook.constraints}

    @property
    def styles(self) -> dict[str, dict[str, str]]:
        """Title and colour of every generator, in the study's order."""
        return {name: {"title": g.title, "colour": g.colour} for name, g in self.generators.items()}


def _stamp(path: Path) -> str | int:
    """What tells a raw file from another; see `Run.raw_stamps`."""
    stat = path.stat()
    try:
        if stat.st_size <= MOST_HASHED:
            return _checksum(path, stat.st_size, stat.st_mtime_ns)
    except OSError:
        # The job that reads it says in one sentence why it cannot be read.
        pass
    # Fractions of a second get lost where files are copied to another disk.
    return int(stat.st_mtime)


@cache
def _checksum(path: Path, size: int, changed: int) -> str:
    """Checksum of a file of that size, last changed then, as it lies there: `data.opening.sha256` unpacks it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
