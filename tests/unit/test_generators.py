"""What every generator promises, shown on each one."""

import inspect
import logging

import numpy as np
import pandas as pd
import pytest
from runs import load_generators

from medsynth.errors import InputError
from medsynth.generators import generator_class
from medsynth.generators.protocol import Progress
from medsynth.preparation.checks import check_clean

ENTRIES = load_generators()
EPOCH_NAMES = [name for name, entry in ENTRIES.items() if generator_class(entry.class_path).has_epochs]


def make(name, **settings):
    """Make a generator as its YAML says."""
    entry = ENTRIES[name]
    return generator_class(entry.class_path)(**{**entry.settings, **settings})


def fit(name, table, codebook, *, epochs=(2,), seed=1):
    """Fit and return the models by epoch count, each with 50 rows drawn while it was current."""
    models = make(name).fit(table, codebook, epochs=epochs, seed=seed)
    return {model.epochs_: model.sample(50, seed=7) for model in models}


@pytest.mark.parametrize("name", ENTRIES)
def test_rows_fit_the_codebook(partitions, name):
    train, _, codebook = partitions
    for rows in fit(name, train, codebook).values():
        assert len(rows) == 50
        check_clean(rows, codebook, what=name)
        assert rows.dtypes.equals(train.dtypes)


@pytest.mark.parametrize("name", ENTRIES)
def test_same_seeds_give_identical_rows(partitions, name):
    train, _, codebook = partitions
    first, again = (fit(name, train, codebook) for _ in range(2))
    for epochs, rows in first.items():
        pd.testing.assert_frame_equal(rows, again[epochs])


@pytest.mark.parametrize("name", ENTRIES)
def test_another_sampling_seed_gives_other_rows(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit(train, codebook, epochs=[2], seed=1))
    assert not model.sample(50, seed=1).equals(model.sample(50, seed=2))


@pytest.mark.parametrize("name", EPOCH_NAMES)
def test_another_training_seed_gives_another_model(partitions, name):
    train, _, codebook = partitions
    assert not fit(name, train, codebook, seed=1)[2].equals(fit(name, train, codebook, seed=2)[2])


@pytest.mark.parametrize("name", EPOCH_NAMES)
def test_one_run_passes_through_the_models_of_separate_runs(partitions, name):
    train, _, codebook = partitions
    together = fit(name, train, codebook, epochs=[1, 3])
    assert not together[1].equals(together[3])
    for epochs, rows in together.items():
        pd.testing.assert_frame_equal(rows, fit(name, train, codebook, epochs=[epochs])[epochs])


@pytest.mark.parametrize("name", set(ENTRIES) - set(EPOCH_NAMES))
def test_a_generator_without_epochs_has_epoch_count_0(partitions, name):
    train, _, codebook = partitions
    assert list(fit(name, train, codebook, epochs=[1, 3])) == [0]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_saved_model_draws_what_it_drew(partitions, name, tmp_path):
    train, _, codebook = partitions
    model = next(make(name).fit(train, codebook, epochs=[1], seed=1))
    rows = model.sample(50, seed=3)
    model.save(tmp_path / "model")
    loaded = generator_class(ENTRIES[name].class_path).load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.sample(50, seed=3), rows)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_truncated_model_is_a_clear_error(partitions, name, tmp_path):
    train, _, codebook = partitions
    model = next(make(name).fit(train, codebook, epochs=[1], seed=1))
    model.save(tmp_path)
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"holds no complete .* model"):
        generator_class(ENTRIES[name].class_path).load(tmp_path)


@pytest.mark.parametrize("name", ENTRIES)
def test_fewer_rows_than_a_batch_and_a_constant_column_are_handled(partitions, name):
    train, _, codebook = partitions
    small = train.head(40).assign(crp=5.0)
    rows = fit(name, small, codebook, epochs=[1])
    assert all(len(drawn) == 50 for drawn in rows.values())


@pytest.mark.parametrize("name", ENTRIES)
def test_conditions_are_refused_by_generators_that_cannot_meet_them(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit(train, codebook, epochs=[1], seed=1))
    with pytest.raises(InputError, match="cannot meet conditions"):
        model.sample(5, seed=1, conditions={"sex": "female"})


@pytest.mark.parametrize("name", ENTRIES)
def test_the_settings_are_sdvs_factory_settings(name):
    from sdv import single_table

    generator = generator_class(ENTRIES[name].class_path)
    theirs = inspect.signature(getattr(single_table, generator.synthesizer)).parameters
    ours = {key: parameter.default for key, parameter in inspect.signature(generator).parameters.items()}
    written = {key: tuple(v) if isinstance(v, list) else v for key, v in ENTRIES[name].settings.items()}
    assert {**ours, **written} == {key: theirs[key].default for key in ours}


def test_the_hook_leaves_ctgan_as_it_was(partitions):
    from ctgan.synthesizers import tvae

    before = tvae.tqdm
    fit("tvae", *partitions[::2], epochs=[1])
    assert tvae.tqdm is before


def test_training_draws_nothing_from_the_numbers_of_its_caller(partitions):
    train, _, codebook = partitions
    np.random.seed(0)
    first = fit("tvae", train, codebook)[2]
    np.random.seed(1)
    pd.testing.assert_frame_equal(fit("tvae", train, codebook)[2], first)


def test_progress_says_epoch_loss_and_time_left(caplog):
    caplog.set_level(logging.INFO, logger="medsynth")
    progress = Progress(100)
    for epoch in range(1, 101):
        progress.epoch(epoch, {"Loss": 1.5})
    assert len(caplog.messages) == 20
    assert caplog.messages[-1].startswith("epoch 100 of 100, Loss 1.5, 0 s left")


def test_an_unknown_class_is_named():
    with pytest.raises(InputError, match=r"medsynth.generators.sdv.CTGANN"):
        generator_class("medsynth.generators.sdv.CTGANN")


def test_every_entry_names_its_licence_and_citation():
    for entry in ENTRIES.values():
        assert entry.licence and entry.citation, entry.name
