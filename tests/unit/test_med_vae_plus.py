"""Med-VAE plus: an autoregressive network, conditions met by every row, and a file that holds no record."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.nn import functional

from medsynth.conditions import Conditions
from medsynth.errors import InputError
from medsynth.generators import MedVAEPlus
from medsynth.generators.masked import AutoregressiveDecoder, MaskedLinear, PartialTable
from medsynth.generators.sequential import (
    LEAST_SPREAD,
    MOST_PARTIAL_ROWS_PER_ROW,
    draw_sequentially,
    effective_number,
    partial_rows_per_row,
)
from medsynth.generators.storage import FILE

# Nearly every test trains a generator.
pytestmark = pytest.mark.slow

SMALL = {"width": 96, "epochs": 4, "least_steps": 60}
SIZES = [3, 2, 5, 4]


def fit(train, codebook, **settings):
    """Fit a small network for a short time."""
    order = {name: settings.pop(name) for name in ("first", "last") if name in settings}
    return MedVAEPlus(**{**SMALL, **settings}).fit(train, codebook, seed=1, **order)


@pytest.fixture
def model(partitions):
    """Small model of the ward table."""
    return fit(partitions[0], partitions[2])


@pytest.fixture
def rare(partitions):
    """Ward table in which 20 of 300 rows, old patients, are of stage III."""
    train = partitions[0]
    oldest = train["age"].nlargest(60).index[::3]
    stage = np.where(train.index.isin(oldest), "III", np.where(np.arange(len(train)) % 2, "I", "II"))
    return partitions[2].conform(train.assign(stage=stage)), partitions[2]


def decoder(width=32, depth=3):
    """Untrained decoder of four columns, whose output depends visibly on everything that it may see."""
    torch.manual_seed(0)
    made = AutoregressiveDecoder(SIZES, 2, width=width, depth=depth, dropout=0.0)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.5)
    return made.eval()


def one_hot(codes, sizes):
    """Rows of codes as indicators side by side."""
    return torch.cat([functional.one_hot(codes[:, i], size) for i, size in enumerate(sizes)], 1).float()


def some_codes(rows, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randint(size, (rows,), generator=rng) for size in SIZES], 1)


# The loss


def gradient(model, value, network):
    """Gradient with respect to everything in one network."""
    parameters = list(model.network_[network].parameters())
    parts = torch.autograd.grad(value, parameters, retain_graph=True, allow_unused=True)
    return torch.cat([p.flatten() for p in parts if p is not None])


def test_the_kl_divergence_is_in_the_gradient_of_the_encoder(model, partitions):
    codes = torch.as_tensor(model.coder_.encode(partitions[0])[:, model._positions()])
    losses, _ = model._losses(codes)
    found = gradient(model, losses["loss"], "encoder") - gradient(model, losses["reconstruction"], "encoder")
    wanted = gradient(model, losses["kl"], "encoder")
    assert wanted.norm() > 0
    assert (found - wanted).norm() < 1e-3 * wanted.norm()


def test_the_loss_is_reconstruction_and_kl_divergence_in_nats(model):
    for record in model.card()["history"]:
        for kind in ("train", "validation"):
            parts = record[f"{kind}_reconstruction"] + record[f"{kind}_kl"]
            assert record[f"{kind}_loss"] == pytest.approx(parts, rel=1e-4)


def test_the_epoch_of_the_lowest_validation_loss_is_kept(model):
    card = model.card()
    losses = [record["validation_loss"] for record in card["history"]]
    assert card["best_epoch"] == 1 + int(np.argmin(losses))
    assert card["kl_nats"] == card["history"][card["best_epoch"] - 1]["validation_kl"]
    assert card["holds_training_records"] is False


def test_a_small_table_goes_through_more_epochs(partitions):
    # 285 rows are fitted: 2 batches an epoch.
    assert len(fit(partitions[0], partitions[2], least_steps=21).history_) == 11


def test_training_lowers_the_validation_loss(partitions):
    history = fit(partitions[0], partitions[2], least_steps=120).history_
    assert min(r["validation_loss"] for r in history) < history[0]["validation_loss"] - 1


def test_the_card_draws_both_networks(model):
    drawn = model.card()["architecture"]
    assert list(drawn) == ["Encoder (training alone)", "Decoder"]
    assert drawn["Decoder"][-1] == ["Softmax a column, in the visit sequence"]


# The network


@pytest.mark.parametrize("width", [3, 32])
@pytest.mark.parametrize("position", range(4))
def test_logits_of_a_column_ignore_itself_and_later_columns(width, position):
    network, z, codes = decoder(width), torch.randn(10, 2), some_codes(10)
    changed = codes.clone()
    changed[:, position:] = (changed[:, position:] + 1) % torch.tensor(SIZES[position:])
    before, after = (network(z, one_hot(c, SIZES)).split(SIZES, 1) for c in (codes, changed))
    for column in range(position + 1):
        assert torch.equal(before[column], after[column])


@pytest.mark.parametrize("position", range(3))
def test_logits_of_every_later_column_depend_on_an_earlier_one(position):
    network, z, codes = decoder(), torch.randn(10, 2), some_codes(10)
    changed = codes.clone()
    changed[:, position] = (changed[:, position] + 1) % SIZES[position]
    before, after = (network(z, one_hot(c, SIZES)).split(SIZES, 1) for c in (codes, changed))
    for column in range(position + 1, 4):
        assert ((before[column] - after[column]).abs().amax(1) > 1e-6).all()


def test_logits_of_every_column_depend_on_the_latent_vector():
    network, codes = decoder(), one_hot(some_codes(10), SIZES)
    before, after = (network(torch.full((10, 2), value), codes).split(SIZES, 1) for value in (0.0, 1.0))
    assert all(((b - a).abs().amax(1) > 1e-6).all() for b, a in zip(before, after, strict=True))


@pytest.mark.parametrize("width, depth", [(3, 1), (32, 3)])
@torch.no_grad()
def test_sampling_step_by_step_computes_the_logits_of_the_full_pass(width, depth):
    network = decoder(width, depth)
    partial = PartialTable(network, torch.randn(50, 2), torch.Generator().manual_seed(0))
    steps = []
    for position in range(4):
        steps.append(partial._logits(position))
        partial.draw(position, None)
    full = network(partial.x[:, :2], one_hot(partial.codes, SIZES))
    assert torch.allclose(torch.cat(steps, 1), full, atol=1e-4)


@torch.no_grad()
def test_rows_that_were_selected_go_on_with_their_own_logits():
    network = decoder()
    partial = PartialTable(network, torch.randn(50, 2), torch.Generator().manual_seed(0))
    for position in range(2):
        partial.draw(position, None)
    before = partial.codes
    partial = partial.select(np.array([7, 7, 3, 49]))
    step = partial._logits(2)
    full = network(partial.x[:, :2], one_hot(partial.codes, SIZES)).split(SIZES, 1)[2]
    assert torch.equal(partial.codes, before[[7, 7, 3, 49]])
    assert torch.allclose(step, full, atol=1e-4)


@torch.no_grad()
def test_rows_that_were_drawn_anew_and_replaced_go_on_with_their_own_logits():
    network = decoder()
    partial = PartialTable(network, torch.randn(50, 2), torch.Generator().manual_seed(0))
    for position in range(3):
        partial.draw(position, None)
    fresh = partial.select(np.arange(50))
    for position in (1, 2):
        fresh.draw(position, None)
    taken = np.arange(50) % 2 == 0
    wanted = torch.where(torch.as_tensor(taken)[:, None], fresh.codes, partial.codes)
    partial.replace(fresh, taken)
    step = partial._logits(3)
    full = network(partial.x[:, :2], one_hot(partial.codes, SIZES)).split(SIZES, 1)[3]
    assert torch.equal(partial.codes, wanted)
    assert torch.allclose(step, full, atol=1e-4)


@torch.no_grad()
def test_categories_are_drawn_as_often_as_their_probability_says():
    network = decoder()
    z = torch.zeros(20_000, 2)
    partial = PartialTable(network, z, torch.Generator().manual_seed(0))
    wanted = partial._logits(0)[0].softmax(0).tolist()
    partial.draw(0, None)
    assert (torch.bincount(partial.codes[:, 0]) / 20_000).tolist() == pytest.approx(wanted, abs=0.015)


@torch.no_grad()
def test_a_condition_returns_the_probability_of_what_is_allowed():
    network = decoder()
    partial = PartialTable(network, torch.zeros(10, 2), torch.Generator().manual_seed(0))
    wanted = partial._logits(0)[0].softmax(0)
    mass = partial.draw(0, np.array([0.0, 1.0, 0.5]))
    assert mass == pytest.approx(float(wanted[1] + 0.5 * wanted[2]), rel=1e-5)
    assert (partial.codes[:, 0] > 0).all()


def test_the_norm_of_a_rows_gradient_needs_no_gradient_a_row():
    """MaskedLinear's docstring: the squared norm of the weight's gradient is sum(mask * g^2 x^2)."""
    torch.manual_seed(0)
    layer = MaskedLinear(np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 2]))
    x, g = torch.randn(6, 5), torch.randn(6, 4)
    formula = torch.einsum("oi,ro,ri->r", layer.mask, g.square(), x.square())
    for row in range(6):
        (found,) = torch.autograd.grad((layer(x[[row]]) * g[[row]]).sum(), layer.weight)
        assert float(found.square().sum()) == pytest.approx(float(formula[row]), rel=1e-4)


def test_weights_of_what_is_not_seen_are_and_stay_zero(model):
    for layer in model.network_["decoder"].modules():
        if isinstance(layer, MaskedLinear):
            assert (layer.weight[layer.mask == 0] == 0).all()


def test_nothing_is_normalised_over_a_batch(model):
    for network in model.network_.values():
        assert not any("Norm" in type(module).__name__ for module in network.modules())


def test_training_and_sampling_need_no_gpu(model, tmp_path):
    model.save(tmp_path)
    loaded = MedVAEPlus.load(tmp_path)
    here = "cuda" if torch.cuda.is_available() else "cpu"
    assert {p.device.type for network in loaded.network_.values() for p in network.parameters()} == {here}


# The saved file


def tensors(content):
    """Every tensor in nested dicts and lists."""
    if isinstance(content, torch.Tensor):
        return [content]
    inside = content.values() if isinstance(content, dict) else content if isinstance(content, list | tuple) else []
    return [tensor for part in inside for tensor in tensors(part)]


def test_a_saved_model_holds_nothing_a_training_row(model, partitions, tmp_path):
    model.save(tmp_path)
    found = tensors(torch.load(tmp_path / FILE, weights_only=True))
    assert found
    # 300 training rows, 285 of them fitted, 15 for validation.
    rows = {len(partitions[0]), 285, 15}
    assert not any(rows & set(tensor.shape) for tensor in found)


def test_a_saved_model_with_the_same_bins_does_not_grow_with_the_rows(partitions, tmp_path):
    train, _, codebook = partitions
    sizes = []
    for times in (1, 5):
        table = pd.concat([train] * times, ignore_index=True)
        model = fit(table, codebook, min_bin_rows=10 * times, validation_share=0, epochs=1, least_steps=1)
        model.save(tmp_path / str(times))
        sizes.append((tmp_path / str(times) / FILE).stat().st_size)
    # 1,200 more rows of six columns would be 7,200 bytes at the very least.
    assert abs(sizes[1] - sizes[0]) < 1000


# Conditions


@pytest.mark.parametrize(
    "conditions",
    [
        {"stage": "III"},
        {"stage": ["I", "III"], "sex": "male"},
        {"age": (40, 52)},
        {"age": (40.5, 52.4)},
        {"crp": (10, 20.55)},
        {"crp": "prescribed", "age": (None, 50)},
        {"sex": "female", "admitted": "yes", "icu": "no", "stage": "III", "age": (30, None)},
    ],
    ids=str,
)
def test_every_row_meets_every_condition(rare, conditions):
    train, codebook = rare
    drawn = fit(train, codebook).sample(500, seed=1, conditions=conditions)
    assert len(drawn) == 500
    assert Conditions.parse(conditions, codebook).holds(drawn).all()


def test_rows_of_a_rare_category_are_like_the_models_own_ones(rare):
    """Only 20 training rows have the category, and age comes before it: drawing it alone would get their age wrong."""
    train, codebook = rare
    model = fit(train, codebook, least_steps=200)
    asked = model.sample(2000, seed=1, conditions={"stage": "III"})
    anybody = model.sample(20_000, seed=2)
    own = anybody[anybody["stage"] == "III"]
    assert len(own) > 200
    assert own["age"].mean() - anybody["age"].mean() > 6
    assert asked["age"].mean() == pytest.approx(own["age"].mean(), abs=3)
    assert (asked["admitted"] == "yes").mean() == pytest.approx((own["admitted"] == "yes").mean(), abs=0.12)


def test_rows_of_two_conditions_are_like_the_models_own_ones(rare):
    train, codebook = rare
    model = fit(train, codebook, least_steps=200)
    asked = model.sample(2000, seed=1, conditions={"admitted": "yes", "crp": (50, None)})
    own = model.sample(20_000, seed=2)
    own = own[(own["admitted"] == "yes") & (own["crp"] >= 50)]
    assert asked["age"].mean() == pytest.approx(own["age"].mean(), abs=3)
    assert asked["crp"].mean() == pytest.approx(own["crp"].mean(), rel=0.1)


def test_conditions_are_met_whatever_the_order_of_the_columns(partitions):
    model = fit(partitions[0], partitions[2], first=["stage"], last=["age"])
    assert model.order_ == ["stage", "sex", "admitted", "icu", "crp", "age"]
    drawn = model.sample(100, seed=1, conditions={"stage": "II", "age": (None, 40)})
    assert (drawn["stage"] == "II").all() and (drawn["age"] <= 40).all()
    assert list(drawn) == list(partitions[0])


def test_a_combination_that_cannot_be_is_refused_and_says_how_far_it_got(model):
    """Nobody who was not admitted is in the ICU; here the network is certain of it."""
    decoder = model.network_["decoder"]
    admitted, icu = (int(decoder.starts[model.order_.index(name)]) for name in ("admitted", "icu"))
    with torch.no_grad():
        decoder.direct.weight[icu + 1, decoder.latent + admitted] = -200
    with pytest.raises(InputError, match=r"'icu' after 'admitted' is met in fewer than 1e-06"):
        model.sample(20, seed=1, conditions={"admitted": "no", "icu": "yes"})


def test_a_range_that_nobody_was_seen_in_is_refused(partitions):
    train, _, codebook = partitions
    model = fit(train.assign(crp=np.where(train["crp"] > 30, 90.0, 10.0)), codebook)
    with pytest.raises(InputError, match="cannot be met by any category or bin seen in training"):
        model.sample(20, seed=1, conditions={"crp": (40, 60)})


def test_no_rows_can_be_drawn(model):
    assert len(model.sample(0, seed=1)) == 0


# Sequential Monte Carlo, on rows whose every probability is known


class Coins:
    """Rows of three columns: a fair coin, a copy of it nine times in ten, and a copy of that."""

    def __init__(self, rng, values):
        self.rng, self.values = rng, values

    def draw(self, position, allowed):
        rows = len(self.values)
        ones = np.full(rows, 0.5) if position == 0 else np.where(self.values[:, position - 1] == 1, 0.9, 0.1)
        share = np.stack([1 - ones, ones], 1) * (np.ones(2) if allowed is None else allowed)
        with np.errstate(invalid="ignore"):
            self.values[:, position] = self.rng.random(rows) < share[:, 1] / share.sum(1)
        return None if allowed is None else share.sum(1)

    def select(self, rows):
        return Coins(self.rng, self.values[rows])

    def join(self, other):
        return Coins(self.rng, np.concatenate([self.values, other.values]))

    def replace(self, other, rows):
        self.values[rows] = other.values[rows]


def draw_coins(n, allowed, seed=0):
    rng = np.random.default_rng(seed)
    drawn = draw_sequentially(lambda rows: Coins(rng, np.zeros((rows, 3), int)), n, ["a", "b", "c"], allowed, rng)
    return drawn.values


ONE, ZERO = np.array([0.0, 1.0]), np.array([1.0, 0.0])


def test_a_condition_on_the_last_column_gives_earlier_ones_their_posterior():
    """P(a = 1 | c = 1) = 0.9 * 0.9 + 0.1 * 0.1."""
    rows = draw_coins(20_000, {2: ONE})
    assert (rows[:, 2] == 1).all()
    assert rows[:, 0].mean() == pytest.approx(0.82, abs=0.02)
    assert rows[:, 1].mean() == pytest.approx(0.9, abs=0.02)


def test_conditions_that_contradict_each_other_give_the_posterior_between():
    """P(b = 1 | a = 0, c = 1) = 0.1 * 0.9 / (0.1 * 0.9 + 0.9 * 0.1)."""
    rows = draw_coins(20_000, {0: ZERO, 2: ONE})
    assert (rows[:, 0] == 0).all() and (rows[:, 2] == 1).all()
    assert rows[:, 1].mean() == pytest.approx(0.5, abs=0.02)


def test_without_conditions_rows_are_just_drawn():
    rows = draw_coins(20_000, {})
    assert len(rows) == 20_000
    assert rows.mean(0) == pytest.approx([0.5] * 3, abs=0.02)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"cannot be met together: .*'b' after 'a' is met"):
        draw_coins(10, {0: ONE, 1: np.zeros(2)})


class Leads(Coins):
    """Rows that begin with a number of their own in [0, 1), whose sixth power is the probability of a one."""

    def draw(self, position, allowed):
        if position == 0:
            self.values[:, 0] = self.rng.random(len(self.values))
            return None
        self.values[:, 1] = 1
        return self.values[:, 0] ** 6

    def select(self, rows):
        return Leads(self.rng, self.values[rows])

    def join(self, other):
        return Leads(self.rng, np.concatenate([self.values, other.values]))


def test_rows_that_share_their_beginning_part_again():
    rng = np.random.default_rng(0)
    drawn = draw_sequentially(lambda rows: Leads(rng, np.zeros((rows, 2))), 4000, ["a", "b"], {1: ONE}, rng).values
    # Resampling alone leaves 2,400 beginnings. E(a | b = 1) = 7 / 8.
    assert len(np.unique(drawn[:, 0])) > 2800
    assert drawn[:, 0].mean() == pytest.approx(7 / 8, abs=0.01)


def test_earlier_conditions_have_more_partial_rows_a_row():
    assert partial_rows_per_row(0, 100) == MOST_PARTIAL_ROWS_PER_ROW
    assert 1 < partial_rows_per_row(39, 40) < partial_rows_per_row(9, 40) <= MOST_PARTIAL_ROWS_PER_ROW


class Numbered(Coins):
    """Coins that also carry a random mark, drawn with the first column: equal marks are one beginning."""

    def __init__(self, rng, values, marks=None):
        super().__init__(rng, values)
        self.marks = rng.random(len(values)) if marks is None else marks

    def draw(self, position, allowed):
        if position == 0:
            self.marks = self.rng.random(len(self.values))
        return super().draw(position, allowed)

    def select(self, rows):
        return Numbered(self.rng, self.values[rows], self.marks[rows])

    def join(self, other):
        marks = np.concatenate([self.marks, other.marks])
        return Numbered(self.rng, np.concatenate([self.values, other.values]), marks)

    def replace(self, other, rows):
        super().replace(other, rows)
        self.marks[rows] = other.marks[rows]


def test_rows_part_again_also_when_an_earlier_condition_made_them_share():
    """The condition on b makes rows share beginnings; the one on c, which holds for everybody, must not hide it."""
    rng = np.random.default_rng(0)
    start = lambda rows: Numbered(rng, np.zeros((rows, 3), int))  # noqa: E731
    rare = {1: np.array([0.0, 0.02])}
    alone, followed = (
        len(np.unique(draw_sequentially(start, 2000, ["a", "b", "c"], allowed, rng).marks))
        for allowed in (rare, {**rare, 2: np.ones(2)})
    )
    assert followed > 0.8 * alone


@torch.no_grad()
def test_joined_rows_go_on_as_each_would_alone():
    made = decoder()
    rng = torch.Generator().manual_seed(0)
    tables = []
    for rows in (3, 4):
        table = PartialTable(made, torch.randn(rows, 2, generator=rng), rng)
        table.draw(0, None)
        table.draw(1, None)
        tables.append(table)
    joined = tables[0].join(tables[1])
    assert torch.equal(joined.codes[:, :2], torch.cat([table.codes[:, :2] for table in tables]))
    alone = torch.cat([table._logits(2) for table in tables])
    torch.testing.assert_close(joined._logits(2), alone)


@torch.no_grad()
def test_a_rare_category_of_the_last_column_has_enough_beginnings_and_its_posterior():
    """Each row begins with a latent vector of its own; equal ones are one beginning."""
    made = decoder()
    # A head that seldom, but then surely, gives the last category.
    made.heads.weight.data[-1] *= 6
    made.heads.bias.data[-1] -= 28
    rng = torch.Generator().manual_seed(0)
    start = lambda rows: PartialTable(made, torch.randn(rows, 2, generator=rng), rng)  # noqa: E731
    last = {3: np.array([0.0, 0.0, 0.0, 1.0])}
    drawn = draw_sequentially(start, 1000, list("abcd"), last, np.random.default_rng(0))
    assert (drawn.codes[:, 3] == 3).all()
    independent = effective_number(drawn.x[:, 0].numpy())
    assert independent >= 1000 / LEAST_SPREAD
    anybody = draw_sequentially(start, 300_000, list("abcd"), {}, np.random.default_rng(0))
    kept = anybody.codes[:, 3] == 3
    assert 100 < kept.sum() < 4000
    for ours, theirs in (
        (drawn.x[:, 0], anybody.x[kept, 0]),
        (drawn.x[:, 1], anybody.x[kept, 1]),
        ((drawn.codes[:, 0] == 0).float(), (anybody.codes[kept, 0] == 0).float()),
    ):
        error = np.sqrt(float(ours.var() / independent + theirs.var() / len(theirs)))
        assert float(ours.mean()) == pytest.approx(float(theirs.mean()), abs=3.5 * error)


def test_without_a_latent_vector_an_autoregressive_network_is_left(partitions):
    train, _, codebook = partitions
    model = MedVAEPlus(latent=0, width=32, epochs=1, least_steps=5).fit(train, codebook, seed=1)
    assert model.card()["kl_nats"] == 0
    assert len(model.sample(20, seed=1)) == 20
