"""Tables mark models that ended before their loss settled."""

import numpy as np
import pandas as pd
import pytest

from medsynth.scores.training.table import training_table, unsettled, with_marks

EPOCHS = np.arange(50)
FALLING = 100.0 - EPOCHS
SETTLED = 100 * np.exp(-EPOCHS / 3)
STYLES = {"tvae": {"title": "TVAE", "colour": "#000000"}, "ctgan": {"title": "CTGAN", "colour": "#000000"}}


def history(**losses):
    return [{"epoch": i + 1, **{f"train_{k}": v[i] for k, v in losses.items()}} for i in range(len(EPOCHS))]


def test_a_loss_that_still_falls_has_not_settled():
    table = training_table({"tvae": {50: [history(loss=SETTLED)], 20: [history(loss=FALLING)]}})
    assert table.set_index("epochs")["settled"].to_dict() == {50: True, 20: False}
    assert unsettled(table) == {("tvae", 20)}


def test_both_losses_of_a_pair_of_networks_have_to_settle():
    runs = [history(generator_loss=SETTLED, discriminator_loss=FALLING)]
    assert unsettled(training_table({"ctgan": {50: runs}})) == {("ctgan", 50)}


def test_parts_of_a_loss_and_held_out_rows_do_not_count():
    run = [e | {"validation_loss": -i, "train_kl": -i} for i, e in enumerate(history(loss=SETTLED))]
    assert not unsettled(training_table({"tvae": {50: [run]}}))


def test_a_run_of_few_epochs_has_not_settled():
    assert unsettled(training_table({"tvae": {2: [history(loss=SETTLED)[:2]]}})) == {("tvae", 2)}


def test_written_numbers_say_the_same(tmp_path):
    table = training_table({"tvae": {50: [history(loss=SETTLED)], 20: [history(loss=FALLING)]}})
    table.to_csv(tmp_path / "training.csv", index=False)
    assert unsettled(pd.read_csv(tmp_path / "training.csv", dtype=str)) == unsettled(table)


@pytest.mark.parametrize(("moving", "expected"), [({("tvae", 20)}, ["20*", "50", "20"]), ((), ["20", "50", "20"])])
def test_only_their_epoch_counts_are_marked(moving, expected):
    display = pd.DataFrame({"Model": ["TVAE", "TVAE", "CTGAN"], "Epochs": ["20", "50", "20"]})
    assert list(with_marks(display, moving, STYLES)["Epochs"]) == expected
