"""What every generator promises, shown on each one."""

import inspect
import logging
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from medsynth import generators
from medsynth.codebook import Column
from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators import CART, MedVAE, MedVAEPlus, generator_class, med_vae_plus, protocol
from medsynth.generators.protocol import Progress
from medsynth.generators.storage import CARD, FILE, FORMAT
from medsynth.generators.streaming import write_parts
from medsynth.plan.loading import load_generators
from medsynth.preparation.checks import check_clean

# Nearly every test trains a generator.
pytestmark = pytest.mark.slow

# Private variants differ in noise alone, whose amount takes seconds to compute: test_med_vae_private.py; MST and the
# peers work in environments of their own: test_private_rivals.py, test_peers.py.
ELSEWHERE = ("med_vae_private_", "private_columns_", "mst", "tabular_argn", "synthpop", "arf")
ENTRIES = {name: entry for name, entry in load_generators().items() if not name.startswith(ELSEWHERE)}
CLASSES = {name: generator_class(entry.class_path) for name, entry in ENTRIES.items()}
EPOCH_NAMES = [name for name in ENTRIES if CLASSES[name].has_epochs]
CONDITIONAL_NAMES = [name for name in ENTRIES if CLASSES[name].meets_conditions]
SDV_NAMES = [name for name, entry in ENTRIES.items() if entry.class_path.startswith("medsynth.generators.sdv.")]
EXACT_NAMES = ["cart", "med_vae_plus", "med_vae_private"]
# Med-VAE plus decides itself how long it trains: shorter here.
QUICK = {name: {"width": 96, "epochs": 2, "least_steps": 40} for name in ENTRIES if name.startswith("med_vae_plus")}
QUICK["med_vae_private"] = {"steps": 20}
# Those whose networks and trees are this project's own.
OWN = [CART(), MedVAE(), MedVAE(kl_gradient=False, numeric_output="sigmoid", winsorise=0.99), MedVAEPlus()]


@pytest.fixture(autouse=True)
def table_made_elsewhere(request, tmp_path_factory, monkeypatch):
    """What the generator `external` reads: the training rows, as a csv."""
    if "partitions" in request.fixturenames:
        path = tmp_path_factory.mktemp("elsewhere") / "table.csv"
        request.getfixturevalue("partitions")[0].to_csv(path, index=False)
        monkeypatch.setitem(QUICK, "external", {"path": str(path)})


def make(name, **settings):
    """Make a generator as its YAML says."""
    return CLASSES[name](**{**ENTRIES[name].settings, **QUICK.get(name, {}), **settings})


def fit(name, table, codebook, *, epochs=(2,), seed=1):
    """Fit and return the models by epoch count, each with 50 rows sampled while it was current."""
    models = make(name).fit_checkpoints(table, codebook, epochs=epochs, seed=seed)
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
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[2], seed=1))
    assert not model.sample(50, seed=1).equals(model.sample(50, seed=2))


@pytest.mark.parametrize("name", EPOCH_NAMES)
def test_another_training_seed_gives_another_model(partitions, name):
    train, _, codebook = partitions
    assert not fit(name, train, codebook, seed=1)[2].equals(fit(name, train, codebook, seed=2)[2])


@pytest.mark.parametrize("name", [name for name, kind in CLASSES.items() if not kind.fits_at_random])
def test_a_fit_that_is_not_random_gives_the_same_model_whatever_the_seed(partitions, name):
    train, _, codebook = partitions
    pd.testing.assert_frame_equal(*(fit(name, train, codebook, seed=seed)[0] for seed in (1, 2)))


@pytest.mark.parametrize("name", EPOCH_NAMES)
def test_one_run_passes_through_the_models_of_separate_runs(partitions, name):
    train, _, codebook = partitions
    together = fit(name, train, codebook, epochs=[1, 3])
    assert not together[1].equals(together[3])
    for epochs, rows in together.items():
        pd.testing.assert_frame_equal(rows, fit(name, train, codebook, epochs=[epochs])[epochs])


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in EPOCH_NAMES])
def test_a_generator_without_epochs_has_epoch_count_0(partitions, name):
    train, _, codebook = partitions
    assert list(fit(name, train, codebook, epochs=[1, 3])) == [0]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_saved_model_draws_what_it_drew(partitions, name, tmp_path):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[1], seed=1))
    rows = model.sample(50, seed=3)
    model.save(tmp_path / "model")
    loaded = CLASSES[name].load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.sample(50, seed=3), rows)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_truncated_model_is_a_clear_error(partitions, name, tmp_path):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[1], seed=1))
    model.save(tmp_path)
    for file in (path for path in tmp_path.rglob("*") if path.is_file()):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"holds no complete .* model"):
        CLASSES[name].load(tmp_path)


