"""Every study at every scale has a complete plan; what is wrong is said before anything runs."""

import re

import pytest
import yaml

from tests.conftest import ROOT, stand_ins

STUDIES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_every_study_has_a_plan_at_every_scale(project, scale):
    stand_ins(project.folder / "resources/raw")
    done = project.snakemake("--dry-run", studies=f"[{','.join(STUDIES)}]", scale=scale)
    assert done.returncode == 0, done.stdout
    for study in STUDIES:
        assert re.search(rf"train \w+, seed 1 \({study}\)", done.stdout)


def test_an_environment_is_made_once_and_for_generators_that_need_it_alone(project):
    study = {"studies": "covid_gans", "scale": "smoke"}
    done = project.snakemake("--dry-run", **study, generators="[mst,mst_2,private_columns]")
    assert done.stdout.count("make the environment dpmm") == 1
    done = project.snakemake("--dry-run", **study, generators="private_columns")
    assert done.returncode == 0 and "make the environment" not in done.stdout


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"scael": "smoke"}, "unknown key 'scael'; did you mean 'scale'?"),
        ({"studies": "covid_gaans"}, "There is no study 'covid_gaans' in config/studies; did you mean 'covid_gans'?"),
        ({"source": "file"}, "The raw file resources/raw/covid_mexico/Covid Data.zip does not exist: download it"),
    ],
)
def test_a_mistake_is_one_sentence_without_a_traceback(project, config, sentence):
    done = project.snakemake("--dry-run", **config)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout


def test_the_linter_is_content(project):
    done = project.snakemake("--lint")
    assert done.returncode == 0, done.stdout


def test_the_slurm_profile_groups_rules_that_exist(project):
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    rules = project.snakemake("--list-rules").stdout.split()
    assert set(profile["groups"]) <= set(rules)
    assert set(profile["group-components"]) <= set(profile["groups"].values())
