"""A table made elsewhere stands in as a generator: what it must be, what is drawn, when the workflow reads it again."""

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Column
from medsynth.errors import InputError
from medsynth.generators.external import External
from medsynth.plan import loading
from medsynth.plan.loading import load_runs
from medsynth.preparation.checks import check_clean
from tests.conftest import ROOT


@pytest.fixture
def elsewhere(partitions, tmp_path):
    """Write the training rows, changed or not, to a file; returns a writer that gives its path."""

    def write(name="table.csv", **changes):
        table, path = partitions[0].assign(**changes), tmp_path / name
        if path.suffix == ".parquet":
            table.to_parquet(path, index=False)
        else:
            table.to_csv(path, index=False)
        return str(path)

    return write


def fitted(path, codebook):
    """The generator after `fit`, which needs no rows."""
    return External(path=path).fit(None, codebook)


def refusal(path, codebook):
    """What is said of a file that does not fit; it is one sentence."""
    with pytest.raises(InputError) as caught:
        fitted(path, codebook)
    said = str(caught.value)
    assert path in said and "\n" not in said
    return said


def sorted_rows(table):
    """Rows in an order of their own."""
    return table.astype(str).sort_values(list(table.columns), ignore_index=True)


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.parquet"])
def test_every_format_gives_the_same_table(partitions, elsewhere, name):
    train, _, codebook = partitions
    pd.testing.assert_frame_equal(fitted(elsewhere(name), codebook).table_, codebook.conform(train))


def test_columns_may_be_in_any_order_and_others_are_ignored(partitions, tmp_path, caplog):
    train, _, codebook = partitions
    train[train.columns[::-1]].assign(note="mine").to_csv(tmp_path / "table.csv", index=False)
    pd.testing.assert_frame_equal(fitted(str(tmp_path / "table.csv"), codebook).table_, codebook.conform(train))
    assert "columns that the codebook lacks are ignored: note" in caplog.text


def test_categories_that_look_like_numbers_may_be_numbers_in_a_parquet(partitions, elsewhere):
    train, _, codebook = partitions
    described = codebook.with_columns({"ward": Column(type="categorical", categories=["1", "2"])})
    wards = np.arange(len(train)) % 2 + 1
    assert list(fitted(elsewhere("table.parquet", ward=wards), described).table_["ward"][:2]) == ["1", "2"]


def test_a_category_called_none_is_no_missing_cell(partitions, elsewhere):
    train, _, codebook = partitions
    described = codebook.with_columns({"result": Column(type="categorical", categories=["None", "NA"])})
    results = np.where(np.arange(len(train)) % 2, "None", "NA")
    assert list(fitted(elsewhere(result=results), described).table_["result"][:2]) == ["NA", "None"]


# What it must be


def test_an_unknown_category_is_named_with_file_column_and_count(partitions, elsewhere):
    train, _, codebook = partitions
    said = refusal(elsewhere(sex=np.where(train.index < 3, "femal", "male")), codebook)
    assert f"column 'sex' has the category 'femal' in 3 of {len(train):,} rows" in said
    assert said.endswith("did you mean 'female'?")


def test_a_lacking_column_is_named_with_the_nearest(partitions, tmp_path):
    train, _, codebook = partitions
    train.rename(columns={"stage": "Stage"}).to_csv(tmp_path / "table.csv", index=False)
    said = refusal(str(tmp_path / "table.csv"), codebook)
    assert "has no column 'stage'" in said and said.endswith("did you mean 'Stage'?")


def test_missing_cells_are_counted(partitions, elsewhere):
    train, _, codebook = partitions
    said = refusal(elsewhere(crp=train["crp"].where(train.index > 4)), codebook)
    assert "column 'crp' has 5 missing cells" in said


