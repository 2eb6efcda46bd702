"""Numbers in README are those of the kept run that it names."""

import re
import runpy

from tests.conftest import ROOT

headline = runpy.run_path(str(ROOT / "benchmarks/headline.py"))["headline"]
KEPT = ROOT / "results/reference/support2/file-paper"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_table_of_results_is_what_its_program_prints():
    assert headline(KEPT) in README


def test_numbers_of_the_text_stand_in_the_table():
    text = README.split("## How to read a result")[1].split("## What comes out")[0]
    quoted = set(re.findall(r"\b0\.\d{3}\b", text.split("| score |")[0]))
    assert quoted and quoted <= set(re.findall(r"\b0\.\d{3}\b", headline(KEPT)))
