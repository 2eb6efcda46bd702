"""Split the clean table by person, impute with what the training rows teach, and say what was done."""

from _job import Job, log, read_tables, run, share_imports, write_text

share_imports(__name__)

from collections.abc import Sequence

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.disclosure import few
from medsynth.errors import InputError
from medsynth.evaluation.feasibility import check_partitions, check_targets, shortfalls
from medsynth.evaluation.targets import Predicted, Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.preparation.imputation import impute_blind, make_imputer
from medsynth.preparation.partitions import persons, split, split_rows, winsorise
from medsynth.preparation.scaling import scaling_table
from medsynth.randomness import derive_seed
from medsynth.scores.regression.compute import RegressionTarget
from medsynth.scores.survival.compute import TimeToEvent


def main(job: Job) -> None:
    """Make train and test, each complete, with the codebook that describes both."""
    (table,) = read_tables(job, "table")
    codebook = Codebook.from_json(job.input.codebook)
    rows = None if job.params.rows == "all" else job.params.rows
    # A study whose seeds have partitions of their own splits again.
    words = ["split", job.wildcards.split] if job.wildcards.get("split") else ["split"]
    seed = derive_seed(job.params.seed, codebook.name, *words)
    how = {"test_share": job.params.test_share, "seed": seed, "max_rows": rows}
    parts = split(table, codebook, **how)
    person = {name: persons(table, codebook)[found] for name, found in split_rows(table, codebook, **how).items()}
    limits = winsorise(parts, job.params.winsorise) if job.params.winsorise else {}
    targets: list[Predicted] = [
        *(Target(**one) for one in job.params.targets),
        *(RegressionTarget(**one) for one in job.params.regression),
        *(TimeToEvent(**one) for one in job.params.survival),
    ]
    hidden = sorted({name for target in targets for name in target.hidden} & set(parts["train"].columns))
    labelled = keep_labelled(parts["test"], targets)
    unlabelled = int((~labelled).sum())
    parts["test"], person["test"] = parts["test"][labelled].reset_index(drop=True), person["test"][labelled]
    check_partitions(parts)
    settings = dict(job.params.imputation)
    method = settings.pop("method")
    if method == "keep":
        refuse_unlabelled(parts["train"], targets)
    imputer = make_imputer(method, **settings, seed=derive_seed(job.params.seed, codebook.name, "imputation"))
    described = codebook.resolved(parts["train"])
    imputer.fit(parts["train"], described)
    complete = {
        "train": imputer.transform(parts["train"]),
        "test": impute_blind(imputer, parts["train"], parts["test"], described, hidden),
    }
    for name, part in complete.items():
        log.info("%s: %d rows, %d columns, %d cells imputed", name, *part.shape, parts[name].isna().sum().sum())
    check_targets(targets, complete)
    least = job.params.minimum_cell_size
    remarks = list(shortfalls(complete, person, targets, least=least))
    for name, remark in remarks:
        log.warning("%s partition: %s", name, remark)
    report = describe(parts, complete, imputer.codebook_, method, unlabelled, limits, remarks, least)
    report.to_csv(job.output.report, index=False, lineterminator="\n")
    scaling = scaling_table(complete["train"], imputer.codebook_, least)
    scaling.to_csv(job.output.scaling, index=False, lineterminator="\n", float_format="%.10g")
    write_text(job.output.codebook, imputer.codebook_.to_json())
    complete["train"].to_parquet(job.output.train, index=False)
    complete["test"].to_parquet(job.output.test, index=False)
    whose = [pd.DataFrame({"partition": name, "person": numbers}) for name, numbers in person.items()]
    pd.concat(whose).to_parquet(job.output.persons, index=False)


def keep_labelled(test: pd.DataFrame, targets: Sequence[Predicted]) -> np.ndarray:
    """Say which test rows have a known label: an imputed one is no truth to test against."""
    return test[_made_of(targets, test)].notna().all(axis=1).to_numpy()


def refuse_unlabelled(train: pd.DataFrame, targets: Sequence[Predicted]) -> None:
    """Refuse to keep gaps in what is to be predicted: classifiers would learn them as one of the classes."""
    for name in _made_of(targets, train):
        if train[name].isna().any():
            raise InputError(
                f"'imputation: keep' would keep the gaps of '{name}', which a target is made of; impute them, or leave "
                "these rows out ('rows' in the codebook)."
            )


def _made_of(targets: Sequence[Predicted], table: pd.DataFrame) -> list[str]:
    """Columns of a table that targets are made of."""
    return sorted({name for target in targets for name in target.made_of} & set(table.columns))


def describe(
    parts: dict[str, pd.DataFrame],
    complete: dict[str, pd.DataFrame],
    codebook: Codebook,
    method: str,
    unlabelled: int,
    limits: dict[str, float],
    remarks: list[tuple[str, str]],
    least: int,
) -> pd.DataFrame:
    """Count per partition and column: rows, gaps (imputed or kept), limits, categories that training never shows.

    Remarks are on scores that the rows of a partition do not suffice for.

    A category or number that fewer than `least` rows have is not named.
    """
    unseen = TableEncoder().fit(complete["train"]).unseen(complete["test"])
    if unlabelled:
        remarks = [("test", f"{few(unlabelled, least)} further rows left out, whose target is missing"), *remarks]
    found = [(name, "(rows)", len(complete[name]), 0, "", remark) for name, remark in remarks]
    for name, part in complete.items():
        for column in part.columns:
            # No value where the question does not arise is no gap; the complete table knows where.
            asked = ~codebook.not_asked(column, part)
            gaps = int((parts[name][column].isna().to_numpy() & asked).sum()) if column in parts[name] else 0
            strange = unseen.get(column, {}) if name == "test" else {}
            named = {category: count for category, count in strange.items() if count >= least}
            said = [f"'{category}' in {count} rows, never in training rows" for category, count in named.items()]
            if rare := len(strange) - len(named):
                said.append(f"{rare} categories in fewer than {least} rows each, never in training rows")
            if column in limits:
                said.append(f"winsorised at {float(f'{limits[column]:.3g}'):g}")
            if part[column].nunique() == 1:
                told = part[column].dropna()
                said.append(f"constant: '{told.iloc[0]}'" if len(told) >= least else "constant")
            found.append((name, column, len(part), gaps, method if gaps else "", "; ".join(said)))
    return pd.DataFrame(found, columns=["partition", "column", "rows", "imputed", "method", "remark"])


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
