"""Whole ways through the library, a function each: what the commands of `medsynth.cli` do."""

# The one place that says which generators people should use, by their names in config/generators: without and with a
# privacy budget.
RECOMMENDED, RECOMMENDED_PRIVATE = "mixture", "med_vae_private"
# Share of the persons that nothing is fitted on, and on whose rows models are judged.
TEST_SHARE = 0.2
