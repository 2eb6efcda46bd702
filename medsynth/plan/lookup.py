"""What rules ask of the plan: the one idiom in which they look anything up.

A rule writes ``of("study.seed")``, ``of("generator.settings")`` or ``of("trained_from")``; each makes a function of the
rule's wildcards. The first word is an attribute of `medsynth.plan.asked.Asked`, else of the study's `Run`; what follows
are attributes of that. Settings models come as plain values, as Snakemake compares parameters as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from medsynth.generators import generator_class
from medsynth.plan.asked import Asked, plain
from medsynth.plan.closure import code_hash
from medsynth.plan.runs import Run
from medsynth.report.summary import look
from medsynth.scores import registry


class Lookup:
    """Makes functions of wildcards, which Snakemake calls for the input, parameters and resources of a rule.

    Parameters
    ----------
    runs : mapping
        Study -> its run.
    """

    def __init__(self, runs: Mapping[str, Run]) -> None:
        self.runs = runs

    def __call__(self, what: str) -> Callable[[Any], Any]:
        """Look up a dotted name; see the module."""

        def look_up(wildcards: Any) -> Any:
            asked = self.asked(wildcards)
            first, *rest = what.split(".")
            start = getattr(asked if hasattr(type(asked), first) else asked.run, first)
            return plain(reduce(lambda value, name: value and getattr(value, name), rest, start))

        return look_up

    def asked(self, wildcards: Any) -> Asked:
        """What a job's wildcards ask for."""
        known = dict(wildcards.items())
        return Asked(self.runs[known["study"]], known)

    def code(self, script: str, *further: str) -> Callable[[Any], str]:
        """Hash what a script and, where a rule has a generator, its class rest on.

        Parameters
        ----------
        script : str
        *further : str
            Modules that the script imports by name; ``{dataset}`` and ``{exported}`` stand for the study's dataset
            and for the module of the generator that its export is sampled from.
        """

        def look_up(wildcards: Any) -> str:
            if not dict(wildcards.items()):
                return code_hash(script, *further)
            asked = self.asked(wildcards)
            entries = [asked.generator] if asked.generator else []
            if "{exported}" in further:
                entries.append(asked.run.generators[asked.export["generator"]])
            named = [m.format(dataset=asked.run.study.dataset) for m in further if m != "{exported}"]
            return code_hash(script, *named, *(generator_class(entry.class_path).__module__ for entry in entries))

        return look_up

    @property
    def captions(self) -> dict[str, dict[str, str]]:
        """Study -> captions of its tables and figures, in the report.

        They are no parameters of rules, all of which the report repeats beside each table and figure.
        """
        return {study: Asked(run, {}).captions for study, run in self.runs.items()}

    def studies(self, wildcards: Any) -> list[dict[str, Any]]:
        """What the page that links the summaries says of every study."""
        return [
            {
                "title": run.study.title,
                "paper": run.study.paper,
                "note": run.note,
                "scale": run.scale_name,
                "simulated": run.source == "simulated",
                "generators": ", ".join(entry.title for entry in run.generators.values()),
                "path": run.summary.removeprefix("results/"),
                "look": look(),
            }
            for run in self.runs.values()
        ]

    @property
    def downloads(self) -> dict[str, Run]:
        """Runs whose raw table is downloaded, by dataset."""
        return {run.study.dataset: run for run in self.runs.values() if run.source == "download"}

    def downloaded_datasets(self) -> str:
        """Constraint of a wildcard: datasets that are downloaded, or no name at all."""
        return "|".join(self.downloads) or "(?!)"

    def download(self, what: str) -> Callable[[Any], Any]:
        """Look up what the codebook says of a download."""
        return lambda wildcards: getattr(self.downloads[wildcards.dataset].codebook.raw, what)

    def section(self, wildcards: Any) -> str:
        """Section of the report of a table or figure."""
        return self._displayed(wildcards)[0].section

    def labels(self, wildcards: Any) -> dict[str, str]:
        """What a table or figure shows, of whom, at which epoch count."""
        what, shown = self._displayed(wildcards)
        labels = {"what": ", ".join(filter(None, [what.label, shown.target]))}
        if shown.generator:
            run = self.asked(wildcards).run
            labels["generator"] = run.generators[shown.generator].title
            labels["epochs"] = str(run.shown(shown.generator) or "–")
        return labels

    def _displayed(self, wildcards: Any) -> tuple[registry.Table | registry.Figure, registry.Shown]:
        asked = self.asked(wildcards)
        if table := asked.wildcards.get("table"):
            return registry.tables()[table], registry.Shown(table)
        (shown,) = [one for one in registry.figures_of(asked.run) if one.name == asked.wildcards["figure"]]
        return registry.figures()[shown.kind], shown


def growing(amount: int) -> Callable[[Any, int], int]:
    """Make a resources function: the amount at the first attempt, twice and three times as much at the next two."""

    def look_up(wildcards: Any, attempt: int) -> int:
        return amount * attempt

    return look_up