@pytest.mark.parametrize("word", ["high", "inf"])
def test_what_is_no_number_is_counted(partitions, elsewhere, word):
    train, _, codebook = partitions
    said = refusal(elsewhere(crp=np.where(train.index < 2, word, "1.5")), codebook)
    assert f"column 'crp' has '{word}' in 2 of {len(train):,} rows, which is not a number" in said


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("table.csv", None, "does not exist"),
        ("table.csv", b"", "cannot be read as a table"),
        ("table.csv", b"age,sex\n", "has no rows"),
        ("table.csv.gz", b"age,sex\n1,2\n", "cannot be read as a table"),
        ("table.parquet", b"PAR1", "cannot be read as a table"),
        ("table.xlsx", b"PK", "must be a csv, csv.gz or parquet"),
    ],
)
def test_a_file_that_is_no_table_is_named(partitions, tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert sentence in refusal(str(tmp_path / name), partitions[2])


def test_numbers_beyond_the_range_are_clipped_and_counted(partitions, elsewhere):
    train, _, codebook = partitions
    model = fitted(elsewhere(crp=np.where(train.index < 4, 900.0, 5.0)), codebook)
    assert model.adjusted_ == model.card()["adjusted"] == {"crp": 4}
    check_clean(model.sample(len(train), seed=1), codebook, what="the table")


# What is drawn


def test_rows_are_drawn_without_replacement(partitions, elsewhere):
    train, _, codebook = partitions
    model = fitted(elsewhere(crp=np.arange(len(train)) / 10), codebook)
    assert model.sample(200, seed=1)["crp"].nunique() == 200
    everybody = model.sample(len(train), seed=1)
    pd.testing.assert_frame_equal(sorted_rows(everybody), sorted_rows(model.table_))
    assert not everybody.equals(model.table_)


def test_more_rows_than_there_are_repeat_each_about_equally_often(partitions, elsewhere, caplog):
    train, _, codebook = partitions
    model = fitted(elsewhere(crp=np.arange(len(train)) / 10), codebook)
    drawn = model.sample(2 * len(train) + 10, seed=1)
    assert drawn["crp"].value_counts().value_counts().to_dict() == {2: len(train) - 10, 3: 10}
    assert "rows are repeated" in caplog.text


# On disk


def test_a_model_is_a_parquet_and_plain_text(partitions, elsewhere, tmp_path):
    fitted(elsewhere(), partitions[2]).save(tmp_path / "model")
    assert sorted(p.name for p in (tmp_path / "model").iterdir()) == ["facts.json", "model_card.json", "table.parquet"]


def test_a_loaded_model_knows_its_file(partitions, elsewhere, tmp_path):
    model = fitted(elsewhere(), partitions[2])
    model.save(tmp_path / "model")
    loaded = External.load(tmp_path / "model")
    assert (loaded.path, loaded.card(), loaded.epochs_) == (model.path, model.card(), 0)


def test_a_folder_of_another_generator_is_refused(partitions, elsewhere, tmp_path):
    fitted(elsewhere(), partitions[2]).save(tmp_path)
    facts = (tmp_path / "facts.json").read_text()
    (tmp_path / "facts.json").write_text(facts.replace('"External"', '"Other"'))
    with pytest.raises(InputError, match=r"facts\.json is one of Other"):
        External.load(tmp_path)


# In the workflow


def resolved(**changes):
    """A run of the generator at smoke scale."""
    return load_runs({"studies": ["covid_gans"], "scale": "smoke", "generators": ["external"], **changes})["covid_gans"]


@pytest.fixture
def put(monkeypatch, tmp_path):
    """A working folder with the configuration, and the table at its default path."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "resources/external/table.csv"
    path.parent.mkdir(parents=True)
    path.write_text("age\n1\n")
    return path


def test_the_file_is_an_input_of_training(put):
    assert resolved().training("external")["files"] == ["resources/external/table.csv"]


def test_other_generators_have_no_such_input(put):
    assert set(resolved(generators=["cart"]).training("cart")) == {"train", "codebook"}


def test_an_absent_file_is_named_before_anything_runs(put):
    put.unlink()
    with pytest.raises(InputError, match=r"'external' reads resources/external/table.csv, which does not exist"):
        resolved()


def test_it_is_not_fitted_on_fewer_rows(put):
    chosen = {"source": "download", "generators": ["external", "cart"]}
    run = load_runs({"studies": ["diabetes130_learning_curve"], "scale": "smoke", **chosen})[
        "diabetes130_learning_curve"
    ]
    assert run.on_learning_curve == ["cart"]


def test_it_cannot_be_attacked(put, monkeypatch):
    study = loading._load_study("covid_gans").model_copy(update={"attacks": ["external"]})
    monkeypatch.setattr(loading, "_load_study", lambda name: study)
    with pytest.raises(InputError, match=r"'attacks' names the generator 'external', which learns from no rows"):
        resolved()
