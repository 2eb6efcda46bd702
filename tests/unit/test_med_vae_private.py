"""Med-VAE plus under differential privacy: what is spent, what is clipped, what noise is added, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import norm
from torch import nn

from medsynth.codebook import Column
from medsynth.errors import InputError
from medsynth.generators import DPMedVAEPlus, PrivateColumns
from medsynth.generators.clipping import PerRowClipping
from medsynth.generators.guarantee import refuse_seeded
from medsynth.generators.masked import AutoregressiveDecoder
from medsynth.generators.noisy_histograms import level, noisy_columns
from medsynth.generators.privacy_budget import Budget, Randomness, plan_budget, plan_histograms
from medsynth.generators.storage import FILE

# Nearly every test trains a generator.
pytestmark = pytest.mark.slow

# With the noise given there is less to compute; seeded, it can be compared.
SMALL = {"epsilon": 5.0, "noise_multiplier": 3.0, "steps": 20, "sample_rate": 0.2, "width": 32, "seeded_noise": True}
RUN = {"rows": 1000, "sample_rate": 0.1, "steps": 50, "histogram_share": 0.3}


def fit(partitions, seed=1, **settings):
    """Fit a small network for a moment."""
    train, _, codebook = partitions
    return DPMedVAEPlus(**{**SMALL, **settings}).fit(train, codebook, seed=seed)


# What is spent


def delta_of_gaussian(epsilon, noise):
    """Delta of one Gaussian mechanism, exactly (Balle and Wang 2018, theorem 8)."""
    a, b = 1 / (2 * noise), epsilon * noise
    return norm.cdf(a - b) - math.exp(epsilon) * norm.cdf(-a - b)


def test_both_accountants_agree_with_the_closed_form_of_gaussian_mechanisms():
    # Without sampling, histograms and steps compose to one Gaussian mechanism.
    budget = Budget(delta=1e-5, histogram_noise=8.0, noise_multiplier=20.0, sample_rate=1.0, steps=25)
    together = (8.0**-2 + 25 * 20.0**-2) ** -0.5
    for spent in (budget.epsilon(), budget.epsilon_second_accountant()):
        assert delta_of_gaussian(spent, together) <= 1e-5 <= delta_of_gaussian(spent - 0.01, together)


@pytest.mark.parametrize(("noise", "epochs", "published"), [(1.12, 60, 2.92), (0.6, 30, 9.74), (1.2, 10, 1.20)])
def test_what_tensorflow_privacys_mnist_tutorial_spends_is_no_more_than_published(noise, epochs, published):
    # tensorflow/privacy, tutorials/README.md: 60,000 rows in batches of 256, delta 1e-5. Published are bounds by
    # Rényi divergences, which are looser. Histograms with so much noise cost nothing.
    budget = Budget(1e-5, 1e4, noise, sample_rate=256 / 60_000, steps=epochs * 60_000 // 256)
    first, second = budget.epsilon(), budget.epsilon_second_accountant()
    assert 0.6 * published < second <= first < published
    assert first - second < 0.01


def test_the_noise_computed_spends_the_budget_by_either_accountant_and_hardly_less():
    budget = plan_budget(2.0, None, **RUN)
    assert budget.delta == 1000**-1.1
    for spent in (budget.epsilon(), budget.epsilon_second_accountant()):
        assert 0.98 * 2.0 < spent <= 2.0


def test_the_histograms_alone_spend_their_share():
    budget = plan_budget(2.0, 1e-4, **RUN)
    assert delta_of_gaussian(0.3 * 2.0, budget.histogram_noise) == pytest.approx(1e-4, rel=0.1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"epsilon": 0}, r"'epsilon' is 0 and must be in \(0, inf\)"),
        ({"epsilon": -1}, r"'epsilon' is -1 and must"),
        ({"epsilon": math.inf}, r"'epsilon' is inf and must be .*null for no guarantee"),
        ({"delta": 0.002}, r"'delta' is 0.002 and must be above 0 and at most 1 / 1,000 rows"),
        ({"delta": 0.0}, r"'delta' is 0 and must"),
        ({"sample_rate": 1.5}, r"'sample_rate' is 1.5 and must .* a batch cannot be larger than the table"),
        ({"steps": 0}, r"'steps' is 0 and must"),
        ({"histogram_share": 1}, r"'histogram_share' is 1 and must"),
        ({"noise_multiplier": 0.5}, r"'noise_multiplier' of 0.5 spends an epsilon of .*, more than the budget of 1;"),
        ({"noise_multiplier": 0}, r"'noise_multiplier' of 0 spends without bound"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_budget(**{"epsilon": 1.0, "delta": None, **RUN, **changes})


def test_a_noise_multiplier_that_the_second_accountant_alone_finds_too_small_is_refused():
    # So small a delta that discretisation tells. Which multiplier shows it depends on how a processor rounds.
    noise, delta = plan_histograms(2.1, 2e-14, rows=1000, share=0.3)
    budgets = (Budget(delta, noise, 3.04 + k / 500, sample_rate=0.1, steps=50) for k in range(20))
    budget = next(b for b in budgets if b.epsilon() < 2.1 < b.epsilon_second_accountant())
    with pytest.raises(
        InputError, match=r"multiplier' of 3.\d+ spends an epsilon of 2.1\d+ in .*, more than the budget"
    ):
        plan_budget(2.1, delta, **RUN, noise_multiplier=budget.noise_multiplier)


def test_a_delta_that_no_accountant_can_compute_with_is_one_sentence():
    with pytest.raises(InputError, match="'delta' is 1e-15, too small to compute an epsilon for; take 1e-12 or more"):
        plan_histograms(1.0, 1e-15, rows=1000)


# Where a row is replaced


def test_under_replacement_without_sampling_a_row_moves_twice_as_much():
    # Histograms and steps compose to one Gaussian mechanism, of half the noise.
    budget = Budget(delta=1e-5, histogram_noise=8.0, noise_multiplier=20.0, sample_rate=1.0, steps=25)
    half = (8.0**-2 + 25 * 20.0**-2) ** -0.5 / 2
    spent = budget.epsilon_under_replacement()
    assert delta_of_gaussian(spent, half) <= 1e-5 <= delta_of_gaussian(spent - 0.01, half)


@pytest.mark.parametrize(("noise", "step_noise", "replaced"), [(22.52, 9.854, 1.05), (11.77, 5.262, 2.10)])
def test_epsilon_under_replacement_is_somewhat_more_than_twice_as_much(noise, step_noise, replaced):
    # The defaults on 55,976 rows at an epsilon of 0.5 and 1.
    budget = Budget(55_976**-1.1, noise, step_noise, sample_rate=0.04, steps=1000)
    assert budget.epsilon() == pytest.approx(replaced / 2.1, rel=0.01)
    assert budget.epsilon_under_replacement() == pytest.approx(replaced, abs=0.005)


def test_more_noise_than_needed_may_be_asked_for():
    assert plan_budget(1.0, None, **RUN, noise_multiplier=50.0).epsilon() < 1.0


@pytest.mark.parametrize("setting", [{"noise_multiplier": 1.0}, {"noise_multiplier": None, "delta": 1e-5}])
def test_noise_without_a_budget_is_refused(partitions, setting):
    with pytest.raises(InputError, match="go with an 'epsilon', which is null"):
        fit(partitions, epsilon=None, **setting)


# What is clipped


@pytest.fixture
def network():
    """Encoder and decoder of four columns with random weights, inputs, and a loss a row."""
    torch.manual_seed(0)
    sizes, latent = [3, 2, 5, 4], 2
    encoder = nn.Sequential(nn.Linear(14, 8), nn.ReLU(), nn.Linear(8, latent))
    decoder = AutoregressiveDecoder(sizes, latent, width=16, depth=2, dropout=0.0)
    for p in decoder.parameters():
        nn.init.normal_(p, std=0.5)
    x = torch.randn(7, 14)
    return [encoder, decoder], x, lambda rows: decoder(encoder(rows), rows).square().sum(1)


@pytest.mark.parametrize("clip_norm", [1e-3, 20.0, 1e9])
def test_the_clipped_sum_is_that_of_gradients_row_by_row(network, clip_norm):
    modules, x, loss = network
    clipped = PerRowClipping(modules, clip_norm)
    found = clipped.clipped_sums(lambda: loss(x).sum(), len(x))
    wanted, norms = [torch.zeros_like(p) for p in clipped.parameters], []
    for i in range(len(x)):
        gradients = torch.autograd.grad(loss(x[i : i + 1]).sum(), clipped.parameters)
        norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))
        for total, g in zip(wanted, gradients, strict=True):
            total += g * min(1.0, clip_norm / norms[-1])
    assert min(norms) > 1e-3 and max(norms) < 1e9
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5 * clip_norm if clip_norm < 1 else 1e-4)


def test_no_row_moves_the_clipped_sum_by_more_than_the_clip_norm(network):
    modules, x, loss = network
    clipped = PerRowClipping(modules, 0.5)
    x[0] *= 1e6
    with_it, without = (clipped.clipped_sums(lambda part=part: loss(part).sum(), len(part)) for part in (x, x[1:]))
    moved = torch.cat([(a - b).flatten() for a, b in zip(with_it, without, strict=True)]).norm()
    assert 0.49 < moved < 0.5 + 1e-4


def test_parameters_that_cannot_be_clipped_are_refused():
    with pytest.raises(TypeError, match="only linear layers"):
        PerRowClipping([nn.Linear(2, 2), nn.BatchNorm1d(2)], 1.0)


# What noise is added


def trained_with(partitions, monkeypatch, **settings):
    """Gradients that the optimiser sees, one list a step, and the model."""
    seen, step = [], torch.optim.Adam.step

    def spy(self, *arguments, **keywords):
        seen.append(torch.cat([p.grad.flatten() for group in self.param_groups for p in group["params"]]))
        return step(self, *arguments, **keywords)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    return fit(partitions, **settings), seen


def test_the_noise_on_gradients_has_the_deviation_of_the_budget(partitions, monkeypatch):
    model, seen = trained_with(partitions, monkeypatch, clip_norm=1e-6, width=64)
    # So small a clip norm that steps lead nowhere; what is left of gradients beside the noise is at most clip / n.
    expected = model.privacy_["noise_multiplier"] * 1e-6 / (SMALL["sample_rate"] * len(partitions[0]))
    noise = torch.stack(seen)
    assert float(noise.std()) == pytest.approx(expected, rel=0.05)
    assert abs(float((noise[0] * noise[1]).mean())) < 0.1 * expected**2


def test_without_a_budget_nothing_is_clipped_and_no_noise_added(partitions, monkeypatch):
    free = {"epsilon": None, "noise_multiplier": None}
    model, first = trained_with(partitions, monkeypatch, **free, clip_norm=1e-6)
    _, second = trained_with(partitions, monkeypatch, **free, clip_norm=1.0)
    card = model.card()
    assert card["epsilon"] is None and card["noise_multiplier"] == 0
    assert float(first[0].norm()) > 1e-3
    assert all(torch.equal(a, b) for a, b in zip(first[: SMALL["steps"]], second, strict=True))


def test_histograms_have_the_noise_of_all_columns_together(partitions):
    train, _, codebook = partitions
    drawn = []

    def normal(n):
        drawn.append(n)
        return np.full(n, 1.0 if len(drawn) == 2 else 0.0)

    # One category more by a deviation of the square root of the number of columns, in the second column.
    noisy = noisy_columns(train, codebook, 100.0, normal)
    deviation = 100.0 * math.sqrt(len(codebook.columns))
    name = list(codebook.columns)[1]
    counts = train[name].value_counts() + deviation
    shares = noisy[name].value_counts() / len(noisy)
    assert (shares - counts / counts.sum()).abs().max() < 2 / len(train)


def test_histograms_without_noise_give_back_each_column(partitions):
    train, _, codebook = partitions
    noisy = noisy_columns(train, codebook, 0.0, np.zeros)
    for name in ("sex", "stage", "age"):
        assert noisy[name].value_counts().to_dict() == train[name].value_counts().to_dict()
    assert abs(np.sort(noisy["crp"]) - np.sort(train["crp"])).max() < 500 / 512


def test_counts_that_noise_cannot_tell_apart_are_levelled():
    rng = np.random.default_rng(0)
    true = np.repeat([1000.0, 0.0], [20, 180])
    levelled = level(true + rng.normal(0, 50, 200), 50.0)
    assert len(np.unique(levelled)) == 2
    assert abs(levelled - true).max() < 40


@pytest.mark.parametrize("seed", [3, None])
def test_random_numbers_have_the_distribution_that_they_should(seed):
    random = Randomness(seed)
    normal, uniform = random.normal(50_000), random.uniform(50_000)
    assert abs(normal.mean()) < 0.03 and abs(normal.std() - 1) < 0.02
    assert abs(np.quantile(normal, 0.975) - 1.96) < 0.06
    assert uniform.min() > 0 and uniform.max() < 1 and abs(uniform.mean() - 0.5) < 0.01


# The model


def test_a_run_is_the_same_bytes_with_the_same_seed_and_others_with_another(partitions, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(partitions, seed=seed).save(tmp_path / name)
    a, b, c = ((tmp_path / name / FILE).read_bytes() for name in "abc")
    assert a == b != c


def test_by_default_the_same_seed_gives_other_noise(partitions):
    train, _, codebook = partitions
    settings = {key: value for key, value in SMALL.items() if key != "seeded_noise"}
    first, second = (DPMedVAEPlus(**settings).fit(train, codebook, seed=1) for _ in range(2))
    # Both what histograms gave and what training made of it.
    assert first.coder_.knots_["crp"].tolist() != second.coder_.knots_["crp"].tolist()
    assert not first.sample(50, seed=1).equals(second.sample(50, seed=1))


def test_without_a_guarantee_the_seed_decides_everything(partitions):
    free = {"epsilon": None, "noise_multiplier": None, "seeded_noise": False}
    first, second = (fit(partitions, **free).sample(50, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("kind", [DPMedVAEPlus, PrivateColumns])
def test_the_card_says_where_noise_comes_from_and_which_neighbours_are_meant(partitions, kind):
    train, _, codebook = partitions
    settings = SMALL if kind is DPMedVAEPlus else {}
    cards = [
        kind(**{**settings, "seeded_noise": seeded}).fit(train, codebook, seed=1).card() for seeded in (False, True)
    ]
    assert [card["seeded_noise"] for card in cards] == [False, True]
    assert "nobody can compute it again" in cards[0]["noise"] and "not for publishing" in cards[1]["noise"]
    for card in cards:
        assert card["neighbours"] == "one training row zeroed out, the number of rows public"
        assert card["epsilon_under_replacement"] > 1.5 * card["epsilon"]


def test_a_seeded_private_model_is_not_handed_out(partitions):
    with pytest.raises(
        InputError, match=r"'mine' has a guarantee with 'seeded_noise: true', .* the noise.*set 'seeded_noise'"
    ):
        refuse_seeded(fit(partitions), "mine")
    for settings in ({"seeded_noise": False}, {"epsilon": None, "noise_multiplier": None}):
        refuse_seeded(DPMedVAEPlus(**{**SMALL, **settings}), "mine")


def test_the_card_says_what_was_spent_and_no_loss(partitions):
    card = fit(partitions).card()
    assert 1.5 < card["epsilon_second_accountant"] <= card["epsilon"] <= 5.0
    assert card["delta"] == len(partitions[0]) ** -1.1 and card["steps"] == 20 and card["sample_rate"] == 0.2
    assert card["noise_multiplier"] == 3.0 and "imputation" in card["not_included"]
    assert not any("loss" in key or key in ("history", "kl_nats") for key in card)


def test_the_bins_of_a_declared_range_are_the_same_whatever_the_rows_with_much_noise(partitions):
    train, _, codebook = partitions
    other = train.assign(age=train["age"].max(), crp=0.0)
    noise = [Randomness(1).normal for _ in range(2)]
    first, second = (noisy_columns(t, codebook, 1e7, n) for t, n in zip((train, other), noise, strict=True))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("latent", [0, 3])
def test_moving_the_centre_into_biases_changes_no_loss(partitions, latent):
    model = fit(partitions, latent=latent)
    codes = torch.as_tensor(model.coder_.encode(partitions[0])[:, model._positions()])
    model._centre = torch.rand(model._likelihood.total)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append(model._losses(codes)[0]["loss"].item())
        with torch.no_grad():
            model._uncentre()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_batch_without_rows_is_noise_alone(partitions):
    model = fit(partitions, sample_rate=1e-4, steps=5)
    assert len(model.sample(20, seed=1)) == 20


def test_training_that_diverges_is_an_error(partitions):
    with pytest.raises(InputError, match="training of DPMedVAEPlus diverged in step 20 of 20: weights are not finite"):
        fit(partitions, epsilon=None, noise_multiplier=None, learning_rate=1e30)


def test_persons_of_several_rows_are_refused(partitions):
    train, _, codebook = partitions
    with pytest.raises(InputError, match="up to 2 rows in ward, but the guarantee is for one row; keep one row"):
        fit((train, None, codebook.model_copy(update={"rows_per_person": 2})))


def test_a_resolved_codebook_knows_how_many_rows_a_person_has(raw, codebook):
    from medsynth.preparation.cleaning import clean

    table, _ = clean(raw, codebook)
    resolved = codebook.resolved(table)
    assert resolved.rows_per_person == 2
    assert resolved.resolved(table.drop(columns="patient")).rows_per_person == 2


def test_a_range_that_was_read_off_the_rows_is_refused(partitions):
    train, _, codebook = partitions
    undeclared = codebook.model_copy(update={"columns": {"crp": Column(type="continuous")}})
    with pytest.raises(InputError, match="declares no range for the numeric column 'crp'"):
        fit((train[["crp"]], None, undeclared.resolved(train[["crp"]])))


# Public rows

PUBLIC = {"latent": 3, "public_share": 0.2}


def weights_of(model, network):
    """All weights of one of the two networks, without the bias that centring moves into."""
    return torch.cat([p.flatten() for name, p in model.network_[network].named_parameters() if "weight" in name])


def test_private_training_leaves_an_encoder_trained_on_public_rows_as_it_is(partitions, monkeypatch):
    model, seen = trained_with(partitions, monkeypatch, **PUBLIC)
    private = sum(p.numel() for p in model.network_["decoder"].parameters())
    assert {len(gradient) for gradient in seen[-SMALL["steps"] :]} == {private}
    other = fit(partitions, **PUBLIC, learning_rate=0.05)
    assert torch.equal(weights_of(model, "encoder"), weights_of(other, "encoder"))
    assert not torch.equal(weights_of(model, "decoder"), weights_of(other, "decoder"))


def test_the_guarantee_counts_private_rows_alone_and_the_card_says_so(partitions):
    card = fit(partitions, **PUBLIC).card()
    rows = len(partitions[0])
    assert card["private_rows"] + card["public_rows"] == rows and 0.1 < card["public_rows"] / rows < 0.3
    assert card["delta"] == card["private_rows"] ** -1.1 and card["public_kl_nats"] > 0.1
    assert "not public" in card["unit_of_privacy"] and "public rows" in card["not_included"]


def test_public_rows_of_a_file_leave_all_training_rows_private(partitions, tmp_path):
    train, test, _ = partitions
    test.to_parquet(tmp_path / "public.parquet")
    card = fit(partitions, latent=3, public_table=str(tmp_path / "public.parquet")).card()
    assert (card["private_rows"], card["public_rows"]) == (len(train), len(test))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"public_share": 0.2}, "Public rows need a latent vector, .*; set 'latent' to 8"),
        ({**PUBLIC, "public_share": 1.5}, "'public_share' of 1.5 of 300 rows leaves no public or no private rows"),
        ({**PUBLIC, "public_table": "table.csv"}, "'public_share' and 'public_table' both name public rows"),
        ({"latent": 3, "public_table": "nowhere.csv"}, "nowhere.csv does not exist"),
    ],
)
def test_public_rows_that_cannot_train_an_encoder_are_refused(partitions, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        fit(partitions, **settings)


# Oversampling

RARE = {"oversample": {"stage": "III"}, "oversample_times": 4}


def test_oversampled_rows_are_accounted_for_at_their_own_rate_and_the_card_tells_the_price(partitions):
    settings = {"epsilon": 1.0, "noise_multiplier": None, "sample_rate": 0.05}
    card = fit(partitions, **settings, **RARE).card()
    # In the order of the generator's own call, whose answer is kept: else it is computed again.
    asked = {"rows": len(partitions[0]), "steps": SMALL["steps"], "histogram_share": 0.3, "noise_multiplier": None}
    evenly, often = (plan_budget(1.0, None, **asked, sample_rate=rate).noise_multiplier for rate in (0.05, 0.2))
    assert card["sample_rate"] == pytest.approx(0.2) and card["sample_rate_of_others"] == 0.05
    assert card["noise_multiplier"] == pytest.approx(often)
    assert card["noise_multiplier_without_oversampling"] == pytest.approx(evenly) and evenly < often
    assert card["oversampled"] == {"stage": "III"}


def test_rows_of_the_rare_category_enter_batches_so_many_times_as_often_and_no_others(partitions, monkeypatch):
    batches, losses = [], DPMedVAEPlus._losses

    def spy(self, codes, *arguments):
        batches.append(codes)
        return losses(self, codes, *arguments)

    monkeypatch.setattr(DPMedVAEPlus, "_losses", spy)
    model = fit(partitions, epsilon=None, noise_multiplier=None, steps=100, sample_rate=0.1, **RARE)
    assert model.order_[0] == "stage"
    stage = model.codebook_.columns["stage"].all_categories.index("III")
    entered, rows = torch.cat(batches)[:, 0] == stage, partitions[0]["stage"] == "III"
    assert float(entered.sum()) / rows.sum() / 100 == pytest.approx(0.4, rel=0.1)
    assert float((~entered).sum()) / (~rows).sum() / 100 == pytest.approx(0.1, rel=0.1)


def test_an_oversampled_category_is_drawn_as_often_as_it_is(partitions):
    model = fit(partitions, epsilon=None, noise_multiplier=None, steps=100, **RARE)
    shares = partitions[0]["stage"].value_counts(normalize=True)
    drawn = model.sample(20_000, seed=1)["stage"].value_counts(normalize=True)
    assert (drawn - shares).abs().max() < 0.02


def test_gradients_are_divided_by_the_batch_expected_from_the_noisy_histogram(partitions, monkeypatch):
    model, seen = trained_with(partitions, monkeypatch, sample_rate=0.1, clip_norm=1e-6, width=64, **RARE)
    share = model.network_["decoder"].direct.bias[: len(partitions[2].columns["stage"].all_categories)].exp()[2]
    expected = 0.1 * len(partitions[0]) * (1 + 3 * share.item())
    assert float(torch.stack(seen).std()) == pytest.approx(3.0 * 1e-6 / expected, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"oversample": {"stage": "III", "sex": "male"}}, "names 2 columns; it takes one"),
        ({"oversample": {"stag": "III"}}, "no column 'stag'"),
        ({"oversample": {"stage": "IV"}}, "IV"),
        ({"oversample": {"age": 80}}, "names 'age', which has numbers; it takes a column of categories"),
        ({**RARE, "latent": 3}, "set 'latent' to 0, or leave out 'oversample'"),
        ({**RARE, "oversample_times": 6}, r"'oversample_times' is 6 and must be in \[1, 5\]"),
        ({**RARE, "oversample_times": 0.5}, "'oversample_times' is 0.5 and must"),
    ],
)
def test_what_cannot_be_oversampled_is_refused(partitions, settings, sentence):
    with pytest.raises(InputError, match=sentence):
        fit(partitions, **settings)
