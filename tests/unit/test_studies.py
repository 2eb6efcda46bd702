"""Which studies can be run on which files."""

import pytest

from medsynth.errors import InputError
from medsynth.plan.studies import described, having_data, said_of_simulated


def test_public_studies_are_those_of_a_paper_that_can_be_downloaded():
    assert having_data(["source=download"]) == ["diabetes130", "support2"]


def test_a_study_runs_where_its_raw_table_lies(tmp_path):
    (tmp_path / "hdhi").mkdir()
    (tmp_path / "hdhi/HDHI Admission data.zip").touch()
    assert having_data(["source=file", f"raw_dir={tmp_path}"]) == ["hdhi_tvae"]


def test_without_any_raw_table_one_sentence_says_how_to_get_one(tmp_path):
    with pytest.raises(
        InputError, match=r"^The studies of papers lack their raw tables; the last one says: The raw file"
    ):
        having_data(["source=file", f"raw_dir={tmp_path}"])


def test_a_mistake_in_the_configuration_is_not_taken_for_a_missing_table():
    with pytest.raises(InputError, match="'scal'"):
        having_data(["source=download", "scal=smoke"])


def test_what_was_simulated_is_said_and_what_runs_on_patients():
    assert said_of_simulated(["studies=[med_vae]"]) == (
        "med_vae was simulated: no row is a patient. 'make real' runs diabetes130 and support2 on real patients.\n"
    )
    assert said_of_simulated(["studies=[diabetes130]"]) == ""


def test_every_study_is_listed_with_the_dataset_that_it_has_from_another():
    table = described().set_index("study")
    assert table.loc["kl_sweep", ["dataset", "like"]].tolist() == ["diabetes130", "diabetes130"]
    assert table.loc["hdhi_tvae", ["dataset", "source"]].tolist() == ["hdhi", "file"]
