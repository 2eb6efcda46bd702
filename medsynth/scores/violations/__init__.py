"""Rows that violate a constraint of the codebook."""
