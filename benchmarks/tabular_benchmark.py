"""The public benchmark of tabular generators on Diabetes 130-US, by its own protocol: docs/tabular-benchmark.md.

    python benchmarks/tabular_benchmark.py <raw>/diabetes130/dataset_diabetes.zip results/tabular_benchmark cart forest
    python benchmarks/tabular_benchmark.py results/tabular_benchmark --table

The protocol is that of TabSyn, TabDiff and TabPC (``sources`` in tabular_benchmark.yaml): all encounters, 37 columns,
60 % training, 20 % validation and 20 % test rows by scikit-learn with seed 42, as many rows sampled as learned, and
compared with the **training** rows. It splits by row, so a patient may be on both sides, and rewards copying; the
studies of this project do neither.

A run fits a generator twice a seed, on the training rows and on half of all rows (for the DCR share). It writes one
JSON a generator and seed, and skips those that are there, so that it can be stopped and started again.
``--table`` prints the JSONs of a folder beside the published numbers, as Markdown.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import logging
import warnings
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import yaml
from scipy.sparse import vstack
from sdmetrics.reports import QualityReport
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import ParameterGrid, StratifiedKFold, train_test_split
from sklearn.preprocessing import OneHotEncoder, RobustScaler
from xgboost import XGBClassifier

from medsynth.codebook import Codebook
from medsynth.evaluation.intervals import interval
from medsynth.generators import generator_class
from medsynth.generators.sdv import categories_as_text
from medsynth.plan.loading import load_generators
from medsynth.randomness import derive_seed, seed_everything
from medsynth.scores.precision_recall.compute import precision_recall

PUBLISHED = Path(__file__).with_suffix(".yaml")
MEMBER = "dataset_diabetes/diabetic_data.csv"
NUMERIC = [
    "age", "num_lab_procedures", "num_medications", "number_outpatient", "number_emergency", "number_inpatient",
    "time_in_hospital", "num_procedures", "number_diagnoses",
]  # fmt: skip
# Identifiers, columns that are mostly empty, and drugs that nobody or hardly anybody gets.
LEFT_OUT = [
    "encounter_id", "patient_nbr", "weight", "payer_code", "medical_specialty", "citoglipton", "examide",
    "acetohexamide", "troglitazone", "glipizide-metformin", "glimepiride-pioglitazone", "metformin-rosiglitazone",
    "metformin-pioglitazone",
]  # fmt: skip
TARGET = "readmitted"
# Categories that a csv has as numbers, and that detectors therefore see as such.
WHOLE_NUMBERS = ["admission_type_id", "discharge_disposition_id", "admission_source_id", TARGET]
SPLIT_SEED = 42
# Synthetic rows whose nearest neighbours are looked for, and rows a side of alpha-precision and beta-recall.
DCR_ROWS, NEIGHBOUR_ROWS = 2_000, 5_000
# Points of the papers' grid for the XGBoost that predicts the target.
GRID = {"max_depth": [5, 10], "n_estimators": [50, 100], "min_child_weight": [10]}
# Fewer tell too little of how runs vary for a verdict.
LEAST_RUNS = 3
# Measure -> heading. More is better, but of the DCR share nearer to 0.5, and of seconds less.
MEASURES = {
    "xgboost_c2st": "XGBoost C2ST",
    "logistic_c2st": "logistic C2ST",
    "shape": "shape",
    "trend": "trend",
    "auc": "AUC",
    "alpha_precision": "alpha-precision",
    "beta_recall": "beta-recall",
    "dcr_share": "DCR share",
    "fit_seconds": "training, seconds",
}


def read(path):
    """Read the table as the benchmark has it, and describe it."""
    with ZipFile(path) as archive, archive.open(MEMBER) as stream:
        raw = pd.read_csv(stream, na_values=["?"], low_memory=False)
    raw = raw.drop(columns=LEFT_OUT)
    # "[70-80)" is 7.
    raw["age"] = raw["age"].str.extract(r"\[(\d+)-")[0].astype(int) // 10
    raw[TARGET] = (raw[TARGET] != "NO").astype(int)
    coded = [name for name in raw if name not in NUMERIC]
    columns = {name: {"type": "integer"} for name in NUMERIC}
    for name in coded:
        raw[name] = raw[name].astype(object).where(raw[name].notna(), "empty").astype(str)
        columns[name] = {"type": "categorical", "categories": sorted(raw[name].unique())}
    about = {"name": "diabetes130_encounters", "title": "Diabetes 130-US", "publisher": "UCI", "licence": "CC BY 4.0"}
    codebook = Codebook.model_validate({**about, "raw": {"file": path.name, "obtain": "download"}, "columns": columns})
    return codebook.conform(raw), codebook


def split(table):
    """Split into training, validation and test rows, and into two halves, all stratified by the target."""
    rest, test = train_test_split(table, test_size=0.2, stratify=table[TARGET], random_state=SPLIT_SEED)
    train, validation = train_test_split(rest, test_size=0.25, stratify=rest[TARGET], random_state=SPLIT_SEED)
    halves = train_test_split(table, test_size=0.5, stratify=table[TARGET], random_state=SPLIT_SEED)
    return [part.reset_index(drop=True) for part in (train, validation, test, *halves)]


def judge(name, table, codebook, seed):
    """Fit a generator on both sets of rows and measure what it samples."""
    train, validation, test, half, other = split(table)
    entry = load_generators()[name]
    own = derive_seed(0, name, seed)

    def fitted(rows):
        start = sum(os.times()[:4])
        model = generator_class(entry.class_path)(**entry.settings).fit(rows, codebook, seed=own)
        return model, sum(os.times()[:4]) - start

    model, seconds = fitted(train)
    synthetic = model.sample(len(train), seed=own)
    found = {"fit_seconds": seconds, "rows": len(train), **compared(synthetic, train, codebook, own)}
    found["auc"] = auc(*(categories_as_text(rows) for rows in (synthetic, validation, test)))
    model, _ = fitted(half)
    found["dcr_share"] = dcr_share(model.sample(DCR_ROWS, seed=own), half, other)
    return {measure: float(value) for measure, value in found.items()}


def dcr_share(synthetic, half, other):
    """Share of synthetic rows closer to the learned half than to the other; ties, of which there are many, count half.

    Distances are sums over columns: of numbers by their range, of categories two for another one (both indicators).
    """
    spread = half[NUMERIC].max() - half[NUMERIC].min()
    coded = [name for name in half if name not in NUMERIC]

    def closest(others):
        found = np.empty(len(synthetic), dtype="float32")
        for start in range(0, len(synthetic), 100):
            part = slice(start, start + 100)
            differing = np.zeros((len(synthetic[part]), len(others)), dtype="uint8")
            for name in coded:
                left, right = (table[name].cat.codes.to_numpy("int16") for table in (synthetic[part], others))
                differing += left[:, None] != right
            distance = 2 * differing.astype("float32")
            for name in NUMERIC:
                left, right = ((table[name] / spread[name]).to_numpy("float32") for table in (synthetic[part], others))
                distance += np.abs(left[:, None] - right)
            found[part] = distance.min(axis=1)
        return np.round(found, 4)

    learned, unseen = closest(half), closest(other)
    return ((learned < unseen) + 0.5 * (learned == unseen)).mean()


def compared(synthetic, train, codebook, seed):
    """Compare synthetic with training rows: detection, shape, trend, alpha-precision, beta-recall."""
    real, made = (categories_as_text(table).astype(dict.fromkeys(WHOLE_NUMBERS, int)) for table in (train, synthetic))
    kinds = {name: "numerical" if column.numeric else "categorical" for name, column in codebook.columns.items()}
    metadata = {"tables": {"table": {"columns": {name: {"sdtype": kind} for name, kind in kinds.items()}}}}
    # SDMetrics draws its folds and rows from the global generators.
    seed_everything(seed)
    report = QualityReport()
    report.generate({"table": real}, {"table": made}, metadata, verbose=False)
    shape, trend = report.get_properties().set_index("Property")["Score"].loc[["Column Shapes", "Column Pair Trends"]]
    neighbours = precision_recall(synthetic, train, codebook, seed=seed, max_rows=NEIGHBOUR_ROWS)
    found = {"shape": shape, "trend": trend, **{score.metric: score.value for score in neighbours}}
    found["xgboost_c2st"] = detection(real, made, XGBClassifier(tree_method="hist", n_jobs=1), seed)
    found["logistic_c2st"] = detection(real, made, LogisticRegression(), seed)
    return found


def auc(synthetic, validation, test):
    """AUC on test rows of the XGBoost, of a few, that learned from synthetic rows and does best on validation rows."""
    tables = (synthetic, validation, test)
    x = numbers(*(table.drop(columns=TARGET) for table in tables))
    y = [table[TARGET].astype(int) for table in tables]
    found = []
    for settings in ParameterGrid(GRID):
        classifier = XGBClassifier(tree_method="hist", n_jobs=1, **settings).fit(x[0], y[0])
        found.append([roc_auc_score(y[i], classifier.predict_proba(x[i])[:, 1]) for i in (1, 2)])
    return max(found)[1]


def numbers(*tables):
    """Tables as sparse numbers, by what is in the first: indicators of text, numbers scaled but not centred."""
    text = [name for name in tables[0] if tables[0][name].dtype == object and name not in WHOLE_NUMBERS]
    others = [name for name in tables[0] if name not in text]
    # A zero that is not stored would be missing to XGBoost; numbers are 0 or more.
    tables = [table.assign(**{name: table[name].astype(int) + 1 for name in others}) for table in tables]
    features = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), text),
        remainder=RobustScaler(with_centering=False),
        sparse_threshold=1.0,
    ).fit(tables[0])
    return [features.transform(table) for table in tables]


def detection(real, made, classifier, seed):
    """SDMetrics' detection score, 1 - (2 max(AUC, 0.5) - 1) over three folds; 1 means that nothing is told.

    Indicators are kept sparse: SDMetrics' own program needs nine gigabytes for those of 2,200 diagnoses. Numbers are
    scaled as there; they are not centred, which neither classifier sees.
    """
    x = vstack(numbers(real, made)).tocsr()
    y = np.repeat([1, 0], [len(real), len(made)])
    found = []
    for learned, judged in StratifiedKFold(3, shuffle=True, random_state=seed).split(x, y):
        probability = clone(classifier).fit(x[learned], y[learned]).predict_proba(x[judged])[:, 1]
        found.append(2 * max(roc_auc_score(y[judged], probability), 0.5) - 1)
    return 1 - np.mean(found)


def verdict(measure, ours, published):
    """Say whether the 95 % interval of our mean lies on one side of the best published mean."""
    mean = interval(ours)
    if measure == "dcr_share":
        best = min(abs(value - 0.5) for value in published)
        better = max(abs(end - 0.5) for end in (mean.low, mean.high)) < best
        worse = mean.low > 0.5 + best or mean.high < 0.5 - best
    else:
        better, worse = mean.low > max(published), mean.high < max(published)
    return "better" if better else "worse" if worse else "undecided"


def show(folder):
    """Print published and own means, and verdicts, as a Markdown table."""
    papers = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["published"]
    files = sorted(folder.glob("*.json"))
    found = pd.DataFrame([json.loads(file.read_text(encoding="utf-8")) for file in files])
    rows = [[name, "5", *(f"{numbers[m]:.3f}" if m != "fit_seconds" else f"{numbers[m]:,.0f}" for m in MEASURES)]
            for name, numbers in papers.items()]  # fmt: skip
    for name, own in found.groupby("generator"):
        cells, verdicts = [], []
        for measure in MEASURES:
            number = own[measure].mean()
            cells.append(f"{number:,.0f}" if measure == "fit_seconds" else f"{number:.3f}")
            published = [numbers[measure] for numbers in papers.values()]
            verdicts.append("" if measure == "fit_seconds" else verdict(measure, own[measure], published))
        rows.append([f"**{name}**, here", str(len(own)), *cells])
        if len(own) >= LEAST_RUNS:
            rows.append(["its verdict", "", *verdicts])
    head = ["generator", "runs", *MEASURES.values()]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    print("\n".join("| " + " | ".join(line) + " |" for line in lines))


def main():
    """Run what is not there yet, or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", help="the raw file, the folder of results, generators")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--table", action="store_true", help="print what is in the folder instead")
    given = parser.parse_args()
    if given.table:
        return show(Path(given.paths[0]))
    raw, folder, *names = given.paths
    warnings.filterwarnings("ignore")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    table, codebook = read(Path(raw))
    Path(folder).mkdir(parents=True, exist_ok=True)
    for seed in given.seeds:
        for name in names:
            file = Path(folder) / f"{name}-seed{seed}.json"
            if file.exists():
                continue
            found = {"generator": name, "seed": seed, **judge(name, table, codebook, seed)}
            file.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            logging.info("%s", found)
    return None


if __name__ == "__main__":
    main()
