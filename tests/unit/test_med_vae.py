"""Med-VAE: what pulls on its latent space, what its conditions draw from, what its published code did otherwise."""

import numpy as np
import pandas as pd
import pytest
import torch

from medsynth.errors import InputError
from medsynth.generators import MedVAE
from medsynth.generators.med_vae_together import Together
from medsynth.generators.med_vae_training import _Batch, _Member, losses_of
from medsynth.generators.training import (
    CategoryLikelihood,
    active_dimensions,
    batches_of,
    kl_divergence,
    stages_of,
    train_epochs,
    validation_split,
)

# Nearly every test trains a generator.
pytestmark = pytest.mark.slow


def fit(partitions, epochs=2, rows=None, **settings):
    """Fit on the ward table."""
    train, _, codebook = partitions
    return MedVAE(**settings).fit(train.head(rows or len(train)), codebook, epochs=epochs, seed=1)


def encoder_gradient(model, value):
    """Gradient with respect to everything in the encoder, as one vector."""
    parameters = [values for name, values in model.together.parameters.items() if name.startswith("encoder")]
    parts = torch.autograd.grad(value.sum(), parameters, retain_graph=True)
    return torch.cat([part.flatten() for part in parts])


def loss_parts(model, table, annealing):
    """Losses of a table, with the same noise every time."""
    if not hasattr(model, "together"):
        likelihood = CategoryLikelihood(model.scaler_.categories, torch.device("cpu"))
        model.noise = torch.Generator()
        model.together = Together([model.encoder_], [model.decoder_], likelihood, [model.noise])
    model.noise.manual_seed(0)
    records = [part.unsqueeze(0) for part in model.scaler_.transform(table)]
    return losses_of([model], model.together, records, annealing=torch.tensor([annealing]), learning=False)


def pull_of_the_kl(model, table, annealing):
    """What the loss's gradient holds beside the reconstruction's, and what it should: weight * annealing * dKL."""
    losses = loss_parts(model, table, annealing)
    reconstruction = (
        model.numeric_weight * losses["numeric"]
        + model.binary_weight_ * losses["binary"]
        + model.categorical_weight * losses["categorical"]
    )
    found = encoder_gradient(model, losses["loss"]) - encoder_gradient(model, reconstruction)
    return found, model.kl_weight * annealing * encoder_gradient(model, losses["kl"])


def equal(found, wanted):
    """Whether two gradients agree, up to rounding."""
    return bool((found - wanted).norm() < 1e-3 * wanted.norm())


# The KL divergence


def test_the_kl_divergence_has_its_weight_in_the_gradient(partitions):
    model = fit(partitions, kl_weight=2.0)
    found, wanted = pull_of_the_kl(model, partitions[0], annealing=0.5)
    assert wanted.norm() > 0
    assert equal(found, wanted)


def test_the_published_code_has_no_kl_divergence_in_its_gradient(partitions):
    """The check of the test above fails for it: its KL divergence is a number that is only reported."""
    model = fit(partitions, kl_weight=2.0, kl_gradient=False)
    found, wanted = pull_of_the_kl(model, partitions[0], annealing=0.5)
    assert wanted.norm() > 0
    assert not equal(found, wanted)
    assert found.norm() < 1e-3 * wanted.norm()


@pytest.mark.parametrize("kl_gradient", [True, False])
def test_only_with_a_gradient_does_the_kl_weight_change_training(partitions, kl_gradient):
    light, heavy = (fit(partitions, 4, kl_weight=weight, kl_gradient=kl_gradient) for weight in (0.05, 10))
    same = light.sample(100, seed=1).equals(heavy.sample(100, seed=1))
    assert same is not kl_gradient


@pytest.mark.parametrize(("kl_gradient", "weight"), [(True, 3), (False, 0)])
def test_the_loss_is_what_is_minimised(partitions, kl_gradient, weight):
    model = fit(partitions, kl_weight=3.0, kl_gradient=kl_gradient)
    without, whole = (loss_parts(model, partitions[0], annealing) for annealing in (0.0, 1.0))
    added = (whole["loss"] - without["loss"]).item()
    assert added == pytest.approx(weight * whole["kl"].item(), rel=1e-3, abs=1e-6)


