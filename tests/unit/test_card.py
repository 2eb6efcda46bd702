"""Every package that the project was asked to rest on does real work: code of ours calls it where that work is."""

import ast
import re

import pytest

from tests.conftest import ROOT

# Package -> what is imported, and where its work is done.
CARD = {
    "snakemake": ("snakemake", "Snakefile"),
    "torch": ("torch", "medsynth/generators"),
    "pandas": ("pandas", "medsynth/preparation"),
    "numpy": ("numpy", "medsynth/evaluation"),
    "sdv": ("sdv", "medsynth/generators"),
    "sdmetrics": ("sdmetrics", "medsynth/scores/fidelity"),
    "scikit-learn": ("sklearn", "medsynth/scores"),
    "xgboost-cpu": ("xgboost", "medsynth/scores/utility"),
    "seaborn": ("seaborn", "medsynth/scores"),
    "matplotlib": ("matplotlib", "medsynth/scores"),
}


def calls(source: str, package: str) -> int:
    """Number of calls, in a module, of what it imports from a package."""
    tree = ast.parse(source)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname or a.name.split(".")[0] for a in node.names if a.name.split(".")[0] == package}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module.split(".")[0] == package:
            names |= {a.asname or a.name for a in node.names}
    called = [ast.unparse(node.func).split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sum(name in names for name in called)


@pytest.mark.parametrize("package", CARD)
def test_a_package_of_the_card_does_real_work(package):
    module, place = CARD[package]
    sources = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*.py"))
    texts = [path.read_text(encoding="utf-8") for path in sources]
    if place == "Snakefile":
        # Its language is not Python alone.
        assert re.search(r"^from snakemake\b|^import snakemake\b", texts[0], re.MULTILINE)
        assert re.search(r"^rule \w+:", texts[0], re.MULTILINE)
    else:
        assert sum(calls(text, module) for text in texts)


@pytest.mark.parametrize("package", CARD)
def test_a_package_of_the_card_is_locked(package):
    for name in ("requirements.in", "requirements.txt", "medsynth.yaml"):
        text = (ROOT / "envs" / name).read_text(encoding="utf-8")
        assert re.search(rf"^[ -]*{package}(==.+)?$", text, re.MULTILINE), name


def test_an_import_that_nothing_calls_is_no_work():
    assert not calls("import seaborn\nfrom seaborn import heatmap\nprint(seaborn)", "seaborn")
    assert calls("import seaborn as sns\nsns.heatmap([[1]])", "seaborn") == 1
    assert calls("from seaborn import heatmap as h\nh([[1]])", "seaborn") == 1
