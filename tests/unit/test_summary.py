"""The summary page: what it says of a small run, and that it needs nothing else."""

import base64
import re
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medsynth.display.export import write_table
from medsynth.display.images import embedded, with_palette
from medsynth.plan.asked import Asked
from medsynth.plan.loading import load_runs
from medsynth.plan.overview import opening
from medsynth.report.facts import Finished, counted, in_words
from medsynth.report.summary import FIGURE_BYTES, grid, index_page, summary_page
from medsynth.report.verdicts import claims, counts, kind
from medsynth.scores.fidelity.table import quality_table
from medsynth.scores.privacy.table import privacy_table
from medsynth.scores.published.table import COLUMNS
from medsynth.scores.registry import families, figures, tables
from medsynth.scores.utility.table import utility_table
from tests.conftest import table_of_scores

STYLES = {
    "tvae": {"title": "TVAE", "colour": "#009e73"},
    "ctgan": {"title": "CTGAN <GAN>", "colour": "#d55e00"},
    "cart": {"title": "CART", "colour": "#56b4e9"},
}
NOTE = "simulated cohort with the schema of diabetes"


def score(generator, epochs, family, metric, about, *values, variance=1e-4):
    rows = [(generator, epochs, seed, family, metric, about, value) for seed, value in enumerate(values)]
    return table_of_scores(rows).assign(variance=variance)


def scored():
    """Scores of two generators that are there, and of one that failed."""
    quality = {"tvae": 0.9, "ctgan": 0.7, "holdout": 0.95, "independent": 0.8, "real": 0.97}
    epochs = {"tvae": 20, "ctgan": 20}
    found = []
    for name, value in quality.items():
        n = epochs.get(name, 0)
        found.append(score(name, n, "fidelity", "quality", {}, value, value - 0.01))
        found.append(score(name, n, "detection", "c2st_auc", {"model": "xgboost"}, 1.4 - value, 1.4 - value))
        found.append(
            score(name, n, "utility", "roc_auc", {"model": "xgboost", "target": "death"}, value - 0.2, value - 0.2)
        )
    found.append(score("tvae", 30, "fidelity", "quality", {}, 0.111, 0.111))
    found.append(score("cart", 0, "failed", "table", {"stage": "train"}, np.nan, np.nan))
    return pd.concat(found, ignore_index=True)


def verdict(item, verdict, **more):
    row = dict.fromkeys(COLUMNS, "") | {"item": item, "generator": "tvae above ctgan", "verdict": verdict}
    return row | {"ours": 0.0312, "ci_low": -0.01, "ci_high": 0.07, "rule": "difference above 0", **more}


@pytest.fixture
def finished(tmp_path):
    """A run of two seeds on simulated rows, without attacks."""
    found = scored()
    preparation = [("train", "(rows)", 400, "0", "", ""), ("test", "(rows)", 100, "0", "", "target 'death': few cases")]
    names = ["partition", "column", "rows", "imputed", "method", "remark"]
    overview = {"Raw rows": "500", "Seeds": "1, 2", "Versions": "numpy 2", "Study": "not shown twice"}
    written = {
        "quality": quality_table(found),
        "utility": utility_table(found),
        "preparation": pd.DataFrame(preparation, columns=names),
        "overview": pd.DataFrame(overview.items(), columns=["Fact", "Value"]),
        "published_vs_reproduced": pd.DataFrame(
            [
                verdict("TVAE is fast", "cannot be tested: simulated data"),
                verdict("TVAE is useful", "undecided"),
                verdict("TVAE is best", "agrees", evidence="tables/quality"),
                verdict("TVAE is close", "undecided"),
            ]
        ),
    }
    for name, table in written.items():
        write_table(table, table, tmp_path / "tables" / name, caption=name, note=NOTE, formats=("csv",))
    (tmp_path / "figures").mkdir()
    Image.new("RGB", (600, 400), "white").save(tmp_path / "figures/accuracy_death.png")
    facts = {
        "note": NOTE,
        "styles": STYLES,
        "epochs": {"tvae": 20, "ctgan": 20, "cart": 0},
        "run": {"target": "death"},
        "publication": {"items": [{"item": "TVAE is close", "headline": True}]},
        "guarantees": {},
        "minimum_cell_size": 10,
    }
    study = {
        "name": "diabetes",
        "title": "TVAE on diabetes",
        "paper": "A paper",
        "source": "simulated",
        "seeds": [1, 2],
    }
    study |= {"attacked_seeds": 1, "configuration": ["config/studies/diabetes.yaml"], "commands": ["make results"]}
    shown = [("accuracy", "", "death"), ("accuracy", "", "other"), ("distributions", "tvae", "")]
    return Finished(tmp_path / "tables", tmp_path / "figures", list(written), shown, facts, study)


