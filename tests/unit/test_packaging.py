"""What a user installs: declared dependencies, the lock, and the wheel."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

import lazy_loader
import packaging
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# Installed into the project's own environments (.environments/<name>), which may hold what the others cannot.
ENVIRONMENTS = ("anonymeter", "arfpy", "dpmm", "mostlyai", "synthyverse")


def read_requirements(file):
    """Names and specifiers of a requirements file."""
    lines = (ROOT / file).read_text().splitlines()
    parsed = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in parsed}


def declared():
    """Names and specifiers of what pyproject.toml requires, extras included."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    requirements = [Requirement(line) for lines in lists for line in lines]
    return {canonicalize_name(r.name): r.specifier for r in requirements if r.name != PROJECT["name"]}


def imported(folder):
    """Packages that the modules of a folder import, also inside functions: top-level name -> a module that does."""
    own = {path.stem for name in ("scripts", "workflow", "benchmarks") for path in (ROOT / name).glob("*.py")}
    own |= {"medsynth", "tests", *ENVIRONMENTS}
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            tops = {name.partition(".")[0] for name in names}
            found |= {name: str(path.relative_to(ROOT)) for name in tops - sys.stdlib_module_names - own}
    return found


@cache
def distributions():
    """Top-level name of each installed package -> the distributions that give it."""
    return metadata.packages_distributions()


def undeclared(folder, names):
    """Imports of a folder that none of the named distributions gives."""
    return {
        package: module
        for package, module in imported(folder).items()
        if not {canonicalize_name(name) for name in distributions().get(package, ())} & set(names)
    }


def test_the_library_imports_only_what_it_declares():
    assert undeclared("medsynth", declared()) == {}


@pytest.mark.parametrize("folder", ["scripts", "workflow", "tests"])
def test_the_workflow_imports_only_what_the_environment_names(folder):
    assert undeclared(folder, read_requirements("envs/requirements.in")) == {}


def test_the_lock_has_every_dependency_in_a_release_that_the_library_accepts():
    lock = {
        name: next(iter(specifier)).version for name, specifier in read_requirements("envs/requirements.txt").items()
    }
    refused = {name: str(specifier) for name, specifier in declared().items() if lock.get(name) not in specifier}
    assert refused == {}


def test_the_extra_all_has_every_other_extra():
    extras = PROJECT["optional-dependencies"]
    assert Requirement(extras["all"][0]).extras == set(extras) - {"all"}


def test_a_checkout_that_is_not_installed_has_a_version(tmp_path):
    # -S leaves out site-packages, and with them the installed distribution, but for what the package imports at once.
    for module in (lazy_loader, packaging):
        folder = Path(module.__file__).parent
        (tmp_path / folder.name).symlink_to(folder)
    code = f"import sys; sys.path.append({str(tmp_path)!r}); import medsynth; print(medsynth.__version__)"
    shown = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "0+unknown"


def build_wheel(source, folder):
    """Build a wheel of a source tree and install it into a folder."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-index"]
    wheels = folder / "wheels"
    subprocess.run([*pip, "wheel", *options, "--no-build-isolation", "--wheel-dir", wheels, source], check=True)
    (wheel,) = wheels.iterdir()
    subprocess.run([*pip, "install", *options, "--target", folder / "site", wheel], check=True)
    return folder / "site"


def run_installed(site, code, folder):
    """Run code in a Python that finds the installed package before the checkout; its printed lines."""
    environ = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder into which a wheel of the files as they are is installed, built as from an archive: without git."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "medsynth", source / "medsynth", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    return build_wheel(source, folder)


@pytest.mark.slow
def test_the_wheel_is_a_package_that_works_elsewhere(installed, tmp_path):
    code = (
        "import medsynth; from medsynth.cohorts import simulate\n"
        "print(medsynth.__file__); print(medsynth.__version__); print(len(simulate('covid_mexico', 50, seed=1)))"
    )
    file, version, rows = run_installed(installed, code, tmp_path)
    assert Path(file) == installed / "medsynth" / "__init__.py"
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools_scm"]["fallback_version"]
    assert rows == "50"


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_package(installed):
    kept = {path.relative_to(ROOT) for path in (ROOT / "medsynth").rglob("*") if path.is_file()}
    kept = {path for path in kept if "__pycache__" not in path.parts}
    there = {path.relative_to(installed) for path in (installed / "medsynth").rglob("*") if path.is_file()}
    there = {path for path in there if "__pycache__" not in path.parts}
    assert there == kept


@pytest.mark.slow
def test_the_wheel_says_whose_it_is_and_what_it_is(installed):
    (about,) = metadata.distributions(name="medsynth", path=[str(installed)])
    assert about.metadata["License-Expression"] == "MIT"
    assert about.metadata["Author"] == "The medsynth developers"
    assert about.metadata["Description-Content-Type"] == "text/markdown"


@pytest.mark.slow
def test_a_shallow_clone_without_tags_can_be_installed(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git clone")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", "--no-tags", ROOT.as_uri(), clone], check=True)
    site = build_wheel(clone, tmp_path)
    (version,) = run_installed(site, "import medsynth; print(medsynth.__version__)", tmp_path)
    assert re.match(r"\d+\.\d+", version)
