"""The library as one uses it from Python: without files of the workflow, and without naming modules."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest
import torch

import medsynth
from medsynth import CART, CTGAN, External, GaussianCopula, MedVAE, MedVAEPlus
from medsynth.errors import InputError
from medsynth.generators import CLASSES
from medsynth.generators.storage import CARD
from tests.conftest import ROOT, ward

# Each class with settings under which it learns in a moment.
QUICK = {
    "CART": {"min_leaf": 30},
    "CTGAN": {"batch_size": 100, "generator_dim": [32, 32]},
    "DPMedVAEPlus": {"steps": 20},
    "EncodedCTGAN": {"batch_size": 100},
    "EncodedTVAE": {"batch_size": 100},
    "Forest": {"trees": 2},
    "GaussianCopula": {"default_distribution": "norm"},
    "MedVAE": {"latent": 4, "hidden": [16]},
    "MedVAEPlus": {"width": 32, "epochs": 1, "least_steps": 5},
    "Mixture": {"least_rows": 1, "shares": [0.5], "trees": 2, "network": {"width": 32, "epochs": 1, "least_steps": 5}},
    "PrivateColumns": {"epsilon": 2.0, "seeded_noise": True},
    "TVAE": {"batch_size": 100},
}
# MST and the peers work in environments of their own: test_private_rivals.py, test_peers.py; External reads a file.
ELSEWHERE = {"ARF", "MST", "Synthpop", "TabularARGN", "External"}
GUARANTEED = ["DPMedVAEPlus", "PrivateColumns"]
MADE = {name: getattr(medsynth, name)(**settings) for name, settings in QUICK.items()}


def fitted(name, partitions):
    train, _, codebook = partitions
    generator = getattr(medsynth, name)(**QUICK[name])
    return generator.fit(train, codebook, seed=1, **({"epochs": 1} if generator.has_epochs else {}))


@pytest.fixture
def table(partitions):
    """Complete rows as a plain table: text, whole and other numbers."""
    train = partitions[0]
    coded = train.select_dtypes("category").columns
    return train.astype(dict.fromkeys(coded, object))


def test_importing_the_package_imports_nothing_heavy():
    heavy = "{'numpy', 'pandas', 'pydantic', 'sklearn', 'torch', 'sdv'}"
    code = f"import sys, medsynth; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["Codebook", "load", *CLASSES])
def test_the_package_has_what_people_look_for(name):
    assert name in dir(medsynth)
    assert getattr(medsynth, name).__name__ == name


def test_a_name_that_the_package_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match="MedVEA"):
        _ = medsynth.MedVEA


def test_every_class_is_tried_here():
    assert {*QUICK, *ELSEWHERE} == set(CLASSES)


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_fit_trains_and_returns_the_generator_itself(partitions, name):
    train, _, codebook = partitions
    generator = MADE[name]
    epochs = {"epochs": 1} if generator.has_epochs else {}
    assert generator.fit(train, codebook, seed=1, **epochs) is generator
    assert generator.epochs_ == (1 if generator.has_epochs else 0)
    assert len(generator.sample(5)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MADE if name not in GUARANTEED])
def test_fit_needs_no_codebook(table, name):
    generator = getattr(medsynth, name)(**QUICK[name])
    drawn = generator.fit(table, **({"epochs": 1} if generator.has_epochs else {})).sample(20)
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)
    assert drawn.notna().all().all()


@pytest.mark.parametrize("name", GUARANTEED)
def test_a_guarantee_needs_a_codebook(table, name):
    with pytest.raises(
        InputError, match=r"categories and ranges taken from the rows would break it; give 'fit' a codebook"
    ):
        getattr(medsynth, name)(epsilon=1.0).fit(table)


@pytest.mark.slow
def test_fit_is_the_checkpoint_of_its_epoch_count(partitions):
    train, _, codebook = partitions
    expected = [m.sample(50) for m in CTGAN(batch_size=100).fit_checkpoints(train, codebook, epochs=[1, 2], seed=1)]
    found = [CTGAN(batch_size=100).fit(train, codebook, epochs=n, seed=1).sample(50) for n in (1, 2)]
    for first, second in zip(expected, found, strict=True):
        pd.testing.assert_frame_equal(first, second)


def test_epochs_have_a_default(partitions, monkeypatch):
    train, _, codebook = partitions
    assert (CTGAN.default_epochs, MedVAE.default_epochs) == (300, 200)
    monkeypatch.setattr(MedVAE, "default_epochs", 3)
    assert MedVAE(**QUICK["MedVAE"]).fit(train, codebook).epochs_ == 3


@pytest.mark.parametrize("generator", [CART(), MedVAEPlus(), GaussianCopula()], ids=repr)
def test_epochs_of_a_generator_that_has_none_are_refused(partitions, generator):
    train, _, codebook = partitions
    with pytest.raises(InputError, match=r"'fit' sets no number of epochs"):
        generator.fit(train, codebook, epochs=5)


@pytest.mark.parametrize("name", MADE)
def test_a_generator_that_learned_nothing_says_so(name):
    with pytest.raises(InputError, match=rf"This {name} has learned no table yet; call 'fit' first"):
        getattr(medsynth, name)(**QUICK[name]).sample(5)


def test_the_sampling_seed_is_0_by_default(partitions):
    model = fitted("CART", partitions)
    pd.testing.assert_frame_equal(model.sample(50), model.sample(50, seed=0))
    assert not model.sample(50).equals(model.sample(50, seed=1))


# Loading


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_load_finds_the_class_settings_and_rows(partitions, name, tmp_path):
    model = fitted(name, partitions)
    model.save(tmp_path)
    loaded = medsynth.load(tmp_path)
    assert type(loaded) is type(model)
    assert repr(loaded) == repr(model)
    pd.testing.assert_frame_equal(loaded.sample(50, seed=3), model.sample(50, seed=3))


def test_load_reads_a_table_made_elsewhere(partitions, tmp_path):
    train, _, codebook = partitions
    train.to_csv(tmp_path / "table.csv", index=False)
    model = External(path=str(tmp_path / "table.csv")).fit(None, codebook)
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(medsynth.load(tmp_path / "model").sample(20), model.sample(20))


def test_load_reads_a_card_that_the_workflow_wrote(partitions, tmp_path):
    fitted("CART", partitions).save(tmp_path)
    card = json.loads((tmp_path / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**card, "class": "medsynth.generators.cart.CART"}))
    assert type(medsynth.load(tmp_path)) is CART


@pytest.mark.parametrize("written", ["intruder.CART", "intruder.Intruder", "Intruder"])
def test_load_imports_nothing_that_a_file_names(partitions, tmp_path, monkeypatch, written):
    fitted("CART", partitions).save(tmp_path)
    (tmp_path / "intruder.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / CARD).write_text(json.dumps({"class": written, "settings": {}}))
    with pytest.raises(
        InputError, match=rf"holds a model of the class '{written}' .* load it with the 'load' of that class"
    ):
        medsynth.load(tmp_path)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"\xff"])
def test_a_folder_without_a_readable_card_is_one_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / CARD).write_bytes(content)
    with pytest.raises(InputError, match=rf"holds no complete model: {CARD} is (missing|damaged)") as caught:
        medsynth.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_model_of_sdv_is_not_loaded_as_one_of_another_class(partitions, tmp_path):
    fitted("TVAE", partitions).save(tmp_path)
    with pytest.raises(InputError, match=rf"holds no complete CTGAN model \({CARD} is one of TVAE\)"):
        CTGAN.load(tmp_path)


def test_load_refuses_a_pickle_that_was_not_written_here_unless_it_is_trusted(partitions, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = fitted("GaussianCopula", partitions)
    model.save(tmp_path / "model")
    (tmp_path / ".medsynth_key").unlink()
    with pytest.raises(InputError, match="runs code"):
        medsynth.load(tmp_path / "model")
    loaded = medsynth.load(tmp_path / "model", trusted=True)
    pd.testing.assert_frame_equal(loaded.sample(20), model.sample(20))


# Settings


@pytest.mark.parametrize("name", MADE)
def test_settings_make_a_twin(name):
    generator = MADE[name]
    twin = type(generator)(**generator.get_params())
    assert twin.get_params() == generator.get_params()
    assert {**generator.get_params(), **QUICK[name]} == generator.get_params()


def test_settings_are_a_copy():
    generator = CTGAN()
    generator.get_params()["batch_size"] = 7
    assert generator.get_params()["batch_size"] == 500


@pytest.mark.parametrize("name", CLASSES)
def test_a_generator_shows_its_class_alone_at_its_defaults(name):
    if name == "External":
        assert repr(External(path="a.csv")) == "External(path='a.csv')"
    else:
        assert repr(getattr(medsynth, name)()) == f"{name}()"


def test_a_generator_shows_settings_that_are_not_at_their_defaults():
    assert repr(CTGAN(batch_size=200, pac=10, enable_gpu=False)) == "CTGAN(batch_size=200, enable_gpu=False)"
    assert repr(MedVAE(hidden=(88, 60), latent=8)) == "MedVAE(latent=8)"


# README


def test_the_lines_of_the_readme_make_a_synthetic_csv_of_a_csv(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Use from Python\n")[1]
    lines = re.search(r"```python\n(.*?)```", text, flags=re.DOTALL)[1]
    assert len(lines.splitlines()) == 10
    patients = ward(300).replace("?", "")
    patients.to_csv(tmp_path / "patients.csv", index=False)
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    exec(compile(lines, "README.md", "exec"), {})
    torch.set_num_threads(threads)
    made, given = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("synthetic", "patients"))
    assert len(made) == 1000
    assert made.notna().all().all()
    pd.testing.assert_series_equal(made.dtypes, given.dropna().dtypes)
    assert set(made["stage"]) <= set(given["stage"].dropna())
