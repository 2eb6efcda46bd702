"""Pages of the site put what a paper says beside what came out, from kept results."""

import importlib.util
import re

import pytest

from tests.conftest import ROOT

spec = importlib.util.spec_from_file_location("papers", ROOT / "docs/site/papers.py")
papers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(papers)


@pytest.mark.parametrize("paper", ["med_vae", "mimic_tvae", "covid_gans"])
def test_every_number_and_claim_of_the_paper_is_there(paper):
    page = papers.side_by_side(ROOT, paper)
    for item in papers.study(ROOT, paper)["published"]["items"]:
        assert f"| {item['item']} |".replace("mean |SHAP|", "mean \\|SHAP\\|") in page


def test_tables_come_first_and_in_order():
    page = papers.side_by_side(ROOT, "med_vae")
    places = [line for line in page.splitlines() if line.startswith("## ")]
    assert places[:4] == ["## Table 1", "## Table 2", "## Table 3", "## Figure 2"]


def test_a_paper_is_judged_on_all_patients_that_its_claims_were_tested_on():
    assert {run.split("/")[0] for run in papers.kept_runs(ROOT, "med_vae")} == {"diabetes130", "support2"}
    assert {run.split("/")[0] for run in papers.kept_runs(ROOT, "mimic_tvae")} == {"mimic_tvae", "hdhi_tvae"}


def test_the_run_of_the_largest_scale_is_taken(tmp_path):
    (tmp_path / "config").symlink_to(ROOT / "config")
    kept = ROOT / "results/reference/covid_gans/file-paper/tables"
    for scale, verdict in (("laptop", "differs"), ("paper", "agrees")):
        folder = tmp_path / f"results/reference/covid_gans/file-{scale}/tables"
        folder.mkdir(parents=True)
        for kind in ("csv", "md"):
            text = (kept / f"published_vs_reproduced.{kind}").read_text(encoding="utf-8")
            (folder / f"published_vs_reproduced.{kind}").write_text(re.sub("differs|agrees|undecided", verdict, text))
    page = papers.side_by_side(tmp_path, "covid_gans")
    assert "| agrees |" in page and "| differs |" not in page


def test_numbers_of_a_run_stand_as_its_table_shows_them():
    page = papers.side_by_side(ROOT, "mimic_tvae")
    rows = papers.kept_runs(ROOT, "mimic_tvae")["hdhi_tvae/file-laptop"]
    assert len(rows) > 10
    for row in rows:
        assert f"| {row['Value']} | {row['Ours (95% CI)']} | {row['Patients']} |" in page
