"""The configuration: what it resolves to, and the one sentence it says of what is wrong."""

import json
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
import yaml
from matplotlib.colors import to_rgb
from snakemake.cli import parse_size_in_bytes

from medsynth.errors import InputError
from medsynth.plan import loading
from medsynth.plan.asked import Asked, plain
from medsynth.plan.documentation import write
from medsynth.plan.loading import load_generators, load_runs
from medsynth.plan.runs import MOST_HASHED
from tests.conftest import ROOT, stand_ins

STUDIES = sorted(path.stem for path in (ROOT / "config/studies").glob("*.yaml"))


COHORT = {"name": "c", "title": "c", "group": "g", "where": {"sex": "female"}}
MODEL = {"outcome": {"name": "d", "column": "death", "positive": "yes"}, "predictors": ["age"]}


def config(**changes):
    """Default configuration with changes."""
    return {"studies": ["covid_gans"], "scale": "smoke", **changes}


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
def test_every_study_resolves_at_every_scale(tmp_path, study, scale):
    run = load_runs({"studies": [study], "scale": scale, "raw_dir": str(stand_ins(tmp_path))})[study]
    assert run.folder == f"results/{study}/{run.source}-{scale}"
    assert len(run.models) == len(run.scale.seeds) * sum(len(run.epochs_of(g)) for g in run.generators)


