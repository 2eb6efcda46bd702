"""med_vae on its simulated cohort: conditions met, and every published number with a verdict."""

import pandas as pd

FOLDER = "results/med_vae/simulated-smoke"


def test_conditions_are_met_and_every_published_number_has_a_verdict(project):
    wanted = f"{FOLDER}/tables", f"{FOLDER}/figures"
    done = project.snakemake(*wanted, studies="med_vae", scale="smoke", generators="[med_vae_published,cart]")
    assert done.returncode == 0, done.stdout
    assert (project.folder / FOLDER / "figures/conditions_cart.png").is_file()
    conditional = pd.read_csv(project.folder / FOLDER / "tables/conditional.csv")
    held = conditional[(conditional["generator"] == "cart") & (conditional["n_train"] != 0)]
    assert len(held) > 20 and (held["success"] == 1).all()
    published = pd.read_csv(project.folder / FOLDER / "tables/published_vs_reproduced.csv")
    assert len(published) > 60 and published["verdict"].str.startswith("cannot be tested").all()
