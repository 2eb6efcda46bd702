"""Comparing a run with the results that are kept of it."""

import shutil

import pandas as pd
import pytest

from medsynth.errors import InputError
from medsynth.plan import reference


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A finished run of two numbers, kept."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results/ward/file-laptop"
    (folder / "tables").mkdir(parents=True)
    row = {"generator": "tvae", "epochs": 50, "overall": 0.9, "column_shapes": 0.9, "pair_trends": 0.9, "c2st_auc": 0.8}
    pd.DataFrame([row]).to_csv(folder / "tables/quality.csv", index=False)
    reference.keep(folder.relative_to(tmp_path))
    return folder.relative_to(tmp_path)


def changed(run, **values):
    """Differences after a change of the run's table."""
    path = run / "tables/quality.csv"
    pd.read_csv(path).assign(**values).to_csv(path, index=False)
    return reference.differences(run, reference.REFERENCE / "ward/file-laptop")


def test_the_same_run_has_no_difference(run):
    assert changed(run).empty


def test_within_the_tolerance_is_no_difference(run):
    assert changed(run, overall=0.915).empty


def test_beyond_the_tolerance_is_named(run):
    assert changed(run, c2st_auc=0.9)[["table", "row", "column"]].to_numpy().tolist() == [
        ["quality", "tvae, 50", "c2st_auc"]
    ]


def test_a_row_that_is_gone_is_named(run):
    assert len(changed(run, generator="ctgan")) == 8


def test_a_run_without_tables_cannot_be_kept(run):
    shutil.rmtree(run / "tables")
    with pytest.raises(InputError, match="not a finished run"):
        reference.keep(run)
