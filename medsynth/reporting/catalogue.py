"""Every table of a run: how its numbers are made, how they are laid out for reading, and what its caption says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from medsynth.disclosure import WITHHELD, few, is_small, shown_groups
from medsynth.evaluation.fairness import LEAST_TESTED
from medsynth.evaluation.inference import REFITS
from medsynth.reporting.aggregation import COVERS
from medsynth.reporting.columns import columns_table, display_columns, display_scaling
from medsynth.reporting.coverage import coverage_table, display_coverage
from medsynth.reporting.display import (
    display_conditional,
    display_detection,
    display_importance,
    display_moments,
    display_precision_recall,
    display_quality,
    display_utility,
)
from medsynth.reporting.failures import failures_table
from medsynth.reporting.fairness import display_fairness, fairness_table
from medsynth.reporting.inference import display_inference, inference_table
from medsynth.reporting.privacy import display_privacy, largest_delta, privacy_table, with_guarantees
from medsynth.reporting.publication import Publication
from medsynth.reporting.published import display_published, published_table
from medsynth.reporting.sizes import display_sizes, sizes_table
from medsynth.reporting.styles import Styles
from medsynth.reporting.tables import (
    at_epochs,
    conditional_table,
    detection_table,
    importance_table,
    moments_table,
    precision_recall_table,
    quality_table,
    runtime_table,
    utility_table,
)
from medsynth.reporting.violations import display_violations, violations_table

Tables = tuple[pd.DataFrame, pd.DataFrame]


@dataclass
class Facts:
    """What tables are made from.

    Attributes
    ----------
    scores : DataFrame
        The run's long table of scores.
    files : mapping
        Name -> path of what else a run has written: benchmarks, cleaning, preparation, scaling, provenance.
    styles : dict
        Generator -> ``title``, ``colour``, in order of display.
    shown_epochs : int or None
        Epoch count at which generators are shown where one is enough.
    columns : list of str
        Columns of the codebook, in order.
    cohorts : list of dict
        The study's cohorts.
    row_rules : dict
        Name -> title of the rules that no row may break.
    guarantees : dict
        Generator -> epsilon of a guarantee of all training rows; None for none.
    publication : dict or None
        The study's ``published``.
    run : dict
        What verdicts depend on besides the scores; see `published_table`.
    overview : dict
        Fact -> value, what was run.
    least_patients : int
        Fewer real rows or cells are not counted.
    """

    scores: pd.DataFrame
    files: Mapping[str, str]
    styles: Styles
    shown_epochs: int | None
    columns: list[str]
    cohorts: list[dict[str, Any]]
    row_rules: dict[str, str]
    guarantees: dict[str, float | None]
    publication: dict[str, Any] | None
    run: dict[str, str]
    overview: dict[str, str]
    least_patients: int

    @cached_property
    def at_shown_epochs(self) -> pd.DataFrame:
        """Scores at one epoch count a generator."""
        return at_epochs(self.scores, self.shown_epochs)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Where the rows come from."""
        return json.loads(Path(self.files["provenance"]).read_text(encoding="utf-8"))

    def caption(self, table: Table) -> str:
        """Caption of a table."""
        return table.caption.format(
            out_of_scope="; ".join((self.publication or {}).get("out_of_scope", [])) or "nothing",
            least=self.least_patients,
        )

    def file(self, name: str) -> pd.DataFrame:
        """Read a table that a run has written; an empty cell is text."""
        return pd.read_csv(self.files[name], keep_default_na=False)


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes
    ----------
    make : callable
        ``make(facts)`` gives the numbers and the table for reading.
    caption : str
        With the field ``{out_of_scope}`` where it says what a paper claims beyond our reach, and ``{least}`` where it
        speaks of few real patients.
    """

    make: Callable[[Facts], Tables]
    caption: str


def _overview(facts: Facts) -> Tables:
    known = facts.provenance
    rows = {
        **facts.overview,
        "Publisher of the real table": known["publisher"],
        "Licence of the real table": known["licence"],
        "Raw rows": f"{known['raw_rows']:,}",
        "Raw table, SHA-256": ", ".join(known["sha256"]),
    }
    table = pd.DataFrame(rows.items(), columns=["Fact", "Value"])
    return table, table


def _cleaning(facts: Facts) -> Tables:
    """Say what cleaning did, but for small counts, and for those that tell of small ones by difference."""
    table, least, total = facts.file("cleaning"), facts.least_patients, facts.provenance["raw_rows"]
    counts = {name: pd.to_numeric(table[name]) for name in ("cells", "missing_before", "missing_after")}
    changed = (counts["missing_after"].fillna(0) - counts["missing_before"]).abs()
    by_rules = is_small(counts["cells"], least).groupby(table["column"]).transform("any")
    for name, found in counts.items():
        table[name] = ["" if pd.isna(n) else few(int(n), least, total) for n in found]
    tells = (by_rules & (changed > 0)) | is_small(changed, least)
    table.loc[tells & table["missing_before"].str.isdecimal(), "missing_before"] = WITHHELD
    return table, table


def _preparation(facts: Facts) -> Tables:
    """Count rows and imputed cells, but for small counts, and those that leave one of what cleaning left missing."""
    table, least = facts.file("preparation"), facts.least_patients
    imputed, table["imputed"] = table["imputed"].astype(int), table["imputed"].astype(str)
    for _, rows in table.groupby("column"):
        cells, totals = imputed[rows.index], rows["rows"].astype(int)
        shown = shown_groups([cells, totals - cells], least)
        for place, n, total, known in zip(rows.index, cells, totals, shown, strict=True):
            text = few(n, least, total)
            # Of those withheld some are few, others only hide them.
            table.loc[place, "imputed"] = text if known or n == 0 or text != str(n) else WITHHELD
    return table, table


def _of_scores(table: Callable, display: Callable, *, at_one_count: bool = False) -> Callable[[Facts], Tables]:
    """Make a table of scores, all or those at one epoch count a generator, that needs nothing else but styles."""

    def make(facts: Facts) -> Tables:
        numbers = table(facts.at_shown_epochs if at_one_count else facts.scores)
        return numbers, display(numbers, facts.styles)

    return make


def _scaling(facts: Facts) -> Tables:
    numbers = pd.read_csv(facts.files["scaling"])
    return numbers, display_scaling(numbers)


def _utility(facts: Facts) -> Tables:
    numbers = utility_table(facts.scores)
    return numbers, display_utility(at_epochs(numbers, facts.shown_epochs), facts.styles)


def _moments(facts: Facts) -> Tables:
    numbers = moments_table(facts.scores)
    return numbers, display_moments(at_epochs(numbers, facts.shown_epochs), facts.styles)


def _columns(facts: Facts) -> Tables:
    numbers = columns_table(facts.at_shown_epochs)
    return numbers, display_columns(numbers, facts.columns, facts.styles)


def _violations(facts: Facts) -> Tables:
    numbers = violations_table(facts.at_shown_epochs)
    return numbers, display_violations(numbers, facts.row_rules, facts.styles)


def _conditional(facts: Facts) -> Tables:
    numbers = conditional_table(facts.scores)
    titles = {cohort["name"]: cohort.get("title") or cohort["name"] for cohort in facts.cohorts}
    return numbers, display_conditional(numbers, titles, facts.styles)


def _privacy(facts: Facts) -> Tables:
    found = privacy_table(facts.at_shown_epochs)
    numbers = with_guarantees(found, facts.guarantees, largest_delta(facts.file("preparation")))
    return numbers, display_privacy(numbers, facts.styles)


def _failures(facts: Facts) -> Tables:
    numbers = failures_table(facts.scores)
    return numbers, numbers


def _runtime(facts: Facts) -> Tables:
    numbers = runtime_table(pd.read_csv(facts.files["benchmarks"], keep_default_na=False))
    return numbers, numbers


def _published(facts: Facts) -> Tables:
    preparation = facts.file("preparation")
    columns = preparation[preparation["column"] != "(rows)"]
    rows = columns.groupby("partition")["rows"].first()
    known = {
        "raw_rows": facts.provenance["raw_rows"],
        "rows": int(rows.sum()),
        "train_rows": int(rows["train"]),
        "test_rows": int(rows["test"]),
        "columns": int((columns["partition"] == "train").sum()),
    }
    numbers = published_table(facts.scores, Publication(**facts.publication), known, run=facts.run)
    return numbers, display_published(numbers, facts.styles)


OVER_SEEDS = f"mean over seeds; {COVERS}"
AT_ONE_COUNT = f"{OVER_SEEDS}, at one epoch count a generator"

TABLES = {
    "published_vs_reproduced": Table(
        _published,
        "What the paper publishes beside what this run gives, and a verdict by the rule in its column: numbers by a "
        f"margin, claims where they are significant after Holm's correction. Values are the {OVER_SEEDS}. "
        "Out of scope: {out_of_scope}",
    ),
    "failures": Table(
        _failures, "Jobs that failed: what they would have given is left out of every other table and figure"
    ),
    "overview": Table(_overview, "What was run"),
    "cleaning": Table(
        _cleaning,
        "What cleaning did, column by column; cells are those that the rule changed (<{least}: some, but fewer; "
        f"{WITHHELD}: would tell of fewer by difference)",
    ),
    "preparation": Table(
        _preparation,
        "Partitions and imputation; learned on training rows alone (<{least}: some cells, but fewer; "
        f"{WITHHELD}: would tell of fewer by difference)",
    ),
    "scaling": Table(
        _scaling,
        "Moments of the numeric columns of the training rows before and after scaling to [0, 1] (MinMaxScaler; "
        "kurtosis is excess kurtosis); columns are cut where {least} rows or more lie at or beyond. Unchanged: "
        "skewness and kurtosis are equal, mean and standard deviation are what the linear map makes of them",
    ),
    "utility": Table(
        _utility,
        "Train on synthetic, test on real (TSTR): scores on held-out real rows. Equal information: real rows are all "
        "that the generator saw, synthetic rows are as many; the paper's protocol: fewer rows of both. Normalised "
        "accuracy gain: (accuracy - majority) / (real - majority) with Fieller's interval, withheld where the real "
        f"rows' gain is not clearly above 0. Values are the {AT_ONE_COUNT}",
    ),
    "importance": Table(
        _of_scores(importance_table, display_importance),
        "Importance: do random forests trained on synthetic rows look at what those trained on real rows look at? "
        "Spearman's correlation of mean |SHAP| over predictors, and share of the real-trained forest's five most "
        f"important predictors that are among the other's five. Values are the {OVER_SEEDS}",
    ),
    "inference": Table(
        _of_scores(inference_table, display_inference),
        "Inference: a logistic model fitted to one synthetic table of every independently trained model, against the "
        "fit to the real training rows. The column 'Interval: covers' names the rule that combines the tables and what "
        "its 95% interval covers: other persons (who could have been the real rows), other imputations of the same "
        "rows, another training run, another drawing. Plug-in (Raab, Nowok and Dibben 2016): with the variance between "
        f"models; of one model alone training is not covered. Bootstrap refits: {REFITS} models of resampled training "
        "persons (Raghunathan, Reiter and Rubin 2003). Nested: models of several imputations (Reiter 2004). An overlap "
        "is worth what the width beside it costs: a wide interval overlaps with many. The csv has every coefficient",
    ),
    "coverage": Table(
        _of_scores(coverage_table, display_coverage),
        "Coverage: the real rows as the population, samples of them with replacement, and of every sample as many "
        f"independently fitted models as the study has seeds, one table each (bootstrap refits: {REFITS} models of "
        "resampled rows): share of the samples whose 95% interval holds the population's coefficient, mean and least "
        "of terms; type I error: share of those that find an influence of a predictor that has none (exact 95% "
        "interval over samples); width of the interval against the sample's own, median. Nominal are 0.95 and 0.05",
    ),
    "fairness": Table(
        _of_scores(fairness_table, display_fairness, at_one_count=True),
        "Fairness: groups of patients, how frequent they are in synthetic against held-out real rows (log disparity: "
        "logarithm of the ratio of the odds, 0 is equal), and how well XGBoost, trained on synthetic rows, predicts "
        f"the main target in the group's held-out real rows ({LEAST_TESTED} or more; calibration: mean predicted minus "
        f"observed), {AT_ONE_COUNT}. Groups of fewer than {{least}} real rows are left out, and the next smallest "
        "where the others would tell how many they are; so are scores of groups in which fewer have the outcome, or do "
        "not",
    ),
    "quality": Table(
        _of_scores(quality_table, display_quality),
        "Quality (SDMetrics) against held-out real rows, and two detectors (C2ST AUC, 0.5: the detector cannot tell; "
        "C2ST score: 1 - |2 AUC - 1|; p: of real rows being told from real rows as well as the tables at hand; the "
        "interval covers other training runs, too). Every table has as many rows as the upper reference. Duplicates: "
        "rows that equal an earlier one. A score says little without its "
        "references. SDMetrics bins the pair trends of each table over that table's own range, so that one extreme "
        "patient moves them and a sample without such a patient cannot know: their intervals, and those of the overall "
        f"score, cover less than the pair trends on common bins do. Values are the {OVER_SEEDS}",
    ),
    "precision_recall": Table(
        _of_scores(precision_recall_table, display_precision_recall),
        "Alpha-precision (are synthetic rows typical of real ones?), beta-recall (are real rows covered?), "
        "authenticity (is a synthetic row farther from its nearest training row than that one from its neighbours? "
        "compare with the holdout's) and three-way marginals; docs/metrics.md says what each cannot see. Values are "
        f"the {OVER_SEEDS}",
    ),
    "detection": Table(
        _of_scores(detection_table, display_detection),
        "C2ST AUC of XGBoost against the number of rows a side: more rows tell a detector more. The upper reference is "
        f"real rows against real rows. Values are the {OVER_SEEDS}",
    ),
    "moments": Table(
        _moments,
        f"Moments of the numeric columns, averaged over columns (kurtosis is excess kurtosis), {AT_ONE_COUNT}",
    ),
    "columns": Table(
        _columns,
        "SDMetrics' scores of each column against held-out real rows, mean over seeds, at one epoch count a "
        "generator: shape (1 minus the distance of the distributions) and validity (share of values within the real "
        "range, or of levels that the real rows have)",
    ),
    "violations": Table(
        _violations,
        f"Rows of 1,000 that break a rule of the codebook, {AT_ONE_COUNT}. The lower reference draws every column "
        f"alone. {WITHHELD.capitalize()}: would tell, by itself or by difference, of fewer than {{least}} real rows. "
        "The csv gives shares of rows",
    ),
    "conditional": Table(
        _conditional,
        "Rows drawn under conditions: share that meets all of them, and how those that do compare with the held-out "
        f"real rows of the cohort (200 or more), {OVER_SEEDS}; {WITHHELD}: would tell, by itself or by difference, of "
        "fewer than {least} real rows",
    ),
    "privacy": Table(
        _privacy,
        "Attacks on generators fitted on one half of the training rows (members). Membership: is a row a member's or "
        "one of the other half's? AUC (0.5: cannot be told) and true positive rates (TPR) of the attack that does best "
        "on one half of the attacked persons, judged on the other; beside it the paired difference to the holdout. "
        "Attribute-inference advantage: how much more often a member's sensitive column is guessed than another's. DCR "
        "share: rows nearer to a member than to any of the other half (0.5: nothing is copied). Smallest leak noticed: "
        "of how many members copies must be released for a column to be significantly above the holdout. What a "
        "guarantee allows: the most members that any attack finds under this epsilon. Values are the "
        f"{OVER_SEEDS}",
    ),
    "sizes": Table(
        _of_scores(sizes_table, display_sizes),
        "Number of training rows: every generator fitted on random training rows, and the real rows themselves; TSTR "
        f"with XGBoost for the main target; {OVER_SEEDS}",
    ),
    "runtime": Table(
        _runtime,
        "What data, training, sampling and scoring took: wall-clock seconds, and peak memory of the largest job",
    ),
}
