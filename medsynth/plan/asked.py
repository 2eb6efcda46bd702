"""What a job asks of the plan, by its wildcards: the files that it reads and the parameters that it gets."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from itertools import chain
from typing import Any

from pydantic import BaseModel

from medsynth.plan.overview import escaped
from medsynth.plan.runs import Run
from medsynth.report.summary import look
from medsynth.scores import registry

# What results rest on.
PACKAGES = (
    "snakemake", "sdv", "sdmetrics", "ctgan", "torch", "scikit-learn", "miceforest", "pandas", "numpy", "xgboost",
    "xgboost-cpu", "lifelines", "torchsurv",
)  # fmt: skip


@dataclass
class Asked:
    """What a job asks for: a run, and the job's wildcards.

    Attributes
    ----------
    run : Run
    wildcards : mapping
        Such as ``generator``, ``epochs`` and ``seed``; what a rule does not have is absent.
    """

    run: Run
    wildcards: Mapping[str, str]

    @property
    def name(self) -> str:
        """Generator or reference row."""
        return self.wildcards["generator"]

    @property
    def seed(self) -> int:
        """Training seed."""
        return int(self.wildcards["seed"])

    @property
    def generator(self) -> Any:
        """Entry of the generator; None for a reference row."""
        return self.run.generators.get(self.wildcards.get("generator", ""))

    # What jobs read.

    @property
    def trained_from(self) -> dict[str, Any]:
        """Training rows that a generator's model of a seed learns from, and their codebook."""
        return self.run.training(self.name, self.run.imputation_of(self.name, self.seed), self.seed)

    @property
    def models_together(self) -> list[str]:
        """Models of the seeds that are trained together, if this one is among them."""
        return [f"{self.run.folder}/models/{self.name}/together"] if self.seed in self.together else []

    @property
    def trained_together_from(self) -> dict[str, Any]:
        """Training rows that all seeds of a generator learn from, and their codebook."""
        return self.run.training(self.name)

    @property
    def partitions(self) -> dict[str, str]:
        """Partitions of a seed: training and test rows, whose they are, and the codebook that describes them."""
        return _partitions(self.run.data_of(self.seed))

    @property
    def learned(self) -> dict[str, str]:
        """Training rows of a seed, for their number, and their codebook."""
        return {name: self.partitions[name] for name in ("train", "codebook")}

    @property
    def scored(self) -> dict[str, Any]:
        """Partitions, and the synthetic tables of every epoch count that is scored."""
        tables = [
            f"{self.run.folder}/synthetic/{self.name}/epochs{e}/seed{self.seed}.parquet" for e in self.scored_epochs
        ]
        return self.partitions | ({"synthetic": tables} if self.generator else {})

    @property
    def drawn_from(self) -> dict[str, Any]:
        """Partitions, and the model of a generator; a reference row has none."""
        return self.partitions | ({"models": self._models(self.seed)} if self.generator else {})

    @property
    def fitted(self) -> dict[str, Any]:
        """Partitions, and for a generator the training rows that it is fitted on, and their codebook."""
        if not self.generator:
            return self.partitions
        own = self.run.training(self.name, seed=self.seed)
        named = {"fitted": own.pop("train"), "fitted_codebook": own.pop("codebook")}
        return self.partitions | named | own

    @property
    def attacked(self) -> dict[str, Any]:
        """What attacks need: `fitted`, and Anonymeter's environment where the study wants its risks."""
        from medsynth.generators.environments import stamp_of

        return self.fitted | ({"anonymeter": str(stamp_of("anonymeter"))} if self.run.study.anonymeter else {})

    @property
    def learning_curve_from(self) -> dict[str, Any]:
        """What scores by size need: `fitted`, and the synthetic table that learned from all rows."""
        own = f"{self.run.folder}/synthetic/{self.name}/epochs{self.shown_epochs}/seed{self.seed}.parquet"
        return self.fitted | ({"synthetic": own} if self.generator else {})

    @property
    def inferred_from(self) -> dict[str, Any]:
        """What the logistic model is fitted to: models of a generator, or the training rows in every imputation."""
        first = self.first_partition
        if not self.generator:
            return first | {"imputations": self.run.imputations}
        found = first | {"models": [self._models(seed) for seed in self.run.compared_seeds(self.name)]}
        if not self.proper:
            return found
        own = self.fitted
        refitted = [own["fitted"]] if self.generator.imputation else self.run.imputations
        return found | {key: own[key] for key in own if key not in first} | {"fitted": refitted}

    @property
    def first_partition(self) -> dict[str, str]:
        """Partitions of the first seed."""
        return _partitions(f"{self.run.folder}/data")

    @property
    def exported(self) -> dict[str, Any]:
        """What an export is made of: the raw tables that it looks like, and the model that it is sampled from."""
        return {"raw": self.run.raw, "models": f"{self._folder_of_export}", "codebook": self.run.codebook_path}

    @property
    def _folder_of_export(self) -> str:
        wanted = self.run.export
        if not wanted:
            raise ValueError(f"the study {self.run.study.name} exports nothing")
        return f"{self.run.folder}/models/{wanted.generator}/seed{self.run.scale.seeds[0]}"

    @property
    def shown(self) -> dict[str, Any]:
        """What tables and figures are made from, besides scores."""
        folder = self.run.folder
        names = {name: f"{folder}/data/{name}.csv" for name in ("cleaning", "preparation", "scaling")}
        if self.run.study.detect_metadata:
            names["metadata"] = f"{folder}/data/metadata.csv"
        return {
            "scores": f"{folder}/scores.csv",
            "replicates": f"{folder}/replicates.parquet",
            "benchmarks": f"{folder}/benchmarks.csv",
            "provenance": f"{folder}/data/provenance.json",
            "codebook": f"{folder}/data/codebook.json",
            **names,
        }

    @property
    def tabled(self) -> dict[str, Any]:
        """What tables are made from: also models, for the losses on their cards."""
        models = [self._models(seed, g) for g in self.trained for seed in self.run.trained_seeds(g)]
        return self.shown | {"models": models}

    @property
    def trained(self) -> dict[str, dict[int, list[str]]]:
        """Model cards of generators whose losses are known, by epoch count, one a seed."""
        return {
            g: {
                epochs: [f"{self._models(s, g)}/epochs{epochs}/model_card.json" for s in self.run.trained_seeds(g)]
                for epochs in self.run.epochs_of(g)
            }
            for g in self.run.with_trait("has_losses")
        }

    @property
    def drawn(self) -> dict[str, Any]:
        """What figures are made from besides: plot data, and models for their cards."""
        models = [self._models(seed, g) for g in self._with_cards for seed in self.run.trained_seeds(g)]
        return self.shown | {"plot_data": [*chain.from_iterable(self.plot_data.values())], "models": models}

    @property
    def _with_cards(self) -> list[str]:
        return self.run.with_trait("has_losses", "has_architecture")

    @property
    def gathered(self) -> dict[str, Any]:
        """Files of every score job, and what every job took."""
        jobs = [job.name for job in self.run.scored]
        return {
            "scores": [f"{self.run.folder}/scores/{job}.csv" for job in jobs],
            "replicates": [f"{self.run.folder}/replicates/{job}.parquet" for job in jobs],
            "benchmarks": self.run.benchmarks,
        }

    def _models(self, seed: int, generator: str | None = None) -> str:
        return f"{self.run.folder}/models/{generator or self.name}/seed{seed}"

    # What jobs get.

    @property
    def imputation(self) -> dict[str, Any]:
        """How training rows are imputed: those of a generator its own way, the study's as the study says."""
        how = self.generator.imputation if self.generator else self.run.study.imputation
        return how.model_dump(exclude_none=True, exclude={"tables"})

    @property
    def epochs(self) -> list[int]:
        """Epoch counts at which a generator's models are kept."""
        return self.run.epochs_of(self.name)

    @property
    def together(self) -> list[int]:
        """Seeds of a generator that are trained side by side."""
        return self.run.together(self.name)

    @property
    def shown_epochs(self) -> int:
        """Epoch count at which a generator is shown; 0 for a reference row."""
        return self.run.shown(self.name) if self.generator else 0

    @property
    def scored_epochs(self) -> list[int]:
        """Epoch counts of which there are synthetic tables to score; 0 for a reference row."""
        return self.run.sampled_epochs(self.name, self.seed) if self.generator else [0]

    @property
    def visited_first(self) -> list[str]:
        """Columns that are first in a generator's visit sequence."""
        return self.run.visited(self.wildcards.get("generator"), "first")

    @property
    def visited_last(self) -> list[str]:
        """Columns that are last in a generator's visit sequence."""
        return self.run.visited(self.wildcards.get("generator"), "last")

    @property
    def explained(self) -> list[str]:
        """Targets whose forests are explained, at the epoch count that is shown and of two reference rows."""
        explained = self.generator or self.name in ("real", "independent")
        return self.run.study.importance if explained else []

    @property
    def score_settings(self) -> dict[str, Any]:
        """Settings that single families of scores need."""
        study = self.run.study
        settings = {name: plain(getattr(study, name)) for name in ("subgroups", "regression", "survival")}
        return settings | {"importance_rows": self.run.scale.importance_rows}

    @property
    def asked_cohorts(self) -> list[dict[str, Any]]:
        """Cohorts as a generator is asked for them, without the words that only tables and figures need."""
        return [cohort.model_dump(exclude={"title"}) for cohort in self.run.study.cohorts]

    @property
    def learned_from(self) -> list[int]:
        """Number of the imputation that each model of a generator learned from; of a reference row, one a seed."""
        return self.run.learned_from(self.name)

    @property
    def proper(self) -> bool:
        """Whether a generator is also refitted to bootstrap resamples of the training persons."""
        analysis = self.run.study.inference
        return bool(self.generator and analysis and self.name in analysis.proper)

    @property
    def export(self) -> dict[str, Any]:
        """Which model an export is sampled from."""
        wanted = self.run.export
        if not wanted:
            raise ValueError(f"the study {self.run.study.name} exports nothing")
        entry = self.run.generators[wanted.generator]
        return {
            **wanted.model_dump(),
            "file": wanted.file_name,
            "class_path": entry.class_path,
            "title": entry.title,
            "epochs": self.run.epochs_of(wanted.generator)[-1],
            "seed": self.run.scale.seeds[0],
        }

    @property
    def plot_data(self) -> dict[str, list[str]]:
        """Plot data of every generator that is drawn, one file a seed, and of real rows where forests are explained."""
        found = {}
        for name in [*self.run.drawable, *(["real"] if self.run.importance else [])]:
            seeds = self.run.shown_seeds("table", name)
            # One partition has one set of bins.
            found[name] = [
                f"{self.run.folder}/plot_data/{name}/seed{s}.json"
                for s in seeds
                if self.run.split_of(s) == self.run.split_of(seeds[0])
            ]
        return found

    @property
    def cards(self) -> dict[str, list[str]]:
        """Model cards of the last models of generators that have something to draw in them, one a seed."""
        return {
            g: [
                f"{self._models(s, g)}/epochs{self.run.epochs_of(g)[-1]}/model_card.json"
                for s in self.run.trained_seeds(g)
            ]
            for g in self._with_cards
        }

    @property
    def tables(self) -> list[str]:
        """Names of a run's tables."""
        return [table.name for table in registry.tables_of(self.run)]

    @property
    def figures(self) -> list[list[str]]:
        """Kind, generator and target of a run's figures."""
        return [list(shown) for shown in registry.figures_of(self.run)]

    @property
    def captions(self) -> dict[str, str]:
        """Captions in the report, as reStructuredText, by the name of a table or figure."""
        published = self.run.study.published
        fields = registry.caption_fields(
            published.model_dump(exclude_none=True) if published else None, self.run.study.minimum_cell_size
        )
        tables = {t.name: escaped(t.caption.format(**fields)) for t in registry.tables_of(self.run)}
        figures = {shown.name: registry.figures()[shown.kind].caption for shown in registry.figures_of(self.run)}
        return tables | figures

    @property
    def versions(self) -> list[str]:
        """Name and version of what results rest on, whichever of its distributions XGBoost is."""
        found = []
        for name in PACKAGES:
            with suppress(metadata.PackageNotFoundError):
                found.append(f"{name} {metadata.version(name)}")
        return found

    @property
    def overview(self) -> dict[str, str]:
        """What was run, in words for the overview table."""
        run, study, scale = self.run, self.run.study, self.run.scale
        return {
            "Study": study.title,
            "Re-makes": study.paper,
            "Data": run.note,
            "Scale": run.scale_name,
            "Rows used": str(scale.rows),
            "Test share": f"{study.test_share:.0%} of the persons",
            "Imputation": study.imputation.method,
            "Generators": ", ".join(entry.title for entry in run.generators.values()),
            "Epochs": ", ".join(map(str, sorted(scale.epochs))),
            "Seeds": ", ".join(map(str, scale.seeds)),
            "Study seed": str(study.seed),
            "Rows sampled from each model": "as many as training rows",
            "Rows that classifiers are trained on": "all training rows; by the paper's protocol "
            f"{scale.utility_rows:,}",
            "Rows that classifiers are tested on": f"{scale.test_rows:,} (at most)",
            "Rows a side for quality and detection": f"half of the test rows, at most {scale.fidelity_rows:,}",
        }

    @property
    def summarised(self) -> dict[str, Any]:
        """What the summary page says of a study besides its tables, figures and `facts`."""
        run, study, name = self.run, self.run.study, self.run.study.name
        # What the configuration overrides has to be overridden again.
        own, changed = study.scales[run.scale_name], {}
        for key in ("rows", "epochs", "seeds"):
            if getattr(own, key) != getattr(run.scale, key):
                changed[key] = getattr(run.scale, key)
        if list(run.generators) != [g for g in study.generators if g not in own.without]:
            changed["generators"] = list(run.generators)
        words = [f"{key}={str(value).replace(' ', '')}" for key, value in changed.items()]
        settings = " ".join([f"studies=[{name}] scale={run.scale_name} source={run.source}", *words]).replace("'", "")
        return {
            "name": name,
            "title": study.title,
            "paper": study.paper,
            "source": run.source,
            "seeds": run.scale.seeds,
            "attacked_seeds": len(run.scale.seeds[: run.scale.attacked_seeds]),
            "configuration": [f"config/studies/{name}.yaml", f"config/datasets/{study.dataset}.yaml"],
            "commands": [f'make results CONFIG="{settings}"', f"snakemake --cores all --config {settings}"],
        }

    @property
    def look(self) -> str:
        """Hash of what the summary page looks like."""
        return look()

    @property
    def facts(self) -> dict[str, Any]:
        """What tables and figures depend on besides files; see `medsynth.scores.registry.Facts`."""
        run, published = self.run, self.run.study.published
        return {
            "note": run.note,
            "styles": run.styles,
            "shown_epochs": run.scale.shown_epochs,
            "epochs": {g: run.shown(g) for g in run.generators},
            "columns": run.columns,
            "cohorts": plain(run.study.cohorts),
            "constraints": run.constraints,
            "minimum_cell_size": run.study.minimum_cell_size,
            "failures": run.failures,
            "budgets": run.budgets,
            "guarantees": run.guarantees,
            "sweep": run.study.sweep,
            "swept": run.swept,
            "outcome": run.outcome,
            "publication": published and published.model_dump(exclude_none=True),
            "run": {
                "dataset": run.study.dataset,
                "title": run.codebook.title,
                "source": run.source,
                "target": run.main_target,
            },
            "overview": self.overview,
        }

    # The benchmark.

    @property
    def scaling_benchmark_rows(self) -> int:
        """Rows of a cell of the benchmark."""
        sizes = self.run.scaling_benchmark
        if sizes is None:
            raise ValueError(f"the study {self.run.study.name} is not a benchmark")
        return int(self.wildcards["size"]) if self.wildcards["axis"] == "rows" else sizes.rows_of_columns

    @property
    def scaling_benchmark_columns(self) -> int:
        """Columns of a cell of the benchmark; 0 for all of them."""
        return int(self.wildcards["size"]) if self.wildcards["axis"] == "columns" else 0

    def _smaller(self, what: str) -> list[str]:
        """Costs of the smaller tables of a cell's generator, axis and seed."""
        axis = self.wildcards["axis"]
        smaller = [size for size in getattr(self.run.scaling_benchmark, axis) if size < int(self.wildcards["size"])]
        return [
            f"{self.run.folder}/scaling_benchmark/{axis}{size}/{self.name}-seed{self.seed}-{what}.csv"
            for size in smaller
        ]

    @property
    def smaller_fits(self) -> list[str]:
        """What it took to fit on the smaller tables of a cell."""
        return self._smaller("fit")

    @property
    def smaller_samples(self) -> list[str]:
        """What it took to sample from models of the smaller tables of a cell."""
        return self._smaller("sample")

    @property
    def scaling_benchmark_cells(self) -> list[str]:
        """Costs of all cells of the benchmark."""
        run = self.run
        return [
            f"{run.folder}/scaling_benchmark/{axis}{size}/{generator}-seed{seed}-{what}.csv"
            for axis in ("rows", "columns")
            for size in getattr(run.scaling_benchmark, axis)
            for generator in run.generators
            for seed in run.scale.seeds
            for what in ("fit", "sample")
        ]


def _partitions(folder: str) -> dict[str, str]:
    names = {name: f"{folder}/{name}.parquet" for name in ("train", "test", "persons")}
    return {**names, "codebook": f"{folder}/codebook.json"}


def plain(value: Any) -> Any:
    """Settings models as plain values, also in lists; everything else as it is."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_none=True)
    return [plain(one) for one in value] if isinstance(value, list) else value