def test_annealing_begins_at_zero_and_is_linear():
    seen = []

    def step(rows, done):
        seen.append(done)
        return {"loss": torch.zeros(())}

    list(train_epochs(40, step, lambda done: {}, epochs=5, batch_size=10))
    assert seen == pytest.approx(np.arange(20) / 20)


def test_at_the_start_the_kl_divergence_does_not_pull(partitions):
    model = fit(partitions, kl_weight=10.0)
    found, _ = pull_of_the_kl(model, partitions[0], annealing=0.0)
    assert found.norm() == 0


def test_a_heavy_kl_weight_collapses_the_posterior(partitions):
    collapsed = fit(partitions, 30, kl_weight=10.0).card()
    assert collapsed["kl_nats"] < 0.5
    assert collapsed["posterior_std"] == pytest.approx(1, abs=0.1)


def test_the_same_weight_without_a_gradient_leaves_many_nats(partitions):
    free = fit(partitions, 30, kl_weight=10.0, kl_gradient=False).card()
    assert free["kl_nats"] > 5
    assert free["active_dimensions"] == free["latent_dimensions"] == 32


def test_kl_divergence_agrees_with_torch():
    mean, log_variance = torch.tensor([0.0, 1.5, -2.0]), torch.tensor([0.0, -1.0, 0.7])
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (0.5 * log_variance).exp()), torch.distributions.Normal(0.0, 1.0)
    )
    assert torch.allclose(kl_divergence(mean, log_variance), theirs)


def test_a_dimension_is_active_if_its_mean_varies_over_records():
    assert active_dimensions(torch.tensor([[0.0, 1.0, 0.05], [1.0, 1.0, -0.05], [2.0, 1.0, 0.05]])) == 1


def test_epoch_counts_of_an_annealed_run_are_runs_of_their_own(partitions):
    train, _, codebook = partitions
    histories = [len(model.history_) for model in MedVAE().fit_checkpoints(train, codebook, epochs=[3, 1], seed=1)]
    assert histories == [1, 3]


# Several seeds together


def learned(model):
    """Everything that a model has learned, as one vector."""
    state = [value for network in model.network_.values() for value in network.state_dict().values()]
    return torch.cat([value.flatten().double() for value in [*state, *model.posteriors_]])


@pytest.mark.parametrize(
    "settings", [{}, {"batch_norm": False, "skip": True, "dropout": 0.1}, {"kl_gradient": False, "clip_value": 1.0}]
)
@pytest.mark.parametrize("rows", [289, 300])
def test_a_model_is_the_same_alone_and_beside_others(partitions, settings, rows):
    train, _, codebook = partitions
    train, seeds = train.head(rows), [3, 1, 4]
    alone = {}
    for seed in seeds:
        for epochs in (2, 3):
            model = MedVAE(**settings).fit(train, codebook, epochs=epochs, seed=seed)
            alone[seed, epochs] = (learned(model), list(model.history_), model.sample(50, seed=1))
    found = 0
    for seed, model in MedVAE(**settings).fit_together(train, codebook, epochs=[2, 3], seeds=seeds):
        weights, history, rows = alone[seed, model.epochs_]
        assert torch.equal(weights, learned(model))
        assert history == model.history_
        pd.testing.assert_frame_equal(rows, model.sample(50, seed=1))
        found += 1
    assert found == len(alone) == 6


# The card


def test_the_card_counts_active_dimensions_and_nats(partitions):
    model = fit(partitions)
    card = model.card()
    mean, log_variance = model.posteriors_
    assert card["active_dimensions"] == active_dimensions(mean)
    assert card["kl_nats"] == pytest.approx(float(kl_divergence(mean, log_variance).sum(1).mean()))
    assert card["holds_training_records"] is True


