"""Label encoding and standard scaling around SDV's generators, as the MIMIC-TVAE paper prepares its table."""

import json

import numpy as np
import pandas as pd
import pytest

from medsynth.errors import InputError
from medsynth.generators import TVAE, EncodedCTGAN, EncodedTVAE
from medsynth.generators.encoded import FILE, TableScaler
from medsynth.preparation.checks import check_clean


@pytest.fixture
def train(partitions):
    """Training rows of the ward table."""
    return partitions[0]


def test_categories_become_whole_numbers_in_the_order_of_their_text(train):
    encoded = TableScaler().fit(train).transform(train)
    assert encoded["icu"].dtype == "int64"
    known = ["no", "not applicable", "yes"]
    assert (encoded["icu"] == train["icu"].astype(str).map(known.index)).all()


def test_numbers_become_standard_scores(train):
    encoded = TableScaler().fit(train).transform(train)
    assert encoded[["age", "crp"]].mean().to_numpy() == pytest.approx([0, 0], abs=1e-9)
    assert encoded[["age", "crp"]].std(ddof=0).to_numpy() == pytest.approx([1, 1])


def test_decoding_gives_the_table_back(partitions):
    train, _, codebook = partitions
    scaler = TableScaler().fit(train)
    pd.testing.assert_frame_equal(codebook.conform(scaler.inverse(scaler.transform(train))), train)


def test_labels_are_rounded_and_clipped_to_known_categories(train):
    scaler = TableScaler().fit(train)
    numbers = scaler.transform(train.head(5)).assign(icu=[-3.0, 0.4, 0.6, 1.9, 9.0])
    assert list(scaler.inverse(numbers)["icu"]) == ["no", "no", "not applicable", "yes", "yes"]


def test_a_category_that_training_rows_lack_is_never_drawn(train):
    few = train[train["stage"] != "II"]
    assert "II" not in TableScaler().fit(few).categories_["stage"]


def test_a_constant_column_is_scaled_and_back(train):
    table = train.assign(crp=5.0)
    scaler = TableScaler().fit(table)
    assert (scaler.inverse(scaler.transform(table))["crp"] == 5).all()


def test_what_the_scaler_learned_survives_as_json(train):
    scaler = TableScaler().fit(train)
    again = TableScaler.from_json(scaler.to_json())
    pd.testing.assert_frame_equal(again.transform(train), scaler.transform(train))


def test_sdv_is_told_of_numbers_alone(partitions):
    train, _, codebook = partitions
    model = EncodedTVAE().fit(train, codebook, epochs=1, seed=1)
    known = model._synthesizer.metadata.tables["table"].columns
    assert {column["sdtype"] for column in known.values()} == {"numerical"}


def test_rows_differ_from_those_of_the_plain_generator(partitions):
    train, _, codebook = partitions
    plain, encoded = (
        next(c().fit_checkpoints(train, codebook, epochs=[2], seed=1)).sample(50, seed=1) for c in (TVAE, EncodedTVAE)
    )
    assert not encoded.equals(plain)


def test_ctgan_learns_numbers_alone(partitions):
    train, _, codebook = partitions
    model = EncodedCTGAN().fit(train, codebook, epochs=1, seed=1)
    check_clean(model.sample(50, seed=1), codebook, what="EncodedCTGAN")


@pytest.mark.parametrize("content", [None, "", "[1, 2]", json.dumps({"categories": {}})])
def test_a_model_without_its_encoding_is_a_clear_error(partitions, tmp_path, content):
    train, _, codebook = partitions
    EncodedTVAE().fit(train, codebook, epochs=1, seed=1).save(tmp_path)
    (tmp_path / FILE).unlink()
    if content is not None:
        (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match=r"holds no complete EncodedTVAE model \(encoding.json"):
        EncodedTVAE.load(tmp_path)


def test_many_categories_are_encoded(codebook):
    categories = [f"diagnosis {i:04d}" for i in range(3000)]
    table = pd.DataFrame({"drug": pd.Categorical(np.random.default_rng(0).choice(categories, 9000), categories)})
    scaler = TableScaler().fit(table)
    assert (scaler.inverse(scaler.transform(table))["drug"] == table["drug"].astype(str)).all()