def rows_of(finished, part="headline"):
    return {
        row.title: dict(zip([c.title for c in grid(finished, part).columns], row.cells, strict=True))
        for row in grid(finished, part).rows
    }


def after(page, *texts):
    """Places of texts, in the order of the page."""
    places = [page.index(text) for text in texts]
    return places == sorted(places)


def test_the_page_reads_from_question_to_commands(finished):
    page = summary_page(finished)
    parts = ["The data", "The main results", "Privacy", "Verdicts on the paper", "What to distrust", "How it was made"]
    assert after(page, "<h1>TVAE on diabetes", *(f"{part}</h2>" for part in parts), "make results")


def test_simulated_data_are_said_before_any_number(finished):
    page = summary_page(finished)
    assert after(page, "These data are simulated. No row is a patient.", "The data</h2>")
    finished.study["source"] = "file"
    assert "No row is a patient" not in summary_page(finished)


def test_the_page_loads_nothing(finished):
    page = summary_page(finished)
    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", page)
    assert not re.findall(r"<script|<link|@import|url\(", page)


def test_the_same_run_gives_the_same_page(finished):
    assert summary_page(finished) == summary_page(finished)


def test_text_from_the_configuration_is_no_markup(finished):
    page = summary_page(finished)
    assert "CTGAN &lt;GAN&gt;" in page and "<GAN>" not in page


def test_generators_stand_between_their_references_at_the_shown_epochs(finished):
    found = rows_of(finished)
    assert list(found) == ["TVAE", "CTGAN <GAN>", "CART", "Upper reference", "Lower reference"]
    assert found["TVAE"]["Quality"].value == "0.895"
    assert re.fullmatch(r"0\.\d{3} to 0\.\d{3}", found["TVAE"]["Quality"].interval)


def test_the_upper_reference_is_the_holdout_but_for_training_on_real_rows(finished):
    upper = rows_of(finished)["Upper reference"]
    assert (upper["Quality"].value, upper["TSTR AUC"].value) == ("0.945", "0.770")


def test_what_failed_is_said_where_its_scores_would_be(finished):
    assert {cell.value for cell in rows_of(finished)["CART"].values()} == {"failed"}
    assert "2 failed" in summary_page(finished)


def test_a_withheld_score_is_shown_as_withheld(finished):
    table = finished.table("utility")
    own = (table["generator"] == "tvae") & (table["metric"] == "roc_auc")
    table.loc[own, ["mean", "ci_low", "ci_high"]] = ""
    table.loc[own, "remark"] = "withheld: few patients"
    assert rows_of(finished)["TVAE"]["TSTR AUC"].value == "withheld"
    table.loc[own, "mean"] = "<10"
    assert rows_of(finished)["TVAE"]["TSTR AUC"].value == "<10"


def test_a_column_of_which_nothing_is_known_is_left_out(finished):
    table = finished.table("utility")
    table.drop(table.index, inplace=True)
    assert "TSTR AUC" not in rows_of(finished)["TVAE"]


def test_without_attacks_the_page_says_that_it_says_nothing_of_privacy(finished):
    page = summary_page(finished)
    assert "This run attacks no generator." in page and "No attack was run." in page


