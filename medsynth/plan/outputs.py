"""What a study makes, for whoever wants to know before it is made (`medsynth plan STUDY`)."""

from __future__ import annotations

from collections import Counter

from tabulate import tabulate

from medsynth.plan.runs import Run
from medsynth.scores import registry


def jobs_of(run: Run) -> dict[str, int]:
    """Number of jobs of every kind, in the order of the stages."""
    scored = Counter(job.stage for job in run.scored)
    return {
        **({"train_together": together} if (together := sum(bool(run.together(g)) for g in run.generators)) else {}),
        "train_generator": sum(len(run.trained_seeds(g)) for g in run.generators),
        "sample_table": sum(not run.failure("sample", g, s, e) for g, e, s in run.models),
        **{f"score_{stage}": scored[stage] for stage in registry.stages() if scored[stage]},
    }


def described(run: Run) -> str:
    """Jobs, tables, figures and folders of a study, for reading."""
    tables = [(f"tables/{t.name}.csv", t.section, t.label) for t in registry.tables_of(run)]
    kinds = registry.figures()
    figures = [
        (f"figures/{shown.name}.png", kinds[shown.kind].section, kinds[shown.kind].label)
        for shown in registry.figures_of(run)
    ]
    jobs = list(jobs_of(run).items())
    shown_where = sorted(tables + figures, key=lambda row: row[1])
    parts = [
        f"{run.study.name}: {run.study.title}\n{run.note}\n",
        tabulate(jobs, ["rule", "jobs"], tablefmt="plain"),
        tabulate(shown_where, ["file", "section", "shows"], tablefmt="plain"),
        "\n".join(["below", *run.files]),
    ]
    return "\n\n".join(parts) + "\n"
