"""Write the tables of a run: numbers as csv, for reading as Markdown, LaTeX and HTML."""

import json
from importlib import metadata
from pathlib import Path

import pandas as pd
from _job import read_scores, run

from medsynth.reporting.columns import columns_table, display_columns, display_scaling
from medsynth.reporting.display import display_moments, display_quality, display_utility
from medsynth.reporting.export import write_table
from medsynth.reporting.tables import at_epochs, moments_table, quality_table, runtime_table, utility_table

PACKAGES = [
    "snakemake",
    "sdv",
    "sdmetrics",
    "ctgan",
    "torch",
    "scikit-learn",
    "miceforest",
    "pandas",
    "numpy",
]


def main(job):
    """Write every table beside the first one."""
    scores = read_scores(job)
    folder, note, styles = Path(job.output[0]).parent, job.params.note, job.params.styles
    shown = job.params.shown_epochs

    def write(name, caption, numbers, display=None):
        write_table(numbers, numbers if display is None else display, folder / name, caption=caption, note=note)

    utility, quality, moments = utility_table(scores), quality_table(scores), moments_table(scores)
    write(
        "utility",
        "Train on synthetic, test on real: scores on held-out real rows, mean and 95% t interval over seeds, at one "
        "epoch count a generator. Share of lift: (accuracy - majority) / (real - majority)",
        utility,
        display_utility(at_epochs(utility, shown), styles),
    )
    write(
        "quality",
        "Quality (SDMetrics) against held-out real rows, and AUC of an XGBoost detector (C2ST; 0.5: it cannot tell), "
        "mean and 95% t interval over seeds. A score says little without its ceiling and its floor",
        quality,
        display_quality(quality, styles),
    )
    write(
        "moments",
        "Moments of the numeric columns, averaged over columns (kurtosis is excess kurtosis), mean and 95% t interval "
        "over seeds, at one epoch count a generator",
        moments,
        display_moments(at_epochs(moments, shown), styles),
    )
    columns = columns_table(at_epochs(scores, shown))
    write(
        "columns",
        "SDMetrics' scores of each column against held-out real rows, mean over seeds, at one epoch count a "
        "generator: shape (1 minus the distance of the distributions) and validity (share of values within the real "
        "range, or of levels that the real rows have)",
        columns,
        display_columns(columns, job.params.columns, styles),
    )
    scaling = pd.read_csv(job.input.scaling)
    write(
        "scaling",
        "Moments of the numeric columns of the training rows before and after scaling to [0, 1] (MinMaxScaler; "
        "kurtosis is excess kurtosis). Unchanged: skewness and kurtosis are equal, mean and standard deviation are "
        "what the linear map makes of them",
        scaling,
        display_scaling(scaling),
    )
    runtime = runtime_table(pd.read_csv(job.input.benchmarks, keep_default_na=False, na_values=["NA"]))
    write(
        "runtime",
        "What data, training, sampling and scoring took: wall-clock seconds, and peak memory of the largest job",
        runtime,
    )
    for name, caption in (
        ("cleaning", "What cleaning did, column by column; cells are those that the rule changed"),
        ("preparation", "Partitions and imputation; learned on training rows alone"),
    ):
        write(name, caption, pd.read_csv(getattr(job.input, name), keep_default_na=False))
    write("overview", "What was run", overview(job))


def xgboost_version():
    """Name and version of XGBoost, whichever of its distributions is installed."""
    name = sorted(set(metadata.packages_distributions()["xgboost"]))[0]
    return f"{name} {metadata.version(name)}"


def overview(job):
    """List what was run on which data with which versions."""
    provenance = json.loads(Path(job.input.provenance).read_text(encoding="utf-8"))
    facts = {
        **job.params.overview,
        "Publisher of the real table": provenance["publisher"],
        "Licence of the real table": provenance["licence"],
        "Raw rows": f"{provenance['raw_rows']:,}",
        "Raw table, SHA-256": ", ".join(provenance["sha256"]),
        "Versions": ", ".join([*(f"{name} {metadata.version(name)}" for name in PACKAGES), xgboost_version()]),
    }
    return pd.DataFrame(facts.items(), columns=["Fact", "Value"])


run(snakemake, main)