def test_attacks_are_shown_beside_their_controls(finished, tmp_path):
    values = {"tvae": 0.7, "ctgan": 0.5, "holdout": 0.5, "train_copy": 1.0, "independent": 0.5}
    epochs = finished.facts["epochs"]
    found = [
        score(name, epochs.get(name, 0), "privacy", metric, about, value, value)
        for name, value in values.items()
        for metric, about in (("membership_auc", {"attack": "chosen", "group": "everyone"}), ("copies_member", {}))
    ]
    empty = pd.Series([None] * 20, dtype=object)
    table = privacy_table(pd.concat(found, ignore_index=True).assign(replicates=empty))
    write_table(table, table, tmp_path / "tables/privacy", caption="", note=NOTE, formats=("csv",))
    finished.names.append("privacy")
    shown = rows_of(finished, "privacy")
    assert list(shown) == ["TVAE", "CTGAN <GAN>", "CART", "Positive control", "Negative control", "Lower reference"]
    assert shown["Positive control"]["Membership AUC"].value == "1.000"
    assert rows_of(finished)["TVAE"]["Membership AUC over holdout"].value == "0.200"
    assert "Attacks give no guarantee" in summary_page(finished)


def test_what_cannot_be_tested_comes_last_and_folded(finished):
    page = summary_page(finished)
    assert after(
        page,
        "Agrees (1)",
        "TVAE is best",
        "Undecided (2)",
        "TVAE is close",
        "TVAE is useful",
        "<details>",
        "Cannot be tested (1)",
        "TVAE is fast",
    )
    assert "Why: simulated data." in page


def test_claims_name_generators_by_their_titles():
    row = verdict("it", "agrees") | {name: str(verdict("it", "")[name]) for name in ("ours", "ci_low", "ci_high")}
    (claim,) = claims([row], {"tvae": "TVAE"})["agrees"]
    (answer,) = claim.answers
    assert (answer.of, answer.ours, answer.interval) == ("TVAE above ctgan", "0.031", "\N{MINUS SIGN}0.010 to 0.070")


def test_verdicts_are_counted_by_kind_in_the_order_of_reading():
    found = ["cannot be tested: a", "cannot be tested: b", "replicates on SUPPORT2", "new", "differs"]
    assert list(counts(found).items()) == [("differs", 1), ("replicates", 1), ("new", 1), ("cannot be tested", 2)]
    assert kind("does not replicate on Diabetes") == "does not replicate"


def test_what_to_distrust_is_said(finished):
    distrust = summary_page(finished).split("What to distrust</h2>")[1].split("<h2>")[0]
    for said in (
        "simulated",
        "100 rows",
        "Target &#39;death&#39;: few cases",
        "2 seeds",
        "2 of 4 verdicts are undecided",
    ):
        assert said in distrust
    assert "The quality of CTGAN &lt;GAN&gt; is not above 0.795" in distrust


@pytest.mark.slow
def test_a_page_with_large_figures_stays_below_3_mb(finished):
    noise = np.random.default_rng(0).integers(0, 255, (250, 1200, 3), dtype=np.uint8)
    finished.shown += [("privacy_trade", "", ""), ("learning_curve", "", "")]
    for name in ("accuracy_death", "privacy_trade", "learning_curve"):
        Image.fromarray(noise).save(finished.figures / f"{name}.png")
    page = summary_page(finished)
    assert page.count('<img src="data:image/png;base64,') == 3
    assert FIGURE_BYTES / 4 < len(page) < 3_000_000


def test_a_figure_that_fits_is_embedded_as_it_is(tmp_path):
    path = tmp_path / "small.png"
    Image.new("RGB", (300, 200), "#d55e00").save(path)
    content = embedded(path, 100_000).removeprefix("data:image/png;base64,")
    assert base64.b64decode(content) == path.read_bytes()


