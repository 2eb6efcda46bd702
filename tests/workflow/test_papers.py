"""The studies of the papers on their simulated cohorts, small."""

import pandas as pd
import pytest


@pytest.mark.parametrize(
    ("study", "generators"), [("mimic_tvae", "[tvae,tvae_encoded,cart]"), ("med_vae", "[med_vae_published,cart]")]
)
def test_every_published_number_gets_a_verdict(project, study, generators):
    done = project.snakemake(studies=study, scale="smoke", generators=generators)
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(project.folder / f"results/{study}/simulated-smoke/tables/published_vs_reproduced.csv")
    assert table["verdict"].notna().all()
    # Numbers that depend on patients are tested on patients alone, whatever they come to.
    on_patients = table["evidence"].isin(["tables/utility", "tables/quality"])
    assert (table.loc[on_patients, "verdict"] == "cannot be tested: simulated data").all()
    assert on_patients.any()