@pytest.mark.parametrize("study", STUDIES)
def test_generators_of_a_study_can_be_told_apart_in_figures(tmp_path, study):
    run = load_runs({"studies": [study], "scale": "smoke", "raw_dir": str(stand_ins(tmp_path))})[study]
    colours = {name: np.array(to_rgb(load_generators()[name].colour)) for name in run.study.generators}
    for one, other in combinations(colours, 2):
        assert np.linalg.norm(colours[one] - colours[other]) > 0.1, f"{one} and {other}"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sclae": "smoke"}, r"unknown key 'sclae'; did you mean 'scale'\?"),
        ({"scale": "smok"}, r"covid_gans.yaml has no scale 'smok'; did you mean 'smoke'\?"),
        ({"studies": ["covid_gan"]}, r"no study 'covid_gan' in config/studies; did you mean 'covid_gans'\?"),
        ({"generators": ["ctgam"]}, r"'generators' names the generator 'ctgam'.*did you mean 'ctgan'\?"),
        ({"source": "internet"}, r"'source' input should be 'simulated', 'file' or 'download' \(given: 'internet'\)"),
        ({"epochs": [0]}, r"'epochs' must be at least 1"),
        ({"seeds": [1, 1]}, r"'seeds' names a number twice"),
        ({"seeds": [-1]}, r"'seeds' must not be negative"),
        ({"rows": "alll"}, r"'rows' must be a positive number or 'all' \(given: 'alll'\)"),
        ({"rows": 0}, r"'rows' must be a positive number or 'all'"),
        ({"rows": "all"}, r"so a simulated cohort needs 'cohort_rows'"),
        (
            {"source": "file", "raw_dir": "/nowhere"},
            r"/nowhere/covid_mexico/Covid Data.zip does not exist: .*its licence is",
        ),
        ({"source": "download"}, r"cannot be downloaded by the workflow; .*source=file"),
        ({"studies": ["support2"], "source": "simulated"}, r"no simulated cohort of 'support2'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        load_runs(config(**changes))


def test_a_scale_leaves_out_what_takes_too_long_unless_it_is_asked_for():
    def generators(**changes):
        return list(load_runs({"studies": ["mimic_tvae"], **changes})["mimic_tvae"].generators)

    assert "ctgan" not in generators(scale="laptop") and "ctgan" in generators(scale="paper")
    assert generators(scale="laptop", generators=["ctgan"]) == ["ctgan"]


def test_a_study_like_another_has_its_keys_but_for_its_own():
    run = load_runs({"studies": ["med_vae_imputation"], "scale": "smoke"})["med_vae_imputation"]
    assert run.study.cohorts == [] and run.study.dataset == "support2"


def test_seeds_learn_from_a_studys_imputations_in_turn():
    run = load_runs({"studies": ["support2"], "scale": "paper"})["support2"]
    assert run.scale.seeds == [1, 2, 3, 4] and run.learned_from("cart") == [1, 2, 3, 1]
    trains = [run.training("cart", run.imputation_of("cart", seed))["train"] for seed in run.scale.seeds]
    data = f"{run.folder}/data"
    further = [f"{data}/imputations/2.parquet", f"{data}/imputations/3.parquet"]
    assert trains == [f"{data}/train.parquet", *further, f"{data}/train.parquet"]


def test_seeds_are_trained_together_where_they_learn_from_the_same_rows(tmp_path):
    run = load_runs(config(generators=["med_vae", "cart"]))["covid_gans"]
    assert (run.together("med_vae"), run.together("cart")) == ([1, 2], [])
    assert f"{run.folder}/benchmarks/train_together/med_vae.tsv" in run.benchmarks
    # Not of several imputations, with a seed alone, or when it was killed before.
    imputed = load_runs({"studies": ["support2"], "scale": "paper", "generators": ["med_vae", "med_vae_median"]})
    assert imputed["support2"].together("med_vae") == []
    assert imputed["support2"].together("med_vae_median") == [1, 2, 3, 4]
    assert load_runs(config(generators=["med_vae"], seeds=[1]))["covid_gans"].together("med_vae") == []
    run.failed["train_together/med_vae"] = "killed"
    assert run.together("med_vae") == []


def test_a_generator_that_imputes_its_own_way_has_one_table():
    run = load_runs({"studies": ["support2"], "scale": "laptop", "generators": ["med_vae", "med_vae_median"]})[
        "support2"
    ]
    assert run.learned_from("med_vae") == [1, 2, 3] and run.learned_from("med_vae_median") == [1, 1, 1]


def test_a_generator_with_an_imputation_of_its_own_has_training_rows_of_its_own():
    run = load_runs({"studies": ["med_vae_imputation"], "scale": "smoke"})["med_vae_imputation"]
    assert run.training("med_vae")["train"].endswith("data/train.parquet")
    assert run.training("med_vae_median")["train"].endswith("data/imputed/med_vae_median/train.parquet")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset": "covid_mexiko"}, r"names the dataset 'covid_mexiko'.*did you mean 'covid_mexico'\?"),
        ({"generators": ["tvea"]}, r"names the generator 'tvea'.*did you mean 'tvae'\?"),
        ({"targets": [{"name": "d", "column": "deth"}]}, r"no column 'deth'; did you mean 'death'\?"),
        ({"targets": [{"name": "d", "column": "death"}] * 2}, r"'targets' names 'd' twice"),
        ({"targets": [{"name": "d", "column": "death", "at_least": 1}]}, r"'at_least' needs a numeric column"),
        ({"targets": [{"name": "d", "column": "date_died"}]}, r"column 'date_died' is not in the clean table"),
        ({"imputation": {"method": "mice"}}, r"'imputation.method' input should be 'forest'"),
        ({"imputation": {"method": "category", "tables": 2}}, r"'tables' above 1 is for methods that draw values"),
        ({"imputation": {"metod": "forest"}}, r"unknown key 'metod' in 'imputation'; did you mean 'method'\?"),
        ({"name": "other"}, r"'name' is 'other' and must be 'mine'"),
        ({"like": "covid"}, r"'like' names the study 'covid'; known: mine"),
        ({"attacks": ["crat"]}, r"'attacks' names the generator 'crat'; did you mean 'cart'\?"),
        ({"sensitive": ["deth"]}, r"'sensitive' names the column 'deth'; did you mean 'death'\?"),
        ({"export": {"generator": "tvea"}}, r"'export' names the generator 'tvea'; did you mean 'tvae'\?"),
        ({"export": {"generator": "tvae", "file": "../a.csv"}}, r"'export.file' string should match pattern"),
        (
            {"export": {"generator": "tvae", "rows": 0}},
            r"'export.rows' input should be greater than or equal",
        ),
        (
            {"inference": {**MODEL, "coverage": ["crat"]}},
            r"'inference.coverage' names the generator 'crat'; did you mean 'cart'\?",
        ),
        (
            {"inference": {**MODEL, "proper": ["crat"]}},
            r"'inference.proper' names the generator 'crat'; did you mean 'cart'\?",
        ),
        ({"inference": {**MODEL, "predictors": ["agee"]}}, r"no column 'agee'; did you mean 'age'\?"),
        ({"subgroups": [{"column": "age"}]}, r"'subgroups': column 'age' is numeric and needs 'bands'"),
        ({"subgroups": [{"column": "sex"}] * 2}, r"'subgroups' names 'sex' twice"),
        ({"importance": ["deth"]}, r"'importance' names the target 'deth'; did you mean 'death'\?"),
        (
            {"cohorts": [COHORT | {"where": {"sexx": "female"}}]},
            r"cohort 'c': .*no column 'sexx'; did you mean 'sex'\?",
        ),
        ({"cohorts": [COHORT | {"where": {"sex": "femal"}}]}, r"cohort 'c': .*no category 'femal'.*mean 'female'\?"),
        ({"cohorts": [COHORT] * 2}, r"'cohorts' names 'c' twice"),
        (
            {"scales": {"../../up": {"rows": 9, "epochs": [1], "seeds": [1]}}},
            r"'scales.../../up.\[key\]' string should",
        ),
    ],
)
def test_a_wrong_study_file_is_named_with_the_place(tmp_path, monkeypatch, changes, sentence):
    content = yaml.safe_load((ROOT / "config/studies/covid_gans.yaml").read_text()) | {"name": "mine"} | changes
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies/mine.yaml").write_text(yaml.safe_dump(content))
    for folder in ("datasets", "generators"):
        (tmp_path / folder).symlink_to(ROOT / "config" / folder)
    monkeypatch.setattr(loading, "CONFIG", tmp_path)
    with pytest.raises(InputError, match=rf"mine.yaml.*{sentence}"):
        load_runs(config(studies=["mine"]))