def test_a_palette_keeps_the_rare_colours_of_small_marks():
    x = np.linspace(0, 255, 400).astype(np.uint8)
    picture = np.stack(np.broadcast_arrays(x[None, :], x[:, None], np.uint8(128)), axis=2).copy()
    picture[:20, :20] = (213, 94, 0)
    picture[100:104, 100:104] = (0, 158, 115)
    few = np.asarray(Image.open(BytesIO(with_palette(Image.fromarray(picture)))).convert("RGB")).astype(int)
    assert np.abs(few[101, 101] - [0, 158, 115]).max() <= 16
    assert np.abs(few[10, 10] - [213, 94, 0]).max() <= 16


def test_only_figures_of_the_main_target_are_shown(finished):
    Image.new("RGB", (60, 40)).save(finished.figures / "accuracy_other.png")
    Image.new("RGB", (60, 40)).save(finished.figures / "distributions_tvae.png")
    assert summary_page(finished).count("<img ") == 1


def test_the_index_links_every_study():
    study = {"title": "A <b>", "paper": "", "note": NOTE, "scale": "smoke", "simulated": True, "generators": "CART"}
    page = index_page(
        [study | {"path": "a/file-smoke/summary.html"}, study | {"path": "b/x/summary.html", "simulated": False}]
    )
    assert re.findall('href="([^"]*)"', page) == ["a/file-smoke/summary.html", "b/x/summary.html"]
    assert page.count("no row is a patient") == 1 and "A &lt;b&gt;" in page


def test_every_declaration_for_the_summary_names_a_part_of_it():
    assert {column.part for table in tables().values() for column in table.summary} == {"headline", "privacy"}
    assert {figure.part for figure in figures().values()} <= {"figures", "privacy"}
    assert {part for family in families().values() for part in family.says} == {"data", "privacy", "distrust"}
    assert [table.name for table in tables().values() if table.judges] == ["published_vs_reproduced"]


def test_sentences_count_and_join():
    assert (counted(1, "row"), counted(2000, "row")) == ("1 row", "2,000 rows")
    assert (in_words(["a"]), in_words(["a", "b", "c"]), in_words([])) == ("a", "a, b and c", "")
    assert in_words(["TVAE", "TVAE, encoded", "CART"]) == "TVAE; TVAE, encoded and CART"


# What the plan gives the page, and the report's first page.


def test_the_commands_override_what_the_configuration_did():
    plain = load_runs({"studies": ["covid_gans"], "scale": "smoke", "source": "simulated"})["covid_gans"]
    make, snakemake = Asked(plain, {}).summarised["commands"]
    assert make == 'make results CONFIG="studies=[covid_gans] scale=smoke source=simulated"'
    changed = {"studies": ["covid_gans"], "scale": "smoke", "source": "simulated", "seeds": [7], "generators": ["cart"]}
    _, snakemake = Asked(load_runs(changed)["covid_gans"], {}).summarised["commands"]
    assert snakemake.endswith("source=simulated seeds=[7] generators=[cart]")


def test_the_report_opens_with_the_studies_that_have_a_summary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = load_runs({"studies": ["covid_gans", "mimic_tvae"], "scale": "smoke", "source": "simulated"})
    assert opening(runs) == []
    run = runs["covid_gans"]
    (tmp_path / run.folder / "tables").mkdir(parents=True)
    (tmp_path / run.summary).write_text("")
    verdicts = pd.DataFrame({"verdict": ["undecided", "agrees", "undecided"]})
    verdicts.to_csv(tmp_path / run.folder / "tables/published_vs_reproduced.csv")
    (found,) = opening(runs)
    assert (found["summary"], found["simulated"]) == ("results/covid_gans/simulated-smoke/summary.html", True)
    assert found["counts"] == [("agrees", 1), ("undecided", 2)]


def test_a_study_makes_its_summary():
    run = load_runs({"studies": ["covid_gans"], "scale": "smoke", "source": "simulated"})["covid_gans"]
    assert "results/covid_gans/simulated-smoke/summary.html" in run.files
