"""Which modules a change re-runs."""

from medsynth.plan import closure
from medsynth.plan.closure import code_hash
from tests.conftest import ROOT


def copy_of_the_project(tmp_path, monkeypatch):
    """Copy library and scripts, and make them what the hash looks at."""
    import shutil

    for folder in ("medsynth", "scripts"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(closure, "ROOT", tmp_path)
    closure._imported.cache_clear()
    return tmp_path


def touch(root, module):
    """Change a module."""
    path = root / module
    path.write_text(path.read_text() + "\n# changed\n")
    closure._imported.cache_clear()


def test_a_module_that_the_script_rests_on_changes_the_hash(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    before = code_hash("scripts/score_table.py")
    touch(root, "medsynth/scores/detection/compute.py")
    assert code_hash("scripts/score_table.py") != before


def test_a_module_it_does_not_rest_on_does_not(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    before = code_hash("scripts/score_table.py")
    touch(root, "medsynth/preparation/cleaning.py")
    touch(root, "medsynth/scores/utility/figure.py")
    assert code_hash("scripts/score_table.py") == before


def test_a_cohorts_coefficients_count(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    arguments = ("scripts/simulate_cohort.py", "medsynth.cohorts.covid_mexico")
    before = code_hash(*arguments)
    touch(root, "medsynth/cohorts/covid_mexico.json")
    assert code_hash(*arguments) != before


def test_a_generator_named_in_the_configuration_counts(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    before = code_hash("scripts/train_generator.py", "medsynth.generators.sdv")
    touch(root, "medsynth/generators/sdv.py")
    assert code_hash("scripts/train_generator.py", "medsynth.generators.sdv") != before


def test_what_scripts_share_counts(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    before = code_hash("scripts/train_generator.py")
    touch(root, "scripts/_job.py")
    assert code_hash("scripts/train_generator.py") != before


def test_what_a_generator_imports_lazily_counts(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    before = code_hash("scripts/train_generator.py", "medsynth.generators.med_vae")
    for module in ("training", "med_vae_networks"):
        touch(root, f"medsynth/generators/{module}.py")
        after = code_hash("scripts/train_generator.py", "medsynth.generators.med_vae")
        assert after != before
        before = after


def test_programs_that_run_in_another_python_count(tmp_path, monkeypatch):
    root = copy_of_the_project(tmp_path, monkeypatch)
    for program, arguments in {
        "medsynth/generators/arfpy_elsewhere.py": ("scripts/train_generator.py", "medsynth.generators.peers"),
        "scripts/anonymeter_risks.py": ("scripts/score_attacks.py",),
    }.items():
        before = code_hash(*arguments)
        touch(root, program)
        assert code_hash(*arguments) != before, program