def test_the_card_has_training_and_validation_losses_of_every_epoch(partitions):
    history = fit(partitions, 3).card()["history"]
    assert [record["epoch"] for record in history] == [1, 2, 3]
    for name in ("loss", "numeric", "binary", "categorical", "kl"):
        assert all(np.isfinite(r[f"{kind}_{name}"]) for r in history for kind in ("train", "validation"))


def test_the_card_draws_both_networks_from_input_to_output(partitions):
    drawn = fit(partitions).card()["architecture"]
    assert list(drawn) == ["Encoder", "Decoder"]
    assert drawn["Encoder"][0] == ["numeric (2)", "binary (2)", "categorical (2)"]
    assert ["Linear 10 → 88"] in drawn["Encoder"]
    assert drawn["Encoder"][-1] == ["mean (32)", "log-variance (32)"]
    assert drawn["Decoder"][-2] == ["numeric (2)", "binary (2)", "categorical (6)"]


# Sampling


def test_every_training_record_has_a_posterior(partitions):
    model = fit(partitions)
    assert [part.shape for part in model.posteriors_] == [(len(partitions[0]), 32)] * 2


def test_a_condition_draws_from_posteriors_of_records_that_meet_it(partitions):
    """Posteriors of the others are made unusable: a row sampled from one of them would be no number."""
    model = fit(partitions)
    meets = torch.as_tensor((partitions[0]["sex"] == "female").to_numpy())
    before = model.sample(200, seed=1, conditions={"sex": "female"})
    model.posteriors_[0][~meets] = float("nan")
    pd.testing.assert_frame_equal(model.sample(200, seed=1, conditions={"sex": "female"}), before)


def test_a_condition_makes_rows_that_meet_it_more_frequent(partitions):
    model = fit(partitions, 30)
    shares = [
        (model.sample(1000, seed=1, conditions=c)["admitted"] == "yes").mean() for c in (None, {"admitted": "yes"})
    ]
    assert shares[1] > max(0.8, shares[0] + 0.2)


def test_a_condition_that_no_record_meets_is_refused(partitions):
    with pytest.raises(InputError, match="are met by none of the 300 training records"):
        fit(partitions).sample(5, seed=1, conditions={"admitted": "no", "icu": "yes"})


def test_a_condition_still_holds_after_loading(partitions, tmp_path):
    model = fit(partitions)
    model.save(tmp_path)
    wanted = {"sex": "female", "age": (40, 60)}
    drawn = MedVAE.load(tmp_path).sample(50, seed=1, conditions=wanted)
    pd.testing.assert_frame_equal(drawn, model.sample(50, seed=1, conditions=wanted))


@pytest.mark.parametrize("draw, shares", [(False, [0, 0, 1]), (True, [0.2, 0.3, 0.5])])
def test_categories_are_the_most_probable_ones_unless_they_are_drawn(partitions, draw, shares):
    model = fit(partitions, sample_categories=draw)
    # Flags sex and admitted, then the categories of icu and of stage.
    flags = torch.tensor([0.3, 0.6]).logit().expand(5000, 2)
    categories = torch.tensor([0.2, 0.3, 0.5] * 2).log().expand(5000, 6)
    decided, drawn = model._decide(flags, categories, torch.Generator().manual_seed(0))
    assert decided.float().mean(0).tolist() == pytest.approx([0.3, 0.6] if draw else [0, 1], abs=0.03)
    for codes in drawn.T:
        assert (torch.bincount(codes, minlength=3) / 5000).tolist() == pytest.approx(shares, abs=0.03)


# Data that need care


def test_a_last_batch_of_a_single_row_is_handled(partitions):
    assert len(fit(partitions, rows=33, batch_size=32, validation_share=0).sample(10, seed=1)) == 10


def test_numbers_are_not_larger_than_the_winsorised_ones(partitions):
    train = partitions[0]
    cut = fit(partitions, 5, winsorise=0.9, numeric_output="sigmoid", validation_share=0)
    assert cut.sample(500, seed=1)["crp"].max() <= train["crp"].quantile(0.9)


