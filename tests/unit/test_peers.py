"""Generators of other packages, fitted and sampled in environments of their own."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

from medsynth.errors import InputError
from medsynth.generators import ARF, Synthpop, TabularARGN
from medsynth.generators.environments import STAMP, interpreter, make_environment
from medsynth.generators.peers import FILES, Peer
from medsynth.preparation.checks import check_clean
from tests.conftest import ROOT

# Each with settings under which it learns in seconds.
PEERS = {"ARF": ARF(num_trees=3), "Synthpop": Synthpop(K=3), "TabularARGN": TabularARGN(max_epochs=40)}
# Environments with a torch of their own.
LARGE = ("mostlyai", "synthyverse")

# Draws training rows with replacement, adds a little to every number, and keeps the rows as it got them.
RESAMPLER = """
import pandas as pd

def fit(table, sizes, folder, seed, settings):
    if settings["fails"]:
        raise ValueError("no such setting")
    (folder / "deeper").mkdir()
    moved = {name: table[name] + 0.04 for name, size in sizes.items() if size < 0}
    table.assign(**moved).to_csv(folder / "deeper/rows.csv")

def sample(n, folder, seed):
    return pd.read_csv(folder / "deeper/rows.csv", index_col=0).sample(n, replace=True, random_state=seed)
"""


@pytest.fixture
def resampler(tmp_path, monkeypatch):
    """A peer whose environment is the Python that runs the tests."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".environments" / "resampling"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin/python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (folder / STAMP).write_text("# a peer\nresampling==1.2.3  # and no more\n")
    (tmp_path / "resampler.py").write_text(RESAMPLER)

    class Resampler(Peer):
        environment, package, program = "resampling", "resampling", tmp_path / "resampler.py"

        def __init__(self, *, fails=False):
            self.settings = {"fails": fails}

    return Resampler


@pytest.fixture
def environment(request, monkeypatch):
    """The environment of a peer, made once in the checkout."""
    monkeypatch.chdir(ROOT)
    name = PEERS[request.param].environment
    folder, lock = ROOT / ".environments" / name, ROOT / f"envs/{name}.txt"
    stamp = folder / STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock.read_text(encoding="utf-8"):
        if name in LARGE and "MEDSYNTH_PEERS" not in os.environ:
            pytest.skip(f"{folder} takes gigabytes and minutes; set MEDSYNTH_PEERS=1, or make it: snakemake {stamp}")
        try:
            make_environment(folder, lock)
        except InputError as error:
            pytest.skip(str(error))
    return PEERS[request.param]


def test_rows_come_back_in_the_columns_types_and_decimals_of_the_learned_table(resampler, partitions):
    train, _, codebook = partitions
    drawn = resampler().fit(train, codebook, seed=1).sample(500, seed=1)
    check_clean(drawn, codebook, what="resampler")
    assert drawn.dtypes.equals(train.dtypes)
    # Every row is a training row: no column was mixed up, and what was added to numbers is rounded away.
    assert set(drawn.itertuples(index=False, name=None)) <= set(train.itertuples(index=False, name=None))


@pytest.mark.slow
def test_the_seed_decides_what_a_peer_samples(resampler, partitions):
    train, _, codebook = partitions
    model = resampler().fit(train, codebook, seed=1)
    pd.testing.assert_frame_equal(model.sample(50, seed=1), model.sample(50, seed=1))
    assert not model.sample(50, seed=1).equals(model.sample(50, seed=2))


def test_a_peer_is_saved_and_loaded_with_the_packages_own_files(resampler, partitions, tmp_path):
    train, _, codebook = partitions
    model = resampler().fit(train, codebook, seed=1)
    model.save(tmp_path / "model")
    again = resampler.load(tmp_path / "model")
    pd.testing.assert_frame_equal(again.sample(50, seed=1), model.sample(50, seed=1))
    assert again.card()["package"] == "resampling 1.2.3"


def test_a_peer_made_elsewhere_is_read_only_if_it_is_trusted(resampler, partitions, tmp_path):
    train, _, codebook = partitions
    resampler().fit(train, codebook).save(tmp_path / "model")
    (tmp_path / ".medsynth_key").unlink()
    with pytest.raises(InputError, match=r"whose signature fits, and reading peer.zip runs code.* trusted=True"):
        resampler.load(tmp_path / "model")
    assert len(resampler.load(tmp_path / "model", trusted=True).sample(3)) == 3
    (tmp_path / "model" / FILES).unlink()
    with pytest.raises(InputError, match=r"peer.zip is missing"):
        resampler.load(tmp_path / "model", trusted=True)


def test_a_peer_refuses_conditions(resampler, partitions):
    train, _, codebook = partitions
    with pytest.raises(InputError, match="Resampler cannot meet conditions"):
        resampler().fit(train, codebook).sample(5, conditions={"sex": "female"})


def test_what_a_package_says_when_it_fails_is_shown(resampler, partitions):
    train, _, codebook = partitions
    with pytest.raises(RuntimeError, match=r"failed on peer_programs.py: (?s:.*)no such setting"):
        resampler(fails=True).fit(train, codebook)


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_without_its_environment_says_how_to_make_it(name, partitions, tmp_path, monkeypatch):
    train, _, codebook = partitions
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"\.environments/[a-z]+ is not there or not complete; make it: snakemake"):
        PEERS[name].fit(train, codebook)


@pytest.mark.slow
def test_a_package_of_a_lock_file_can_be_installed_without_what_it_asks_for(tmp_path):
    lock = tmp_path / "some.txt"
    # It asks for wrapt.
    lock.write_text("# a comment\nDeprecated==1.3.1  # --no-deps: for a test\n")
    try:
        make_environment(tmp_path / "some", lock)
    except InputError as error:
        pytest.skip(str(error))
    site = tmp_path / "some" / "lib"
    assert list(site.glob("*/site-packages/deprecated")) and not list(site.glob("*/site-packages/wrapt"))


@pytest.mark.slow
@pytest.mark.parametrize("environment", PEERS, indirect=True)
def test_a_peer_learns_and_its_seeds_decide(environment, partitions):
    train, _, codebook = partitions
    model = environment.fit(train, codebook, seed=1)
    first = model.sample(200, seed=1)
    check_clean(first, codebook, what="peer")
    pd.testing.assert_frame_equal(first, model.sample(200, seed=1))
    assert not first.equals(model.sample(200, seed=2))
    for name in ("sex", "admitted", "icu", "stage"):
        shares = (rows[name].value_counts(normalize=True) for rows in (train, first))
        assert np.subtract(*(share.sort_index() for share in shares)).abs().max() < 0.25
    # Who is not admitted is in no intensive care; columns drawn alone break it in half of the rows. A network would
    # need more than these 300 rows.
    if not isinstance(environment, TabularARGN):
        assert ((first["admitted"] == "no") != (first["icu"] == "not applicable")).mean() < 0.35
    assert interpreter(environment.environment).is_file()
