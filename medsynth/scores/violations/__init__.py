"""Rows that break a rule of the codebook."""
