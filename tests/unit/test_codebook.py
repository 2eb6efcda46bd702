"""The codebook: what it accepts, and what it says about what it does not."""

import copy

import pandas as pd
import pytest
import yaml

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.preparation.decoding import find_transform
from tests.conftest import CODEBOOK, ROOT


def written(tmp_path, **changes):
    """Write the ward's codebook with some columns changed."""
    content = copy.deepcopy(CODEBOOK)
    for column, facts in changes.items():
        content["columns"][column] |= facts
    path = tmp_path / "ward.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


@pytest.mark.parametrize("path", sorted((ROOT / "config/datasets").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_codebook_of_the_project_is_valid(path):
    assert Codebook.from_yaml(path).name == path.stem


def test_an_unknown_key_is_named_with_the_file_and_the_nearest_key(tmp_path):
    path = written(tmp_path, icu={"mising": [99]})
    with pytest.raises(InputError, match=r"ward.yaml: unknown key 'mising' in 'columns.icu'; did you mean 'missing'\?"):
        Codebook.from_yaml(path)


def test_bare_yes_and_no_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"columns.sex.codes.1' .*string"):
        Codebook.from_yaml(written(tmp_path, sex={"codes": {1: True, 2: False}}))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"raw": {"file": "../../secret.csv", "obtain": "no"}}, "outside its folder"),
        ({"raw": {"file": "/etc/passwd", "obtain": "no"}}, "outside its folder"),
        ({"raw": {"file": "a.zip", "member": "../../secret.csv", "obtain": "no"}}, "outside its folder"),
        ({"raw": {"file": "a.csv", "joined": [{"file": "../b.csv", "key": "k"}], "obtain": "no"}}, "outside its"),
        ({"raw": {"file": "a.csv", "url": "file:///etc/passwd", "obtain": "no"}}, "'raw.url' string should match"),
        ({"name": "../ward"}, "'name' string should match"),
        ({"title": "Ward\n\n.. raw:: html\n\n   <script>"}, "'title' string should match"),
    ],
)
def test_names_and_addresses_stay_where_they_belong(tmp_path, changes, said):
    path = tmp_path / "ward.yaml"
    path.write_text(yaml.safe_dump(copy.deepcopy(CODEBOOK) | changes))
    with pytest.raises(InputError, match=said):
        Codebook.from_yaml(path)


def test_code_in_a_codebook_is_not_executed(tmp_path):
    path, trace = tmp_path / "ward.yaml", tmp_path / "executed"
    path.write_text(f"name: !!python/object/apply:os.mkdir [{trace}]\n")
    with pytest.raises(InputError, match="is not valid YAML"):
        Codebook.from_yaml(path)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["datetime", "_TRUTH", "__loader__", "dated.__globals__"])
def test_a_codebook_names_no_other_code_than_transforms(name):
    with pytest.raises(InputError, match=f"names the transform '{name}'"):
        find_transform("age", name)


def test_a_damaged_json_is_named(tmp_path, codebook):
    path = tmp_path / "codebook.json"
    path.write_text(codebook.to_json()[:100])
    with pytest.raises(InputError, match=r"codebook.json is damaged .*; delete it and run again"):
        Codebook.from_json(path)


def test_a_condition_on_a_column_that_does_not_exist_names_the_nearest(tmp_path):
    rule = {"codes": [97], "category": "not applicable", "when": {"admited": "no"}}
    with pytest.raises(InputError, match=r"'admited'.*did you mean 'admitted'"):
        Codebook.from_yaml(written(tmp_path, icu={"not_applicable": rule}))


@pytest.mark.parametrize(
    ("column", "facts", "sentence"),
    [
        (
            "icu",
            {"not_applicable": {"codes": [97], "category": "x", "when": {"admitted": "No"}}},
            "the category 'No' of 'admitted'",
        ),
        (
            "icu",
            {"not_applicable": {"codes": [97], "category": "x", "when": {"age": "no"}}},
            "'age', which must be a coded",
        ),
        ("sex", {"missing": [1]}, "has the code '1' both as a value and as missing"),
        ("stage", {"drop_if_category": {"iii": 0.9}}, "has no category 'iii' for 'drop_if_category'"),
        ("patient", {"drop": "secret"}, "'person' is 'patient', which must be of type identifier and without 'drop'"),
        ("patient", {"type": "integer"}, "'person' is 'patient', which must be of type identifier"),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path, column, facts, sentence):
    with pytest.raises(InputError, match=sentence):
        Codebook.from_yaml(written(tmp_path, **{column: facts}))


def test_a_row_rule_says_what_it_does():
    content = copy.deepcopy(CODEBOOK) | {"rows": [{"reason": "why not"}]}
    with pytest.raises(ValueError, match="needs either 'first_per', or 'column' and 'values'"):
        Codebook.model_validate(content)


def test_ranges_are_learned_from_the_table_given(partitions):
    train, _, codebook = partitions
    open_ended = codebook.model_copy(
        update={"columns": {"crp": codebook.columns["crp"].model_copy(update={"range": None})}}
    )
    assert open_ended.resolved(train[["crp"]]).columns["crp"].range == (train["crp"].min(), train["crp"].max())
    assert open_ended.resolved(train[["crp"]], learn_ranges=False).columns["crp"].range is None


def test_categories_keep_the_codebooks_order_and_end_with_not_applicable(codebook):
    assert codebook.columns["icu"].all_categories == ["no", "yes", "not applicable"]


def test_a_resolved_codebook_survives_being_written_and_read(partitions, tmp_path):
    resolved = partitions[2]
    (tmp_path / "codebook.json").write_text(resolved.to_json())
    assert Codebook.from_json(tmp_path / "codebook.json").to_json() == resolved.to_json()


def test_conform_rounds_integers_clips_to_the_range_and_sets_categories(partitions):
    train, _, codebook = partitions
    strange = pd.DataFrame(train).assign(age=200.4, crp=-3.0, stage="IV")
    conformed = codebook.conform(strange)
    assert (conformed["age"] == 120).all()
    assert (conformed["crp"] == 0).all()
    assert conformed["stage"].isna().all()
    assert conformed.dtypes.equals(train.dtypes)
