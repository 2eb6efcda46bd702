"""Train, score and compare generators of synthetic patients. Data frames in, data frames out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("medsynth")
except PackageNotFoundError:  # a checkout that is not installed
    __version__ = "0+unknown"
