"""Attacks on what a generator releases."""
