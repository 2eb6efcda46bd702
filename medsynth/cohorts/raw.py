"""Reading raw tables: the names that scripts and tests know; `medsynth.data.reading` does it."""

from medsynth.data.opening import open_raw, sha256
from medsynth.data.reading import read_raw, read_table

__all__ = ["open_raw", "read_raw", "read_table", "sha256"]