@pytest.mark.parametrize("name", ["med_vae_private_8", "private_columns", "mst"])
def test_an_export_of_seeded_noise_is_refused_before_anything_is_trained(tmp_path, monkeypatch, name):
    content = yaml.safe_load((ROOT / "config/studies/covid_gans.yaml").read_text())
    content |= {"name": "mine", "generators": [name, "med_vae_private_1_publishable"], "published": None}
    (tmp_path / "studies").mkdir()
    for folder in ("datasets", "generators"):
        (tmp_path / folder).symlink_to(ROOT / "config" / folder)
    monkeypatch.setattr(loading, "CONFIG", tmp_path)

    def load(generator):
        study = content | {"export": {"generator": generator}}
        (tmp_path / "studies/mine.yaml").write_text(yaml.safe_dump(study))
        return load_runs(config(studies=["mine"]))["mine"]

    with pytest.raises(InputError, match=rf"mine.yaml: 'export': The generator '{name}' has a guarantee with"):
        load(name)
    run = load("med_vae_private_1_publishable")
    assert run.export and run.seeded == [name]


def test_every_table_says_whose_noise_is_seeded():
    both = config(studies=["covid_gans"], generators=["cart", "med_vae_private", "med_vae_private_1_publishable"])
    assert "seed" not in load_runs(both)["covid_gans"].note
    some = both | {"generators": [*both["generators"], "mst_2"]}
    said = "comes from the seed (for comparison, not for publishing)"
    assert f"noise behind MST, ε = 2 {said}" in load_runs(some)["covid_gans"].note
    every = both | {"generators": ["cart", "mst_2", "private_columns"]}
    assert f"noise behind any ε {said}" in load_runs(every)["covid_gans"].note


def test_the_setting_that_seeded_noise_was_before_is_named_with_what_it_is_now(tmp_path):
    content = yaml.safe_load((ROOT / "config/generators/med_vae_private.yaml").read_text())
    content["settings"]["secure_noise"] = content["settings"].pop("seeded_noise")
    (tmp_path / "med_vae_private.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"unknown setting 'secure_noise'; did you mean 'seeded_noise'\?"):
        load_generators(tmp_path)


def test_an_export_is_made_in_runs_with_its_generator_alone():
    both = {"studies": ["mimic_tvae"], "scale": "smoke"}
    assert load_runs(both | {"generators": ["cart"]})["mimic_tvae"].export is None
    made = load_runs(both)["mimic_tvae"]
    assert made.export.file_name == "synthetic_admissions.csv"
    assert "results/mimic_tvae/simulated-smoke/export" in made.files


def test_words_of_the_command_line_are_understood():
    run = load_runs(config(studies="covid_gans", epochs=["1", "2"], seeds="3", rows=300))["covid_gans"]
    assert (run.scale.epochs, run.scale.seeds, run.cohort_rows) == ([1, 2], [3], 300)


def test_a_variant_is_an_entry_of_its_own(tmp_path):
    entry = yaml.safe_load((ROOT / "config/generators/tvae.yaml").read_text())
    entry["variants"] = {"tvae_wide": {"title": "TVAE, wide", "colour": "#000000", "settings": {"embedding_dim": 256}}}
    (tmp_path / "tvae.yaml").write_text(yaml.safe_dump(entry))
    catalogue = load_generators(tmp_path)
    assert catalogue["tvae_wide"].settings == entry["settings"] | {"embedding_dim": 256}
    assert catalogue["tvae"].settings == entry["settings"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"settings": {"embeding_dim": 8}},
            r"'tvae' has the unknown setting 'embeding_dim'; did you mean 'embedding_dim'",
        ),
        ({"class": "medsynth.generators.sdv.TVEA"}, r"class 'medsynth.generators.sdv.TVEA' cannot be imported"),
        ({"variants": {"TVAE-wide": {}}}, r"tvae.yaml: 'variants.TVAE-wide"),
    ],
)
def test_a_wrong_generator_file_is_named(tmp_path, changes, sentence):
    entry = yaml.safe_load((ROOT / "config/generators/tvae.yaml").read_text()) | changes
    (tmp_path / "tvae.yaml").write_text(yaml.safe_dump(entry))
    with pytest.raises(InputError, match=sentence):
        load_generators(tmp_path)