def test_a_sigmoid_keeps_numbers_within_the_training_range(partitions):
    train = partitions[0]
    drawn = fit(partitions, 5, numeric_output="sigmoid").sample(1000, seed=1)
    for name in ("age", "crp"):
        assert drawn[name].between(train[name].min(), train[name].max()).all()


def test_a_floor_at_zero_leaves_no_negative_number(partitions):
    train, test, codebook = partitions
    column = codebook.columns["crp"].model_copy(update={"range": (-500, 500)})
    shifted = train.assign(crp=train["crp"] - 50), test, codebook.with_columns({"crp": column})
    free, floored = (
        fit(shifted, 40, numeric_output="sigmoid", floor_at_zero=floor).sample(500, seed=1) for floor in (False, True)
    )
    assert free["crp"].min() < 0
    assert floored["crp"].min() >= 0


def test_the_initial_binary_loss_is_the_mean_of_the_others(partitions):
    train, _, codebook = partitions
    model = MedVAE()
    model.codebook_, model.library_ = codebook, train
    member = _Member(0, model, (1, [1]), torch.device("cpu"))
    batch = _Batch([member], torch.device("cpu"))
    batch.weigh()
    batch.together.write_back()
    # By the networks themselves, which have learned nothing yet.
    model.set_training(False)
    with torch.no_grad():
        numbers, flags, codes = member.fitted
        made_numbers, made_flags, made_codes = model.decoder_(model.encoder_(numbers, flags, codes)[0])
        numeric = torch.nn.functional.mse_loss(made_numbers, numbers)
        binary = torch.nn.functional.binary_cross_entropy_with_logits(made_flags, flags)
        likelihood = CategoryLikelihood(model.scaler_.categories, torch.device("cpu"))
        others = (100 * numeric + likelihood(made_codes, codes).sum()) / 2
    assert model.binary_weight_ * binary.item() == pytest.approx(others.item(), rel=1e-4)


def test_batches_have_a_multiple_of_rows():
    def sizes(rows, batch_size, **options):
        return [batch.stop - batch.start for batch in batches_of(rows, batch_size, **options)]

    assert sizes(50, 20) == [20, 20, 10] and sizes(41, 20) == [20, 20]
    assert sizes(50, 32, multiple=16) == [32, 16] and sizes(289, 100, multiple=16) == [96, 96, 96]
    # Fewer rows than the multiple are one batch.
    assert sizes(9, 32, multiple=16) == [9]


def test_validation_rows_are_none_of_the_fitted_ones():
    fitted, validated = validation_split(100, 0.05, seed=1)
    assert sorted([*fitted, *validated]) == list(range(100))
    assert len(validated) == 5


def test_without_a_validation_part_all_rows_are_fitted_and_reported():
    fitted, validated = validation_split(10, 0, seed=1)
    assert fitted.tolist() == validated.tolist() == list(range(10))


def test_every_epoch_sees_every_row_once():
    seen = []

    def step(rows, done):
        seen.append(rows)
        return {"loss": torch.zeros(())}

    list(train_epochs(25, step, lambda done: {}, epochs=2, batch_size=10))
    assert [len(rows) for rows in seen] == [10, 10, 5] * 2
    assert torch.cat(seen[:3]).sort().values.tolist() == list(range(25))


def test_likelihoods_of_categories_are_cross_entropies_column_by_column():
    sizes = [2, 1, 7, 3, 5]
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(20, sum(sizes), generator=rng)
    codes = torch.stack([torch.randint(size, (20,), generator=rng) for size in sizes], 1)
    found = CategoryLikelihood(sizes, torch.device("cpu"))(logits, codes)
    wanted = [
        float(torch.nn.functional.cross_entropy(part, codes[:, i])) for i, part in enumerate(logits.split(sizes, 1))
    ]
    assert sorted(found.tolist()) == pytest.approx(sorted(wanted), abs=1e-5)


def test_stages_leave_out_what_does_nothing(partitions):
    plain = fit(partitions, batch_norm=False).network_["encoder"].layers
    assert stages_of(plain)[:2] == [["Linear 10 → 88"], ["LeakyReLU (0.3)"]]
