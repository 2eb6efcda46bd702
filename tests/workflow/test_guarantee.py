"""What the workflow writes beside a private model, by where its noise comes from."""

import json

import pytest
import yaml

from tests.workflow.conftest import Project

RUN = "results/covid_gans/simulated-smoke"
KINDS = {"private_columns": True, "private_columns_publishable": False}


@pytest.fixture(scope="module")
def cards(tmp_path_factory):
    """Model cards of noisy columns with noise of the seed's and of the operating system's, by generator."""
    project = Project(tmp_path_factory.mktemp("guarantee"))
    path = project.folder / "config/generators/private_columns.yaml"
    content = yaml.safe_load(path.read_text())
    content["variants"]["private_columns_publishable"] = {
        "title": "Noisy columns, to publish", "colour": "#123456", "settings": {"seeded_noise": False},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(content))
    models = [f"{RUN}/models/{name}/seed1" for name in KINDS]
    done = project.snakemake(
        *models, studies="covid_gans", scale="smoke", generators=f"[{','.join(KINDS)}]", seeds="[1]"
    )
    assert done.returncode == 0, done.stdout
    return {
        name: json.loads((project.folder / model / "epochs0/model_card.json").read_text())
        for name, model in zip(KINDS, models, strict=True)
    }


def test_no_seed_and_no_checksum_of_the_rows_is_on_a_private_models_card(cards):
    card = cards["private_columns_publishable"]
    assert not {"seed", "train_sha256"} & set(card)
    assert card["seeded_noise"] is False and "nobody can compute it again" in card["noise"]


def test_the_card_of_seeded_noise_has_its_seed_and_says_that_it_is_not_for_publishing(cards):
    card = cards["private_columns"]
    assert {"seed", "train_sha256"} <= set(card)
    assert card["seeded_noise"] is True and "not for publishing" in card["noise"]
