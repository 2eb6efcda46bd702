"""Whole ways through the library, a function each: what the commands of `medsynth.cli` do."""

# The one place that says which generators people should use, by their names in config/generators: without and with a
# privacy budget.
RECOMMENDED, RECOMMENDED_PRIVATE = "forest", "med_vae_private"