def test_a_variant_cannot_take_the_name_of_a_generator(tmp_path):
    for name in ("ctgan", "tvae"):
        entry = yaml.safe_load((ROOT / f"config/generators/{name}.yaml").read_text())
        if name == "tvae":
            entry["variants"] = {"ctgan": {"title": "t", "colour": "#000000", "settings": {}}}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(entry))
    with pytest.raises(InputError, match="another generator or variant called 'ctgan'"):
        load_generators(tmp_path)


def test_a_generator_cannot_take_the_name_of_a_reference_row(tmp_path):
    entry = yaml.safe_load((ROOT / "config/generators/tvae.yaml").read_text()) | {"name": "real"}
    (tmp_path / "real.yaml").write_text(yaml.safe_dump(entry))
    with pytest.raises(InputError, match="'real' is the name of a reference row"):
        load_generators(tmp_path)


def test_schemas_and_documentation_are_in_step_with_the_models():
    for path, text in write().items():
        assert path.read_text() == text, f"{path.name}: run 'make schemas'"


def test_the_schemas_refuse_unknown_keys():
    for path in (ROOT / "workflow/schemas").glob("*.json"):
        assert json.loads(path.read_text())["additionalProperties"] is False


def test_reading_the_configuration_imports_no_heavy_library():
    """Every job reads it; few need torch, SDV or SDMetrics."""
    read = "from medsynth.plan.loading import load_runs; "
    read += "load_runs({'studies': ['covid_gans'], 'scale': 'smoke'})['covid_gans'].scored"
    heavy = "{'torch', 'sdv', 'sdmetrics', 'sklearn', 'xgboost'}"
    code = f"import sys; sys.path.insert(0, '.'); {read}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["private_columns", "mst"])
def test_a_private_generator_without_ranges_is_refused_before_anything_is_trained(tmp_path, monkeypatch, name):
    # The rows' own range would tell of the most extreme patients.
    (tmp_path / "config" / "studies").mkdir(parents=True)
    (tmp_path / "config" / "datasets").mkdir()
    codebook = yaml.safe_load((ROOT / "config/datasets/support2.yaml").read_text(encoding="utf-8"))
    del codebook["columns"]["age"]["range"]
    (tmp_path / "config/datasets/support2.yaml").write_text(yaml.safe_dump(codebook, sort_keys=False))
    study = {"name": "mine", "title": "Mine", "like": "support2", "generators": ["cart", name]}
    (tmp_path / "config/studies/mine.yaml").write_text(yaml.safe_dump(study))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"the private generator '{name}' needs a 'range' of 'age'"):
        load_runs({"studies": ["mine"], "scale": "smoke"})


def listed(value):
    """Tuples as lists, at any depth."""
    if isinstance(value, dict):
        return {key: listed(inner) for key, inner in value.items()}
    return [listed(inner) for inner in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("study", STUDIES)
def test_facts_survive_their_file(tmp_path, study):
    # Tables and figures read them back from JSON, which knows no number as a key.
    runs = load_runs(config(studies=[study], raw_dir=str(stand_ins(tmp_path))))
    facts = plain(Asked(runs[study], {}).facts)
    assert json.loads(json.dumps(facts)) == listed(facts)


@pytest.mark.parametrize("profile", ["default", "slurm"])
def test_snakemake_compares_files_as_large_as_those_whose_checksum_is_a_reason_to_run_again(profile):
    keys = yaml.safe_load((ROOT / f"profiles/{profile}/config.yaml").read_text(encoding="utf-8"))
    assert parse_size_in_bytes(keys["max-checksum-file-size"]) == MOST_HASHED


def test_a_raw_file_that_cannot_be_read_is_left_to_the_job_that_says_so(tmp_path):
    path = tmp_path / "covid_mexico/Covid Data.zip"
    path.parent.mkdir()
    path.touch()
    run = load_runs(config(source="file", raw_dir=str(tmp_path)))["covid_gans"]
    path.unlink()
    # Root may read any file, but nobody reads a folder as one.
    path.mkdir()
    assert run.raw_stamps == [int(path.stat().st_mtime)]
