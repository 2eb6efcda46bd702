"""Train, score and compare generators of synthetic patients. Data frames in, data frames out."""

__version__ = "0.1.0"
