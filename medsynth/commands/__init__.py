"""Whole ways through the library, a function each: what the commands of `medsynth.cli` do."""