@pytest.mark.parametrize("name", ENTRIES)
def test_fewer_rows_than_a_batch_and_a_constant_column_are_handled(partitions, name):
    train, _, codebook = partitions
    small = train.head(40).assign(crp=5.0)
    rows = fit(name, small, codebook, epochs=[1])
    assert all(len(drawn) == 50 for drawn in rows.values())


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in CONDITIONAL_NAMES])
def test_conditions_are_refused_by_generators_that_cannot_meet_them(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[1], seed=1))
    with pytest.raises(InputError, match="cannot meet conditions"):
        model.sample(5, seed=1, conditions={"sex": "female"})


@pytest.mark.parametrize("name", CONDITIONAL_NAMES)
def test_rows_are_drawn_under_conditions_by_generators_that_can_meet_them(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[2], seed=1))
    rows = model.sample(50, seed=1, conditions={"sex": "female"})
    assert len(rows) == 50
    check_clean(rows, codebook, what=name)


@pytest.mark.parametrize("name", EXACT_NAMES)
def test_every_row_meets_the_condition_where_columns_are_drawn_one_by_one(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[2], seed=1))
    assert (model.sample(500, seed=1, conditions={"sex": "female"})["sex"] == "female").all()


@pytest.mark.parametrize("name", CONDITIONAL_NAMES)
def test_a_condition_that_the_codebook_does_not_know_is_refused(partitions, name):
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[1], seed=1))
    with pytest.raises(InputError, match=r"no category 'femal', .* did you mean 'female'"):
        model.sample(5, seed=1, conditions={"sex": "femal"})


@pytest.mark.parametrize("name", SDV_NAMES)
def test_the_settings_are_sdvs_factory_settings(name):
    from sdv import single_table

    generator = CLASSES[name]
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


@pytest.mark.parametrize("name", generators.CLASSES)
def test_every_class_can_be_imported_from_the_package(name):
    assert getattr(generators, name).__name__ == name


def test_a_class_that_the_package_lacks_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"medsynth\.generators attribute MedVEA"):
        _ = generators.MedVEA


# Tables that need care


def described(codebook, table, **columns):
    """Give a table a codebook of its own."""
    made = codebook.model_copy(update={"columns": columns})
    return made.conform(table), made.resolved(made.conform(table))


def peculiar(codebook, rows):
    """Heavy tails, a spike at zero, a constant, two values, one category, 2,000 categories."""
    rng = np.random.default_rng(0)
    categories = [f"drug {i}" for i in range(2000)]
    table = pd.DataFrame(
        {
            "cost": rng.lognormal(3, 2, rows),
            "dose": np.where(rng.random(rows) < 0.6, 0, rng.gamma(2, 3, rows)),
            "constant": np.full(rows, 7),
            "two": rng.choice([1.5, 90.0], rows),
            "country": ["here"] * rows,
            "drug": rng.choice(categories, rows),
            "sex": rng.choice(["female", "male"], rows),
        }
    )
    return described(
        codebook,
        table,
        cost=Column(type="continuous"),
        dose=Column(type="continuous"),
        constant=Column(type="integer"),
        two=Column(type="continuous"),
        country=Column(type="categorical", categories=["here"]),
        drug=Column(type="categorical", categories=categories),
        sex=Column(type="binary", categories=["female", "male"]),
    )


def briefly(generator):
    """The same generator, trained for a moment."""
    if isinstance(generator, MedVAEPlus):
        generator = MedVAEPlus(width=64, epochs=1, least_steps=20)
    return generator


@pytest.mark.parametrize("generator", OWN, ids=lambda g: type(g).__name__)
@pytest.mark.parametrize("rows", [50, 500])
def test_peculiar_columns_are_learned_and_drawn(codebook, generator, rows):
    table, codebook = peculiar(codebook, rows)
    drawn = next(briefly(generator).fit_checkpoints(table, codebook, epochs=[1], seed=1)).sample(200, seed=1)
    check_clean(drawn, codebook, what=type(generator).__name__)
    assert (drawn["constant"] == 7).all() and (drawn["country"] == "here").all()


