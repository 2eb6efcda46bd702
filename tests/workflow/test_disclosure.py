"""The report, the tables and the plot data reveal no single patient; planted rows and values are found.

Two readers look for what they should not learn: one searches for records and small cells as they stand there, the other
solves for counts. He knows the code, how many rows each partition has, which categories a column has, and all tables.
"""

import base64
import itertools
import json
import re
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import stats

from tests.workflow.conftest import SMOKE

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
    """Every text that a reader of the report, the tables or the plot data sees, by file."""
    files = smoke.files(f"{RUN}/tables/*") | smoke.files(f"{RUN}/plot_data/**/*.json")
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


def small_cells(plot_data, real):
    """Counts of few real rows, and bins that end beyond what several real rows reach."""
    test, found = real["test"], []
    for name, shown in plot_data["distributions"].items():
        widths = np.diff(shown["edges"]) if "edges" in shown else 1
        # Half of the test rows a side, as the holdout has.
        counts = np.round(np.array(shown["real"]) * widths * (len(test) // 2))
        found += [(name, count) for count in counts if 0 < count < LEAST]
        if "edges" in shown:
            # Of half of the rows as many are further inside; the outer bins are a few years wide.
            low, high = np.sort(test[name])[[LEAST - 1, -LEAST]]
            if shown["edges"][0] < low - WIDTH or shown["edges"][-1] > high + WIDTH:
                found.append((name, "range"))
    for pair in plot_data["pairs"]["counts"]:
        found += [(pair["x"], count) for count in np.ravel(pair["real"]) if 0 < count < LEAST]
    return found


@pytest.fixture(scope="module")
def plot_data(smoke):
    """Plot data of every model; that of reference rows has importances alone."""
    files = smoke.files(f"{RUN}/plot_data/*/*.json")
    return [one for one in map(json.loads, files.values()) if "distributions" in one]


def test_no_cell_of_the_plot_data_is_of_few_patients(plot_data, real):
    # One a generator and seed.
    assert len(plot_data) == 2 * len(SMOKE["generators"].split(","))
    assert [found for one in plot_data if (found := small_cells(one, real))] == []


def test_a_planted_small_cell_and_a_planted_extreme_are_found(plot_data, real):
    planted = json.loads(json.dumps(plot_data[0]))
    few = 3 / (len(real["test"]) // 2)
    planted["distributions"]["death"]["real"] = [1 - few, few]
    assert small_cells(planted, real)
    planted = json.loads(json.dumps(plot_data[0]))
    planted["distributions"]["age"]["edges"][-1] += real["test"]["age"].max()
    assert ("age", "range") in small_cells(planted, real)


def test_no_colour_of_a_beeswarm_is_of_few_patients(smoke):
    explained = [
        json.loads(content).get("importance", {}) for content in smoke.files(f"{RUN}/plot_data/**/*.json").values()
    ]
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


# The reader who solves for counts. Each attack returns what it found: counts of some patients but fewer than `LEAST`.


def log_odds(rows, total):
    """What log disparities are differences of."""
    return np.log(np.asarray(rows) + 0.5) - np.log(total - np.asarray(rows) + 0.5)


def solutions(printed, seeds, pairs, totals, decimals):
    """Counts (real, table), one pair a seed, whose mean log disparity is the printed one, with its t interval if any.

    Parameters
    ----------
    printed : tuple of float
        Mean, low, high; NaN without an interval.
    seeds : int
    pairs : list of (int, int)
        Counts that are possible.
    totals : tuple of int
        Real rows and rows of the table.
    decimals : int
        Digits behind the point that are printed.
    """
    values = [log_odds(m, totals[1]) - log_odds(n, totals[0]) for n, m in pairs]
    picks = np.array(list(itertools.combinations_with_replacement(range(len(pairs)), seeds)))
    found = np.array(values)[picks]
    means, near = found.mean(axis=1), 0.51 * 10.0**-decimals
    fits = abs(means - printed[0]) <= near
    if seeds > 1 and not np.isnan(printed[1]):
        half = stats.t.ppf(0.975, seeds - 1) * found.std(axis=1, ddof=1) / np.sqrt(seeds)
        close = fits & (abs(means - half - printed[1]) <= near) & (abs(means + half - printed[2]) <= near)
        # Intervals may be of another kind.
        fits = close if close.any() else fits
    return {tuple(sorted(pairs[i] for i in pick)) for pick in picks[fits]}


def solved(found):
    """Small counts of a solution that is the only one."""
    counts = np.ravel(next(iter(found))) if len(found) == 1 else []
    return [int(count) for count in counts if 0 < count < LEAST]


def solved_disparities(fairness, n_test, n_train, decimals=6):
    """Counts behind the log disparities of the rows that are patients themselves."""
    shown = fairness.dropna(subset=["log_disparity"])
    known = shown[~shown["generator"].isin(["real", "holdout"])].groupby(["column", "group"])["rows"].max()
    for row in shown[shown["generator"].isin(["real", "holdout"])].itertuples():
        if row.generator == "real":
            totals, pairs = (n_test, n_train), [(int(row.rows), m) for m in range(n_train + 1)]
        else:
            totals, rows = (n_test - n_test // 2, n_test // 2), known.get((row.column, row.group))
            pairs = [(n, int(rows) - n) for n in range(int(row.rows) + 1) if 0 <= rows - n <= totals[1]]
        printed = row.log_disparity, row.log_disparity_low, row.log_disparity_high
        found = solved(solutions(printed, int(row.n_seeds), pairs, totals, decimals))
        yield from ((row.column, row.group, row.generator, count) for count in found)


def left_over(fairness, n_test):
    """What the groups that are shown leave of all rows."""
    shown = fairness[~fairness["generator"].isin(["holdout", "real"])].dropna(subset=["rows"])
    for column, rows in shown.groupby("column"):
        left = n_test - int(rows.groupby("group")["rows"].max().sum())
        if 0 < left < LEAST:
            yield column, left


def outcomes(fairness, decimals=6):
    """Patients with an outcome that a classifier never predicts: its Brier score is their share."""
    for row in fairness.dropna(subset=["brier_score", "rows"]).itertuples():
        near = 0.51 * 10.0**-decimals
        if abs(row.brier_score + row.calibration) <= 2 * near:
            counts = [n for n in range(int(row.rows) + 1) if abs(n / row.rows - row.brier_score) <= near]
            if len(counts) == 1 and 0 < counts[0] < LEAST:
                yield row.column, row.group, counts[0]


def uncounted(cohorts, wheres, fairness, totals):
    """What numbers of cohorts leave of all rows, of cohorts that hold them, and of groups that other tables count."""
    groups = fairness[~fairness["generator"].isin(["holdout", "real"])].groupby(["column", "group"])["rows"].max()
    for name, total in totals.items():
        shown = cohorts.groupby("condition")[name].first().dropna().astype(int)
        for cohort, n in shown.items():
            wider = [other for other in shown.index if wheres[other].items() < wheres[cohort].items()]
            left = [total - n, n, *(shown[other] - n for other in wider)]
            ((column, category), *more) = wheres[cohort].items()
            lone = name == "n_test" and not more and isinstance(category, str) and column in groups.index
            if lone and (column, category) not in groups.index:
                left.append(total - groups[column].sum() - n)
            yield from ((cohort, name, int(count)) for count in left if 0 < count < LEAST)


def broken(violations, rows):
    """Patients who violate a constraint, of all seeds together, and what one leaves of those that violate any."""
    for row in violations[violations["generator"].isin(rows)].to_dict("records"):
        total = rows[row["generator"]] * int(row["n_seeds"])
        rules = [name for name in row if f"{name}_low" in row]
        counts = {rule: round(row[rule] * total) for rule in rules if not pd.isna(row[rule])}
        left = [*counts.values(), *(total - n for n in counts.values())]
        left += [counts["any"] - n for n in counts.values()] if "any" in counts else []
        yield from ((row["generator"], count) for count in left if 0 < count < LEAST)


def hidden_cells(plot_data):
    """What the cells of a pair plot leave of a margin that another pair shows in full."""
    shown = plot_data["pairs"]
    margins = {}
    for pair in shown["counts"]:
        cells = np.array(pair["real"])
        for name, sums in ((pair["x"], cells.sum(axis=1)), (pair["y"], cells.sum(axis=0))):
            margins.setdefault(name, []).append(sums)
    for name, sums in margins.items():
        full = [one for one in sums if one.sum() == shown["rows"]["real"]]
        for one in sums if full else ():
            yield from ((name, int(left)) for left in full[0] - one if 0 < left < LEAST)


def kept(*rows):
    """Rows of a table of subgroups: column, group, generator, seeds, rows, log disparity with its interval, scores."""
    names = ["column", "group", "generator", "n_seeds", "rows", "log_disparity", "log_disparity_low"]
    names += ["log_disparity_high", "brier_score", "calibration"]
    return pd.DataFrame([[*row, *[np.nan] * (len(names) - len(row))] for row in rows], columns=names)


# From results/reference/mimic_tvae/file-laptop/tables/fairness.md as it was: 23 test rows, halves of 12 and 11; counts
# of real rows rounded to tens, those of the table not.
ROUNDED = kept(
    ("age", "65 to below 80", "holdout", 1, 10, -2.770),
    ("gender", "male", "holdout", 3, 10, -0.171, -1.960, 1.618),
)


@pytest.mark.parametrize(("row", "counts"), [(0, [2]), (1, [7, 9])])
def test_counts_behind_a_rounded_log_disparity_are_solved(row, counts):
    printed = ROUNDED.iloc[row][["log_disparity", "log_disparity_low", "log_disparity_high"]].to_list()
    pairs = [(10, m) for m in range(12)]
    assert solved(solutions(printed, ROUNDED["n_seeds"][row], pairs, (12, 11), decimals=3)) == counts


def test_counts_behind_exact_log_disparities_are_solved_too():
    # Seven of ten patients in one half, three in the other; a third of 300 training rows but for four.
    table = kept(
        ("sex", "male", "cart", 1, 10, 0.1),
        ("sex", "male", "holdout", 1, 7, round(log_odds(3, 50) - log_odds(7, 50), 6)),
        ("sex", "female", "real", 1, 50, round(log_odds(4, 300) - log_odds(50, 100), 6)),
    )
    found = sorted(solved_disparities(table, 100, 300))
    assert found == [("sex", "female", "real", 4), ("sex", "male", "holdout", 3), ("sex", "male", "holdout", 7)]


def test_what_shown_groups_leave_is_found():
    table = kept(("race", "white", "cart", 3, 640, 0.0), ("race", "black", "cart", 3, 152, 0.0))
    assert list(left_over(table, 800)) == [("race", 8)]


def test_an_outcome_that_is_never_predicted_is_counted():
    # From results/reference/covid_gans/file-laptop/tables/fairness.md as it was.
    table = kept(("age", "below 40", "tvae", 3, 556, 2.006, 1.798, 2.214, 0.007, -0.007))
    assert list(outcomes(table, decimals=3)) == [("age", "below 40", 4)]


def test_cohorts_that_tell_of_each_other_are_found():
    wheres = {"women": {"sex": "female"}, "old_women": {"sex": "female", "age": [70, None]}, "few": {"sex": "other"}}
    cohorts = pd.DataFrame({"condition": list(wheres), "n_test": [60, 55, 3]})
    found = set(uncounted(cohorts, wheres, kept(), {"n_test": 120}))
    assert found == {("old_women", "n_test", 5), ("few", "n_test", 3)}


def test_rows_that_break_a_rule_are_counted():
    table = pd.DataFrame({"generator": ["holdout"], "n_seeds": [2], "any": [0.3], "any_low": [0], "a": [0.25]})
    assert set(broken(table.assign(a_low=0), {"holdout": 60})) == {("holdout", 6)}


def test_a_blank_cell_of_a_pair_plot_is_solved():
    counts = [
        {"x": "age", "y": "crp", "real": [[40, 0], [30, 30]]},
        {"x": "age", "y": "bmi", "real": [[20, 17], [30, 30]]},
    ]
    plot_data = {"pairs": {"rows": {"real": 100}, "counts": counts}}
    assert list(hidden_cells(plot_data)) == [("age", 3)]


@pytest.fixture(scope="module")
def tables(smoke):
    """Tables of numbers by name."""
    return {
        name: pd.read_csv(smoke.folder / "results" / RUN / f"tables/{name}.csv", keep_default_na=False, na_values=[""])
        for name in ("fairness", "conditional", "violations")
    }


@pytest.fixture(scope="module")
def drawn(smoke, real):
    """Most training rows that the row of real rows is made of."""
    scale = yaml.safe_load((smoke.folder / "config/studies/covid_gans.yaml").read_text())["scales"]["smoke"]
    return min(max(scale["utility_rows"], scale["fidelity_rows"]), len(real["train"]))


def test_whoever_solves_for_counts_finds_none_among_subgroups(tables, real, drawn):
    fairness, n_test = tables["fairness"], len(real["test"])
    assert {"real", "holdout", "cart"} <= set(fairness["generator"])
    assert list(solved_disparities(fairness, n_test, drawn)) == []
    assert list(left_over(fairness, n_test)) == []
    assert list(outcomes(fairness)) == []


def test_whoever_solves_for_counts_finds_none_among_cohorts(tables, real, smoke):
    study = yaml.safe_load((smoke.folder / "config/studies/covid_gans.yaml").read_text())
    wheres = {cohort["name"]: cohort["where"] for cohort in study["cohorts"]}
    totals = {"n_test": len(real["test"]), "n_train": len(real["train"])}
    assert tables["conditional"]["n_test"].notna().any()
    assert list(uncounted(tables["conditional"], wheres, tables["fairness"], totals)) == []


def test_whoever_solves_for_counts_finds_none_among_violations(tables, real, drawn):
    assert list(broken(tables["violations"], {"real": drawn, "holdout": len(real["test"]) // 2})) == []


def test_whoever_solves_for_counts_finds_none_in_the_plot_data(plot_data, tables, real):
    fairness = tables["fairness"]
    groups = fairness[fairness["generator"] == "cart"].set_index(["column", "group"])["rows"].dropna()
    half = len(real["test"]) // 2
    for one in plot_data:
        assert list(hidden_cells(one)) == []
        for name, shown in one["distributions"].items():
            for category, share in zip(shown.get("categories", []), shown["real"], strict=False):
                rest = groups.get((name, category), np.inf) - round(share * half)
                assert not 0 < rest < LEAST
