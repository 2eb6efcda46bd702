"""The report, the tables and the evidence tell of no single patient; planted rows and values are found."""

import base64
import json
import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest

RUN = "covid_gans/simulated-smoke"
LEAST, WIDTH = 10, 3
# So many values of one record side by side are a leak; fewer than three different ones could be anybody's.
SIDE_BY_SIDE, DIFFERENT = 6, 3


def words(text):
    """Values in a text of whatever format, numbers written one way."""
    found = re.findall(r"""[^\s,;:|&<>"'\[\]{}()=\\]+""", re.sub("<[^>]*>", " ", text))
    return [f"{float(word):g}" if re.fullmatch(r"-?\d+(\.\d+)?", word) else word for word in found]


def windows(values):
    """Runs of values side by side that are worth calling a record."""
    runs = zip(*(values[i:] for i in range(SIDE_BY_SIDE)), strict=False)
    return {run for run in runs if len(set(run)) >= DIFFERENT}


def records(*tables):
    """Runs of every row's values, alone and each behind the name of its column."""
    found = set()
    for table in tables:
        for row in table.astype(str).to_dict("records"):
            found |= windows(words(" , ".join(row.values())))
            found |= windows(words(" , ".join(f"{name} {value}" for name, value in row.items())))
    return found


def leaks(text, of):
    """Runs of values that are a real record's."""
    return windows(words(text)) & of


def embedded(page):
    """Text that a self-contained page carries inside itself."""
    for kind, facts, data in re.findall(r"data:([\w/+.-]+)((?:;[^,;\"'\s]*)*),([^\"'\s)]+)", page):
        if kind.startswith("text/") or "json" in kind:
            packed = "base64" in facts
            yield base64.b64decode(unquote(data)).decode("utf-8", "replace") if packed else unquote(data)


@pytest.fixture(scope="module")
def real(smoke):
    """Real rows: the raw table's after cleaning, and the partitions after imputation."""
    folder = smoke.folder / "results" / RUN / "data"
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("clean", "train", "test")}


@pytest.fixture(scope="module")
def told(smoke, report):
    """Every text that a reader of the report, the tables or the evidence sees, by file."""
    files = smoke.files(f"{RUN}/tables/*") | smoke.files(f"{RUN}/evidence/**/*.json")
    return {path: content.decode() for path, content in files.items()} | {
        "report.html": "\n".join([report, *embedded(report)])
    }


@pytest.fixture(scope="module")
def of_patients(real):
    """Runs of values that are a real record's."""
    return records(*real.values())


def test_no_real_row_is_told(told, of_patients):
    assert {path: found for path, text in told.items() if (found := leaks(text, of_patients))} == {}


def test_the_texts_inside_the_report_are_read(report, smoke):
    pages = smoke.files(f"{RUN}/tables/*.html").values()
    assert {page.decode() for page in pages} <= set(embedded(report))


@pytest.mark.parametrize("kind", ["csv", "json", "html", "md", "tex"])
def test_a_planted_row_is_found_in_every_format(told, of_patients, real, kind):
    row = real["test"].sample(1, random_state=1)
    written = {
        "csv": lambda: row.to_csv(index=False),
        "json": lambda: row.to_json(orient="records"),
        "html": lambda: row.to_html(index=False),
        "md": lambda: row.to_markdown(index=False),
        "tex": lambda: " & ".join(row.astype(str).iloc[0]),
    }[kind]()
    page = "\n".join([told["report.html"], *embedded(f'"data:text/html;base64,{packed(written)}"')])
    assert leaks(page, of_patients)


def packed(text):
    """Pack a text as a report does."""
    return base64.b64encode(text.encode()).decode()


def small_cells(evidence, real):
    """Counts of few real rows, and bins that end beyond what several real rows reach."""
    test, found = real["test"], []
    for name, shown in evidence["distributions"].items():
        widths = np.diff(shown["edges"]) if "edges" in shown else 1
        # Half of the test rows a side, as the holdout has.
        counts = np.round(np.array(shown["real"]) * widths * (len(test) // 2))
        found += [(name, count) for count in counts if 0 < count < LEAST]
        if "edges" in shown:
            # Of half of the rows as many are further inside; the outer bins are a few years wide.
            low, high = np.sort(test[name])[[LEAST - 1, -LEAST]]
            if shown["edges"][0] < low - WIDTH or shown["edges"][-1] > high + WIDTH:
                found.append((name, "range"))
    for pair in evidence["pairs"]["counts"]:
        found += [(pair["x"], count) for count in np.ravel(pair["real"]) if 0 < count < LEAST]
    return found


@pytest.fixture(scope="module")
def evidence(smoke):
    """Evidence of every model; that of reference rows has importances alone."""
    files = smoke.files(f"{RUN}/evidence/*/epochs*/*.json")
    return [one for one in map(json.loads, files.values()) if "distributions" in one]


def test_no_cell_of_the_evidence_is_of_few_patients(evidence, real):
    assert len(evidence) > 10
    assert [found for one in evidence if (found := small_cells(one, real))] == []


def test_a_planted_small_cell_and_a_planted_extreme_are_found(evidence, real):
    planted = json.loads(json.dumps(evidence[0]))
    few = 3 / (len(real["test"]) // 2)
    planted["distributions"]["death"]["real"] = [1 - few, few]
    assert small_cells(planted, real)
    planted = json.loads(json.dumps(evidence[0]))
    planted["distributions"]["age"]["edges"][-1] += real["test"]["age"].max()
    assert ("age", "range") in small_cells(planted, real)


def test_no_colour_of_a_beeswarm_is_of_few_patients(smoke):
    explained = [json.loads(content)["importance"] for content in smoke.files(f"{RUN}/evidence/**/*.json").values()]
    assert any(explained)
    for targets in explained:
        for target in targets.values():
            for points in target["predictors"].values():
                assert min(pd.Series(points["position"]).value_counts(dropna=False)) >= LEAST


def test_tables_count_no_few_patients_and_no_few_cells(smoke):
    for name, columns in {
        "cleaning": ["cells", "missing_before", "missing_after"],
        "preparation": ["imputed"],
        "conditional": ["n_train", "n_test"],
    }.items():
        table = pd.read_csv(smoke.folder / "results" / RUN / f"tables/{name}.csv", dtype=str, keep_default_na=False)
        counts = [int(cell) for cell in table[columns].to_numpy().ravel() if cell.isdecimal()]
        assert counts and not [count for count in counts if 0 < count < LEAST]