@pytest.mark.parametrize("generator", OWN, ids=lambda g: type(g).__name__)
def test_peculiar_columns_survive_saving(codebook, generator, tmp_path):
    table, codebook = peculiar(codebook, 50)
    model = next(briefly(generator).fit_checkpoints(table, codebook, epochs=[1], seed=1))
    model.save(tmp_path)
    pd.testing.assert_frame_equal(type(model).load(tmp_path).sample(60, seed=2), model.sample(60, seed=2))


@pytest.mark.parametrize("generator", [CART(), MedVAEPlus()], ids=lambda g: type(g).__name__)
def test_conditions_on_peculiar_columns_are_met(codebook, generator):
    table, codebook = peculiar(codebook, 500)
    model = briefly(generator).fit(table, codebook, seed=1)
    often = table["drug"].value_counts().index[0]
    for wanted in (
        {"dose": "prescribed", "cost": (10, 1000)},
        {"dose": 0, "two": 90.0},
        {"constant": 7},
        {"drug": often},
    ):
        drawn = model.sample(50, seed=1, conditions=wanted)
        assert Conditions.parse(wanted, codebook).holds(drawn).all()


KINDS = {"numeric": ["age", "crp"], "binary": ["sex", "admitted"], "categorical": ["icu", "stage"], "one": ["sex"]}


