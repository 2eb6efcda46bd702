"""med_vae on its simulated cohort: conditions met, and every published number with a verdict."""

import pandas as pd

from tests.workflow.test_faults import edit

FOLDER = "results/med_vae/simulated-smoke"


def test_conditions_are_met_and_every_published_number_has_a_verdict(project):
    # What attacks find, and what several seeds come to, is seen in other studies.
    edit(project.folder / "config/studies/med_vae.yaml", lambda study: study.update(attacks=[]))
    wanted = f"{FOLDER}/tables", f"{FOLDER}/figures"
    asked = {"studies": "med_vae", "scale": "smoke", "seeds": "1", "generators": "[med_vae_published,cart]"}
    done = project.snakemake(*wanted, **asked)
    assert done.returncode == 0, done.stdout
    assert (project.folder / FOLDER / "figures/conditions_cart.png").is_file()
    conditional = pd.read_csv(project.folder / FOLDER / "tables/conditional.csv")
    held = conditional[(conditional["generator"] == "cart") & (conditional["n_train"] != 0)]
    assert len(held) > 20 and (held["success"] == 1).all()
    published = pd.read_csv(project.folder / FOLDER / "tables/published_vs_reproduced.csv")
    assert len(published) > 60 and published["verdict"].str.startswith("cannot be tested").all()
