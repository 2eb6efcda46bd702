"""A pickle is believed only if it was written in this working directory."""

import pickle
import stat

import pytest

from medsynth.errors import InputError
from medsynth.generators import GaussianCopula
from medsynth.generators.signing import KEY, sign, signed_here
from tests.unit.test_generators import Intruder


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A file in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "models/synthesizer.pkl"
    path.parent.mkdir()
    path.write_bytes(b"a model")
    return path


def test_a_file_is_known_again_until_it_is_altered(model):
    assert not signed_here(model)
    sign(model)
    assert signed_here(model)
    model.write_bytes(b"A model")
    assert not signed_here(model)


def test_a_file_signed_in_another_working_directory_is_not_believed(model, tmp_path, monkeypatch):
    sign(model)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    assert not signed_here(model)


def test_the_key_is_its_owners_alone_and_is_made_once(model):
    sign(model)
    key = KEY.read_bytes()
    sign(model)
    assert KEY.read_bytes() == key and len(key) == 32
    assert stat.S_IMODE(KEY.stat().st_mode) == 0o600
    assert [path.name for path in KEY.resolve().parent.glob(f"{KEY.name}*")] == [KEY.name]


def test_code_in_somebody_elses_pickle_is_not_executed(model):
    trace = model.parent / "executed"
    model.write_bytes(pickle.dumps(Intruder(trace)))
    with pytest.raises(InputError, match=r"whose signature fits, and reading synthesizer.pkl runs code.* trusted=True"):
        GaussianCopula.load(model.parent)
    assert not trace.exists()


def test_a_model_made_elsewhere_is_read_if_it_is_said_to_be_trusted(partitions, model, tmp_path, monkeypatch):
    train, _, codebook = partitions
    fitted = GaussianCopula().fit(train, codebook, seed=1)
    fitted.save(model.parent)
    KEY.unlink()
    with pytest.raises(InputError, match="whose signature fits"):
        GaussianCopula.load(model.parent)
    loaded = GaussianCopula.load(model.parent, trusted=True)
    assert loaded.sample(20, seed=1).equals(fitted.sample(20, seed=1))