@pytest.mark.parametrize("generator", OWN, ids=lambda g: type(g).__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_columns_of_one_kind_are_learned_and_drawn(partitions, generator, kind):
    train, _, codebook = partitions
    part = codebook.model_copy(update={"columns": {name: codebook.columns[name] for name in KINDS[kind]}})
    model = next(briefly(generator).fit_checkpoints(train[KINDS[kind]], part, epochs=[1], seed=1))
    check_clean(model.sample(50, seed=1), part, what=type(generator).__name__)


@pytest.mark.parametrize("generator", OWN, ids=lambda g: type(g).__name__)
def test_rows_need_not_be_numbered_from_zero(partitions, generator):
    train, _, codebook = partitions
    models = [
        next(briefly(generator).fit_checkpoints(table, codebook, epochs=[1], seed=1))
        for table in (train, train.set_index(np.arange(len(train)) + 1000))
    ]
    pd.testing.assert_frame_equal(*(model.sample(50, seed=1) for model in models))


# Models on disk


@pytest.fixture
def saved(partitions, tmp_path):
    """Folder of a saved CART model."""
    train, _, codebook = partitions
    CART().fit(train, codebook, seed=1).save(tmp_path)
    return tmp_path


def refusal(cls, folder):
    """What is said of a folder that holds no model of a class; it is one sentence."""
    with pytest.raises(InputError, match=rf"holds no complete {cls.__name__} model") as caught:
        cls.load(folder)
    said = str(caught.value)
    assert str(folder) in said and "\n" not in said
    return said


def test_an_absent_model_is_a_clear_error(tmp_path):
    assert "model.pt is missing; train it first" in refusal(MedVAE, tmp_path / "nowhere")


def test_a_model_of_another_class_is_a_clear_error(saved):
    assert "model.pt is one of CART" in refusal(MedVAEPlus, saved)


def test_a_model_of_another_format_is_a_clear_error(saved):
    content = torch.load(saved / FILE, weights_only=True)
    torch.save({**content, "format": 0}, saved / FILE)
    assert f"in format 0, but format {FORMAT} is needed" in refusal(CART, saved)


@pytest.mark.parametrize("content", [{"a": torch.ones(2)}, torch.ones(3), [1, 2]], ids=["dict", "tensor", "list"])
def test_a_file_that_torch_wrote_for_somebody_else_is_a_clear_error(tmp_path, content):
    torch.save(content, tmp_path / FILE)
    assert "not of medsynth's" in refusal(CART, tmp_path)


@pytest.mark.parametrize("content", [b"", b"age,sex\n1,2\n", bytes(range(256)), b"PK\x03\x04 no archive"])
def test_a_file_of_another_program_is_a_clear_error(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    assert "damaged or another program's" in refusal(CART, tmp_path)


class Intruder:
    """Runs code when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return exec, (f"open({str(self.path)!r}, 'w').close()",)


def pickled(content, path):
    """Write a bare pickle, of the protocol that torch expects."""
    path.write_bytes(pickle.dumps(content, protocol=2))


@pytest.mark.parametrize("write", [torch.save, pickled])
def test_code_in_a_model_file_is_not_executed(tmp_path, write):
    trace = tmp_path / "executed"
    write({"kind": "CART", "format": 1, "codebook": Intruder(trace)}, tmp_path / FILE)
    refusal(CART, tmp_path)
    assert not trace.exists()


def test_saving_again_replaces_the_model(saved, partitions):
    train, _, codebook = partitions
    model = CART(min_leaf=40).fit(train, codebook, seed=1)
    model.save(saved)
    assert CART.load(saved).min_leaf == 40
    assert sorted(path.name for path in saved.iterdir()) == sorted([FILE, CARD])


DIVERGING = {
    "ctgan": {"discriminator_lr": 1e30},
    "tvae": {"loss_factor": 1e38},
    "tvae_encoded": {"loss_factor": 1e38},
    "med_vae": {"learning_rate": 1e30},
    "med_vae_plus": {"learning_rate": 1e30},
}


@pytest.mark.parametrize("name", DIVERGING)
def test_training_that_diverges_is_an_error_that_says_when_and_what_to_try(partitions, name):
    train, _, codebook = partitions
    said = rf"training of {CLASSES[name].__name__} diverged in epoch \d+ of \d+: .*(NaN|is nan|is -?inf); try a smaller"
    with pytest.raises(InputError, match=said):
        list(make(name, **DIVERGING[name]).fit_checkpoints(train, codebook, epochs=[4], seed=1))


LEARNERS = {"med_vae": MedVAE, "med_vae_plus": MedVAEPlus, "cart": CART}


@pytest.mark.parametrize("name", LEARNERS)
def test_the_order_of_a_tables_categories_does_not_matter(partitions, name):
    train, _, codebook = partitions
    shuffled = train.assign(stage=pd.Categorical(train["stage"].astype(str), ["III", "I", "II"]))
    rows, again = (fit(name, table, codebook) for table in (train, shuffled))
    for epochs, drawn in rows.items():
        pd.testing.assert_frame_equal(again[epochs], drawn)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_table_with_missing_cells_is_refused_by_column(partitions, name):
    train, _, codebook = partitions
    gaps = train.assign(stage=train["stage"].where(train.index > 2))
    with pytest.raises(InputError, match=r"3 missing cells .* in 'stage'; impute them with"):
        fit(name, gaps, codebook)


def test_a_med_vae_of_no_epochs_is_refused(partitions):
    train, _, codebook = partitions
    with pytest.raises(InputError, match=r"at least 1 epoch \(given: \[0\]\)"):
        MedVAE().fit(train, codebook, epochs=0)


@pytest.mark.parametrize("name", ENTRIES)
def test_rows_drawn_in_parts_are_those_drawn_at_once(partitions, name, monkeypatch):
    """Whatever the size of the parts is, which are small here."""
    for module in (protocol, med_vae_plus):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 40)
    monkeypatch.setattr(protocol.sizes_of_parts, "__defaults__", (40,))
    train, _, codebook = partitions
    model = next(make(name).fit_checkpoints(train, codebook, epochs=[1], seed=1))
    parts = list(model.sample_in_parts(100, seed=3))
    whole = model.sample(100, seed=3)
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
    check_clean(whole, codebook, what=name)
    # Of a table made elsewhere no row depends on the model alone: it is handed out whole.
    assert max(map(len, parts)) <= (100 if name == "external" else 40)


def test_a_table_of_one_part_has_the_bytes_that_pandas_writes(partitions, tmp_path):
    train, _, _ = partitions
    train.to_parquet(tmp_path / "whole.parquet", index=False)
    assert write_parts([train], tmp_path / "one.parquet") == len(train)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert write_parts([train.head(30), train.iloc[30:]], tmp_path / "two.parquet") == len(train)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "two.parquet"), train)


def test_a_table_that_cannot_be_drawn_to_its_end_is_not_there(partitions, tmp_path):
    def parts():
        yield partitions[0]
        raise InputError("no more")

    with pytest.raises(InputError):
        write_parts(parts(), tmp_path / "table.parquet")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ENTRIES)
def test_epoch_counts_are_trained_in_the_runs_that_a_generator_says(partitions, name):
    """One run for all of them, but where the KL weight is annealed over a run."""
    runs = make(name).training_runs([3, 1])
    if not CLASSES[name].has_epochs:
        assert runs == [[0]]
    else:
        assert runs == ([[1], [3]] if getattr(make(name), "kl_gradient", False) else [[1, 3]])
